"""Handing on: what the server would not take and its author cannot put right is given to the secretary, to see to.

Only what any office role may read goes along (names and telephone numbers, nothing sensitive).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sync.domain.act import Act
from sync.domain.catalogue import KINDS
from sync.domain.fields import Privacy, Type
from sync.domain.operations import DELETED, Operation, new, patch

_SHOWN = (Type.TEXT, Type.LONG_TEXT, Type.DATE)
_OPEN = (Privacy.K0, Privacy.K1, Privacy.K2)

Written = tuple[str, str, str]  # kind, field, text


@dataclass(frozen=True, slots=True, kw_only=True)
class HandingIntent:
    """One deed that was refused: what it was about, where, why, when it was noted, and all that was saved by it."""

    record_kind: str
    record_id: str
    place: str
    code: str
    made_at: int
    operations: Sequence[Operation]


def may_hand_on(roles: frozenset[str]) -> bool:
    """Whether there is somebody to hand it to: the community's secretary sees to it at once."""
    return bool(roles) and "community_secretary" not in roles


def hand_on(act: Act, intent: HandingIntent) -> list[Operation]:
    """Give a refused deed to the secretary."""
    limit = KINDS["handed_on"].fields["content"].limit
    lines = written(intent.operations)
    while len(content := msgspec.json.encode(lines).decode()) > limit:
        lines = lines[:-1]
    values = {
        "by": act.author,
        "record_kind": intent.record_kind,
        "record_id": intent.record_id,
        "place": intent.place,
        "code": intent.code,
        "content": content,
        "made_at": intent.made_at,
    }
    return [new("handed_on", act.id(), **values)]


def see_to(act: Act, handed_id: str) -> list[Operation]:
    """The secretary has seen to it."""
    return [patch("handed_on", handed_id, state="done", done_by=act.author)]


def written(operations: Sequence[Operation]) -> tuple[Written, ...]:
    """What people wrote in these operations: texts and days that every office role may read."""
    found: list[Written] = []
    for operation in operations:
        fields = KINDS[operation.kind].fields
        for name, value in operation.fields.items():
            if name == DELETED or not isinstance(value, str) or not value or name.endswith("_id"):
                continue
            if fields[name].type in _SHOWN and fields[name].privacy in _OPEN:
                found.append((operation.kind, name, value))
    return tuple(found)
