"""Runs storage functions on threads: one writer and several readers on SQLite, a pool on PostgreSQL, with retries."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from sync.server.settings import Settings

T = TypeVar("T")
Storage = Callable[[Connection], T]

RETRIES = 5
_RETRYABLE = frozenset({"40001", "40P01", "55P03"})  # serialisation failure, deadlock, lock not available
_POSTGRESQL_OPTIONS = "-c statement_timeout=10000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=15000"
DATABASE_FILE = "server.db"


class Raced(Exception):
    """Another transaction made the same record first: undo and do it all again, this time upon that record."""


class Runner:
    """Where storage functions run. Each call is one transaction: committed when the function returns.

    SQLite has one writing thread and connection (``BEGIN IMMEDIATE``, every commit on the disk); PostgreSQL a pool
    of as many connections as threads.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.embedded:
            path = settings.data / DATABASE_FILE
            self._writer = _sqlite(path, readers=0)
            self._reader = _sqlite(path, readers=settings.reader_threads)
            self._write_threads = ThreadPoolExecutor(1, "write")
            self._read_threads = ThreadPoolExecutor(settings.reader_threads, "read")
        else:
            self._writer = self._reader = create_engine(
                settings.database,
                isolation_level="READ COMMITTED",
                pool_size=settings.pool_size,
                max_overflow=0,
                pool_timeout=20,
                pool_pre_ping=True,
                connect_args={"options": _POSTGRESQL_OPTIONS, "connect_timeout": 10},
            )
            self._write_threads = self._read_threads = ThreadPoolExecutor(settings.pool_size, "database")

    async def write(self, function: Storage[T]) -> T:
        """Run a writing function; repeated up to five times when the database asks for it."""
        return await asyncio.wrap_future(self._write_threads.submit(self._written, function))

    async def read(self, function: Storage[T]) -> T:
        """Run a reading function in one transaction."""
        return await asyncio.wrap_future(self._read_threads.submit(self._seen, function))

    def write_now(self, function: Storage[T]) -> T:
        """The same as ``write``, for a caller without an event loop."""
        future: Future[T] = self._write_threads.submit(self._written, function)
        return future.result()

    def close(self) -> None:
        """Finish what runs and close all connections."""
        self._write_threads.shutdown()
        self._read_threads.shutdown()
        self._writer.dispose()
        self._reader.dispose()

    def _written(self, function: Storage[T]) -> T:
        left = RETRIES
        while True:
            try:
                with self._writer.begin() as connection:
                    return function(connection)
            except Raced:
                if not left:
                    raise
            except DBAPIError as error:
                if not left or getattr(error.orig, "sqlstate", "") not in _RETRYABLE:
                    raise
            left -= 1
            # Two that met once should not meet again: wait for a moment that grows.
            threading.Event().wait(0.01 * 2 ** (RETRIES - left))

    def _seen(self, function: Storage[T]) -> T:
        with self._reader.begin() as connection:
            return function(connection)


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
