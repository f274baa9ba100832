"""Whether this file holds what the server says its readers must hold: rows and the sum of their checks, by stream."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sync.store import schema
from sync.store.database import Database
from sync.store.schema import TABLES
from sync.store.store import Store

Tally = tuple[int, int]  # living rows, and the sum of their checks
ROWS_AT_ONCE = 20_000  # are added up in some ms; saving goes between two such portions


@dataclass(frozen=True, slots=True)
class Head:
    """What the server says of a stream: its last position, where it begins anew, and what a reader there holds."""

    stream: str
    head: int
    floor: int = 0
    rows: int = 0
    sum: int = 0


def tally(db: Database, streams: Iterable[str]) -> Mapping[str, Tally]:
    """Living rows and the sum of their checks, as they lie in the file, of each of these streams."""
    found: dict[str, Tally] = dict.fromkeys(streams, (0, 0))
    asked = (schema.to_json(list(found)),)
    for kind in TABLES:
        statement = (
            f'SELECT stream, count(*), sum(row_check) FROM "{kind}" WHERE deleted = 0'
            " AND stream IN (SELECT value FROM json_each(?)) GROUP BY stream"
        )
        for stream, rows, checks in db.conn.execute(statement, asked):
            before = found[stream]
            found[stream] = (before[0] + rows, before[1] + checks)
    return found


def level(db: Database) -> tuple[Head, ...]:
    """The streams as the server last listed them, when every one was reached and found alike; else nothing."""
    found = db.conn.execute(
        """SELECT cursor.stream, seq, floor, rows, sum FROM cursor
        LEFT JOIN verified ON verified.stream = cursor.stream AND verified.head = cursor.seq ORDER BY 1"""
    ).fetchall()
    return () if any(line[3] is None for line in found) else tuple(Head(*line) for line in found)


@dataclass(frozen=True, slots=True)
class Difference:
    """A stream that holds something else than the server says: counts and sums, no contents."""

    stream: str
    here: Tally
    there: Tally


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing came to; ``left_out`` streams had unsent work, were behind their head, or were not told of.

    ``waiting`` are yet to be counted.
    """

    differing: tuple[Difference, ...] = ()
    left_out: int = 0
    waiting: tuple[Head, ...] = ()

    @property
    def is_verified(self) -> bool:
        """Whether every stream was compared and holds what the server has."""
        return not self.differing and not self.left_out and not self.waiting

    def and_then(self, later: "Comparison") -> "Comparison":
        """This one with what came of the streams that were waiting."""
        return Comparison(self.differing + later.differing, self.left_out + later.left_out, later.waiting)


def compare(store: Store, heads: Sequence[Head], *, all_told: bool = True, most_rows: int = ROWS_AT_ONCE) -> Comparison:
    """Compare every stream that stands at its head and has no unsent work with what the server says.

    A stream that was found alike before and was touched by nobody since is not counted anew; of the others so many as
    hold about ``most_rows``, and one at least: the rest are ``waiting``, to be handed in again. ``all_told`` is False
    when the server is newer than this program: a stream may then hold kinds that this program does not know, of which
    the server tells neither rows nor sum.
    """
    db = store.db
    at = dict(db.conn.execute("SELECT stream, seq FROM cursor").fetchall())
    unsent = dict(db.conn.execute("SELECT stream, max(moved) FROM outbox GROUP BY stream").fetchall())
    if any(unsent.values()):
        return Comparison(left_out=len(heads))  # a row that moved is missing in a stream which no line names
    due = [
        head
        for head in heads
        if at.get(head.stream) == head.head and head.stream not in unsent and (all_told or head.rows)
    ]
    known = {line[0]: line[1:] for line in db.conn.execute("SELECT stream, head, rows, sum FROM verified")}
    fresh = [head for head in due if known.get(head.stream) != (head.head, head.rows, head.sum)]
    if not fresh:
        return Comparison(left_out=len(heads) - len(due))
    left_out = len(heads) - len(due)
    taken = bisect_left(list(accumulate(head.rows for head in fresh)), most_rows) + 1
    fresh, waiting = fresh[:taken], tuple(fresh[taken:])
    here = tally(db, [head.stream for head in fresh])
    alike = [head for head in fresh if here[head.stream] == (head.rows, head.sum)]
    if alike:
        with store.write(lasting=False):  # if it goes, all is counted once more
            db.conn.executemany(
                "INSERT OR REPLACE INTO verified (stream, head, rows, sum) VALUES (?, ?, ?, ?)",
                [(head.stream, head.head, head.rows, head.sum) for head in alike],
            )
    differing = tuple(
        Difference(head.stream, here[head.stream], (head.rows, head.sum)) for head in fresh if head not in alike
    )
    return Comparison(differing, left_out, waiting)
