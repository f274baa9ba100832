"""Loads the example community into an empty database, as if devices had pushed it."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from sync.domain import example
from sync.domain.calendar import day_of
from sync.domain.catalogue import KINDS
from sync.domain.operations import Operation
from sync.server.storage.batch import Batch

_CHUNK = 5000


def load(connection: Connection, size: example.Size, *, replica: int, now: int) -> tuple[str, str]:
    """Write the whole community, its history ending today. Returns the ids of the community and of the branch
    secretary, who lets everybody else in: the demonstration's own head, grid worker and secretary are enough.
    """
    community = example.community_id(size)
    secretary = next(person.account_id for person in example.people(size) if person.key == "branch")
    streams: dict[tuple[str, str], str] = {}
    for chunk in _chunks(example.community(size, today=day_of(now))):
        batch = Batch(connection, community, replica=replica, now=now)
        batch.load({operation.id for operation in chunk}, lock=False)
        for operation in chunk:
            kind = KINDS[operation.kind]
            values: dict[str, Any] = operation.fields
            parent = streams[kind.fields[kind.parent].refers, values[kind.parent]] if kind.inherits else ""
            batch.write(kind, operation.id, values, parent_stream=parent)
            row = batch.row(operation.id)
            assert row is not None
            streams[operation.kind, operation.id] = row.stream
        batch.finish()
    return community, secretary


def _chunks(operations: Iterable[Operation]) -> Iterator[list[Operation]]:
    remaining = iter(operations)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk
