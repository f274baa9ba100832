"""Demands: what residents ask for, from the door to the answer."""

from typing import Annotated

from sync.domain import streams
from sync.domain.fields import YEAR, Policy, Privacy, Purpose, Record, Slot, Type, mark

_demand = Slot(Privacy.K1, Purpose.DEMANDS, retention_days=3 * YEAR)
_detail = Slot(Privacy.K3, Purpose.DEMANDS, retention_days=3 * YEAR)

SOURCES = ("visit", "station", "reception_day", "board", "meeting", "phone", "hotline", "superior", "patrol")
SCOPES = ("household", "unit", "building", "compound")
DEMAND_KINDS = ("complaint", "need", "suggestion", "consultation", "wish")
CATEGORIES = tuple(f"{number:02d}" for number in (*range(1, 17), 99))
URGENCIES = ("urgent", "coordinated", "routine")
LEVELS = ("head", "station", "community", "subdistrict", "district")
STATES = (
    "collected",
    "answered_on_spot",
    "accepted",
    "rejected",
    "merged",
    "dispatched",
    "taken",
    "in_progress",
    "resolved",
    "replied",
    "evaluated",
    "archived",
    "returned",
    "suspended",
    "scheduled",
    "escalated",
    "reopened",
    "withdrawn",
)
CLOSE_KINDS = ("substantive", "interim", "procedural", "discontinued")
REPLY_MODES = ("in_person", "phone", "message", "paper", "notice_board")
EVALUATIONS = ("satisfied", "mostly", "dissatisfied", "not_reached")

_R = Policy.REVIEW


class Demand(Record, frozen=True, kw_only=True):
    """One demand; ``state``, ``handler``, ``result`` and what belongs to them are one register, ``flow``."""

    building_id: Annotated[str | None, _demand(mark("Building"), policy=_R, group="place", refers="building")] = None
    compound_id: Annotated[str, _demand(mark("Compound"), policy=_R, group="place", refers="compound")] = ""
    household_id: Annotated[str | None, _demand(mark("Household"), policy=_R, group="place", refers="household")] = None
    scope: Annotated[str, _demand(mark("Concerns"), policy=_R, group="place", options=SCOPES, need=True)] = "household"
    scope_id: Annotated[str, _demand(mark("Place"), policy=_R, group="place", need=True)] = ""
    demand_no: Annotated[str, _demand(mark("Number"), policy=Policy.SERVER, limit=30)] = ""
    source: Annotated[str, _demand(mark("Source"), policy=Policy.ONCE, options=SOURCES, need=True)] = "visit"
    visit_id: Annotated[str | None, _demand(mark("Visit"), policy=Policy.ONCE, refers="visit")] = None
    raised_by: Annotated[str, _demand(mark("Raised by"), privacy=Privacy.K2, limit=50)] = ""
    category: Annotated[str, _demand(mark("Category"), policy=_R, options=CATEGORIES, need=True)] = "99"
    demand_kind: Annotated[str, _demand(mark("Sort"), options=DEMAND_KINDS, need=True)] = "need"
    title: Annotated[str, _demand(mark("In one line"), policy=_R, need=True, limit=100)] = ""
    details: Annotated[str, _demand(mark("Details"), Type.LONG_TEXT, _R)] = ""
    affected_count: Annotated[int, _demand(mark("Households affected"), Type.INTEGER)] = 1
    urgency: Annotated[str, _demand(mark("Urgency"), policy=_R, options=URGENCIES, need=True)] = "routine"
    life_safety: Annotated[bool, _demand(mark("Danger to life"), Type.BOOLEAN, _R)] = False
    level: Annotated[str, _demand(mark("Handled by level"), policy=_R, group="flow", options=LEVELS)] = "station"
    state: Annotated[str, _demand(mark("State"), policy=_R, group="flow", options=STATES)] = "collected"
    handler_id: Annotated[str | None, _demand(mark("Handler"), policy=_R, group="flow", refers="account")] = None
    partner_id: Annotated[str | None, _demand(mark("Partner"), policy=_R, group="flow", refers="partner_org")] = None
    result: Annotated[str, _demand(mark("Result"), Type.LONG_TEXT, _R, group="flow")] = ""
    close_kind: Annotated[str, _demand(mark("How closed"), policy=_R, group="flow", options=CLOSE_KINDS)] = ""
    review_on: Annotated[str | None, _demand(mark("Look again on"), Type.DATE, _R, group="flow")] = None
    merged_into_id: Annotated[str | None, _demand(mark("Merged into"), policy=_R, group="flow", refers="demand")] = None
    reopen_count: Annotated[int, _demand(mark("Reopened"), Type.INTEGER, _R, group="flow")] = 0
    return_count: Annotated[int, _demand(mark("Returned"), Type.INTEGER, _R, group="flow")] = 0
    replied_on: Annotated[str | None, _demand(mark("Resident told on"), Type.DATE, _R, group="flow")] = None
    reply_mode: Annotated[str, _demand(mark("Resident told how"), policy=_R, group="flow", options=REPLY_MODES)] = ""
    evaluation: Annotated[str, _demand(mark("Evaluation"), policy=_R, group="flow", options=EVALUATIONS)] = ""
    state_before: Annotated[str, _demand(mark("State before"), policy=_R, group="flow", options=STATES)] = ""
    resolved_at: Annotated[int | None, _demand(mark("Resolved at"), Type.INSTANT, _R, group="flow")] = None
    respond_due_at: Annotated[int | None, _demand(mark("First answer due"), Type.INSTANT)] = None
    resolve_due_at: Annotated[int | None, _demand(mark("To be resolved by"), Type.INSTANT)] = None
    reported_at: Annotated[int, _demand(mark("Raised at"), Type.INSTANT, Policy.ONCE)] = 0
    recorded_by: Annotated[str, _demand(mark("Recorded by"), policy=Policy.ONCE, refers="account")] = ""


class DemandEvent(Record, frozen=True, kw_only=True):
    """One step of a demand; append only."""

    demand_id: Annotated[str, _demand(mark("Demand"), policy=Policy.ONCE, refers="demand", need=True)] = ""
    at: Annotated[int, _demand(mark("When"), Type.INSTANT, Policy.ONCE)] = 0
    by: Annotated[str, _demand(mark("Who"), policy=Policy.ONCE, refers="account")] = ""
    move: Annotated[str, _demand(mark("Step"), policy=Policy.ONCE, limit=40)] = ""
    from_state: Annotated[str, _demand(mark("From"), policy=Policy.ONCE, limit=40)] = ""
    to_state: Annotated[str, _demand(mark("To"), policy=Policy.ONCE, limit=40)] = ""
    note: Annotated[str, _demand(mark("Note"), Type.LONG_TEXT, Policy.ONCE)] = ""


class DemandDetail(Record, frozen=True, kw_only=True):
    """The words of a demand in a sensitive category; the demand's own title is the category's name."""

    demand_id: Annotated[str, _detail(mark("Demand"), policy=Policy.ONCE, refers="demand", need=True)] = ""
    building_id: Annotated[str, _detail(mark("Building"), policy=Policy.ONCE, refers="building")] = ""
    title: Annotated[str, _detail(mark("In one line"), policy=_R, limit=100)] = ""
    details: Annotated[str, _detail(mark("Details"), Type.LONG_TEXT, _R)] = ""


KINDS = {
    "demand": (Demand, mark("Demand"), streams.of_place, ""),
    "demand_event": (DemandEvent, mark("Step"), None, "demand_id"),
    "demand_detail": (DemandDetail, mark("Details"), streams.of_care, "demand_id"),
}
