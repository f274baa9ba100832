"""A new name or a corrected clock for this file, and for all it has not sent yet."""

from sync.domain.clock import FUTURE_LIMIT_MS, SHIFT, Clock, hlc_of
from sync.domain.ids import new_replica
from sync.store import unsent
from sync.store.state import write_state
from sync.store.store import Store

SHIFTED_FROM_MS = 10 * 60 * 1000  # a clock less wrong than this is let be
_UNREADABLE = "-"
_OURS = "action <> 'state'"  # rows given back bear the clocks of whoever wrote them


def rename_replica(store: Store, *, replica: int | None = None) -> int:
    """Take a new name, because another copy of this file sends under the old one; returns it.

    Unsent operations bear the new name, the batch in flight goes back into the outbox, and batches count from 1 again.
    What is being given back to a restored server is offered anew.
    """
    name = replica or new_replica()
    with store.write():
        waiting = unsent.lines(store.db, _OURS)
        names = {line.operation.clock: (line.operation.hlc, name) for line in waiting}
        unsent.rename(store.db, waiting, names)
        store.db.conn.execute("DELETE FROM inflight")
        store.db.conn.execute("DELETE FROM batch_log")
        write_state(store.db, replica=name, batch=0)
        if store.state.healing:
            # The server remembers what it wants back by the name that offered it.
            store.db.conn.execute("DELETE FROM outbox WHERE action = 'state'")
            store.db.conn.execute("DELETE FROM giving")
            write_state(store.db, healing=1, healing_at="")
    store.reload()
    return name


def recognised(store: Store, fingerprint: str) -> Store:
    """The store just opened, under a new name if it finds itself elsewhere: on another PC, in another folder or file.

    ``fingerprint`` has parts joined by points; one that is ``-`` could not be read and says nothing, now or later. A
    file that knows none yet, or one of an earlier form, learns it and keeps its name. When that cannot be written the
    file is closed. Raises StoreError.
    """
    try:
        here, known = fingerprint.split("."), store.state.fingerprint.split(".")
        if len(here) == len(known):
            pairs = list(zip(here, known, strict=True))
            if any(now != then for now, then in pairs if _UNREADABLE not in (now, then)):
                rename_replica(store)
            here = [then if now == _UNREADABLE else now for now, then in pairs]
        if here != known:
            store.set_state(fingerprint=".".join(here))
    except BaseException:
        store.close()
        raise
    return store


def learn_offset(store: Store, offset_ms: int) -> None:
    """From now on add this to the PC's clock, as the server's greeting taught.

    Operations made under a clock more than 10 minutes wrong are shifted, their order kept. A batch in flight is left as
    it is, for it must be sent again byte for byte; ``put_clocks_right`` is for when the server has answered ``clock``.
    """
    with store.write():
        change = offset_ms - store.state.clock_offset
        store.clock.offset_ms = offset_ms
        if abs(change) > SHIFTED_FROM_MS:
            flown = store.db.conn.execute("SELECT coalesce(max(last_op), 0) FROM inflight").fetchone()[0]
            waiting = unsent.lines(store.db, f"op > ? AND {_OURS}", (flown,))
            names: dict[Clock, Clock] = {}
            last = 0
            latest = hlc_of(store.now() + change + FUTURE_LIMIT_MS)
            for line in waiting:
                seen = [names.get(clock, clock)[0] for clock in line.operation.prev.values()]
                made = _shifted(line.operation.hlc, change, latest=latest)
                last = max(made, last + 1, *(hlc + 1 for hlc in seen))
                names[line.operation.clock] = (last, line.operation.device)
            unsent.rename(store.db, waiting, names)
            store.clock.last = last
        write_state(store.db, clock_offset=offset_ms)
    store.reload()


def put_clocks_right(store: Store, offset_ms: int) -> None:
    """The server answered ``clock``: learn its time; whatever unsent is ahead of it is stamped anew, its order kept.

    The batch in flight goes back into the outbox: the server has not taken it.
    """
    learn_offset(store, offset_ms)
    with store.write():
        store.db.conn.execute("DELETE FROM inflight")
        now = last = hlc_of(store.now())
        waiting = unsent.lines(store.db, _OURS)
        names: dict[Clock, Clock] = {}
        for line in waiting:
            hlc, device = line.operation.clock
            seen = max((names.get(clock, clock)[0] for clock in line.operation.prev.values()), default=0)
            if hlc > now or hlc <= seen:
                last = max(last, seen) + 1
                names[line.operation.clock] = (last, device)
        unsent.rename(store.db, waiting, names)
        store.clock.last = last
    store.reload()


def _shifted(hlc: int, change_ms: int, *, latest: int) -> int:
    """Made before the clock went wrong, it stays: it is not ahead as it is, or would be ahead once shifted."""
    shifted = hlc + (change_ms << SHIFT)
    return hlc if shifted > latest or (change_ms < 0 and hlc <= latest) else shifted
