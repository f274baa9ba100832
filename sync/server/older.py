"""What a client of an older version gets: the kinds and fields it knows, and no tallies of what it cannot hold."""

from collections.abc import Iterable, Sequence
from functools import cache

from sync.domain.catalogue import KINDS
from sync.domain.merge import Row
from sync.wire import SCHEMA, StreamHead


def heads(known: Sequence[StreamHead], *, schema: int) -> Sequence[StreamHead]:
    """The streams as a client of this version is told of them: rows and sum are 0 ("not told") for an older one."""
    if schema >= SCHEMA:
        return known
    return [StreamHead(head.id, head.head, head.floor) for head in known]


def rows(placed: Iterable[tuple[Row, int]], *, schema: int) -> list[tuple[Row, int]]:
    """The rows of kinds that this version knows, with the fields it knows.

    Clocks of registers that it does not know stay in the row: they come back when the row is given back.
    """
    if schema >= SCHEMA:
        return list(placed)
    return [(_trimmed(row, schema), seq) for row, seq in placed if KINDS[row.kind].since <= schema]


def _trimmed(row: Row, schema: int) -> Row:
    newer = _newer(row.kind, schema)
    if newer.isdisjoint(row.values):
        return row
    values = {name: value for name, value in row.values.items() if name not in newer}
    return Row(row.id, row.kind, row.stream, values, row.clock, row.clocks, row.deleted)


@cache
def _newer(kind: str, schema: int) -> frozenset[str]:
    return frozenset(KINDS[kind].fields) - frozenset(KINDS[kind].fields_at(schema))
