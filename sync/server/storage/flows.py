"""Is a step of a demand or dispute one that its author may take? Judged against the version its author saw."""

from collections.abc import Collection, Iterable, Mapping

from sync.domain import demand_flow, demand_moves, dispute_flow, dispute_moves
from sync.domain.calendar import day_of
from sync.domain.catalogue import KINDS
from sync.domain.clock import ZERO, ms_of
from sync.domain.flow import NEW, Move
from sync.domain.kinds.demands import Demand
from sync.domain.kinds.disputes import Dispute
from sync.domain.operations import Operation, Values
from sync.domain.roles import STATION_ROLES, Viewer
from sync.server.storage.history import Version

FLOW = "flow"
KINDS_WITH_FLOW = frozenset({"demand", "dispute"})
# Fields of the flow that a step may change while the state stays; other steps that stay write an event only.
_STAYING: Mapping[str, frozenset[str]] = {
    "review": frozenset({"review_on"}),
    "assign": frozenset({"handler_id"}),
    "reply": frozenset({"replied_on", "reply_mode", "evaluation"}),
    "evaluate_dissatisfied": frozenset({"evaluation"}),
    "take_over": frozenset({"handler_id"}),
    "hand_over": frozenset({"handler_id", "handed_to"}),
    "change_mediator": frozenset({"mediator_ids", "handler_id"}),
}
# Fields of the flow that a step to another state may change besides; every other one has to stay as its author saw it.
_ANSWER = ("replied_on", "reply_mode", "evaluation")
_HELP = ("handed_to",)
_OUTCOME = ("result", "method", "succeeded")
_SETTING: Mapping[str, Mapping[str, Collection[str]]] = {
    "demand": {
        "accept": ("handler_id", "partner_id"),
        "recall": ("handler_id", "partner_id"),
        "answer_on_spot": ("result", "resolved_at"),
        "reject": ("resolved_at",),
        "merge": ("merged_into_id", "resolved_at"),
        "dispatch": ("handler_id", "partner_id"),
        "return": ("return_count", "handler_id", "partner_id"),
        "suspend": ("review_on",),
        "schedule": ("review_on",),
        "resume": ("review_on", "level"),
        "escalate": ("level", "partner_id"),
        "resolve": ("result", "close_kind", "resolved_at", "review_on", *_ANSWER),
        "reply": _ANSWER,
        "evaluate": ("evaluation",),
        "reopen": ("reopen_count", "handler_id", "partner_id", "close_kind", "resolved_at", "level", *_ANSWER),
    },
    "dispute": {
        "settle_on_spot": ("handler_id", *_OUTCOME),
        "settle_registered": ("handler_id", *_OUTCOME),
        "register": ("handler_id",),
        "ask_for_help": _HELP,
        "transfer": _HELP,
        "escalate_case": _HELP,
        "transfer_case": _HELP,
        "accept": ("mediator_ids", "accepted_on", "handler_id"),
        "refuse": ("succeeded",),
        "fail": ("succeeded",),
        "agree_in_writing": _OUTCOME,
        "agree_orally": _OUTCOME,
        "reopen": ("handler_id", "mediator_ids", "accepted_on", *_HELP, *_OUTCOME),
    },
}
_COUNTING = frozenset({"reopen_count", "return_count"})  # by one, or not at all
# Steps that name a handler name their author; those that are not here and not in _NAMING leave nobody in particular.
_TAKING = frozenset({("demand", "accept"), ("demand", "recall")})
_TAKING |= {("dispute", name) for name in ("settle_on_spot", "settle_registered")}
_NAMING = frozenset({("demand", "dispatch")})
# Follow from the step and from other fields; they decide nothing.
_DAYS = frozenset({"state_since", "due_on", "follow_up_on"})
# What a step needs in the flow itself; reasons stand in the event, and words of sensitive demands elsewhere.
_NEEDED = frozenset(
    {"review_on", "handler_id", "partner_id", "level", "close_kind", "replied_on", "reply_mode", "evaluation"}
) | {"mediator_ids", "due_on", "handed_to"}


def allowed(
    viewer: Viewer, operation: Operation, *, seen: Values | None, after: Values, written_by: str | None
) -> bool:
    """Whether ``viewer`` may take the record's flow from the version ``seen`` (None: it is made now) to ``after``.

    ``written_by`` is the author of that version, where known: a step of one's own may be taken back the same day.
    """
    fields = KINDS[operation.kind].registers[FLOW]
    if seen is None:
        return _may_make(viewer, operation, after)
    changed = frozenset(name for name in fields if seen.get(name) != after.get(name)) - _DAYS
    if not changed:
        return True
    if _steps(viewer, operation, seen, after, changed):
        return True
    # An own step of the same day is taken back: the way there must have been open to its author.
    own = written_by == viewer.account_id
    today = day_of(ms_of(operation.hlc)) == day_of(ms_of(operation.prev.get(FLOW, ZERO)[0]))
    return own and today and _steps(viewer, operation, after, seen, changed - {"state_before"})


def may_return(viewer: Viewer, operation: Operation, *, seen: Values, after: Values) -> bool:
    """Whether ``viewer`` may give back a flow, several steps long maybe, in the place of the one that is here.

    The station may, which enters what it has on paper in the state it is in; others no more than one step of theirs.
    """
    posts = STATION_ROLES | ({"mediator"} if operation.kind == "dispute" else frozenset())
    if seen["compound_id"] in viewer.compounds(posts):
        return True
    return allowed(viewer, operation, seen=seen, after=after, written_by=None)


def version_seen(operation: Operation, current: Values, version: Version | None) -> Values:
    """The record with its flow as the author saw it; the row as it stands where the history is silent."""
    if version is None:
        return current
    fields = KINDS[operation.kind].registers[FLOW]
    defaults = KINDS[operation.kind].defaults
    return {**current, **{name: version.fields.get(name, defaults[name]) for name in fields}}


def _may_make(viewer: Viewer, operation: Operation, after: Values) -> bool:
    if viewer.has_any(STATION_ROLES | {"mediator"}):
        return True  # the station enters what it has on paper, in the state it is in
    flow = demand_flow.MOVES if operation.kind == "demand" else dispute_flow.MOVES
    return any(NEW in move.source and move.target == after["state"] and viewer.has_any(move.roles) for move in flow)


def _steps(viewer: Viewer, operation: Operation, seen: Values, after: Values, changed: frozenset[str]) -> bool:
    """Whether one step that is open to ``viewer`` leads from one version to the other."""
    moves = _moves(viewer, operation, seen)
    if seen["state"] == after["state"]:
        return changed <= _writable(moves)
    return any(
        move.target_from(seen["state"], came_from=seen["state_before"]) == after["state"]
        and _has_needs(move, after)
        and _sets_its_own(move, operation.kind, viewer, seen, after, changed)
        for move in moves
    )


def _sets_its_own(move: Move, kind: str, viewer: Viewer, seen: Values, after: Values, changed: frozenset[str]) -> bool:
    """Whether the step changes nothing of the flow but what it is for."""
    others = changed - {"state", "state_before"}
    if after["state_before"] != seen["state"] or not others <= frozenset(_SETTING[kind].get(move.name, ())):
        return False
    if any(after[name] != seen[name] + 1 for name in others & _COUNTING):
        return False
    if "handler_id" not in others or (kind, move.name) in _NAMING:
        return True
    return bool(after["handler_id"] == (viewer.account_id if (kind, move.name) in _TAKING else None))


def _moves(viewer: Viewer, operation: Operation, values: Values) -> tuple[Move, ...]:
    now = ms_of(operation.hlc)  # when it was done, not when it arrived
    record = KINDS[operation.kind].record(operation.id, values)
    if isinstance(record, Demand):
        return demand_moves.moves_for(viewer, record, now=now, finished_at=record.resolved_at)
    assert isinstance(record, Dispute)
    return dispute_moves.moves_for(viewer, record, now=now)


def _writable(moves: Iterable[Move]) -> frozenset[str]:
    return frozenset().union(*(_STAYING.get(move.name, frozenset()) for move in moves))


def _has_needs(move: Move, after: Values) -> bool:
    for need in move.needs:
        options = [name for name in need.split("|") if name in _NEEDED]
        if options and len(options) == len(need.split("|")) and not any(after.get(name) for name in options):
            return False
    return True
