"""Rows as received: a community written in bulk as if it had come from the server, for demonstrations and tests."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

import msgspec

from sync.domain.catalogue import KINDS, Kind
from sync.domain.clock import HybridClock
from sync.domain.merge import merge
from sync.domain.operations import Operation
from sync.errors import RuleError
from sync.store import schema, writer
from sync.store.database import Database
from sync.store.writer import Key, Session, Touched

SEED_REPLICA = 1  # the maker of all seeded versions; no device is ever called so
_CHUNK = 5000
_FOLLOWED = frozenset(kind for kind, followers in schema.FOLLOWERS.items() if followers)


def write(
    db: Database, operations: Iterable[Operation], *, community_id: str, clock_source: HybridClock, wall: int
) -> Touched:
    """Merge and write operations in chunks, inside the caller's transaction; values are taken as they are.

    Operations without a clock are stamped in order. Raises RuleError('id', 'unknown_record') for a patch of nothing.
    """
    touched: set[Key] = set()
    streams: dict[Key, str] = {}  # of the records that others follow
    fresh = db.conn.execute("SELECT 1 FROM household LIMIT 1").fetchone() is None
    if fresh:
        schema.drop_indexes(db)
    for chunk in _chunks(operations):
        session = Session(db, community_id=community_id)
        session.expect(operation for operation in chunk if operation.action == "new")
        patched = {(operation.kind, operation.id) for operation in chunk if operation.action != "new"}
        cells: dict[str, list[tuple[Any, ...]]] = {}
        for operation in chunk:
            kind = KINDS[operation.kind]
            key = (operation.kind, operation.id)
            clock = (operation.hlc or clock_source.next(wall), operation.device or SEED_REPLICA)
            if key not in patched and session.row(*key) is None:
                stream = _stream(session, kind, operation.id, kind.complete(operation.fields), streams)
                made = schema.TABLES[kind.name].new_cells(operation.id, stream, clock, operation.fields)
                cells.setdefault(kind.name, []).append(made)
                touched.add(key)
            else:
                stamped = msgspec.structs.replace(operation, hlc=clock[0], device=clock[1])
                row = merge(session.row(*key), stamped, kind).row
                if row is None:
                    raise RuleError("id", "unknown_record")
                stream = _stream(session, kind, row.id, row.values, streams)
                session.replace(replace(row, stream=stream))
            if kind.name in _FOLLOWED:
                streams[key] = stream
        schema.put_cells(db, cells)
        touched |= writer.write_rows(db, session)
    if fresh:
        schema.make_indexes(db)
    return frozenset(touched)


def _stream(session: Session, kind: Kind, record_id: str, values: Mapping[str, Any], streams: Mapping[Key, str]) -> str:
    if kind.inherits:
        parent = (kind.fields[kind.parent].refers or values["record_kind"], values[kind.parent])
        if parent in streams:
            return streams[parent]
    return session.stream_of(kind, record_id, values)


def _chunks(operations: Iterable[Operation]) -> Iterator[list[Operation]]:
    remaining = iter(operations)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk
