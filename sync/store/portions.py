"""A page of a pull in portions, one for each transaction, as large as somebody's saving can wait for."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from sync.store.arriving import Columns
from sync.store.merging import Page
from sync.store.search import SEARCHED
from sync.store.store import Store

ROWS_AT_ONCE = 200  # that come one by one
ROOM = 1000  # of a transaction: five hundred rows by columns, or two hundred where the search index follows them
FOLDED_AFTER = 1000  # rows; about as many pages have been written then
_LEAST = 100
_IN_USE_S = 0.015  # how long a portion should take while somebody saves
_ALONE_S = 0.2  # and while nobody does: large ones cost less in all


def cut(page: Page, *, size: int = ROWS_AT_ONCE, room: Callable[[], int] = lambda: ROOM) -> Iterator[Page]:
    """The page in portions; the cursors come with the last, so that a break loses nothing.

    ``room`` is asked anew for each portion, when the one before has been taken in.
    """
    last = page.rows
    while len(last) > size or (last and page.tables):
        yield Page(rows=last[:size])
        last = last[size:]
    for tables, is_last in _tables(page, room):
        yield replace(page, rows=last, tables=tables) if is_last else Page(tables=tables)


def _tables(page: Page, room: Callable[[], int]) -> Iterator[tuple[tuple[Columns, ...], bool]]:
    gathered: list[Columns] = []
    left = room()
    for table in page.tables:
        each, at = _weight(table), 0
        while at < len(table.ids):
            count = min(len(table.ids) - at, left // each)
            if not count:
                yield tuple(gathered), False
                gathered, left = [], room()
                continue
            gathered.append(table.piece(at, at + count))
            at, left = at + count, left - count * each
    yield tuple(gathered), True


def _weight(table: Columns) -> int:
    return 5 if table.kind in SEARCHED else 2


class Pace:
    """How much goes into one transaction: less than the most where this disk is slow or the PC is busy.

    ``in_use``: somebody saves, so that portions are small.
    """

    def __init__(self, *, in_use: bool = False) -> None:
        self.in_use = in_use
        self._each_s = 0.0  # of a unit of room; 0 while unknown

    def room(self) -> int:
        """For ``cut``: four times as much where nobody has saved for a while."""
        most, aim_s = (ROOM, _IN_USE_S) if self.in_use else (4 * ROOM, _ALONE_S)
        return max(_LEAST, min(most, int(aim_s / self._each_s))) if self._each_s else most

    def took(self, portion: Page, seconds: float) -> None:
        """A portion took so long; small ones say little."""
        units = sum(len(table.ids) * _weight(table) for table in portion.tables)
        if units >= _LEAST:
            each_s = seconds / units
            self._each_s = (self._each_s + each_s) / 2 if self._each_s else each_s


def fold(store: Store) -> None:
    """Fold the write-ahead log into the file as far as readers allow; by itself, so that saving goes between."""
    store.db.conn.execute("PRAGMA wal_checkpoint(PASSIVE)")
