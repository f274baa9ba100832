"""Pages of a pull into the file: rows as the server has them, with this device's unsent work laid over."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sync.domain.merge import Row, merge
from sync.domain.operations import DELETED, Operation
from sync.store import leaving, schema, unsent, writer
from sync.store.leaving import Exit
from sync.store.schema import TABLES
from sync.store.state import write_state
from sync.store.store import Store
from sync.store.unsent import Line
from sync.store.writer import Key, Touched

ROWS_AT_ONCE = 200  # a transaction of so many leaves room for somebody's saving
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a pull.

    ``cursors`` are the positions after it; ``streams`` is the list of all this device may read, None where not said.
    """

    rows: tuple[Row, ...] = ()
    exits: tuple[Exit, ...] = ()
    cursors: Mapping[str, int] = field(default_factory=dict)
    streams: frozenset[str] | None = None


def portions(page: Page, *, size: int = ROWS_AT_ONCE) -> tuple[Page, ...]:
    """The page in portions for one transaction each; the cursors come with the last, so that a break loses nothing."""
    cuts = [page.rows[at : at + size] for at in range(0, len(page.rows), size)] or [()]
    return (*(Page(rows=rows) for rows in cuts[:-1]), replace(page, rows=cuts[-1]))


def apply_portion(store: Store, page: Page) -> Touched:
    """Take in one portion in one transaction, so that saving can go between two of them."""
    with store.write():
        touched = _take_rows(store, page.rows)
        leaving.take_exits(store, page.exits)
        if page.streams is not None:
            _take_streams(store, page.streams)
        store.db.conn.executemany(
            "UPDATE cursor SET seq = ? WHERE stream = ?",
            [(position, stream) for stream, position in page.cursors.items()],
        )
        if page.exits or page.streams is not None:
            touched |= leaving.drop_due(store)
    return touched


def cursors(store: Store) -> Mapping[str, int]:
    """The position reached in each stream this device reads."""
    return dict(store.db.conn.execute("SELECT stream, seq FROM cursor ORDER BY stream").fetchall())


def read_again(store: Store) -> None:
    """Pull every stream from its beginning, as the server was restored: what only this device holds stays.

    Until ``in_step`` is told, a pulled row takes from the row here every register that is newer here.
    """
    with store.write():
        store.db.conn.execute("UPDATE cursor SET seq = 0")
        write_state(store.db, keeping=1)
    store.reload()


def in_step(store: Store) -> None:
    """Everything has been read: from now on pulled rows replace those here as they are. Remembers when that was."""
    store.set_state(synced_at=store.now(), keeping=0)


def begin_sweep(store: Store, streams: Iterable[str] | None = None) -> None:
    """Download everything (or these streams) again: cursors to 0, and every row is marked until it is met.

    Touches neither outbox, batch in flight, quarantine nor drafts; may be interrupted and begun again.
    """
    with store.write():
        chosen = list(cursors(store)) if streams is None else list(streams)
        for stream in chosen:
            store.db.conn.execute("UPDATE cursor SET seq = 0 WHERE stream = ?", (stream,))
            for kind in TABLES:
                store.db.conn.execute(
                    f"INSERT OR IGNORE INTO sweep (kind, id, stream) SELECT '{kind}', id, stream"
                    f' FROM "{kind}" WHERE stream = ?',
                    (stream,),
                )
        write_state(store.db, sweeping=1)
    store.reload()


def end_sweep(store: Store) -> Touched:
    """All has been met again: drop the rows that were not, unless unsent work hangs on them."""
    with store.write():
        gone: list[Row] = []
        for kind, table in TABLES.items():
            found = store.db.conn.execute(
                f"{table.select} WHERE id IN (SELECT id FROM sweep WHERE kind = ?)"
                " AND id NOT IN (SELECT id FROM outbox)",
                (kind,),
            )
            gone += [table.row(cells) for cells in found]
        touched = leaving.drop(store, gone)
        store.db.conn.execute("DELETE FROM sweep")
        write_state(store.db, sweeping=0)
    store.reload()
    return touched


def _take_rows(store: Store, rows: Iterable[Row]) -> Touched:
    pulled = {(row.kind, row.id): row for row in rows if row.kind in TABLES}  # a newer server may know more kinds
    if not pulled:
        return frozenset()
    for row in pulled.values():
        store.clock.observe(row.largest_clock()[0])
    ids = [(record_id,) for _, record_id in pulled]
    store.db.conn.executemany("DELETE FROM sweep WHERE id = ?", ids)
    changed: list[Line] = []
    session = writer.Session(store.db, community_id=store.community_id)
    work = _work_on(store, pulled)
    kept = _newer_here(store, pulled) if store.state.keeping else {}
    for key, row in pulled.items():
        if key in kept:
            row = _with_newer(session, row, kept[key])
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


def _with_newer(session: writer.Session, row: Row, here: Operation) -> Row:
    kind = TABLES[row.kind].kind
    merged = merge(row, here, kind)
    if merged.row is None or not merged.changed:
        return row
    return replace(merged.row, stream=session.stream_of(kind, row.id, merged.row.values) or row.stream)


def _newer_here(store: Store, keys: Iterable[Key]) -> dict[Key, Operation]:
    """The rows here as operations that give them back: of each register the larger clock wins."""
    by_kind: dict[str, list[str]] = {}
    for kind, record_id in keys:
        by_kind.setdefault(kind, []).append(record_id)
    rows = [row for kind, ids in by_kind.items() for row in schema.load(store.db, kind, ids).values()]
    return {
        (row.kind, row.id): Operation(
            kind=row.kind,
            id=row.id,
            action="state",
            fields={**row.values, DELETED: row.deleted},
            hlc=row.clock[0],
            device=row.clock[1],
            clocks=dict(row.clocks),
        )
        for row in rows
    }


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


def _take_streams(store: Store, streams: frozenset[str]) -> None:
    """A stream new in the list starts at 0; one missing from it is read no longer."""
    store.db.conn.executemany(
        "INSERT OR IGNORE INTO cursor (stream, seq) VALUES (?, 0)", [(s,) for s in sorted(streams)]
    )
    known = [line[0] for line in store.db.conn.execute("SELECT stream FROM cursor")]
    store.db.conn.executemany("DELETE FROM cursor WHERE stream = ?", [(s,) for s in known if s not in streams])
