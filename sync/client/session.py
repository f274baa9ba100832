"""One session with the server: greet, push what waits, pull what is new; can be cut at any point and run again.

The session knows no thread: ``call`` runs a function with the store wherever the store lives, in small pieces, so that
saving goes on meanwhile.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sync import wire
from sync.client.api import APP, Api
from sync.domain.operations import Operation
from sync.errors import Refused
from sync.store import merging, outbox, replicas, stick
from sync.store.leaving import Exit
from sync.store.state import Round, SyncState
from sync.store.store import Store, Touched

T = TypeVar("T")

LEARN_FROM_MS = 2 * 60 * 1000  # a clock less wrong than this is let be
FAST_ENOUGH_MS = 10_000  # a slower greeting teaches nothing about clocks
MENDS_A_SESSION = 2  # of each sort; what does not end is told
SMALLEST_BATCH = 1
_MENDED_ANEW = frozenset({"forked", "clock", "epoch"})  # a batch too large can be halved so often only


class Call(Protocol):
    """Runs a function with the store where the store lives, and waits for its result."""

    def __call__(self, fn: Callable[[Store], T], /) -> T: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the session is: operations sent of all that waited, rows received of about so many."""

    sent: int = 0
    to_send: int = 0
    received: int = 0
    to_receive: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a session did; ``refused`` are operations that now wait for a person. ``stopped``: asked to end early."""

    pushed: int = 0
    pulled: int = 0
    refused: int = 0
    conflicts: int = 0
    stopped: bool = False


@dataclass(slots=True)
class _Count:
    pushed: int = 0
    pulled: int = 0
    refused: int = 0
    conflicts: int = 0
    to_send: int = 0
    to_receive: int = 0


class Session:
    """Built for one run. ``wall`` is this PC's clock in ms, ``stop`` is asked between two pieces of work."""

    def __init__(
        self,
        call: Call,
        api: Api,
        *,
        wall: Callable[[], int],
        on_progress: Callable[[Progress], None] = lambda _: None,
        on_touched: Callable[[Touched], None] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._call = call
        self._api = api
        self._wall = wall
        self._on_progress = on_progress
        self._on_touched = on_touched
        self._stop = stop
        self._count = _Count()
        self._limits = outbox.Limits()

    def run(self) -> Outcome:
        """One whole round; what was done before an error stays done.

        Raises Offline, Refused, ServerTrouble; nothing unsent is ever lost by it.
        """
        heads = self._greet()
        self._push()
        self._pull(heads)
        stopped = self._stop()
        count = self._count
        if not stopped:
            self._call(lambda store: _finish(store, count.pushed, count.pulled))
        return Outcome(count.pushed, count.pulled, count.refused, count.conflicts, stopped)

    # ------------------------------------------------------------------------------------------- greeting

    def _greet(self) -> Sequence[wire.StreamHead]:
        reply = self._hello()
        self._limits = outbox.Limits(operations=reply.limits.operations, size=reply.limits.json_bytes)
        state = self._state()
        if state.epoch != reply.epoch:
            self._new_epoch(state, reply)
        names = _names(reply.streams)
        self._call(lambda store: _learn_centre(store, reply, names))
        self._call(lambda store: merging.apply_portion(store, merging.Page(streams=names)))
        return reply.streams

    def _hello(self) -> wire.HelloReply:
        try:
            return self._say_hello()
        except Refused as refusal:
            if refusal.code != "clock_skew":
                raise
            self._learn(int(refusal.params["now"]) * 1000 - self._wall())
            return self._say_hello()

    def _say_hello(self) -> wire.HelloReply:
        state, log, cursors = self._call(
            lambda store: (store.state, outbox.batch_log(store.db), merging.cursors(store))
        )
        before = self._wall()
        reply = self._api.hello(
            wire.Hello(
                device=state.replica,
                schema=wire.SCHEMA,
                app=APP,
                time=before + state.clock_offset,
                fingerprint=state.fingerprint,
                epoch=state.epoch,
                batches=[(number, digest.hex()) for number, digest in reversed(log)],
                cursors=dict(cursors),
            )
        )
        after = self._wall()
        wrong = reply.time - (before + after) // 2 - state.clock_offset
        if after - before < FAST_ENOUGH_MS and abs(wrong) > LEARN_FROM_MS:
            self._learn(state.clock_offset + wrong)
        return reply

    def _learn(self, offset_ms: int) -> None:
        self._call(lambda store: replicas.learn_offset(store, offset_ms))

    def _new_epoch(self, state: SyncState, reply: wire.HelloReply) -> None:
        """The first greeting, or a server restored from its backup: go on from where both agree, read all again."""
        if state.epoch:
            log = dict(self._call(lambda store: outbox.batch_log(store.db)))
            self._call(outbox.give_back)
            if reply.batch and log.get(reply.batch, b"").hex() == reply.digest:
                self._call(lambda store: store.set_state(batch=reply.batch))
            else:
                self._call(replicas.rename_replica)
                reply = self._hello()
            # No sweep: rows that the restored server lacks stay here.
            self._call(merging.read_again)
        self._call(lambda store: store.set_state(epoch=reply.epoch))

    # ------------------------------------------------------------------------------------------- push

    def _push(self) -> None:
        self._count.to_send = self._call(lambda store: outbox.pending_counts(store.db).unsent)
        mended: Counter[str] = Counter()
        while not self._stop():
            batch = self._call(lambda store: self._take(store))
            if batch is None:
                return
            try:
                reply = self._api.push(batch.body)
            except Refused as refusal:
                mended[refusal.code] += refusal.code in _MENDED_ANEW
                if mended[refusal.code] > MENDS_A_SESSION or not self._mend(refusal, batch):
                    raise
                continue
            self._settle(batch, reply)

    def _take(self, store: Store) -> outbox.Batch | None:
        state = store.state

        def encode(operations: Sequence[Operation], number: int) -> bytes:
            groups = wire.encode_operations(operations)
            return wire.encode(
                wire.Push(device=state.replica, batch=number, epoch=state.epoch, schema=wire.SCHEMA, groups=groups)
            )

        return outbox.take_batch(store, encode, limits=self._limits)

    def _settle(self, batch: outbox.Batch, reply: wire.PushReply) -> None:
        answer = outbox.Reply(
            batch=reply.batch,
            refused=tuple(outbox.Refusal(r.op, r.code, r.field) for r in reply.refused),
            ranges=reply.ranges,
        )
        touched = self._call(lambda store: outbox.settle(store, answer))
        self._count.pushed += batch.count - len(reply.refused)
        self._count.refused += len(reply.refused)
        self._count.conflicts += len(reply.conflicts)
        self._tell(touched)

    def _mend(self, refusal: Refused, batch: outbox.Batch) -> bool:
        """Do what an answer to a batch asks for; False when it asks for a person."""
        if refusal.code == "forked":
            self._call(replicas.rename_replica)
            self._hello()  # the new name is registered
        elif refusal.code == "clock":
            offset = int(refusal.params["time"]) - self._wall()
            self._call(lambda store: replicas.put_clocks_right(store, offset))
        elif refusal.code == "epoch":
            self._greet()
        elif refusal.params.get("status") in (400, 413, 422):
            self._smaller(refusal, batch)
        else:
            return False
        return True

    def _smaller(self, refusal: Refused, batch: outbox.Batch) -> None:
        """Halve the batch; a single operation that cannot even be read goes to a person."""
        if batch.count <= SMALLEST_BATCH:
            code = "too_large" if refusal.params.get("status") == 413 else "invalid"
            touched = self._call(lambda store: outbox.set_aside(store, code))
            self._count.refused += 1
            self._tell(touched)
            return
        self._call(outbox.give_back)
        self._limits = outbox.Limits(operations=max(SMALLEST_BATCH, batch.count // 2), size=self._limits.size)

    # ------------------------------------------------------------------------------------------- pull

    def _pull(self, heads: Sequence[wire.StreamHead]) -> None:
        at = self._call(merging.cursors)
        behind = _behind(heads, at)
        self._count.to_receive = behind
        # A push can begin streams, which the greeting's list lacks, and make the server write: numbers, conflicts.
        asked = behind > 0 or self._count.pushed > 0
        while asked and not self._stop():
            reply = self._page(at)
            before, at = at, self._call(merging.cursors)
            asked = _behind(reply.streams, at) > 0 and (reply.more or at != before)

    def _page(self, at: Mapping[str, int]) -> wire.PullReply:
        state = self._state()
        reply = self._api.pull(wire.Pull(device=state.replica, epoch=state.epoch, schema=wire.SCHEMA, streams=dict(at)))
        page = merging.Page(
            rows=tuple(row for row, _ in wire.decode_rows(reply.tables)),
            exits=tuple(Exit(gone.stream, gone.id, (gone.hlc, gone.device)) for gone in reply.exits),
            cursors=reply.cursors,
            streams=_names(reply.streams),
        )
        for portion in merging.portions(page):
            self._tell(self._apply(portion))
        return reply

    def _apply(self, portion: merging.Page) -> Touched:
        touched = self._call(lambda store: merging.apply_portion(store, portion))
        self._count.pulled += len(portion.rows)
        return touched

    # ------------------------------------------------------------------------------------------- small things

    def _state(self) -> SyncState:
        return self._call(lambda store: store.state)

    def _tell(self, touched: Touched) -> None:
        count = self._count
        self._on_progress(
            Progress(count.pushed, max(count.to_send, count.pushed), count.pulled, max(count.to_receive, count.pulled))
        )
        if touched:
            self._on_touched(touched)


def _behind(heads: Sequence[wire.StreamHead], at: Mapping[str, int]) -> int:
    return sum(max(0, head.head - at.get(head.id, 0)) for head in heads)


def _names(heads: Sequence[wire.StreamHead]) -> frozenset[str]:
    return frozenset(head.id for head in heads)


def _learn_centre(store: Store, reply: wire.HelloReply, streams: frozenset[str]) -> None:
    """What a bundle for a stick will need when there is no line."""
    stick.learn_centre(
        store,
        sealing_key=reply.sealing_key,
        signing_key=reply.signing_key,
        streams=streams,
        listed_at=reply.time,
    )


def _finish(store: Store, pushed: int, pulled: int) -> None:
    merging.in_step(store)
    if pushed or pulled:
        store.note_round(Round(at=store.now(), pushed=pushed, pulled=pulled, result="ok"))
