"""Reads and writes rows of the record table; nothing else in the server writes synced rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, repeat
from typing import Any

import msgspec
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from sync.domain.catalogue import KINDS
from sync.domain.checks import sum_of_checks
from sync.domain.clock import Clock
from sync.domain.merge import Row
from sync.server.runner import Raced
from sync.server.storage import schema
from sync.server.storage.statements import (
    among,
    can_copy,
    copy_lines,
    copy_rows,
    for_update,
    ids_json,
    insert_rows,
    prepared,
    update_rows,
)

COLUMNS = "id, kind, stream, hlc, dev, clocks, deleted, fields"
Making = tuple[str, int]  # who made a row and when (ms), as long as that write is the only one
IN_HISTORY: Making = ("", 0)  # of a row with later writes
_fields = msgspec.json.Decoder(dict[str, Any])
_sealed_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_clocks = msgspec.json.Decoder(dict[str, Clock])
_encode = msgspec.json.Encoder().encode


class StoredRecord(msgspec.Struct):
    """A row as it goes into the record table."""

    id: str
    kind: str
    stream: str
    seq: int
    hlc: int
    dev: int
    clocks: str
    deleted: bool
    parent: str
    fields: bytes  # JSON
    author: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """New records of one kind in one stream, made at ``at`` (ms) by one person at one device; columns of one length."""

    kind: str
    stream: str
    device: int
    author: str
    at: int
    ids: Sequence[str]
    hlc: Sequence[int]
    parents: Sequence[str]
    fields: Sequence[str]  # JSON; like all texts here without an end of line

    def checks(self) -> int:
        """The sum of their checks."""
        return sum_of_checks(self.ids, self.hlc, device=self.device)

    def stored(self, first: int) -> Iterator[StoredRecord]:
        """As they are stored, at the positions from ``first`` on."""
        return map(
            StoredRecord,
            self.ids,
            repeat(self.kind),
            repeat(self.stream),
            count(first),
            self.hlc,
            repeat(self.device),
            repeat(""),
            repeat(False),
            self.parents,
            map(str.encode, self.fields),
            repeat(self.author),
            repeat(self.at),
        )

    def lines(self, community: str, first: int) -> list[str]:
        """The same as lines of a COPY."""
        kind, stream, device = self.kind, self.stream, self.device
        made = f"{self.author}\t{self.at}"
        return [
            f"{community}\t{record_id}\t{kind}\t{stream}\t{seq}\t{hlc}\t{device}\t\tf\t{parent}\t{fields}\t{made}"
            for seq, (record_id, hlc, parent, fields) in enumerate(
                zip(self.ids, self.hlc, self.parents, self.fields, strict=True), first
            )
        ]


class StoredExit(msgspec.Struct):
    """That a record left a stream, with the clock of what moved it."""

    stream: str
    id: str
    seq: int
    hlc: int
    dev: int


def load(
    connection: Connection,
    community: str,
    ids: Iterable[str],
    *,
    lock: bool = False,
    makings: dict[str, Making] | None = None,
) -> dict[str, Row]:
    """The rows of these ids by id; with ``lock`` nobody else changes them before this transaction ends.

    ``makings`` gets what is kept of the writes that made them.
    """
    return _select(connection, community, among(connection, "id"), ids, lock=lock, makings=makings)


def load_children(
    connection: Connection, community: str, parents: Iterable[str], *, kind: str, makings: dict[str, Making]
) -> dict[str, Row]:
    """The rows, locked, whose kind's parent field names one of these records, by id; of one kind or, '', of all."""
    condition = among(connection, "parent") + (f" AND kind = '{kind}'" if kind else "")
    return _select(connection, community, condition, parents, lock=True, makings=makings)


def standing(connection: Connection, community: str, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Kind and stream of these records, by id."""
    found = connection.execute(
        prepared(f"SELECT id, kind, stream FROM record WHERE community = :community AND {among(connection, 'id')}"),
        {"community": community, "ids": ids_json(ids)},
    )
    return {row[0]: (row[1], row[2]) for row in found.all()}


def parents_in(connection: Connection, community: str, streams: Iterable[str], *, kind: str) -> frozenset[str]:
    """The parents of the records of a kind in these streams."""
    found = connection.execute(
        prepared(
            "SELECT DISTINCT parent FROM record WHERE community = :community AND kind = :kind AND "
            + among(connection, "stream", parameter="streams")
        ),
        {"community": community, "kind": kind, "streams": ids_json(streams)},
    )
    return frozenset(found.scalars())


def insert(connection: Connection, community: str, rows: list[StoredRecord]) -> None:
    """Insert new rows. Raises Raced when one of them exists meanwhile."""
    if not rows:
        return
    if can_copy(connection, rows):
        try:
            copy_rows(connection, schema.record, rows, community=community, line=_line)
        except IntegrityError as error:
            raise Raced from error
        return
    result = insert_rows(connection, schema.record, rows, community=community, conflict="(community, id) DO NOTHING")
    if result.rowcount != len(rows):
        raise Raced


def insert_fresh(connection: Connection, community: str, placed: Sequence[tuple[Fresh, int]]) -> None:
    """Insert new rows, each set from its position on. Raises Raced when one of them exists."""
    if can_copy(connection, range(sum(len(fresh.ids) for fresh, _ in placed))):
        lines = chain.from_iterable(fresh.lines(community, first) for fresh, first in placed)
        try:
            copy_lines(connection, schema.record, lines, columns=StoredRecord.__struct_fields__)
        except IntegrityError as error:
            raise Raced from error
    else:
        insert(connection, community, [row for fresh, first in placed for row in fresh.stored(first)])


def update(connection: Connection, community: str, rows: list[StoredRecord]) -> None:
    """Replace rows that were loaded with a lock."""
    if rows:
        update_rows(connection, schema.record, rows, community=community)


def blank(connection: Connection, community: str, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Give deleted rows, locked, the values of stubs. No position: every reader does the same by itself in time."""
    if rows:
        connection.execute(
            text("UPDATE record SET fields = :fields WHERE community = :community AND id = :id AND deleted"),
            [
                {"community": community, "id": record_id, "fields": _encode(values).decode()}
                for record_id, values in rows
            ],
        )


def remove(connection: Connection, community: str, ids: Iterable[str]) -> None:
    """Remove deleted rows for good; their streams' floors tell the readers."""
    connection.execute(
        text(f"DELETE FROM record WHERE community = :community AND deleted AND {among(connection, 'id')}"),
        {"community": community, "ids": ids_json(ids)},
    )


def write_exits(connection: Connection, community: str, rows: list[StoredExit]) -> None:
    """Keep the latest exit of each record from each stream."""
    if rows:
        insert_rows(
            connection,
            schema.exit_,
            rows,
            community=community,
            conflict="(community, stream, id) DO UPDATE SET seq = excluded.seq, hlc = excluded.hlc, dev = excluded.dev",
        )


def stored(row: Row, seq: int, making: Making) -> StoredRecord:
    """The row as it is stored, at a position of its stream."""
    return StoredRecord(
        row.id,
        row.kind,
        row.stream,
        seq,
        row.clock[0],
        row.clock[1],
        _encode(row.clocks).decode() if row.clocks else "",
        row.deleted,
        parent_of(row.kind, row.values),
        _encode(row.values),
        *making,
    )


def _line(community: str, row: StoredRecord) -> bytes:
    head = f"{community}\t{row.id}\t{row.kind}\t{row.stream}\t{row.seq}\t{row.hlc}\t{row.dev}\t{row.clocks}"
    return f"{head}\t{row.deleted}\t{row.parent}\t".encode() + row.fields + f"\t{row.author}\t{row.at}".encode()


def parent_of(kind: str, values: Mapping[str, Any]) -> str:
    """The id that the kind's parent field names, or ''."""
    field = KINDS[kind].parent
    return (values.get(field) or "") if field else ""


def row_of(found: Any) -> Row:
    """A row of the database with ``COLUMNS`` as a row of the domain."""
    record_id, kind, stream, hlc, dev, clocks, deleted, fields = found[:8]
    return Row(
        record_id,
        kind,
        stream,
        _fields.decode(fields),
        (hlc, dev),
        _clocks.decode(clocks) if clocks else {},
        bool(deleted),
    )


def sealed_row_of(found: Any) -> Row:
    """The same for passing on: each value is the piece of JSON (``msgspec.Raw``) that it was stored as."""
    record_id, kind, stream, hlc, dev, clocks, deleted, fields = found[:8]
    return Row(
        record_id,
        kind,
        stream,
        _sealed_fields.decode(fields),
        (hlc, dev),
        _clocks.decode(clocks) if clocks else {},
        bool(deleted),
    )


def _select(
    connection: Connection,
    community: str,
    condition: str,
    ids: Iterable[str],
    *,
    lock: bool,
    makings: dict[str, Making] | None,
) -> dict[str, Row]:
    wanted = ids_json(ids)
    if wanted == "[]":
        return {}
    sql = f"SELECT {COLUMNS}, author, at FROM record WHERE community = :community AND {condition} ORDER BY id"
    found = connection.execute(
        prepared(sql + (for_update(connection) if lock else "")), {"community": community, "ids": wanted}
    )
    rows = found.all()
    if makings is not None:
        makings.update((row[0], (row[8], row[9])) for row in rows)
    return {row[0]: row_of(row) for row in rows}
