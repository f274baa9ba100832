"""Files demands whose resident was told and whom nobody could ask afterwards: only time brings this about."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from sync.domain.catalogue import KINDS
from sync.domain.demand_flow import auto_archive_at
from sync.domain.ids import derived_id
from sync.domain.kinds.demands import Demand
from sync.domain.merge import Row
from sync.server.storage.batch import Batch
from sync.server.storage.records import COLUMNS, row_of

_DEMAND, _EVENT = KINDS["demand"], KINDS["demand_event"]


def overdue(connection: Connection, community: str, *, now: int) -> list[str]:
    """The ids of demands told long enough ago and never evaluated. Rule source: the flow of a demand, 15 days."""
    found = connection.execute(
        text(
            f"SELECT {COLUMNS} FROM record WHERE community = :community AND kind = 'demand'"
            " AND deleted = :no AND fields LIKE :replied ORDER BY id"
        ),
        {"community": community, "no": False, "replied": '%"state":"replied"%'},
    )
    return [row.id for row in map(row_of, found) if _told_long_ago(row, now=now) is not None]


def archive(connection: Connection, community: str, demand_ids: Sequence[str], *, replica: int, now: int) -> int:
    """File those of these demands that still wait, as not reached and with their step; how many there were."""
    batch = Batch(connection, community, replica=replica, now=now)
    batch.load(demand_ids, lock=True)
    waiting = {demand_id: found for demand_id in demand_ids if (found := _told_long_ago(batch.row(demand_id), now=now))}
    steps = {
        demand_id: derived_id("auto_archive", demand_id, str(told.replied_on)) for demand_id, told in waiting.items()
    }
    batch.load(steps.values(), lock=True)
    for demand_id, told in waiting.items():
        row = batch.row(demand_id)
        assert row is not None
        batch.write(_DEMAND, demand_id, {"state": "archived", "state_before": told.state, "evaluation": "not_reached"})
        step = {"demand_id": demand_id, "at": now, "move": "auto_archive"}
        batch.write(
            _EVENT,
            steps[demand_id],
            {**step, "from_state": told.state, "to_state": "archived"},
            parent_stream=row.stream,
        )
    batch.finish()
    return len(waiting)


def _told_long_ago(row: Row | None, *, now: int) -> Demand | None:
    """The demand of this row if it is one to be filed."""
    if row is None or row.deleted:
        return None
    demand = _DEMAND.record(row.id, row.values)
    assert isinstance(demand, Demand)
    if demand.state != "replied" or demand.evaluation or not demand.replied_on:
        return None
    return demand if auto_archive_at(demand.replied_on) <= now else None
