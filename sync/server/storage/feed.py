"""What a device may read: the streams with their heads, and pages of rows after a position."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from sync.domain.merge import Row
from sync.domain.roles import Reach
from sync.domain.stubs import is_stub
from sync.server.storage.records import sealed_row_of
from sync.server.storage.statements import among, ids_json, prepared
from sync.wire import Exit, StreamHead

PAGE_BYTES = 4 * 1024 * 1024  # of fields as JSON; about 1 MiB by columns and compressed


@dataclass(frozen=True, slots=True)
class Page:
    """Rows with their positions, exits, the positions to go on from, and whether there is more.

    The rows are to be passed on: their values are the pieces of JSON (``msgspec.Raw``) that they are stored as.
    """

    rows: list[tuple[Row, int]]
    exits: list[Exit]
    cursors: dict[str, int]
    more: bool


def heads(connection: Connection, community: str, reach: Reach) -> list[StreamHead]:
    """The streams within reach, in order of name: those named (at 0 while empty) and those that exist by prefix."""
    found = connection.execute(
        prepared(
            'SELECT id, seq, floor, "rows", "sum" FROM stream WHERE community = :community AND '
            f"({among(connection, 'id')} {_prefixed(reach.prefixes)})"
        ),
        {"community": community, "ids": ids_json(reach.streams), **_bounds(reach.prefixes)},
    )
    known = {row.id: StreamHead(row.id, row.seq, row.floor, row.rows, row.sum) for row in found}
    return [known.get(name) or StreamHead(name, 0, 0) for name in sorted(reach.streams | known.keys())]


def ahead(connection: Connection, community: str, cursors: Mapping[str, int], *, most: int) -> int:
    """How many of these positions lie behind the head of their stream, by ``most`` at most: it has yet to give them."""
    told = {stream: cursor for stream, cursor in cursors.items() if cursor and "\0" not in stream}
    if not told:
        return 0
    found = connection.execute(
        prepared(f"SELECT id, seq FROM stream WHERE community = :community AND {among(connection, 'id')}"),
        {"community": community, "ids": ids_json(told)},
    )
    heads_now = {row.id: row.seq for row in found}
    return sum(0 < cursor - heads_now.get(stream, 0) <= most for stream, cursor in told.items())


def page(
    connection: Connection,
    community: str,
    wanted: Mapping[str, int],
    allowed: Sequence[StreamHead],
    *,
    limit: int,
    now: int,
) -> Page:
    """The next page of the wanted streams, in the order asked for, up to the heads given.

    Whoever begins a stream is spared the rows that were deleted long ago.
    """
    head_of = {stream.id: stream.head for stream in allowed}
    spans = deque(
        Span(stream, cursor, head_of[stream]) for stream, cursor in wanted.items() if cursor < head_of.get(stream, 0)
    )
    rows: list[tuple[Row, int]] = []
    exits: list[Exit] = []
    cursors: dict[str, int] = {}
    size = 0
    while spans:
        left = limit - len(rows) - len(exits)
        if left <= 0 or size >= PAGE_BYTES:
            return Page(rows, exits, cursors, True)
        for span, found in _found(connection, community, _next_spans(spans, left), limit=left):
            stream, cursor = span.stream, span.past
            left = limit - len(rows) - len(exits)
            if left <= 0 or size >= PAGE_BYTES:
                return Page(rows, exits, cursors, True)
            found.sort(key=_position)
            reached = span.head if len(found) < left else cursor
            for placed in found[:left]:
                if size >= PAGE_BYTES:
                    reached = cursors[stream]
                    break
                seq, fields = placed[_SEQ], placed[_FIELDS]
                if fields is None:
                    exits.append(Exit(stream, seq, placed.id, placed.hlc, placed.dev))
                else:
                    row = sealed_row_of(placed)
                    if cursor or not row.deleted or not is_stub(row, now=now):
                        rows.append((row, seq))
                        size += len(fields)
                cursors[stream] = seq
                reached = max(reached, seq)
            cursors[stream] = reached
            if reached < span.head:
                return Page(rows, exits, cursors, True)
    return Page(rows, exits, cursors, False)


class Span(msgspec.Struct, frozen=True):
    """The positions of a stream behind ``past`` up to its head."""

    stream: str
    past: int
    head: int


def _next_spans(spans: deque[Span], left: int) -> list[Span]:
    """Takes off the front as many as surely fit into what is left of the page, one at least."""
    taken = [spans.popleft()]
    left -= taken[0].head - taken[0].past
    while spans and left >= spans[0].head - spans[0].past:
        left -= spans[0].head - spans[0].past
        taken.append(spans.popleft())
    return taken


def _found(
    connection: Connection, community: str, spans: Sequence[Span], *, limit: int
) -> Iterator[tuple[Span, list[Any]]]:
    """What lies in these spans: of one the first rows and exits, of several, which are short, all in one question."""
    found: dict[str, list[Any]] = {span.stream: [] for span in spans}
    if len(spans) == 1:
        (span,) = spans
        bounds = {"community": community, "stream": span.stream, "after": span.past, "head": span.head, "limit": limit}
        found[span.stream] = [*connection.execute(_ROWS, bounds), *connection.execute(_EXITS, bounds)]
    else:
        asked = {"community": community, "spans": msgspec.json.encode(spans).decode(), "limit": limit}
        for table, columns in (("record", _RECORD), ("exit", _EXIT)):
            for placed in connection.execute(prepared(_of_many(connection, table, columns)), asked):
                found[placed[_STREAM]].append(placed)
    return ((span, found[span.stream]) for span in spans)


def _of_many(connection: Connection, table: str, columns: str) -> str:
    where = f"community = :community AND {table}.stream = span.stream AND seq > past AND seq <= span.head"
    if connection.dialect.name == "postgresql":
        # Each span by the index: left to itself the planner may read the whole table for a few rows.
        each = f"SELECT {columns} FROM {table} WHERE {where} ORDER BY seq LIMIT :limit"
        spans = "json_to_recordset(CAST(:spans AS json)) AS span(stream text, past bigint, head bigint)"
        return f"SELECT found.* FROM {spans} CROSS JOIN LATERAL ({each}) AS found"
    picked = ", ".join(f"value ->> '$.{name}' AS {name}" for name in ("stream", "past", "head"))
    spans = f"(SELECT {picked} FROM json_each(:spans)) AS span"
    return f"SELECT {columns} FROM {spans} CROSS JOIN {table} WHERE {where}"


_STREAM, _FIELDS, _SEQ = 2, 7, 8  # places in what all statements select; a row of many is not asked by name
_position = itemgetter(_SEQ)

_RECORD = "id, kind, record.stream, hlc, dev, clocks, deleted, fields, seq"
_EXIT = "id, '', exit.stream, hlc, dev, '', false, NULL AS fields, seq"
_AFTER = "community = :community AND stream = :stream AND seq > :after AND seq <= :head ORDER BY seq LIMIT :limit"
_ROWS = text(f"SELECT {_RECORD} FROM record WHERE {_AFTER}")
_EXITS = text(f"SELECT {_EXIT} FROM exit WHERE {_AFTER}")


def _prefixed(prefixes: tuple[str, ...]) -> str:
    return "".join(f" OR (id >= :from{n} AND id < :to{n})" for n in range(len(prefixes)))


def _bounds(prefixes: tuple[str, ...]) -> dict[str, str]:
    bounds: dict[str, str] = {}
    for n, prefix in enumerate(prefixes):
        bounds[f"from{n}"] = prefix
        bounds[f"to{n}"] = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return bounds
