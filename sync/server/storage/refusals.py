"""Keeps refused operations for 90 days, so that a supervisor or support can look at them without the PC."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from sync.domain.operations import Operation
from sync.server.storage import schema
from sync.server.storage.statements import insert_rows
from sync.wire import Refusal


class _Stored(msgspec.Struct):
    id: str
    hlc: int
    dev: int
    at: int
    kind: str
    author: str
    code: str
    field: str
    body: str


def keep_refused(
    connection: Connection,
    community: str,
    operations: Sequence[Operation],
    refused: Sequence[Refusal],
    *,
    device: int,
    now: int,
) -> None:
    """Store the refused ones with their reasons; a NUL, which PostgreSQL cannot hold, is left out of the copy."""
    rows: dict[tuple[str, int], _Stored] = {}
    for refusal in refused:
        one = operations[refusal.op]
        body = msgspec.json.encode(one).decode().replace("\\u0000", "")
        rows[one.id, one.hlc] = _Stored(
            one.id.replace("\0", ""),
            one.hlc,
            device,
            now,
            one.kind.replace("\0", ""),
            one.author.replace("\0", ""),
            refusal.code,
            refusal.field.replace("\0", ""),
            body,
        )
    if rows:
        insert_rows(
            connection,
            schema.refused,
            list(rows.values()),
            community=community,
            conflict="(community, id, hlc, dev) DO UPDATE SET at = excluded.at, code = excluded.code",
        )
