"""Search as you type over residents and households: by name, pinyin, initials, end of a phone number, and room."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import msgspec

from sync.domain import streams
from sync.domain.address import RoomRef, building_key, parse_room
from sync.domain.masking import mask_phone
from sync.domain.roles import OFFICE_ROLES, Viewer
from sync.domain.search_terms import Pinyin, match_string, resident_terms, room_terms
from sync.errors import RuleError
from sync.store.database import Database
from sync.store.viewers import MINE
from sync.store.writer import Touched

_CHUNK = 500
_CANDIDATES = 400  # as many are put in order; whoever has more goes on typing

_RESIDENTS = """
SELECT 'resident', p.id, p.stream, p.household_id, p.name, p.phone, '', b.name, b.aliases, u.label, h.room_no
FROM resident p JOIN household h ON h.id = p.household_id LEFT JOIN unit u ON u.id = h.unit_id
LEFT JOIN building b ON b.id = h.building_id
WHERE p.deleted = 0 AND h.deleted = 0 {where}
"""
_HOUSEHOLDS = """
SELECT 'household', h.id, h.stream, h.id, h.contact_name, h.contact_phone, h.emergency_phone,
    b.name, b.aliases, u.label, h.room_no
FROM household h LEFT JOIN unit u ON u.id = h.unit_id LEFT JOIN building b ON b.id = h.building_id
WHERE h.deleted = 0 {where}
"""
_FIND = f"""
SELECT found.kind, found.id, found.household_id, h.building_id, found.name,
    coalesce(CASE found.kind WHEN 'household' THEN h.contact_phone ELSE p.phone END, ''),
    coalesce(b.name, ''), coalesce(u.label, ''), h.room_no
FROM (
    SELECT r.kind, r.id, r.household_id, r.name FROM terms CROSS JOIN term_rows r ON r.number = terms.rowid
    WHERE terms MATCH :match AND r.{MINE} LIMIT :candidates
) AS found
JOIN household h ON h.id = found.household_id LEFT JOIN resident p ON p.id = found.id
LEFT JOIN unit u ON u.id = h.unit_id LEFT JOIN building b ON b.id = h.building_id
ORDER BY found.name = :text DESC, found.kind = 'household', length(found.name), b.position, u.position, h.floor,
    h.slot, h.room_no, found.name, found.id
LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One resident or household that was found; ``name`` is '' where nobody has given one, ``phone`` is masked."""

    kind: str  # resident or household
    id: str
    household_id: str
    building_id: str
    name: str
    phone: str
    building: str
    unit: str
    room_no: str


def find(db: Database, viewer: Viewer, text: str, *, limit: int = 20) -> tuple[Hit, ...]:
    """What the typed text finds among the viewer's own buildings, best first; () for nothing typed.

    Each piece of the text has to be found: part of a name, of its pinyin or initials, the whole or the end of a phone
    number, a room in any spelling. A household is left out where a resident of the same name stands for it.
    """
    match = _query(text)
    if not match:
        return ()
    given = {
        "match": match,
        "streams": _named_streams(viewer),
        "text": text.strip(),
        "candidates": _CANDIDATES,
        "limit": 2 * limit,
    }
    hits: dict[tuple[str, str], Hit] = {}
    for row in db.conn.execute(_FIND, given):
        hit = Hit(*row)
        hit = replace(hit, phone=mask_phone(hit.phone))
        hits.setdefault((hit.household_id, hit.id if hit.kind == "resident" else hit.name), hit)
        if hit.kind == "resident":
            hits.setdefault((hit.household_id, hit.name), hit)
    return tuple(dict.fromkeys(hits.values()))[:limit]


def _named_streams(viewer: Viewer) -> str:
    """The streams of the buildings whose people the viewer may see by name, as JSON."""
    named = {streams.building(building) for building in viewer.buildings(OFFICE_ROLES)}
    return msgspec.json.encode(sorted(named & viewer.streams)).decode()


SEARCHED = frozenset({"resident", "household", "building", "unit"})  # kinds whose rows change the index
_ROOM_WORDS = re.compile("[号楼栋幢座#单元门层室房户]")


def _query(text: str) -> str:
    """The full-text query; a piece with the words of an address is read as one."""
    return " ".join(filter(None, (_place_query(piece) or match_string(piece) for piece in text.split())))


def _place_query(piece: str) -> str:
    if not _ROOM_WORDS.search(piece):
        return ""
    try:
        ref = parse_room(piece)
    except RuleError:
        return ""
    return match_string(" ".join(_place_terms(ref)))


def _place_terms(ref: RoomRef) -> Iterator[str]:
    if ref.building and ref.unit:
        yield f"{ref.building}-{ref.unit}-{ref.room or ''}"
        return
    if ref.building:
        yield f"{ref.building}-"
    if ref.unit:
        yield f"{ref.unit}-{ref.room or ''}"
    elif ref.room:
        yield ref.room


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


def _index(db: Database, rows: Sequence[Sequence[Any]], pinyin: Pinyin) -> None:
    start = db.conn.execute("SELECT coalesce(max(number), 0) + 1 FROM term_rows").fetchone()[0]
    known, terms = [], []
    for number, row in enumerate(rows, start):
        kind, record_id, stream, household_id, name, phone, other_phone, building, aliases, unit, room = row
        entrance = building_key(unit or "").removesuffix("单元").removesuffix("门")
        found = resident_terms(
            name=name or "",
            phones=(phone or "", other_phone or ""),
            building=building_key(building or ""),
            unit=entrance,
            room=room or "",
            pinyin=pinyin,
        )
        for alias in msgspec.json.decode(aliases or "[]"):
            found += room_terms(building=building_key(alias), unit=entrance, room=room or "")
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
