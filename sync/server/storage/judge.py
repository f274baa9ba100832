"""Says of one operation whether it may be: its author's rights, its parent, its place, its fields."""

from collections.abc import Mapping
from typing import Any

from sync.domain import roles
from sync.domain.catalogue import KINDS, Kind
from sync.domain.fields import Policy
from sync.domain.merge import Row
from sync.domain.operations import Operation, Values
from sync.domain.roles import Viewer
from sync.server.storage.batch import Batch
from sync.server.storage.rights import KINDS_OF_RIGHTS, Rights, rights_of
from sync.server.storage.values import Flaw

# Fields whose records an operation of any kind may need to see, besides the parent its kind names.
LOOKED_AT = ("household_id", "other_household_id")
_PLACE = ("household_id", "building_id", "compound_id")
_SERVER = {
    kind.name: frozenset(name for name, field in kind.fields.items() if field.policy is Policy.SERVER)
    for kind in KINDS.values()
}
_ONCE = {
    kind.name: frozenset(name for name, field in kind.fields.items() if field.policy is Policy.ONCE)
    for kind in KINDS.values()
}


def is_of(parent: Row, kind: Kind, values: Mapping[str, Any]) -> bool:
    """Whether the record these values name is of the kind that they say it is, or that theirs always belongs to."""
    return parent.kind == (kind.fields[kind.parent].refers or values.get("record_kind"))


class Judge:
    """Answers for one batch; sees the places and grants that the batch itself brings."""

    def __init__(self, batch: Batch, *, rows: Mapping[str, Row], rights: Rights, today: str) -> None:
        self._batch = batch
        self._rows = rows
        self._rights = rights
        self._today = today
        self._met = 0  # rows of the batch that the rights know of
        self._viewers: dict[str, Viewer] = {}
        self._answers: dict[tuple[Any, ...], str] = {}

    def rights(self) -> Rights:
        """The rights with the places and grants that this batch has brought so far."""
        self._learn()
        return self._rights

    def viewer(self, account_id: str) -> Viewer:
        """The author with the grants valid today."""
        known = self._viewers.get(account_id)
        if known is None:
            known = self._viewers[account_id] = self._rights.viewer(account_id, today=self._today)
        return known

    def writable(self, operation: Operation, kind: Kind, before: Row | None) -> Values | Flaw:
        """The fields of the operation that it may write, or why not: ``read_only`` with the field."""
        fixed = _SERVER[kind.name]
        if before is None:
            if fixed.isdisjoint(operation.fields):
                return operation.fields
            return self._without(operation, fixed, kind.defaults)
        fixed |= _ONCE[kind.name]
        if fixed.isdisjoint(operation.fields):
            return operation.fields
        if operation.action == "new":  # a retry under another name of the device
            return {name: value for name, value in operation.fields.items() if name not in fixed}
        return self._without(operation, fixed, before.values)

    def place(self, operation: Operation, kind: Kind, values: Values, before: Row | None) -> tuple[str, Values] | Flaw:
        """The stream of a record with these values, and the values with the server's parent followed.

        Codes: ``parent_missing``, ``invalid`` with the field.
        """
        parent: Row | None = None
        if kind.parent and (before is None or kind.inherits):
            parent = self._batch.known(values.get(kind.parent))
            refers = kind.fields[kind.parent].refers
            if parent is None or (refers and parent.kind != refers):
                return "parent_missing", kind.parent
            if before is None and not is_of(parent, kind, values):
                return "invalid", "record_kind"
        flaw = self._misplaced(kind, values, before)
        if flaw is not None:
            return flaw
        if parent is not None and "building_id" in kind.fields and "building_id" in parent.values:
            theirs = parent.values["building_id"]
            if values.get("building_id") != theirs:
                if parent.kind != "demand" or not theirs:
                    return "invalid", "building_id"
                # The demand was moved while this was written elsewhere: children follow the server's parent.
                values = {**values, "building_id": theirs}
        stream = kind.stream(
            operation.id,
            values,
            community=self._batch.community,
            parent_stream=parent.stream if parent else "",
        )
        return stream, values

    def authorise(self, operation: Operation, kind: Kind, before: Row | None, *, stream: str, values: Values) -> str:
        """'' when the author may write there, in the stream it is in and in the one it moves to; a code otherwise."""
        if kind.inherits and (parent := self._batch.known(values.get(kind.parent))) is not None:
            values = {**parent.values, **values}
        if before is None:
            if roles.names_another(operation.fields, operation.author):
                return "out_of_scope"
            return self._ask(operation.author, kind, "new", stream, values, made_it=False)
        made_it = roles.made_by(before.values, operation.author)
        code = self._ask(operation.author, kind, "patch", before.stream, {**values, **before.values}, made_it=made_it)
        if not code and stream != before.stream:
            code = self._ask(operation.author, kind, "patch", stream, values, made_it=made_it)
        return code

    def _ask(self, author: str, kind: Kind, action: str, stream: str, values: Values, *, made_it: bool) -> str:
        # What decides besides the stream: the mediators of a case, the compound of a building.
        decisive = tuple(values.get("mediator_ids") or ()) if stream.startswith("case:") else values.get("compound_id")
        key = (author, kind.name, action, stream, made_it, decisive)
        known = self._answers.get(key)
        if known is None:
            known = self._authorise(author, kind, action, stream, values, made_it)
            if known and self._learn():
                known = self._authorise(author, kind, action, stream, values, made_it)
            self._answers[key] = known
        return known

    def _authorise(self, author: str, kind: Kind, action: str, stream: str, values: Values, made_it: bool) -> str:
        return roles.authorise(
            self.viewer(author),
            kind=kind.name,
            action=action,
            stream=stream,
            values=values,
            author_made_it=made_it,
        )

    def _learn(self) -> bool:
        """Take in places made earlier in this batch; whether there are any."""
        touched = tuple(self._batch.touched())
        fresh = {
            record_id: row
            for record_id in touched[self._met :]
            if (row := self._batch.known(record_id)) is not None and row.kind in KINDS_OF_RIGHTS
        }
        self._met = len(touched)
        if not fresh:
            return False
        self._rows = {**self._rows, **fresh}
        self._rights = rights_of(self._batch.community, self._rows.values())
        self._viewers.clear()
        self._answers.clear()
        return True

    def _misplaced(self, kind: Kind, values: Values, before: Row | None) -> Flaw | None:
        """Do household, building and compound of these values exist and belong to each other?"""
        if before is not None and all(before.values.get(name) == values.get(name) for name in _PLACE):
            return None
        fields = kind.fields
        household_id, building_id = values.get("household_id"), values.get("building_id")
        if household_id and "household_id" in fields:
            household = self._batch.known(household_id)
            if household is None or household.kind != "household":
                return "parent_missing", "household_id"
            if (
                "building_id" in fields
                and building_id != household.values["building_id"]
                and (building_id or kind.name != "dispute")
            ):
                return "invalid", "building_id"
        if kind.parent or not ("compound_id" in fields or "building_id" in fields):
            return None  # the parent vouches for the place
        compound_id = values.get("compound_id")
        if building_id:
            compound = self._compound_of(building_id)
            if not compound:
                return "parent_missing", "building_id"
            if "compound_id" in fields and compound_id != compound:
                return "invalid", "compound_id"
        elif "compound_id" in fields and not self._is_compound(str(compound_id)):
            return "parent_missing", "compound_id"
        return None

    def _compound_of(self, building_id: str) -> str:
        found = self._rights.places.compound_of(building_id)
        if not found and self._learn():
            found = self._rights.places.compound_of(building_id)
        return found

    def _is_compound(self, compound_id: str) -> bool:
        return compound_id in self._rights.places.compounds or (
            self._learn() and compound_id in self._rights.places.compounds
        )

    def _without(self, operation: Operation, fixed: frozenset[str], standing: Mapping[str, Any]) -> Values | Flaw:
        for name in operation.fields:
            if name in fixed and operation.fields[name] != standing.get(name):
                return "read_only", name
        return {name: value for name, value in operation.fields.items() if name not in fixed}
