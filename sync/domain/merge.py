"""Merge by field with clocks: the one function through which every synced row changes, on every device and the server.

The result does not depend on the order in which operations arrive: each register (a field, or a group of fields that
mean something only together) ends with the value of its largest clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.domain.catalogue import Kind
from sync.domain.clock import ZERO, Clock
from sync.domain.fields import Policy
from sync.domain.operations import DELETED, Operation, Values


@dataclass(frozen=True, slots=True)
class Row:
    """A record with its clocks: ``clock`` is the row's, ``clocks`` holds the registers that differ from it."""

    id: str
    kind: str
    stream: str
    values: Values
    clock: Clock
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    deleted: bool = False

    def clock_of(self, register: str) -> Clock:
        """The clock of the version of a register that this row shows."""
        return self.clocks.get(register, self.clock)

    def register(self, kind: Kind, name: str) -> Values:
        """The values of one register, by field name."""
        if name == DELETED:
            return {DELETED: self.deleted}
        return {key: self.values.get(key, kind.defaults[key]) for key in kind.registers[name]}

    def largest_clock(self) -> Clock:
        """The largest clock of any register."""
        return max((self.clock, *self.clocks.values()))


@dataclass(frozen=True, slots=True)
class Clash:
    """A register that two people changed without having seen each other's value."""

    register: str
    kept: Values
    lost: Values
    kept_clock: Clock
    lost_clock: Clock


@dataclass(frozen=True, slots=True)
class Merged:
    """What an operation did to a row: the row afterwards, the registers changed, the clashes, or a refusal code."""

    row: Row | None
    changed: tuple[str, ...] = ()
    clashes: tuple[Clash, ...] = ()
    refused: str = ""


def merge(row: Row | None, operation: Operation, kind: Kind) -> Merged:
    """Apply one operation to a row (or to none). The stream is left as it was; the caller derives it anew.

    Refusal codes: ``unknown_record`` (patch on no row), ``clock_behind`` (the author saw this very version, so the
    operation's clock must be larger: stamp it anew and send it again).
    """
    if operation.action == "state":
        return _state(row, operation, kind)
    if row is None:
        if operation.action == "patch":
            return Merged(None, refused="unknown_record")
        return _create(operation, kind)
    return _patch(row, operation, kind)


def _create(operation: Operation, kind: Kind) -> Merged:
    values = kind.complete(operation.fields)
    deleted = bool(values.pop(DELETED, False))
    row = Row(operation.id, kind.name, "", values, operation.clock, {}, deleted)
    return Merged(row, changed=tuple(kind.registers))


def _patch(row: Row, operation: Operation, kind: Kind) -> Merged:
    clock = operation.clock
    changed: dict[str, Values] = {}
    clashes: list[Clash] = []
    for register, incoming in _by_register(operation.fields, kind).items():
        known = row.clock_of(register)
        if known == clock:
            continue  # already applied
        current = row.register(kind, register)
        value = {**current, **incoming}
        # A ``new`` on an existing row is a retry under another replica name. What has been written over it since is no
        # conflict; but a copy of the file whose clock was put right meanwhile may come later than that.
        again = operation.action == "new"
        concurrent = again or operation.prev.get(register, ZERO) != known
        if not concurrent and clock < known:
            return Merged(row, refused="clock_behind")
        unseen = concurrent and (clock > known or not again)
        clash = unseen and value != current and kind.policy(register) is Policy.REVIEW
        if clock > known:
            if clash:
                clashes.append(Clash(register, value, current, clock, known))
            changed[register] = value
        elif clash:
            clashes.append(Clash(register, current, value, known, clock))
    clashes += _unseen_deletion(row, operation, changed) or _deleted_unseen(row, operation, kind, changed)
    if not changed:
        return Merged(row, clashes=tuple(clashes))
    return Merged(_with(row, changed, dict.fromkeys(changed, clock)), tuple(changed), tuple(clashes))


def _unseen_deletion(row: Row, operation: Operation, changed: Mapping[str, Values]) -> list[Clash]:
    """Somebody changes what another has deleted, unseen: the row stays deleted, and the change is not lost."""
    known = row.clock_of(DELETED)
    if not changed or not row.deleted or DELETED in changed or operation.prev.get(DELETED, known) == known:
        return []
    lost = {name: value for values in changed.values() for name, value in values.items()}
    return [Clash(DELETED, {DELETED: True}, lost, known, operation.clock)]


def _deleted_unseen(row: Row, operation: Operation, kind: Kind, changed: Mapping[str, Values]) -> list[Clash]:
    """Somebody deletes what another has changed, unseen: a deletion names every version its author saw."""
    if row.deleted or not changed.get(DELETED, {}).get(DELETED):
        return []
    unseen = [
        register
        for register, clock in operation.prev.items()
        if register in kind.registers and register not in changed and row.clock_of(register) != clock
    ]
    if not unseen:
        return []
    lost = {name: value for register in unseen for name, value in row.register(kind, register).items()}
    return [Clash(DELETED, {DELETED: True}, lost, operation.clock, max(map(row.clock_of, unseen)))]


def _state(row: Row | None, operation: Operation, kind: Kind) -> Merged:
    if row is None:
        made = _create(operation, kind).row
        assert made is not None
        row = Row(made.id, made.kind, "", made.values, operation.clock, dict(operation.clocks), made.deleted)
        return Merged(row, changed=tuple(kind.registers))
    changed: dict[str, Values] = {}
    clocks: dict[str, Clock] = {}
    for register, incoming in _by_register(operation.fields, kind).items():
        clock = operation.clocks.get(register, operation.clock)
        if clock > row.clock_of(register):
            changed[register] = {**row.register(kind, register), **incoming}
            clocks[register] = clock
    if not changed:
        return Merged(row)
    return Merged(_with(row, changed, clocks), tuple(changed))


def _by_register(fields: Mapping[str, Any], kind: Kind) -> dict[str, Values]:
    grouped: dict[str, Values] = {}
    for name, value in fields.items():
        register = kind.register_of.get(name)
        if register is not None:  # a field of a newer program is not ours to touch
            grouped.setdefault(register, {})[name] = value
    return grouped


def _with(row: Row, changed: Mapping[str, Values], clocks: Mapping[str, Clock]) -> Row:
    values = dict(row.values)
    deleted = row.deleted
    for register, incoming in changed.items():
        if register == DELETED:
            deleted = bool(incoming[DELETED])
        else:
            values.update(incoming)
    return Row(row.id, row.kind, row.stream, values, row.clock, {**row.clocks, **clocks}, deleted)
