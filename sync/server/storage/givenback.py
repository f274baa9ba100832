"""After a restore: which rows the server wants back from a device, and what it takes of them.

A row given back (``state``) has the clocks of its own life, and each register is taken when its clock is larger than
the one here, in whatever order and however often. It is taken only when the server asked this replica for it, only in
streams that the caller may read, and never with a clock of a time after the restore. What would overwrite a row that is
here has to pass ``overwriting`` besides.
"""

from collections.abc import Iterable, Mapping
from functools import cache

import msgspec
from sqlalchemy import Connection, text

from sync.domain import roles, streams
from sync.domain.calendar import day_of
from sync.domain.catalogue import KINDS, Kind
from sync.domain.checks import row_check
from sync.domain.clock import ZERO, Clock
from sync.domain.merge import Clash, Merged, Row, merge
from sync.domain.operations import Operation
from sync.domain.roles import Reach
from sync.domain.stubs import GONE_AFTER, deleted_at
from sync.server.storage import records, schema
from sync.server.storage.batch import Batch
from sync.server.storage.epochs import Epoch
from sync.server.storage.judge import Judge, is_of
from sync.server.storage.overwriting import Overwriting
from sync.server.storage.people import find_installation
from sync.server.storage.records import parent_of
from sync.server.storage.rights import KINDS_OF_RIGHTS, reach_of
from sync.server.storage.statements import among, ids_json, insert_rows
from sync.server.storage.values import Flaw, is_record_id
from sync.server.storage.waiting import WAITING, Waiting


class _Wanted(msgspec.Struct):
    id: str
    replica: int
    epoch: str


def want(
    connection: Connection, community: str, epoch: Epoch, replica: int, held: Mapping[str, int], *, reach: Reach
) -> frozenset[str]:
    """The ids, of those held with these checks, that this server lacks or has in other versions; remembered."""
    if not epoch.parent:
        return frozenset()
    ids = [record_id for record_id in held if is_record_id(record_id)]
    known = records.load(connection, community, ids)
    wanted = [
        record_id
        for record_id in ids
        if (row := known.get(record_id)) is None
        or row.stream.startswith(WAITING)
        or (reach.allows(row.stream) and row_check(row.id, row.clock, row.clocks) != held[record_id])
    ]
    connection.execute(
        text("DELETE FROM wanted WHERE community = :community AND replica = :replica AND epoch <> :epoch"),
        {"community": community, "replica": replica, "epoch": epoch.id},
    )
    if wanted:
        insert_rows(
            connection,
            schema.wanted,
            [_Wanted(record_id, replica, epoch.id) for record_id in wanted],
            community=community,
            conflict="(community, replica, id) DO NOTHING",
        )
    return frozenset(wanted)


class Returns:
    """The rows given back in one batch by an installation with these accounts; ``server`` is the server's replica."""

    def __init__(
        self, batch: Batch, epoch: Epoch, judge: Judge, installation: str, accounts: frozenset[str], *, server: int
    ) -> None:
        self._batch = batch
        self._epoch = epoch
        self._judge = judge
        self._installation = installation
        self._accounts = accounts
        self._today = day_of(batch.now)
        self._wanted: frozenset[str] = frozenset()
        self._reaches: dict[str, Reach] = {}  # by installation, with the rights that this batch has brought so far
        self._cases: set[str] = set()  # streams of cases that came to their mediators with this batch
        self._waiting = Waiting(batch.connection, batch.community, today=self._today)
        self._overwriting = Overwriting(batch, epoch, judge, accounts, server=server)
        self.clashes: list[tuple[str, Clash]] = []  # record, what may not overwrite the version that is here

    def expect(self, ids: Iterable[str], *, replica: int) -> None:
        """Look up which of these rows were asked for, and forget that they were: each is given back once."""
        batch, asked = self._batch, frozenset(ids)
        if not asked:
            return
        bound = {"community": batch.community, "replica": replica, "ids": ids_json(asked)}
        condition = f"community = :community AND replica = :replica AND {among(batch.connection, 'id')}"
        found = batch.connection.execute(
            text(f"SELECT id FROM wanted WHERE {condition} AND epoch = :epoch"), {**bound, "epoch": self._epoch.id}
        )
        self._wanted = frozenset(found.scalars())
        batch.connection.execute(text(f"DELETE FROM wanted WHERE {condition}"), bound)

    def take(self, operation: Operation, kind: Kind, bad: frozenset[str]) -> Flaw | None:
        """Take what is new in a row given back, without its ``bad`` fields, or say why nothing of it may be taken."""
        before = self._batch.row(operation.id)
        if operation.id not in self._wanted or not _possible(operation.clock, self._epoch):
            return "invalid", ""
        if before is not None and before.kind != kind.name:
            return "invalid", "id"
        if before is not None and not self._reads(self._installation, before.stream):
            return "out_of_scope", ""
        sound = _sound(operation, kind, bad, self._epoch)
        merged = merge(before, sound, kind)
        row = merged.row
        assert row is not None
        waits = before is not None and before.stream.startswith(WAITING)
        gone = before is None and row.deleted and deleted_at(row) + GONE_AFTER <= self._batch.now
        if gone or not (merged.changed or waits):
            return None  # nothing of it was lost
        placed = self._place(row, kind)
        if isinstance(placed, tuple):
            return placed
        if kind.name in KINDS_OF_RIGHTS and not self._may_write(row, kind, placed):
            return "read_only", ""
        if kind.name == "dispute" and self._mediates(row, placed):
            self._cases.add(placed)
        if not self._reads(self._installation, placed):
            if before is not None and not waits:
                return "out_of_scope", ""
            placed = WAITING + self._installation
        if before is None or waits:
            self._take(merged, kind, placed)
            return None
        return self._overwrite(before, sound, kind, merged, placed)

    def settle(self) -> None:
        """End the conflicts about what has been taken after all."""
        self._overwriting.settle()

    def _place(self, row: Row, kind: Kind) -> str | Flaw:
        parent = self._batch.known(row.values.get(kind.parent)) if kind.parent else None
        if parent is not None and not is_of(parent, kind, row.values):
            return "invalid", kind.parent
        return self._stream(row, kind, parent)

    def _take(self, merged: Merged, kind: Kind, stream: str) -> None:
        row = merged.row
        assert row is not None
        self._batch.give_back(row, kind, merged.changed, stream=stream, installation=self._installation)
        if kind.name in KINDS_OF_RIGHTS:
            self._reaches.clear()
        self._follow_building(row, kind, self._batch.known(row.values.get(kind.parent)) if kind.parent else None)

    def _overwrite(self, before: Row, operation: Operation, kind: Kind, merged: Merged, stream: str) -> Flaw | None:
        """Of a row that is here: take what may be taken, keep the rest as conflicts."""
        decided = self._overwriting.decide(before, operation, kind, merged, stream=stream)
        if decided.taken != frozenset(merged.changed):
            fields = {n: value for n, value in operation.fields.items() if kind.register_of[n] in decided.taken}
            merged = merge(before, msgspec.structs.replace(operation, fields=fields), kind)
            assert merged.row is not None
            placed = self._place(merged.row, kind)
            stream = placed if isinstance(placed, str) else before.stream
        self.clashes += [(before.id, clash) for clash in decided.clashes]
        if merged.changed:
            self._take(merged, kind, stream)
        return ("read_only", decided.barred) if decided.barred else None

    def release(self) -> None:
        """The rows that waited go where they belong, if their parents are here and their givers may read there."""
        batch = self._batch
        changed = {record_id: row for record_id in batch.touched() if (row := batch.row(record_id)) is not None}
        mine = {record_id for record_id, row in changed.items() if row.stream.startswith(WAITING)}
        if not mine and not self._waiting.are_any():
            return
        due = mine | self._waiting.unlooked(anew=any(row.kind in KINDS_OF_RIGHTS for row in changed.values()))
        come = changed.keys() - mine
        while due := due | self._waiting.below(come):
            come = self._let_in(due)
            due = {record_id for record_id in mine if come and record_id not in come}

    def note_looked(self) -> None:
        """After everything else: how far what waits was looked through."""
        self._waiting.note()

    def _let_in(self, ids: Iterable[str]) -> set[str]:
        """Those of these rows that can be placed go there; which."""
        batch = self._batch
        batch.load(ids, lock=True)
        rows = [row for record_id in ids if (row := batch.row(record_id)) and row.stream.startswith(WAITING)]
        batch.load((parent_of(row.kind, row.values) for row in rows), lock=False)
        come = set()
        for row in sorted(rows, key=lambda row: depth(row.kind)):
            kind = KINDS[row.kind]
            parent = batch.known(row.values.get(kind.parent)) if kind.parent else None
            stream = self._stream(row, kind, parent)
            # Who gave it decides, not who happens to push now.
            if not stream.startswith(WAITING) and self._reads(row.stream.removeprefix(WAITING), stream):
                batch.move(row, stream, clock=row.largest_clock())
                self._follow_building(row, kind, parent)
                come.add(row.id)
        return come

    def _stream(self, row: Row, kind: Kind, parent: Row | None) -> str:
        if kind.inherits and (
            parent is None or parent.stream.startswith(WAITING) or not is_of(parent, kind, row.values)
        ):
            return WAITING + self._installation
        return kind.stream(
            row.id, row.values, community=self._batch.community, parent_stream=parent.stream if parent else ""
        )

    def _reads(self, installation: str, stream: str) -> bool:
        if stream in self._cases or stream.startswith(WAITING):
            return True
        reach = self._reaches.get(installation)
        if reach is None:
            batch, accounts = self._batch, self._accounts
            if installation != self._installation:
                known = find_installation(batch.connection, batch.community, installation)
                accounts = known.accounts if known is not None else frozenset()
            reach = self._reaches[installation] = reach_of(
                batch.connection, batch.community, self._judge.rights(), accounts, today=self._today
            )
        return reach.allows(stream)

    def _may_write(self, row: Row, kind: Kind, stream: str) -> bool:
        """Rights and places are given back by those who may give them: nobody grants himself what was lost."""
        viewers = [self._judge.viewer(account) for account in self._accounts]
        return any(
            viewer.has_any({"community_secretary"})
            or not roles.authorise(
                viewer, kind=kind.name, action="new", stream=stream, values=row.values, author_made_it=False
            )
            for viewer in viewers
        )

    def _mediates(self, row: Row, stream: str) -> bool:
        named = self._accounts & frozenset(row.values["mediator_ids"])
        return stream == streams.case(row.id) and any(
            self._judge.viewer(account).has_any({"mediator"}) for account in named
        )

    def _follow_building(self, row: Row, kind: Kind, parent: Row | None) -> None:
        """A child is where its parent is, whatever it says of itself."""
        theirs = parent.values.get("building_id") if parent else None
        if parent and theirs and "building_id" in kind.fields and row.values["building_id"] != theirs:
            self._batch.write(kind, row.id, {"building_id": theirs}, parent_stream=parent.stream)


@cache
def depth(kind: str) -> int:
    """How many kinds must come before this one, so that parents come before their children."""
    known = KINDS[kind]
    if kind in KINDS_OF_RIGHTS:
        return 0
    if not known.parent:
        return 1
    refers = known.fields[known.parent].refers
    return depth(refers) + 1 if refers else len(KINDS)


def _sound(operation: Operation, kind: Kind, bad: frozenset[str], epoch: Epoch) -> Operation:
    """The row without what cannot be taken: such registers have no clock at all, so that any other's is larger."""
    fields = {name: value for name, value in operation.fields.items() if name in kind.register_of}
    lost = {kind.register_of[name] for name in bad if name in kind.register_of}
    lost |= kind.registers.keys() - {kind.register_of[name] for name in fields}
    lost |= {
        register
        for register, clock in operation.clocks.items()
        if register in kind.registers and not _possible(clock, epoch)
    }
    return msgspec.structs.replace(
        operation,
        fields={name: value for name, value in fields.items() if kind.register_of[name] not in lost},
        clocks={
            **{register: clock for register, clock in operation.clocks.items() if register in kind.registers},
            **dict.fromkeys(lost, ZERO),
        },
    )


def _possible(clock: Clock, epoch: Epoch) -> bool:
    hlc, device = clock
    return 0 <= hlc <= epoch.latest and 0 <= device < 2**63
