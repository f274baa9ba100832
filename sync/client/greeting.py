"""The first request of a session: who we are, where we stand; and what follows when the server lives another life."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from sync import wire
from sync.client.api import APP
from sync.client.means import MENDS_A_SESSION, Means
from sync.domain import upgrades
from sync.errors import Refused
from sync.store import giving_back, merging, outbox, replicas, stick, verifying
from sync.store import served as serving
from sync.store.state import SyncState
from sync.store.store import Store

LEARN_FROM_MS = 2 * 60 * 1000  # a clock less wrong than this is let be
FAST_ENOUGH_MS = 10_000  # a slower greeting teaches nothing about clocks


@dataclass(frozen=True, slots=True)
class Greeted:
    """What the server said: the streams that may be read, its limits, and whether it is newer than this program."""

    heads: Sequence[wire.StreamHead]
    limits: wire.Limits
    is_newer: bool


class Greeting:
    """Greets as often as a session has reason to."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def greet(self) -> Greeted:
        """Greet, and come to terms with whatever has happened to the server or to the clocks.

        Afterwards the epoch is the server's. Rows that a restored server asked for wait to be given back.
        """
        for _ in range(MENDS_A_SESSION):
            try:
                return self._greet()
            except Refused as refusal:
                if refusal.code != "epoch":  # it was restored once more while it was asked what it lacks
                    raise
        return self._greet()

    def _greet(self) -> Greeted:
        call = self._means.call
        reply = self.hello()
        state = self._means.state()
        if state.epoch != reply.epoch or reply.is_anew:
            reply = self._new_epoch(state, reply)
        if self._means.state().healing == giving_back.ASKING:
            self._offer()
        call(lambda store: _learn_centre(store, reply))
        listed = merging.Page(streams=frozenset(head.id for head in reply.streams))
        self._means.tell(call(lambda store: merging.apply_portion(store, listed)))
        served = min(reply.schema[1], upgrades.SCHEMA)
        call(lambda store: serving.mind_served(store, served))
        floors = floors_of(reply.streams)
        call(lambda store: merging.mind_floors(store, floors))
        return Greeted(reply.streams, reply.limits, reply.schema[1] > upgrades.SCHEMA)

    def hello(self) -> wire.HelloReply:
        """The bare greeting; this PC's clock is put right by it, and a name that is another's given up."""
        try:
            return self._say_hello()
        except Refused as refusal:
            if refusal.code == "forked":  # another installation sends under this name, as this one did before it joined
                self._means.call(replicas.rename_replica)
                return self._say_hello()
            if refusal.code != "clock_skew":
                raise
            self._learn(int(refusal.params["now"]) * 1000 - self._means.wall())
            return self._say_hello()

    def _say_hello(self) -> wire.HelloReply:
        state, log, cursors, level = self._means.call(_standing)
        if level:
            heads = [wire.StreamHead(one.stream, one.head, one.floor, one.rows, one.sum) for one in level]
            reply = self._send(state, log, level=wire.digest_heads(heads))
            if reply.is_level:
                return msgspec.structs.replace(reply, streams=heads)
            if reply.epoch != state.epoch or not _is_behind(cursors, reply.streams):
                return reply  # else it has to hear of it: it begins another epoch by what it is told
        return self._send(state, log, cursors=cursors)

    def _send(
        self,
        state: SyncState,
        log: Sequence[tuple[int, bytes]],
        *,
        cursors: Mapping[str, int] | None = None,
        level: str = "",
    ) -> wire.HelloReply:
        wall = self._means.wall
        before = wall()
        reply = self._means.api.hello(
            wire.Hello(
                device=state.replica,
                schema=wire.SCHEMA,
                app=APP,
                time=before + state.clock_offset,
                fingerprint=state.fingerprint,
                epoch=state.epoch,
                batches=[(number, digest.hex()) for number, digest in log[:1]],
                cursors=dict(cursors or {}),
                level=level,
            )
        )
        after = wall()
        wrong = reply.time - (before + after) // 2 - state.clock_offset
        # A clock that was put back between the two readings measures neither the way nor the time of day.
        if 0 <= after - before < FAST_ENOUGH_MS and abs(wrong) > LEARN_FROM_MS:
            self._learn(state.clock_offset + wrong)
        return reply

    def _learn(self, offset_ms: int) -> None:
        self._means.call(lambda store: replicas.learn_offset(store, offset_ms))

    def _new_epoch(self, state: SyncState, reply: wire.HelloReply) -> wire.HelloReply:
        """The first greeting, or a restored server: go on under a new name, unless that would send something twice."""
        call = self._means.call
        if not state.epoch:
            call(lambda store: store.set_state(epoch=reply.epoch))
            return reply
        if not call(lambda store: giving_back.flew(store, batch=reply.batch, digest=reply.digest)):
            # In the lost life a copy of this file may have written more under this name than is known here, and others
            # give that back: the same clocks must not stand for two things.
            call(replicas.rename_replica)
            reply = self.hello()
        call(lambda store: giving_back.begin(store, epoch=reply.epoch, batch=reply.batch))
        return reply

    def _offer(self) -> None:
        """Tell the server what is held here, and remember what it wants back; a break goes on where it was."""
        call, api = self._means.call, self._means.api
        while (question := call(_ask)) is not None:
            if self._means.stop():
                return
            state = self._means.state()
            asked = wire.Digests(
                device=state.replica,
                epoch=state.epoch,
                schema=wire.SCHEMA,
                id=[record_id for _, record_id in question.keys],
                check=list(question.checks),
            )
            reply = api.digests(asked)
            _answer(self._means, question, reply.want)
        call(giving_back.begin_giving)


def floors_of(heads: Sequence[wire.StreamHead]) -> Mapping[str, int]:
    """The positions below which a reader must begin anew, where there is one."""
    return {head.id: head.floor for head in heads if head.floor}


def _ask(store: Store) -> giving_back.Question | None:
    return giving_back.ask(store, most=giving_back.ROWS_ASKED)


def _answer(means: Means, question: giving_back.Question, wanted: Sequence[int]) -> None:
    means.call(lambda store: giving_back.answer(store, question, wanted))


def _learn_centre(store: Store, reply: wire.HelloReply) -> None:
    """What a bundle for a stick will need when there is no line."""
    stick.learn_centre(
        store,
        sealing_key=reply.sealing_key,
        signing_key=reply.signing_key,
        streams=frozenset(head.id for head in reply.streams),
        listed_at=reply.time,
    )


def _standing(
    store: Store,
) -> tuple[SyncState, Sequence[tuple[int, bytes]], Mapping[str, int], Sequence[verifying.Head]]:
    return store.state, outbox.batch_log(store.db), merging.cursors(store), verifying.level(store.db)


def _is_behind(cursors: Mapping[str, int], heads: Sequence[wire.StreamHead]) -> bool:
    """Whether the server lacks positions that were reached here: it was restored, or a stream may be read no longer."""
    head_of = {head.id: head.head for head in heads}
    return any(cursor > head_of.get(stream, 0) for stream, cursor in cursors.items())
