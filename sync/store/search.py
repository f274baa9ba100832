"""Search as you type over residents and households: by name, pinyin, initials, end of a phone number, and room."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sync.domain.roles import Viewer
from sync.domain.search_terms import Pinyin, match_string, resident_terms
from sync.store.database import Database
from sync.store.viewers import viewer_streams
from sync.store.writer import Touched

_CHUNK = 500
_CANDIDATES = 400  # as many are put in order; whoever has more goes on typing

_RESIDENTS = """
SELECT 'resident', p.id, p.stream, p.household_id, p.name, p.phone, '', b.name, coalesce(u.label, ''), h.room_no
FROM resident p JOIN household h ON h.id = p.household_id LEFT JOIN unit u ON u.id = h.unit_id
LEFT JOIN building b ON b.id = h.building_id
WHERE p.deleted = 0 AND h.deleted = 0 {where}
"""
_HOUSEHOLDS = """
SELECT 'household', h.id, h.stream, h.id, h.contact_name, h.contact_phone, h.emergency_phone,
    b.name, coalesce(u.label, ''), h.room_no
FROM household h LEFT JOIN unit u ON u.id = h.unit_id LEFT JOIN building b ON b.id = h.building_id
WHERE h.deleted = 0 {where}
"""
_FIND = """
SELECT found.kind, found.id, found.household_id, h.building_id, found.name, coalesce(b.name, ''),
    coalesce(u.label, ''), h.room_no
FROM (
    SELECT r.kind, r.id, r.household_id, r.name FROM terms CROSS JOIN term_rows r ON r.number = terms.rowid
    WHERE terms MATCH :match AND r.stream IN (SELECT value FROM json_each(:streams)) LIMIT :candidates
) AS found
JOIN household h ON h.id = found.household_id
LEFT JOIN unit u ON u.id = h.unit_id LEFT JOIN building b ON b.id = h.building_id
ORDER BY found.name = :text DESC, found.kind = 'household', length(found.name), b.position, u.position, h.floor,
    h.slot, h.room_no, found.name, found.id
LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One resident or household that was found; ``name`` may be '' for a household nobody has named yet."""

    kind: str  # resident or household
    id: str
    household_id: str
    building_id: str
    name: str
    building: str
    unit: str
    room_no: str


def find(db: Database, viewer: Viewer, text: str, *, limit: int = 20) -> tuple[Hit, ...]:
    """What the typed text finds among the viewer's own buildings, best first; () for nothing typed."""
    match = match_string(text)
    if not match:
        return ()
    given = {
        "match": match,
        "streams": viewer_streams(viewer),
        "text": text.strip(),
        "candidates": _CANDIDATES,
        "limit": limit,
    }
    return tuple(Hit(*row) for row in db.conn.execute(_FIND, given))


def refresh(db: Database, touched: Touched, *, pinyin: Pinyin) -> None:
    """Bring the index up to date with these records; those that are gone or deleted are found no more."""
    residents = {record_id for kind, record_id in touched if kind == "resident"}
    households = {record_id for kind, record_id in touched if kind == "household"}
    for kind, field in (("building", "building_id"), ("unit", "unit_id")):
        places = [record_id for touched_kind, record_id in touched if touched_kind == kind]
        households |= _ids(db, f"SELECT id FROM household WHERE {field} IN ({{marks}})", places)
    residents |= _ids(db, "SELECT id FROM resident WHERE household_id IN ({marks})", households)
    _forget(db, [*residents, *households])
    for source, ids in ((_RESIDENTS, residents), (_HOUSEHOLDS, households)):
        alias = "p" if source is _RESIDENTS else "h"
        for chunk in _chunks(ids):
            where = f"AND {alias}.id IN ({', '.join('?' * len(chunk))})"
            _index(db, db.conn.execute(source.format(where=where), chunk).fetchall(), pinyin)


def rebuild(db: Database, *, pinyin: Pinyin) -> None:
    """Make the index anew."""
    db.conn.execute("DELETE FROM terms")
    db.conn.execute("DELETE FROM term_rows")
    for source in (_RESIDENTS, _HOUSEHOLDS):
        _index(db, db.conn.execute(source.format(where="")).fetchall(), pinyin)


_NUMBERED = re.compile(r"^第?\s*(\w*?\d+)\s*(?:号楼|号|楼|栋|幢|座|单元)?$", re.ASCII)


def _bare(label: str) -> str:
    """3号楼 as 3, 2单元 as 2; anything else as it is."""
    found = _NUMBERED.match(label.strip())
    return found[1] if found else label.strip()


def _index(db: Database, rows: Sequence[Sequence[Any]], pinyin: Pinyin) -> None:
    start = db.conn.execute("SELECT coalesce(max(number), 0) + 1 FROM term_rows").fetchone()[0]
    known, terms = [], []
    for number, row in enumerate(rows, start):
        kind, record_id, stream, household_id, name, phone, other_phone, building, unit, room = row
        found = resident_terms(
            name=name or "",
            phones=(phone or "", other_phone or ""),
            building=_bare(building or ""),
            unit=_bare(unit),
            room=room or "",
            pinyin=pinyin,
        )
        known.append((number, kind, record_id, stream, household_id, name or ""))
        terms.append((number, " ".join(found)))
    db.conn.executemany(
        "INSERT INTO term_rows (number, kind, id, stream, household_id, name) VALUES (?, ?, ?, ?, ?, ?)", known
    )
    db.conn.executemany("INSERT INTO terms (rowid, t) VALUES (?, ?)", terms)


def _forget(db: Database, ids: Iterable[str]) -> None:
    for chunk in _chunks(ids):
        marks = ", ".join("?" * len(chunk))
        gone = db.conn.execute(f"DELETE FROM term_rows WHERE id IN ({marks}) RETURNING number", chunk).fetchall()
        db.conn.executemany("DELETE FROM terms WHERE rowid = ?", gone)


def _ids(db: Database, statement: str, ids: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for chunk in _chunks(ids):
        marks = ", ".join("?" * len(chunk))
        found |= {row[0] for row in db.conn.execute(statement.format(marks=marks), chunk)}
    return found


def _chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(ids)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk
