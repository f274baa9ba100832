"""Operations that the server has not answered: read, laid over pulled rows, undone, renamed and stamped anew.

An unsent operation has left traces: its clock in the row, and in the ``prev`` and the replaced values of later ones.
Whatever happens to it happens to its traces too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from sync.domain.catalogue import KINDS
from sync.domain.clock import Clock
from sync.domain.merge import Row, merge
from sync.domain.operations import DELETED, Operation, Values
from sync.store import schema
from sync.store.database import Database
from sync.store.writer import Key, Replaced, Session

_operation = msgspec.json.Decoder(Operation)
_replaced = msgspec.json.Decoder(dict[str, tuple[Values, Clock]])
COLUMNS = "op, kind, id, action, hlc, author, schema, body, replaced, stream, moved, made_at"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the outbox (or of the quarantine)."""

    op: int
    operation: Operation
    replaced: Replaced
    stream: str
    moved: bool
    made_at: int

    @property
    def key(self) -> Key:
        """The record it is about."""
        return (self.operation.kind, self.operation.id)


def lines(db: Database, condition: str = "1", given: Sequence[object] = ()) -> list[Line]:
    """The lines of the outbox that meet an SQL condition, oldest first."""
    found = db.conn.execute(f"SELECT {COLUMNS} FROM outbox WHERE {condition} ORDER BY op", given)
    return [read_line(cells) for cells in found]


def read_operations(bodies: Sequence[bytes]) -> list[Operation]:
    """The operations of these lines."""
    return list(map(_operation.decode, bodies))


def read_line(cells: Sequence[Any]) -> Line:
    """A line from its cells in the order of COLUMNS."""
    op, *_, body, replaced, stream, moved, made_at = cells
    return Line(
        op=op,
        operation=_operation.decode(body),
        replaced=_replaced.decode(replaced),
        stream=stream,
        moved=bool(moved),
        made_at=made_at,
    )


def rewrite(db: Database, changed: Sequence[Line]) -> None:
    """Store lines whose operation or replaced values have changed."""
    db.conn.executemany(
        "UPDATE outbox SET hlc = ?, body = ?, replaced = ? WHERE op = ?",
        [
            (
                line.operation.hlc,
                msgspec.json.encode(line.operation),
                schema.to_json(line.replaced),
                line.op,
            )
            for line in changed
        ],
    )


def lay_over(row: Row, unsent: Sequence[Line]) -> tuple[Row, list[Line]]:
    """The row with unsent operations laid over it, and those lines that now replace other values than before."""
    changed: list[Line] = []
    for line in unsent:
        kind = KINDS[row.kind]
        merged = merge(row, line.operation, kind)
        assert merged.row is not None
        # What lies beneath now, also where it is newer than this operation: a later one may stand on this one.
        now: Replaced = {
            register: (row.register(kind, register), row.clock_of(register))
            for register in {kind.register_of[name] for name in line.operation.fields if name in kind.register_of}
            if row.clock_of(register) != line.operation.clock  # else the server has taken it
        }
        replaced = {**line.replaced, **now}
        if replaced != line.replaced:
            changed.append(replace(line, replaced=replaced))
        row = merged.row
    return row, changed


def undo(session: Session, line: Line, later: Sequence[Line]) -> list[Line]:
    """Take an operation's effect out of the row, or hand it down to the later operation that stands on it.

    ``later`` are the record's unsent operations made after it. Returns those of them that stand on something else now.
    A ``new`` takes the row away, unless another has made it, too; its later operations have to be undone before it.
    """
    kind = KINDS[line.operation.kind]
    row = session.row(line.operation.kind, line.operation.id)
    clock = line.operation.clock
    if line.operation.action == "new" and row is not None and row.clock == clock:
        session.remove(row)
        return []
    standing = {other.op: other for other in later}
    for register, (values, earlier) in line.replaced.items():
        for op, other in standing.items():
            if other.operation.prev.get(register) == clock:
                standing[op] = _rebased(other, register, line)
                if register in other.replaced:
                    break  # it wrote the register itself: whoever comes later saw its value
        else:
            if row is not None and row.clock_of(register) == clock:
                row = _with_register(row, register, values, earlier)
    if row is not None:
        stream = session.stream_of(kind, row.id, row.values) or row.stream
        session.replace(replace(row, stream=stream))
    return [other for before, other in zip(later, standing.values(), strict=True) if other is not before]


def _rebased(heir: Line, register: str, line: Line) -> Line:
    """The later operation as if the refused one had never been made."""
    values, clock = line.replaced[register]
    seen = line.operation.prev.get(register, clock)
    operation = msgspec.structs.replace(heir.operation, prev={**heir.operation.prev, register: seen})
    replaced = {**heir.replaced, register: (values, clock)} if register in heir.replaced else heir.replaced
    return replace(heir, operation=operation, replaced=replaced)


def _with_register(row: Row, register: str, values: Values, clock: Clock) -> Row:
    clocks = {**row.clocks, register: clock}
    if clock == row.clock:
        del clocks[register]
    if register == DELETED:
        return replace(row, deleted=bool(values[DELETED]), clocks=clocks)
    return replace(row, values={**row.values, **values}, clocks=clocks)


def rename(db: Database, unsent: Sequence[Line], names: Mapping[Clock, Clock]) -> None:
    """Give unsent operations other clocks (``names``: old → new), with all their traces."""

    def named(clock: Clock) -> Clock:
        return names.get(clock, clock)

    rewrite(db, [_renamed(line, named) for line in unsent])
    by_kind: dict[str, set[str]] = {}
    for line in unsent:
        by_kind.setdefault(line.operation.kind, set()).add(line.operation.id)
    for kind, ids in by_kind.items():
        rows = [
            replace(row, clock=named(row.clock), clocks={r: named(clock) for r, clock in row.clocks.items()})
            for row in schema.load(db, kind, ids).values()
        ]
        schema.put(db, rows)


def _renamed(line: Line, named: Callable[[Clock], Clock]) -> Line:
    hlc, device = named(line.operation.clock)
    operation = msgspec.structs.replace(
        line.operation,
        hlc=hlc,
        device=device,
        prev={register: named(clock) for register, clock in line.operation.prev.items()},
        clocks={register: named(clock) for register, clock in line.operation.clocks.items()},
    )
    replaced = {register: (values, named(clock)) for register, (values, clock) in line.replaced.items()}
    return replace(line, operation=operation, replaced=replaced)
