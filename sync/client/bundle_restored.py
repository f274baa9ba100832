"""A restored centre, by stick: what a line asks and answers in one session takes three files there and back.

The first answer tells of the new life; the next file tells which rows are held here, and its answer which of them are
wanted; the file after that gives them back, before everything else. Only then is anything taken in.
"""

from collections.abc import Callable

from sync.store import giving_back, outbox, replicas
from sync.store.outbox import Batch, Limits
from sync.store.store import Store
from sync.wire.bundle import MOST_BATCHES, Down

NOTE = "bundle_restored"  # more files are needed
Take = Callable[[int, int], tuple[Batch, ...]]  # operations of the last batch at most, batches in all
_ALL = 2**62  # rows
_AT_ONCE = Limits().operations * MOST_BATCHES


def meet(store: Store, down: Down) -> bool:
    """Whether the centre lives another life: go on under a new name, unless that would send something twice."""
    if down.epoch <= store.state.epoch:
        return False
    knows = down.device == store.replica and giving_back.flew(store, batch=down.batch, digest=down.digest)
    if not knows:
        replicas.rename_replica(store)
    giving_back.begin(store, epoch=down.epoch, batch=down.batch if knows else 0)
    return True


def question(store: Store) -> giving_back.Question | None:
    """All rows that the centre has yet to be asked about; None when it need not be asked."""
    if store.state.healing != giving_back.ASKING:
        return None
    asked = giving_back.ask(store, most=_ALL)
    if asked is None:
        giving_back.begin_giving(store)  # there is no row here
    return asked


def take_answer(store: Store, down: Down) -> None:
    """The centre has said what it wants back."""
    if store.state.healing == giving_back.ASKING and down.want is not None and down.device == store.replica:
        giving_back.answer_by_id(store, down.want)


def is_whole(store: Store) -> bool:
    """Whether nothing is left to give back: then rows may be taken in."""
    if store.state.healing == giving_back.GIVING:
        giving_back.queue(store, most=_AT_ONCE)
    return not store.state.healing


def returns(store: Store, take: Take) -> tuple[Batch, ...]:
    """Put rows to be given back in flight, as many as go into one file; ``take`` cuts so many batches in all."""
    left = giving_back.queue(store, most=_AT_ONCE)
    batches = outbox.in_flight(store.db)
    left -= sum(batch.count for batch in batches)
    while left > 0 and len(batches) < MOST_BATCHES:
        batches = take(left, len(batches) + 1)
        left -= batches[-1].count
    return batches


def may_go(store: Store) -> bool:
    """Whether one's own work may follow in this file: all rows that it may stand on go before it, or are there."""
    if not store.state.healing:
        return True
    return store.state.healing == giving_back.GIVING and not giving_back.left(store.db)
