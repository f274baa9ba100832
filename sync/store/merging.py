"""Pages of a pull into the file: rows as the server has them, with this device's unsent work laid over."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync.domain.merge import Row
from sync.store import arriving, leaving, schema, unsent, writer
from sync.store.arriving import Columns
from sync.store.database import Database
from sync.store.leaving import Exit
from sync.store.schema import TABLES
from sync.store.state import read_state, write_state
from sync.store.store import Store
from sync.store.unsent import Line
from sync.store.writer import Key, Touched

SWEPT_AT_ONCE = 5_000  # records are looked at in some 20 ms
_CHUNK = 500
_LISTED = "(SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a pull; its rows come by columns in ``tables``, or one by one.

    ``cursors`` are the positions after it; ``asked`` those it was asked from (None: whatever they are), so that a
    stream begun anew meanwhile is not moved on; ``streams`` is the list of all this device may read, None if not said.
    """

    rows: tuple[Row, ...] = ()
    tables: tuple[Columns, ...] = ()
    exits: tuple[Exit, ...] = ()
    cursors: Mapping[str, int] = field(default_factory=dict)
    streams: frozenset[str] | None = None
    asked: Mapping[str, int] | None = None

    @property
    def count(self) -> int:
        """How many rows."""
        return len(self.rows) + sum(len(table.ids) for table in self.tables)


def apply_portion(store: Store, page: Page) -> Touched:
    """Take in one portion in one transaction, so that saving can go between two of them.

    Nothing is taken in while rows wait to be given back to a restored server, for what it has may be older.
    """
    if store.state.healing:
        return frozenset()
    with store.write(lasting=False):
        touched = _take_rows(store, page.rows)
        for table in page.tables:
            touched |= (
                arriving.take(store, table) if arriving.may_take(store, table) else _take_rows(store, table.rows())
            )
        leaving.take_exits(store, page.exits)
        known = _take_streams(store, page.streams) if page.streams is not None else frozenset()
        _move_cursors(store.db, page)
        if known:
            start_anew(store.db, known)
        if page.exits or page.streams is not None:
            touched |= leaving.drop_due(store, listed=page.streams is not None)
    if known:
        store.reload()
    return touched


def cursors(store: Store) -> Mapping[str, int]:
    """The position reached in each stream this device reads."""
    return dict(store.db.conn.execute("SELECT stream, seq FROM cursor ORDER BY stream").fetchall())


def in_step(store: Store, *, verified: bool = False) -> None:
    """Everything has been read; ``verified``: and found to be what the server has. Remembers when that was.

    A power cut may undo it: then it was a little earlier.
    """
    now = store.now()
    store.set_state(lasting=False, synced_at=now, **({"verified_at": now} if verified else {}))


def begin_sweep(store: Store, streams: Iterable[str] | None = None) -> None:
    """Download everything (or these streams) again; what is not met on the way is dropped at the end.

    Touches neither outbox, batch in flight, quarantine nor drafts; may be interrupted at any point, and begun again
    while it goes on. A session carries it on and ends it.
    """
    with store.write():
        start_anew(store.db, streams)
    store.reload()


def start_anew(db: Database, streams: Iterable[str] | None = None) -> None:
    """Cursors to 0 and a sweep begun, inside the caller's transaction, which reloads the state."""
    if streams is None:
        db.conn.execute("INSERT OR IGNORE INTO sweep (stream) SELECT stream FROM cursor")
        db.conn.execute("UPDATE cursor SET seq = 0, floor = 0")
        db.conn.execute("DELETE FROM met")
        db.conn.execute("DELETE FROM verified")
    else:
        listed = (schema.to_json(list(streams)),)
        if not read_state(db).sweeping:
            db.conn.execute("DELETE FROM met")  # of an earlier one, not forgotten yet
        db.conn.execute(
            f"INSERT OR IGNORE INTO sweep (stream) SELECT stream FROM cursor WHERE stream IN {_LISTED}", listed
        )
        db.conn.execute(f"UPDATE cursor SET seq = 0, floor = 0 WHERE stream IN {_LISTED}", listed)
        db.conn.execute(f"DELETE FROM met WHERE stream IN {_LISTED}", listed)
        db.conn.execute(f"DELETE FROM verified WHERE stream IN {_LISTED}", listed)
    write_state(db, sweeping=1)


def mind_floors(store: Store, floors: Mapping[str, int]) -> frozenset[str]:
    """Begin anew, with a sweep, each stream whose position lies below the point up to which the server has forgotten.

    ``floors`` by stream. A stream that is being read from its beginning since that floor was told goes on. Returns
    those begun anew.
    """
    told = [(floor, stream) for stream, floor in floors.items() if floor > 0]
    if not told:
        return frozenset()
    with store.write():
        store.db.conn.executemany(
            "UPDATE cursor SET floor = ?1 WHERE stream = ?2 AND floor < ?1 AND (seq = 0 OR seq >= ?1)", told
        )
        kept = dict(store.db.conn.execute("SELECT stream, floor FROM cursor"))
        below = frozenset(stream for floor, stream in told if kept.get(stream, floor) < floor)
        if below:
            start_anew(store.db, below)
    store.reload()
    return below


def swept_streams(store: Store) -> frozenset[str]:
    """The streams that are being downloaded again."""
    return frozenset(line[0] for line in store.db.conn.execute("SELECT stream FROM sweep"))


def is_met(store: Store, heads: Mapping[str, int]) -> bool:
    """Whether all that is downloaded again has been met: each of its streams stands at its head.

    ``heads`` by stream. Never while rows wait to be given back, for then nothing is taken in, and so nothing met.
    """
    if store.state.healing or not store.state.sweeping:
        return False
    at = cursors(store)
    return all(stream in heads and at.get(stream, 0) >= heads[stream] for stream in swept_streams(store))


@dataclass(frozen=True, slots=True)
class Place:
    """How far the end of a sweep is: the table, and the last record of it that was looked at."""

    table: int = 0
    after: str = ""


def end_sweep(store: Store) -> Touched:
    """All has been met again: drop the rows that were not, unless unsent work hangs on them."""
    touched: Touched = frozenset()
    place: Place | None = Place()
    while place is not None:
        gone, place = sweep_some(store, place)
        touched |= gone
    return touched


def sweep_some(
    store: Store, place: Place, *, heads: Mapping[str, int] | None = None, most: int = SWEPT_AT_ONCE
) -> tuple[Touched, Place | None]:
    """A portion of the end of a sweep, so that saving goes between two; where to go on from, None when it is done.

    Only while all is met up to ``heads``: another sweep may begin meanwhile.
    """
    if heads is not None and store.state.sweeping and not is_met(store, heads):
        return frozenset(), None
    with store.write(lasting=False):  # what a power cut undoes is done again
        if not store.state.sweeping:
            met = store.db.conn.execute("DELETE FROM met WHERE id IN (SELECT id FROM met LIMIT ?)", (most,)).rowcount
            return frozenset(), place if met == most else None
        kind = list(TABLES)[place.table]
        ids = [
            line[0]
            for line in store.db.conn.execute(
                f'SELECT id FROM "{kind}" WHERE id > ? ORDER BY id LIMIT ?', (place.after, most)
            )
        ]
        touched = _drop_unmet(store, kind, ids)
        is_last = len(ids) < most and place.table == len(TABLES) - 1
        if is_last:
            # Over at once, and what was met forgotten afterwards: what is half forgotten must never be swept with.
            store.db.conn.execute("DELETE FROM sweep")
            write_state(store.db, sweeping=0)
    if is_last:
        store.reload()
        return touched, place
    return touched, Place(place.table, ids[-1]) if len(ids) == most else Place(place.table + 1)


def _drop_unmet(store: Store, kind: str, ids: Sequence[str]) -> Touched:
    found = store.db.conn.execute(
        f"{TABLES[kind].select} WHERE id IN (SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM met))"
        " AND stream IN (SELECT stream FROM sweep) AND id NOT IN (SELECT id FROM outbox)",
        (schema.to_json(ids),),
    ).fetchall()
    return leaving.drop(store, [TABLES[kind].row(cells) for cells in found])


def _take_rows(store: Store, rows: Iterable[Row]) -> Touched:
    pulled = {(row.kind, row.id): row for row in rows if row.kind in TABLES}  # a newer server may know more kinds
    if not pulled:
        return frozenset()
    for row in pulled.values():
        store.clock.observe(row.largest_clock()[0])
    if store.state.sweeping:
        store.db.conn.executemany(
            "INSERT OR REPLACE INTO met (id, stream) VALUES (?, ?)", [(row.id, row.stream) for row in pulled.values()]
        )
    changed: list[Line] = []
    session = writer.Session(store.db, community_id=store.community_id)
    work = _work_on(store, pulled)
    for key, row in pulled.items():
        session.replace(row)
        if key in work:
            laid, lines = unsent.lay_over(row, work[key])
            changed += lines
            stream = session.stream_of(TABLES[row.kind].kind, laid.id, laid.values) or row.stream
            session.replace(replace(laid, stream=stream))
    unsent.rewrite(store.db, changed)
    touched = writer.write_rows(store.db, session)
    store.after(touched)
    return touched


def _work_on(store: Store, keys: Iterable[Key]) -> dict[Key, list[Line]]:
    """The unsent operations on these records, oldest first."""
    if store.db.conn.execute("SELECT 1 FROM outbox LIMIT 1").fetchone() is None:
        return {}
    found: dict[Key, list[Line]] = {}
    for chunk in _chunks([record_id for _, record_id in keys]):
        for line in unsent.lines(store.db, f"id IN ({', '.join('?' * len(chunk))})", chunk):
            found.setdefault(line.key, []).append(line)
    return found


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    for at in range(0, len(ids), _CHUNK):
        yield ids[at : at + _CHUNK]


def _move_cursors(db: Database, page: Page) -> None:
    if page.asked is None:
        moves = [(position, stream) for stream, position in page.cursors.items()]
        db.conn.executemany("UPDATE cursor SET seq = ? WHERE stream = ?", moves)
        return
    db.conn.executemany(
        "UPDATE cursor SET seq = ? WHERE stream = ? AND seq = ?",
        [(position, stream, page.asked.get(stream, 0)) for stream, position in page.cursors.items()],
    )


def _take_streams(store: Store, streams: frozenset[str]) -> frozenset[str]:
    """A stream new in the list starts at 0; one missing from it is read no longer.

    Returns new ones of which rows are here: unsent work held them when the stream was lost, and what became of them
    meanwhile may be forgotten, so that they have to be met again.
    """
    here = {
        line[0] for line in store.db.conn.execute("SELECT id FROM stream WHERE id NOT IN (SELECT stream FROM cursor)")
    }
    store.db.conn.executemany(
        "INSERT OR IGNORE INTO cursor (stream, seq) VALUES (?, 0)", [(s,) for s in sorted(streams)]
    )
    known = [line[0] for line in store.db.conn.execute("SELECT stream FROM cursor")]
    lost = [(stream,) for stream in known if stream not in streams]
    for table in ("cursor", "sweep", "verified") if lost else ():
        store.db.conn.executemany(f"DELETE FROM {table} WHERE stream = ?", lost)
    return streams & here if store.state.synced_at else frozenset()
