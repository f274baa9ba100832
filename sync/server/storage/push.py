"""One pushed batch, in one transaction: authorise, validate, merge, follow, give positions, answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import Connection

from sync.domain.calendar import day_of
from sync.domain.care import CareRules
from sync.domain.catalogue import KINDS, Kind
from sync.domain.clock import FUTURE_LIMIT_MS, ZERO, Clock, hlc_of
from sync.domain.merge import Clash, Row, merge
from sync.domain.operations import Operation
from sync.server.problems import ProtocolError
from sync.server.storage import conflicts, derived, flows, replicas
from sync.server.storage.batch import Batch
from sync.server.storage.culprits import without_culprits
from sync.server.storage.history import Version, versions
from sync.server.storage.judge import LOOKED_AT, Judge
from sync.server.storage.records import parent_of
from sync.server.storage.refusals import keep_refused
from sync.server.storage.rights import RightsCache
from sync.server.storage.values import Flaw
from sync.wire import Conflict, Push, PushReply, Refusal

_CARE_KINDS = frozenset({"visit", "care_pairing"})


@dataclass(frozen=True, slots=True)
class Caller:
    """The installation that signed a request, and the accounts it vouches for."""

    community: str
    installation: str
    accounts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Desk:
    """What every push needs of this server: its own replica, its epoch, the rules, the rights at hand."""

    epoch: str
    replica: int
    care: CareRules
    rights: RightsCache


@dataclass(frozen=True, slots=True)
class Batched:
    """A batch taken apart: its operations in order, those with impossible values, and the digest of its bytes."""

    head: Push
    operations: Sequence[Operation]
    flaws: Mapping[int, Flaw]
    digest: str


def push(connection: Connection, desk: Desk, caller: Caller, batched: Batched, *, now: int) -> bytes:
    """Apply a batch and answer it; a batch that was applied before gets the same answer, byte for byte.

    Raises ProtocolError 409 ``epoch``, ``forked`` or ``clock`` (``time``: the server's) before anything is applied.
    """
    head = batched.head
    replica = replicas.find(connection, caller.community, head.device, lock=True)
    if head.epoch != desk.epoch:
        raise ProtocolError(409, "epoch", epoch=desk.epoch)
    if replica is None:
        seen = replicas.Seen(schema=head.schema, seen_at=now)
        replica = replicas.greet(connection, caller.community, head.device, installation=caller.installation, seen=seen)
    if replica.installation != caller.installation:
        raise ProtocolError(409, "forked", batch=0)
    if head.batch == replica.batch and batched.digest == replica.digest:
        return replica.reply
    if head.batch != replica.batch + 1:
        raise ProtocolError(409, "forked", batch=replica.batch)
    latest = hlc_of(now + FUTURE_LIMIT_MS)
    if any(operation.hlc > latest for operation in batched.operations):
        raise ProtocolError(409, "clock", time=now)
    round_ = without_culprits(
        connection,
        len(batched.operations),
        lambda poison: _Round(connection, desk, caller, batched, replica, now=now, poison=poison).run(),
    )
    keep_refused(connection, caller.community, batched.operations, round_.refused, device=head.device, now=now)
    reply = msgspec.json.encode(
        PushReply(batch=head.batch, refused=round_.refused, conflicts=round_.conflicts, ranges=round_.ranges)
    )
    replicas.settle(
        connection, caller.community, round_.replica, batch=head.batch, digest=batched.digest, reply=reply, now=now
    )
    return reply


class _Round:
    """One attempt at a batch; ``poison`` are operations that the database would not take."""

    def __init__(
        self,
        connection: Connection,
        desk: Desk,
        caller: Caller,
        batched: Batched,
        replica: replicas.Replica,
        *,
        now: int,
        poison: frozenset[int],
    ) -> None:
        rows, rights = desk.rights.rows(connection, caller.community)
        self._batch = Batch(connection, caller.community, replica=desk.replica, now=now)
        self._judge = Judge(self._batch, rows=rows, rights=rights, today=day_of(now))
        self._desk = desk
        self._caller = caller
        self._batched = batched
        self._poison = poison
        self._clashes: list[tuple[int, str, Clash]] = []
        self._seen: dict[tuple[str, Clock], Version] = {}
        self.replica = replica
        self.refused: list[Refusal] = []
        self.conflicts: list[Conflict] = []
        self.ranges: dict[str, tuple[int, int]] = {}

    def run(self) -> "_Round":
        """Apply what may be applied, derive what follows, write it all."""
        self._load()
        for place, operation in enumerate(self._batched.operations):
            flaw = self._apply(place, operation)
            if flaw is not None:
                self.refused.append(Refusal(place, flaw[0], flaw[1]))
        self._derive()
        self.ranges = self._batch.finish()
        return self

    def _load(self) -> None:
        operations = self._batched.operations
        locked = {operation.id for at, operation in enumerate(operations) if at not in self._batched.flaws}
        looked_at: set[str] = set()
        for place, operation in enumerate(operations):
            kind = KINDS.get(operation.kind)
            if kind is not None and place not in self._batched.flaws:
                named = {operation.fields.get(name) for name in (kind.parent, *LOOKED_AT) if name}
                (locked if kind.inherits else looked_at).update(name for name in named if isinstance(name, str))
        self._batch.load(locked, lock=True)
        followed = {
            parent_of(row.kind, row.values)
            for record_id in locked
            if (row := self._batch.known(record_id)) is not None and KINDS[row.kind].inherits
        }
        self._batch.load(looked_at | followed, lock=False)
        self._seen = versions(self._batch.connection, self._batch.community, self._unlike_now())

    def _unlike_now(self) -> Iterable[tuple[str, Clock]]:
        """The versions of flows that authors saw and that stand no longer."""
        for place, operation in enumerate(self._batched.operations):
            if place in self._batched.flaws:
                continue
            seen = operation.prev.get(flows.FLOW)
            if seen is not None and operation.kind in flows.KINDS_WITH_FLOW and min(seen) >= 0 and max(seen) < 2**63:
                yield operation.id, seen

    def _apply(self, place: int, operation: Operation) -> Flaw | None:
        if place in self._poison:
            return "server_error", ""
        if place in self._batched.flaws:
            return self._batched.flaws[place]
        kind = KINDS[operation.kind]
        before = self._batch.row(operation.id)
        if operation.action == "state" or operation.device != self._batched.head.device:
            return "invalid", ""  # whole rows are given back only when the server has asked for them
        if before is not None and before.kind != kind.name:
            return "invalid", "id"
        if operation.author not in self._caller.accounts:
            return "out_of_scope", ""
        fields = self._judge.writable(operation, kind, before)
        if isinstance(fields, tuple):
            return fields
        return self._merge(place, _with_fields(operation, fields), kind, before)

    def _merge(self, place: int, operation: Operation, kind: Kind, before: Row | None) -> Flaw | None:
        merged = merge(before, operation, kind)
        if merged.refused or merged.row is None:
            return merged.refused, ""
        placed = self._judge.place(operation, kind, merged.row.values, before)
        if isinstance(placed[1], str):
            return placed[0], placed[1]
        stream, values = placed
        if values is not merged.row.values:
            merged = replace(merged, row=replace(merged.row, values=values))
        code = self._judge.authorise(operation, kind, before, stream=stream, values=values)
        if code:
            return code, ""
        if kind.name in flows.KINDS_WITH_FLOW and not self._may_flow(operation, kind, before):
            return "not_allowed", "state"
        self._batch.accept(merged, operation, kind, stream=stream, by_server=False)
        for clash in merged.clashes:
            self._clashes.append((place, operation.id, clash))
            self.conflicts.append(Conflict(place, clash.register))
        return None

    def _may_flow(self, operation: Operation, kind: Kind, before: Row | None) -> bool:
        if before is not None and not any(name in operation.fields for name in kind.registers[flows.FLOW]):
            return True
        viewer = self._judge.viewer(operation.author)
        if before is None:
            return flows.allowed(viewer, operation, seen=None, after=kind.complete(operation.fields), written_by=None)
        clock = operation.prev.get(flows.FLOW, ZERO)
        version = self._seen.get((operation.id, clock))
        if version is None or clock == before.clock_of(flows.FLOW):
            seen = before.values
        else:
            seen = flows.version_seen(operation, before.values, version)
        author = self._batch.authors.get((operation.id, clock)) or (version.author if version else None)
        return flows.allowed(viewer, operation, seen=seen, after={**seen, **operation.fields}, written_by=author)

    def _derive(self) -> None:
        batch = self._batch
        conflicts.write(batch, self._clashes)
        self._follow()
        made_demands: list[str] = []
        disputes: list[Row] = []
        households: set[str] = set()
        gone: dict[str, list[str]] = {"demand": [], "demand_event": []}
        for record_id in batch.touched():
            row = batch.row(record_id)
            assert row is not None
            if row.deleted and row.kind in gone:
                gone[row.kind].append(record_id)
            if row.kind == "demand" and batch.before(record_id) is None:
                made_demands.append(record_id)
            elif row.kind == "dispute":
                disputes.append(row)
            elif row.kind in _CARE_KINDS:
                households.add(row.values["household_id"])
        if made_demands:
            community = batch.known(batch.community) or self._community()
            code = community.values["code"] if community else ""
            self.replica = derived.number_demands(batch, made_demands, self.replica, community_code=code)
        derived.forget_words(batch, gone["demand"], gone["demand_event"])
        derived.show_case_states(batch, disputes)
        derived.set_care_days(batch, households, rules=self._desk.care)

    def _community(self) -> Row | None:
        self._batch.load([self._batch.community], lock=False)
        return self._batch.row(self._batch.community)

    def _follow(self) -> None:
        """Descendants of a record that went to another stream go with it."""
        batch = self._batch
        moved = set(batch.shifted)
        while moved:
            further: set[str] = set()
            for child in batch.children(moved):
                kind = KINDS[child.kind]
                parent = batch.row(child.values[kind.parent])
                assert parent is not None
                building_id = parent.values.get("building_id")
                clock = max(parent.clock, *parent.clocks.values()) if parent.clocks else parent.clock
                if kind.inherits and child.stream != parent.stream:
                    batch.move(child, parent.stream, clock=clock)
                    further.add(child.id)
                elif building_id and "building_id" in kind.fields and child.values["building_id"] != building_id:
                    batch.write(kind, child.id, {"building_id": building_id})
                    further.add(child.id)
            moved = further


def _with_fields(operation: Operation, fields: dict[str, object]) -> Operation:
    return operation if fields is operation.fields else msgspec.structs.replace(operation, fields=fields)
