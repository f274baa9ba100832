"""Unsent work out of a damaged file into the copy that takes its place: what can still be read of it is not lost.

Records come back from the server; what was never sent lies in the broken file alone. So its outbox, then what was
refused, then the drafts are read line by line, from both ends of each table, around whatever page is damaged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sync.domain.catalogue import KINDS
from sync.domain.merge import merge
from sync.errors import StoreError
from sync.store import unsent, upgrading
from sync.store.database import Database, converted, immediate, open_database
from sync.store.state import write_state
from sync.store.unsent import Line
from sync.store.writer import Key, Session

_Cells = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What came over: unsent and refused operations, drafts; ``is_whole``: nothing of them was unreadable."""

    unsent: int = 0
    refused: int = 0
    drafts: int = 0
    is_whole: bool = False


def take_unsent(broken: Path, key: bytes, target: Path) -> Salvaged:
    """Carry unsent work from a damaged file over into the copy in its place; nobody may have either open.

    The damaged file is only read. What was in flight is among the unsent, and goes out anew: the copy's own batches are
    older than what the server has. Raises StoreError when the copy cannot be written.
    """
    try:
        outbox, quarantine, drafts = (_read(broken, key, table) for table in ("outbox", "quarantine", "draft"))
    except StoreError:
        return Salvaged()  # not even its list of tables can be read
    db = open_database(target, key)
    try:
        with immediate(db):
            _write(db, "outbox", outbox)
            _write(db, "quarantine", quarantine)
            _write(db, "draft", drafts)
            db.conn.execute("DELETE FROM inflight")
            db.conn.execute("DELETE FROM outbox WHERE op IN (SELECT op FROM quarantine)")
            write_state(db, unshown=1)
            upgrading.upgrade_unsent(db)
    finally:
        db.close()
    is_whole = outbox.is_whole and quarantine.is_whole and drafts.is_whole
    return Salvaged(len(outbox.lines), len(quarantine.lines), len(drafts.lines), is_whole)


def show_unsent(db: Database, *, community_id: str) -> Session:
    """The records as they are with all unsent work laid over them, to be written by the caller in its transaction."""
    session = Session(db, community_id=community_id)
    by_record: dict[Key, list[Line]] = {}
    for line in unsent.lines(db, "action <> 'state'"):
        by_record.setdefault(line.key, []).append(line)
    changed: list[Line] = []
    for key, lines in by_record.items():
        row = session.row(*key)
        if row is None and lines[0].operation.action == "new":
            row = merge(None, lines[0].operation, KINDS[key[0]]).row
        if row is None:
            continue  # what it stands on comes with the next sync, and then it is laid over that
        row, moved = unsent.lay_over(row, lines)
        changed += moved
        session.replace(replace(row, stream=session.stream_of(KINDS[key[0]], row.id, row.values) or lines[-1].stream))
    unsent.rewrite(db, changed)
    return session


@dataclass(frozen=True, slots=True)
class _Table:
    lines: tuple[_Cells, ...]
    is_whole: bool


def _read(broken: Path, key: bytes, table: str) -> _Table:
    """The lines that can be read: from the beginning up to the damage, and from the end down to it."""
    found: dict[Sequence[Any], _Cells] = {}
    is_whole = True
    for way in ("ASC", "DESC"):
        # Anew each time: a connection that has met a damaged page reads nothing more.
        db = open_database(broken, key, read_only=True)
        try:
            about = db.conn.execute(f"PRAGMA table_info({table})").fetchall()
            names = [column[1] for column in about]
            keys = [column[1] for column in sorted(about, key=_place_in_key) if column[5]]
            order = ", ".join(f"{name} {way}" for name in keys)
            with converted():
                for cells in db.conn.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY {order}"):
                    line = dict(zip(names, cells, strict=True))
                    found[tuple(line[name] for name in keys)] = line
        except StoreError:
            is_whole = False
        finally:
            db.close()
    return _Table(tuple(found.values()), is_whole)


def _place_in_key(column: Sequence[Any]) -> int:
    return int(column[5])


def _write(db: Database, table: str, found: _Table) -> None:
    """What was read in place of what the copy has of it; where some was unreadable, the copy's own stays beside it."""
    if found.is_whole:
        db.conn.execute(f"DELETE FROM {table}")
    known = {column[1] for column in db.conn.execute(f"PRAGMA table_info({table})")}
    for line in found.lines:
        names = [name for name in line if name in known]
        db.conn.execute(
            f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            [line[name] for name in names],
        )
