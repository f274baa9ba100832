"""Taking back one's own step of a demand on the same day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.domain import operations
from sync.domain.act import Act
from sync.domain.calendar import day_of
from sync.domain.demand_correction import CORRECT
from sync.domain.demands import step_words_id
from sync.domain.kinds.demands import Demand, DemandEvent
from sync.domain.operations import Operation
from sync.errors import RuleError

# What a step set, to be emptied when its author takes it back; steps that reached another body are not here.
_UNDO: Mapping[str, Mapping[str, Any]] = {
    "answer_on_spot": {"result": "", "resolved_at": None},
    "reject": {"resolved_at": None},
    "withdraw": {},
    "accept": {"handler_id": None},
    "take": {},
    "start": {},
    "resolve": {"result": "", "close_kind": "", "resolved_at": None},
    "reply": {"replied_on": None, "reply_mode": ""},
    "evaluate": {"evaluation": ""},
    "evaluate_dissatisfied": {"evaluation": ""},
    "archive": {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts:
    """Loaded for taking back a step: all steps of the demand, oldest first, and the ids of its hidden words."""

    steps: tuple[DemandEvent, ...]
    detail_ids: frozenset[str] = frozenset()


def undo(act: Act, demand: Demand, event_id: str, facts: StepFacts) -> list[Operation]:
    """Take back an own step of today; taking back the first one removes the demand. A note goes at any time today.

    Raises RuleError('state', 'not_undoable'): another's, another day's, not the last one, or one that has already
    reached another body. What was put right is put right once more instead.
    """
    step = next((s for s in facts.steps if s.id == event_id), None)
    if step is None or step.by != act.author or day_of(step.at) != act.today:
        raise RuleError("state", "not_undoable")
    gone = [operations.delete("demand_event", event_id)]
    words_id = step_words_id(event_id)
    if words_id in facts.detail_ids:
        gone.append(operations.delete("demand_detail", words_id))
    if step.move == "note":
        return gone
    deciding = [s for s in facts.steps if s.move not in ("note", CORRECT)]
    if step.move == CORRECT or deciding[-1].id != event_id or demand.state != step.to_state:
        raise RuleError("state", "not_undoable")
    if step.from_state == "new":
        if any(s.by != act.author for s in facts.steps):
            raise RuleError("state", "not_undoable")
        return [
            operations.delete("demand", demand.id),
            *(operations.delete("demand_event", s.id) for s in facts.steps),
            *(operations.delete("demand_detail", detail_id) for detail_id in sorted(facts.detail_ids)),
        ]
    emptied = _UNDO.get(step.move)
    # A second telling and a second acceptance overwrote what stood there before: that cannot be put back.
    if emptied is None or (step.move, step.from_state) in (
        ("reply", "replied"),
        ("accept", "returned"),
        ("accept", "reopened"),
    ):
        raise RuleError("state", "not_undoable")
    return [operations.patch("demand", demand.id, state=step.from_state, state_before="", **emptied), *gone]


def is_undoable(act: Act, demand: Demand, event_id: str, facts: StepFacts) -> bool:
    """Whether ``undo`` would take this step back."""
    try:
        undo(act, demand, event_id, facts)
    except RuleError:
        return False
    return True
