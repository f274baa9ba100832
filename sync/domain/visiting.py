"""Visits: one record a knock; what is recorded with it, and what may be put right on the same day."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sync.domain.act import Act
from sync.domain.calendar import CHINA, WorkCalendar, day_of, days_between, parse_day
from sync.domain.care import CONTACT, next_due_on
from sync.domain.catalogue import KINDS, check_value
from sync.domain.demands import DemandIntent, DemandPlace, raise_demand
from sync.domain.disputes import NoticePlace, notice
from sync.domain.fields import Type
from sync.domain.kinds.visiting import CHANGES, REASONS
from sync.domain.lines import one_line
from sync.domain.operations import Operation, delete, new, patch
from sync.domain.roles import OFFICE_ROLES
from sync.domain.visit_facts import DoorFacts, KnownVisit, VisitIntent
from sync.errors import AccessError, RuleError

LATE_AFTER_DAYS = 7  # older than this one says why it is entered only now
_NOON, _EVENING = 12, 18
# What may still be put right on the same day; the household, the day and the author may not.
CHANGEABLE = (
    "time_band",
    "contact_mode",
    "outcome",
    "reasons",
    "contact_person",
    "note",
    "change_flags",
    "appointment_on",
)


def band_at(now: int, *, calendar: WorkCalendar) -> str:
    """The time band of an instant in ms: a day off is weekend, else by noon and six o'clock in China."""
    if not calendar.is_working_day(day_of(now)):
        return "weekend"
    hour = datetime.fromtimestamp(now / 1000, CHINA).hour
    return "morning" if hour < _NOON else "afternoon" if hour < _EVENING else "evening"


def band_of(act: Act) -> str:
    """The time band of now."""
    return band_at(act.now, calendar=act.calendar)


def record_visit(act: Act, intent: VisitIntent, facts: DoorFacts) -> list[Operation]:
    """The visit first, then the notice, the demands and the dispute that name it. Rule source: the visit form.

    RuleError: ('visited_on', 'bad_date' | 'future_date'), ('late_reason', 'late_reason_needed'),
    ('appointment_on', 'bad_date' | 'before_visit'), ('notice_given', 'notice_needed'), 'too_long' and
    'unknown_choice' of any field, and what demands and disputes refuse. AccessError('out_of_scope').
    """
    _inside(act, facts.building_id)
    day = intent.visited_on or act.today
    band = intent.time_band or band_of(act)
    _check_day(act, day, late_reason=intent.late_reason)
    visit_id = act.id()
    notice_id, made = _notice(
        act,
        facts,
        given=intent.notice_given,
        day=day,
        by_phone=intent.contact_mode == "phone",
        needed=_collects(intent),
    )
    values = _checked(
        {
            "household_id": facts.household_id,
            "building_id": facts.building_id,
            "visited_on": day,
            "time_band": band,
            "visitor_ids": intent.visitor_ids or (act.author,),
            "contact_mode": intent.contact_mode,
            "outcome": intent.outcome,
            "reasons": intent.reasons,
            "contact_person": one_line(intent.contact_person),
            "note": intent.note.strip(),
            "change_flags": intent.change_flags,
            "appointment_on": _agreed_day(intent.appointment_on, day=day),
            "next_due_on": _next_due(intent, day=day, facts=facts),
            "campaign_id": facts.campaign_id,
            "round_no": facts.round_no,
            "privacy_notice_id": notice_id,
            "recorded_by": act.author,
            "recorded_at": act.now,
            "late_reason": one_line(intent.late_reason),
        }
    )
    operations = [new("visit", visit_id, **values), *made]
    operations += _demands(act, intent.demands, facts, visit_id=visit_id, day=day)
    if intent.dispute is not None:
        at = NoticePlace(
            compound_id=facts.compound_id,
            building_id=facts.building_id,
            household_id=facts.household_id,
            visit_id=visit_id,
            categories=facts.dispute_categories,
        )
        operations += notice(act, intent.dispute, at)
    return operations


def add_to_visit(
    act: Act, demands: Sequence[DemandIntent], known: KnownVisit, facts: DoorFacts, *, notice_given: bool
) -> list[Operation]:
    """Demands that were raised in a visit recorded a moment ago (the plus key on the façade). Errors as for a visit."""
    _inside(act, facts.building_id)
    notice_id, operations = _notice(
        act, facts, given=notice_given, day=known.visited_on, by_phone=False, needed=known.outcome == "met"
    )
    if operations and known.recorded_by == act.author:
        operations.append(patch("visit", known.visit_id, privacy_notice_id=notice_id))
    return operations + _demands(act, demands, facts, visit_id=known.visit_id, day=known.visited_on)


def as_change(known: KnownVisit) -> VisitIntent:
    """The intent that would change nothing: what a form is filled with to put a visit right."""
    return VisitIntent(
        household_id=known.household_id,
        visited_on=known.visited_on,
        time_band=known.time_band,
        contact_mode=known.contact_mode,
        outcome=known.outcome,
        reasons=known.reasons,
        contact_person=known.contact_person,
        note=known.note,
        change_flags=known.change_flags,
        appointment_on=known.appointment_on,
    )


def change_visit(act: Act, intent: VisitIntent, known: KnownVisit, facts: DoorFacts) -> list[Operation]:
    """Put an own visit right on the day it was recorded; only what differs is written.

    AccessError('not_yours'); RuleError('visit', 'too_late_to_change') and the errors of ``record_visit``.
    """
    _own(act, known)
    if not is_todays_own(act, known):
        raise RuleError("visit", "too_late_to_change")
    values = _checked({name: _tidy(getattr(intent, name)) for name in CHANGEABLE})
    _agreed_day(intent.appointment_on, day=known.visited_on)
    changed = {name: value for name, value in values.items() if value != getattr(known, name)}
    if "outcome" in changed or "appointment_on" in changed:
        changed["next_due_on"] = _next_due(intent, day=known.visited_on, facts=facts)
    by_phone = intent.contact_mode == "phone"
    notice_id, made = _notice(
        act, facts, given=intent.notice_given, day=known.visited_on, by_phone=by_phone, needed=_collects(intent)
    )
    if made:
        changed["privacy_notice_id"] = notice_id
    return [patch("visit", known.visit_id, **changed), *made] if changed else []


def undo_visit(act: Act, known: KnownVisit) -> list[Operation]:
    """Take back an own visit on the day it was recorded, with the demands and the dispute sign raised in it.

    AccessError('not_yours'); RuleError('visit', 'too_late_to_undo' | 'already_in_hand').
    """
    _own(act, known)
    if not is_todays_own(act, known):
        raise RuleError("visit", "too_late_to_undo")
    if known.in_hand:
        raise RuleError("visit", "already_in_hand")
    return [delete("visit", known.visit_id), *(delete(kind, record_id) for kind, record_id in known.made)]


def _notice(
    act: Act, facts: DoorFacts, *, given: bool, day: str, by_phone: bool, needed: bool
) -> tuple[str | None, list[Operation]]:
    if facts.notice_id is not None:
        return facts.notice_id, []
    if not given:
        if needed:
            raise RuleError("notice_given", "notice_needed")
        return None, []
    notice_id = act.id()
    made = new(
        "privacy_notice",
        notice_id,
        household_id=facts.household_id,
        building_id=facts.building_id,
        given_on=day,
        given_by=act.author,
        way="phone" if by_phone else "in_person",
    )
    return notice_id, [made]


def _demands(
    act: Act, demands: Iterable[DemandIntent], facts: DoorFacts, *, visit_id: str, day: str
) -> list[Operation]:
    place = DemandPlace(
        compound_id=facts.compound_id,
        building_id=facts.building_id,
        unit_id=facts.unit_id,
        household_id=facts.household_id,
        visit_id=visit_id,
        categories=facts.categories,
    )
    raised = (raise_demand(act, replace(demand, source="visit", raised_on=day), place) for demand in demands)
    return [operation for operations in raised for operation in operations]


def _collects(intent: VisitIntent) -> bool:
    # What the household itself said is collected from it; an empty corridor or a closed door is not.
    return intent.outcome == "met" and bool(intent.note.strip() or intent.contact_person.strip() or intent.demands)


def _inside(act: Act, building_id: str) -> None:
    if building_id not in act.viewer.buildings(OFFICE_ROLES):
        raise AccessError("out_of_scope")


def _check_day(act: Act, day: str, *, late_reason: str) -> None:
    parse_day(day, field="visited_on")
    if day > act.today:
        raise RuleError("visited_on", "future_date", today=act.today)
    if days_between(day, act.today) > LATE_AFTER_DAYS and not late_reason.strip():
        raise RuleError("late_reason", "late_reason_needed", days=LATE_AFTER_DAYS)


def _agreed_day(appointment_on: str | None, *, day: str) -> str | None:
    if not appointment_on:
        return None
    parse_day(appointment_on, field="appointment_on")
    if appointment_on < day:
        raise RuleError("appointment_on", "before_visit")
    return appointment_on


def _next_due(intent: VisitIntent, *, day: str, facts: DoorFacts) -> str | None:
    # An agreed day goes before the interval. What was never reached is due all the time: no day of its own.
    if intent.appointment_on:
        return intent.appointment_on
    last = facts.last_contact_on
    if intent.outcome in CONTACT and (last is None or last < day):
        last = day
    return next_due_on(last, level=facts.level, rules=facts.care)


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    for name, value in values.items():
        check_value(KINDS["visit"], name, value)
        field = KINDS["visit"].fields[name]
        if field.type is Type.CHOICE and not value:
            raise RuleError(name, "required")
    for name, options in (("reasons", REASONS), ("change_flags", CHANGES)):
        if not set(values[name]) <= set(options):
            raise RuleError(name, "unknown_choice")
    return values


def _tidy(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _own(act: Act, known: KnownVisit) -> None:
    if known.recorded_by != act.author:
        raise AccessError("not_yours")


def is_todays_own(act: Act, known: KnownVisit) -> bool:
    """Whether the author recorded it today and so may still put it right."""
    return known.recorded_by == act.author and day_of(known.recorded_at) == act.today
