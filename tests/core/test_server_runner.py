"""Writes that wait are committed together on SQLite; one that fails does not take others along."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError

from postgresql import PostgreSQL
from sync.server.runner import Raced, Runner
from sync.server.settings import Settings

Function = Callable[[Connection], Any]


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """A runner on an empty SQLite file with one table."""
    made = Runner(Settings(data=tmp_path))
    made.write_now(lambda c: c.execute(text("CREATE TABLE made (n INTEGER PRIMARY KEY)")))
    yield made
    made.close()


def add(number: int) -> Function:
    """A function that writes one row, and gives the number of rows that it sees then."""

    def write(connection: Connection) -> int:
        connection.execute(text("INSERT INTO made VALUES (:n)"), {"n": number})
        count: int = connection.execute(text("SELECT count(*) FROM made")).scalar_one()
        return count

    return write


def numbers(runner: Runner) -> list[int]:
    """What is committed, as a reader sees it."""
    with runner._reader.begin() as connection:
        return list(connection.execute(text("SELECT n FROM made ORDER BY n")).scalars())


@contextmanager
def held(runner: Runner) -> Iterator[None]:
    """Meanwhile everything that is to be written waits."""
    gate, reached = threading.Event(), threading.Event()

    def wait(_: Connection) -> None:
        reached.set()
        gate.wait(60)

    before = runner._submit(wait)
    reached.wait(60)
    yield
    gate.set()
    before.result(60)


def at_once(runner: Runner, *functions: Function) -> list["Future[Any]"]:
    """Run functions that have all waited."""
    with held(runner):
        outcomes = [runner._submit(function) for function in functions]
    for outcome in outcomes:
        outcome.exception(60)
    return outcomes


@contextmanager
def commits(runner: Runner) -> Iterator[list[int]]:
    """Counts the writer's commits; the first one is that of ``held``."""
    counted: list[int] = []
    event.listen(runner._writer, "commit", lambda _: counted.append(1))
    yield counted


def test_what_waits_is_committed_together(runner: Runner) -> None:
    with commits(runner) as counted:
        outcomes = at_once(runner, *(add(n) for n in range(80)))
    assert [outcome.result() for outcome in outcomes] == list(range(1, 81))
    assert len(counted) == 1 + 3  # 32, 32 and 16
    assert numbers(runner) == list(range(80))


def test_one_that_fails_is_undone_alone(runner: Runner) -> None:
    def wrong(connection: Connection) -> None:
        add(98)(connection)
        add(1)(connection)  # is there already

    def raising(connection: Connection) -> None:
        add(99)(connection)
        raise KeyError("ours")

    with commits(runner) as counted:
        first, second, third, fourth = at_once(runner, add(1), wrong, raising, add(2))
    assert (first.result(), fourth.result()) == (1, 2)
    assert isinstance(second.exception(), IntegrityError)
    assert isinstance(third.exception(), KeyError)
    assert numbers(runner) == [1, 2]
    assert len(counted) == 2


def test_one_that_raced_is_done_again(runner: Runner) -> None:
    tries: list[int] = []

    def racing(connection: Connection) -> int:
        tries.append(1)
        if len(tries) == 1:
            add(98)(connection)
            raise Raced
        count: int = add(3)(connection)
        return count

    assert [outcome.result() for outcome in at_once(runner, racing, add(1), add(2))] == [3, 1, 2]
    assert numbers(runner) == [1, 2, 3]


def test_nobody_is_answered_before_the_commit(runner: Runner) -> None:
    answered: list[bool] = []
    outcomes: list[Future[Any]] = []
    event.listen(
        runner._writer, "commit", lambda _: answered.extend(outcome.done() for outcome in outcomes), insert=True
    )
    with held(runner):
        outcomes += [runner._submit(add(n)) for n in range(5)]
    assert [outcome.result(60) for outcome in outcomes] == [1, 2, 3, 4, 5]
    assert answered[-5:] == [False] * 5


def test_a_group_that_cannot_be_committed_is_done_one_by_one(tmp_path: Path) -> None:
    undone: list[int] = []
    runner = Runner(Settings(data=tmp_path), undone=lambda: undone.append(1))
    try:
        runner.write_now(lambda c: c.execute(text("CREATE TABLE made (n INTEGER PRIMARY KEY)")))
        runner.write_now(
            lambda c: c.execute(text("CREATE TABLE child (n REFERENCES made DEFERRABLE INITIALLY DEFERRED)"))
        )

        def orphan(connection: Connection) -> None:
            connection.execute(text("INSERT INTO child VALUES (77)"))  # only the commit looks at it

        first, second, third = at_once(runner, add(1), orphan, add(2))
        assert (first.result(), third.result()) == (1, 2)
        assert isinstance(second.exception(), IntegrityError)
        assert numbers(runner) == [1, 2]
        assert undone == [1]
    finally:
        runner.close()


def test_a_full_disk_is_told_to_everybody_and_loses_nothing(runner: Runner) -> None:
    runner.write_now(lambda c: c.execute(text("CREATE TABLE heap (b BLOB)")))
    with runner._writer.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages + 20}"))

    def pile(connection: Connection) -> None:
        connection.execute(text("INSERT INTO heap VALUES (zeroblob(1000000))"))

    first, full, last = at_once(runner, add(1), pile, add(2))
    assert (first.result(), last.result()) == (1, 2)
    assert isinstance(full.exception(), OperationalError)
    assert numbers(runner) == [1, 2]


def test_many_threads(runner: Runner) -> None:
    def some(start: int) -> None:
        for number in range(start, start + 40):
            runner.write_now(add(number))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(some, range(0, 640, 40)))
    assert numbers(runner) == list(range(640))


def test_a_line_to_the_database_that_breaks_is_made_anew_but_not_at_the_commit(
    postgresql: PostgreSQL, tmp_path: Path
) -> None:
    runner = Runner(Settings(data=tmp_path, database=postgresql.new_database()))
    tries: list[int] = []

    def cut(connection: Connection) -> None:
        with pytest.raises(DBAPIError):
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    def cut_once(connection: Connection) -> int:
        tries.append(1)
        if len(tries) == 1:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return len(tries)

    def cut_at_the_commit(connection: Connection) -> None:
        tries.append(1)
        cut(connection)

    try:
        assert runner.write_now(cut_once) == 2
        tries.clear()
        with pytest.raises(SQLAlchemyError):
            runner.write_now(cut_at_the_commit)
        assert tries == [1]
    finally:
        runner.close()


def test_what_the_database_gave_up_for_lack_of_our_time_is_done_again(postgresql: PostgreSQL, tmp_path: Path) -> None:
    tries: list[int] = []

    def starved(connection: Connection) -> int:
        tries.append(1)
        if len(tries) % 2:
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 1"))
            for _ in range(1000):
                threading.Event().wait(0.01)  # somebody else has the processor
                connection.execute(text("SELECT 1"))
        return len(tries)

    runner = Runner(Settings(data=tmp_path, database=postgresql.new_database()))
    try:
        assert runner.write_now(starved) == 2
        assert asyncio.run(runner.read(starved)) == 4
    finally:
        runner.close()
