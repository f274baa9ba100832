"""Sending what waits: batch by batch, each until it is answered; what an answer asks for is done and told."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sync import wire
from sync.client.greeting import Greeting
from sync.client.means import MENDS_A_SESSION, Means
from sync.client.sizing import Sizing
from sync.domain.operations import Operation
from sync.errors import Offline, Refused
from sync.store import giving_back, outbox, replicas
from sync.store.store import Store

SMALLEST_BATCH = 1
CUTS_BORNE = 2  # so often one batch may be cut off on its way before it is given up and cut smaller
_WITHDRAWS_FROM = 2  # the version of the server that takes batches back
_MENDED_ANEW = frozenset({"forked", "clock", "epoch"})  # a batch too large can be halved so often only


class Pushing:
    """Empties the outbox; ``greeting`` is used when the server turns out to be another, or we do."""

    def __init__(self, means: Means, greeting: Greeting) -> None:
        self._means = means
        self._greeting = greeting
        self._limits = outbox.Limits()
        self._sizing = Sizing(self._limits.operations, least=50)

    def run(self, limits: wire.Limits) -> None:
        """Send all that waits, or until asked to stop. Raises Offline, Refused, ServerTrouble."""
        meter = self._means.meter
        self._limits = outbox.Limits(operations=limits.operations, size=limits.json_bytes)
        known = self._means.state().batch_most
        self._sizing = Sizing(limits.operations, least=50, known=known)
        meter.to_send = self._means.call(lambda store: outbox.pending_counts(store.db).unsent)
        try:
            self._send_all()
        finally:
            if self._sizing.known != known:
                self._means.note(lambda store: store.set_state(batch_most=self._sizing.known))

    def _send_all(self) -> None:
        mended: Counter[str] = Counter()
        while not self._means.stop():
            batch = self._means.call(self._take)
            if batch is None:
                return
            began = self._means.meter.tick()
            try:
                reply = self._send(batch)
            except Refused as refusal:
                mended[refusal.code] += refusal.code in _MENDED_ANEW
                if mended[refusal.code] > MENDS_A_SESSION or not self._mend(refusal, batch):
                    raise
                continue
            except Offline as error:
                if error.code == "timeout" or error.params.get("cut"):
                    self._sizing.too_large(min(batch.count, self._sizing.now))  # this one goes as it is, for a while
                    self._means.note(lambda store: store.set_state(cuts=store.state.cuts + 1))
                raise
            if reply.void:
                self._means.call(partial(outbox.withdrawn, batch=batch.number, until=reply.void))
                self._sizing.too_large(min(batch.count, 2 * self._sizing.now))
                continue
            seconds = self._means.meter.tick() - began
            self._sizing.went(batch.count, seconds=seconds)
            self._means.meter.pace("push", count=batch.count, seconds=seconds)
            self._settle(batch, reply)

    def _send(self, batch: outbox.Batch) -> wire.PushReply:
        """The same bytes until they are answered; those that no line carries are given up, if the server knows how."""
        state = self._means.state()
        if state.cuts < CUTS_BORNE or batch.count <= SMALLEST_BATCH or state.served < _WITHDRAWS_FROM:
            return self._means.api.push(batch.body)
        flying = self._means.call(lambda store: outbox.in_flight(store.db))
        digests = [one.digest.hex() for one in flying]
        return self._means.api.withdraw(
            wire.Withdraw(
                device=state.replica, batch=batch.number, epoch=state.epoch, schema=wire.SCHEMA, digests=digests
            )
        )

    def _take(self, store: Store) -> outbox.Batch | None:
        limits = replace(self._limits, operations=self._sizing.now)
        if store.state.healing:
            returned = giving_back.queue(store, most=limits.operations)
            # What was saved since has to wait for the rows it stands on.
            limits = replace(limits, operations=min(returned or limits.operations, limits.operations))
        state = store.state

        def encode(operations: Sequence[Operation], number: int) -> bytes:
            groups = wire.encode_operations(operations)
            return wire.encode(
                wire.Push(device=state.replica, batch=number, epoch=state.epoch, schema=wire.SCHEMA, groups=groups)
            )

        return outbox.take_batch(store, encode, pack=wire.packed, limits=limits)

    def _settle(self, batch: outbox.Batch, reply: wire.PushReply) -> None:
        answer = outbox.Reply(
            batch=reply.batch,
            refused=tuple(outbox.Refusal(r.op, r.code, r.field) for r in reply.refused),
            ranges=reply.ranges,
        )
        touched = self._means.call(lambda store: outbox.settle(store, answer))
        meter = self._means.meter
        meter.pushed += batch.count - len(reply.refused)
        meter.refused += len(reply.refused)
        meter.conflicts += len(reply.conflicts)
        self._means.tell(touched)

    def _mend(self, refusal: Refused, batch: outbox.Batch) -> bool:
        """Do what an answer to a batch asks for; False when it asks for a person."""
        call = self._means.call
        if refusal.code == "forked":
            call(replicas.rename_replica)
            self._greeting.greet()  # the new name is registered
        elif refusal.code == "clock":
            offset = int(refusal.params["time"]) - self._means.wall()
            call(lambda store: replicas.put_clocks_right(store, offset))
        elif refusal.code == "epoch":
            self._greeting.greet()
        elif refusal.params.get("status") in (400, 413, 422):
            self._smaller(refusal, batch)
        else:
            return False
        return True

    def _smaller(self, refusal: Refused, batch: outbox.Batch) -> None:
        """Halve the batch; a single operation that cannot even be read goes to a person."""
        is_too_large = refusal.params.get("status") == 413
        if batch.count <= SMALLEST_BATCH:
            code = "too_large" if is_too_large else "invalid"
            touched = self._means.call(lambda store: outbox.set_aside(store, code))
            self._means.meter.refused += 1
            self._means.tell(touched)
            return
        self._means.call(outbox.give_back)
        self._sizing.too_large(batch.count)
