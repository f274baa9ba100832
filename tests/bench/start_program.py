"""The whole program, from the start of the process to the painted 今日; the PIN is given at once by nobody's fingers.

Prints two numbers in ns: the time to the painted page, and how much of it was key derivation.
"""

import gc
import sys
import time
from pathlib import Path


def main(started: int, home: Path, account_id: str, pin: str, now_ms: int) -> None:
    """Start as the command line does, unlock, wait for today's board, paint it, tell the time."""
    gc.disable()
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from desktop.app import Application
    from desktop.paths import Paths

    derived: list[int] = []

    def unlock() -> bytes:
        before = time.monotonic_ns()
        key = program.vault.unlock(account_id, pin)
        derived.append(time.monotonic_ns() - before)
        return key

    def look() -> None:
        if program.window.at_work and not program.tasks.pending:
            program.window.repaint()
            print(time.monotonic_ns() - started, derived[0])
            app.quit()

    app = QApplication(sys.argv[:1])
    program = Application(app, Paths.for_home(home), now=lambda: now_ms)
    program.start()
    program.window.repaint()  # the unlock page is what a person sees first
    program.gate.enter(account_id, unlock)
    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(1)
    app.exec()
    program.stop()


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
