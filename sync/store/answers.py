"""The server's replies into the store: what it took is done with, what it refused is undone and put in quarantine.

A refused operation whose record has later operations still in flight (they left in later batches, on a stick or not yet
answered) waits for their answers: their bytes are fixed, so neither may they be pulled into quarantine, nor stamped
anew, nor told that they stand on something else. Then all of the record's refusals are undone together, newest first.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from sync.store import leaving, quarantine, unsent, writer
from sync.store.database import Database, freely
from sync.store.state import read_state, write_state
from sync.store.store import Store
from sync.store.unsent import Line
from sync.store.writer import Session, Touched

BATCHES_KEPT = 50
_BEHIND = "clock_behind"  # refused only because of its clock: stamped anew and sent again


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


_SENT = "SELECT op, id FROM outbox WHERE op BETWEEN ? AND ? ORDER BY op"
_LATEST = "SELECT max(hlc) FROM outbox WHERE op BETWEEN ? AND ?"
# A row that came from another stream, or was healed, may hold fields this device has never seen.
_UNSURE = "SELECT stream FROM outbox WHERE op BETWEEN ? AND ? AND (moved OR action = 'state')"
_Waiting = dict[int, Refusal]  # refused operations by their number in the outbox
_waiting = msgspec.json.Decoder(_Waiting)


def settle(store: Store, reply: Reply) -> Touched:
    """Take in the server's reply: refused operations go to quarantine and are undone newest first, the rest is done.

    A reply to anything but the lowest batch in flight is ignored. Cursors step over the device's own rows where nobody
    else can have written between them.
    """
    with store.write():
        span = _lowest(store.db)
        if span is None or span[0] != reply.batch:
            return frozenset()
        conn = store.db.conn
        sent = conn.execute(_SENT, span[1:3]).fetchall()
        store.clock.observe(conn.execute(_LATEST, span[1:3]).fetchone()[0])
        unsure = {stream for (stream,) in conn.execute(_UNSURE, span[1:3])}
        refused = {sent[refusal.index][0]: refusal for refusal in reply.refused if refusal.index < len(sent)}
        held = _held(store.db)
        with freely(store.db):  # what was sent stands in the rows, or in the quarantine
            if refused:
                accepted = [(line[0],) for line in sent if line[0] not in refused]
                conn.executemany("DELETE FROM outbox WHERE op = ?", accepted)
            else:
                conn.execute("DELETE FROM outbox WHERE op BETWEEN ? AND ?", span[1:3])
            conn.execute("DELETE FROM inflight WHERE batch = ?", (reply.batch,))
        touched = _take_refusals(store, reply.batch, span, refused)
        note_batch(store.db, reply.batch, span[3])
        if not refused and not held:
            _step_over(store.db, unsure, reply.ranges)
        touched |= quarantine.try_orphans(store, {record_id for op, record_id in sent if op not in refused})
        # What lies in a stream the server has not listed stays: the list is older than the streams just written.
        touched |= leaving.drop_left(store)
    store.reload()
    return touched


def set_aside(store: Store, code: str) -> Touched:
    """The one operation of the lowest batch in flight cannot even be read by the server: into quarantine with it.

    Its batch never was, and none after it: whatever is in flight goes back into the outbox.
    """
    with store.write():
        span = _lowest(store.db)
        if span is None:
            return frozenset()
        lines = unsent.lines(store.db, "op BETWEEN ? AND ?", span[1:3])
        store.db.conn.execute("DELETE FROM inflight")
        touched = _refuse(store, lines, {line.op: Refusal(0, code) for line in lines})
    store.reload()
    return touched


def _lowest(db: Database) -> tuple[int, int, int, bytes] | None:
    """Number, first and last operation and digest of the batch that is to be answered next."""
    found: tuple[int, int, int, bytes] | None = db.conn.execute(
        "SELECT batch, first_op, last_op, digest FROM inflight WHERE refused = '' ORDER BY batch LIMIT 1"
    ).fetchone()
    return found


def _held(db: Database) -> _Waiting:
    """Refusals of answered batches that wait for answers to later operations on the same records."""
    held: _Waiting = {}
    for (noted,) in db.conn.execute("SELECT refused FROM inflight WHERE refused <> ''"):
        held |= _waiting.decode(noted)
    return held


def _take_refusals(store: Store, batch: int, span: tuple[int, int, int, bytes], refused: _Waiting) -> Touched:
    """Undo what was refused, here or before, as far as its record has nothing more in flight; hold the rest."""
    conn = store.db.conn
    refused = {**_held(store.db), **refused}
    conn.execute("DELETE FROM inflight WHERE refused <> ''")
    if not refused:
        return frozenset()
    flying = {
        record_id
        for first, last in conn.execute("SELECT first_op, last_op FROM inflight").fetchall()
        for (record_id,) in conn.execute("SELECT id FROM outbox WHERE op BETWEEN ? AND ?", (first, last))
    }
    lines = [line for op in sorted(refused) for line in unsent.lines(store.db, "op = ?", (op,))]
    due = [line for line in lines if line.operation.id not in flying]
    held = {line.op: refused[line.op] for line in lines if line.operation.id in flying}
    if held:
        # Under the batch just answered, so that whatever puts the flying batches back forgets these refusals as well:
        # then they are sent again, and refused again.
        conn.execute(
            "INSERT INTO inflight (batch, digest, body, first_op, last_op, refused) VALUES (?, ?, x'', ?, ?, ?)",
            (batch, span[3], min(held), max(held), msgspec.json.encode(held).decode()),
        )
    again = [line for line in due if refused[line.op].code == _BEHIND]
    touched = _refuse(store, [line for line in due if refused[line.op].code != _BEHIND], refused)
    for line in again:
        _stamp_anew(store, line)
    return touched


def note_batch(db: Database, number: int, digest: bytes) -> None:
    """This batch is done with; inside the caller's transaction."""
    write_state(db, batch=number, cuts=0)
    db.conn.execute("INSERT OR REPLACE INTO batch_log (batch, digest) VALUES (?, ?)", (number, digest))
    db.conn.execute("DELETE FROM batch_log WHERE batch <= ?", (number - BATCHES_KEPT,))


def _step_over(db: Database, unsure: Container[str], ranges: Mapping[str, tuple[int, int]]) -> None:
    if read_state(db).sweeping:
        return
    db.conn.executemany(
        "UPDATE cursor SET seq = ? WHERE stream = ? AND seq = ?",
        [(last, stream, first - 1) for stream, (first, last) in ranges.items() if stream not in unsure],
    )


def _refuse(store: Store, lines: Sequence[Line], refused: Mapping[int, Refusal]) -> Touched:
    """Into quarantine and out of the rows, newest first; what stands on a refused ``new`` goes with it."""
    session = Session(store.db, community_id=store.community_id)
    reasons = dict(refused)
    waiting = {line.op: line for line in lines}
    made = {line.key for line in lines if line.operation.action == "new" and _is_its_own(session, line)}
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


def _is_its_own(session: Session, line: Line) -> bool:
    """Whether the row is what this ``new`` made: another may have made it too, and then it stays."""
    row = session.row(*line.key)
    return row is not None and row.clock == line.operation.clock


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
