"""The least a program of Qt can do: a window with one Chinese word, from the process's start to its first paint."""

import sys
import time

from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow


class Word(QLabel):
    """Ends the program when it has been painted."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        print(time.monotonic_ns() - int(sys.argv[1]), 0)
        QApplication.quit()


app = QApplication(sys.argv[:1])
window = QMainWindow()
window.setCentralWidget(Word("今日"))
window.resize(1366, 768)
window.show()
app.exec()
