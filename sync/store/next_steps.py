"""What waits for the viewer: the numbers beside the entries of the sidebar."""

from dataclasses import dataclass

from sync.domain.calendar import day_of
from sync.domain.demand_flow import UNCLAIMED
from sync.domain.roles import STATION_ROLES, Viewer
from sync.store import disputes
from sync.store.database import Database, converted
from sync.store.demand_rows import quoted
from sync.store.viewers import MINE, viewer_streams


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many demands and disputes the viewer is the next to do something about."""

    demands: int
    disputes: int


def waiting(db: Database, viewer: Viewer, *, now: int) -> Waiting:
    """Both numbers at once.

    Demands. Station: those nobody has accepted yet, and those sent to the viewer in person. Head: residents of the own
    buildings to be told of the result, and dissatisfied ones. Disputes: those that are due, as among today's work.
    """
    if viewer.has_any(STATION_ROLES):
        condition = (
            f"d.state IN ({quoted(UNCLAIMED)})"
            " OR (d.state = 'dispatched' AND d.handler_id = :me AND d.partner_id IS NULL)"
        )
    else:
        condition = "d.state = 'resolved' OR (d.state = 'replied' AND d.evaluation = 'dissatisfied')"
    statement = f"SELECT count(*) FROM demand d WHERE d.deleted = 0 AND d.{MINE} AND ({condition})"
    given = {"streams": viewer_streams(viewer), "me": viewer.account_id}
    with converted():
        (number,) = db.conn.execute(statement, given).fetchone()
    due = disputes.due_items(db, viewer, day_of(now))
    return Waiting(number, sum(not row.is_state_only for row in due))  # of those others have, nothing is asked
