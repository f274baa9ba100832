"""Saving: operations are checked, allowed, stamped and merged; rows, outbox and what follows, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from sync.domain import upgrades
from sync.domain.act import Act
from sync.domain.catalogue import KINDS, Kind, check_value
from sync.domain.clock import Clock, HybridClock
from sync.domain.fields import Policy
from sync.domain.merge import Row, merge
from sync.domain.operations import DELETED, LARGEST_OPERATION, Operation, Values
from sync.domain.plain_text import clean_text
from sync.domain.roles import authorise, made_by, names_another
from sync.errors import AccessError, RuleError
from sync.store import schema
from sync.store.database import Database

Key = tuple[str, str]  # (kind, record id)
Touched = frozenset[Key]
Replaced = dict[str, tuple[Values, Clock]]  # register → what a patch replaced; undoes it when it is refused


@dataclass(frozen=True, slots=True)
class Change:
    """One stamped operation with what it did."""

    operation: Operation
    replaced: Replaced
    stream: str  # of the row after it
    moved: bool  # a patch brought the row into this stream


class Session:
    """The rows at hand while several operations are applied one after the other; nothing is written by it."""

    def __init__(self, db: Database, *, community_id: str) -> None:
        self._db = db
        self._community_id = community_id
        self._rows: dict[Key, Row | None] = {}
        self.changed: dict[Key, Row] = {}
        self.removed: dict[Key, Row] = {}

    def row(self, kind: str, record_id: str) -> Row | None:
        """The row as the operations before have left it."""
        key = (kind, record_id)
        if key not in self._rows:
            self._rows[key] = schema.load_one(self._db, kind, record_id)
        return self._rows[key]

    def expect(self, operations: Iterable[Operation]) -> None:
        """Look up at once which of these records are here already, so that they need not be asked one by one."""
        by_kind: dict[str, list[str]] = {}
        for operation in operations:
            by_kind.setdefault(operation.kind, []).append(operation.id)
        for kind, ids in by_kind.items():
            found = schema.load(self._db, kind, ids)
            self._rows.update({(kind, record_id): found.get(record_id) for record_id in ids})

    def made(self, operation: Operation) -> Row | None:
        """The living row that this operation has made here, as it is now."""
        row = self.changed.get((operation.kind, operation.id)) if operation.action == "new" else None
        return None if row is None or row.deleted else row

    def replace(self, row: Row) -> None:
        """The row as it is from now on."""
        self._rows[row.kind, row.id] = row
        self.removed.pop((row.kind, row.id), None)
        self.changed[row.kind, row.id] = row

    def remove(self, row: Row) -> None:
        """The row is to leave this file."""
        self._rows[row.kind, row.id] = None
        self.changed.pop((row.kind, row.id), None)
        self.removed[row.kind, row.id] = row

    def stream_of(self, kind: Kind, record_id: str, values: Mapping[str, Any]) -> str:
        """The stream these values belong to; '' when the record to follow is not here."""
        parent = self._parent(kind, values)
        return kind.stream(
            record_id, values, community=self._community_id, parent_stream=parent.stream if parent else ""
        )

    def parent_values(self, kind: Kind, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values of the record that this one follows: who mediates a case is written there; empty for others."""
        parent = self._parent(kind, values)
        return parent.values if parent else {}

    def _parent(self, kind: Kind, values: Mapping[str, Any]) -> Row | None:
        if not kind.inherits:
            return None
        parent_kind = kind.fields[kind.parent].refers or str(values.get("record_kind") or "")
        return self.row(parent_kind, str(values.get(kind.parent))) if parent_kind in schema.TABLES else None


def apply(session: Session, operation: Operation, act: Act, *, clock: HybridClock, wall: int, replica: int) -> Change:
    """Check, allow, stamp and merge one operation made here; the session holds the row afterwards.

    Raises RuleError(field, code) and AccessError('read_only' | 'out_of_scope').
    """
    kind = KINDS.get(operation.kind)
    if kind is None:
        raise RuleError("kind", "unknown_kind")
    before = session.row(operation.kind, operation.id)
    creates = operation.action == "new"
    if creates is (before is not None):
        raise RuleError("id", "exists" if creates else "unknown_record")
    fields = {name: _clean(kind, name, value) for name, value in operation.fields.items()}
    _check_writable(kind, operation.action, fields)
    fields = _whole_registers(kind, fields, before)
    values = kind.complete({**(before.values if before else {}), **fields})
    stream = session.stream_of(kind, operation.id, values)
    if not stream:
        raise RuleError(kind.parent, "parent_missing")
    _allow(act, operation, before, values={**session.parent_values(kind, values), **values}, stream=stream)
    stamped = Operation(
        kind=operation.kind,
        id=operation.id,
        action=operation.action,
        fields=fields,
        # Behind what stands there, even where this PC's clock has been put back meanwhile: else the edit would be lost.
        hlc=clock.next(wall, after=before.largest_clock()[0] if before else 0),
        device=replica,
        author=act.author,
        prev=_seen(kind, fields, before) if before else {},
    )
    row = merge(before, stamped, kind).row
    assert row is not None
    session.replace(Row(row.id, row.kind, stream, row.values, row.clock, row.clocks, row.deleted))
    if before is None:
        return Change(stamped, {}, stream, moved=False)
    replaced = {
        register: (before.register(kind, register), before.clock_of(register))
        for register in {kind.register_of[name] for name in fields}
    }
    return Change(stamped, replaced, stream, moved=stream != before.stream)


def queue(db: Database, changes: Sequence[Change], *, made_at: int) -> None:
    """Put the operations into the outbox, in order, inside the caller's transaction."""
    lines = []
    for change in changes:
        operation = change.operation
        body = msgspec.json.encode(operation)
        if len(body) > LARGEST_OPERATION:
            raise RuleError("", "too_large", limit=LARGEST_OPERATION)
        lines.append(
            (
                *(operation.kind, operation.id, operation.action, operation.hlc, operation.author, upgrades.SCHEMA),
                *(body, schema.to_json(change.replaced), change.stream, int(change.moved), made_at),
            )
        )
    db.conn.executemany(
        "INSERT INTO outbox (kind, id, action, hlc, author, schema, body, replaced, stream, moved, made_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        lines,
    )


def write_rows(db: Database, session: Session) -> Touched:
    """Write what the session holds and let others follow; returns all that was touched."""
    rows = tuple(session.changed.values())
    schema.put(db, rows)
    for row in session.removed.values():
        schema.remove(db, row.kind, [row.id])
    return frozenset(session.changed) | frozenset(session.removed) | follow(db, rows)


def follow(db: Database, rows: Sequence[Row]) -> Touched:
    """Let the records that have no stream of their own follow the rows they belong to; returns those that moved."""
    moved: set[Key] = set()
    for row in rows:
        for child, field in schema.FOLLOWERS[row.kind]:
            statement = f'UPDATE "{child}" SET stream = ? WHERE "{field}" = ? AND stream <> ? RETURNING id'
            found = db.conn.execute(statement, (row.stream, row.id, row.stream)).fetchall()
            moved |= {(child, line[0]) for line in found}
    if moved:
        db.conn.execute("DELETE FROM verified")  # rare: whatever they lay in is looked at again
    return frozenset(moved)


def _clean(kind: Kind, name: str, value: Any) -> Any:
    if name == DELETED:
        if not isinstance(value, bool):
            raise RuleError(name, "wrong_type")
        return value
    if isinstance(value, str):
        value = clean_text(name, value)
    elif isinstance(value, list | tuple):
        value = [clean_text(name, item) if isinstance(item, str) else item for item in value]
    check_value(kind, name, value)
    return value


def _check_writable(kind: Kind, action: str, fields: Values) -> None:
    barred = {Policy.SERVER} if action == "new" else {Policy.SERVER, Policy.ONCE}
    if all(field.policy is Policy.SERVER for field in kind.fields.values()):
        return  # the role table answers for kinds that are the server's altogether
    for name in fields:
        if name != DELETED and kind.fields[name].policy in barred:
            raise RuleError(name, "read_only")


def _whole_registers(kind: Kind, fields: Values, before: Row | None) -> Values:
    """Fields of one group mean something only together: whoever touches one sends them all."""
    if before is None:
        return fields
    whole: Values = {}
    for register in dict.fromkeys(kind.register_of[name] for name in fields):
        whole |= before.register(kind, register)
    return {**whole, **fields}


def _seen(kind: Kind, fields: Values, before: Row) -> dict[str, Clock]:
    registers = {kind.register_of[name] for name in fields} | {DELETED}
    if fields.get(DELETED):
        registers |= set(kind.registers)  # whoever deletes says what was seen: a change unseen is a conflict
    return {register: before.clock_of(register) for register in sorted(registers)}


def _allow(act: Act, operation: Operation, before: Row | None, *, values: Values, stream: str) -> None:
    if before is None and names_another(operation.fields, act.author):
        raise AccessError("out_of_scope", kind=operation.kind)
    made_it = made_by(before.values, act.author) if before else False
    # In the stream it is in, what stands there decides; in the one it moves to, what it will be.
    asked = {stream: values}
    if before:
        asked = {stream: values, before.stream: {**values, **before.values}}
    for place, decisive in asked.items():
        code = authorise(
            act.viewer,
            kind=operation.kind,
            action=operation.action,
            stream=place,
            values=decisive,
            author_made_it=made_it,
        )
        if code:
            raise AccessError(code, kind=operation.kind)
