"""All kinds by name: their fields, registers and streams, read from the declarations in ``kinds/``."""

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sync.domain.calendar import parse_day
from sync.domain.fields import LAST_INSTANT, Field, Policy, Record, Type
from sync.domain.kinds import attachments, demands, disputes, notes, people, places, visiting
from sync.domain.operations import DELETED
from sync.errors import RuleError

StreamRule = Callable[[str, Mapping[str, Any], str], str]  # id, values, community → stream


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """A sort of record. ``stream`` derives the stream from the record's own fields and the community's id;
    a kind with ``inherits`` takes the stream of the record its ``parent`` field names."""

    name: str
    label: str
    struct: type[Record]
    fields: Mapping[str, Field]
    defaults: Mapping[str, Any]
    registers: Mapping[str, tuple[str, ...]]  # register → its fields, in order
    register_of: Mapping[str, str]  # field → its register
    parent: str
    inherits: bool
    stream_rule: StreamRule | None
    since: int  # the version of the protocol that brought the kind: that of its first fields

    def policy(self, register: str) -> Policy:
        """The merge policy of a register; all fields of a group share one."""
        if register == DELETED:
            return Policy.REVIEW
        return self.fields[self.registers[register][0]].policy

    def fields_at(self, version: int) -> tuple[str, ...]:
        """The fields that a program of this version of the protocol knows; none of a kind that came later."""
        return tuple(name for name, field in self.fields.items() if field.since <= version)

    def stream(self, record_id: str, values: Mapping[str, Any], *, community: str, parent_stream: str = "") -> str:
        """The one stream a record with these values belongs to."""
        if self.stream_rule is None:
            return parent_stream
        return self.stream_rule(record_id, values, community)

    def complete(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values with the kind's defaults for those left out."""
        return {**self.defaults, **values}

    def record(self, record_id: str, values: Mapping[str, Any]) -> Record:
        """The immutable record with these values; unknown ones (from a newer program) are left out."""
        known = {
            name: tuple(value) if isinstance(value, list) else value
            for name in self.fields
            if (value := values.get(name)) is not None
        }
        return self.struct(id=record_id, **known)


def _read(struct: type[Record], name: str, label: str, rule: StreamRule | None, parent: str) -> Kind:
    hints = typing.get_type_hints(struct, include_extras=True)
    fields: dict[str, Field] = {}
    for attribute in struct.__struct_fields__:
        if attribute == "id":
            continue
        fields[attribute] = next(m for m in typing.get_args(hints[attribute]) if isinstance(m, Field))
    plain = struct(id="")
    registers: dict[str, tuple[str, ...]] = {}
    register_of: dict[str, str] = {}
    for attribute, field in fields.items():
        register = field.group or attribute
        registers[register] = (*registers.get(register, ()), attribute)
        register_of[attribute] = register
    return Kind(
        name=name,
        label=label,
        struct=struct,
        fields=fields,
        defaults={
            attribute: list(value) if isinstance(value := getattr(plain, attribute), tuple) else value
            for attribute in fields
        },
        registers={**registers, DELETED: (DELETED,)},
        register_of={**register_of, DELETED: DELETED},
        parent=parent,
        inherits=rule is None,
        stream_rule=rule,
        since=min(field.since for field in fields.values()),
    )


KINDS: Mapping[str, Kind] = {
    name: _read(struct, name, label, rule, parent)
    for module in (places, people, visiting, demands, disputes, notes, attachments)
    for name, (struct, label, rule, parent) in module.KINDS.items()
}


def check_value(kind: Kind, name: str, value: Any) -> None:
    """Refuse a value of the wrong type, an unknown choice, no real day, or a text beyond the field's limit.

    Raises RuleError(field, 'unknown_field' | 'wrong_type' | 'unknown_choice' | 'bad_date' | 'too_long').
    """
    field = kind.fields.get(name)
    if field is None:
        raise RuleError(name, "unknown_field")
    if value is None and kind.defaults[name] is None:
        return
    if field.type in (Type.INTEGER, Type.INSTANT):
        fits = isinstance(value, int) and not isinstance(value, bool)
        fits = fits and (field.type is Type.INTEGER or 0 <= value <= LAST_INSTANT)
    elif field.type is Type.BOOLEAN:
        fits = isinstance(value, bool)
    elif field.type is Type.LIST:
        fits = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    else:
        fits = isinstance(value, str)
    if not fits:
        raise RuleError(name, "wrong_type")
    if field.type is Type.CHOICE and value and value not in field.options:
        raise RuleError(name, "unknown_choice")
    if field.type is Type.DATE and value:
        parse_day(value, field=name)
    if isinstance(value, str) and len(value) > field.limit:
        raise RuleError(name, "too_long", limit=field.limit, length=len(value))
