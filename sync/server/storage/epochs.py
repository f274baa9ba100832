"""Epochs: which life of the server's data this is. In the database and read with every request, as there may be several
processes; another one begins when the data were restored from a backup.
"""

import re
from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from sync.domain.clock import FUTURE_LIMIT_MS, hlc_of
from sync.domain.ids import new_id
from sync.server.storage.statements import for_update, prepared

_ID, _SINCE, _PARENT, _NOTICED = "epoch", "epoch_since", "epoch_parent", "epoch_noticed"
_BEGAN = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-")
# Any enrolled PC can say that it is ahead. Where that is not true all download everything: no more often than this.
NOTICED_AGAIN_MS = 6 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Epoch:
    """One life of the data: since when (ms), and which life it was restored from ('' for the first)."""

    id: str
    since: int
    parent: str

    @property
    def latest(self) -> int:
        """The largest clock value of what can have been lost: nothing later is given back."""
        return hlc_of(self.since + FUTURE_LIMIT_MS)


def current(connection: Connection, *, lock: bool = False) -> Epoch:
    """The epoch as committed; with ``lock`` nobody else begins another meanwhile."""
    if lock:
        connection.execute(text(f"SELECT value FROM meta WHERE key = '{_ID}'" + for_update(connection)))
    found = connection.execute(prepared(f"SELECT key, value FROM meta WHERE key IN ('{_ID}', '{_SINCE}', '{_PARENT}')"))
    known = {row.key: row.value for row in found}
    return Epoch(known[_ID], int(known.get(_SINCE, "0")), known.get(_PARENT, ""))


def begin_anew(connection: Connection, *, now: int, after: str = "", not_before: int = 0) -> Epoch:
    """Begin another epoch, whose devices give back what they hold and the server has lost.

    With ``after`` only while that one is still the current one: of several who notice at once the first begins it. It
    begins ``now`` (ms), but not before what the data have seen, nor ``not_before``, for a machine's clock may be old:
    whatever was lost would be of a time to come. The ids of epochs rise.
    """
    before = current(connection, lock=True)
    if after and before.id != after:
        return before
    since = max(now, not_before, before.since, _last_seen(connection))
    made = Epoch(new_id(max(since, began(before.id) + 1)), since, before.id)
    for key, value in ((_ID, made.id), (_SINCE, str(made.since)), (_PARENT, made.parent)):
        _note(connection, key, value)
    return made


def notice(connection: Connection, *, now: int, after: str) -> Epoch:
    """A device in the epoch ``after`` is ahead of the data: they were put back without a word.

    Another epoch begins, at most once in six hours. Within these the present one is said to have begun just now, so
    that whoever is ahead can give back in it all the same.
    """
    before = current(connection, lock=True)
    if before.id != after:
        return before
    noticed = connection.execute(text(f"SELECT value FROM meta WHERE key = '{_NOTICED}'")).scalar()
    if noticed is not None and int(noticed) <= now < int(noticed) + NOTICED_AGAIN_MS:
        since = max(now, before.since)
        _note(connection, _SINCE, str(since))
        return replace(before, since=since)
    _note(connection, _NOTICED, str(now))
    return begin_anew(connection, now=now)


def began(epoch: str) -> int:
    """When an epoch of this id began, as it says itself (ms); 0 for what is no id of one."""
    found = _BEGAN.match(epoch)
    return int(found[1] + found[2], 16) if found else 0


def _last_seen(connection: Connection) -> int:
    """The last moment (ms) of which the data tell: whoever writes is seen, by the server's clock."""
    return int(connection.execute(text("SELECT coalesce(max(seen_at), 0) FROM replica")).scalar_one())


def _note(connection: Connection, key: str, value: str) -> None:
    connection.execute(
        text(
            "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        ),
        {"key": key, "value": value},
    )
