"""One transaction's view of the records it touches: rows as they become, what goes into the history, what moved."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from sync.domain.catalogue import Kind
from sync.domain.clock import ZERO, Clock, hlc_of
from sync.domain.merge import Merged, Row, merge
from sync.domain.operations import Operation
from sync.server.storage import records
from sync.server.storage.growth import Growth, bump
from sync.server.storage.history import GivenBack, Writes, encode_fields, write_history
from sync.server.storage.records import Fresh, Making, StoredExit, StoredRecord


class Batch:
    """Collects what operations do to rows and writes it all at the end, positions last.

    ``replica`` is the server's own; its writes are stamped later than everything they follow from.
    """

    def __init__(self, connection: Connection, community: str, *, replica: int, now: int) -> None:
        self.connection = connection
        self.community = community
        self.now = now
        self._replica = replica
        self._last = hlc_of(now)
        self._rows: dict[str, Row | None] = {}
        self._stored: dict[str, Row] = {}  # as they stood before this transaction
        self._makings: dict[str, Making] = {}  # who made them, as long as that is not in the history
        self._locked: set[str] = set()
        self._fresh: list[Fresh] = []
        self._touched: dict[str, bool] = {}  # id → whether it bears something its device has not got
        self._exits: list[tuple[str, str, Clock]] = []  # stream left, id, clock
        self._writes = Writes(now)
        self._given_back: list[GivenBack] = []
        self.authors: dict[tuple[str, Clock], str] = {}  # who wrote what in this transaction
        self.shifted: set[str] = set()  # what went to another stream, though it be made in this very transaction

    def load(self, ids: Iterable[str], *, lock: bool) -> None:
        """Fetch rows not met yet; ids without a row are remembered as such. What is to change must be locked."""
        met = self._locked if lock else self._rows
        missing = {record_id for record_id in ids if record_id and record_id not in met}
        self._take(records.load(self.connection, self.community, missing, lock=lock, makings=self._makings))
        if lock:
            self._locked |= missing
        for record_id in missing:
            self._rows.setdefault(record_id, None)

    def children(self, parents: Iterable[str], *, kind: str = "") -> list[Row]:
        """The rows, as they are now and locked, whose parent is one of these; of one kind or of all."""
        wanted = frozenset(parents)
        found = records.load_children(self.connection, self.community, wanted, kind=kind, makings=self._makings)
        self._take(found)
        self._locked |= found.keys()
        return [
            row
            for row in self._rows.values()
            if row is not None and (row.kind == kind or not kind) and records.parent_of(row.kind, row.values) in wanted
        ]

    def row(self, record_id: str | None) -> Row | None:
        """The row as it is now in this transaction; it must have been loaded or made here."""
        return self._rows[record_id] if record_id else None

    def known(self, record_id: str | None) -> Row | None:
        """The row if it was loaded or made here."""
        return self._rows.get(record_id) if record_id else None

    def touched(self) -> Iterable[str]:
        """The ids of the rows that change."""
        return tuple(self._touched)

    def before(self, record_id: str) -> Row | None:
        """The row as it stood before this transaction."""
        return self._stored.get(record_id)

    def accept(self, merged: Merged, operation: Operation, kind: Kind, *, stream: str, by_server: bool) -> None:
        """Take the outcome of a merge: the row in its stream, and the write in the history."""
        row = merged.row
        assert row is not None
        self._last = max(self._last, operation.hlc)
        if merged.changed:
            self._put(row, stream, by_server=by_server, clock=operation.clock)
        self.authors[row.id, operation.clock] = operation.author
        self._writes.note(operation, row, kind)

    def take(self, fresh: Fresh) -> None:
        """Take records that are new altogether; nobody asks for their rows in this transaction."""
        self._last = max(self._last, *fresh.hlc)
        self._fresh.append(fresh)

    def move(self, row: Row, stream: str, *, clock: Clock) -> None:
        """Put a row into another stream, as its parent went there."""
        self._put(row, stream, by_server=True, clock=clock)

    def give_back(self, row: Row, kind: Kind, registers: Iterable[str], *, stream: str, installation: str) -> None:
        """Take these registers of a row given back after a restore; its device has to pull it like everybody else.

        The history gets an entry for each clock among them, as far as values go: nobody knows the author any more,
        ``given_by`` names the installation instead.
        """
        by_clock: dict[Clock, dict[str, Any]] = {}
        for register in registers:
            if (clock := row.clock_of(register)) != ZERO:
                by_clock.setdefault(clock, {}).update(row.register(kind, register))
        self._put(row, stream, by_server=True, clock=max(by_clock, default=row.clock))
        self._given_back += [
            GivenBack(row.id, hlc, dev, self.now, row.kind, "", encode_fields(fields), installation)
            for (hlc, dev), fields in by_clock.items()
        ]

    def write(self, kind: Kind, record_id: str, fields: Mapping[str, Any], *, parent_stream: str = "") -> None:
        """A write of the server's own, made or changed as needed; the id must have been loaded."""
        row = self._rows[record_id]
        if row is not None:
            fields = {name: value for name, value in fields.items() if row.values.get(name) != value}
            if not fields:
                return
        self._last = max(self._last, row.largest_clock()[0] if row else 0) + 1
        operation = Operation(
            kind=kind.name,
            id=record_id,
            action="patch" if row else "new",
            fields=dict(fields),
            hlc=self._last,
            device=self._replica,
            prev={r: row.clock_of(r) for r in kind.registers} if row else {},
        )
        merged = merge(row, operation, kind)
        assert merged.row is not None
        stream = kind.stream(record_id, merged.row.values, community=self.community, parent_stream=parent_stream)
        self.accept(merged, operation, kind, stream=stream, by_server=True)

    def finish(self) -> dict[str, tuple[int, int]]:
        """Give positions and write everything. The answer names, per stream, the positions whose rows are exactly
        what the pushing device made: it may step over them.
        """
        by_stream: dict[str, list[tuple[bool, str]]] = {}
        for record_id, by_server in self._touched.items():
            if (row := self._rows[record_id]) is not None:
                by_stream.setdefault(row.stream, []).append((by_server, record_id))
        growth: dict[str, Growth] = {}
        for stream, members in sorted(by_stream.items()):
            members.sort()
            there = growth[stream] = growth.get(stream) or Growth(stream)
            there.seq += len(members)
            there.add([self._row(record_id) for _, record_id in members])
            for _, record_id in members:
                if (stored := self._stored.get(record_id)) is not None:
                    growth.setdefault(stored.stream, Growth(stored.stream)).take(stored)
        for stream, _, _ in self._exits:
            growth[stream].seq += 1
        for fresh in self._fresh:
            growth.setdefault(fresh.stream, Growth(fresh.stream)).make(len(fresh.ids), fresh.checks())
        following = bump(self.connection, self.community, growth)
        own: dict[str, tuple[int, int]] = {}
        kept, makers = self._writes.settle(
            self._stored, self._makings, self._touched, {one.id for one in self._given_back}
        )
        made: list[StoredRecord] = []
        fresh_ones: list[tuple[Fresh, int]] = []
        for fresh in self._fresh:
            first = following[fresh.stream]
            following[fresh.stream] = first + len(fresh.ids)
            own[fresh.stream] = (own.get(fresh.stream, (first, 0))[0], following[fresh.stream] - 1)
            fresh_ones.append((fresh, first))
        changed: list[StoredRecord] = []
        for stream, members in by_stream.items():
            first = following[stream]
            following[stream] = first + len(members)
            its_own = sum(not by_server for by_server, _ in members)  # they come first
            if its_own:
                own[stream] = (own.get(stream, (first, 0))[0], first + its_own - 1)
            for seq, (_, record_id) in enumerate(members, first):
                making = makers.get(record_id, records.IN_HISTORY)
                stored_row = records.stored(self._row(record_id), seq, making)
                (changed if record_id in self._stored else made).append(stored_row)
        exits: dict[tuple[str, str], StoredExit] = {}
        for stream, record_id, (hlc, dev) in self._exits:
            exits[stream, record_id] = StoredExit(stream, record_id, following[stream], hlc, dev)
            following[stream] += 1
        records.insert_fresh(self.connection, self.community, fresh_ones)
        records.insert(self.connection, self.community, made)
        records.update(self.connection, self.community, changed)
        records.write_exits(self.connection, self.community, list(exits.values()))
        write_history(self.connection, self.community, kept)
        write_history(self.connection, self.community, self._given_back)
        return own

    def _row(self, record_id: str) -> Row:
        row = self._rows[record_id]
        assert row is not None
        return row

    def _take(self, found: Mapping[str, Row]) -> None:
        for record_id, row in found.items():
            if record_id not in self._touched:
                self._rows[record_id] = self._stored[record_id] = row

    def _put(self, row: Row, stream: str, *, by_server: bool, clock: Clock) -> None:
        stored = self._stored.get(row.id)
        if stored is not None and stored.stream != stream:
            by_server = True  # new to that stream: its readers, the pusher among them, may lack fields
        previous = self._rows.get(row.id)
        if previous is not None and previous.stream and previous.stream != stream:
            self.shifted.add(row.id)
            self._exits = [left for left in self._exits if left[1] != row.id]
            if stored is not None and stored.stream != stream:
                self._exits.append((stored.stream, row.id, clock))
        self._rows[row.id] = Row(row.id, row.kind, stream, row.values, row.clock, row.clocks, row.deleted)
        self._touched[row.id] = self._touched.get(row.id, False) or by_server
