"""The tour: drives the real window through the main job with real keys and clicks, and leaves numbered pictures."""

import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.paths import Paths, resources
from desktop.rehearsal.letting_in import Entrant, enrol
from desktop.rehearsal.local_server import LocalServer, has_display
from desktop.vault import Vault
from sync.domain import example
from sync.domain.calendar import instant
from sync.domain.rules import Rules, load_rules

if TYPE_CHECKING:
    from desktop.rehearsal.stage import Stage

DEFAULT_FOLDER = Path("build/tour")
MORNING = f"{example.TODAY} 09:00"
LEAST_PICTURES = 14

log = logging.getLogger(__name__)


def run_tour(folder: Path) -> int:
    """Do the tour; pictures and ``tour.log`` go to ``folder``, which is emptied first. 0 when every step came out."""
    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["QT_ENABLE_HIGHDPI_SCALING"] = "0"  # a picture is as large as its window, on any screen
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.png"), *folder.glob("*.pdf"), *folder.glob("tour.log")):
        old.unlink()
    handler = logging.FileHandler(folder / "tour.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        return _run(folder)
    finally:
        log.removeHandler(handler)
        handler.close()


def _run(folder: Path) -> int:
    from PySide6.QtWidgets import QApplication

    from desktop.app import Application
    from desktop.rehearsal.hands import Hands
    from desktop.rehearsal.moves import FileAnswers
    from desktop.rehearsal.stage import Line, Stage
    from desktop.rehearsal.steps import STEPS

    qapp = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(qapp, QApplication)
    began, morning = time.monotonic_ns(), instant(MORNING)
    rules = load_rules(resources())

    def now() -> int:
        return morning + (time.monotonic_ns() - began) // 1_000_000

    with ExitStack() as stack:
        home = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="qiaomen-tour-", ignore_cleanup_errors=True))
        )
        server = stack.enter_context(LocalServer(home / "server", pretend_now=MORNING))
        line = Line(server)
        programs: list[Application] = []

        def make(at: Path) -> Application:
            program = Application(
                qapp, Paths.for_home(at), now=now, ask=FileAnswers(folder), connect=line.connect, rules=rules
            )
            programs.append(program)
            stack.callback(program.stop)
            program.start()
            return program

        server.wait()
        _enrol_all(home / "first", server, rules, now)
        stage = Stage(folder, home, line, rules, now, Hands(make(home / "first"), folder), make, programs)
        stage.hands.front()
        for number, (name, step) in enumerate(STEPS, 1):
            if not _do(stage, number, name, step):
                return 1
        for program in programs:
            program.window.close()
    pictures = len(list(folder.glob("*.png")))
    _say(f"{pictures} pictures in {folder}")
    return 0 if pictures >= LEAST_PICTURES else 1


def _do(stage: "Stage", number: int, name: str, step: Callable[["Stage"], None]) -> bool:
    """One step; whatever goes wrong leaves a picture of where it went wrong."""
    from desktop.rehearsal.hands import TourFailure

    started = time.monotonic()
    is_done = False
    try:
        step(stage)
        is_done = True
    except TourFailure as error:
        _say(f"{number:02} FAILED  {name}: {error}")
        return False
    finally:
        if not is_done:
            for place, program in enumerate(stage.programs, 1):
                program.window.grab().save(str(stage.folder / f"failed-{place}.png"))
    _say(f"{number:02} ok  {time.monotonic() - started:5.1f} s  {name}")
    return True


def _enrol_all(home: Path, server: LocalServer, rules: Rules, now: Callable[[], int]) -> None:
    """The station's PC with all those on it whom the branch secretary may let in, in the order of the staff list."""
    from desktop.rehearsal.stage import PIN

    paths = Paths.for_home(home)
    paths.ensure()
    staff = [Entrant(person, person.pin or PIN) for person in example.people("small") if person.key != "secretary"]
    enrol(Vault(paths.data), server, staff, rules=rules, now=now)


def _say(text: str) -> None:
    log.info(text)
    print(text, flush=True)
