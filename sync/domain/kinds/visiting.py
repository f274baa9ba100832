"""Visits: campaigns with rounds, door sheets, and each knock on a door."""

from typing import Annotated

from sync.domain import streams
from sync.domain.fields import YEAR, Policy, Privacy, Purpose, Record, Slot, Type, mark

_plan = Slot(Privacy.K0, Purpose.VISITING)
_visit = Slot(Privacy.K1, Purpose.VISITING, retention_days=3 * YEAR)

TIME_BANDS = ("morning", "afternoon", "evening", "weekend")
CONTACT_MODES = ("door", "phone", "met_elsewhere", "station")
OUTCOMES = ("met", "no_answer", "refused", "vacant", "moved_away", "by_appointment")
REASONS = ("due", "campaign", "knock_drive", "tell_result", "other")
CHANGES = ("moved_in", "moved_out", "rented_out", "phone_changed", "other")


class VisitCampaign(Record, frozen=True, kw_only=True):
    """A campaign with numbered rounds, such as the seven rounds into the building."""

    name: Annotated[str, _plan(mark("Campaign"), need=True)] = ""
    rounds: Annotated[tuple[str, ...], _plan(mark("Rounds"), Type.LIST)] = ()
    open_round: Annotated[int, _plan(mark("Open round"), Type.INTEGER)] = 1
    starts_on: Annotated[str | None, _plan(mark("From"), Type.DATE)] = None
    ends_on: Annotated[str | None, _plan(mark("Until"), Type.DATE)] = None
    state: Annotated[str, _plan(mark("State"), options=("planned", "open", "closed"))] = "open"


class DoorSheet(Record, frozen=True, kw_only=True):
    """A printed list of doors; its code leads back to the first of them."""

    building_id: Annotated[str, _plan(mark("Building"), policy=Policy.ONCE, refers="building", need=True)] = ""
    code: Annotated[str, _plan(mark("Sheet code"), policy=Policy.ONCE, limit=12)] = ""
    household_ids: Annotated[tuple[str, ...], _plan(mark("Doors"), Type.LIST, Policy.ONCE)] = ()
    printed_on: Annotated[str, _plan(mark("Printed on"), Type.DATE, Policy.ONCE)] = ""
    campaign_id: Annotated[str | None, _plan(mark("Campaign"), policy=Policy.ONCE, refers="visit_campaign")] = None
    round_no: Annotated[int | None, _plan(mark("Round"), Type.INTEGER, Policy.ONCE)] = None


class Visit(Record, frozen=True, kw_only=True):
    """One knock on a door, or one talk with a household."""

    household_id: Annotated[str, _visit(mark("Household"), policy=Policy.ONCE, refers="household", need=True)] = ""
    building_id: Annotated[str, _visit(mark("Building"), policy=Policy.ONCE, refers="building")] = ""
    visited_on: Annotated[str, _visit(mark("Which day"), Type.DATE, need=True)] = ""
    time_band: Annotated[str, _visit(mark("Time of day"), options=TIME_BANDS, need=True)] = "morning"
    visitor_ids: Annotated[tuple[str, ...], _visit(mark("Visitors"), Type.LIST, need=True)] = ()
    contact_mode: Annotated[str, _visit(mark("How"), options=CONTACT_MODES, need=True)] = "door"
    outcome: Annotated[str, _visit(mark("Outcome"), policy=Policy.REVIEW, options=OUTCOMES, need=True)] = "met"
    reasons: Annotated[tuple[str, ...], _visit(mark("Why"), Type.LIST)] = ()
    contact_person: Annotated[str, _visit(mark("Who was met"), privacy=Privacy.K2, limit=50)] = ""
    note: Annotated[str, _visit(mark("What was said"), Type.LONG_TEXT, Policy.REVIEW)] = ""
    change_flags: Annotated[tuple[str, ...], _visit(mark("Changes found"), Type.LIST)] = ()
    appointment_on: Annotated[str | None, _visit(mark("Agreed day"), Type.DATE)] = None
    next_due_on: Annotated[str | None, _visit(mark("Next visit"), Type.DATE)] = None
    campaign_id: Annotated[str | None, _visit(mark("Campaign"), refers="visit_campaign")] = None
    round_no: Annotated[int | None, _visit(mark("Round"), Type.INTEGER)] = None
    privacy_notice_id: Annotated[str | None, _visit(mark("Notice given"), refers="privacy_notice")] = None
    attachment_ids: Annotated[tuple[str, ...], _visit(mark("Attachments"), Type.LIST)] = ()
    recorded_by: Annotated[str, _visit(mark("Recorded by"), policy=Policy.ONCE, refers="account")] = ""
    recorded_at: Annotated[int, _visit(mark("Recorded at"), Type.INSTANT, Policy.ONCE)] = 0
    late_reason: Annotated[str, _visit(mark("Why entered late"))] = ""


KINDS = {
    "visit_campaign": (VisitCampaign, mark("Campaign"), streams.of_community, ""),
    "door_sheet": (DoorSheet, mark("Door sheet"), streams.of_building, "building_id"),
    "visit": (Visit, mark("Visit"), streams.of_building, "household_id"),
}
