"""Backups, made while the server serves, and the way back, which begins another epoch. For both engines."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any

import zstandard
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from sync.domain.calendar import CHINA
from sync.errors import StoreError
from sync.server import copies, postgresql
from sync.server.copies import BLOBS, SUFFIX, Copy, Manifest
from sync.server.lock import FolderLock
from sync.server.runner import DATABASE_FILE
from sync.server.settings import Settings
from sync.server.storage import epochs, shape

KEPT = 14
_ASIDE = "replaced"
_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup, and the older ones of its folder that went for it.

    ``damaged`` are attached files that are not in it, as they cannot be read or are not what their names say.
    """

    path: Path
    size: int
    blobs: int
    gone: int
    damaged: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What is there now: as of when (ms since 1970), in which epoch; and where that lies which was there before.

    ``is_clock_wrong``: this machine's clock lies before the time at which the backup was made.
    """

    made_at: int
    epoch: str
    blobs: int
    aside: str
    is_clock_wrong: bool


def make(settings: Settings, to: Path, *, keep: int = KEPT) -> Made:
    """Write a backup of a server's data, whether it runs or not; a folder gets a file named after the time.

    Of a folder's backups the latest ``keep`` stay. Raises StoreError ``missing``, ``damaged``, ``backup_damaged``, and
    on PostgreSQL ``program_missing``, ``program_failed``; OSError when the file cannot be written.
    """
    now = settings.wall()
    into_folder = to.is_dir()
    path = to / f"{datetime.fromtimestamp(now / 1000, CHINA):%Y%m%d-%H%M%S-%f}{SUFFIX}" if into_folder else to
    blobs = settings.data / BLOBS
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=path.parent) as folder:
        database = Path(folder) / "database"
        told = _copy_sqlite(settings, database) if settings.embedded else _dump(settings, database)
        with database.open("rb") as file:
            checksum = file_digest(file, "sha256").hexdigest()
        files, damaged = copies.blobs_in(blobs)  # after the database: what it names is here
        manifest = Manifest(
            format=copies.FORMAT,
            engine="sqlite" if settings.embedded else "postgresql",
            revision=told.revision,
            epoch=told.epoch,
            made_at=now,
            database_bytes=database.stat().st_size,
            database_sha256=checksum,
            blobs=len(files),
        )
        count = copies.write(path, manifest, database, files, blobs=blobs)
    copies.mark(settings.data, damaged=[one.name for one in damaged])
    older = sorted(path.parent.glob(f"*{SUFFIX}"), reverse=True)[keep:] if into_folder else []
    for one in older:
        one.unlink()
    return Made(path, path.stat().st_size, count, len(older), tuple(damaged))


def restore(settings: Settings, source: Path) -> Restored:
    """Put a backup in the place of a stopped server's data, and begin another epoch; all of it or nothing.

    What is there is kept beside it. Raises StoreError ``in_use`` while a server runs, ``backup_missing``,
    ``backup_damaged``, ``backup_newer``, ``backup_other_engine``, and on PostgreSQL ``program_missing``,
    ``program_failed``.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    with copies.reading(source) as copy:
        if copy.manifest.engine != ("sqlite" if settings.embedded else "postgresql"):
            raise StoreError("backup_other_engine", engine=copy.manifest.engine)
        if not shape.is_known(copy.manifest.revision):
            raise StoreError("backup_newer")
        copy.check()
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=settings.data) as name:
            into = _into_sqlite if settings.embedded else _into_postgresql
            return into(settings, copy, Path(name))


@dataclass(frozen=True, slots=True)
class _Told:
    revision: str
    epoch: str


def _told_by(connection: Connection) -> _Told:
    if not shape.has_begun(connection):
        raise StoreError("missing", path="this database")
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    return _Told(revision, epochs.current(connection).id)


# ---------------------------------------------------------------------------------------------------- SQLite


def _copy_sqlite(settings: Settings, to: Path) -> _Told:
    source = settings.data / DATABASE_FILE
    if not source.exists():
        raise StoreError("missing", path=str(source))
    plain = to.with_name("plain.db")
    with _opened(source) as engine, _opened(plain) as target:
        errors = engine.dialect.import_dbapi()
        try:
            with engine.connect() as reader, target.connect() as writer:
                # One read transaction from the first page to the last; who writes meanwhile does not wait.
                _raw(reader).backup(_raw(writer))
            with target.connect() as connection:
                _check(connection)
                connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
                told = _told_by(connection)
        except errors.OperationalError as error:  # of the driver itself, whom we asked past everybody
            raise StoreError("busy") from error
        except errors.DatabaseError as error:
            raise StoreError("damaged") from error
    with plain.open("rb") as file, to.open("wb") as packed:
        zstandard.ZstdCompressor(level=_LEVEL).copy_stream(file, packed, size=plain.stat().st_size)
    plain.unlink()
    return told


def _into_sqlite(settings: Settings, copy: Copy, folder: Path) -> Restored:
    lock = FolderLock(settings.data)
    try:
        packed, fresh, place = folder / "packed", folder / DATABASE_FILE, settings.data / DATABASE_FILE
        copy.take_database(packed)
        with packed.open("rb") as file, fresh.open("wb") as plain:
            zstandard.ZstdDecompressor().copy_stream(file, plain)
        with _opened(fresh) as engine, engine.begin() as connection:
            _check(connection)
            epoch = epochs.begin_anew(connection, now=settings.wall(), not_before=copy.manifest.made_at)
        _on_disk(fresh)
        copy.take_blobs(settings.data / BLOBS)  # they are only added; what nobody names is swept later
        aside = _set_aside(place)
        fresh.replace(place)
        copies.sync_folder(settings.data)
        is_clock_wrong = settings.wall() < copy.manifest.made_at
        return Restored(copy.manifest.made_at, epoch.id, copy.manifest.blobs, aside, is_clock_wrong)
    finally:
        lock.release()


def _set_aside(place: Path) -> str:
    """Keep the database under another name as well, and leave no log beside it that the next one might take for its."""
    if not place.exists():
        return ""
    try:
        with _opened(place) as engine, engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    except DBAPIError:
        pass  # damaged, which may be the reason for all this: it is kept as it is, with its log
    aside = place.parent / f"{_ASIDE}-{datetime.now(CHINA):%Y%m%d-%H%M%S-%f}"
    aside.mkdir()
    logs = [place.with_name(f"{place.name}-{end}") for end in ("wal", "shm")]
    for path in (place, *filter(Path.exists, logs)):
        (aside / path.name).hardlink_to(path)
    copies.sync_folder(aside)
    for log in logs:
        log.unlink(missing_ok=True)
    return str(aside)


def _check(connection: Connection) -> None:
    try:
        if connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() != "ok":
            raise StoreError("damaged")
    except DBAPIError as error:
        raise StoreError("damaged") from error


@contextmanager
def _opened(path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite+pysqlite:///{path}", connect_args={"timeout": 30})
    try:
        yield engine
    finally:
        engine.dispose()


def _raw(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _on_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


# ------------------------------------------------------------------------------------------------ PostgreSQL


def _dump(settings: Settings, to: Path) -> _Told:
    with _connected(settings) as connection:
        told = _told_by(connection)
    postgresql.dump(settings.database, to)
    return told


def _into_postgresql(settings: Settings, copy: Copy, folder: Path) -> Restored:
    dumped = folder / "dumped"
    copy.take_database(dumped)
    with _connected(settings) as connection:
        # A server that starts now waits until we have committed, and then finds the restored data.
        shape.one_at_a_time(connection)
        if postgresql.is_used(connection):
            raise StoreError("database_in_use")
        name = f"{_ASIDE}_{datetime.now(CHINA):%Y%m%d_%H%M%S_%f}"
        aside = name if postgresql.set_aside(connection, name) else ""
        postgresql.replay(connection, dumped, folder / "script")
        epoch = epochs.begin_anew(connection, now=settings.wall(), not_before=copy.manifest.made_at)
        copy.take_blobs(settings.data / BLOBS)
    is_clock_wrong = settings.wall() < copy.manifest.made_at
    return Restored(copy.manifest.made_at, epoch.id, copy.manifest.blobs, aside, is_clock_wrong)


@contextmanager
def _connected(settings: Settings) -> Iterator[Connection]:
    """One transaction on a connection of its own, which has no limits of time."""
    engine = create_engine(settings.database, poolclass=NullPool, connect_args={"connect_timeout": 10})
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
