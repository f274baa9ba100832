"""Small disputes between people, and the reports that the law demands."""

from typing import Annotated

from sync.domain import streams
from sync.domain.fields import YEAR, Policy, Privacy, Purpose, Record, Slot, Type, mark

_dispute = Slot(Privacy.K4, Purpose.MEDIATION, retention_days=5 * YEAR)
_status = Slot(Privacy.K1, Purpose.MEDIATION, retention_days=5 * YEAR)
_report = Slot(Privacy.K5, Purpose.PROTECTION, retention_days=3 * YEAR)

STATES = (
    "noticed",
    "registered",
    "settled_on_spot",
    "not_a_dispute",
    "not_accepted",
    "accepted",
    "mediating",
    "suspended",
    "refused",
    "failed",
    "agreed_written",
    "agreed_oral",
    "performing",
    "performed",
    "breached",
    "followed_up",
    "archived",
    "escalated",
    "transferred",
    "reopened",
    "closed",
)
RISKS = ("red", "yellow", "green")
SCALES = ("01", "02", "03")
CATEGORIES = tuple(f"{number:02d}" for number in (*range(1, 17), 99))
RISK_SIGNS = (
    "violence",
    "threat",
    "weapon",
    "self_harm",
    "repeated_police",
    "ten_or_more",
    "minor_at_risk",
    "two_failed_attempts",
    "several_households",
    "property_company",
)

_R = Policy.REVIEW


class Dispute(Record, frozen=True, kw_only=True):
    """One dispute, from the first sign; a household is optional."""

    compound_id: Annotated[str, _dispute(mark("Compound"), policy=Policy.ONCE, refers="compound", need=True)] = ""
    building_id: Annotated[str | None, _dispute(mark("Building"), policy=_R, refers="building")] = None
    household_id: Annotated[str | None, _dispute(mark("One side"), policy=_R, refers="household")] = None
    other_household_id: Annotated[str | None, _dispute(mark("Other side"), policy=_R, refers="household")] = None
    place: Annotated[str, _dispute(mark("Place"), policy=_R)] = ""
    visit_id: Annotated[str | None, _dispute(mark("Visit"), policy=Policy.ONCE, refers="visit")] = None
    title: Annotated[str, _dispute(mark("In one line"), policy=_R, need=True, limit=100)] = ""
    noticed_on: Annotated[str, _dispute(mark("Noticed on"), Type.DATE, need=True)] = ""
    noticed_by: Annotated[str, _dispute(mark("Noticed by"), policy=Policy.ONCE, refers="account")] = ""
    category: Annotated[str, _dispute(mark("Category"), policy=_R, options=CATEGORIES, need=True)] = "02"
    subcategory: Annotated[str, _dispute(mark("Subcategory"), policy=_R, limit=4)] = ""
    summary: Annotated[str, _dispute(mark("What happened"), Type.LONG_TEXT, _R)] = ""
    scale: Annotated[str, _dispute(mark("Scale"), options=SCALES)] = "01"
    people_count: Annotated[int | None, _dispute(mark("People involved"), Type.INTEGER)] = None
    unit_involved: Annotated[str, _dispute(mark("Body involved"))] = ""
    amount: Annotated[int | None, _dispute(mark("Amount (yuan)"), Type.INTEGER)] = None
    party_name: Annotated[str, _dispute(mark("Main party"), policy=_R, limit=50)] = ""
    party_phone: Annotated[str, _dispute(mark("Main party's phone"), policy=_R, limit=30)] = ""
    party_address: Annotated[str, _dispute(mark("Main party's address"), policy=_R)] = ""
    other_party_name: Annotated[str, _dispute(mark("Other party"), policy=_R, limit=50)] = ""
    other_party_phone: Annotated[str, _dispute(mark("Other party's phone"), policy=_R, limit=30)] = ""
    risk: Annotated[str, _dispute(mark("Risk"), policy=_R, options=RISKS)] = "green"
    risk_signs: Annotated[tuple[str, ...], _dispute(mark("Signs of risk"), Type.LIST, _R)] = ()
    state: Annotated[str, _dispute(mark("State"), policy=_R, group="flow", options=STATES)] = "noticed"
    state_since: Annotated[str, _dispute(mark("Since"), Type.DATE, _R, group="flow")] = ""
    state_before: Annotated[str, _dispute(mark("State before"), policy=_R, group="flow", options=STATES)] = ""
    handler_id: Annotated[str | None, _dispute(mark("Handler"), policy=_R, group="flow", refers="account")] = None
    mediator_ids: Annotated[tuple[str, ...], _dispute(mark("Mediators"), Type.LIST, _R, group="flow")] = ()
    accepted_on: Annotated[str | None, _dispute(mark("Accepted on"), Type.DATE, _R, group="flow")] = None
    due_on: Annotated[str | None, _dispute(mark("Due"), Type.DATE, _R, group="flow")] = None
    method: Annotated[str, _dispute(mark("How it was settled"), policy=_R, group="flow")] = ""
    result: Annotated[str, _dispute(mark("Result"), Type.LONG_TEXT, _R, group="flow")] = ""
    succeeded: Annotated[bool | None, _dispute(mark("Settled"), Type.BOOLEAN, _R, group="flow")] = None
    follow_up_on: Annotated[str | None, _dispute(mark("Follow up on"), Type.DATE, _R, group="flow")] = None
    handed_to: Annotated[str, _dispute(mark("Handed to"), policy=_R, group="flow")] = ""


class DisputeEvent(Record, frozen=True, kw_only=True):
    """One step of a dispute; append only."""

    dispute_id: Annotated[str, _dispute(mark("Dispute"), policy=Policy.ONCE, refers="dispute", need=True)] = ""
    at: Annotated[int, _dispute(mark("When"), Type.INSTANT, Policy.ONCE)] = 0
    by: Annotated[str, _dispute(mark("Who"), policy=Policy.ONCE, refers="account")] = ""
    move: Annotated[str, _dispute(mark("Step"), policy=Policy.ONCE, limit=40)] = ""
    from_state: Annotated[str, _dispute(mark("From"), policy=Policy.ONCE, limit=40)] = ""
    to_state: Annotated[str, _dispute(mark("To"), policy=Policy.ONCE, limit=40)] = ""
    note: Annotated[str, _dispute(mark("Note"), Type.LONG_TEXT, Policy.ONCE)] = ""


class DisputeStatus(Record, frozen=True, kw_only=True):
    """State and due day of an accepted case, for the one who noticed it; its id is derived from the dispute's."""

    dispute_id: Annotated[str, _status(mark("Dispute"), policy=Policy.ONCE, refers="dispute", need=True)] = ""
    compound_id: Annotated[str, _status(mark("Compound"), policy=Policy.ONCE, refers="compound")] = ""
    noticed_by: Annotated[str, _status(mark("Noticed by"), policy=Policy.ONCE, refers="account")] = ""
    title: Annotated[str, _status(mark("In one line"), policy=Policy.ONCE, limit=100)] = ""
    state: Annotated[str, _status(mark("State"), options=STATES)] = "accepted"
    due_on: Annotated[str | None, _status(mark("Due"), Type.DATE)] = None


class ProtectionReport(Record, frozen=True, kw_only=True):
    """A mandatory report: facts only; never on the map, never a neighbour's to read."""

    reported_by: Annotated[str, _report(mark("Reported by"), policy=Policy.ONCE, refers="account")] = ""
    building_id: Annotated[str | None, _report(mark("Building"), policy=Policy.ONCE, refers="building")] = None
    household_id: Annotated[str | None, _report(mark("Household"), policy=Policy.ONCE, refers="household")] = None
    seen_on: Annotated[str, _report(mark("Seen on"), Type.DATE, need=True)] = ""
    facts: Annotated[str, _report(mark("What was seen"), Type.LONG_TEXT, _R, need=True)] = ""
    reported_to: Annotated[
        str,
        _report(mark("Reported to"), options=("police", "civil_affairs", "education", "community", "not_yet")),
    ] = "not_yet"
    reported_at: Annotated[int | None, _report(mark("Reported at"), Type.INSTANT)] = None
    receipt: Annotated[str, _report(mark("Receipt"))] = ""


KINDS = {
    "dispute": (Dispute, mark("Dispute"), streams.of_dispute, ""),
    "dispute_event": (DisputeEvent, mark("Step"), None, "dispute_id"),
    "dispute_status": (DisputeStatus, mark("Case state"), streams.of_dispute_status, ""),
    "protection_report": (ProtectionReport, mark("Mandatory report"), streams.of_report, ""),
}
