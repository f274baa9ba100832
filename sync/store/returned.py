"""A row that was given back after a restore, and that the server would not have: sent again as somebody's own work."""

import msgspec

from sync.domain.catalogue import Kind
from sync.domain.fields import Policy
from sync.domain.merge import Row
from sync.domain.operations import DELETED, Operation

_WRITTEN = frozenset({Policy.AUTO, Policy.REVIEW})


def as_own_work(given: Operation, kind: Kind, here: Row | None, author: str) -> Operation | None:
    """The ordinary operation, not yet stamped, that makes the record again, or changes the one that is ``here`` to it.

    Rows are given back only when the server asks, and it asks once: as it is it would be refused for ever. None without
    an author, and when nothing that people write is missing here.
    """
    if not author:
        return None
    if here is None:
        fields = {
            name: value
            for name, value in given.fields.items()
            if (name == DELETED and value) or (name in kind.fields and kind.fields[name].policy is not Policy.SERVER)
        }
        return msgspec.structs.replace(given, action="new", fields=fields, clocks={}, author=author)
    changed = {}
    for register, names in kind.registers.items():
        now = here.register(kind, register)
        then = {**now, **{name: given.fields[name] for name in names if name in given.fields}}
        if then != now and kind.policy(register) in _WRITTEN:
            changed[register] = then
    if not changed:
        return None
    seen = {register: here.clock_of(register) for register in (*changed, DELETED)}
    fields = {name: value for values in changed.values() for name, value in values.items()}
    return msgspec.structs.replace(given, action="patch", fields=fields, clocks={}, author=author, prev=seen)
