"""Random walks of two stations and a server: bad lines, wrong clocks, moves, deletions, old copies, rights that go.

At the end all are in step: each station holds exactly the server's rows of what it may read, and whatever anybody wrote
is in the server's history or in a quarantine.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from servers import Device, Server, ServerClock, running
from stations import Station, demand, visit
from sync.domain.calendar import DAY, HOUR
from sync.domain.catalogue import KINDS
from sync.domain.ids import new_id
from sync.domain.merge import Row
from sync.domain.operations import Operation, delete, new, patch
from sync.errors import AccessError, Offline, RuleError, ServerTrouble
from sync.server.storage.batch import Batch
from sync.server.storage.history import EVERY_WRITE
from sync.server.storage.records import COLUMNS, row_of
from sync.store import outbox, schema, unsent

STEPS = 40
HOMES = ("b1-101", "b1-102", "b2-101", "b2-102", "b3-101")
MISHAPS = ("", "", "", "no_line", "reply_lost", "reply_lost", "status 503")
CHANGES = (
    *(("visit", "note"), ("demand", "title"), ("demand", "details"), ("demand", "move")),
    ("household", "contact_name"),
)
AHEAD_MS = (0, 0, 0, 2 * HOUR, -2 * HOUR, 400 * DAY, -400 * DAY, 3 * 60_000)


class Walk:
    """A grid worker's PC, a PC of two heads, and what happens to them."""

    def __init__(self, server: Server, secretary: Device, folder: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.server = server
        self.secretary = secretary
        self.marks: list[str] = []
        grid = server.invite(secretary, "grid_worker", "compound", "compound")
        self.grid = Station.enrolled(server, folder, grid, name="grid")
        head = server.invite(secretary, "building_head", "building", "b1")
        self.heads = Station.enrolled(server, folder, head, name="heads")
        self.other_head = self.heads.let_in(server.invite(secretary, "building_head", "building", "b2"))
        self.stations = (self.grid, self.heads)
        for station in self.stations:
            station.sync()

    def step(self) -> None:
        """One thing happens."""
        station = self.rng.choice(self.stations)
        doings = [self._write] * 6 + [self._sync] * 3 + [self._jump, self._copy, self._give_and_take]
        self.rng.choice(doings)(station)
        self.server.clock.now += self.rng.randrange(0, 5 * 60_000)

    def settle(self) -> None:
        """Clocks are right, the line holds: sync until nothing moves any more."""
        for station in self.stations:
            _set_clock(station, self.server.clock, 0)
            station.line.mishaps.clear()
        for _ in range(8):
            outcomes = [station.sync() for station in self.stations]
            if not any(outcome.pushed or outcome.pulled for outcome in outcomes):
                return
        pytest.fail("never in step")

    def close(self) -> None:
        """Close the files."""
        for station in self.stations:
            station.store.close()

    def _mark(self) -> str:
        self.marks.append(f"m{len(self.marks)}.")
        return self.marks[-1]

    def _write(self, station: Station) -> None:
        account = self.rng.choice([station.account, self.other_head] if station is self.heads else [station.account])
        before = len(self.marks)
        doings = [self._new_visit, self._new_demand, self._change, self._change, self._delete]
        made = [_signed(operation, account) for operation in self.rng.choice(doings)(station)]
        try:
            station.save(made, account=account)
        except (RuleError, AccessError):
            del self.marks[before:]  # the form stays open: nothing was promised

    def _new_visit(self, station: Station) -> list[Operation]:
        return [visit(self.server, station, self.rng.choice(HOMES), note=self._mark())]

    def _new_demand(self, station: Station) -> list[Operation]:
        made = demand(self.server, station, self.rng.choice(HOMES), title=self._mark())
        step = new("demand_event", new_id(station.clock()), demand_id=made.id, note=self._mark(), by=station.account)
        return [made, step]

    def _change(self, station: Station) -> list[Operation]:
        kind, field = self.rng.choice(CHANGES)
        known = self._any(station, kind)
        if not known:
            return []
        if field == "move":
            name = self.rng.choice(HOMES)
            home, building = self.server.places[name], self.server.places[name.partition("-")[0]]
            step = new("demand_event", new_id(station.clock()), demand_id=known, note=self._mark(), by=station.account)
            return [patch("demand", known, building_id=building, household_id=home, scope_id=home), step]
        return [patch(kind, known, **{field: self._mark()})]

    def _delete(self, station: Station) -> list[Operation]:
        kind = self.rng.choice(["visit", "demand"])
        known = self._any(station, kind)
        return [delete(kind, known)] if known else []

    def _any(self, station: Station, kind: str) -> str:
        rows = station.store.db.conn.execute(f"SELECT id FROM {kind} WHERE deleted = 0 ORDER BY id")
        found = [row[0] for row in rows]
        return self.rng.choice(found) if found else ""

    def _sync(self, station: Station) -> None:
        station.line.mishaps[:] = [self.rng.choice(MISHAPS) for _ in range(self.rng.randrange(4))]
        try:
            station.sync()
        except (Offline, ServerTrouble):
            assert station.store.db.conn.in_transaction is False
        station.line.mishaps.clear()

    def _jump(self, station: Station) -> None:
        _set_clock(station, self.server.clock, self.rng.choice(AHEAD_MS))

    def _copy(self, station: Station) -> None:
        """The file is put back from an older copy, as far as the numbers of batches go."""
        if self.rng.random() < 0.5 and station.store.state.batch:
            station.store.set_state(batch=station.store.state.batch - 1)

    def _give_and_take(self, _: Station) -> None:
        """The second head loses the building, or gets it back."""
        grants = [row for row in _server_rows(self.server).values() if row.kind == "grant"]
        (grant,) = [row for row in grants if row.values["account_id"] == self.other_head]
        until = None if grant.values["valid_to"] else "2020-01-01"

        def write(connection: Connection) -> None:
            service = self.server.service
            batch = Batch(
                connection, self.server.community, replica=service.identity.replica, now=self.server.clock.now
            )
            batch.load([grant.id], lock=True)
            batch.write(KINDS["grant"], grant.id, {"valid_to": until})
            batch.finish()

        self.server.service._runner.write_now(write)


def _signed(operation: Operation, account: str) -> Operation:
    for name in ("recorded_by", "by"):
        if name in operation.fields:
            operation.fields[name] = account
    return operation


def _set_clock(station: Station, clock: ServerClock, ahead_ms: int) -> None:
    def wall() -> int:
        return clock() + ahead_ms

    station.clock = wall  # type: ignore[assignment]
    station.store._wall = wall


def _server_rows(server: Server) -> dict[str, Row]:
    with server.service._runner._reader.begin() as connection:
        return {row.id: row_of(row) for row in connection.execute(text(f"SELECT {COLUMNS} FROM record"))}


def _history(server: Server) -> str:
    with server.service._runner._reader.begin() as connection:
        return "\n".join(row[0] for row in connection.execute(text(f"SELECT fields FROM ({EVERY_WRITE}) AS h")))


def _seen(row: Row) -> tuple[object, ...]:
    clocks = {register: tuple(row.clock_of(register)) for register in KINDS[row.kind].registers}
    return row.stream, row.deleted, dict(sorted(row.values.items())), clocks


@pytest.fixture
def one_server(tmp_path: Path) -> Iterator[Server]:
    """A server on SQLite: the walk is about the stations."""
    with running(tmp_path / "server", database="", community_code="370812001017") as made:
        yield made


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_all_are_in_step_and_nothing_is_lost(one_server: Server, tmp_path: Path, seed: int) -> None:
    secretary = one_server.enrol(one_server.first_code())
    one_server.furnish(secretary)
    walk = Walk(one_server, secretary, tmp_path, seed)
    for _ in range(STEPS):
        walk.step()
    walk.settle()
    rows = _server_rows(one_server)
    kept = _history(one_server)
    for station in walk.stations:
        db = station.store.db
        assert unsent.lines(db) == []
        readable = {line[0] for line in db.conn.execute("SELECT stream FROM cursor")}
        here = {}
        for kind in KINDS:
            ids = [line[0] for line in db.conn.execute(f'SELECT id FROM "{kind}"')]
            here |= schema.load(db, kind, ids)
        there = {row.id: row for row in rows.values() if row.stream in readable}
        assert here.keys() == there.keys()
        for record_id, row in here.items():
            assert _seen(row) == _seen(there[record_id])
        kept += "\n".join(str(line[0]) for line in db.conn.execute("SELECT body FROM quarantine"))
        codes = {line[0] for line in db.conn.execute("SELECT code FROM quarantine")}
        assert codes <= {"out_of_scope", "unknown_record", "parent_missing"}
    assert [mark for mark in walk.marks if mark not in kept] == []
    assert outbox.pending_counts(walk.grid.store.db).unsent == 0
    walk.close()
