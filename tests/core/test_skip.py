"""No reader by cursor ever misses a row: sixteen writers against the feed, with a naive cursor beside it as control."""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, create_engine, text

from postgresql import PostgreSQL
from sync.domain.catalogue import KINDS
from sync.domain.ids import new_id, new_replica
from sync.domain.roles import Reach
from sync.server.runner import Runner
from sync.server.settings import Settings
from sync.server.storage import feed, shape
from sync.server.storage.batch import Batch

WRITERS = 16
READERS = 4  # one a stream, as a device each
SECONDS = 5.0
ROWS = 5  # a transaction
ROLLED_BACK = 0.05
LONGEST_S = 0.004  # between the last statement and the commit
COMMUNITY = "01890000-0000-7000-8000-000000000001"
BUILDINGS = [f"01890000-0000-7000-8000-00000000010{n}" for n in range(READERS)]


def _now() -> int:
    return time.time_ns() // 1_000_000


class Undone(Exception):
    """A transaction that is rolled back, as some are."""


@dataclass(slots=True)
class Count:
    """What the writers committed and what the readers met; each set belongs to one thread until it has ended."""

    committed: list[set[str]] = field(default_factory=lambda: [set() for _ in range(WRITERS)])
    seen: list[set[str]] = field(default_factory=lambda: [set() for _ in range(READERS)])
    naively_seen: set[str] = field(default_factory=set)

    @property
    def rows(self) -> set[str]:
        """Every row whose commit came back."""
        return set().union(*self.committed)

    @property
    def missed(self) -> set[str]:
        """Rows that are there and that no reader met, though its cursor is at the end."""
        return self.rows - set().union(*self.seen)

    @property
    def naively_missed(self) -> set[str]:
        """The same for the cursor over numbers that are taken before the commit."""
        return self.rows - self.naively_seen


class Race:
    """Writers and readers, all at once, through the server's own storage functions."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._replica = new_replica()
        self._written = threading.Event()
        self._never = threading.Event()  # a wait for it ends by time only
        self._count = Count()

    def run(self, seconds: float) -> Count:
        """Write for so long; the readers read at the same time, and once more when all is written."""
        with ThreadPoolExecutor(WRITERS + READERS + 1) as threads:
            readers = [threads.submit(asyncio.run, self._read(n)) for n in range(READERS)]
            readers.append(threads.submit(asyncio.run, self._read_naively()))
            until = time.monotonic() + seconds
            try:
                for writer in [threads.submit(self._write, n, until) for n in range(WRITERS)]:
                    writer.result()
            finally:
                self._written.set()
            for reader in readers:
                reader.result()
        return self._count

    def _write(self, number: int, until: float) -> None:
        rng = random.Random(number)
        while time.monotonic() < until:
            ids = [new_id(_now()) for _ in range(ROWS)]
            undone = rng.random() < ROLLED_BACK
            try:
                self._runner.write_now(self._transaction(ids, rng, undone=undone))
            except Undone:
                continue
            self._count.committed[number].update(ids)

    def _transaction(self, ids: list[str], rng: random.Random, *, undone: bool) -> Callable[[Connection], None]:
        building = rng.choice(BUILDINGS)
        wait_s = rng.uniform(0, LONGEST_S)

        def write(connection: Connection) -> None:
            connection.execute(text("INSERT INTO naive (id) VALUES (:id)"), [{"id": one} for one in ids])
            batch = Batch(connection, COMMUNITY, replica=self._replica, now=_now())
            batch.load(ids, lock=True)
            for record_id in ids:
                batch.write(KINDS["household"], record_id, {"building_id": building, "room_no": "101", "slot": 1})
            batch.finish()
            self._never.wait(wait_s)
            if undone:
                raise Undone

        return write

    async def _read(self, number: int) -> None:
        stream = f"building:{BUILDINGS[number]}"
        reach = Reach(streams=frozenset({stream}), prefixes=())
        cursors = {stream: 0}

        def page(connection: Connection) -> feed.Page:
            heads = feed.heads(connection, COMMUNITY, reach)
            return feed.page(connection, COMMUNITY, cursors, heads, limit=200, now=_now())

        last = False
        while not last:
            last = self._written.is_set()
            found = await self._runner.read(page)
            assert found.cursors.get(stream, 0) >= cursors[stream] or not found.cursors
            cursors.update(found.cursors)
            self._count.seen[number].update(row.id for row, _ in found.rows)
            last = last and not found.rows

    async def _read_naively(self) -> None:
        cursor = 0

        def after(connection: Connection) -> list[tuple[int, str]]:
            found = connection.execute(
                text("SELECT n, id FROM naive WHERE n > :after ORDER BY n LIMIT 500"), {"after": cursor}
            )
            return [(row.n, row.id) for row in found]

        last = False
        while not last:
            last = self._written.is_set()
            found = await self._runner.read(after)
            self._count.naively_seen.update(record_id for _, record_id in found)
            cursor = max((number for number, _ in found), default=cursor)
            last = last and not found


@contextmanager
def storage(database: str, folder: Path) -> Iterator[Runner]:
    """The server's own storage, and a scratch table beside it whose numbers are taken before the commit."""
    runner = Runner(Settings(data=folder, database=database, pool_size=WRITERS + READERS + 1))
    number = "bigserial" if database else "integer PRIMARY KEY AUTOINCREMENT"
    try:
        runner.write_now(shape.migrate)
        runner.write_now(lambda c: c.execute(text(f"CREATE TABLE naive (n {number}, id text NOT NULL)")))
        yield runner
    finally:
        runner.close()


def test_no_reader_misses_a_row(database: str, tmp_path: Path) -> None:
    with storage(database, tmp_path) as runner:
        count = Race(runner).run(SECONDS)
    assert len(count.rows) > WRITERS * ROWS
    assert count.missed == set()
    if database:
        # Many write at once, and a number taken early is committed late: the cursor has passed it by then.
        assert len(count.naively_missed) > 0
    else:
        # SQLite has one writer at a time: numbers become visible in order, and even this cursor is right there.
        assert count.naively_missed == set()


def test_the_naive_cursor_misses_what_is_committed_late(postgresql: PostgreSQL) -> None:
    """The control without chance: the first to take a number commits last."""
    engine = create_engine(postgresql.new_database())
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE naive (n bigserial, id text NOT NULL)"))
    take, after = text("INSERT INTO naive (id) VALUES (:id)"), text("SELECT n, id FROM naive WHERE n > :after")
    with engine.connect() as slow, engine.connect() as quick, engine.connect() as reader:
        slow.execute(take, {"id": "slow"})
        quick.execute(take, {"id": "quick"})
        quick.commit()
        first = reader.execute(after, {"after": 0}).all()
        reader.commit()
        slow.commit()
        second = reader.execute(after, {"after": first[-1].n}).all()
        everything = reader.execute(after, {"after": 0}).all()
    engine.dispose()
    assert [row.id for row in first] == ["quick"]
    assert second == []
    assert {row.id for row in everything} == {"slow", "quick"}


def test_positions_become_visible_in_their_order(postgresql: PostgreSQL, tmp_path: Path) -> None:
    """The same two transactions through the feed: the second waits for its position until the first has committed."""
    url = postgresql.new_database()
    stream = f"building:{BUILDINGS[0]}"
    blocked = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = :name")
    with storage(url, tmp_path) as runner, ThreadPoolExecutor(2) as threads:
        taken, may_commit = threading.Event(), threading.Event()
        ids = [new_id(_now()) for _ in range(2)]

        def write(connection: Connection, record_id: str) -> None:
            batch = Batch(connection, COMMUNITY, replica=1, now=_now())
            batch.load([record_id], lock=True)
            batch.write(KINDS["household"], record_id, {"building_id": BUILDINGS[0], "room_no": "101", "slot": 1})
            batch.finish()

        def slowly(connection: Connection) -> None:
            write(connection, ids[0])
            taken.set()
            assert may_commit.wait(30)

        def page(connection: Connection) -> feed.Page:
            heads = feed.heads(connection, COMMUNITY, Reach(streams=frozenset({stream}), prefixes=()))
            return feed.page(connection, COMMUNITY, {stream: 0}, heads, limit=10, now=_now())

        def waiting(connection: Connection) -> int:
            return int(connection.execute(blocked, {"name": url.partition("@/")[2].partition("?")[0]}).scalar_one())

        slow = threads.submit(runner.write_now, slowly)
        assert taken.wait(30)
        quick = threads.submit(runner.write_now, lambda c: write(c, ids[1]))
        while not asyncio.run(runner.read(waiting)):
            assert not quick.done()
        assert asyncio.run(runner.read(page)).rows == []
        may_commit.set()
        slow.result(30)
        quick.result(30)
        assert [(row.id, seq) for row, seq in asyncio.run(runner.read(page)).rows] == [(ids[0], 1), (ids[1], 2)]


def test_a_page_and_its_heads_are_of_one_moment(database: str, tmp_path: Path) -> None:
    """A row that changes between the two is on the page: a device at the head holds what the head counts.

    Found by killing: on PostgreSQL each statement saw a moment of its own, the row had moved behind the head, and a
    device that had missed nothing was told that its stream differs.
    """
    stream = f"building:{BUILDINGS[0]}"
    record_id = new_id(_now())
    with storage(database, tmp_path) as runner:

        def write(connection: Connection, room: str) -> None:
            batch = Batch(connection, COMMUNITY, replica=1, now=_now())
            batch.load([record_id], lock=True)
            batch.write(KINDS["household"], record_id, {"building_id": BUILDINGS[0], "room_no": room, "slot": 1})
            batch.finish()

        def page(connection: Connection) -> feed.Page:
            heads = feed.heads(connection, COMMUNITY, Reach(streams=frozenset({stream}), prefixes=()))
            runner.write_now(lambda c: write(c, "102"))  # somebody else, just then
            return feed.page(connection, COMMUNITY, {stream: 0}, heads, limit=10, now=_now())

        runner.write_now(lambda c: write(c, "101"))
        found = asyncio.run(runner.read(page))
    assert [(row.id, seq) for row, seq in found.rows] == [(record_id, 1)]
    assert found.cursors == {stream: 1}
