"""What is measured inside one process: saving, façades, recolouring, search, and the gaps on the UI thread."""

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from desktop.app import Application
from desktop.navigation import page_names
from desktop.pages.needs_map.page import NeedsMapPage
from desktop.paths import Paths
from desktop.vault import Vault
from sync.domain import example
from sync.domain.calendar import instant
from sync.domain.demands import DemandIntent
from sync.domain.roles import Viewer
from sync.domain.visit_facts import VisitIntent
from sync.store import needs_map, search, visits
from sync.store.store import Reader, Store
from tests.bench.probe import Probe

NOW = instant(f"{example.TODAY} 09:00")
SAVES = 200
OPENINGS = 40
RECOLOURINGS = 30
NAMES = 60  # people looked for, letter by letter
WALKS = 3
WAIT_MS = 60_000
_CELLS = {"facade_60": 60, "facade_272": 272}


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the results; ``ratio`` is to the bare window, where there is one."""

    name: str
    data: str
    p50: float
    p95: float
    unit: str = "ms"
    ratio: float | None = None

    def plain(self) -> dict[str, Any]:
        """As it goes into the JSON file."""
        return asdict(self)


def measure(name: str, data: str, times_ns: Sequence[int]) -> Measure:
    """Median and 95th percentile in ms."""
    ordered = sorted(times_ns)
    high = ordered[max(0, math.ceil(0.95 * len(ordered)) - 1)]
    return Measure(name, data, round(ordered[len(ordered) // 2] / 1e6, 2), round(high / 1e6, 2))


class Bench:
    """The program on one data folder, unlocked by whoever is asked for."""

    def __init__(self, app: QApplication, home: Path, size: example.Size) -> None:
        self.size = size
        self.program = Application(app, Paths.for_home(home), now=lambda: NOW)
        self.head = "head3" if size == "small" else "head1"
        self.people = {person.key: person for person in example.people(size)}
        self.program.window.resize(1366, 768)
        self.program.start()

    def close(self) -> None:
        """Save everything and take the program down."""
        self.program.window.close()
        self.program.stop()

    def sit(self, key: str) -> Viewer:
        """Somebody unlocks."""
        program = self.program
        if program.context.session.is_open:
            program.leave()
            self.settle()
        person = self.people[key]
        program.gate.enter(
            person.account_id, lambda: Vault(program.context.paths.data).unlock(person.account_id, person.pin)
        )
        self.until(lambda: program.window.at_work)
        self.settle()
        return program.context.session.viewer

    def until(self, holds: Callable[[], object]) -> None:
        """Let the program work until something holds; RuntimeError when it does not in a minute."""
        if holds():
            return
        loop, look, alarm = QEventLoop(), QTimer(), QTimer()
        look.timeout.connect(lambda: loop.exit(1) if holds() else None)
        alarm.setSingleShot(True)
        alarm.timeout.connect(loop.quit)
        look.start(0)
        alarm.start(WAIT_MS)
        if not loop.exec():  # what held once may be different again by now
            raise RuntimeError("the program does not get there")

    def settle(self) -> None:
        """Until every lane has answered."""
        self.until(lambda: not self.program.tasks.pending)

    # ------------------------------------------------------------------------------------------- the measures

    def save_visit(self) -> Measure:
        """From the UI thread to the disk and back: a visit with two demands."""
        viewer = self.sit(self.head)
        homes: list[str] = []
        self._read(
            lambda reader: reader.db.conn.execute(
                "SELECT id FROM household WHERE occupancy = 'owner'"
                " AND building_id IN (SELECT value FROM json_each(?))",
                [_json(viewer.buildings())],
            ).fetchall(),
            lambda rows: homes.extend(row[0] for row in rows),
        )
        times: list[int] = []
        for number in range(SAVES):
            intent = VisitIntent(
                household_id=homes[number % len(homes)],
                note="屋里只有15度，物业上周来看过没修好。",
                notice_given=True,
                demands=(
                    DemandIntent(category="02", title="暖气不热", signs=("outage",)),
                    DemandIntent(category="05", title="楼道堆物"),
                ),
            )
            times.append(self._write(lambda store, intent=intent: visits.record(store, viewer.account_id, intent)))
        return measure("save_visit", self.size, times)

    def facades(self) -> list[Measure]:
        """From the wish to see a building to its painted façade."""
        self.sit("branch")
        program = self.program
        program.window.navigate("needs_map")
        page = cast(NeedsMapPage, program.window.current)
        self.settle()
        counts: list[tuple[str, int]] = []
        self._read(
            lambda reader: reader.db.conn.execute(
                "SELECT building_id, count(*) FROM household GROUP BY building_id ORDER BY building_id"
            ).fetchall(),
            lambda rows: counts.extend((row[0], row[1]) for row in rows),
        )
        found = []
        for name, cells in _CELLS.items():
            building, n = min(counts, key=lambda row: abs(row[1] - cells))
            other = next(row[0] for row in counts if row[0] != building)
            if abs(n - cells) > cells // 5:
                continue  # the small community has no tower
            times = []
            for _ in range(OPENINGS):
                self._open(page, other)
                before = time.perf_counter_ns()
                self._open(page, building)
                times.append(time.perf_counter_ns() - before)
            found.append(measure(name, self.size, times))
        return found

    def recolour(self) -> Measure:
        """The whole compound coloured anew on the read lane."""
        viewer, rules = self.sit("branch"), self.program.context.rules
        times: list[int] = []

        def work(reader: Reader) -> int:
            place = needs_map.compounds(reader.db, viewer)[0]
            before = time.perf_counter_ns()
            needs_map.compound_snapshot(reader.db, viewer, place.compound_id, rules=rules, now=NOW)
            return time.perf_counter_ns() - before

        for _ in range(RECOLOURINGS):
            self._read(work, times.append)
        return measure("recolour", self.size, times)

    def search(self) -> Measure:
        """Each keystroke of looking for people by name, initials, phone tail and room."""
        viewer = self.sit("branch")
        rules = self.program.context.rules
        chance = random.Random(1)
        typed: list[str] = []

        def gather(reader: Reader) -> list[tuple[str, str, str]]:
            rows = reader.db.conn.execute(
                "SELECT r.name, r.phone, h.room_no FROM resident r JOIN household h ON h.id = r.household_id"
            ).fetchall()
            return [tuple(row) for row in chance.sample(rows, NAMES)]

        people: list[tuple[str, str, str]] = []
        self._read(gather, people.extend)
        for name, phone, room in people:
            for word in (name, next(iter(rules.pinyin.initials(name)), name), phone[-4:], room):
                typed += [word[: n + 1] for n in range(len(word))]
        times: list[int] = []

        def work(reader: Reader, text: str) -> int:
            before = time.perf_counter_ns()
            search.find(reader.db, viewer, text, limit=8)
            return time.perf_counter_ns() - before

        for text in typed:
            self._read(lambda reader, text=text: work(reader, text), times.append)
        return measure("search", self.size, times)

    def ui_gap(self) -> tuple[list[Measure], list[tuple[str, float]]]:
        """The longest time in which the UI thread heard nothing, page by page, twice over, for two people.

        The program is left alone first until it has read the code of its pages; that is an entry of the walk, too.
        The walk is made several times and each entry is its median gap. ``ui_gap`` counts of a gap what this program
        itself was busy for (all its threads, or the clock where that is less): its p50 is the median of the entries,
        its p95 the longest. ``ui_gap clock`` is the same by the clock, with what other programs took.
        """
        gaps: dict[str, list[tuple[float, float]]] = {}
        for _ in range(WALKS):
            for key in (self.head, "branch"):
                self._probed(gaps, f"unlocking, {key}", lambda key=key: self.sit(key))
                if not self.program.has_settled:
                    self._probed(gaps, "left alone", lambda: self.until(lambda: self.program.has_settled))
                for turn in ("first", "again"):
                    for name in page_names():
                        self._probed(gaps, f"{name}, {key}, {turn}", lambda name=name: self._visit(name))
        own = {name: _median([busy for busy, _ in found]) for name, found in gaps.items()}
        clock = [_median([wall for _, wall in found]) for found in gaps.values()]
        lines = [
            Measure("ui_gap", self.size, _median(list(own.values())), max(own.values())),
            Measure("ui_gap clock", self.size, _median(clock), max(clock)),
        ]
        return lines, sorted(own.items(), key=lambda entry: -entry[1])

    # ------------------------------------------------------------------------------------------- inside

    def _probed(self, gaps: dict[str, list[tuple[float, float]]], name: str, act: Callable[[], object]) -> None:
        probe = Probe()
        act()
        gaps.setdefault(name, []).append(probe.stop())

    def _visit(self, name: str) -> None:
        self.program.window.navigate(name)
        self.settle()
        self.program.window.repaint()
        self._breathe()

    def _breathe(self) -> None:
        loop = QEventLoop()
        QTimer.singleShot(60, loop.quit)
        loop.exec()

    def _open(self, page: NeedsMapPage, building_id: str) -> None:
        page.open(building_id=building_id)
        self.until(
            lambda: (
                page.reading is not None
                and page.reading.building is not None
                and page.reading.building.building_id == building_id
            )
        )
        page.facade.repaint()

    def _read(self, work: Callable[[Reader], Any], then: Callable[[Any], object]) -> None:
        done: list[bool] = []
        self.program.tasks.read(None, work, lambda found: (then(found), done.append(True)))
        self.until(lambda: done)

    def _write(self, work: Callable[[Store], Any]) -> int:
        """Save; the time from asking to having the answer here, in ns."""
        loop = QEventLoop()
        failed: list[Exception] = []
        before = time.perf_counter_ns()

        def wrong(error: Exception) -> None:
            failed.append(error)
            loop.quit()

        self.program.tasks.write(None, work, lambda _: loop.quit(), wrong)
        loop.exec()
        passed = time.perf_counter_ns() - before
        if failed:
            raise failed[0]
        self.settle()
        return passed


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _json(items: frozenset[str]) -> str:
    return "[" + ",".join(f'"{item}"' for item in sorted(items)) + "]"
