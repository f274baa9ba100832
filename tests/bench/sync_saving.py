"""Saving while 20,000 rows are pulled: the real program without a screen, its agent syncing, visit after visit."""

import argparse
import gc
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from desktop.app import Application
from desktop.enrolling import set_up
from desktop.paths import Paths
from desktop.sync_status import Phase
from desktop.vault import Colleague, Profile, Vault
from sync import wire
from sync.domain.ids import new_id
from sync.domain.operations import new
from sync.domain.rules import load_rules
from sync.domain.visit_facts import VisitIntent
from sync.store import visits
from sync.store.store import Store, wall_ms
from tests.bench.probe import Probe
from tests.bench.sync_site import ROOT, Site, site
from tests.bench.sync_workload import generate, places_of, visit

PIN = "246802"
PAUSE_MS = 20  # between two visits; nobody types as fast
WAIT_MS = 180_000


class Desk:
    """The program on a PC of the site's community, unlocked."""

    def __init__(self, app: QApplication, made: Site, home: Path) -> None:
        paths = Paths.for_home(home)
        paths.ensure()
        vault, account = Vault(paths.data), new_id(wall_ms())
        wish = wire.GrantWish(role="grid_worker", scope_kind="compound", scope_id=made.compound)
        code = made.secretary.api.add_person(
            wire.AddPerson(by=made.secretary.account, account=account, name="张磊", grants=[wish])
        ).code
        rules = load_rules(ROOT / "resources")
        done = set_up(vault, server_url=made.url, code=code, pin=PIN, rules=rules, wall=wall_ms)
        person = Colleague(account_id=account, name="张磊", title="网格员")
        community = made.secretary.store.community_id
        vault.keep_profile(Profile(community_id=community, community_name="示范社区", people=(person,)))
        self.account = done.account_id
        self.program = Application(app, paths)
        self.program.window.resize(1366, 768)
        self.program.start()
        self.program.gate.enter(account, lambda: vault.unlock(account, PIN))
        self.until(lambda: self.program.window.at_work and self.program.has_settled)
        self.until(lambda: not self.program.tasks.pending)
        self.program.agent.pause()  # until it is asked

    def until(self, holds: Callable[[], object]) -> None:
        """Let the program work until something holds; RuntimeError when it does not."""
        loop, look, alarm = QEventLoop(), QTimer(), QTimer()
        look.timeout.connect(lambda: loop.exit(1) if holds() else None)
        alarm.setSingleShot(True)
        alarm.timeout.connect(loop.quit)
        look.start(2)
        alarm.start(WAIT_MS)
        if not holds() and not loop.exec():
            raise RuntimeError("the program does not get there")

    def save(self, household: str) -> float:
        """One visit with its note, from the UI thread to the disk and back; ms."""
        intent = VisitIntent(household_id=household, note="屋里只有15度，物业上周来看过没修好。", notice_given=True)
        answered: list[object] = []

        def work(store: Store) -> Any:
            return visits.record(store, self.account, intent)

        before = time.perf_counter()
        self.program.tasks.write(None, work, answered.append, answered.append)
        self.until(lambda: answered)
        took = (time.perf_counter() - before) * 1000
        if isinstance(answered[0], Exception):
            raise answered[0]
        return took

    def pause(self) -> None:
        """As a person does between two doors, only shorter."""
        loop = QEventLoop()
        QTimer.singleShot(PAUSE_MS, loop.quit)
        loop.exec()


def measure(app: QApplication, made: Site, folder: Path, *, count: int) -> list[dict[str, Any]]:
    """Saving with nothing going on, then while so many rows are pulled."""
    desk = Desk(app, made, folder / "home")
    _visits_of_another(made, count)
    gc.collect()  # what it took to make them is no part of the program
    homes = [household for household, _ in made.homes]
    rows = [_row("saving alone", [desk.save(home) for home in homes[:100]], gap=0.0, busy=0.0, wall=0.0)]
    agent = desk.program.agent
    began, probe, times = time.perf_counter(), Probe(), []
    agent.sync_now()
    while agent.status.phase is Phase.SYNCING:
        times.append(desk.save(homes[100 + len(times) % 2000]))
        desk.pause()
    busy, gap = probe.stop()
    rows.append(_row("saving while pulling", times, gap=gap, busy=busy, wall=time.perf_counter() - began))
    desk.program.window.close()
    desk.program.stop()
    return rows


def _visits_of_another(made: Site, count: int) -> None:
    first = made.station("first")
    first.sync()
    records = generate(count, 1)[0]
    places = places_of(records, made.homes)
    act = first.store.act(first.account)
    for at in range(0, count, 2000):
        operations = [
            new("visit", new_id(wall_ms()), **visit(one, place=places[one["household_id"]], author=first.account))
            for one in records[at : at + 2000]
        ]
        first.store.save(act, operations)
    first.sync()
    first.close()


def _row(name: str, times: list[float], *, gap: float, busy: float, wall: float) -> dict[str, Any]:
    ordered = sorted(times)

    def at(part: float) -> float:
        return round(ordered[max(0, math.ceil(part * len(ordered)) - 1)], 1)

    return {
        "peer": "qiaomen",
        "phase": name,
        "s": round(wall, 2),
        "saved": len(times),
        "p50_ms": at(0.5),
        "p99_ms": at(0.99),
        "longest_ms": at(1.0),
        "gap_ms": busy,
        "gap_clock_ms": gap,
        "load1": round(os.getloadavg()[0], 2),
    }


def main() -> int:
    """Measure once; the rows are appended to a file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--postmaster", type=int, required=True, help="not needed here")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    gc.disable()  # as the program's start does; it puts it on again when it has settled
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory(prefix="saving-") as name:
        folder = Path(name)
        with site(folder, database=given.database) as made:
            rows = measure(app, made, folder, count=given.rows)
    with given.out.open("a", encoding="utf-8") as out:
        for row in rows:
            print(json.dumps(row))
            out.write(json.dumps(row) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
