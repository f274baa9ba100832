"""Mandatory reports: whoever sees a child harmed reports first and writes it down afterwards, facts only.

Rule source: Law on the Protection of Minors, art. 11 (residents' committees report at once to police, civil affairs
or education). The record is created and not read back by its author's neighbours; it is never on the map.
"""

from dataclasses import dataclass

from sync.domain.act import Act
from sync.domain.calendar import parse_day
from sync.domain.catalogue import KINDS, check_value
from sync.domain.lines import one_line
from sync.domain.operations import Operation, new
from sync.errors import AccessError, RuleError


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportIntent:
    """What was seen, by whom it was reported and to whom; the place may be left open."""

    seen_on: str
    facts: str
    reported_to: str = "not_yet"
    reported_at: int | None = None
    receipt: str = ""
    building_id: str | None = None
    household_id: str | None = None


def report_harm(act: Act, intent: ReportIntent) -> list[Operation]:
    """Write down a report.

    RuleError: ('seen_on', 'bad_date' | 'future_date'), ('facts', 'required' | 'too_long'),
    ('reported_at', 'future_date'), ('reported_to', 'unknown_choice'). AccessError('out_of_scope').
    """
    if not act.viewer.grants or (intent.building_id and intent.building_id not in act.viewer.buildings()):
        raise AccessError("out_of_scope")
    parse_day(intent.seen_on, field="seen_on")
    if intent.seen_on > act.today:
        raise RuleError("seen_on", "future_date")
    if not intent.facts.strip():
        raise RuleError("facts", "required")
    if intent.reported_at is not None and intent.reported_at > act.now:
        raise RuleError("reported_at", "future_date")
    values = {
        "reported_by": act.author,
        "building_id": intent.building_id,
        "household_id": intent.household_id,
        "seen_on": intent.seen_on,
        "facts": intent.facts.strip(),
        "reported_to": intent.reported_to,
        "reported_at": intent.reported_at,
        "receipt": one_line(intent.receipt),
    }
    for name, value in values.items():
        check_value(KINDS["protection_report"], name, value)
    return [new("protection_report", act.id(), **values)]
