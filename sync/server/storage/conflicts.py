"""Conflicts as records: two people changed one register without seeing each other's value; both values are kept."""

from collections.abc import Sequence

import msgspec

from sync.domain.catalogue import KINDS
from sync.domain.clock import Clock, ms_of
from sync.domain.ids import derived_id
from sync.domain.merge import Clash
from sync.server.storage.batch import Batch
from sync.server.storage.history import versions


def write(batch: Batch, clashes: Sequence[tuple[int, str, Clash]]) -> None:
    """Write one record for each clash (place in the batch, record, clash) beside the row it is about."""
    if not clashes:
        return
    ids = {conflict_id(batch, record_id, clash): (record_id, clash) for _, record_id, clash in clashes}
    batch.load(ids, lock=True)
    unknown = {
        (record_id, clock)
        for record_id, clash in ids.values()
        for clock in (clash.kept_clock, clash.lost_clock)
        if (record_id, clock) not in batch.authors
    }
    known = versions(batch.connection, batch.community, unknown)

    def author(record_id: str, clock: Clock) -> str:
        version = known.get((record_id, clock))
        return batch.authors.get((record_id, clock)) or (version.author if version else "")

    for made_id, (record_id, clash) in ids.items():
        row = batch.row(record_id)
        assert row is not None
        if batch.row(made_id) is not None:
            continue  # the same two versions met before
        fields = {
            "record_kind": row.kind,
            "record_id": record_id,
            "register": clash.register,
            "kept": msgspec.json.encode(clash.kept).decode(),
            "lost": msgspec.json.encode(clash.lost).decode(),
            "kept_by": author(record_id, clash.kept_clock),
            "lost_by": author(record_id, clash.lost_clock),
            "kept_at": ms_of(clash.kept_clock[0]),
            "lost_at": ms_of(clash.lost_clock[0]),
        }
        batch.write(KINDS["conflict"], made_id, fields, parent_stream=row.stream)


def conflict_id(batch: Batch, record_id: str, clash: Clash) -> str:
    """The same on every server that ever meets these two versions, in whatever order."""
    row = batch.row(record_id)
    assert row is not None
    clocks = (f"{hlc}.{device}" for hlc, device in (clash.kept_clock, clash.lost_clock))
    return derived_id("conflict", row.kind, record_id, clash.register, *clocks)
