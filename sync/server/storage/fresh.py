"""New records by the thousand: what would be asked of each is asked once of all that stand in one building.

Bulk work makes records of a few plain kinds, all by one person, under parents that are here. What is not as plain as
that goes one by one: whatever is refused, numbered, disputed or in care, and batches that change records besides.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from itertools import accumulate, repeat
from typing import Any

import msgspec

from sync.domain import streams
from sync.domain.catalogue import KINDS, Kind
from sync.domain.fields import Policy
from sync.domain.operations import DELETED, Operation
from sync.domain.roles import MAKERS, names_another
from sync.server.storage import records
from sync.server.storage.batch import Batch
from sync.server.storage.judge import Judge
from sync.server.storage.records import Fresh
from sync.wire import Group

_encode_lines = msgspec.json.Encoder().encode_lines


def _is_plain(kind: Kind) -> bool:
    """Does its stream follow from its building, and its building from its parent, and nothing else from it?"""
    if kind.stream_rule not in (streams.of_building, streams.of_care) or kind.name == "care_pairing":
        return False
    refers = kind.fields[kind.parent].refers
    return refers == "building" or KINDS[refers].stream_rule is streams.of_building


_PLAIN = {kind.name: kind for kind in KINDS.values() if _is_plain(kind)}
_BARRED = {
    kind.name: {DELETED, *(name for name, field in kind.fields.items() if field.policy is Policy.SERVER)}
    for kind in _PLAIN.values()
}


def take(batch: Batch, judge: Judge, groups: Sequence[Group], *, device: int, accounts: Collection[str]) -> set[int]:
    """Take what is plain in a batch without flaws that only makes records; the places that are done with.

    The rows are in the batch to be written. That none of them is here yet is for the database to say then (``Raced``).
    """
    ids = [record_id for group in groups for record_id in group.id]
    made = frozenset(ids)
    if len(made) < len(ids):
        return set()
    for group in groups:
        kind = _PLAIN.get(group.kind)
        if kind is None or group.action != "new" or group.device != device or group.author not in accounts:
            return set()  # a mixture has an order that must be kept
        if not made.isdisjoint(_given(group).get(kind.parent, ())):
            return set()  # children of records that come with them
    done: set[int] = set()
    for group in groups:
        places = list(accumulate(group.at))
        done.update(places[at] for at in _take_group(batch, judge, group, _PLAIN[group.kind]))
    return done


def _take_group(batch: Batch, judge: Judge, group: Group, kind: Kind) -> list[int]:
    given = _given(group)
    if not given.keys() >= {kind.parent, "building_id"} or not _BARRED[kind.name].isdisjoint(given):
        return []
    if any(names_another({name: who}, group.author) for name in MAKERS & given.keys() for who in set(given[name])):
        return []
    parents, buildings = given[kind.parent], given["building_id"]
    standing = records.standing(batch.connection, batch.community, parents)
    in_care = _in_care(batch, buildings) if kind.name == "visit" else frozenset()
    by_building: dict[str, list[int]] = {building: [] for building in buildings}
    right = {building: _where(kind, building, batch.community) for building in by_building}
    for at, (parent, building) in enumerate(zip(parents, buildings, strict=True)):
        if standing.get(parent) == right[building] and parent not in in_care:
            by_building[building].append(at)
    written = _written(kind, given, len(group.id))
    taken: list[int] = []
    for members in by_building.values():
        stream = _stream(batch, judge, group, kind, members[0]) if members else ""
        if stream:
            taken += members
            batch.take(
                Fresh(
                    kind=kind.name,
                    stream=stream,
                    device=group.device,
                    author=group.author,
                    at=batch.now,
                    ids=_picked(group.id, members),
                    hlc=_picked(group.hlc, members),
                    parents=_picked(parents, members),
                    fields=_picked(written, members),
                )
            )
    return taken


def _stream(batch: Batch, judge: Judge, group: Group, kind: Kind, at: int) -> str:
    """The stream of this record and of all in its building, if their author may write there; '' otherwise."""
    fields = {name: column[at] for name, column in _given(group).items()}
    values = kind.complete(fields)
    operation = Operation(kind=kind.name, id=group.id[at], action="new", fields=fields, author=group.author)
    stream = kind.stream(operation.id, values, community=batch.community)
    return "" if judge.authorise(operation, kind, None, stream=stream, values=values) else stream


def _where(kind: Kind, building: str, community: str) -> tuple[str, str]:
    """Kind and stream of the parent that a record in this building must have: where it stands says its building."""
    refers = kind.fields[kind.parent].refers
    return refers, streams.community(community) if refers == "building" else streams.building(building)


def _in_care(batch: Batch, buildings: Sequence[str]) -> frozenset[str]:
    """The households for which the next visit is due on a day that follows from each visit."""
    found = {streams.care(building) for building in set(buildings)}
    return records.parents_in(batch.connection, batch.community, found, kind="care_pairing")


def _written(kind: Kind, given: Mapping[str, Sequence[Any]], count: int) -> list[str]:
    """The values of the records as JSON, with the defaults of what was not given."""
    columns = [given.get(name) or repeat(default, count) for name, default in kind.defaults.items()]
    return _encode_lines(list(map(_struct(kind.name), *columns))).decode().split("\n")


@cache
def _struct(kind: str) -> type[msgspec.Struct]:
    return msgspec.defstruct(kind, [(name, Any) for name in KINDS[kind].defaults], gc=False)


def _given(group: Group) -> dict[str, Sequence[Any]]:
    return dict(zip(group.fields, group.cols, strict=True))


def _picked(column: Sequence[Any], places: Sequence[int]) -> list[Any]:
    return list(map(column.__getitem__, places))
