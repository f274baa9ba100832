"""What was deleted long ago is blanked in this file by itself, as on every side, and forgotten in the end.

In small pieces, for somebody may be saving: each looks through some thousands of rows and writes a few.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sync.domain.calendar import DAY
from sync.domain.merge import Row
from sync.domain.stubs import GONE_AFTER, deleted_at, is_done_with, is_stub, stub_values
from sync.store import leaving, schema, stick
from sync.store.schema import TABLES
from sync.store.store import Store
from sync.store.writer import Touched

EVERY = DAY  # ms
_LOOKED_AT = 2000  # rows of one piece
_WRITTEN = 40  # of them


@dataclass(frozen=True, slots=True)
class Mark:
    """How far it is: the kind, and the place in its table after which to go on."""

    kind: str
    after: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """What one piece did: the records it altered, and where to go on; None at the end."""

    touched: Touched
    next: Mark | None


START = Mark(next(iter(TABLES)))


def is_due(store: Store) -> bool:
    """Whether a day has passed since it was last done (or the clock was put back meanwhile)."""
    return not 0 <= store.now() - store.state.blanked_at < EVERY


def go_on(store: Store, mark: Mark = START) -> Piece:
    """The next piece: of records deleted 30 days ago the values go, those deleted 400 days ago go altogether.

    Not what unsent work hangs on, and nothing while a restored server is given back what it lost. Conflicts about a
    record that is blank lose what they kept of it, unless they still ask whether it is to come back.
    """
    if store.state.healing:
        return Piece(frozenset(), None)
    db, table = store.db, TABLES[mark.kind]
    count, last = db.conn.execute(
        f'SELECT count(*), max(rowid) FROM (SELECT rowid FROM "{mark.kind}" WHERE rowid > ? ORDER BY rowid LIMIT ?)',
        (mark.after, _LOOKED_AT),
    ).fetchone()
    here = "deleted = 1" if mark.kind != "conflict" else "(deleted = 1 OR kept <> '' OR lost <> '')"
    found = db.conn.execute(
        f"{table.select.replace('SELECT', 'SELECT rowid,', 1)} WHERE rowid > ? AND rowid <= ? AND {here}"
        " AND id NOT IN (SELECT id FROM outbox) AND id NOT IN (SELECT id FROM quarantine) ORDER BY rowid LIMIT ?",
        (mark.after, last or mark.after, _WRITTEN),
    ).fetchall()
    touched = _tidy(store, [table.row(cells[1:]) for cells in found])
    if len(found) == _WRITTEN:
        return Piece(touched, Mark(mark.kind, found[-1][0]))
    if count == _LOOKED_AT:
        return Piece(touched, Mark(mark.kind, last))
    names = list(TABLES)
    at = names.index(mark.kind) + 1
    if at < len(names):
        return Piece(touched, Mark(names[at]))
    store.set_state(blanked_at=store.now())
    return Piece(touched, None)


def told_time(store: Store) -> int:
    """The time in ms by which records grow old: never later than the centre was last heard of.

    A clock that is wrong by years must not take from this file what everybody else still has.
    """
    if not store.state.server_url:
        return store.now()
    return min(store.now(), max(store.state.synced_at, stick.read_stick(store.db).listed_at))


def _tidy(store: Store, rows: Sequence[Row]) -> Touched:
    now = told_time(store)
    gone = {row.id: row for row in rows if row.deleted and deleted_at(row) + GONE_AFTER <= now}
    left = [row for row in rows if row.id not in gone]
    blank = [replace(row, values=_blank(store, row, now=now)) for row in left]
    changed = [after for before, after in zip(left, blank, strict=True) if after.values != before.values]
    if not (gone or changed):
        return frozenset()
    with store.write():
        for row in changed:
            # Not as a change of its stream: deleted rows are in no tally, and a check is made of clocks alone. What
            # follows from rows, the search index among it, lost them when they were deleted.
            store.db.conn.execute(TABLES[row.kind].upsert, TABLES[row.kind].cells(row))
        return frozenset((row.kind, row.id) for row in changed) | leaving.drop(store, gone.values())


def _blank(store: Store, row: Row, *, now: int) -> dict[str, object]:
    """The row's values as they are to be: those of a stub, of what is done with, or as they were."""
    if is_stub(row, now=now):
        return dict(stub_values(row))
    if row.kind != "conflict":
        return dict(row.values)
    record_kind = row.values["record_kind"]
    about = schema.load_one(store.db, record_kind, row.values["record_id"]) if record_kind in TABLES else None
    if about is None or not is_stub(about, now=now) or not is_done_with(row):
        return dict(row.values)
    return {**row.values, "kept": "", "lost": ""}
