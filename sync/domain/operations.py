"""Operations: the only things that write synced rows, wherever they were made.

A verb makes operations with ``new`` and ``patch``; they bear no clock yet. The store stamps them (clock, replica,
author, ``prev``) in the transaction that writes the rows and the outbox.
"""

from typing import Any, Literal

import msgspec

from sync.domain.clock import Clock

Values = dict[str, Any]
Action = Literal["new", "patch", "state"]
LARGEST_OPERATION = 256 * 1024  # bytes of JSON; a larger one is never taken by the server
DELETED = "deleted"  # the register of the deletion mark, present in every kind


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one record.

    ``prev`` names, for each register a patch changes, the clock of the version its author saw. ``clocks`` is used by
    ``state`` only (a whole row given back after a restore): the clock of each register that differs from the row's.
    """

    kind: str
    id: str
    action: Action
    fields: Values
    hlc: int = 0
    device: int = 0
    author: str = ""
    prev: dict[str, Clock] = {}
    clocks: dict[str, Clock] = {}

    @property
    def clock(self) -> Clock:
        return (self.hlc, self.device)


def new(kind: str, record_id: str, /, **fields: Any) -> Operation:
    """An unstamped operation that creates a record; fields left out keep the kind's defaults."""
    return Operation(kind=kind, id=record_id, action="new", fields=_plain(fields))


def patch(kind: str, record_id: str, /, **fields: Any) -> Operation:
    """An unstamped operation that changes the given fields of a record."""
    return Operation(kind=kind, id=record_id, action="patch", fields=_plain(fields))


def delete(kind: str, record_id: str) -> Operation:
    """An unstamped operation that marks a record deleted (it stays retrievable for 30 days)."""
    return patch(kind, record_id, **{DELETED: True})


def _plain(fields: Values) -> Values:
    # Lists, not tuples: values are compared with what came over the wire.
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
