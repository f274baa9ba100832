"""Epochs: which life of the server's data this is. In the database and read with every request, as there may be several
processes; another one begins when the data were restored from a backup.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from sync.domain.clock import FUTURE_LIMIT_MS, hlc_of
from sync.domain.ids import new_id
from sync.server.storage.statements import for_update

_ID, _SINCE, _PARENT = "epoch", "epoch_since", "epoch_parent"


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
    found = connection.execute(text(f"SELECT key, value FROM meta WHERE key IN ('{_ID}', '{_SINCE}', '{_PARENT}')"))
    known = {row.key: row.value for row in found}
    return Epoch(known[_ID], int(known.get(_SINCE, "0")), known.get(_PARENT, ""))


def begin_anew(connection: Connection, *, now: int, after: str = "") -> Epoch:
    """Begin another epoch, whose devices give back what they hold and the server has lost.

    With ``after`` only while that one is still the current one: of several who notice at once the first begins it.
    """
    before = current(connection, lock=True)
    if after and before.id != after:
        return before
    made = Epoch(new_id(now), now, before.id)
    for key, value in ((_ID, made.id), (_SINCE, str(made.since)), (_PARENT, made.parent)):
        connection.execute(
            text(
                "INSERT INTO meta (key, value) VALUES (:key, :value) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            ),
            {"key": key, "value": value},
        )
    return made
