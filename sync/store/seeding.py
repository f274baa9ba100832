"""Rows as received: a community written in bulk as if it had come from the server, for demonstrations and tests."""

from collections.abc import Iterable, Iterator
from itertools import islice

from sync.domain.catalogue import KINDS
from sync.domain.clock import HybridClock
from sync.domain.merge import Row, merge
from sync.domain.operations import Operation
from sync.errors import RuleError
from sync.store import schema
from sync.store.database import Database
from sync.store.writer import Key, Session, Touched

SEED_REPLICA = 1  # the maker of all seeded versions; no device is ever called so
_CHUNK = 5000


def write(
    db: Database, operations: Iterable[Operation], *, community_id: str, clock: HybridClock, wall: int
) -> Touched:
    """Merge and write operations in chunks, inside the caller's transaction; values are taken as they are.

    Operations without a clock are stamped in order. Raises RuleError('id', 'unknown_record') for a patch of nothing.
    """
    touched: set[Key] = set()
    parents: dict[Key, str] = {}  # streams of records that others follow
    for chunk in _chunks(operations):
        session = Session(db, community_id=community_id)
        session.expect(operation for operation in chunk if operation.action == "new")
        for operation in chunk:
            kind = KINDS[operation.kind]
            stamped = Operation(
                kind=operation.kind,
                id=operation.id,
                action=operation.action,
                fields=operation.fields,
                hlc=operation.hlc or clock.next(wall),
                device=operation.device or SEED_REPLICA,
            )
            row = merge(session.row(operation.kind, operation.id), stamped, kind).row
            if row is None:
                raise RuleError("id", "unknown_record")
            if kind.inherits:
                parent = (
                    kind.fields[kind.parent].refers or row.values["record_kind"],
                    row.values[kind.parent],
                )
                stream = parents.get(parent) or session.stream_of(kind, row.id, row.values)
            else:
                stream = kind.stream(row.id, row.values, community=community_id)
            parents[operation.kind, operation.id] = stream
            session.replace(Row(row.id, row.kind, stream, row.values, row.clock, row.clocks, row.deleted))
        schema.put(db, session.changed.values())
        touched |= session.changed.keys()
    return frozenset(touched)


def _chunks(operations: Iterable[Operation]) -> Iterator[list[Operation]]:
    remaining = iter(operations)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk
