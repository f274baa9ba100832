"""What every history begins with: one running server of an engine, a community in it, and PCs enrolled there.

All is made once; a history starts with the tables of the server put back and the files of the PCs copied: milliseconds.
"""

import asyncio
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx
from sqlalchemy import Connection, Engine, Table, delete, event, insert, select, text

from direct import AtOnce, Direct
from servers import START, Device, Server, ServerClock, running
from stations import Station, demand, visit
from sync.domain import ids
from sync.domain.calendar import DAY, day_of
from sync.domain.ids import new_id
from sync.domain.merge import Row
from sync.domain.operations import new
from sync.domain.roles import Reach
from sync.keys.signatures import KeyPair
from sync.server import housekeeping
from sync.server.storage import epochs, schema
from sync.server.storage.history import EVERY_WRITE
from sync.server.storage.records import COLUMNS, row_of
from sync.server.storage.rights import RightsCache, reach_of
from sync.store import portions

T = TypeVar("T")

# PC → the posts of the people who work at it: role, kind of area, area.
PCS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "grid": (("grid_worker", "compound", "compound"),),
    "heads": (("building_head", "building", "b1"), ("building_head", "building", "b2")),
    "office": (("station_staff", "compound", "compound"), ("mediator", "compound", "compound")),
}


_ROOM = 10  # two rows that can be searched, or five others, are one transaction of a pull


class Chance:
    """Stands in for the module ``secrets`` where ids are made, so that a history can be played again."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = random.Random(seed)

    def randbits(self, bits: int) -> int:
        """So many bits."""
        return self._rng.getrandbits(bits)


@dataclass(frozen=True, slots=True)
class Copy:
    """The server's tables as they were at one moment."""

    tables: Sequence[tuple[Table, Sequence[dict[str, Any]]]]

    def of(self, table: Table) -> Sequence[dict[str, Any]]:
        """The rows of one table."""
        return next(rows for known, rows in self.tables if known is table)


class ServerDied(Exception):
    """The server stopped before a statement, and its transaction with it."""


@dataclass(slots=True)
class Dying:
    """How many more statements the server makes before it stops; None: it lives."""

    left: int | None = None


@dataclass(slots=True)
class Pc:
    """An enrolled PC whose file waits to be copied."""

    path: Path
    key: KeyPair


@dataclass(slots=True)
class Ground:
    """A server with its beginning, and the PCs of its people."""

    server: Server
    secretary: Device
    folder: Path
    beginning: Copy = field(default_factory=lambda: Copy(()))
    pcs: dict[str, Pc] = field(default_factory=dict)
    accounts: dict[str, tuple[str, ...]] = field(default_factory=dict)  # PC → the people who work there
    dying: Dying = field(default_factory=Dying)
    direct: Direct | None = None

    @property
    def clock(self) -> ServerClock:
        """The server's clock, which is right by definition."""
        return self.server.clock

    def post(self, path: str, *, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """One request to the running application."""
        if self.direct is None:
            return self.server.http.post(path, content=content, headers=dict(headers))
        return self.direct.post(path, content=content, headers=headers)

    def start(self, seed: int = 0) -> None:
        """Everything as at the beginning."""
        vars(ids)["secrets"] = Chance(seed + 1)
        self.clock.now = START
        self.put_back(self.beginning)

    def write(self, function: Any) -> Any:
        """A storage function in a transaction of its own."""
        return self.server.service._runner.write_now(function)

    def copy(self) -> Copy:
        """The tables as they are."""

        def read(connection: Connection) -> Copy:
            return Copy(
                [
                    (table, [dict(row._mapping) for row in connection.execute(select(table))])
                    for table in schema.metadata.sorted_tables
                ]
            )

        return cast("Copy", self.write(read))

    def put_back(self, copy: Copy) -> None:
        """The tables as they were, as a backup of the disk puts them back: the server is not told."""

        def write(connection: Connection) -> None:
            for table, _ in reversed(copy.tables):
                connection.execute(delete(table))
            for table, rows in copy.tables:
                if rows:
                    connection.execute(insert(table), list(rows))

        self.write(write)
        self.forget()

    def months_pass(self, days: int) -> Counter[str]:
        """So much time, and the server removes what is kept no longer, a day after it has raised the floors."""
        service = self.server.service
        counts: Counter[str] = Counter()
        for passed in (days, 2):
            self.clock.now += passed * DAY
            replica, now = service.identity.replica, self.clock.now
            counts += asyncio.run(housekeeping.purge(service._runner, self.server.community, replica=replica, now=now))
        return counts

    def forget(self) -> None:
        """What the process remembers of its database is gone, as after a start."""
        self.server.service._rights.forget()

    def restore(self, copy: Copy) -> None:
        """The tables as they were, by the restore command: another epoch begins."""
        self.put_back(copy)
        self.write(lambda connection: epochs.begin_anew(connection, now=self.clock.now))

    def may_read(self, accounts: Iterable[str]) -> Reach:
        """The streams that these people together may read now."""

        def read(connection: Connection) -> Reach:
            community, today = self.server.community, day_of(self.clock.now)
            rights = RightsCache().of(connection, community)
            return reach_of(connection, community, rights, accounts, today=today)

        return cast("Reach", self.write(read))

    def epoch(self) -> str:
        """This life of the server's data."""
        return next(str(line.value) for line in self.table("meta") if line.key == "epoch")

    def rows(self) -> dict[str, Row]:
        """All records by id."""

        def read(connection: Connection) -> dict[str, Row]:
            return {row.id: row_of(row) for row in connection.execute(text(f"SELECT {COLUMNS} FROM record"))}

        return cast("dict[str, Row]", self.write(read))

    def table(self, name: str) -> list[Any]:
        """All rows of a table; of the history those that records still hold, too."""
        source = f"({EVERY_WRITE}) AS history" if name == "history" else name
        return cast("list[Any]", self.write(lambda c: c.execute(text(f"SELECT * FROM {source}")).all()))


def _listen(engine: Engine, dying: Dying) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def _count(*_: Any) -> None:
        if dying.left is None:
            return
        dying.left -= 1
        if dying.left < 0:
            raise ServerDied


@contextmanager
def grounds(folder: Path, *, database: str = "") -> Iterator[Ground]:
    """The ground of one engine: '' for SQLite in ``folder``, else a URL of an empty database."""
    known = vars(ids)["secrets"], vars(portions)["ROOM"]
    # The few rows of a history come in several portions as well.
    vars(ids)["secrets"], vars(portions)["ROOM"] = Chance(), _ROOM
    try:
        with running(folder / "server", database=database, community_code="370812001017") as server:
            secretary = server.enrol(server.first_code())
            server.furnish(secretary)
            ground = Ground(server, secretary, folder)
            _listen(server.service._runner._writer, ground.dying)
            stations = {name: _enrolled(ground, name, posts) for name, posts in PCS.items()}
            _settle_in(server, stations["grid"])
            for name, station in stations.items():
                station.sync()
                ground.pcs[name] = _laid_by(station, ground.folder / f"{name}.template")
            ground.beginning = ground.copy()
            with _without_threads(ground):
                yield ground
    finally:
        vars(ids)["secrets"], vars(portions)["ROOM"] = known


@contextmanager
def _without_threads(ground: Ground) -> Iterator[None]:
    """One request at a time needs no threads; their turns would take most of a history's time."""
    runner = ground.server.service._runner
    threads = runner._write_threads, runner._read_threads
    ground.direct = Direct(ground.server.app)
    runner._write_threads = runner._read_threads = cast("Any", AtOnce())
    try:
        yield
    finally:
        runner._write_threads, runner._read_threads = threads
        ground.direct.close()


@contextmanager
def in_memory() -> Iterator[Path]:
    """A temporary folder where a disk that is slow to sync costs nothing, if the system has one."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


def _enrolled(ground: Ground, name: str, posts: Sequence[tuple[str, str, str]]) -> Station:
    codes = [ground.server.invite(ground.secretary, *post) for post in posts]
    station = Station.enrolled(ground.server, ground.folder, codes[0], name=name)
    ground.accounts[name] = (station.account, *(station.let_in(code) for code in codes[1:]))
    station.sync()
    return station


def _settle_in(server: Server, station: Station) -> None:
    """Something of most kinds is there from the beginning, so that people meet over it."""
    for home in ("b1-101", "b2-101"):
        place = {"household_id": server.places[home], "building_id": server.places[home.partition("-")[0]]}
        station.save([visit(server, station, home), demand(server, station, home)])
        station.save([new("resident", new_id(server.clock()), **place, name="张三")])
    quarrel = {"compound_id": server.places["compound"], "title": "楼道堆物", "noticed_on": "2026-11-20"}
    station.save([new("dispute", new_id(server.clock()), **quarrel, noticed_by=station.account)])
    station.sync()


def _laid_by(station: Station, path: Path) -> Pc:
    station.store.close()
    shutil.move(station.store.path, path)
    return Pc(path, station.key)
