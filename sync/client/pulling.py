"""Receiving: page by page, the streams that are needed first before the others, small portions into the store."""

from collections.abc import Callable, Mapping, Sequence

from sync import wire
from sync.client import ahead
from sync.client.greeting import floors_of
from sync.client.means import Means
from sync.client.sizing import Sizing
from sync.errors import Offline
from sync.store import merging, portions
from sync.store.arriving import Columns
from sync.store.leaving import Exit
from sync.store.store import Store, Touched

SMALLEST_PAGE = 100

Needed = Sequence[str] | Callable[[Store], Sequence[str]]  # streams in order of need, or how the store knows them


class Pulling:
    """Brings every stream to its head. ``first`` are streams in order of need; the community's comes before them.

    On a new PC nobody's posts are known before the community's stream is here: a function is asked before each page.
    """

    def __init__(self, means: Means, *, first: Needed = ()) -> None:
        self._means = means
        self._asks = first if callable(first) else None
        self._first: tuple[str, ...] = () if callable(first) else tuple(first)
        self._sizing = Sizing(wire.LIMITS.rows, least=SMALLEST_PAGE)
        self._pace = portions.Pace()
        self._ahead = ahead.Ahead(self._fetch, means.beside)

    def run(
        self, heads: Sequence[wire.StreamHead], *, limits: wire.Limits, even_if_level: bool
    ) -> Sequence[wire.StreamHead]:
        """Pull until all is here, or until asked to stop; returns the last list of streams.

        ``even_if_level``: ask once in any case, for a push has changed more than the list at hand can say.
        """
        known = self._means.state().page_most
        self._sizing = Sizing(limits.rows, least=SMALLEST_PAGE, known=known)
        try:
            return self._pull(heads, even_if_level)
        finally:
            self._ahead.drop()
            if self._sizing.known != known:
                self._means.note(lambda store: store.set_state(page_most=self._sizing.known))

    def _pull(self, heads: Sequence[wire.StreamHead], asked: bool) -> Sequence[wire.StreamHead]:
        at = self._means.call(merging.cursors)
        self._count(heads, at)
        asked = asked or behind(heads, at) > 0
        while asked and not self._means.stop():
            began, pulled = self._means.meter.tick(), self._means.meter.pulled
            reply = self._page(self._wanted(heads, at), at)
            heads = reply.streams
            anew = self._mind_floors(heads)
            before, at = at, self._means.call(merging.cursors)
            self._count(heads, at)
            meter = self._means.meter
            meter.pace("pull", count=meter.pulled - pulled, seconds=meter.tick() - began)
            meter.tell()
            asked = behind(heads, at) > 0 and bool(reply.more or anew or at != before)
        return heads

    def _wanted(self, heads: Sequence[wire.StreamHead], at: Mapping[str, int]) -> dict[str, int]:
        """What to ask for, in order of need: the streams that are behind, or all when none is known to be."""
        late = {head.id for head in heads if head.head > at.get(head.id, 0)}
        turn = {stream: place for place, stream in enumerate(self._first, 1)}
        last = len(turn) + 1
        wanted = sorted(late or at, key=lambda s: (0 if s.startswith("community:") else turn.get(s, last), s))
        return {stream: at.get(stream, 0) for stream in wanted}

    def _question(self, wanted: Mapping[str, int]) -> wire.Pull:
        state = self._means.state()
        return wire.Pull(
            device=state.replica, epoch=state.epoch, schema=wire.SCHEMA, streams=dict(wanted), limit=self._sizing.now
        )

    def _fetch(self, question: wire.Pull) -> ahead.Page:
        """A page and the seconds it took; also on another thread."""
        began = self._means.meter.tick()
        return self._means.api.pull(question), self._means.meter.tick() - began

    def _page(self, wanted: Mapping[str, int], at: Mapping[str, int]) -> wire.PullReply:
        try:
            reply, seconds = self._ahead.page(self._question(wanted))
        except Offline as error:
            if error.code == "timeout" or error.params.get("cut"):
                self._sizing.too_large(max(2 * SMALLEST_PAGE, self._sizing.now))
            raise
        page = merging.Page(
            tables=tuple(map(_columns, wire.checked_rows(reply.tables))),
            exits=tuple(Exit(gone.stream, gone.id, (gone.hlc, gone.device)) for gone in reply.exits),
            cursors=reply.cursors,
            streams=frozenset(head.id for head in reply.streams),
            asked=wanted,
        )
        self._sizing.went(page.count, seconds=seconds)
        if reply.more and (self._asks is None or self._means.meter.usable) and not self._means.stop():
            # Before it is known whose streams are needed first, another page may be asked for next.
            self._ahead.begin(self._question(self._wanted(reply.streams, {**at, **reply.cursors})))
        self._take(page)
        return reply

    def _take(self, page: merging.Page) -> None:
        self._pace.in_use, unfolded = self._means.call(lambda store: store.is_in_use), 0
        for portion in portions.cut(page, room=self._pace.room):
            touched, took_s, self._pace.in_use = self._apply(portion)
            self._pace.took(portion, took_s)
            self._means.meter.pulled += portion.count
            self._means.tell(touched)
            unfolded += portion.count
            if unfolded >= portions.FOLDED_AFTER:
                self._means.call(portions.fold)
                unfolded = 0

    def _apply(self, portion: merging.Page) -> tuple[Touched, float, bool]:
        """What it touched, how long it took where the store lives, and whether somebody saves meanwhile."""

        def apply(store: Store) -> tuple[Touched, float, bool]:
            began = self._means.meter.tick()
            touched = merging.apply_portion(store, portion)
            return touched, self._means.meter.tick() - began, store.is_in_use

        return self._means.call(apply)

    def _mind_floors(self, heads: Sequence[wire.StreamHead]) -> frozenset[str]:
        floors = floors_of(heads)
        return self._means.call(lambda store: merging.mind_floors(store, floors)) if floors else frozenset()

    def _count(self, heads: Sequence[wire.StreamHead], at: Mapping[str, int]) -> None:
        if self._asks is not None:
            self._first = tuple(self._means.call(self._asks))
        meter = self._means.meter
        meter.to_receive = meter.pulled + behind(heads, at)
        needed = [head for head in heads if head.id in self._first or head.id.startswith("community:")]
        knows = bool(self._first) or self._asks is None
        meter.usable = knows and behind(needed, at) == 0


def _columns(table: wire.RowTable) -> Columns:
    return Columns(
        kind=table.kind,
        stream=table.stream,
        names=table.fields,
        ids=table.id,
        hlc=table.hlc,
        device=table.device,
        cols=table.cols,
        clocks=table.clocks,
        deleted=frozenset(table.deleted),
    )


def behind(heads: Sequence[wire.StreamHead], at: Mapping[str, int]) -> int:
    """How many positions are missing until all heads are reached."""
    return sum(max(0, head.head - at.get(head.id, 0)) for head in heads)
