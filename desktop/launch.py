"""Starts the program in one data folder: one at a time, with the crash watch on, until the window is closed."""

import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

from desktop import crash, logs
from desktop.app import Application
from desktop.i18n import tr
from desktop.lock import DataLock
from desktop.paths import Paths
from desktop.sync_agent import Connect
from desktop.widgets.ask import Question, QuestionDialog


def run(
    home: Path | None = None,
    *,
    connect: Connect | None = None,
    dress: Callable[[Application], None] = lambda _: None,
) -> int:
    """The ordinary start; ``home`` keeps everything in one folder. Returns the exit status.

    ``connect`` opens clients for another server than the one remembered; ``dress`` marks the window (practice).
    """
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    paths = Paths.for_home(home) if home is not None else Paths.for_user()
    paths.ensure()
    lock = DataLock(paths.lock_file)
    program: list[Application] = []

    def to_front() -> None:
        if program:
            program[0].to_front()

    if not lock.take(to_front):
        return _second(app, paths, lock)
    handler = logs.start(paths.logs)
    last = crash.last_words(paths.fault_file)
    program.append(Application(app, paths, connect=connect))
    dress(program[0])
    guard = crash.CrashGuard(fault_file=paths.fault_file, on_crash=program[0].crashed)
    guard.install()
    program[0].start()
    if last:
        program[0].say_stopped(last)
    try:
        return app.exec()
    finally:
        program[0].stop()
        guard.uninstall()
        logs.stop(handler)
        lock.release()


def _second(app: QApplication, paths: Paths, lock: DataLock) -> int:
    """Another window has this folder: say so, and offer to bring it to the front."""
    from desktop import i18n, settings, theme

    chosen = settings.load(paths.settings_file).settings
    i18n.install(app, chosen.language)
    theme.apply(app, theme.load(chosen.theme, percent=chosen.text_percent))
    dialog = QuestionDialog(
        Question(
            title=tr("The program is already open"),
            advice=tr("Two windows on the same records would get in each other's way. Nothing was changed."),
            yes=tr("Show me the open window"),
            no=tr("Close this one"),
        )
    )
    dialog.accepted.connect(lock.raise_first)
    dialog.exec()
    return 0
