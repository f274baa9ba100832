"""The steps of a demand: who may make which one now, and what each writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.domain import operations
from sync.domain.act import Act
from sync.domain.calendar import day_of, parse_day
from sync.domain.categories import DEFAULT_CATEGORIES, DemandCategories, sensitive_codes
from sync.domain.demand_flow import (
    MOVES,
    allowed_moves,
    check_move,
    due_times,
    evaluation_move,
    handles,
    review_due_on,
)
from sync.domain.demands import detail, step_words_id
from sync.domain.flow import FIRM, HEAD, STATION, Move
from sync.domain.kinds.demands import CLOSE_KINDS, EVALUATIONS, LEVELS, REPLY_MODES, Demand
from sync.domain.operations import Operation
from sync.domain.roles import STATION_ROLES, Viewer
from sync.errors import RuleError

# The step that is offered first (the blue button), by state; the first of them that the viewer may make.
_NEXT: Mapping[str, tuple[str, ...]] = {
    "collected": ("accept", "answer_on_spot"),
    "accepted": ("dispatch", "start"),
    "dispatched": ("take", "recall"),
    "taken": ("start",),
    "in_progress": ("resolve",),
    "returned": ("dispatch", "accept"),
    "suspended": ("resume",),
    "scheduled": ("resume",),
    "escalated": ("resume",),
    "reopened": ("accept",),
    "resolved": ("reply",),
    "replied": ("evaluate",),
    "evaluated": ("archive",),
    "answered_on_spot": ("archive",),
}
_CLOSED_AGAIN: Mapping[str, Any] = {"replied_on": None, "reply_mode": "", "evaluation": ""}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "close_kind": CLOSE_KINDS,
    "reply_mode": REPLY_MODES,
    "evaluation": EVALUATIONS,
    "level": LEVELS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveIntent:
    """What a person enters for a step; each step needs some of it (the flow's table says which).

    ``note`` is the reason or the words of a note, ``go_to`` where to go instead, ``waiting_for`` whom one waits for.
    """

    note: str = ""
    go_to: str = ""
    waiting_for: str = ""
    result: str = ""
    close_kind: str = ""
    replied_on: str = ""
    reply_mode: str = ""
    evaluation: str = ""
    partner_id: str = ""
    handler_id: str = ""
    level: str = ""
    review_on: str = ""
    merged_into_id: str = ""

    def given(self) -> frozenset[str]:
        """The names of the fields that are filled in; blanks do not count."""
        return frozenset(name for name in self.__slots__ if getattr(self, name).strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFacts:
    """Loaded for a step: when the demand was last finished, the name of the body or person it goes to, the rules.

    ``merge_target`` is the demand named by ``merged_into_id``, when there is one that the author may read.
    """

    finished_at: int | None = None
    target_name: str = ""
    merge_target: Demand | None = None
    categories: DemandCategories = DEFAULT_CATEGORIES


def roles_for(viewer: Viewer, demand: Demand) -> tuple[str, ...]:
    """The roles the viewer holds where the demand is, in a fixed order; the firm's role wherever it is the handler."""
    held = []
    for role in sorted(viewer.roles & (HEAD | STATION | FIRM)):
        if role in FIRM:
            here = demand.handler_id == viewer.account_id
        elif demand.building_id:
            here = demand.building_id in viewer.buildings({role})
        else:
            here = demand.compound_id in viewer.compounds({role})
        if here:
            held.append(role)
    return tuple(held)


def moves_for(viewer: Viewer, demand: Demand, *, now: int, finished_at: int | None = None) -> tuple[Move, ...]:
    """The steps this viewer may make now, in the order of the flow's table."""
    names = {
        move.name
        for role in roles_for(viewer, demand)
        for move in allowed_moves(
            demand.state,
            role=role,
            finished_at=finished_at,
            now=now,
            **_situation(viewer, demand, role),
        )
    }
    return tuple(move for move in MOVES if move.name in names)


def next_move(moves: tuple[Move, ...], *, state: str, evaluation: str = "") -> str:
    """The name of the one step to offer first, or '' when this viewer has nothing to do."""
    wanted = ("reopen", "reply") if state == "replied" and evaluation else _NEXT.get(state, ())
    names = {move.name for move in moves}
    return next((name for name in wanted if name in names), "")


def move(act: Act, demand: Demand, name: str, intent: MoveIntent, facts: MoveFacts) -> list[Operation]:
    """One step of a demand: the change of its flow and the step itself. Rule source: the flow of a demand.

    Raises RuleError(field, code): ``not_allowed``, ``required``, ``unknown_choice``, ``future_date``, ``past_date``,
    ``too_late``, ``before_raised``, ``unknown_record``.
    """
    if name == "evaluate":
        name = evaluation_move(intent.evaluation)
    chosen = _checked(act, demand, name, intent, facts)
    target = chosen.target_from(demand.state)
    changes = _changes(act, demand, name, intent, facts)
    if target != demand.state:
        changes |= {"state": target, "state_before": demand.state}
    words = " · ".join(filter(None, (t.strip() for t in (intent.waiting_for, intent.note, intent.go_to))))
    event_id = act.id()
    made: list[Operation] = []
    is_sensitive = demand.category in sensitive_codes(facts.categories) and demand.building_id is not None
    if is_sensitive and demand.building_id is not None:
        hidden = "\n".join(filter(None, (changes.get("result", ""), words)))
        if "result" in changes:
            changes["result"] = ""
        if hidden:
            made.append(detail(step_words_id(event_id), demand.id, demand.building_id, title="", details=hidden))
        words = ""
    event = operations.new(
        "demand_event",
        event_id,
        demand_id=demand.id,
        at=act.now,
        by=act.author,
        move=name,
        from_state=demand.state,
        to_state=target,
        note=" · ".join(filter(None, (facts.target_name, words))),
    )
    flow = [operations.patch("demand", demand.id, **changes)] if changes else []
    return [*flow, event, *made]


def _situation(viewer: Viewer, demand: Demand, role: str) -> dict[str, Any]:
    return {
        "is_handler": handles(demand.state, role=role, account_id=viewer.account_id, handler_id=demand.handler_id),
        "is_author": demand.recorded_by == viewer.account_id,
        "at_station": demand.compound_id in viewer.compounds(STATION_ROLES | FIRM),
        "level": demand.level,
        "return_count": demand.return_count,
    }


def _checked(act: Act, demand: Demand, name: str, intent: MoveIntent, facts: MoveFacts) -> Move:
    """The move, checked with the first role that may make it; the error of the last one otherwise."""
    given = intent.given()
    for field, options in _CHOICES.items():
        if field in given and getattr(intent, field) not in options:
            raise RuleError(field, "unknown_choice")
    refusal = RuleError("state", "not_allowed", move=name, state=demand.state)
    for role in roles_for(act.viewer, demand):
        try:
            return check_move(
                name,
                demand.state,
                role=role,
                given=given,
                **_situation(act.viewer, demand, role),
                finished_at=facts.finished_at,
                now=act.now,
            )
        except RuleError as error:
            if refusal.code == "not_allowed":
                refusal = error
    raise refusal


def _changes(act: Act, demand: Demand, name: str, intent: MoveIntent, facts: MoveFacts) -> dict[str, Any]:
    """What the step writes into the flow besides the state."""
    if name == "accept" or name == "recall":
        return {"handler_id": act.author, "partner_id": None}
    if name == "answer_on_spot":
        return {"result": intent.result.strip(), "resolved_at": act.now}
    if name == "reject":
        return {"resolved_at": act.now}
    if name == "merge":
        return {"merged_into_id": _merge_target(demand, intent, facts), "resolved_at": act.now}
    if name == "dispatch":
        return {"partner_id": intent.partner_id or None, "handler_id": intent.handler_id or act.author}
    if name == "return":
        return {"return_count": demand.return_count + 1, "handler_id": None, "partner_id": None}
    if name in ("suspend", "schedule", "review"):
        return {"review_on": _review_day(act, name, intent)}
    if name == "resume":
        back = {"level": "station"} if demand.state == "escalated" else {}
        return {"review_on": None, **back}
    if name == "escalate":
        if LEVELS.index(intent.level) <= max(LEVELS.index("station"), LEVELS.index(demand.level)):
            raise RuleError("level", "unknown_choice")
        return {"level": intent.level, "partner_id": intent.partner_id or None}
    if name == "assign":
        return {"handler_id": intent.handler_id}
    if name == "resolve":
        closed = {"result": intent.result.strip(), "close_kind": intent.close_kind, "resolved_at": act.now}
        return {**closed, **_CLOSED_AGAIN, "review_on": None}
    if name == "reply":
        return {"replied_on": _told_day(act, demand, intent), "reply_mode": intent.reply_mode, "evaluation": ""}
    if name in ("evaluate", "evaluate_dissatisfied"):
        return {"evaluation": intent.evaluation}
    if name == "reopen":
        respond, resolve = due_times(demand.urgency, reported_at=act.now, calendar=act.calendar)
        opened = {"reopen_count": demand.reopen_count + 1, "handler_id": None, "partner_id": None}
        limits = {"respond_due_at": respond, "resolve_due_at": resolve}
        return {**opened, **_CLOSED_AGAIN, **limits, "close_kind": "", "resolved_at": None, "level": "station"}
    return {}


def _merge_target(demand: Demand, intent: MoveIntent, facts: MoveFacts) -> str:
    other = facts.merge_target
    if other is None or other.id == demand.id or other.compound_id != demand.compound_id:
        raise RuleError("merged_into_id", "unknown_record")
    if other.state in ("merged", "withdrawn", "rejected"):
        raise RuleError("merged_into_id", "not_allowed")
    return other.id


def _review_day(act: Act, name: str, intent: MoveIntent) -> str:
    day = intent.review_on
    parse_day(day, field="review_on")
    if day < act.today:
        raise RuleError("review_on", "past_date")
    latest = review_due_on(act.today)
    if day > latest:
        raise RuleError("review_on", "too_late", latest=latest)
    return day


def _told_day(act: Act, demand: Demand, intent: MoveIntent) -> str:
    day = intent.replied_on
    parse_day(day, field="replied_on")
    if day > act.today:
        raise RuleError("replied_on", "future_date")
    if day < day_of(demand.reported_at):
        raise RuleError("replied_on", "before_raised")
    return day
