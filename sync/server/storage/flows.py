"""Is a step of a demand or dispute one that its author may take? Judged against the version its author saw."""

from collections.abc import Iterable, Mapping

from sync.domain import demand_flow, demand_moves, dispute_flow
from sync.domain.calendar import day_of
from sync.domain.catalogue import KINDS
from sync.domain.clock import ms_of
from sync.domain.flow import NEW, Move
from sync.domain.kinds.demands import Demand
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
    "extend": frozenset({"due_on"}),
    "confirm_in_court": frozenset({"result", "method"}),
}
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
    changed = frozenset(name for name in fields if seen.get(name) != after.get(name))
    if not changed:
        return True
    if _takes_back(viewer, operation, seen, after, written_by):
        return True
    moves = _moves(viewer, operation, seen)
    if seen["state"] == after["state"]:
        return changed <= _writable(moves)
    return any(
        move.target_from(seen["state"], came_from=seen["state_before"]) == after["state"] and _has_needs(move, after)
        for move in moves
    )


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
    made = {**KINDS[operation.kind].defaults, **after, "state": NEW}
    return any(move.target == after["state"] for move in _moves(viewer, operation, made))


def _moves(viewer: Viewer, operation: Operation, values: Values) -> tuple[Move, ...]:
    now = ms_of(operation.hlc)  # when it was done, not when it arrived
    if operation.kind == "demand":
        demand = KINDS["demand"].record(operation.id, values)
        assert isinstance(demand, Demand)
        if demand.state == NEW:
            return tuple(move for move in demand_flow.MOVES if NEW in move.source and viewer.has_any(move.roles))
        return demand_moves.moves_for(viewer, demand, now=now, finished_at=demand.resolved_at)
    return _dispute_moves(viewer, values)


def _dispute_moves(viewer: Viewer, values: Values) -> tuple[Move, ...]:
    state, accepted = values["state"], bool(values.get("accepted_on"))
    me = viewer.account_id
    at_station = values["compound_id"] in viewer.compounds(STATION_ROLES | {"mediator"})
    moves: dict[str, Move] = {}
    for role in sorted(viewer.roles):
        handler = dispute_flow.handles(
            state,
            role=role,
            account_id=me,
            handler_id=values.get("handler_id") or values.get("noticed_by"),
            mediator_ids=values.get("mediator_ids") or (),
            was_accepted=accepted,
        )
        for move in dispute_flow.allowed_moves(
            state,
            role=role,
            is_handler=handler,
            is_author=values.get("noticed_by") == me,
            at_station=at_station,
            was_accepted=accepted,
            came_from=values.get("state_before") or "",
        ):
            moves[move.name] = move
    return tuple(moves.values())


def _takes_back(viewer: Viewer, operation: Operation, seen: Values, after: Values, written_by: str | None) -> bool:
    return (
        written_by == viewer.account_id
        and bool(seen["state_before"])
        and after["state"] == seen["state_before"]
        and day_of(ms_of(operation.hlc)) == day_of(ms_of(operation.prev[FLOW][0]))
    )


def _writable(moves: Iterable[Move]) -> frozenset[str]:
    return frozenset().union(*(_STAYING.get(move.name, frozenset()) for move in moves))


def _has_needs(move: Move, after: Values) -> bool:
    for need in move.needs:
        options = [name for name in need.split("|") if name in _NEEDED]
        if options and len(options) == len(need.split("|")) and not any(after.get(name) for name in options):
            return False
    return True
