"""Putting a demand right: its category, urgency, title and place; what was changed stands in a step of its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sync.domain import operations
from sync.domain.act import Act
from sync.domain.categories import DEFAULT_CATEGORIES, DemandCategories, sensitive_codes
from sync.domain.colours import FINISHED, WAITING
from sync.domain.demand_flow import due_times
from sync.domain.demand_moves import roles_for
from sync.domain.demands import DemandIntent, DemandPlace, detail, place_values, urgency_of
from sync.domain.flow import STATION
from sync.domain.kinds.demands import Demand, DemandDetail, DemandEvent
from sync.domain.lines import one_line
from sync.domain.operations import Operation
from sync.domain.roles import Viewer
from sync.errors import RuleError

CORRECT = "correct"  # the name of the step; it leaves the state as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionIntent:
    """What the demand is to say from now on.

    ``title`` may stay empty where the words lie apart before and after: then they stay as they are.
    """

    category: str
    urgency: str
    title: str = ""
    life_safety: bool = False
    scope: str = "household"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionFacts:
    """Loaded for putting right: the place it is to have, how both places are written, since when the limits count.

    ``counted_from`` (ms) is when the demand was raised, or raised again; ``details`` are its words in the care stream.
    """

    place: DemandPlace
    counted_from: int
    old_place: str = ""
    new_place: str = ""
    details: tuple[DemandDetail, ...] = ()
    categories: DemandCategories = DEFAULT_CATEGORIES


@dataclass(frozen=True, slots=True)
class Correction:
    """One line of such a step: the field and both values; empty ones where the words lie apart."""

    field: str  # category, urgency, life_safety, title, place
    old: str
    new: str


def may_correct(viewer: Viewer, demand: Demand) -> bool:
    """Whether the viewer may put it right: the station while it is open, whoever noted it until the station took it.

    One that was reported up is the community's, as every step of it.
    """
    if demand.state in FINISHED | WAITING:
        return False
    roles = roles_for(viewer, demand)
    if demand.state == "collected" and demand.recorded_by == viewer.account_id:
        return bool(roles)
    is_ours = demand.level in ("head", "station")
    return any(role in STATION and (is_ours or role == "community_secretary") for role in roles)


def correct(act: Act, demand: Demand, intent: CorrectionIntent, facts: CorrectionFacts) -> list[Operation]:
    """The changed fields and a step that says what they were; nothing when all is as it was.

    The time limits follow the urgency, from the day it was raised. Words that lie apart belong to their building.
    Raises RuleError(field, code): ``not_allowed``, ``required``, ``unknown_choice``, ``unknown_category``,
    ``place_needed``, ``stays_in_building``.
    """
    if not may_correct(act.viewer, demand):
        raise RuleError("state", "not_allowed", move=CORRECT, state=demand.state)
    urgency = urgency_of(_as_raised(intent), categories=facts.categories)
    place = place_values(intent.scope, facts.place)
    sensitive = sensitive_codes(facts.categories)
    was_apart = demand.category in sensitive and demand.building_id is not None
    is_apart = intent.category in sensitive and place["building_id"] is not None
    if facts.details and place["building_id"] != demand.building_id:
        raise RuleError("scope", "stays_in_building")
    words, apart = _words(act, demand, intent, facts, was_apart=was_apart, is_apart=is_apart)
    wanted: dict[str, Any] = {
        "category": intent.category,
        "urgency": urgency.urgency,
        "life_safety": urgency.life_safety,
        **words,
        **place,
    }
    if intent.scope == "compound":
        wanted["raised_by"] = ""  # what concerns everybody names nobody
    changes = {name: value for name, value in wanted.items() if getattr(demand, name) != value}
    if not changes and not apart:
        return []
    if "urgency" in changes:
        limits = due_times(urgency.urgency, reported_at=facts.counted_from, calendar=act.calendar)
        changes |= dict(zip(("respond_due_at", "resolve_due_at"), limits, strict=True))
    lines = [
        Correction(name, _text(getattr(demand, name)), _text(changes[name]))
        for name in ("category", "urgency", "life_safety")
        if name in changes
    ]
    if was_apart or is_apart:
        lines += [Correction("title", "", "")] if apart or was_apart != is_apart else []
    elif "title" in changes:
        lines.append(Correction("title", demand.title, changes["title"]))
    if not place.keys().isdisjoint(changes):
        lines.append(Correction("place", facts.old_place, facts.new_place))
    event = operations.new(
        "demand_event",
        act.id(),
        demand_id=demand.id,
        at=act.now,
        by=act.author,
        move=CORRECT,
        from_state=demand.state,
        to_state=demand.state,
        note="\n".join(_written(line) for line in lines),
    )
    patch = [operations.patch("demand", demand.id, **changes)] if changes else []
    return [*patch, event, *apart]


def corrections(note: str) -> tuple[Correction, ...]:
    """The lines of such a step, from its note; what another program wrote there is passed over."""
    found = (line.split("\t") for line in note.split("\n"))
    return tuple(Correction(*parts) for parts in found if len(parts) == 3)


def counted_from(demand: Demand, steps: Iterable[DemandEvent]) -> int:
    """Since when the time limits of a demand count (ms): since it was raised, or last raised again."""
    return max([step.at for step in steps if step.move == "reopen"], default=demand.reported_at)


def _as_raised(intent: CorrectionIntent) -> DemandIntent:
    if not intent.urgency:
        raise RuleError("urgency", "required")
    return DemandIntent(
        category=intent.category, title=intent.title, urgency=intent.urgency, life_safety=intent.life_safety
    )


def _words(
    act: Act, demand: Demand, intent: CorrectionIntent, facts: CorrectionFacts, *, was_apart: bool, is_apart: bool
) -> tuple[dict[str, Any], list[Operation]]:
    """Title and details of the demand itself, and what is written in the care stream."""
    title = one_line(intent.title)
    if not title and not (was_apart and is_apart):
        raise RuleError("title", "required")
    if not is_apart:
        return {"title": title}, []  # details that lie apart stay apart
    words = {"title": facts.categories[intent.category].label, "details": ""}
    said = "" if was_apart else demand.details
    kept = max((found for found in facts.details if found.title), key=lambda found: found.id, default=None)
    if kept is None:
        building_id = facts.place.building_id
        assert building_id is not None  # words lie apart in a building's care stream only
        return words, [detail(act.id(), demand.id, building_id, title=title, details=said)] if title else []
    wanted = {"title": title or kept.title, "details": "\n".join(filter(None, (kept.details, said)))}
    if wanted == {"title": kept.title, "details": kept.details}:
        return words, []
    return words, [operations.patch("demand_detail", kept.id, **wanted)]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _written(line: Correction) -> str:
    return "\t".join(part.replace("\t", " ").replace("\n", " ") for part in (line.field, line.old, line.new))
