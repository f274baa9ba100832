"""Settling a conflict: a person says which of two versions is to stand, or writes both into one."""

from dataclasses import dataclass

import msgspec

from sync.domain.act import Act
from sync.domain.catalogue import KINDS, check_value
from sync.domain.fields import Policy, Type
from sync.domain.kinds.notes import Conflict
from sync.domain.operations import DELETED, Operation, Values, patch
from sync.errors import RuleError

KEPT = "kept"  # the version that merging left in use
LOST = "lost"  # the other one
NOW = "now"  # what somebody has written there meanwhile
JOINED = "joined"  # a text made of both
SEEN = "seen"  # a step that did not take effect: nothing is written, the next step is taken on the record's own page
CHOICES = (KEPT, LOST, NOW, JOINED, SEEN)

FLOW = "flow"  # the register of a demand's or a dispute's state
_TEXTS = (Type.TEXT, Type.LONG_TEXT)


@dataclass(frozen=True, slots=True)
class ConflictFacts:
    """A conflict with the values of its record as they stand now, ``deleted`` among them.

    ``is_gone``: the values have been blanked some time after the record's deletion.
    """

    conflict: Conflict
    now: Values
    is_gone: bool = False


def version(text: str) -> Values:
    """One of the two versions of a conflict: field → value; {} for what no program of today can read."""
    try:
        return msgspec.json.decode(text, type=dict)
    except msgspec.DecodeError:
        return {}


def in_use(facts: ConflictFacts) -> str:
    """Which version stands now: KEPT, LOST, or NOW when somebody has written something else meanwhile."""
    for choice, text in ((KEPT, facts.conflict.kept), (LOST, facts.conflict.lost)):
        values = version(text)
        if facts.conflict.register == DELETED:
            values = {DELETED: bool(values.get(DELETED, False))}
        if values and all(facts.now.get(name) == value for name, value in values.items()):
            return choice
    return NOW


def can_join(conflict: Conflict) -> bool:
    """Whether both versions can be written into one: a register of a single text that is nobody's number."""
    fields = KINDS[conflict.record_kind].fields
    field = fields.get(conflict.register)
    return (
        field is not None
        and not field.group
        and field.type in _TEXTS
        and not field.options
        and "phone" not in conflict.register
    )


def offered(facts: ConflictFacts) -> tuple[str, ...]:
    """The choices that a person has, in the order of the buttons."""
    conflict = facts.conflict
    if conflict.register == FLOW:
        return (SEEN,)
    if facts.is_gone:
        return (KEPT,) if conflict.register == DELETED else (SEEN,)
    made = [KEPT, LOST]
    if in_use(facts) == NOW:
        made.append(NOW)
    if can_join(conflict):
        made.append(JOINED)
    return tuple(made)


def settle(act: Act, facts: ConflictFacts, choice: str, *, text: str = "", again: bool = False) -> list[Operation]:
    """An ordinary change of the record, even to the value it has, and the conflict's end; the other version stays.

    ``again``: somebody settled it before, and this person has seen how. Raises RuleError: ('state',
    'settled_already'), ('choice', 'unknown_choice'), (register, 'required' | 'too_long').
    """
    conflict = facts.conflict
    if conflict.state != "open" and not again:
        raise RuleError("state", "settled_already")
    if choice not in offered(facts):
        raise RuleError("choice", "unknown_choice")
    done = patch("conflict", conflict.id, state="settled", settled_by=act.author)
    if choice == SEEN or (facts.is_gone and choice == KEPT):
        return [done]
    return [patch(conflict.record_kind, conflict.record_id, **_chosen(facts, choice, text)), done]


def _chosen(facts: ConflictFacts, choice: str, text: str) -> Values:
    conflict = facts.conflict
    kind = KINDS[conflict.record_kind]
    if choice == NOW:
        return {name: facts.now[name] for name in kind.registers[conflict.register]}
    if choice == JOINED:
        if not text.strip():
            raise RuleError(conflict.register, "required")
        check_value(kind, conflict.register, text.strip())
        return {conflict.register: text.strip()}
    values = version(conflict.kept if choice == KEPT else conflict.lost)
    if conflict.register != DELETED:
        return values
    # Whoever wants the record back wants it with what the other person had written into it.
    missing = {
        name: value
        for name, value in values.items()
        if name in kind.fields
        and facts.now.get(name) != value
        and kind.fields[name].policy in (Policy.AUTO, Policy.REVIEW)
    }
    return {**missing, DELETED: bool(values.get(DELETED, False))}
