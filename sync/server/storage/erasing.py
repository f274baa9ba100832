"""Legal erasure: a record and all that belongs to it lose their values at once, here and on every PC that syncs.

The deletion is an ordinary write, so everybody hears of it by a new position; and what they are given then is blank.
Clocks stay as they were, so that checks and merging go on as with any deleted record.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text

from sync.domain.catalogue import KINDS
from sync.domain.merge import Row
from sync.domain.operations import DELETED
from sync.domain.stubs import stub_values
from sync.server.storage import blobs, records
from sync.server.storage.batch import Batch
from sync.server.storage.records import COLUMNS, row_of
from sync.server.storage.statements import among, ids_json

# Places, posts and what is printed: nobody's own, and others hang on them.
_NOT_ALONE = frozenset(
    {
        *("community", "compound", "grid", "station", "building", "unit", "household_cluster"),
        *("account", "grant", "building_head_term", "partner_org", "visit_campaign", "door_sheet"),
    }
)
# Besides what names a record as its parent: in these fields a record says whose it is.
_WHOSE = ("household_id", "resident_id", "demand_id", "dispute_id", "record_id")
_BY_FIELD = frozenset(
    name
    for name, kind in KINDS.items()
    if name not in _NOT_ALONE and any(field in kind.fields and field != kind.parent for field in _WHOSE)
)


@dataclass(frozen=True, slots=True)
class Erased:
    """What went, or would go: records by kind, and the checksums of files that nothing names any more."""

    kinds: Counter[str]
    files: frozenset[str]


def may_be_erased(row: Row | None) -> bool:
    """Whether this is a record that can be erased by itself."""
    return row is not None and row.kind not in _NOT_ALONE


def erase(
    connection: Connection, community: str, record_id: str, *, replica: int, now: int, only_look: bool = False
) -> Erased | None:
    """Erase a record with all that belongs to it, in one transaction; None when it cannot be erased or is not here.

    A household takes its residents, visits, demands and disputes with it, a record its details, events, attachments
    and conflicts. The history keeps that there was a write, and of whom, but no value; what was refused of them goes.
    """
    batch = Batch(connection, community, replica=replica, now=now)
    batch.load([record_id], lock=True)
    first = batch.row(record_id)
    if first is None or not may_be_erased(first):
        return None
    rows = _belonging(batch, first)
    kinds = Counter(row.kind for row in rows)
    sums = frozenset(str(row.values["sha256"]) for row in rows if row.kind == "attachment" and row.values["sha256"])
    if only_look:
        return Erased(kinds, sums)
    for row in rows:
        batch.write(KINDS[row.kind], row.id, {DELETED: True}, parent_stream=row.stream)
    batch.finish()
    records.blank(connection, community, [(row.id, stub_values(row)) for row in rows])
    bound = {"community": community, "ids": ids_json(row.id for row in rows)}
    which = f"community = :community AND {among(connection, 'id')}"
    connection.execute(text(f"UPDATE history SET fields = '{{}}' WHERE {which}"), bound)
    connection.execute(text(f"DELETE FROM refused WHERE {which}"), bound)
    return Erased(kinds, sums - blobs.checksums(connection, community, now=now))


def _belonging(batch: Batch, first: Row) -> list[Row]:
    others = _said_whose(batch.connection, batch.community)
    found = {first.id: first}
    new: Iterable[str] = [first.id]
    while new:
        ids = frozenset(new)
        named = [record_id for record_id, whose in others.items() if whose & ids]
        batch.load(named, lock=True)
        rows = [*batch.children(ids), *filter(None, (batch.row(record_id) for record_id in named))]
        new = {row.id for row in rows if may_be_erased(row)} - found.keys()
        found |= {row.id: row for row in rows if row.id in new}
    return list(found.values())


def _said_whose(connection: Connection, community: str) -> dict[str, frozenset[str]]:
    """By id, whose the records are that say so in a field which is not their parent's."""
    lines = connection.execute(
        text(f"SELECT {COLUMNS} FROM record WHERE community = :community AND {among(connection, 'kind')}"),
        {"community": community, "ids": ids_json(_BY_FIELD)},
    )
    rows = map(row_of, lines)
    return {row.id: frozenset(str(row.values.get(field) or "") for field in _WHOSE) for row in rows}
