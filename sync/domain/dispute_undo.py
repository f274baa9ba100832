"""Taking back one's own step of a dispute on the same day."""

from collections.abc import Mapping, Sequence
from typing import Any

from sync.domain import operations
from sync.domain.act import Act
from sync.domain.calendar import day_of
from sync.domain.disputes import limit_fields
from sync.domain.flow import NEW
from sync.domain.kinds.disputes import Dispute, DisputeEvent
from sync.domain.operations import Operation
from sync.errors import RuleError

# Steps that only say something: they go at any time of their day, whatever came after.
_WORDS = frozenset({"note", "note_case", "hold_session", "urge", "confirm_in_court"})
# What a step set, to be emptied when its author takes it back. Steps with which the matter changed hands for good or
# the law counts from (accepting, refusing, agreeing, closing) are not here: they are answered by another step.
_UNDO: Mapping[str, Mapping[str, Any]] = {
    "settle_on_spot": {"result": "", "method": "", "succeeded": None},
    "hand_over": {},
    "ask_for_help": {"handed_to": ""},
    "dismiss": {},
    "follow_up": {},
    "archive": {},
    "begin": {},
    "suspend": {},
    "resume": {},
    "begin_performance": {},
    "perform": {},
    "breach": {},
}
# These have not touched the days at all, and so leave them as they are.
_DAYS_KEPT = frozenset({"begin", "suspend", "resume", "begin_performance", "perform", "breach"})
UNDOABLE = frozenset(_UNDO) | _WORDS


def undo(act: Act, dispute: Dispute, event_id: str, steps: Sequence[DisputeEvent]) -> list[Operation]:
    """Take back an own step of today; taking back the first one removes the dispute. ``steps`` are oldest first.

    Raises RuleError('state', 'not_undoable'): another's, another day's, not the last one, or one that binds.
    """
    step = next((s for s in steps if s.id == event_id), None)
    if step is None or step.by != act.author or day_of(step.at) != act.today:
        raise RuleError("state", "not_undoable")
    gone = operations.delete("dispute_event", event_id)
    if step.move in _WORDS:
        return [gone]
    deciding = [s for s in steps if s.move not in _WORDS]
    if deciding[-1].id != event_id or dispute.state != step.to_state:
        raise RuleError("state", "not_undoable")
    if step.from_state == NEW:
        if any(s.by != act.author for s in steps):
            raise RuleError("state", "not_undoable")
        return [
            *(operations.delete("dispute_event", s.id) for s in steps),
            operations.delete("dispute", dispute.id),
        ]
    emptied = _UNDO.get(step.move)
    if emptied is None:
        raise RuleError("state", "not_undoable")
    return [operations.patch("dispute", dispute.id, **emptied, **_as_before(act, dispute, step, deciding)), gone]


def is_undoable(act: Act, dispute: Dispute, event_id: str, steps: Sequence[DisputeEvent]) -> bool:
    """Whether ``undo`` would take this step back."""
    try:
        undo(act, dispute, event_id, steps)
    except RuleError:
        return False
    return True


def _as_before(act: Act, dispute: Dispute, step: DisputeEvent, deciding: Sequence[DisputeEvent]) -> dict[str, Any]:
    """State, days and handler as they were before the step, read from the steps that led there."""
    entered = next((s for s in reversed(deciding[:-1]) if s.to_state == step.from_state != s.from_state), None)
    since = entered.at if entered else step.at
    values: dict[str, Any] = {}
    if step.move not in _DAYS_KEPT:
        handed_over = any(s.move == "hand_over" for s in deciding[:-1])
        values |= limit_fields(
            step.from_state, since=since, risk=dispute.risk, calendar=act.calendar, handed_over=handed_over
        )
    if step.move == "hand_over":
        return {**values, "handler_id": act.author}
    came_from = entered.from_state if entered else ""
    return {
        **values,
        "state": step.from_state,
        "state_before": "" if came_from == NEW else came_from,
        "state_since": day_of(since),
    }
