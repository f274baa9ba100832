"""Small disputes: noting one, alone or with a visit, and putting the note right before anybody has acted on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.domain import operations
from sync.domain.act import Act
from sync.domain.calendar import WorkCalendar, day_of, end_of_day, parse_day
from sync.domain.categories import DisputeCategories, offered_to_heads
from sync.domain.dispute_flow import Risk, check_move, deadline, handles, risk_level
from sync.domain.flow import DESK, HEAD, LEADER, MEDIATOR, NEW, SECRETARY
from sync.domain.kinds.disputes import RISK_SIGNS, Dispute
from sync.domain.lines import one_line
from sync.domain.operations import Operation
from sync.domain.roles import STATION_ROLES, Viewer
from sync.errors import AccessError, RuleError

_ROLES = HEAD | LEADER | DESK | MEDIATOR | SECRETARY


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeIntent:
    """What a person enters for a sign of a dispute; ``title`` is the one line, an empty day means today.

    ``place`` is where it is and ``other_party`` the other side, in words: of a household at hand its room, for those
    who may read the dispute and not the building. With a ``result`` it was settled on the spot at once.
    """

    title: str
    category: str = "02"
    subcategory: str = ""
    summary: str = ""
    noticed_on: str = ""
    place: str = ""
    other_party: str = ""
    risk_signs: tuple[str, ...] = ()
    method: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticePlace:
    """Facts for noting: where it is, the households of both sides as far as they are known, the visit it came up in.

    ``categories`` is the table that holds: it says which ones a head may choose.
    """

    compound_id: str
    categories: DisputeCategories
    building_id: str | None = None
    household_id: str | None = None
    other_household_id: str | None = None
    visit_id: str | None = None


def notice(act: Act, intent: NoticeIntent, facts: NoticePlace) -> list[Operation]:
    """A new dispute with its first step; the dispute is the first operation. Rule source: the dispute ledger.

    Raises RuleError(field, code): ``required``, ``unknown_choice``, ``too_long``, ``bad_date``, ``future_date``,
    ``place_needed``, ``same_side``; AccessError('out_of_scope').
    """
    values = _checked(act, intent, facts)
    result, method = intent.result.strip(), intent.method.strip()
    name = "settle_on_spot" if result else "notice"
    state = "settled_on_spot" if result else "noticed"
    given = {"category", "title", *({"result"} if result else ())}
    _require_role(act, name, facts, given)
    risk = Risk(values["risk"])
    since = act.now if values["noticed_on"] == act.today else end_of_day(values["noticed_on"])
    limits = limit_fields(state, since=act.now if result else since, risk=risk, calendar=act.calendar)
    dispute_id = act.id()
    return [
        operations.new(
            "dispute",
            dispute_id,
            **values,
            compound_id=facts.compound_id,
            visit_id=facts.visit_id,
            noticed_by=act.author,
            handler_id=act.author,
            state=state,
            state_since=act.today,
            method=method if result else "",
            result=result,
            succeeded=True if result else None,
            **limits,
        ),
        operations.new(
            "dispute_event",
            act.id(),
            dispute_id=dispute_id,
            at=act.now,
            by=act.author,
            move=name,
            from_state=NEW,
            to_state=state,
            note=result,
        ),
    ]


def amend(act: Act, dispute: Dispute, intent: NoticeIntent, facts: NoticePlace) -> list[Operation]:
    """Put a note right while nobody has gone on from it; only what differs is written.

    Raises RuleError('state', 'not_allowed') for somebody else's or one that has moved on, else as ``notice``.
    """
    if not may_amend(act.viewer, dispute):
        raise RuleError("state", "not_allowed", move="amend", state=dispute.state)
    values = _checked(act, intent, facts)
    changed = {name: value for name, value in values.items() if value != getattr(dispute, name)}
    return [operations.patch("dispute", dispute.id, **changed)] if changed else []


def may_amend(viewer: Viewer, dispute: Dispute) -> bool:
    """Whether this viewer may still put the note itself right: its handler, before it is settled or registered."""
    return dispute.state == "noticed" and any(
        situation(viewer, dispute, role)["is_handler"] for role in roles_for(viewer, dispute)
    )


def roles_for(viewer: Viewer, dispute: Dispute) -> tuple[str, ...]:
    """The roles the viewer holds where the dispute is, in a fixed order."""
    return _roles_at(viewer, compound_id=dispute.compound_id, building_id=dispute.building_id)


def situation(viewer: Viewer, dispute: Dispute, role: str) -> dict[str, Any]:
    """What the flow asks about a person and a dispute, as keyword arguments of its functions."""
    return {
        "is_handler": handles(
            dispute.state,
            role=role,
            account_id=viewer.account_id,
            handler_id=dispute.handler_id,
            mediator_ids=dispute.mediator_ids,
            was_accepted=bool(dispute.accepted_on),
        ),
        "is_author": dispute.noticed_by == viewer.account_id,
        "at_station": at_station(viewer, dispute.compound_id),
        "was_accepted": bool(dispute.accepted_on),
    }


def at_station(viewer: Viewer, compound_id: str) -> bool:
    """Whether the viewer works for the station of that compound, mediators included."""
    return compound_id in viewer.compounds(STATION_ROLES | MEDIATOR)


def limit_fields(
    state: str, *, since: int, risk: str, calendar: WorkCalendar, handed_over: bool = False
) -> dict[str, str | None]:
    """The days a state brings with it: by when to act, or when to call again after a settlement."""
    at = deadline(state, since=since, risk=risk, calendar=calendar, handed_over=handed_over)
    day = day_of(at) if at is not None else None
    if state == "settled_on_spot":
        return {"due_on": None, "follow_up_on": day}
    return {"due_on": day, "follow_up_on": None}


def joined(*parts: str) -> str:
    """The parts that say something, one after the other."""
    return " · ".join(filter(None, (part.strip() for part in parts)))


def offered_categories(viewer: Viewer, table: DisputeCategories) -> tuple[str, ...]:
    """The codes of the table's categories that this person may choose from."""
    return offered_to_heads(table) if viewer.is_head_only() else tuple(entry.code for entry in table.category)


def _roles_at(viewer: Viewer, *, compound_id: str, building_id: str | None) -> tuple[str, ...]:
    held = []
    for role in sorted(viewer.roles & _ROLES):
        if building_id and role in HEAD | LEADER:
            here = building_id in viewer.buildings({role})
        else:
            here = compound_id in viewer.compounds({role})
        if here:
            held.append(role)
    return tuple(held)


def _require_role(act: Act, name: str, facts: NoticePlace, given: set[str]) -> None:
    held = _roles_at(act.viewer, compound_id=facts.compound_id, building_id=facts.building_id)
    if not held:
        raise AccessError("out_of_scope")
    station = at_station(act.viewer, facts.compound_id)
    for role in held:
        try:
            check_move(name, NEW, role=role, is_handler=True, is_author=True, at_station=station, given=given)
        except RuleError as error:
            refusal = error
        else:
            return
    raise refusal


def _checked(act: Act, intent: NoticeIntent, facts: NoticePlace) -> dict[str, Any]:
    """The values of the note itself, without the flow."""
    values: Mapping[str, str] = {
        **{name: one_line(getattr(intent, name)) for name in ("title", "place", "other_party")},
        **{name: getattr(intent, name).strip() for name in ("summary", "subcategory")},
    }
    if not values["title"]:
        raise RuleError("title", "required")
    if intent.category not in offered_categories(act.viewer, facts.categories):
        raise RuleError("category", "unknown_choice")
    day = intent.noticed_on or act.today
    parse_day(day, field="noticed_on")
    if day > act.today:
        raise RuleError("noticed_on", "future_date")
    if not set(intent.risk_signs) <= set(RISK_SIGNS):
        raise RuleError("risk_signs", "unknown_choice")
    if not facts.household_id and not values["place"]:
        raise RuleError("place", "place_needed")
    if facts.other_household_id and facts.other_household_id == facts.household_id:
        raise RuleError("other_party", "same_side")
    return {
        "title": values["title"],
        "category": intent.category,
        "subcategory": values["subcategory"],
        "summary": values["summary"],
        "noticed_on": day,
        "building_id": facts.building_id,
        "household_id": facts.household_id,
        "other_household_id": facts.other_household_id,
        "place": values["place"],
        "other_party_name": values["other_party"],
        "risk_signs": intent.risk_signs,
        "risk": risk_level(intent.risk_signs).risk.value,
    }
