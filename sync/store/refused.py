"""Refused operations as work items: what each is about, where, and what was written in it."""

from dataclasses import dataclass

from sync.domain.catalogue import KINDS
from sync.domain.fields import Privacy, Type
from sync.domain.masking import mask_phone
from sync.domain.operations import Operation
from sync.domain.roles import Viewer
from sync.store import outbox
from sync.store.database import Database, converted
from sync.store.demand_rows import place_name
from sync.store.viewers import MINE, viewer_streams

_SHOWN = (Type.TEXT, Type.LONG_TEXT, Type.DATE)
_OPEN = (Privacy.K0, Privacy.K1, Privacy.K2)


@dataclass(frozen=True, slots=True)
class Item:
    """One refused operation. ``content`` holds label and text of what was typed, for its author alone.

    ``household_id`` and ``record_id`` ('' when the record is not on this PC any more) lead to where it is put right.
    """

    op: int
    kind: str
    kind_label: str
    code: str
    place: str
    made_at: int
    household_id: str
    record_id: str
    content: tuple[tuple[str, str], ...]


def items(db: Database, viewer: Viewer) -> tuple[Item, ...]:
    """What the viewer made or may read, newest first."""
    return tuple(_item(db, viewer, found) for found in outbox.quarantined(db, viewer))


def _item(db: Database, viewer: Viewer, found: outbox.Refused) -> Item:
    operation = found.operation
    kind = KINDS[operation.kind]
    household_id = operation.id if operation.kind == "household" else _household(db, operation)
    return Item(
        op=found.op,
        kind=operation.kind,
        kind_label=kind.label,
        code=found.code,
        place=_place(db, viewer, household_id),
        made_at=found.made_at,
        household_id=household_id,
        record_id=operation.id if _is_here(db, operation) else "",
        content=_content(operation) if operation.author == viewer.account_id else (),
    )


def _content(operation: Operation) -> tuple[tuple[str, str], ...]:
    fields = KINDS[operation.kind].fields
    return tuple(
        (fields[name].label, mask_phone(value) if "phone" in name else value)
        for name, value in operation.fields.items()
        if isinstance(value, str) and value and fields[name].type in _SHOWN and fields[name].privacy in _OPEN
    )


def _is_here(db: Database, operation: Operation) -> bool:
    with converted():
        found = db.conn.execute(f'SELECT 1 FROM "{operation.kind}" WHERE id = ? AND deleted = 0', (operation.id,))
        return found.fetchone() is not None


def _household(db: Database, operation: Operation) -> str:
    if "household_id" not in KINDS[operation.kind].fields:
        return ""
    given = operation.fields.get("household_id")
    if isinstance(given, str) and given:
        return given
    with converted():
        row = db.conn.execute(f'SELECT household_id FROM "{operation.kind}" WHERE id = ?', (operation.id,)).fetchone()
    return str(row[0] or "") if row else ""


def _place(db: Database, viewer: Viewer, household_id: str) -> str:
    statement = f"""SELECT b.name, coalesce(u.label, ''), h.room_no FROM household h
        JOIN building b ON b.id = h.building_id LEFT JOIN unit u ON u.id = h.unit_id
        WHERE h.id = :id AND h.{MINE}"""
    with converted():
        row = db.conn.execute(statement, {"id": household_id, "streams": viewer_streams(viewer)}).fetchone()
    return place_name("household", "", *row) if row else ""
