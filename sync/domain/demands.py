"""Demands: raising one with everything that follows from its category."""

from dataclasses import dataclass

from sync.domain import operations
from sync.domain.act import Act
from sync.domain.calendar import end_of_day, parse_day
from sync.domain.categories import DEFAULT_CATEGORIES, DemandCategories
from sync.domain.demand_flow import due_times
from sync.domain.ids import derived_id
from sync.domain.kinds.demands import DEMAND_KINDS, SCOPES, SOURCES, URGENCIES
from sync.domain.lines import one_line
from sync.domain.operations import Operation
from sync.errors import RuleError

ANONYMOUS = "匿名"  # stands as the one who raised it where nobody wants to be named


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandIntent:
    """What a person enters for one demand; everything left empty follows from the category.

    ``signs`` are the ticked ones of the category (an outage, somebody trapped in the lift): they raise the urgency.
    ``answer`` is what was answered on the spot; with it the demand is settled at once. ``raised_on`` is the day on
    which the resident said it ('YYYY-MM-DD', empty for today): the time limits count from then.
    """

    category: str
    title: str
    demand_kind: str = "need"
    scope: str = "household"
    details: str = ""
    source: str = "visit"
    raised_by: str = ""
    raised_on: str = ""
    affected_count: int = 1
    urgency: str = ""
    signs: tuple[str, ...] = ()
    life_safety: bool = False
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandPlace:
    """Facts for raising: where the resident lives or what is concerned, and the visit in which it was said."""

    compound_id: str
    building_id: str | None = None
    unit_id: str | None = None
    household_id: str | None = None
    visit_id: str | None = None
    categories: DemandCategories = DEFAULT_CATEGORIES


@dataclass(frozen=True, slots=True)
class Urgency:
    """How urgent a demand is, and whether there is danger to life."""

    urgency: str
    life_safety: bool


def urgency_of(intent: DemandIntent, *, categories: DemandCategories = DEFAULT_CATEGORIES) -> Urgency:
    """The urgency that holds: the one chosen, else the category's default; danger to life is always urgent.

    Raises RuleError('category', 'unknown_category') and RuleError('urgency', 'unknown_choice').
    """
    start, danger = categories[intent.category].start_urgency(intent.signs)
    if danger or intent.life_safety:
        return Urgency("urgent", True)
    urgency = intent.urgency or start
    _one_of("urgency", urgency, URGENCIES)
    return Urgency(urgency, False)


def raise_demand(act: Act, intent: DemandIntent, facts: DemandPlace) -> list[Operation]:
    """A new demand with its first event; the demand is the first operation. Rule source: the demand form.

    Words of a sensitive category go to a ``demand_detail`` in the building's care stream, and the demand itself
    carries the category's name. Raises RuleError(field, code): ``required``, ``unknown_choice``, ``too_small``,
    ``future_date``, ``place_needed``.
    """
    title, answer = one_line(intent.title), intent.answer.strip()
    _required("title", title)
    _one_of("demand_kind", intent.demand_kind, DEMAND_KINDS)
    _one_of("source", intent.source, SOURCES)
    if intent.affected_count < 1:
        raise RuleError("affected_count", "too_small", least=1)
    urgency = urgency_of(intent, categories=facts.categories)
    reported_at = _reported_at(intent.raised_on, act=act)
    place = place_values(intent.scope, facts)
    # What concerns the whole compound is read by the heads of all its buildings: it names no household.
    of_compound = intent.scope == "compound"
    building_id = place["building_id"]
    category = facts.categories[intent.category]
    is_sensitive = category.sensitive and building_id is not None
    respond_due_at, resolve_due_at = due_times(urgency.urgency, reported_at=reported_at, calendar=act.calendar)
    state = "answered_on_spot" if answer else "collected"
    demand_id, event_id = act.id(), act.id()
    details = intent.details.strip()
    made = [
        operations.new(
            "demand",
            demand_id,
            **place,
            source=intent.source,
            visit_id=facts.visit_id,
            raised_by="" if of_compound else one_line(intent.raised_by),
            category=intent.category,
            demand_kind=intent.demand_kind,
            title=category.label if is_sensitive else title,
            details="" if is_sensitive else details,
            affected_count=intent.affected_count,
            urgency=urgency.urgency,
            life_safety=urgency.life_safety,
            level="head" if answer and act.viewer.is_head_only() else "station",
            state=state,
            result="" if is_sensitive else answer,
            resolved_at=act.now if answer else None,
            respond_due_at=respond_due_at,
            resolve_due_at=resolve_due_at,
            reported_at=reported_at,
            recorded_by=act.author,
        ),
        operations.new(
            "demand_event",
            event_id,
            demand_id=demand_id,
            at=act.now,
            by=act.author,
            move="answer_on_spot" if answer else "create",
            from_state="new",
            to_state=state,
        ),
    ]
    if is_sensitive and building_id is not None:
        made.append(detail(act.id(), demand_id, building_id, title=title, details=details))
        if answer:
            made.append(detail(step_words_id(event_id), demand_id, building_id, title="", details=answer))
    return made


def place_values(scope: str, place: DemandPlace) -> dict[str, str | None]:
    """The fields of the demand that say where it is; what concerns the whole compound names no building.

    Raises RuleError('scope', 'unknown_choice' | 'place_needed').
    """
    _one_of("scope", scope, SCOPES)
    scope_id = {
        "household": place.household_id,
        "unit": place.unit_id,
        "building": place.building_id,
        "compound": place.compound_id,
    }[scope]
    if not scope_id:
        raise RuleError("scope", "place_needed")
    of_compound = scope == "compound"
    return {
        "building_id": None if of_compound else place.building_id,
        "compound_id": place.compound_id,
        "household_id": None if of_compound else place.household_id,
        "scope": scope,
        "scope_id": scope_id,
    }


def detail(detail_id: str, demand_id: str, building_id: str, *, title: str, details: str) -> Operation:
    """Words of a sensitive demand, kept in the care stream; those of a step have an id that follows from the step's."""
    return operations.new(
        "demand_detail", detail_id, demand_id=demand_id, building_id=building_id, title=title, details=details
    )


def step_words_id(event_id: str) -> str:
    """The id of the words said at a step and kept apart. No two records of a community share an id."""
    return derived_id("step_words", event_id)


def _reported_at(raised_on: str, *, act: Act) -> int:
    if not raised_on or raised_on == act.today:
        return act.now
    parse_day(raised_on, field="raised_on")
    if raised_on > act.today:
        raise RuleError("raised_on", "future_date")
    return end_of_day(raised_on)


def _required(field: str, value: str) -> None:
    if not value:
        raise RuleError(field, "required")


def _one_of(field: str, value: str, options: tuple[str, ...]) -> None:
    if value not in options:
        raise RuleError(field, "unknown_choice")
