"""Sync by stick: what waits goes out as one file, and the centre's answer comes in as another; no line is needed.

A bundle holds the very bytes that a line would carry, so the two ways may be mixed in any order: whatever comes twice,
late or out of order changes nothing. The functions know no thread: ``call`` runs a function with the store wherever
the store lives, in small pieces; files are read and written by whoever calls.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Raw

from sync import wire
from sync.client import bundle_restored
from sync.client.api import APP
from sync.client.bundle_answer import Imported, import_, who
from sync.client.means import Call
from sync.domain.operations import Operation
from sync.errors import BundleError
from sync.keys.sealing import SealingKey
from sync.keys.signatures import KeyPair
from sync.store import giving_back, merging, outbox, stick
from sync.store.outbox import Limits
from sync.store.state import SyncState
from sync.store.stick import Stick
from sync.store.store import Store
from sync.wire import bundle
from sync.wire.bundle import Header, Up

__all__ = ["Exported", "Imported", "export", "import_"]

_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Exported:
    """What a bundle took along: operations (some may have left in an earlier one), and how many did not fit."""

    number: int
    operations: int
    left: int
    size: int  # bytes of the file


def export(
    call: Call,
    path: Path,
    *,
    limits: Limits = _LIMITS,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Exported:
    """Write all that waits, and what the centre needs for its answer, into one file; all of it is in flight then.

    Done twice, the second file holds the first one's batches byte for byte. Raises BundleError ``bundle_no_key``,
    ``bundle_stick_full`` or ``bundle_unwritable``: then what waits still waits.
    """
    state, known = call(who)
    if not (known.sealing_key and state.epoch and state.private_key):
        raise BundleError("bundle_no_key")
    told = call(bundle_restored.question)
    waiting = call(lambda store: outbox.pending_counts(store.db).unsent)
    batches: tuple[outbox.Batch, ...] = ()
    if call(lambda store: store.state.healing) == giving_back.GIVING:
        batches = call(partial(_returns, limits=limits))
    # One batch at a time, so that saving can go between two of them.
    for most in range(len(batches) + 1, bundle.MOST_BATCHES + 1) if call(bundle_restored.may_go) else ():
        grown = call(partial(_series, limits=limits, most=most))
        if len(grown) == len(batches):
            break
        batches = grown
        on_progress(sum(batch.count for batch in batches), waiting)
    state, known, cursors, now, left = call(_standing)
    key = KeyPair(state.private_key)
    content = bundle.pack(
        Header(
            way="up",
            community=state.community_id,
            sender=state.installation_id,
            recipient=bundle.key_name(known.sealing_key),
            replica=state.replica,
            number=known.number + 1,
            made_at=now,
        ),
        Up(
            device=state.replica,
            epoch=state.epoch,
            schema=wire.SCHEMA,
            app=APP,
            time=now,
            fingerprint=state.fingerprint,
            batch=state.batch,
            cursors=dict(cursors),
            pushes=[Raw(wire.unpacked(batch.body)) for batch in batches],
            sealing_key=SealingKey.of_secret(state.private_key).public,
            id=[record_id for _, record_id in told.keys] if told else [],
            check=list(told.checks) if told else [],
        ),
        recipient_key=known.sealing_key,
        signing_key=key,
    )
    bundle.write_file(path, content)
    last = batches[-1].number if batches else 0
    call(lambda store: _note_carried(store, number=known.number + 1, batch=last, replica=state.replica, at=now))
    return Exported(known.number + 1, sum(batch.count for batch in batches), left, len(content))


def _series(store: Store, *, limits: Limits, most: int) -> tuple[outbox.Batch, ...]:
    state = store.state

    def encode(operations: Sequence[Operation], number: int) -> bytes:
        groups = wire.encode_operations(operations)
        return wire.encode(
            wire.Push(device=state.replica, batch=number, epoch=state.epoch, schema=wire.SCHEMA, groups=groups)
        )

    return outbox.take_series(store, encode, pack=wire.packed, limits=limits, most=most)


def _returns(store: Store, *, limits: Limits) -> tuple[outbox.Batch, ...]:
    def take(operations: int, most: int) -> tuple[outbox.Batch, ...]:
        fewer = replace(limits, operations=min(limits.operations, operations))
        return _series(store, limits=fewer, most=most)

    return bundle_restored.returns(store, take)


def _standing(store: Store) -> tuple[SyncState, Stick, Mapping[str, int], int, int]:
    pending = outbox.pending_counts(store.db)
    return store.state, stick.read_stick(store.db), merging.cursors(store), store.now(), pending.waiting


def _note_carried(store: Store, *, number: int, batch: int, replica: int, at: int) -> None:
    with store.write():
        changes: dict[str, Any] = {"carried": batch, "carried_by": replica, "carried_at": at} if batch else {}
        stick.write_stick(store.db, number=number, **changes)
