"""What the centre answered by stick: answers to batches in their order, then the rows after this PC's positions.

Whatever was here before, by a line or by another stick, changes nothing; what does not join on without a gap is left
out, and said.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from sync import wire
from sync.client import bundle_restored
from sync.client.greeting import floors_of
from sync.client.means import Call
from sync.domain.merge import Row
from sync.errors import BundleError
from sync.keys.sealing import SealingKey
from sync.store import merging, outbox, portions, replicas, stick, verifying
from sync.store.leaving import Exit
from sync.store.state import Round, SyncState
from sync.store.stick import Stick
from sync.store.store import Store, Touched
from sync.store.verifying import Head
from sync.wire import bundle
from sync.wire.bundle import Answer, Down

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Imported:
    """What a bundle brought.

    ``accepted``, ``refused`` and ``conflicts`` of the operations it answered; ``received`` rows; ``carried``
    operations that still wait for an answer. ``note`` is a code that says what was left out, '' for nothing:
    ``bundle_older`` (all in it was here already), ``bundle_gap`` (rows before it are missing here, so a new bundle has
    to be made), ``bundle_more`` (there was more than fits), ``bundle_clock``, ``bundle_forked``, ``bundle_unread``
    or ``bundle_withdrawn`` (a batch was not taken and goes out anew), ``bundle_restored`` (the centre was restored, and
    further files bring both sides together).
    """

    accepted: int
    refused: int
    conflicts: int
    received: int
    carried: int
    note: str


def import_(
    call: Call,
    path: Path,
    *,
    wall: Callable[[], int],
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    on_touched: Callable[[Touched], None] = lambda _: None,
) -> Imported:
    """Take in what the centre answered; ``wall`` is this PC's clock in ms.

    First the answers to batches, in their order, then the rows after this PC's positions. Can be cut at any point and
    done again. Raises BundleError (its codes say why nothing at all was taken in).
    """
    down = _read(call, bundle.read_file(path))
    return _Import(call, down, wall=wall, on_progress=on_progress, on_touched=on_touched).run()


def _read(call: Call, content: bytes) -> Down:
    """The opened bundle. Raises BundleError when it is not for this PC, not from its centre, or not to be read."""
    packed = bundle.unpack(content)
    state, known = call(who)
    header = packed.header
    if header.community != state.community_id:
        raise BundleError("bundle_other_community")
    if header.way != "down":
        raise BundleError("bundle_wrong_way")
    if header.recipient != state.installation_id:
        raise BundleError("bundle_other_pc")
    if not known.signing_key:
        raise BundleError("bundle_no_key")
    if header.sender != bundle.key_name(known.sealing_key):
        raise BundleError("bundle_other_centre")
    packed.verify(known.signing_key)
    down = packed.open(SealingKey.of_secret(state.private_key), Down)
    if down.epoch < state.epoch:
        raise BundleError("bundle_older")  # of a life that ended with a restore; ids of epochs rise with time
    return down


class _OtherLife(Exception):
    """The server was restored, and a session met that while the bundle was on its way in."""


class _Import:
    """One bundle on its way in."""

    def __init__(
        self,
        call: Call,
        down: Down,
        *,
        wall: Callable[[], int],
        on_progress: Callable[[int, int], None],
        on_touched: Callable[[Touched], None],
    ) -> None:
        self._straight = call
        self._down = down
        self._wall = wall
        self._on_progress = on_progress
        self._on_touched = on_touched
        self._is_whole = False  # nothing is to be given back to a restored centre: rows may be taken in
        self._accepted = self._refused = self._conflicts = self._received = 0

    def run(self) -> Imported:
        """Answers first, then rows."""
        try:
            note = self._take_in()
        except _OtherLife:
            note = bundle_restored.NOTE
        carried = self._straight(self._finish)
        return Imported(self._accepted, self._refused, self._conflicts, self._received, carried, note)

    def _take_in(self) -> str:
        if self._straight(lambda store: bundle_restored.meet(store, self._down)):
            return bundle_restored.NOTE
        self._call(lambda store: bundle_restored.take_answer(store, self._down))
        note = self._answers()
        if not self._call(bundle_restored.is_whole) or self._down.want is not None:
            return note or bundle_restored.NOTE
        if not self._down.listed:
            return note or "bundle_older"
        self._is_whole = True
        if self._call(lambda store: _is_older(store, self._down)):
            return note or ("" if self._accepted or self._refused else "bundle_older")
        missing = self._rows()
        return note or ("bundle_gap" if missing else "bundle_more" if self._down.more else "")

    def _call(self, fn: Callable[[Store], T], /) -> T:
        """Run with the store, unless a session has met another life of the server since the last piece."""

        def work(store: Store) -> T:
            if store.state.epoch != self._down.epoch or (self._is_whole and store.state.healing):
                raise _OtherLife
            return fn(store)

        return self._straight(work)

    def _answers(self) -> str:
        for answer in sorted(self._down.answers, key=lambda answer: answer.batch):
            batch = self._call(partial(_asked, down=self._down, answer=answer))
            if batch is None:
                continue  # answered before, by this way or by a line
            if answer.reply is None:
                return self._mend(answer)
            if answer.reply.void:
                self._call(partial(outbox.withdrawn, batch=batch.number, until=answer.reply.void))
                return "bundle_withdrawn"
            touched = self._call(partial(outbox.settle, reply=_reply(answer.reply)))
            self._accepted += batch.count - len(answer.reply.refused)
            self._refused += len(answer.reply.refused)
            self._conflicts += len(answer.reply.conflicts)
            self._tell(touched)
        return ""

    def _mend(self, answer: Answer) -> str:
        """A batch was not taken, and none after it."""
        code = answer.problem.code if answer.problem else ""
        if code == "clock":
            # How long the stick lay about nobody knows. To be behind is harmless, to be ahead is not taken.
            offset = self._down.time - self._wall()
            self._call(lambda store: replicas.put_clocks_right(store, offset))
            return "bundle_clock"
        if code == "forked":
            self._call(replicas.rename_replica)
            return "bundle_forked"
        return "bundle_unread"  # a line can halve it

    def _rows(self) -> bool:
        """The list of streams, and the rows after this PC's positions; whether some that lie between are missing."""
        down = self._down
        listed = frozenset(head.id for head in down.streams)
        self._tell(self._call(lambda store: _list_streams(store, listed, down)))
        missing = self._call(lambda store: _missing(store, down))
        at = dict(down.cursors)
        for number, raw in enumerate(down.pages, 1):
            page = wire.decode(bytes(raw), type_=wire.PullReply)
            rows = wire.decode_rows(page.tables)
            begin = {stream: at.get(stream, 0) for stream in page.cursors}
            exits = [(Exit(gone.stream, gone.id, (gone.hlc, gone.device)), gone.seq) for gone in page.exits]
            cuts = [rows[n : n + portions.ROWS_AT_ONCE] for n in range(0, len(rows), portions.ROWS_AT_ONCE)] or [[]]
            for cut in cuts[:-1]:
                self._apply(_Piece(begin, cut))
            self._apply(_Piece(begin, cuts[-1], exits, page.cursors))
            at |= page.cursors
            self._on_progress(number, len(down.pages))
        if not (missing or down.more):
            self._tell(self._call(lambda store: _compare(store, down)))
        return missing

    def _apply(self, piece: "_Piece") -> None:
        taken, touched = self._call(lambda store: _take_piece(store, piece))
        self._received += taken
        self._tell(touched)

    def _finish(self, store: Store) -> int:
        if self._accepted or self._refused or self._received:
            line = Round(store.now(), self._accepted, self._received, "stick")
            store.note_round(line)
        return stick.carried(store.db).count

    def _tell(self, touched: Touched) -> None:
        if touched:
            self._on_touched(touched)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Part of a page: rows and exits with their positions; ``begin`` and ``cursors`` are the page's own bounds."""

    begin: Mapping[str, int]
    rows: Sequence[tuple[Row, int]]
    exits: Sequence[tuple[Exit, int]] = ()
    cursors: Mapping[str, int] | None = None


def _asked(store: Store, *, down: Down, answer: Answer) -> outbox.Batch | None:
    """The lowest batch in flight when it is the one that was answered, byte for byte."""
    flying = outbox.in_flight(store.db)
    if not flying or down.device != store.replica:
        return None
    batch = flying[0]
    return batch if (batch.number, batch.digest.hex()) == (answer.batch, answer.digest) else None


def _reply(reply: wire.PushReply) -> outbox.Reply:
    refused = tuple(outbox.Refusal(one.op, one.code, one.field) for one in reply.refused)
    return outbox.Reply(batch=reply.batch, refused=refused, ranges=reply.ranges)


def _is_older(store: Store, down: Down) -> bool:
    """Whether a line, or another bundle, has told something later: then the rows here are at least as new."""
    at = merging.cursors(store)
    return down.time < stick.read_stick(store.db).listed_at or any(
        at.get(head.id, 0) > head.head for head in down.streams
    )


def _list_streams(store: Store, listed: frozenset[str], down: Down) -> Touched:
    """Take the list in; a stream whose beginning the centre has forgotten begins anew, with the next bundle."""
    with store.write():
        stick.write_stick(store.db, listed_at=down.time)
    touched = merging.apply_portion(store, merging.Page(streams=listed))
    merging.mind_floors(store, floors_of(down.streams))
    return touched


def _compare(store: Store, down: Down) -> Touched:
    """All is here: end what was downloaded anew, and compare; what differs begins anew, with the next bundle."""
    touched: Touched = frozenset()
    if merging.is_met(store, {head.id: head.head for head in down.streams}):
        touched = merging.end_sweep(store)
    told = [Head(head.id, head.head, head.floor, head.rows, head.sum) for head in down.streams]
    found = verifying.compare(store, told)
    if found.differing:
        merging.begin_sweep(store, [difference.stream for difference in found.differing])
    else:
        merging.in_step(store, verified=found.is_verified)
    return touched


def _missing(store: Store, down: Down) -> bool:
    """Whether some stream here stands before the bundle's beginning: what lies between is not in it."""
    at = merging.cursors(store)
    return any(at.get(head.id, 0) < min(down.cursors.get(head.id, 0), head.head) for head in down.streams)


def _take_piece(store: Store, piece: _Piece) -> tuple[int, Touched]:
    """Rows and exits after the positions here, of streams that are read here and joined without a gap."""
    at = {stream: seq for stream, seq in merging.cursors(store).items() if seq >= piece.begin.get(stream, seq + 1)}
    rows = tuple(row for row, seq in piece.rows if seq > at.get(row.stream, seq))
    exits = tuple(gone for gone, seq in piece.exits if seq > at.get(gone.stream, seq))
    further = {stream: seq for stream, seq in (piece.cursors or {}).items() if seq > at.get(stream, seq)}
    if not (rows or exits or further):
        return 0, frozenset()
    return len(rows), merging.apply_portion(store, merging.Page(rows=rows, exits=exits, cursors=further))


def who(store: Store) -> tuple[SyncState, Stick]:
    """Who this PC is, and what it knows of its centre."""
    return store.state, stick.read_stick(store.db)
