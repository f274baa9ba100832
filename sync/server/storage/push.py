"""One pushed batch, in one transaction: authorise, validate, merge, follow, give positions, answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import msgspec
from sqlalchemy import Connection

from sync.domain.calendar import day_of
from sync.domain.care import CareRules
from sync.domain.catalogue import KINDS, Kind
from sync.domain.clock import FUTURE_LIMIT_MS, ZERO, Clock, hlc_of
from sync.domain.merge import Clash, Row, merge
from sync.domain.operations import Operation
from sync.server.problems import ProtocolError
from sync.server.runner import Raced
from sync.server.storage import conflicts, derived, flows, fresh, replicas
from sync.server.storage.batch import Batch
from sync.server.storage.batched import Batched
from sync.server.storage.culprits import without_culprits
from sync.server.storage.epochs import Epoch
from sync.server.storage.givenback import Returns, depth
from sync.server.storage.history import Version, versions
from sync.server.storage.judge import LOOKED_AT, Judge
from sync.server.storage.records import parent_of
from sync.server.storage.refusals import keep_refused
from sync.server.storage.rights import RightsCache
from sync.server.storage.values import Flaw
from sync.wire import Conflict, PushReply, Refusal

# Fields by which an operation of each kind names the records it must be judged with.
_NAMING = {
    kind.name: tuple(name for name in {kind.parent, *LOOKED_AT} if name in kind.fields) for kind in KINDS.values()
}
_CARE_KINDS = frozenset({"visit", "care_pairing"})


@dataclass(frozen=True, slots=True)
class Caller:
    """The installation that signed a request, and the accounts it vouches for."""

    community: str
    installation: str
    accounts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Desk:
    """What every push needs of this server: its own replica, the rules, the rights at hand."""

    replica: int
    care: CareRules
    rights: RightsCache


def push(
    connection: Connection, desk: Desk, caller: Caller, batched: Batched, *, now: int, keep_answer: bool = False
) -> bytes:
    """Apply a batch and answer it; a batch that was applied before gets the same answer, byte for byte.

    With ``keep_answer`` the answer is found again even when later batches have come: several may travel in one bundle.
    Raises ProtocolError 409 ``epoch``, ``forked`` or ``clock`` (``time``: the server's) before anything is applied.
    """
    head = batched.head
    replica, epoch = replicas.sender(connection, caller.community, caller.installation, head, now=now)
    known = replicas.answer_to(connection, caller.community, replica, batch=head.batch, digest=batched.digest)
    if known is not None:
        return known
    latest = hlc_of(now + FUTURE_LIMIT_MS)
    if any(group.action != "state" and max(group.hlc) > latest for group in batched.groups):
        raise ProtocolError(409, "clock", time=now)

    def attempt(poison: frozenset[int]) -> _Round:
        return _Round(connection, desk, caller, batched, replica, epoch, now=now, poison=poison)

    try:
        round_ = without_culprits(connection, batched.count, lambda poison: attempt(poison).run(at_once=not poison))
    except Raced:  # one of those taken at once is here already: one by one it is known as a retry
        round_ = without_culprits(connection, batched.count, lambda poison: attempt(poison).run(at_once=False))
    if round_.refused:
        keep_refused(connection, caller.community, batched.operations, round_.refused, device=head.device, now=now)
    reply = msgspec.json.encode(
        PushReply(batch=head.batch, refused=round_.refused, conflicts=round_.conflicts, ranges=round_.ranges)
    )
    done = replicas.Done(head.batch, batched.digest, reply)
    replicas.settle(connection, caller.community, round_.replica, done, now=now)
    if keep_answer:
        replicas.keep_answer(connection, caller.community, round_.replica, done, now=now)
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
        epoch: Epoch,
        *,
        now: int,
        poison: frozenset[int],
    ) -> None:
        rows, rights = desk.rights.rows(connection, caller.community)
        self._batch = Batch(connection, caller.community, replica=desk.replica, now=now)
        self._judge = Judge(self._batch, rows=rows, rights=rights, today=day_of(now))
        self._epoch = epoch
        self._returns = Returns(
            self._batch, epoch, self._judge, caller.installation, caller.accounts, server=desk.replica
        )
        self._desk = desk
        self._caller = caller
        self._batched = batched
        self._poison = poison
        self._clashes: list[tuple[int, str, Clash]] = []
        self._seen: dict[tuple[str, Clock], Version] = {}
        self._left: Sequence[tuple[int, Operation]] = ()
        self.replica = replica
        self.refused: list[Refusal] = []
        self.conflicts: list[Conflict] = []
        self.ranges: dict[str, tuple[int, int]] = {}

    def run(self, *, at_once: bool) -> "_Round":
        """Apply what may be applied, derive what follows, write it all; ``at_once`` what is plain.

        Raises Raced when a record that was to be new is here.
        """
        batched, done = self._batched, set[int]()
        if at_once and not batched.flaws:
            device, accounts = batched.head.device, self._caller.accounts
            done = fresh.take(self._batch, self._judge, batched.groups, device=device, accounts=accounts)
        if len(done) < batched.count:
            self._left = [(at, one) for at, one in enumerate(batched.operations) if at not in done]
            self._load()
        for place, operation in self._in_order():
            flaw = self._apply(place, operation)
            if flaw is not None:
                self.refused.append(Refusal(place, flaw[0], flaw[1]))
        if self._epoch.parent:
            self.refused.sort(key=lambda refusal: refusal.op)
            self._returns.release()
            self._returns.settle()
        self._derive()
        self.ranges = self._batch.finish()
        self._returns.note_looked()
        return self

    def _in_order(self) -> Iterable[tuple[int, Operation]]:
        """The operations left, with their places; of rows given back the parents come first."""
        returned = [one for one in self._left if self._epoch.parent and one[1].action == "state"]
        if not returned:
            return self._left
        self._returns.expect((operation.id for _, operation in returned), replica=self._batched.head.device)
        returned.sort(key=lambda one: depth(one[1].kind) if one[1].kind in KINDS else 0)
        return chain(returned, (one for one in self._left if one[1].action != "state"))

    def _load(self) -> None:
        locked = {operation.id for at, operation in self._left if at not in self._batched.flaws}
        looked_at: set[str] = set()
        for place, operation in self._left:
            kind = KINDS.get(operation.kind)
            if kind is not None and place not in self._batched.flaws:
                for name in _NAMING[operation.kind]:
                    named = operation.fields.get(name)
                    if isinstance(named, str):
                        (locked if kind.inherits else looked_at).add(named)
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
        for place, operation in self._left:
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
        if operation.action == "state" and self._epoch.parent:
            flaw = self._returns.take(operation, kind, self._batched.unsound.get(place, frozenset()))
            self._clash(place, self._returns.clashes)
            return flaw
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
        followed = values is not merged.row.values
        if followed:
            merged = replace(merged, row=replace(merged.row, values=values))
            operation = _with_fields(operation, {**operation.fields, "building_id": values["building_id"]})
        code = self._judge.authorise(operation, kind, before, stream=stream, values=values)
        if code:
            return code, ""
        if kind.name in flows.KINDS_WITH_FLOW and not self._may_flow(operation, kind, before):
            return "not_allowed", "state"
        # Its device has written another place: it must not step over the row.
        self._batch.accept(merged, operation, kind, stream=stream, by_server=followed)
        self._clash(place, [(operation.id, clash) for clash in merged.clashes])
        return None

    def _clash(self, place: int, clashes: list[tuple[str, Clash]]) -> None:
        for record_id, clash in clashes:
            self._clashes.append((place, record_id, clash))
            self.conflicts.append(Conflict(place, clash.register))
        clashes.clear()

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
        derived.follow_parents(batch)
        made_demands: list[str] = []
        disputes: list[Row] = []
        households: set[str] = set()
        gone: dict[str, list[str]] = {"demand": [], "demand_event": []}
        for record_id in batch.touched():
            row = batch.row(record_id)
            assert row is not None
            if row.deleted and row.kind in gone:
                gone[row.kind].append(record_id)
            if row.kind == "demand" and not row.values["demand_no"]:
                made_demands.append(record_id)
            elif row.kind == "dispute":
                disputes.append(row)
            elif row.kind in _CARE_KINDS:
                households.add(row.values["household_id"])
        if made_demands:
            community = batch.known(batch.community) or self._community()
            code = community.values["code"] if community else ""
            restored_at = self._epoch.since if self._epoch.parent else 0
            self.replica = derived.number_demands(
                batch, made_demands, self.replica, community_code=code, restored_at=restored_at
            )
        derived.forget_words(batch, gone["demand"], gone["demand_event"])
        derived.show_case_states(batch, disputes)
        derived.set_care_days(batch, households, rules=self._desk.care)

    def _community(self) -> Row | None:
        self._batch.load([self._batch.community], lock=False)
        return self._batch.row(self._batch.community)


def _with_fields(operation: Operation, fields: dict[str, object]) -> Operation:
    return operation if fields is operation.fields else msgspec.structs.replace(operation, fields=fields)
