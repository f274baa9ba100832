"""The outbox: batches out of it, the server's reply into it, and how much is waiting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

import msgspec

from sync.domain.catalogue import KINDS
from sync.domain.merge import merge
from sync.domain.operations import Operation
from sync.domain.roles import Viewer
from sync.store import leaving, unsent, writer
from sync.store.database import Database
from sync.store.state import read_state, write_state
from sync.store.store import Store
from sync.store.unsent import Line
from sync.store.viewers import MINE, viewer_streams
from sync.store.writer import Change, Session, Touched

BATCHES_KEPT = 50
_BEHIND = "clock_behind"  # refused only because of its clock: stamped anew and sent again
_ORPHANED = frozenset({"unknown_record", "parent_missing"})  # tried again when what they need has been accepted

Encode = Callable[[Sequence[Operation], int], bytes]  # operations and batch number → the body to send


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest batch the server takes: operations, and bytes of their JSON."""

    operations: int = 2000
    size: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """What is in flight: the same bytes are sent until they are answered."""

    number: int
    digest: bytes
    body: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """An operation the server will not have: its place in the batch, why, and which field; ``text`` fills the words."""

    index: int
    code: str
    field: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The server's answer to a batch; ``ranges`` are the positions its rows got, by stream (first, last)."""

    batch: int
    refused: tuple[Refusal, ...] = ()
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pending:
    """Operations not yet sent, sent and not answered, and refused; ``oldest_at`` of the first two, in ms."""

    waiting: int
    in_flight: int
    quarantined: int
    oldest_at: int | None

    @property
    def unsent(self) -> int:
        """All that the server has not answered."""
        return self.waiting + self.in_flight


def pending_counts(db: Database) -> Pending:
    """How much is waiting on this PC, whoever made it: counts only."""
    row = db.conn.execute(
        """SELECT count(*) FILTER (WHERE op > flown.last), count(*) FILTER (WHERE op <= flown.last), min(made_at),
            (SELECT count(*) FROM quarantine)
        FROM (SELECT coalesce(max(last_op), 0) AS last FROM inflight) AS flown LEFT JOIN outbox"""
    ).fetchone()
    return Pending(row[0], row[1], row[3], row[2])


def take_batch(store: Store, encode: Encode, *, limits: Limits = Limits()) -> Batch | None:
    """The batch to send: the one in flight, else the next operations, put in flight; None when nothing waits."""
    with store.write():
        flying = _in_flight(store.db)
        if flying is not None:
            return flying
        taken: list[Line] = []
        size = 0
        found = store.db.conn.execute(f"SELECT {unsent.COLUMNS} FROM outbox ORDER BY op LIMIT ?", (limits.operations,))
        for cells in found.fetchall():
            size += len(cells[7])
            if taken and size > limits.size:
                break
            taken.append(unsent.read_line(cells))
        if not taken:
            return None
        number = store.state.batch + 1
        body = encode([line.operation for line in taken], number)
        digest = blake2b(body, digest_size=16).digest()
        store.db.conn.execute(
            "INSERT INTO inflight (batch, digest, body, first_op, last_op) VALUES (?, ?, ?, ?, ?)",
            (number, digest, body, taken[0].op, taken[-1].op),
        )
        return Batch(number, digest, body, len(taken))


def give_back(store: Store) -> None:
    """Put the batch in flight back into the outbox: the server has certainly not taken it (too large, other epoch)."""
    with store.write():
        store.db.conn.execute("DELETE FROM inflight")


def settle(store: Store, reply: Reply) -> Touched:
    """Take in the server's reply: refused operations go to quarantine and are undone newest first, the rest is done.

    A reply to anything but the batch in flight is ignored. Cursors step over the device's own rows where nobody
    else can have written between them.
    """
    with store.write():
        span = store.db.conn.execute("SELECT batch, first_op, last_op, digest FROM inflight").fetchone()
        if span is None or span[0] != reply.batch:
            return frozenset()
        sent = unsent.lines(store.db, "op BETWEEN ? AND ?", span[1:3])
        refused = {sent[refusal.index].op: refusal for refusal in reply.refused if refusal.index < len(sent)}
        again = {op for op, refusal in refused.items() if refusal.code == _BEHIND}
        store.db.conn.execute("DELETE FROM inflight")
        store.db.conn.executemany(
            "DELETE FROM outbox WHERE op = ?",
            [(line.op,) for line in sent if line.op not in refused],
        )
        touched = _refuse(store, [line for line in sent if line.op in refused and line.op not in again], refused)
        for line in sent:
            if line.op in again:
                _stamp_anew(store, line)
        _note_batch(store.db, reply.batch, span[3])
        if not refused:
            _step_over(store.db, sent, reply.ranges)
        accepted = {line.key for line in sent if line.op not in refused}
        store.clock.observe(max(line.operation.hlc for line in sent))
        touched |= _try_again(store, {record_id for _, record_id in accepted})
        # What lies in a stream the server has not listed stays: the list is older than the streams just written.
        touched |= leaving.drop_left(store)
    store.reload()
    return touched


def set_aside(store: Store, code: str) -> Touched:
    """The one operation in flight cannot even be read by the server: into quarantine with it; its batch never was."""
    with store.write():
        span = store.db.conn.execute("SELECT first_op, last_op FROM inflight").fetchone()
        if span is None:
            return frozenset()
        lines = unsent.lines(store.db, "op BETWEEN ? AND ?", span)
        store.db.conn.execute("DELETE FROM inflight")
        touched = _refuse(store, lines, {line.op: Refusal(0, code) for line in lines})
    store.reload()
    return touched


def _in_flight(db: Database) -> Batch | None:
    row = db.conn.execute("SELECT batch, digest, body, first_op, last_op FROM inflight").fetchone()
    if row is None:
        return None
    count = db.conn.execute("SELECT count(*) FROM outbox WHERE op BETWEEN ? AND ?", row[3:]).fetchone()[0]
    return Batch(row[0], row[1], row[2], count)


def _note_batch(db: Database, number: int, digest: bytes) -> None:
    write_state(db, batch=number)
    db.conn.execute("INSERT OR REPLACE INTO batch_log (batch, digest) VALUES (?, ?)", (number, digest))
    db.conn.execute("DELETE FROM batch_log WHERE batch <= ?", (number - BATCHES_KEPT,))


def batch_log(db: Database) -> tuple[tuple[int, bytes], ...]:
    """Numbers and digests of the last acknowledged batches, newest first; the greeting carries them."""
    return tuple(db.conn.execute("SELECT batch, digest FROM batch_log ORDER BY batch DESC").fetchall())


def _step_over(db: Database, sent: Sequence[Line], ranges: Mapping[str, tuple[int, int]]) -> None:
    if read_state(db).sweeping:
        return
    # A row that came from another stream, or was healed, may hold fields this device has never seen.
    unsure = {line.stream for line in sent if line.moved or line.operation.action == "state"}
    db.conn.executemany(
        "UPDATE cursor SET seq = ? WHERE stream = ? AND seq = ?",
        [(last, stream, first - 1) for stream, (first, last) in ranges.items() if stream not in unsure],
    )


def _refuse(store: Store, lines: Sequence[Line], refused: Mapping[int, Refusal]) -> Touched:
    """Into quarantine and out of the rows, newest first; what stands on a refused ``new`` goes with it."""
    session = Session(store.db, community_id=store.community_id)
    reasons = dict(refused)
    waiting = {line.op: line for line in lines}
    made = {line.key for line in lines if line.operation.action == "new"}
    for kind, record_id in made:
        for line in unsent.lines(store.db, "kind = ? AND id = ?", (kind, record_id)):
            if line.op not in waiting and line.operation.action != "new":
                waiting[line.op] = line
                reasons[line.op] = Refusal(0, "unknown_record")
    for op in sorted(waiting, reverse=True):
        line = waiting[op]
        # Read again: undoing a later one may have changed what this one replaced.
        later = unsent.lines(store.db, "kind = ? AND id = ? AND op > ?", (*line.key, op))
        unsent.rewrite(store.db, unsent.undo(session, line, later))
        reason = reasons[op]
        store.db.conn.execute(
            f"INSERT INTO quarantine ({unsent.COLUMNS}, code, field, text, at, state)"
            f" SELECT {unsent.COLUMNS}, ?, ?, ?, ?, 'open' FROM outbox WHERE op = ?",
            (reason.code, reason.field, reason.text, store.now(), op),
        )
        store.db.conn.execute("DELETE FROM outbox WHERE op = ?", (op,))
    touched = writer.write_rows(store.db, session)
    store.after(touched, removed=tuple(session.removed.values()))
    return touched


def _stamp_anew(store: Store, line: Line) -> None:
    """Larger clocks for this operation and the record's later ones, in order."""
    following = unsent.lines(store.db, "kind = ? AND id = ? AND op >= ?", (*line.key, line.op))
    for hlc, _ in following[0].operation.prev.values():
        store.clock.observe(hlc)
    names = {
        other.operation.clock: (store.clock.next(store.now() - store.state.clock_offset), store.replica)
        for other in following
    }
    unsent.rename(store.db, following, names)


def _try_again(store: Store, accepted: set[str]) -> Touched:
    """Queue anew what was refused for want of a record that has now been accepted."""
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


def retry(store: Store, op: int) -> Touched:
    """Send a refused operation once more, as a person decided; nothing is touched when it cannot be applied."""
    with store.write():
        return _requeue(store, op)


def _requeue(store: Store, op: int) -> Touched:
    found = store.db.conn.execute(f"SELECT {unsent.COLUMNS} FROM quarantine WHERE op = ?", (op,)).fetchone()
    if found is None:
        return frozenset()
    line = unsent.read_line(found)
    kind = KINDS[line.operation.kind]
    session = Session(store.db, community_id=store.community_id)
    before = session.row(*line.key)
    after = before.largest_clock()[0] if before else 0
    operation = msgspec.structs.replace(
        line.operation, hlc=store.clock.next(store.now() - store.state.clock_offset, after=after), device=store.replica
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


def quarantined(db: Database, viewer: Viewer) -> tuple[Refused, ...]:
    """Refused operations that the viewer made or whose stream the viewer reads, newest first."""
    statement = f"""SELECT op, body, code, field, text, made_at, at FROM quarantine
        WHERE author = :me OR {MINE} ORDER BY op DESC"""
    found = db.conn.execute(statement, {"me": viewer.account_id, "streams": viewer_streams(viewer)})
    return tuple(Refused(op, msgspec.json.decode(body, type=Operation), *rest) for op, body, *rest in found.fetchall())
