"""The quarantine: what the server has refused, kept until somebody sends it again, puts it right or lets it go."""

from dataclasses import dataclass, replace

import msgspec

from sync.domain.catalogue import KINDS
from sync.domain.merge import merge
from sync.domain.operations import Operation
from sync.domain.roles import Viewer
from sync.store import unsent, writer
from sync.store.database import Database
from sync.store.returned import as_own_work
from sync.store.store import Store
from sync.store.viewers import MINE, viewer_streams
from sync.store.writer import Change, Session, Touched

_ORPHANED = frozenset({"unknown_record", "parent_missing"})  # tried again when what they need has been accepted


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused operation as the list of what needs attention shows it."""

    op: int
    operation: Operation
    code: str
    field: str
    text: str
    made_at: int
    refused_at: int


def try_orphans(store: Store, accepted: set[str]) -> Touched:
    """Inside a transaction: queue anew what was refused for want of a record that has now been accepted."""
    touched: Touched = frozenset()
    if not accepted:
        return touched
    for op, record_id, kind_name, code, body in store.db.conn.execute(
        "SELECT op, id, kind, code, body FROM quarantine ORDER BY op"
    ).fetchall():
        operation = msgspec.json.decode(body, type=Operation)
        named = {operation.fields.get(name) for name, field in KINDS[kind_name].fields.items() if field.refers}
        named |= {operation.fields.get(KINDS[kind_name].parent), record_id}
        if code in _ORPHANED and not accepted.isdisjoint(named):
            touched |= _requeue(store, op)
    return touched


def retry(store: Store, op: int, *, author: str = "") -> Touched:
    """Send a refused operation once more, as a person decided; nothing is touched when it cannot be applied.

    What was given back to a restored server goes out as the own work of ``author``, or is done with when all of it is
    here; without an author it stays.
    """
    with store.write():
        return _requeue(store, op, author)


def _requeue(store: Store, op: int, author: str = "") -> Touched:
    found = store.db.conn.execute(f"SELECT {unsent.COLUMNS} FROM quarantine WHERE op = ?", (op,)).fetchone()
    if found is None:
        return frozenset()
    line = unsent.read_line(found)
    kind = KINDS[line.operation.kind]
    session = Session(store.db, community_id=store.community_id)
    before = session.row(*line.key)
    after = before.largest_clock()[0] if before else 0
    given = line.operation if line.operation.action != "state" else as_own_work(line.operation, kind, before, author)
    if given is None:
        store.db.conn.execute("DELETE FROM quarantine WHERE op = ? AND ? <> ''", (op, author))
        return frozenset()
    operation = msgspec.structs.replace(
        given, hlc=store.clock.next(store.now() - store.state.clock_offset, after=after), device=store.replica
    )
    row = merge(before, operation, kind).row
    if row is None:
        return frozenset()
    stream = session.stream_of(kind, row.id, row.values) or line.stream
    session.replace(replace(row, stream=stream))
    replaced = {}
    if before is not None:
        replaced = {
            register: (before.register(kind, register), before.clock_of(register))
            for register in {kind.register_of[name] for name in operation.fields}
        }
    moved = before is not None and before.stream != stream
    writer.queue(store.db, [Change(operation, replaced, stream, moved=moved)], made_at=line.made_at)
    store.db.conn.execute("DELETE FROM quarantine WHERE op = ?", (op,))
    touched = writer.write_rows(store.db, session)
    store.after(touched)
    return touched


def dismiss(store: Store, op: int) -> None:
    """Remove a refused operation, as a person decided; nothing else ever does."""
    with store.write():
        store.db.conn.execute("DELETE FROM quarantine WHERE op = ?", (op,))


def quarantined(db: Database, viewer: Viewer) -> tuple[Refused, ...]:
    """Refused operations that the viewer made or whose stream the viewer reads, newest first."""
    statement = f"""SELECT op, body, code, field, text, made_at, at FROM quarantine
        WHERE author = :me OR {MINE} ORDER BY op DESC"""
    found = db.conn.execute(statement, {"me": viewer.account_id, "streams": viewer_streams(viewer)})
    return tuple(Refused(op, msgspec.json.decode(body, type=Operation), *rest) for op, body, *rest in found.fetchall())
