"""The one place that opens the encrypted file: driver, key, settings, and the driver's errors as our own."""

# sqlite-utils catches the exception classes of the driver it finds first; it must find SQLCipher's.
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import sqlcipher3
import sqlcipher3.dbapi2 as driver

# An installed program has no other driver; sqlite-utils names the standard library's all the same, for a type.
for name in ("pysqlite3",) if find_spec("_sqlite3") else ("pysqlite3", "sqlite3"):
    sys.modules.setdefault(name, sqlcipher3)
    sys.modules.setdefault(f"{name}.dbapi2", driver)

from sqlite_utils import Database, Migrations  # noqa: E402

from sync.errors import StoreError  # noqa: E402

__all__ = [
    "KEY_BYTES",
    "Database",
    "Migrations",
    "check_integrity",
    "converted",
    "freely",
    "immediate",
    "open_database",
]

KEY_BYTES = 32
BUSY_MS = 5000
_WRITE_CACHE_KIB = 20_000
_READ_CACHE_KIB = 16_000
_FOLDED_AT_PAGES = 4_000  # at the latest: a pull folds the log in itself, between two transactions

_IO_ERROR = 10
_CODES = {  # primary result codes of SQLite → codes of StoreError
    5: "busy",
    6: "busy",
    8: "read_only",
    _IO_ERROR: "damaged",  # the disk does not give back what was written
    11: "damaged",
    13: "disk_full",
    14: "missing",
    26: "wrong_key",
}


@contextmanager
def converted(*, writing: bool = False) -> Iterator[None]:
    """Raise the driver's errors that a person can do something about as StoreError(code); others pass.

    ``writing``: what the disk refuses is then room (a quota, the largest size of a file), not what lies on it.
    """
    try:
        yield
    except driver.Error as error:
        found = getattr(error, "sqlite_errorcode", 0) & 0xFF
        code = "disk_full" if writing and found == _IO_ERROR else _CODES.get(found)
        if code is None:
            raise
        raise StoreError(code) from error


@contextmanager
def immediate(db: Database, *, lasting: bool = True) -> Iterator[None]:
    """One writing transaction, begun at once so that what is read in it is still true when it is written.

    ``lasting``: when it returns, it is on the disk. Else a power cut may undo it, whole and never in part.
    """
    with converted(writing=True):
        db.conn.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
        db.conn.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.conn.execute("COMMIT")
        except BaseException:
            if db.conn.in_transaction:  # a full disk has rolled back already
                db.conn.execute("ROLLBACK")
            raise


@contextmanager
def freely(db: Database) -> Iterator[None]:
    """Pages that are given up here are not written over at once, but when they are used again, before any new ones.

    Elsewhere they are; it costs more than all else that a large deletion does. The file is encrypted either way.
    """
    db.conn.execute("PRAGMA secure_delete = FAST")
    try:
        yield
    finally:
        db.conn.execute("PRAGMA secure_delete = ON")


def open_database(path: Path, key: bytes, *, read_only: bool = False, create: bool = False) -> Database:
    """Open the file with the raw 32-byte key; WAL, synchronous=FULL, foreign keys off, a 20 MB (reader 16 MB) cache.

    Raises StoreError: missing, wrong_key (also a file whose first page is damaged), damaged, busy, read_only.
    """
    if len(key) != KEY_BYTES:
        raise StoreError("wrong_key")
    if not create and not path.exists():
        raise StoreError("missing")
    if not create and path.stat().st_size == 0:
        raise StoreError("damaged")
    mode = "ro" if read_only else "rwc" if create else "rw"
    with converted():
        # No implicit transactions: ours begin with BEGIN IMMEDIATE. One lane owns a connection; another may close it.
        connection = driver.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, key, read_only=read_only)
        except BaseException:
            connection.close()
            raise
    return Database(connection, execute_plugins=False, strict=True)


def _prepare(connection: driver.Connection, key: bytes, *, read_only: bool) -> None:
    connection.execute("PRAGMA cipher_log_level = NONE")  # a wrong key is an answer, not a line on stderr
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    connection.execute("PRAGMA foreign_keys = OFF")  # pages of a pull may show a visit before its household
    connection.execute(f"PRAGMA cache_size = -{_READ_CACHE_KIB if read_only else _WRITE_CACHE_KIB}")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
        return
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_FOLDED_AT_PAGES}")
    connection.execute("PRAGMA synchronous = FULL")


def check_integrity(db: Database) -> bool:
    """Whether every page is as it was written and every table and index is sound; reads the whole file."""
    try:
        if db.conn.execute("PRAGMA cipher_integrity_check").fetchone() is not None:
            return False
        return bool(db.conn.execute("PRAGMA quick_check").fetchone()[0] == "ok")
    except driver.DatabaseError:
        return False
