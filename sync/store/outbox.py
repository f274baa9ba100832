"""The outbox: batches out of it, one or several in a row, how much is waiting, and the door to ``answers``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sync.domain.operations import Operation
from sync.store import unsent
from sync.store.answers import (
    BATCHES_KEPT,
    Refusal,
    Reply,
    note_batch,
    set_aside,
    settle,
)
from sync.store.database import Database
from sync.store.store import Store

__all__ = [
    "BATCHES_KEPT",
    "Batch",
    "Encode",
    "Limits",
    "Pending",
    "Refusal",
    "Reply",
    "batch_log",
    "give_back",
    "in_flight",
    "pending_counts",
    "set_aside",
    "settle",
    "take_batch",
    "take_series",
    "withdrawn",
]

Encode = Callable[[Sequence[Operation], int], bytes]  # operations and batch number → the body, which has the digest
Pack = Callable[[bytes], bytes]  # a body → as it lies here and travels


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest batch the server takes: operations, and bytes of their JSON."""

    operations: int = 2000
    size: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """What is in flight: the same bytes are sent until they are answered. ``body`` is packed."""

    number: int
    digest: bytes
    body: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Pending:
    """Operations not yet sent, sent and not answered, and refused; ``oldest_at`` of the first two, in ms."""

    waiting: int
    in_flight: int
    quarantined: int
    oldest_at: int | None

    @property
    def unsent(self) -> int:
        """All that the server has not answered."""
        return self.waiting + self.in_flight


def pending_counts(db: Database) -> Pending:
    """How much is waiting on this PC, whoever made it: counts only."""
    row = db.conn.execute(
        """SELECT count(*) FILTER (WHERE op > flown.last), count(*) FILTER (WHERE op <= flown.last), min(made_at),
            (SELECT count(*) FROM quarantine)
        FROM (SELECT coalesce(max(last_op), -(1 << 62)) AS last FROM inflight) AS flown LEFT JOIN outbox"""
    ).fetchone()
    return Pending(row[0], row[1], row[3], row[2])


def _as_it_is(body: bytes) -> bytes:
    return body


def take_batch(store: Store, encode: Encode, *, pack: Pack = _as_it_is, limits: Limits = Limits()) -> Batch | None:
    """The batch to send: the lowest in flight, else the next operations, put in flight; None when nothing waits."""
    with store.write():
        flying = in_flight(store.db)
        return flying[0] if flying else _cut(store, encode, pack, limits)


def take_series(
    store: Store, encode: Encode, *, pack: Pack = _as_it_is, limits: Limits = Limits(), most: int
) -> tuple[Batch, ...]:
    """The whole outbox, as consecutive batches that are all in flight afterwards: at most so many, lowest first.

    Those in flight before come first, byte for byte. They are answered one by one in their order, by a line or by a
    bundle, and the later ones are cut from what was done after the earlier ones, whatever is answered to these.
    """
    with store.write():
        series = list(in_flight(store.db))[:most]
        while len(series) < most:
            batch = _cut(store, encode, pack, limits)
            if batch is None:
                break
            series.append(batch)
    return tuple(series)


def give_back(store: Store) -> None:
    """Put all that is in flight back into the outbox: the server has certainly not taken it."""
    with store.write():
        store.db.conn.execute("DELETE FROM inflight")


def withdrawn(store: Store, batch: int, *, until: int) -> None:
    """The server has put down the batches from ``batch`` up to ``until`` as taken with nothing in them.

    What was in them waits in the outbox again, with whatever else is in flight: the server takes none after them that
    was made before this was known. Not the lowest batch in flight: nothing happens.
    """
    with store.write():
        flying = in_flight(store.db)
        if flying and flying[0].number == batch:
            for one in flying:
                if one.number <= until:
                    note_batch(store.db, one.number, one.digest)
            store.db.conn.execute("DELETE FROM inflight")
    store.reload()


def in_flight(db: Database) -> tuple[Batch, ...]:
    """The batches that were made and not answered, lowest first."""
    found = db.conn.execute(
        """SELECT batch, digest, body, (SELECT count(*) FROM outbox WHERE op BETWEEN first_op AND last_op)
        FROM inflight WHERE refused = '' ORDER BY batch"""
    )
    return tuple(Batch(*cells) for cells in found.fetchall())


def _cut(store: Store, encode: Encode, pack: Pack, limits: Limits) -> Batch | None:
    """The next operations that are in no batch yet, put in flight; None when there are none."""
    conn = store.db.conn
    flown, number = conn.execute("SELECT coalesce(max(last_op), -(1 << 62)), max(batch) FROM inflight").fetchone()
    taken: list[bytes] = []
    size, first, last = 0, 0, 0
    found = conn.execute("SELECT op, body FROM outbox WHERE op > ? ORDER BY op LIMIT ?", (flown, limits.operations))
    for op, made in found.fetchall():
        size += len(made)
        if taken and size > limits.size:
            break
        first, last = first if taken else op, op
        taken.append(made)
    if not taken:
        return None
    number = (number or store.state.batch) + 1
    body = encode(unsent.read_operations(taken), number)
    digest, body = blake2b(body, digest_size=16).digest(), pack(body)
    conn.execute(
        "INSERT INTO inflight (batch, digest, body, first_op, last_op) VALUES (?, ?, ?, ?, ?)",
        (number, digest, body, first, last),
    )
    return Batch(number, digest, body, len(taken))


def batch_log(db: Database) -> tuple[tuple[int, bytes], ...]:
    """Numbers and digests of the last acknowledged batches, newest first; the greeting carries them."""
    return tuple(db.conn.execute("SELECT batch, digest FROM batch_log ORDER BY batch DESC").fetchall())
