"""Starts the program in one data folder: one at a time, with the crash watch on, until the window is closed.

Which folder that is says the community whose preset is found; a preset that is chosen meanwhile begins it anew.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

from desktop import crash, logs, telling
from desktop.app import Application
from desktop.community import NOTHING, Found, Search
from desktop.i18n import tr
from desktop.lock import DataLock
from desktop.new_version import before_opening
from desktop.paths import Paths, folder_name
from desktop.sync_agent import Connect
from desktop.updating import Installed
from desktop.widgets.ask import Question, QuestionDialog

RESTART = 64  # what the event loop ends with when the program is to begin anew


def run(
    home: Path | None = None,
    *,
    connect: Connect | None = None,
    dress: Callable[[Application], None] = lambda _: None,
    search: Search | None = None,
) -> int:
    """The ordinary start; ``home`` keeps everything in one folder. Returns the exit status.

    ``connect`` opens clients for another server than the one remembered; ``dress`` marks the window (practice);
    ``search`` looks for presets (without it there are none, and nothing is taken in).
    """
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    while True:
        found = search.run() if search is not None else NOTHING
        if search is not None:
            paths = search.paths(found.community_id)
        else:
            paths = Paths.for_home(home) if home is not None else Paths.for_user()
        _name(found.community_id)
        status = _run(app, paths, found, connect=connect, dress=dress, search=search)
        if status != RESTART:
            return status


def _run(
    app: QApplication,
    paths: Paths,
    found: Found,
    *,
    connect: Connect | None,
    dress: Callable[[Application], None],
    search: Search | None,
) -> int:
    paths.ensure()
    lock = DataLock(paths.lock_file)
    program: list[Application] = []

    def to_front() -> None:
        if program:
            program[0].to_front()

    if not lock.take(to_front):
        return _second(app, paths, lock)
    if search is not None:
        before_opening(paths, Installed.at(search.places.install))
    handler = logs.start(paths.logs)
    last = crash.last_words(paths.fault_file)
    program.append(
        Application(
            app,
            paths,
            connect=connect,
            community=found,
            search=search,
            restart=lambda: app.exit(RESTART),
        )
    )
    dress(program[0])
    guard = crash.CrashGuard(fault_file=paths.fault_file, on_crash=program[0].crashed)
    guard.install()
    program[0].start()
    app.setQuitOnLastWindowClosed(True)
    if found.refused:
        program[0].hub.notice.emit(telling.preset_refused(found.refused[0].error, goes_on=found.preset is not None))
    if last:
        program[0].say_stopped(last)
    status = 0
    try:
        status = app.exec()
        return status
    finally:
        program[0].stop()
        if status == RESTART:
            app.setQuitOnLastWindowClosed(False)  # the old window goes before the new one is there
            program[0].window.hide()
            program[0].window.deleteLater()
        guard.uninstall()
        logs.stop(handler)
        lock.release()


def _name(community_id: str) -> None:
    """Tell the desktop which program this is, so that windows, menu entry and task bar belong together."""
    name = folder_name(community_id)
    QApplication.setApplicationName(name)  # the class of its windows under X11
    QApplication.setDesktopFileName(name)
    if sys.platform == "win32":  # pragma: no cover
        import ctypes

        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID(f"qiaomen.{name}")


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
