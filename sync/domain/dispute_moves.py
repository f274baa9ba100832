"""The steps of a dispute: who may make which one now, and what each writes; one function for all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sync.domain import operations
from sync.domain.act import Act
from sync.domain.calendar import parse_day, start_of_day
from sync.domain.categories import DisputeCategories
from sync.domain.dispute_flow import MOVES, allowed_moves, check_move, follow_ups_on
from sync.domain.disputes import joined, limit_fields, offered_categories, roles_for, situation
from sync.domain.flow import Move
from sync.domain.kinds.disputes import RISKS, Dispute
from sync.domain.operations import Operation
from sync.domain.roles import Viewer
from sync.errors import RuleError

_AGREE = frozenset({"agree_in_writing", "agree_orally"})
_KEPT_LIMIT = frozenset({"begin", "suspend", "resume", "return_to_case", "escalate_case", "begin_performance"})
_KEPT_LIMIT |= {"perform", "breach"}
_TICKS = ("parties_agreed", "ways_told", "dossier_complete")
_CLOSED_STATES = frozenset({"followed_up", "closed", "archived"})
# The step that is offered first (the blue button), by state; the first of them that the viewer may make.
_NEXT: Mapping[str, tuple[str, ...]] = {
    "noticed": ("settle_on_spot", "register", "take_over"),
    "registered": ("accept", "settle_registered", "transfer"),
    "reopened": ("register",),
    "settled_on_spot": ("follow_up",),
    "followed_up": ("archive", "archive_case"),
    "accepted": ("begin",),
    "mediating": ("hold_session",),
    "suspended": ("resume",),
    "refused": ("close_case",),
    "failed": ("close_case",),
    "agreed_written": ("begin_performance",),
    "agreed_oral": ("begin_performance",),
    "performing": ("perform",),
    "breached": ("urge",),
    "performed": ("follow_up_case",),
    "not_accepted": ("close",),
    "transferred": ("close", "close_case"),
    "escalated": ("answer_help", "return_to_case"),
    "closed": ("archive_closed", "archive_case"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeMove:
    """What a person enters for a step; each step needs some of it (the flow's table says which).

    ``note`` is the reason, the session, the answer; ``due_on`` the day of performance, or a later last day;
    ``handed_to`` whom it goes to, in words.
    """

    note: str = ""
    method: str = ""
    result: str = ""
    handed_to: str = ""
    due_on: str = ""
    category: str = ""
    risk: str = ""
    mediator_ids: tuple[str, ...] = ()
    parties_agreed: bool = False
    ways_told: bool = False
    dossier_complete: bool = False

    def given(self) -> frozenset[str]:
        """The names of what is filled in; blanks and boxes without a tick do not count."""
        texts = ("note", "method", "result", "handed_to", "due_on", "category", "risk")
        filled = {name for name in texts if getattr(self, name).strip()}
        filled |= {name for name in _TICKS if getattr(self, name)}
        return frozenset(filled | ({"mediator_ids"} if self.mediator_ids else set()))


def moves_for(viewer: Viewer, dispute: Dispute, *, now: int) -> tuple[Move, ...]:
    """The steps this viewer may make now, in the order of the flow's table."""
    names = {
        move.name
        for role in roles_for(viewer, dispute)
        for move in allowed_moves(
            dispute.state,
            role=role,
            came_from=dispute.state_before,
            closed_at=_closed_at(dispute),
            now=now,
            **situation(viewer, dispute, role),
        )
    }
    return tuple(move for move in MOVES if move.name in names)


def next_move(moves: tuple[Move, ...], *, state: str) -> str:
    """The name of the one step to offer first, or '' when this viewer has nothing to do."""
    names = {move.name for move in moves}
    return next((name for name in _NEXT.get(state, ()) if name in names), "")


def move(
    act: Act, dispute: Dispute, name: str, intent: DisputeMove, *, categories: DisputeCategories
) -> list[Operation]:
    """One step of a dispute: the change of its flow and the step itself. Rule source: the flow of a dispute.

    Raises RuleError(field, code): ``not_allowed``, ``required``, ``unknown_choice``, ``bad_date``, ``past_date``,
    ``future_date`` (a last day before the present one), ``transfer_only``.
    """
    chosen = _checked(act, dispute, name, intent, categories)
    target = chosen.target_from(dispute.state, came_from=dispute.state_before)
    changes = _changes(act, dispute, name, target, intent)
    if target != dispute.state:
        changes |= {"state": target, "state_before": dispute.state, "state_since": act.today}
    event = operations.new(
        "dispute_event",
        act.id(),
        dispute_id=dispute.id,
        at=act.now,
        by=act.author,
        move=name,
        from_state=dispute.state,
        to_state=target,
        note=joined(intent.handed_to, intent.result, intent.note),
    )
    flow = [operations.patch("dispute", dispute.id, **changes)] if changes else []
    return [*flow, event]


def _checked(act: Act, dispute: Dispute, name: str, intent: DisputeMove, categories: DisputeCategories) -> Move:
    """The move, checked with the first role that may make it; the error of the last one otherwise."""
    given = intent.given()
    if name == "register":
        given |= {"category"}  # the one of the notice stands unless another is given
    refusal = RuleError("state", "not_allowed", move=name, state=dispute.state)
    for role in roles_for(act.viewer, dispute):
        try:
            chosen = check_move(
                name,
                dispute.state,
                role=role,
                given=given,
                came_from=dispute.state_before,
                closed_at=_closed_at(dispute),
                now=act.now,
                **situation(act.viewer, dispute, role),
            )
        except RuleError as error:
            if refusal.code == "not_allowed":
                refusal = error
        else:
            _check_values(act, dispute, name, intent, categories)
            return chosen
    raise refusal


def _check_values(act: Act, dispute: Dispute, name: str, intent: DisputeMove, categories: DisputeCategories) -> None:
    if intent.risk and intent.risk not in RISKS:
        raise RuleError("risk", "unknown_choice")
    if intent.category and intent.category not in offered_categories(act.viewer, categories):
        raise RuleError("category", "unknown_choice")
    if name == "accept" and categories[dispute.category].transfer_only:
        raise RuleError("category", "transfer_only")
    if name in ("accept", "change_mediator") and len(set(intent.mediator_ids)) < len(intent.mediator_ids):
        raise RuleError("mediator_ids", "unknown_choice")
    if name == "accept" and act.author not in intent.mediator_ids:
        # Who accepts the case keeps it: nobody else could open it any more.
        raise RuleError("mediator_ids", "yourself_needed")
    if intent.due_on:
        parse_day(intent.due_on, field="due_on")
        if intent.due_on < act.today:
            raise RuleError("due_on", "past_date")
        if name == "extend" and dispute.due_on and intent.due_on <= dispute.due_on:
            raise RuleError("due_on", "not_longer", day=dispute.due_on)


def _changes(act: Act, dispute: Dispute, name: str, target: str, intent: DisputeMove) -> dict[str, Any]:
    """What the step writes into the record besides the state."""
    if name in _OWN:
        return _OWN[name](act, dispute, intent)
    if target == dispute.state or name in _KEPT_LIMIT:
        changes: dict[str, Any] = {}
    elif name in _AGREE:
        changes = {
            "due_on": intent.due_on,
            "follow_up_on": follow_ups_on(intent.due_on, risk=dispute.risk)[0],
            "result": intent.result.strip(),
            "method": "written" if name == "agree_in_writing" else "oral",
            "succeeded": True,
        }
    else:
        changes = {**limit_fields(target, since=act.now, risk=dispute.risk, calendar=act.calendar)}
    if name in ("ask_for_help", "transfer", "escalate_case", "transfer_case"):
        changes["handed_to"] = intent.handed_to.strip()
    if name in ("refuse", "fail"):
        changes["succeeded"] = False
    return changes


def _settle(act: Act, dispute: Dispute, intent: DisputeMove) -> dict[str, Any]:
    limits = limit_fields("settled_on_spot", since=act.now, risk=dispute.risk, calendar=act.calendar)
    outcome = {"result": intent.result.strip(), "method": intent.method.strip(), "succeeded": True}
    # Who settled it calls again: a registered one had nobody in particular.
    return {**outcome, **limits, "handler_id": dispute.handler_id or act.author}


def _hand_over(act: Act, dispute: Dispute, _: DisputeMove) -> dict[str, Any]:
    limits = limit_fields("noticed", since=act.now, risk=dispute.risk, calendar=act.calendar, handed_over=True)
    return {"handler_id": None, "due_on": limits["due_on"]}


def _take_over(act: Act, _: Dispute, __: DisputeMove) -> dict[str, Any]:
    return {"handler_id": act.author}


def _register(act: Act, dispute: Dispute, intent: DisputeMove) -> dict[str, Any]:
    limits = limit_fields("registered", since=act.now, risk=intent.risk, calendar=act.calendar)
    category = intent.category or dispute.category
    return {"category": category, "risk": intent.risk, "handler_id": None, **limits}


def _accept(act: Act, dispute: Dispute, intent: DisputeMove) -> dict[str, Any]:
    limits = limit_fields("accepted", since=act.now, risk=dispute.risk, calendar=act.calendar)
    return {"mediator_ids": intent.mediator_ids, "accepted_on": act.today, "handler_id": None, **limits}


def _change_mediator(_: Act, __: Dispute, intent: DisputeMove) -> dict[str, Any]:
    return {"mediator_ids": intent.mediator_ids}


def _extend(_: Act, __: Dispute, intent: DisputeMove) -> dict[str, Any]:
    return {"due_on": intent.due_on}


def _answer_help(act: Act, dispute: Dispute, _: DisputeMove) -> dict[str, Any]:
    return {**limit_fields(dispute.state_before, since=act.now, risk=dispute.risk, calendar=act.calendar)}


def _follow_up(act: Act, dispute: Dispute, _: DisputeMove) -> dict[str, Any]:
    limits = limit_fields("followed_up", since=act.now, risk=dispute.risk, calendar=act.calendar)
    again = ""
    if dispute.accepted_on and dispute.due_on:  # a second call where it was more than an ordinary matter
        again = next((day for day in follow_ups_on(dispute.due_on, risk=dispute.risk)[1:] if day > act.today), "")
    return {**limits, "follow_up_on": again or None}


def _reopen(act: Act, dispute: Dispute, _: DisputeMove) -> dict[str, Any]:
    limits = limit_fields("reopened", since=act.now, risk=dispute.risk, calendar=act.calendar)
    nobody = {"handler_id": None, "mediator_ids": (), "accepted_on": None}
    return {**nobody, "method": "", "result": "", "succeeded": None, "handed_to": "", **limits}


_OWN: Mapping[str, Callable[[Act, Dispute, DisputeMove], dict[str, Any]]] = {
    "settle_on_spot": _settle,
    "settle_registered": _settle,
    "hand_over": _hand_over,
    "take_over": _take_over,
    "register": _register,
    "accept": _accept,
    "change_mediator": _change_mediator,
    "extend": _extend,
    "answer_help": _answer_help,
    "follow_up": _follow_up,
    "follow_up_case": _follow_up,
    "follow_up_breach": _follow_up,
    "reopen": _reopen,
}


def _closed_at(dispute: Dispute) -> int | None:
    if dispute.state in _CLOSED_STATES and dispute.state_since:
        return start_of_day(dispute.state_since)
    return None
