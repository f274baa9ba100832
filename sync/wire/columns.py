"""Operations and rows by columns: half the bytes and a third of the time of a list of objects, in the same order."""

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import Any

import msgspec

from sync.domain.clock import Clock
from sync.domain.merge import Row
from sync.domain.operations import Action, Operation
from sync.errors import BadMessage
from sync.wire.messages import LIMITS, Group, RowTable

_Alike = tuple[str, Action, int, str, tuple[str, ...], tuple[str, ...]]


def encode_operations(operations: Iterable[Operation]) -> list[Group]:
    """The operations of one batch, in groups of those that look alike."""
    alike: dict[_Alike, list[tuple[int, Operation]]] = {}
    key: _Alike | None = None
    members: list[tuple[int, Operation]] = []
    for at, one in enumerate(operations):
        own = (one.kind, one.action, one.device, one.author, tuple(one.fields), tuple(one.prev))
        if own != key:  # most look like the one before: comparing is cheaper than finding
            key, members = own, alike.setdefault(own, [])
        members.append((at, one))
    return [_group(key, members) for key, members in alike.items()]


def _group(key: _Alike, members: list[tuple[int, Operation]]) -> Group:
    kind, action, device, author, fields, prev_of = key
    places = [at for at, _ in members]
    clocks: list[dict[str, Clock]] = [one.clocks for _, one in members]
    return Group(
        kind=kind,
        action=action,
        device=device,
        author=author,
        at=[places[0], *(after - before for before, after in pairwise(places))],
        id=[one.id for _, one in members],
        hlc=[one.hlc for _, one in members],
        fields=list(fields),
        cols=_columns([one.fields.values() for _, one in members]),
        prev_of=list(prev_of),
        prev=[list(one.prev.values()) for _, one in members] if prev_of else [],
        clocks=clocks if any(clocks) else [],
    )


def decode_operations(groups: Sequence[Group], *, most: int = LIMITS.operations) -> list[Operation]:
    """The operations of a batch in their order; values are as they came. Raises BadMessage as ``count_operations``."""
    placed: list[tuple[int, Operation]] = []
    count_operations(groups, most=most)
    for group in groups:
        placed += zip(accumulate(group.at), members(group), strict=True)
    placed.sort(key=itemgetter(0))
    return [operation for _, operation in placed]


def count_operations(groups: Sequence[Group], *, most: int = LIMITS.operations) -> int:
    """How many operations there are in these groups, once it is sure that they can be told apart.

    Raises BadMessage ``too_large`` (``most``) and ``malformed``: columns of unequal length, or places that do not
    make one row. What the values may be is for the catalogue to say.
    """
    count = sum(len(group.id) for group in groups)
    if count > most:
        raise BadMessage("too_large", most=most)
    places: list[int] = []
    for group in groups:
        size = len(group.id)
        _check(group.fields, cols=group.cols, size=size, columns=(group.at, group.hlc))
        if group.prev_of and (len(group.prev) != size or {*map(len, group.prev)} - {len(group.prev_of)}):
            raise BadMessage("malformed", at="groups.prev")
        if len(group.clocks) not in (0, size):
            raise BadMessage("malformed", at="groups.prev")
        places += accumulate(group.at)
    if sorted(places) != list(range(count)) or not all(group.at for group in groups):
        raise BadMessage("malformed", at="groups.at")
    return count


def members(group: Group) -> Iterable[Operation]:
    """The operations of a group in its order."""
    size = len(group.id)
    registers = group.prev_of
    prevs = [dict(zip(registers, clocks, strict=True)) for clocks in group.prev] if registers else _none(size)
    clocks = group.clocks or _none(size)
    kind, action, device, author, names = group.kind, group.action, group.device, group.author, group.fields
    rows = zip(*group.cols, strict=True) if group.cols else [()] * size
    return [
        Operation(
            kind=kind,
            id=id_,
            action=action,
            fields=dict(zip(names, values, strict=True)),
            hlc=hlc,
            device=device,
            author=author,
            prev=prev,
            clocks=own,
        )
        for id_, hlc, values, prev, own in zip(group.id, group.hlc, rows, prevs, clocks, strict=True)
    ]


def encode_rows(placed: Iterable[tuple[Row, int]]) -> list[RowTable]:
    """Rows with their positions, in tables of those that look alike; each table is in the order given."""
    alike: dict[tuple[str, str, tuple[str, ...]], list[tuple[Row, int]]] = {}
    for row, seq in placed:
        alike.setdefault((row.kind, row.stream, tuple(row.values)), []).append((row, seq))
    return [_table(*key, members) for key, members in alike.items()]


def _table(kind: str, stream: str, fields: tuple[str, ...], members: list[tuple[Row, int]]) -> RowTable:
    clocks = [dict(row.clocks) for row, _ in members]
    return RowTable(
        kind=kind,
        stream=stream,
        fields=list(fields),
        id=[row.id for row, _ in members],
        seq=[seq for _, seq in members],
        hlc=[row.clock[0] for row, _ in members],
        device=[row.clock[1] for row, _ in members],
        cols=_columns([row.values.values() for row, _ in members]),
        clocks=clocks if any(clocks) else [],
        deleted=[at for at, (row, _) in enumerate(members) if row.deleted],
    )


def checked_rows(tables: Sequence[RowTable]) -> Sequence[RowTable]:
    """The tables of a page as they are, once their columns fit each other. Raises BadMessage ``malformed``."""
    for table in tables:
        _check(table.fields, cols=table.cols, size=len(table.id), columns=(table.seq, table.hlc, table.device))
        if len(table.clocks) not in (0, len(table.id)):
            raise BadMessage("malformed", at="tables.clocks")
    return tables


def decode_rows(tables: Sequence[RowTable]) -> list[tuple[Row, int]]:
    """The rows of a page with their positions. Raises BadMessage ``malformed``."""
    return [placed for table in checked_rows(tables) for placed in _rows(table)]


def _rows(table: RowTable) -> list[tuple[Row, int]]:
    size = len(table.id)
    clocks = table.clocks or _none(size)
    gone, kind, stream, names = frozenset(table.deleted), table.kind, table.stream, table.fields
    rows = zip(*table.cols, strict=True) if table.cols else [()] * size
    return [
        (Row(id_, kind, stream, dict(zip(names, values, strict=True)), (hlc, device), own, at in gone), seq)
        for at, (id_, seq, hlc, device, values, own) in enumerate(
            zip(table.id, table.seq, table.hlc, table.device, rows, clocks, strict=True)
        )
    ]


def bad_values(column: Sequence[Any], *, type_: Any) -> tuple[int, ...]:
    """Places of the values that are not of a type (such as ``str | None``).

    Checked as a whole, and singly only when that fails. So one bad value costs its own operation and not the batch.
    ``type_`` may carry msgspec's constraints.
    """
    try:
        msgspec.convert(column, list[type_])
    except msgspec.ValidationError:
        return tuple(at for at, value in enumerate(column) if not _is(value, type_))
    return ()


def _is(value: Any, type_: Any) -> bool:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError:
        return False
    return True


def _columns(rows: list[Any]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _none(size: int) -> list[dict[str, Clock]]:
    # One empty mapping for all: nobody writes into an operation or a row.
    return [{}] * size


def _check(names: list[str], *, cols: list[list[Any]], size: int, columns: Sequence[Sequence[Any]]) -> None:
    if len(names) != len(cols) or len(set(names)) != len(names):
        raise BadMessage("malformed", at="fields")
    if any(len(column) != size for column in (*cols, *columns)):
        raise BadMessage("malformed", at="cols")
