"""A PC whose power fails between two statements, whose disk is full, whose file is copied and put back."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from sync.store.store import Store
from world import KEY, rules

_NO_LIMIT = 1_073_741_823  # pages; the database's own bound


class PowerCut(BaseException):
    """Nothing runs any more on this PC."""


class MortalConnection:
    """The connection of a store, which dies before the n-th statement; whatever runs afterwards runs no more."""

    def __init__(self, connection: Any, statements: int) -> None:
        self._connection = connection
        self._left = statements
        self.dead = False

    def execute(self, *arguments: Any) -> Any:
        """One statement."""
        self._count()
        return self._connection.execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        """One statement with many rows."""
        self._count()
        return self._connection.executemany(*arguments)

    @property
    def in_transaction(self) -> bool:
        """Of the dead nobody asks."""
        return not self.dead and bool(self._connection.in_transaction)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            self.dead = True
            raise PowerCut


def with_power_cut(store: Store, statements: int, doing: Callable[[], object], *, wall: Callable[[], int]) -> Store:
    """Do something, and lose the power before the n-th statement or at its end; the store of the next morning.

    The file and its journal are what the disk held at that moment: no transaction is undone by anybody.
    """
    connection = store.db.conn
    store.db.conn = cast("Any", MortalConnection(connection, statements))
    try:
        doing()
    except PowerCut:
        pass
    finally:
        store.db.conn = connection
    held = _files(store.path)
    for path in held:
        shutil.copy(path, path.with_name(f"{path.name}.held"))
    store.close()
    for path in _files(store.path):
        path.unlink()
    for path in held:
        shutil.move(path.with_name(f"{path.name}.held"), path)
    return Store.open(store.path, KEY, rules=rules(), wall=wall)


def _files(path: Path) -> list[Path]:
    return [found for suffix in ("", "-wal") if (found := path.with_name(path.name + suffix)).exists()]


def with_full_disk(store: Store, doing: Callable[[], object], *, room: int) -> None:
    """Do something while the file cannot grow by more than ``room`` pages."""
    pages = store.db.conn.execute("PRAGMA page_count").fetchone()[0]
    store.db.conn.execute(f"PRAGMA max_page_count = {pages + room}")
    try:
        doing()
    finally:
        store.db.conn.execute(f"PRAGMA max_page_count = {_NO_LIMIT}")


def reopened(store: Store, *, wall: Callable[[], int]) -> Store:
    """The same file, by a program that was started anew."""
    store.close()
    return Store.open(store.path, KEY, rules=rules(), wall=wall)


def copied(store: Store, target: Path, *, wall: Callable[[], int]) -> Store:
    """A copy of the file as a disk image has it; the store itself is opened again."""
    path = store.path
    store.close()
    shutil.copy(path, target)
    return Store.open(path, KEY, rules=rules(), wall=wall)
