"""The history: every accepted write as it was, for conflicts, for judging moves, and for people who ask."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from sync.domain.clock import Clock
from sync.server.storage import schema
from sync.server.storage.statements import can_copy, copy_rows, insert_rows, matching

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(dict[str, Any])


class StoredHistory(msgspec.Struct):
    """An accepted write; ``fields`` is JSON, groups whole; an empty author is the server."""

    id: str
    hlc: int
    dev: int
    at: int
    kind: str
    author: str
    fields: bytes


class GivenBack(StoredHistory):
    """What is known again of a write that was lost in a restore: its values, and which installation gave them back."""

    given_by: str


class Version(msgspec.Struct, frozen=True):
    """What one write said, and who made it."""

    author: str
    fields: dict[str, Any]


class _Key(msgspec.Struct):
    id: str
    hlc: int
    dev: int


def write_history(connection: Connection, community: str, entries: Sequence[StoredHistory]) -> None:
    """Append; an entry that is there already (the same write sent again) stays as it is."""
    if can_copy(connection, entries):
        try:
            with connection.begin_nested():
                copy_rows(connection, schema.history, entries, community=community, line=_line)
            return
        except IntegrityError:
            pass  # some are there: one by one
    if entries:
        insert_rows(
            connection,
            schema.history,
            entries,
            community=community,
            conflict="(community, id, hlc, dev) DO NOTHING",
        )


def _line(community: str, entry: StoredHistory) -> bytes:
    head = f"{community}\t{entry.id}\t{entry.hlc}\t{entry.dev}\t{entry.at}\t{entry.kind}\t{entry.author}\t"
    return head.encode() + entry.fields + (f"\t{entry.given_by}".encode() if isinstance(entry, GivenBack) else b"")


def versions(
    connection: Connection, community: str, wanted: Iterable[tuple[str, Clock]]
) -> dict[tuple[str, Clock], Version]:
    """These versions of records (id, clock); those that the history does not know are left out."""
    keys = [_Key(record_id, clock[0], clock[1]) for record_id, clock in sorted(set(wanted))]
    if not keys:
        return {}
    found = connection.execute(
        text(
            "SELECT id, hlc, dev, author, fields FROM history WHERE community = :community "
            f"AND (id, hlc, dev) IN ({matching(connection, schema.history, ('id', 'hlc', 'dev'))})"
        ),
        {"community": community, "doc": _encode(keys).decode()},
    )
    return {(row.id, (row.hlc, row.dev)): Version(row.author, _fields.decode(row.fields)) for row in found}
