"""The history: every accepted write as it was, for conflicts, for judging moves, and for people who ask.

The write that made a record is kept in the record itself while it is the only one, and goes into the history when a
second one comes: most records are never changed, and nothing of them need be stored twice.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from sync.domain.catalogue import Kind
from sync.domain.clock import Clock
from sync.domain.merge import Row
from sync.domain.operations import DELETED, Operation, Values
from sync.server.storage import schema
from sync.server.storage.records import Making
from sync.server.storage.statements import can_copy, copy_rows, insert_rows, matching, prepared

# All of them, wherever they are kept.
EVERY_WRITE = (
    "SELECT community, id, hlc, dev, at, kind, author, fields, given_by FROM history UNION ALL "
    "SELECT community, id, hlc, dev, at, kind, author, fields, '' FROM record WHERE at > 0"
)
encode_fields = msgspec.json.Encoder().encode
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


class Writes:
    """The writes that one transaction accepts, in their order."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._noted: list[tuple[Operation, Values]] = []

    def note(self, operation: Operation, row: Row, kind: Kind) -> None:
        """An operation was accepted; ``row`` is what it made of the record."""
        fields = operation.fields
        if operation.action == "patch":
            # Groups whole, so that any version of a register can be read from the history alone.
            whole: Values = {}
            for name in fields:
                register = kind.register_of.get(name)
                if register is not None and register != DELETED:
                    whole.update(row.register(kind, register))
            fields = {**whole, **fields}
        self._noted.append((operation, fields))

    def settle(
        self,
        before: Mapping[str, Row],
        makings: Mapping[str, Making],
        touched: Collection[str],
        given_back: Collection[str],
    ) -> tuple[list[StoredHistory], dict[str, Making]]:
        """What goes into the history, and what is kept in the records made here as their only write.

        ``before`` are the records as they stood, ``makings`` what was kept in them: it goes into the history of those
        that are ``touched``.
        """
        kept = {record_id: (row, makings[record_id]) for record_id, row in before.items() if makings[record_id][1]}
        entries = [
            _entry(row.id, row.clock, row.kind, made, row.values)
            for record_id, (row, made) in kept.items()
            if record_id in touched
        ]
        written = Counter(operation.id for operation, _ in self._noted)
        makers: dict[str, Making] = {}
        for operation, fields in self._noted:
            record_id, made = operation.id, (operation.author, self._now)
            if record_id in kept and kept[record_id][0].clock == operation.clock:
                continue  # the very write that made it, sent again
            is_only = written[record_id] == 1 and operation.action == "new" and DELETED not in fields
            if is_only and record_id in touched and record_id not in before and record_id not in given_back:
                makers[record_id] = made
            else:
                entries.append(_entry(record_id, operation.clock, operation.kind, made, fields))
        return entries, makers


def _entry(record_id: str, clock: Clock, kind: str, made: Making, fields: Values) -> StoredHistory:
    return StoredHistory(record_id, *clock, made[1], kind, made[0], encode_fields(fields))


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
    wanted_ones = matching(connection, schema.history, ("id", "hlc", "dev"))
    found: list[Any] = []
    for table in ("history", "record"):
        sql = f"SELECT id, hlc, dev, author, fields FROM {table} WHERE community = :community "
        sql += f"AND (id, hlc, dev) IN ({wanted_ones})" + (" AND at > 0" if table == "record" else "")
        found += connection.execute(prepared(sql), {"community": community, "doc": encode_fields(keys).decode()})
    return {(row.id, (row.hlc, row.dev)): Version(row.author, _fields.decode(row.fields)) for row in found}
