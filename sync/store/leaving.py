"""Rows that this device may read no longer: dropped as soon as no unsent work hangs on them."""

from collections.abc import Iterable
from dataclasses import dataclass

from sync.domain.clock import Clock
from sync.domain.merge import Row
from sync.store import schema
from sync.store.schema import TABLES
from sync.store.store import Store
from sync.store.writer import Touched

# The register whose change moves a row of this kind into another stream; other kinds stay where they are made.
_MOVED_BY = {"demand": "place", "dispute": "flow"}
_WITHOUT_WORK = "id NOT IN (SELECT id FROM outbox)"


@dataclass(frozen=True, slots=True)
class Exit:
    """A row has left a stream; ``clock`` is that of the change which moved it."""

    stream: str
    id: str
    clock: Clock


def take_exits(store: Store, exits: Iterable[Exit]) -> None:
    """Remember rows that left, inside the caller's transaction; ``drop_due`` lets them go."""
    store.db.conn.executemany(
        "INSERT OR REPLACE INTO leaving (id, stream, hlc, dev) VALUES (?, ?, ?, ?)",
        [(gone.id, gone.stream, *gone.clock) for gone in exits],
    )


def drop_due(store: Store, *, listed: bool = False) -> Touched:
    """Drop what left and what lies in streams that may be read no longer, inside the caller's transaction.

    Only after a fresh list of streams: one made before a batch knows nothing of the streams that began with it.
    ``listed``: it has just come, so that no stream at all is an answer too: the last post has ended.
    """
    gone = [*_left(store), *_unreadable(store, listed=listed)]
    return drop(store, gone)


def drop_left(store: Store) -> Touched:
    """Drop what left a stream, now that work on it has been answered; inside the caller's transaction."""
    return drop(store, _left(store))


def drop(store: Store, rows: Iterable[Row]) -> Touched:
    """Drop these rows and what follows from them, inside the caller's transaction."""
    by_kind: dict[str, list[Row]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    touched = frozenset((row.kind, row.id) for of_kind in by_kind.values() for row in of_kind)
    for kind, of_kind in by_kind.items():
        schema.remove(store.db, kind, [row.id for row in of_kind])
    if touched:
        store.after(touched, removed=tuple(row for of_kind in by_kind.values() for row in of_kind))
    return touched


def _left(store: Store) -> list[Row]:
    db = store.db
    marks = db.conn.execute(f"SELECT id, stream, hlc, dev FROM leaving WHERE {_WITHOUT_WORK}").fetchall()
    found: list[Row] = []
    for record_id, stream, hlc, device in marks:
        row = next((row for kind in TABLES if (row := schema.load_one(db, kind, record_id))), None)
        if row is not None and row.stream == stream and _moved_at(store, row) < (hlc, device):
            found.append(row)
    db.conn.executemany("DELETE FROM leaving WHERE id = ?", [(mark[0],) for mark in marks])
    return found


def _moved_at(store: Store, row: Row) -> Clock:
    """The clock of what put the row into its stream: its own register, or that of the record it follows."""
    kind = TABLES[row.kind].kind
    if kind.inherits:
        # What another program wrote there may name a kind that is not known here.
        parent_kind = kind.fields[kind.parent].refers or row.values["record_kind"]
        parent = schema.load_one(store.db, parent_kind, row.values[kind.parent]) if parent_kind in TABLES else None
        return _moved_at(store, parent) if parent else (0, 0)
    return row.clock_of(_MOVED_BY.get(row.kind, ""))


def _unreadable(store: Store, *, listed: bool) -> list[Row]:
    """Rows in streams the server does not list; nothing before the first list came."""
    db = store.db
    if not listed and db.conn.execute("SELECT 1 FROM cursor LIMIT 1").fetchone() is None:
        return []
    lost = [line[0] for line in db.conn.execute("SELECT id FROM stream WHERE id NOT IN (SELECT stream FROM cursor)")]
    if not lost:
        return []
    found: list[Row] = []
    needed: set[str] = set()
    # One look at each table for all of them: streams have no index, and a post that ends takes many with it.
    for table in TABLES.values():
        here = db.conn.execute(
            f"{table.select} WHERE stream IN (SELECT value FROM json_each(?))", (schema.to_json(lost),)
        )
        rows = [table.row(cells) for cells in here.fetchall()]
        with_work = _with_work(store, [row.id for row in rows])
        found += [row for row in rows if row.id not in with_work]
        needed |= {row.stream for row in rows if row.id in with_work}
    db.conn.executemany("DELETE FROM stream WHERE id = ?", [(stream,) for stream in lost if stream not in needed])
    return found


def _with_work(store: Store, ids: list[str]) -> frozenset[str]:
    """Those of these records that unsent operations hang on."""
    if not ids:
        return frozenset()
    statement = "SELECT DISTINCT id FROM outbox WHERE id IN (SELECT value FROM json_each(?))"
    return frozenset(line[0] for line in store.db.conn.execute(statement, (schema.to_json(ids),)))
