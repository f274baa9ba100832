"""The counters of streams: positions taken, rows standing there and the sum of their checks."""

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Connection

from sync.domain.checks import row_check
from sync.domain.merge import Row
from sync.server.storage import schema
from sync.server.storage.statements import insert_rows


class Growth(msgspec.Struct):
    """What a transaction does to a stream: positions taken, living rows gained and the sum of their checks."""

    id: str
    seq: int = 0
    floor: int = 0
    rows: int = 0
    sum: int = 0

    def add(self, rows: Iterable[Row]) -> None:
        """These rows stand here now; deleted ones are not counted."""
        checks = [row_check(row.id, row.clock, row.clocks) for row in rows if not row.deleted]
        self.rows += len(checks)
        self.sum += sum(checks)

    def make(self, rows: int, checks: int) -> None:
        """So many new rows come to stand here, with this sum of their checks."""
        self.seq += rows
        self.rows += rows
        self.sum += checks

    def take(self, row: Row) -> None:
        """A row stood here, as it was."""
        if not row.deleted:
            self.rows -= 1
            self.sum -= row_check(row.id, row.clock, row.clocks)


def bump(connection: Connection, community: str, growth: Mapping[str, Growth]) -> dict[str, int]:
    """Advance the counters of these streams, in the order of their names; the first new position of each.

    The last thing before the rows are written: from here to the end of the transaction nobody else writes there.
    """
    if not growth:
        return {}
    counted = ", ".join(f'"{name}" = stream."{name}" + excluded."{name}"' for name in ("seq", "rows", "sum"))
    found = insert_rows(
        connection,
        schema.stream,
        [growth[stream] for stream in sorted(growth)],
        community=community,
        conflict=f"(community, id) DO UPDATE SET {counted}",
        returning="id, seq",
    )
    return {row.id: row.seq - growth[row.id].seq + 1 for row in found}
