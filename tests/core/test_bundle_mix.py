"""Stick and line mixed in any order, old files and repeats included: all converges, nothing is lost or doubled."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from servers import Device, Server, running
from stations import Station, demand, visit
from sticks import Stick
from sync.domain.operations import new, patch
from sync.errors import BundleError, Offline
from sync.server.storage.history import EVERY_WRITE
from sync.store import outbox

KINDS = ("visit", "demand", "conflict")
WHO = st.integers(0, 1)
ANY = st.integers(0, 7)
STEPS = st.one_of(
    st.tuples(st.just("visit"), WHO),
    st.tuples(st.just("title"), WHO),
    st.tuples(st.just("refused"), WHO),
    st.tuples(st.just("line"), WHO),
    st.tuples(st.just("cut"), WHO),
    st.tuples(st.just("export"), WHO),
    st.tuples(st.just("export"), WHO),
    st.tuples(st.just("centre"), ANY),
    st.tuples(st.just("centre"), ANY),
    st.tuples(st.just("import"), ANY),
    st.tuples(st.just("import"), ANY),
    st.tuples(st.just("later"), ANY),
)


@dataclass(slots=True)
class Site:
    """One server for all walks; each has two stations of its own."""

    server: Server
    secretary: Device
    folder: Path
    walks: "count[int]" = field(default_factory=count)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with running(folder / "server") as server:
        secretary = server.enrol(server.first_code())
        server.furnish(secretary)
        yield Site(server, secretary, folder)


class Walk:
    """Two grid workers of one compound, a box of sticks, and a road to the centre."""

    def __init__(self, site: Site) -> None:
        self.server = site.server
        folder = site.folder / f"walk-{next(site.walks)}"
        folder.mkdir()
        self.stick = Stick(folder / "stick", site.server)
        self.stations = [
            Station.enrolled(
                site.server,
                folder,
                site.server.invite(site.secretary, "grid_worker", "compound", "compound"),
                name=name,
            )
            for name in ("a", "b")
        ]
        self.ups: list[Path] = []
        self.downs: list[tuple[int, Path]] = []
        self.owners: dict[Path, int] = {}
        self.marks: list[str] = []
        self._salt = folder.name
        for station in self.stations:
            station.sync()
        self.shared = demand(self.server, self.stations[0])
        self.save(0, self.shared)
        for station in (*self.stations, *self.stations):
            station.sync()

    def mark(self) -> str:
        self.marks.append(f"{self._salt}.{len(self.marks)}.")
        return self.marks[-1]

    def save(self, who: int, *operations: object) -> None:
        self.stations[who].save(list(operations))  # type: ignore[arg-type]

    def step(self, what: str, which: int) -> None:
        """One thing happens."""
        if what == "visit":
            self.save(which, visit(self.server, self.stations[which], note=self.mark()))
        elif what == "title":
            self.save(which, patch("demand", self.shared.id, title=self.mark()))
        elif what == "refused":
            # A household that the server does not know: always refused, nothing else depends on it.
            station = self.stations[which]
            known = visit(self.server, station, note=self.mark())
            self.save(which, new("visit", known.id, **{**known.fields, "outcome": "met"}))
            self.save(which, patch("demand", self.shared.id, state="archived"))
        elif what == "line":
            self.stations[which].sync()
        elif what == "cut":
            station = self.stations[which]
            station.line.mishaps[:] = ["", "reply_lost"]
            try:
                station.sync()
            except Offline:
                pass
            station.line.mishaps.clear()
        elif what == "export":
            path = self.stick.export(self.stations[which])
            self.ups.append(path)
            self.owners[path] = which
        elif what == "centre" and self.ups:
            path = self.ups[which % len(self.ups)]
            self.downs.append((self.owners[path], self.stick.centre(path)[0]))
        elif what == "import" and self.downs:
            owner, path = self.downs[which % len(self.downs)]
            self.stick.import_(self.stations[owner], path)
            with pytest.raises(BundleError, match="bundle_other_pc"):
                self.stick.import_(self.stations[1 - owner], path)
        elif what == "later":
            self.server.clock.now += 60_000 * (which + 1)

    def settle(self, *, by_stick: bool) -> None:
        """In step at last, by one way or the other."""
        for _ in range(8):
            moved = 0
            for station in self.stations:
                if by_stick:
                    brought = self.stick.round(station)
                    moved += brought.accepted + brought.refused + brought.received
                else:
                    outcome = station.sync()
                    moved += outcome.pushed + outcome.refused + outcome.pulled
            if not moved:
                return
        pytest.fail("never in step")

    def check(self) -> None:
        """Both hold what the server holds; every mark is in the history once, or refused and kept."""
        first, second = self.stations
        for kind in KINDS:
            assert first.rows(kind) == second.rows(kind)
        fields = self.server.service._runner.write_now(_history)
        names = [station.store.replica for station in self.stations]
        kept = Counter[str]()
        for station in self.stations:
            assert outbox.pending_counts(station.store.db).unsent == 0
            assert not station.store.state.sweeping
            for (body,) in station.store.db.conn.execute("SELECT body FROM quarantine"):
                kept.update(mark for mark in self.marks if mark in bytes(body).decode())
        for mark in self.marks:
            assert sum(mark in one for dev, one in fields if dev in names) + kept[mark] == 1, mark
        for station in self.stations:
            (state,) = station.store.db.conn.execute(
                "SELECT state FROM demand WHERE id = ?", (self.shared.id,)
            ).fetchone()
            assert state != "archived"
            station.store.close()


def _history(connection: Connection) -> list[tuple[int, str]]:
    found = connection.execute(text(f"SELECT dev, fields FROM ({EVERY_WRITE}) AS h"))
    return [(row.dev, row.fields) for row in found]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(steps=st.lists(STEPS, min_size=4, max_size=22), by_stick=st.booleans(), small=st.booleans())
def test_any_mixture_converges(site: Site, steps: list[tuple[str, int]], by_stick: bool, small: bool) -> None:
    walk = Walk(site)
    if small:
        walk.stick.limits = outbox.Limits(operations=1)
    for what, which in steps:
        walk.step(what, which)
    walk.settle(by_stick=by_stick)
    walk.check()
