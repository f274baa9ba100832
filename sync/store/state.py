"""What the file knows about itself and about its server: one typed value over the ``sync_state`` table."""

from dataclasses import dataclass, fields
from typing import Any

from sync.store.database import Database, converted


@dataclass(frozen=True, slots=True)
class SyncState:
    """``replica`` names this life of the file; ``batch`` is the last acknowledged one; clocks as in the merge."""

    community_id: str
    replica: int
    epoch: str = ""
    installation_id: str = ""
    private_key: bytes = b""
    server_url: str = ""
    fingerprint: str = ""  # of the PC and this file: differs on a cloned disk
    batch: int = 0
    clock_last: int = 0
    clock_seen: int = 0
    clock_offset: int = 0  # ms to add to this PC's wall clock
    synced_at: int = 0  # ms; when this file was last in step
    verified_at: int = 0  # ms; when every stream was last found to hold what the server has
    sweeping: int = 0  # 1 while streams are downloaded again
    healing: int = 0  # after a restore of the server: 1 while it is asked what it lacks, 2 while that is given back
    healing_at: str = ""  # the last record asked about, as "kind id"
    served: int = 0  # the version in which the rows here were served; fields that came later are missing in them
    app: str = ""  # the program of the last session
    cuts: int = 0  # how often in a row the line went while the present batch was under way
    batch_most: int = 0  # operations of a batch that went through on this line; 0: nothing learnt
    page_most: int = 0  # rows of a page, likewise
    blanked_at: int = 0  # ms; when what was deleted long ago was last looked for
    unshown: int = 0  # 1 when unsent work was carried over from a damaged file and does not show in the records yet


_NAMES = tuple(field.name for field in fields(SyncState))
_UPSERT = "INSERT INTO sync_state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


def read_state(db: Database) -> SyncState:
    """The present state; ``community_id`` and ``replica`` are there from the file's first moment."""
    with converted():
        found = dict(db.conn.execute("SELECT key, value FROM sync_state").fetchall())
    return SyncState(**{name: found[name] for name in _NAMES if name in found})


def write_state(db: Database, **changes: Any) -> None:
    """Write the named parts of the state, inside the caller's transaction."""
    unknown = changes.keys() - set(_NAMES)
    if unknown:
        raise TypeError(f"no such state: {sorted(unknown)}")
    db.conn.executemany(_UPSERT, list(changes.items()))


@dataclass(frozen=True, slots=True)
class Round:
    """One line of the history of syncs: when, operations sent, rows received, and how it ended.

    ``result``: ``verified`` (every stream holds what the server has), ``healed`` (one did not, and does now),
    ``differs`` (one does not), ``ok`` (in step; work saved meanwhile kept a stream from being compared), ``cut``
    (broken off; the next one goes on from there).
    """

    at: int
    pushed: int
    pulled: int
    result: str


HISTORY_KEPT = 200


def note_round(db: Database, line: Round) -> None:
    """Add a line to the history of syncs and forget all but the last 200, inside the caller's transaction."""
    db.conn.execute(
        "INSERT INTO sync_history (at, pushed, pulled, result) VALUES (?, ?, ?, ?)",
        (line.at, line.pushed, line.pulled, line.result),
    )
    db.conn.execute(
        "DELETE FROM sync_history WHERE number <= (SELECT max(number) FROM sync_history) - ?", (HISTORY_KEPT,)
    )


def history(db: Database, *, limit: int = 50) -> tuple[Round, ...]:
    """The last syncs, newest first."""
    statement = "SELECT at, pushed, pulled, result FROM sync_history ORDER BY number DESC LIMIT ?"
    return tuple(Round(*line) for line in db.conn.execute(statement, (limit,)))
