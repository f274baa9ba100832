"""What colleagues handed to the secretary, as work: whose it is, where, why it was refused, what was written."""

from dataclasses import dataclass

import msgspec

from sync.domain import handing
from sync.domain.catalogue import KINDS
from sync.domain.roles import Viewer
from sync.store.database import Database, converted
from sync.store.store import Store
from sync.store.viewers import MINE, viewer_streams
from sync.store.writer import Touched

_content = msgspec.json.Decoder(tuple[handing.Written, ...])


@dataclass(frozen=True, slots=True)
class Handed:
    """One deed; ``content`` holds label and text of what was written, ``made_at`` in ms."""

    id: str
    by: str  # the colleague's name
    kind_label: str
    place: str
    code: str
    made_at: int
    content: tuple[tuple[str, str], ...]


def items(db: Database, viewer: Viewer) -> tuple[Handed, ...]:
    """What waits for this viewer, the oldest first; empty for whoever nothing is handed to."""
    statement = f"""SELECT h.id, coalesce(a.name, ''), h.record_kind, h.place, h.code, h.made_at, h.content
        FROM handed_on h LEFT JOIN account a ON a.id = h."by"
        WHERE h.deleted = 0 AND h.state = 'open' AND h.{MINE} ORDER BY h.made_at, h.id"""
    with converted():
        rows = db.conn.execute(statement, {"streams": viewer_streams(viewer)}).fetchall()
    return tuple(
        Handed(record_id, name, KINDS[kind].label if kind in KINDS else "", place, code, made_at, _lines(content))
        for record_id, name, kind, place, code, made_at, content in rows
    )


def count(db: Database, viewer: Viewer) -> int:
    """How many wait for this viewer."""
    statement = f"SELECT count(*) FROM handed_on WHERE deleted = 0 AND state = 'open' AND {MINE}"
    with converted():
        return int(db.conn.execute(statement, {"streams": viewer_streams(viewer)}).fetchone()[0])


def see_to(store: Store, author: str, handed_id: str) -> Touched:
    """It has been seen to. Raises AccessError, RuleError ``unknown_record``."""
    act = store.act(author)
    return store.save(act, handing.see_to(act, handed_id))


def _lines(content: str) -> tuple[tuple[str, str], ...]:
    try:
        written = _content.decode(content)
    except msgspec.DecodeError:
        return ()  # written by another program; who brought it can be asked
    known = ((kind, name, text) for kind, name, text in written if kind in KINDS and name in KINDS[kind].fields)
    return tuple((KINDS[kind].fields[name].label, text) for kind, name, text in known)
