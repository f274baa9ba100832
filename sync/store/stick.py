"""What the file remembers for sync by stick: the centre's keys, what was carried away, how fresh its list is."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from sync.store.database import Database
from sync.store.store import Store

_PREFIX = "stick_"
_UPSERT = "INSERT INTO sync_state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


@dataclass(frozen=True, slots=True)
class Stick:
    """``sealing_key`` and ``signing_key`` are the centre's public ones, b'' before the first greeting."""

    sealing_key: bytes = b""
    signing_key: bytes = b""
    number: int = 0  # of the last bundle that was made here
    carried: int = 0  # the highest batch that a bundle took along
    carried_by: int = 0  # the replica whose batch that is: another one counts anew
    carried_at: int = 0  # ms; when that was
    listed_at: int = 0  # ms by the server's clock; when the present list of streams was learnt


@dataclass(frozen=True, slots=True)
class Carried:
    """Operations that left on a stick and are not answered, and when the last of them left (ms; 0: none ever did)."""

    count: int
    at: int


_NAMES = tuple(field.name for field in fields(Stick))


def read_stick(db: Database) -> Stick:
    """What is remembered now."""
    found = dict(db.conn.execute("SELECT key, value FROM sync_state WHERE key GLOB ?", (f"{_PREFIX}*",)).fetchall())
    return Stick(**{name: found[_PREFIX + name] for name in _NAMES if _PREFIX + name in found})


def write_stick(db: Database, **changes: Any) -> None:
    """Remember some of it, inside the caller's transaction."""
    db.conn.executemany(_UPSERT, [(_PREFIX + name, value) for name, value in changes.items()])


def learn_centre(
    store: Store, *, sealing_key: bytes, signing_key: bytes, streams: Collection[str], listed_at: int
) -> None:
    """A greeting told the centre's keys and, at this moment of its clock, all streams; before the list is applied.

    A server that tells no keys takes none away. Nothing is written when nothing is new.
    """
    known = read_stick(store.db)
    changed: dict[str, Any] = {}
    if sealing_key and signing_key and (sealing_key, signing_key) != (known.sealing_key, known.signing_key):
        changed = {"sealing_key": sealing_key, "signing_key": signing_key}
    listed = {line[0] for line in store.db.conn.execute("SELECT stream FROM cursor")}
    if listed != set(streams) and listed_at > known.listed_at:
        changed["listed_at"] = listed_at
    if changed:
        with store.write():
            write_stick(store.db, **changed)


def carried(db: Database) -> Carried:
    """What was carried away and is not answered yet, by whatever way."""
    known = read_stick(db)
    statement = """SELECT coalesce(sum((SELECT count(*) FROM outbox WHERE op BETWEEN first_op AND last_op)), 0)
        FROM inflight WHERE refused = '' AND batch <= ?
        AND (SELECT value FROM sync_state WHERE key = 'replica') = ?"""
    count = db.conn.execute(statement, (known.carried, known.carried_by)).fetchone()[0]
    return Carried(int(count), known.carried_at)
