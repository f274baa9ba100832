"""What sync itself leaves for people to look at: conflicts, and refused work that was handed to the secretary."""

from typing import Annotated

from sync.domain import streams
from sync.domain.fields import Policy, Privacy, Purpose, Record, Slot, Type, mark

_conflict = Slot(Privacy.K2, Purpose.SYNC, retention_days=365)
_handed = Slot(Privacy.K2, Purpose.SYNC, retention_days=90, since=2)


class Conflict(Record, frozen=True, kw_only=True):
    """Two people changed one field without seeing each other's value; both values are here, as JSON text."""

    record_kind: Annotated[str, _conflict(mark("Sort"), policy=Policy.ONCE, limit=40)] = ""
    record_id: Annotated[str, _conflict(mark("Record"), policy=Policy.ONCE)] = ""
    register: Annotated[str, _conflict(mark("Field"), policy=Policy.ONCE, limit=40)] = ""
    kept: Annotated[str, _conflict(mark("Used now"), Type.LONG_TEXT, Policy.ONCE, limit=20000)] = ""
    lost: Annotated[str, _conflict(mark("The other one"), Type.LONG_TEXT, Policy.ONCE, limit=20000)] = ""
    kept_by: Annotated[str, _conflict(mark("Who"), policy=Policy.ONCE, refers="account")] = ""
    lost_by: Annotated[str, _conflict(mark("Who else"), policy=Policy.ONCE, refers="account")] = ""
    kept_at: Annotated[int, _conflict(mark("When"), Type.INSTANT, Policy.ONCE)] = 0
    lost_at: Annotated[int, _conflict(mark("When else"), Type.INSTANT, Policy.ONCE)] = 0
    state: Annotated[str, _conflict(mark("State"), options=("open", "settled"))] = "open"
    settled_by: Annotated[str | None, _conflict(mark("Settled by"), refers="account")] = None


class HandedOn(Record, frozen=True, kw_only=True):
    """What the server would not take from somebody, given to the secretary to see to; ``content`` is JSON text."""

    by: Annotated[str, _handed(mark("Who"), policy=Policy.ONCE, refers="account", need=True)] = ""
    record_kind: Annotated[str, _handed(mark("Sort"), policy=Policy.ONCE, limit=40)] = ""
    record_id: Annotated[str, _handed(mark("Record"), policy=Policy.ONCE)] = ""
    place: Annotated[str, _handed(mark("Place"), policy=Policy.ONCE)] = ""
    code: Annotated[str, _handed(mark("Reason"), policy=Policy.ONCE, limit=40)] = ""
    content: Annotated[str, _handed(mark("What was written"), Type.LONG_TEXT, Policy.ONCE, limit=20000)] = "[]"
    made_at: Annotated[int, _handed(mark("Recorded at"), Type.INSTANT, Policy.ONCE)] = 0
    state: Annotated[str, _handed(mark("State"), options=("open", "done"))] = "open"
    done_by: Annotated[str | None, _handed(mark("Seen to by"), refers="account")] = None


KINDS = {
    "conflict": (Conflict, mark("Two versions"), None, "record_id"),
    "handed_on": (HandedOn, mark("Handed to the secretary"), streams.of_handed, ""),
}
