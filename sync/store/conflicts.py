"""Conflicts as work: what two people wrote in the same place, for those who may say which is to stand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from sync.domain import conflicts as verb
from sync.domain.catalogue import KINDS, Kind
from sync.domain.fields import Type
from sync.domain.kinds.notes import Conflict
from sync.domain.masking import mask_phone
from sync.domain.merge import Row
from sync.domain.operations import DELETED, Values
from sync.domain.roles import Viewer
from sync.domain.stubs import stub_values
from sync.errors import RuleError
from sync.store import access, schema
from sync.store.database import Database, converted
from sync.store.deciding import is_shown, may_settle, note_of, rows_of
from sync.store.demand_rows import place_name
from sync.store.store import Store
from sync.store.viewers import MINE, viewer_streams
from sync.store.writer import Touched

SHOWN = 50
_TABLE = schema.TABLES["conflict"]
_UNSPOKEN = frozenset({"scope_id", "slot", "state_before"})  # parts of a group that say nothing to a person
_NAMES: Mapping[str, str] = {
    "account": "name",
    "building": "name",
    "compound": "name",
    "grid": "name",
    "unit": "label",
    "partner_org": "name",
    "household_cluster": "number",
    "demand": "title",
    "resident": "name",
}
_LISTED = {"mediator_ids": "account"}  # lists of ids, and of what
_TITLES: Mapping[str, str] = {"household": "contact_name", "resident": "name", "demand": "title", "dispute": "title"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a version: its name and label, the value as stored, and the names its ids stand for.

    Numbers are masked; ``names`` is None where the value is no id.
    """

    name: str
    label: str
    value: Any
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """What one of them wrote: who ('' when nobody knows), whether it was the viewer, when (ms), and what."""

    by: str
    is_mine: bool
    at: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """A conflict as the screen shows it. ``choices`` are those of ``sync.domain.conflicts``, in order.

    ``now`` is what somebody has written there meanwhile, when that is neither version; ``label`` names the field or
    the group; ``household_id`` ('' for none) and ``record_id`` lead to the record's own page.
    """

    conflict_id: str
    kind: str
    kind_label: str
    record_id: str
    register: str
    label: str
    place: str
    title: str
    household_id: str
    kept: Version
    lost: Version
    now: Version | None
    in_use: str
    choices: tuple[str, ...]
    is_masked: bool
    is_settled: bool
    settled_by: str


def open_conflicts(db: Database, viewer: Viewer, *, settled: bool = False, limit: int = SHOWN) -> tuple[Open, ...]:
    """Those that the viewer may settle (or, with ``settled``, that have been settled), newest first."""
    with converted():
        shown = _for(db, viewer, settled=settled, limit=limit)
        names = _Names(db, viewer, shown)
    return tuple(_shown(note, row, viewer, names) for note, row in shown)


def count(db: Database, viewer: Viewer) -> int:
    """How many the viewer may settle, up to as many as the page shows; most of the time there is none to look at."""
    with converted():
        any_open = db.conn.execute("SELECT 1 FROM conflict WHERE state = 'open' LIMIT 1").fetchone()
        return len(_for(db, viewer, settled=False, limit=SHOWN)) if any_open else 0


def _for(db: Database, viewer: Viewer, *, settled: bool, limit: int) -> list[tuple[Conflict, Row]]:
    """The newest of the viewer's, with their records.

    Many others may lie before them, which only somebody else may settle: one looks on until there are enough.
    """
    # What was blanked with its record says nothing any more.
    statement = f"""{_TABLE.select} WHERE state = :state AND deleted = 0 AND (kept <> '' OR lost <> '') AND {MINE}
        ORDER BY max(kept_at, lost_at) DESC, id"""
    given = {"state": "settled" if settled else "open", "streams": viewer_streams(viewer)}
    shown: list[tuple[Conflict, Row]] = []
    cursor = db.conn.execute(statement, given)
    while len(shown) < limit and (found := cursor.fetchmany(SHOWN)):
        notes = [note_of(_TABLE.row(cells)) for cells in found]
        rows = rows_of(db, notes)
        shown += [
            (note, row)
            for note in notes
            if (row := rows.get((note.record_kind, note.record_id))) is not None
            and is_shown(note, row)
            and may_settle(viewer, row)
        ]
    return shown[:limit]


def settle(store: Store, author: str, conflict_id: str, choice: str, *, text: str = "", again: bool = False) -> Touched:
    """Say which version is to stand. Errors as the verb's; RuleError('id', 'unknown_record'); AccessError(code)."""
    act = store.act(author)
    facts, _ = _facts(store.db, act.viewer, conflict_id)
    return store.save(act, verb.settle(act, facts, choice, text=text, again=again))


def reveal(store: Store, author: str, conflict_id: str) -> tuple[str, str, str]:
    """The numbers in full: kept, lost, and what stands now; that they were looked at is written down first."""
    viewer = store.viewer(author)
    facts, row = _facts(store.db, viewer, conflict_id)
    conflict = facts.conflict
    access.note(store, author, row.kind, row.id, conflict.register)
    versions = (verb.version(conflict.kept), verb.version(conflict.lost), facts.now)
    kept, lost, now = (str(values.get(conflict.register, "")) for values in versions)
    return kept, lost, now


# ---------------------------------------------------------------------------------------------------- inside


def _facts(db: Database, viewer: Viewer, conflict_id: str) -> tuple[verb.ConflictFacts, Row]:
    found = schema.load_one(db, "conflict", conflict_id)
    note = note_of(found) if found is not None else None
    row = schema.load_one(db, note.record_kind, note.record_id) if note and note.record_kind in KINDS else None
    if note is None or row is None or not may_settle(viewer, row):
        raise RuleError("id", "unknown_record")
    return _of_row(note, row), row


def _of_row(note: Conflict, row: Row) -> verb.ConflictFacts:
    kind = KINDS[row.kind]
    values = kind.complete(row.values)
    blank = row.deleted and values == stub_values(row)
    return verb.ConflictFacts(note, {**values, DELETED: row.deleted}, is_gone=blank)


def _shown(note: Conflict, row: Row, viewer: Viewer, names: "_Names") -> Open:
    kind = KINDS[row.kind]
    facts = _of_row(note, row)
    kept, lost = verb.version(note.kept), verb.version(note.lost)
    used = verb.in_use(facts)
    fields = [name for name in (*kept, *lost) if kept.get(name) != lost.get(name)]
    if note.register == DELETED:
        fields = [name for name in lost if name != DELETED]
    told = [name for name in dict.fromkeys(fields) if name in kind.fields and name not in _UNSPOKEN]

    def version(values: Values, by: str, at: int) -> Version:
        cells = tuple(names.cell(kind, name, values[name]) for name in told if name in values)
        return Version(names.of("account", by), by == viewer.account_id, at, cells)

    household_id = row.id if row.kind == "household" else str(row.values.get("household_id") or "")
    label = kind.label if note.register == DELETED else _label(kind, note.register)
    return Open(
        conflict_id=note.id,
        kind=row.kind,
        kind_label=kind.label,
        record_id=row.id,
        register=note.register,
        label=label,
        place=names.place(household_id, str(row.values.get("building_id") or "")),
        title=str(row.values.get(_TITLES.get(row.kind, "")) or ""),
        household_id=household_id,
        kept=version(kept, note.kept_by, note.kept_at),
        lost=version(lost, note.lost_by, note.lost_at),
        now=version(facts.now, "", 0) if used == verb.NOW else None,
        in_use=used,
        choices=verb.offered(facts),
        is_masked=_is_number(note.register),
        is_settled=note.state != "open",
        settled_by=names.of("account", note.settled_by or ""),
    )


def _is_number(name: str) -> bool:
    return "phone" in name or name == "id_number"


def _label(kind: Kind, register: str) -> str:
    """The field's label; of a group that of its first field."""
    return kind.fields[kind.registers[register][0]].label


class _Names:
    """What ids stand for, asked for all conflicts at once."""

    def __init__(self, db: Database, viewer: Viewer, shown: Iterable[tuple[Conflict, Row]]) -> None:
        wanted: dict[str, set[str]] = {"account": set(), "household": set(), "building": set()}
        for note, row in shown:
            wanted["account"] |= {note.kept_by, note.lost_by, note.settled_by or ""}
            versions = (row.values, verb.version(note.kept), verb.version(note.lost))
            for name, value in (pair for values in versions for pair in values.items()):
                refers = _refers(KINDS[row.kind], name)
                if refers:
                    wanted.setdefault(refers, set()).update(value if isinstance(value, list) else [value or ""])
            if row.kind == "household":
                wanted["household"].add(row.id)
        self._names: dict[tuple[str, str], str] = {}
        for kind, ids in wanted.items():
            self._names.update({(kind, record_id): name for record_id, name in _look_up(db, viewer, kind, ids)})

    def of(self, kind: str, record_id: str) -> str:
        """The name, '' when this file does not know it."""
        return self._names.get((kind, record_id), "")

    def place(self, household_id: str, building_id: str) -> str:
        """The door, else the building."""
        return self.of("household", household_id) or self.of("building", building_id)

    def cell(self, kind: Kind, name: str, value: Any) -> Cell:
        """One field with the names its ids stand for; a number masked."""
        field = kind.fields[name]
        if _is_number(name) and isinstance(value, str):
            return Cell(name, field.label, mask_phone(value))
        refers = _refers(kind, name)
        if not refers:
            return Cell(name, field.label, value)
        ids = value if isinstance(value, list) else [value or ""]
        return Cell(name, field.label, value, tuple(filter(None, (self.of(refers, one) for one in ids))))


def _refers(kind: Kind, name: str) -> str:
    field = kind.fields.get(name)
    if field is None:
        return ""
    return field.refers if field.type is Type.REF else _LISTED.get(name, "")


def _look_up(db: Database, viewer: Viewer, kind: str, ids: set[str]) -> Iterable[tuple[str, str]]:
    given = {"ids": msgspec.json.encode(sorted(ids - {""})).decode(), "streams": viewer_streams(viewer)}
    if kind == "household":
        statement = f"""SELECT h.id, b.name, coalesce(u.label, ''), h.room_no FROM household h
            JOIN building b ON b.id = h.building_id LEFT JOIN unit u ON u.id = h.unit_id
            WHERE h.id IN (SELECT value FROM json_each(:ids)) AND h.{MINE}"""
        return [(row[0], place_name("household", "", *row[1:])) for row in db.conn.execute(statement, given)]
    if kind not in _NAMES:
        return []
    statement = f"""SELECT id, "{_NAMES[kind]}" FROM "{kind}"
        WHERE id IN (SELECT value FROM json_each(:ids)) AND {MINE}"""
    return list(db.conn.execute(statement, given))
