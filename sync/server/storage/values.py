"""Are the values of a batch what the catalogue allows? Asked by columns; one by one only where a column fails."""

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import accumulate
from typing import Annotated, Any, Literal

import msgspec

from sync.domain.calendar import parse_day
from sync.domain.catalogue import KINDS, Kind, check_value
from sync.domain.fields import LAST_INSTANT, Type
from sync.domain.operations import DELETED, LARGEST_OPERATION
from sync.domain.plain_text import is_clean
from sync.errors import RuleError
from sync.wire import Group, bad_values, members

Flaw = tuple[str, str]  # refusal code, field
LONGEST_LIST = 2000  # items
# Streams are named after records: an id with a colon in it could name somebody else's stream.
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ID, _IDS = re.compile(_UUID), re.compile(f"{_UUID}(?:,{_UUID})*")
# Bytes of an operation's JSON at the most: around its fields, of a clock in ``prev``, of a letter, around a text.
_HEAD, _CLOCK, _LETTER, _QUOTES = 600, 60, 6, 8
_Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Instant = Annotated[int, msgspec.Meta(ge=0, le=LAST_INSTANT)]


def flaws(groups: Sequence[Group]) -> dict[int, Flaw]:
    """The operations of a batch, by their places, that carry a value no form could have made.

    Codes: ``schema`` (a kind or field of a newer program), ``invalid``, ``bad_text`` (not NFC, or a NUL in it),
    ``too_large`` (a text, or without a field the operation as a whole).
    """
    found: dict[int, Flaw] = {}
    for group in groups:
        places = list(accumulate(group.at))
        kind = KINDS.get(group.kind)
        if kind is None:
            found.update(dict.fromkeys(places, ("schema", "")))
            continue
        if not _are_record_ids(group.id):
            bad = (at for at, record_id in enumerate(group.id) if not is_record_id(record_id))
            found.update(dict.fromkeys((places[at] for at in bad), ("invalid", "id")))
        if group.action == "state":
            continue  # see ``unsound``
        for name, column in zip(group.fields, group.cols, strict=False):
            if name != DELETED and name not in kind.fields:
                found.update(dict.fromkeys(places, ("schema", name)))
                continue
            for place in _bad(kind, name, column):
                found.setdefault(places[place], (_code(kind, name, column[place]), name))
            for place in _unclean(column):
                found.setdefault(places[place], ("bad_text", name))
        for place in _too_large(kind, group):
            found.setdefault(places[place], ("too_large", ""))
    return found


def unsound(groups: Sequence[Group]) -> dict[int, frozenset[str]]:
    """Of rows given back, by their places, the fields with a value no form could have made: only these are left out."""
    found: dict[int, frozenset[str]] = {}
    for group in groups:
        kind = KINDS.get(group.kind)
        if group.action != "state" or kind is None:
            continue
        places = list(accumulate(group.at))
        for name, column in zip(group.fields, group.cols, strict=False):
            if name != DELETED and name not in kind.fields:
                continue
            bad = {*_bad(kind, name, column), *(at for at, value in enumerate(column) if _holds_nul(value))}
            if name != DELETED and kind.fields[name].type is Type.REF:
                bad |= {at for at, value in enumerate(column) if value and not is_record_id(str(value))}
            for place in bad:
                found[places[place]] = found.get(places[place], frozenset()) | {name}
    return found


def is_record_id(text: str) -> bool:
    """Whether this can be the id of a record: a UUID in its one form."""
    return _ID.fullmatch(text) is not None


def _are_record_ids(ids: Sequence[str]) -> bool:
    joined = ",".join(ids)
    return _IDS.fullmatch(joined) is not None and joined.count(",") == len(ids) - 1


def _bad(kind: Kind, name: str, column: Sequence[Any]) -> tuple[int, ...]:
    if name == DELETED:
        return bad_values(column, type_=bool)
    found = bad_values(column, type_=_type(kind.name, name))
    if kind.fields[name].type is not Type.DATE or (not found and all(_is_day(day) for day in set(column) if day)):
        return found
    days = (at for at, value in enumerate(column) if isinstance(value, str) and not _is_day(value))
    return tuple({*found, *days})


@lru_cache(maxsize=10_000)
def _is_day(text: str) -> bool:
    try:
        return not text or bool(parse_day(text))
    except RuleError:
        return False


@cache
def _type(kind: str, name: str) -> Any:
    # Nothing where the catalogue has a default is a value that no form makes, and that readers do not expect.
    return _plain_type(kind, name) if KINDS[kind].defaults[name] is not None else _plain_type(kind, name) | None


def _plain_type(kind: str, name: str) -> Any:
    field = KINDS[kind].fields[name]
    if field.type is Type.INSTANT:
        return _Instant
    if field.type is Type.INTEGER:
        return _Integer
    if field.type is Type.BOOLEAN:
        return bool
    if field.type is Type.LIST:
        item = Annotated[str, msgspec.Meta(max_length=field.limit)]
        return Annotated[list[item], msgspec.Meta(max_length=LONGEST_LIST)]
    if field.type is Type.CHOICE:
        return Literal[("", *field.options)]
    return Annotated[str, msgspec.Meta(max_length=field.limit)]


def _unclean(column: Sequence[Any]) -> Iterable[int]:
    """The places of texts that are in another form than the stored one; all are looked at together first."""
    if is_clean(_text(column)):
        return ()
    return (at for at, value in enumerate(column) if not is_clean(_text([value])))


def _text(column: Sequence[Any]) -> str:
    """All that is text in these values; the line ends keep one from altering the next."""
    try:
        return "\n".join(column)
    except TypeError:
        texts = (value if isinstance(value, list) else [value] for value in column)
        return "\n".join(text for some in texts for text in some if isinstance(text, str))


def _too_large(kind: Kind, group: Group) -> Iterable[int]:
    """The places of operations beyond the limit. Only a long list, or many names of registers, takes one there."""
    most = _HEAD + sum(len(name) + _CLOCK for name in group.prev_of)
    for name, column in zip(group.fields, group.cols, strict=False):
        field = kind.fields.get(name)
        items = 1
        if field is not None and field.type is Type.LIST:
            items = max((len(value) for value in column if isinstance(value, list)), default=0)
        most += len(name) + items * (_LETTER * (field.limit if field is not None else 1) + _QUOTES)
    if most <= LARGEST_OPERATION:
        return ()
    return (at for at, one in enumerate(members(group)) if len(msgspec.json.encode(one)) > LARGEST_OPERATION)


def _code(kind: Kind, name: str, value: Any) -> str:
    try:
        if name != DELETED:
            check_value(kind, name, value)
    except RuleError as error:
        return "too_large" if error.code == "too_long" else "invalid"
    return "invalid"


def _holds_nul(value: Any) -> bool:
    return ("\0" in value) if isinstance(value, str) else isinstance(value, list) and any(map(_holds_nul, value))
