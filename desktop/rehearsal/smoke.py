"""``--smoke``: whether an installed program works: every page is opened and painted, a visit is noted, nobody looks on.

It needs neither a screen nor a server, and leaves nothing behind; what is wrong goes to the standard error.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from desktop.paths import Paths
from desktop.rehearsal.letting_in import Entrant, furnish

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from desktop.app import Application
    from sync.store.store import Reader

PATIENCE_MS: Final = 120_000  # of the whole run; a slow disk may take its time
_LOOK_MS: Final = 2
_NOTE: Final = "试记一次。"
_PLATFORM_SAYS: Final = ("This plugin does not support", "QFontDatabase: Cannot find font directory")
_TARGETS: Final = {"demand": ("demand_id", "demand"), "visits": ("household_id", "household")}

Script = Iterator[tuple[str, Callable[[], object]]]  # what is waited for, and how it is seen


def run_smoke(given: Path | None = None) -> int:
    """Open everything once in a throw-away home. 0 when all of it came out and nothing complained.

    A community's file that was installed, or is ``given``, must be one that the program takes.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["QT_ENABLE_HIGHDPI_SCALING"] = "0"
    from PySide6.QtCore import QtMsgType, qInstallMessageHandler
    from PySide6.QtWidgets import QApplication

    trouble: list[str] = []

    def heard(kind: QtMsgType, _: object, message: str | None) -> None:
        said = message or ""
        quiet = kind in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg)
        if not quiet and not any(known in said for known in _PLATFORM_SAYS):
            trouble.append(f"qt: {said}")

    def raised(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
        trouble.append(f"{kind.__name__}: {error}")

    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    before = sys.excepthook
    qInstallMessageHandler(heard)
    sys.excepthook = raised
    try:
        with tempfile.TemporaryDirectory(prefix="qiaomen-smoke-", ignore_cleanup_errors=True) as folder:
            _run(app, Path(folder), given, trouble)
    finally:
        sys.excepthook = before
        qInstallMessageHandler(None)
    for line in trouble:
        print(line, file=sys.stderr)
    return 1 if trouble else 0


def _run(app: "QApplication", folder: Path, given: Path | None, trouble: list[str]) -> None:
    from desktop.app import Application
    from desktop.community import Search
    from sync.domain import example

    search = Search.of_this_program(given=given, home=folder / "fresh")
    # What an administrator put on this PC may be old, or of a key that is gone: that is not the program's fault.
    search = replace(search, places=replace(search.places, site=folder / "none"))
    found = search.run()
    trouble += [f"{refusal.place}: {refusal.error.code} {refusal.error.params}" for refusal in found.refused]
    fresh = Application(app, search.paths(found.community_id), community=found, search=search)
    try:
        _play(app, _first_start(fresh), trouble)
    finally:
        fresh.stop()
        fresh.window.close()
    person = next(person for person in example.people("small") if person.key == "grid0")
    home = folder / "home"
    furnish(home, entrants=(Entrant(person, person.pin),))
    program = Application(app, Paths.for_home(home))
    program.hub.notice.connect(lambda notice: trouble.append(f"said: {notice.title}"))
    program.gate.failed.connect(lambda error: trouble.append(f"not let in: {error}"))
    try:
        _play(app, _working_day(program, person.account_id, person.pin), trouble)
    finally:
        program.stop()
        program.window.close()


def _first_start(program: "Application") -> Script:
    from desktop.lock import DataLock
    from desktop.pages.setup.page import SetupPage

    lock = DataLock(program.context.paths.lock_file)
    yield "a lock of one's own", lambda: lock.take(lambda: None)
    lock.release()
    import_module("desktop.printing.base")
    import_module("PySide6.QtPrintSupport")  # read only when somebody prints, and would be missed then
    program.start()
    yield "the set-up page", lambda: not program.tasks.pending and isinstance(program.window.gate, SetupPage)
    program.window.grab()
    preset = program.context.community.preset
    if preset is not None:
        yield "the community's name", lambda: preset.community.name in program.window.windowTitle()


def _working_day(program: "Application", account_id: str, pin: str) -> Script:
    from desktop import navigation
    from desktop.pages.visits.page import VisitPage

    program.start()
    yield "the unlock page", lambda: not program.tasks.pending
    program.window.grab()
    program.gate.enter(account_id, lambda: program.vault.unlock(account_id, pin))
    yield "work", lambda: program.window.at_work and not program.tasks.pending
    ids: dict[str, str] = {}
    program.tasks.read(None, _some_ids, ids.update)
    yield "the records", lambda: all(ids.values()) and ids
    for name in navigation.page_names():
        wanted, kind = _TARGETS.get(name, ("", ""))
        program.window.navigate(name, **({wanted: ids[kind]} if wanted else {}))
        yield f"the page {name}", lambda: not program.tasks.pending
        program.window.grab()
    program.window.navigate("visits", household_id=ids["household"])
    page = program.window.page("visits")
    assert isinstance(page, VisitPage)
    yield "the form of a visit", lambda: page.form.isVisible() and not program.tasks.pending
    page.form.outcome.set_value("met")
    page.form.note.set_text(_NOTE)
    page.save()
    yield "the visit is saved", lambda: page.undo_button.isVisible() and not program.tasks.pending
    found: list[int] = []
    program.tasks.read(None, _noted, found.append, key="noted")
    yield "the visit is in the file", lambda: found == [1]
    program.leave()
    yield "the screen is hidden", lambda: not program.window.at_work and not program.tasks.pending


def _some_ids(reader: "Reader") -> dict[str, str]:
    """A home that somebody lives in, and a matter."""
    one = {
        "household": "SELECT id FROM household WHERE occupancy = 'owner' LIMIT 1",
        "demand": "SELECT id FROM demand LIMIT 1",
    }
    return {kind: str(reader.db.conn.execute(sql).fetchone()[0]) for kind, sql in one.items()}


def _noted(reader: "Reader") -> int:
    return int(reader.db.conn.execute("SELECT count(*) FROM visit WHERE note = ?", (_NOTE,)).fetchone()[0])


def _play(app: "QApplication", script: Script, trouble: list[str]) -> None:
    """Go on with the script whenever what it waits for is so; trouble when it never is, or when a step fails."""
    from PySide6.QtCore import QTimer

    waiting: list[tuple[str, Callable[[], object]]] = [("the beginning", lambda: True)]

    def look() -> None:
        try:
            if waiting[0][1]():
                waiting[0] = next(script)
        except StopIteration:
            app.quit()
        if trouble:
            app.quit()

    def give_up() -> None:
        trouble.append(f"never: {waiting[0][0]}")
        app.quit()

    watch, alarm = QTimer(), QTimer()
    watch.timeout.connect(look)
    alarm.setSingleShot(True)
    alarm.timeout.connect(give_up)
    watch.start(_LOOK_MS)
    alarm.start(PATIENCE_MS)
    app.exec()
    watch.stop()
    alarm.stop()
