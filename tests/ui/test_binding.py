"""The Qt binding must keep its references to None and True: releases that lose them abort the interpreter."""

import sys

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QWidget


class Bell(QObject):
    rang = Signal()


def test_calls_without_a_result_keep_none_alive(qapp: QApplication) -> None:
    widget = QWidget()
    before = sys.getrefcount(None)
    for _ in range(1000):
        widget.update()
    assert abs(sys.getrefcount(None) - before) < 200


def test_emitting_keeps_true_alive(qapp: QApplication) -> None:
    bell = Bell()
    before = sys.getrefcount(True)
    for _ in range(50):
        bell.rang.emit()
    assert abs(sys.getrefcount(True) - before) < 25
