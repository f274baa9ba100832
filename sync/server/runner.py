"""Runs storage functions on threads: one writer and several readers on SQLite, a pool on PostgreSQL, with retries."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from sync.server import metrics
from sync.server.settings import Settings

T = TypeVar("T")
Storage = Callable[[Connection], T]

RETRIES = 5
# Serialisation failure, deadlock, lock not available; and 25P03: this machine had no time for us for so long that the
# database gave the transaction up. All of them are undone, and may be done again.
_RETRYABLE = frozenset({"40001", "40P01", "55P03", "25P03"})
_POSTGRESQL_OPTIONS = "-c statement_timeout=10000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=15000"
DATABASE_FILE = "server.db"


class Raced(Exception):
    """Another transaction made the same record first: undo and do it all again, this time upon that record."""


@dataclass(slots=True)
class _Write:
    """A function that waits to be run, and what becomes of it."""

    function: Storage[Any]
    outcome: "Future[Any]" = field(default_factory=Future)

    def settle(self, outcome: Callable[[], Any]) -> None:
        """Hand over what this returns, or what it raises."""
        try:
            value = outcome()
        except BaseException as error:
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(value)


def _given(value: T) -> T:
    return value


def _raised(error: Exception) -> None:
    raise error


class Runner:
    """Where storage functions run. Each call is one transaction: committed when the function returns.

    SQLite has one writing thread and connection (``BEGIN IMMEDIATE``, every commit on the disk), where what waits is
    committed together; PostgreSQL has a pool of as many connections as threads.

    ``undone`` is called after functions of one group had seen each other's writes and all were undone: whatever was
    remembered meanwhile was never so.
    """

    def __init__(self, settings: Settings, *, undone: Callable[[], None] = lambda: None) -> None:
        self._undone = undone
        self._group_limit = settings.group_limit if settings.embedded else 1
        self._waiting: deque[_Write] = deque()
        if settings.embedded:
            path = settings.data / DATABASE_FILE
            self._writer = _sqlite(path, readers=0)
            self._reader = _sqlite(path, readers=settings.reader_threads)
            self._write_threads = ThreadPoolExecutor(1, "write")
            self._read_threads = ThreadPoolExecutor(settings.reader_threads, "read")
        else:
            self._writer = create_engine(
                settings.database,
                isolation_level="READ COMMITTED",
                pool_size=settings.pool_size,
                max_overflow=0,
                pool_timeout=20,
                pool_pre_ping=True,
                connect_args={"options": _POSTGRESQL_OPTIONS, "connect_timeout": 10},
            )
            # All that one answer says is of one moment: what a stream's head counts is on the page that leads there.
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._write_threads = self._read_threads = ThreadPoolExecutor(settings.pool_size, "database")

    async def write(self, function: Storage[T]) -> T:
        """Run a writing function; repeated up to five times when the database asks for it."""
        return await asyncio.wrap_future(self._submit(function))

    async def read(self, function: Storage[T]) -> T:
        """Run a reading function in one transaction; repeated likewise."""
        return await asyncio.wrap_future(self._read_threads.submit(self._done, self._reader, function))

    def write_now(self, function: Storage[T]) -> T:
        """The same as ``write``, for a caller without an event loop."""
        return self._submit(function).result()

    def close(self) -> None:
        """Finish what runs and close all connections."""
        self._write_threads.shutdown()
        self._read_threads.shutdown()
        self._writer.dispose()
        self._reader.dispose()

    def _submit(self, function: Storage[T]) -> "Future[T]":
        write = _Write(function)
        self._waiting.append(write)
        self._write_threads.submit(self._write_some)
        return write.outcome

    def _write_some(self) -> None:
        """What waits now, at most ``group_limit`` functions; nothing when another turn has done it all."""
        group: list[_Write] = []
        while len(group) < self._group_limit:
            try:
                write = self._waiting.popleft()
            except IndexError:
                break
            if write.outcome.set_running_or_notify_cancel():
                group.append(write)
        if len(group) > 1 and self._together(group):
            return
        for write in group:
            write.settle(partial(self._written, write.function))

    def _together(self, group: "list[_Write]") -> bool:
        """Run functions in one transaction, each undone alone if it fails; answered after the commit.

        False: nothing was written, and each is to be tried by itself.
        """
        outcomes: list[Callable[[], Any]] = []
        try:
            with metrics.working.track_inprogress(), self._writer.begin() as connection:
                for write in group:
                    savepoint = connection.begin_nested()
                    try:
                        outcomes.append(partial(_given, write.function(connection)))
                        savepoint.commit()
                    except OperationalError:
                        raise  # the file itself: full, damaged, or in other hands; then nobody's writes stand
                    except Raced:
                        savepoint.rollback()
                        outcomes.append(partial(self._written, write.function))
                    except Exception as error:
                        savepoint.rollback()
                        outcomes.append(partial(_raised, error))
        except SQLAlchemyError:
            self._undone()
            return False
        for write, outcome in zip(group, outcomes, strict=True):
            write.settle(outcome)
        return True

    def _written(self, function: Storage[T]) -> T:
        return self._done(self._writer, function)

    def _done(self, engine: Engine, function: Storage[T]) -> T:
        left = RETRIES
        while True:
            is_committing = False
            try:
                with metrics.working.track_inprogress(), engine.begin() as connection:
                    answer = function(connection)
                    is_committing = True
                return answer
            except Raced:
                if not left:
                    raise
            except DBAPIError as error:
                # A database that ends a line does not always get to say why. Before the commit all is undone.
                is_undone = error.connection_invalidated and not is_committing
                if not left or not (is_undone or getattr(error.orig, "sqlstate", "") in _RETRYABLE):
                    raise
            left -= 1
            # Two that met once should not meet again: wait for a moment that grows.
            threading.Event().wait(0.01 * 2 ** (RETRIES - left))


def _sqlite(path: Path, *, readers: int) -> Engine:
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        poolclass=QueuePool,
        pool_size=max(1, readers),
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": 10},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say so, not where the driver guesses
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
            connection.execute(f"PRAGMA {pragma}")
        if readers:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if readers else "BEGIN IMMEDIATE")

    return engine
