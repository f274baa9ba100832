"""Refused records as work items: one for each deed, what it is about, where, and what was written in it."""

from dataclasses import dataclass

import msgspec

from sync.domain import handing
from sync.domain.catalogue import KINDS
from sync.domain.handing import HandingIntent
from sync.domain.masking import mask_phone
from sync.domain.operations import Operation
from sync.domain.roles import Viewer
from sync.store import quarantine
from sync.store.database import Database, converted
from sync.store.demand_rows import place_name
from sync.store.store import Store
from sync.store.viewers import MINE, viewer_streams
from sync.store.writer import Touched

OPEN = "open"  # states of a quarantined operation
ASIDE = "aside"  # a person has put it away for later
HANDED = "handed"  # a person has given it to the secretary
_BOUND = "draft:"  # it stands in a form again; what follows names the draft

_FOLLOWS = frozenset({"unknown_record", "parent_missing"})  # says only that another one has to go first
_EVENTS = frozenset({"demand_event", "dispute_event"})  # the line of a step; the step itself says what is wrong


@dataclass(frozen=True, slots=True)
class Item:
    """What was refused of one deed: all that was saved at the same moment by the same person.

    ``ops`` are its operations, oldest first; ``kind``, ``code``, ``field`` and ``text`` are those of the one that
    says what is wrong. ``content`` holds label and text of what was typed, for its author alone. ``household_id`` and
    ``record_id`` ('' when the record is not on this PC any more) lead to where it is put right.
    """

    ops: tuple[int, ...]
    kind: str
    kind_label: str
    code: str
    field: str
    text: str
    place: str
    title: str
    made_at: int
    household_id: str
    record_id: str
    is_mine: bool
    is_aside: bool
    is_handed: bool
    content: tuple[tuple[str, str], ...]
    operations: tuple[Operation, ...]


def items(db: Database, viewer: Viewer) -> tuple[Item, ...]:
    """What the viewer made or may read, newest first."""
    deeds: dict[tuple[str, int], list[quarantine.Refused]] = {}
    for found in quarantine.quarantined(db, viewer):
        deeds.setdefault((found.operation.author, found.made_at), []).append(found)
    with converted():
        states = dict(db.conn.execute("SELECT op, state FROM quarantine").fetchall())
    return tuple(_item(db, viewer, found[::-1], states) for found in deeds.values())


def count(db: Database) -> int:
    """How many deeds wait to be put right on this PC, whoever did them, without those put aside or handed on."""
    with converted():
        statement = """SELECT count(*) FROM
            (SELECT DISTINCT author, made_at FROM quarantine WHERE state NOT IN ('aside', 'handed'))"""
        return int(db.conn.execute(statement).fetchone()[0])


def retry(store: Store, ops: tuple[int, ...], *, author: str = "") -> Touched:
    """Send all of a deed once more, oldest first; what cannot be applied stays. ``author`` is who says so."""
    return frozenset().union(*(quarantine.retry(store, op, author=author) for op in ops))


def dismiss(store: Store, ops: tuple[int, ...]) -> None:
    """Take a deed out of quarantine, as a person decided; nothing else ever does."""
    for op in ops:
        quarantine.dismiss(store, op)


def put_aside(store: Store, ops: tuple[int, ...], *, aside: bool = True) -> None:
    """Keep a deed for later, out of the way, or take it up again."""
    _mark(store, ops, ASIDE if aside else OPEN)


def hand_on(store: Store, author: str, item: Item) -> Touched:
    """Give a deed to the secretary, and keep it here, out of the way. Raises AccessError."""
    act = store.act(author)
    intent = HandingIntent(
        record_kind=item.kind,
        record_id=item.operations[0].id if item.operations else "",
        place=item.place,
        code=item.code,
        made_at=item.made_at,
        operations=item.operations,
    )
    touched = store.save(act, handing.hand_on(act, intent))
    _mark(store, item.ops, HANDED)  # a power cut before this: it is handed on, and still shown as work
    return touched


def bind(store: Store, ops: tuple[int, ...], account_id: str, page: str, key: str) -> None:
    """What was refused stands in a form as this draft: once that is saved, the deed leaves quarantine by itself."""
    _mark(store, ops, _draft(account_id, page, key))


def is_bound(db: Database, ops: tuple[int, ...], account_id: str, page: str, key: str) -> bool:
    """Whether this draft was made of this deed."""
    with converted():
        statement = "SELECT state FROM quarantine WHERE op = ?"
        states = {row[0] for op in ops if (row := db.conn.execute(statement, (op,)).fetchone()) is not None}
    return _draft(account_id, page, key) in states


def put_right(db: Database, account_id: str, page: str, key: str) -> None:
    """Inside a transaction: this draft's form has been saved, so what it was made of leaves quarantine."""
    db.conn.execute("DELETE FROM quarantine WHERE state = ?", (_draft(account_id, page, key),))


def unbind(db: Database, account_id: str, page: str, key: str) -> None:
    """Inside a transaction: the draft is thrown away; the refused deed is work again, as it came back."""
    statement = "UPDATE quarantine SET state = ? WHERE state = ?"
    db.conn.execute(statement, (OPEN, _draft(account_id, page, key)))


def export(db: Database, viewer: Viewer, item: Item) -> bytes:
    """The deed as readable JSON, for the person who takes it along: only what the viewer made or may read."""
    mine = {found.op: found for found in quarantine.quarantined(db, viewer)}
    lines = [
        {
            "kind": found.operation.kind,
            "id": found.operation.id,
            "action": found.operation.action,
            "fields": found.operation.fields,
            "made_at": found.made_at,
            "code": found.code,
        }
        for op in item.ops
        if (found := mine.get(op)) is not None
    ]
    return msgspec.json.format(msgspec.json.encode(lines), indent=2)


# ---------------------------------------------------------------------------------------------------- inside


def _draft(account_id: str, page: str, key: str) -> str:
    return f"{_BOUND}{account_id}:{page}:{key}"


def _mark(store: Store, ops: tuple[int, ...], state: str) -> None:
    with store.write():
        store.db.conn.executemany("UPDATE quarantine SET state = ? WHERE op = ?", [(state, op) for op in ops])


def _item(db: Database, viewer: Viewer, found: list[quarantine.Refused], states: dict[int, str]) -> Item:
    main = min(found, key=lambda one: (one.code in _FOLLOWS, one.operation.kind in _EVENTS, one.op))
    operation = main.operation
    household_id = next((home for one in found if (home := _household(db, one.operation))), "")
    is_mine = operation.author == viewer.account_id
    operations = tuple(one.operation for one in found)
    return Item(
        ops=tuple(one.op for one in found),
        kind=operation.kind,
        kind_label=KINDS[operation.kind].label,
        code=main.code,
        field=main.field,
        text=main.text,
        place=_place(db, viewer, household_id),
        title=_title(db, viewer, operation),
        made_at=main.made_at,
        household_id=household_id,
        record_id=operation.id if _is_here(db, operation) else "",
        is_mine=is_mine,
        is_aside=all(states.get(one.op) in (ASIDE, HANDED) for one in found),
        is_handed=all(states.get(one.op) == HANDED for one in found),
        content=_content(operations) if is_mine else (),
        operations=operations if is_mine else (),
    )


def _content(operations: tuple[Operation, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (KINDS[kind].fields[name].label, mask_phone(text) if "phone" in name else text)
        for kind, name, text in handing.written(operations)
    )


def _title(db: Database, viewer: Viewer, operation: Operation) -> str:
    """What a demand is called that a step was taken of."""
    if operation.kind != "demand" or operation.action == "new":
        return ""
    with converted():
        statement = f"SELECT title FROM demand WHERE id = :id AND {MINE}"
        given = {"id": operation.id, "streams": viewer_streams(viewer)}
        row = db.conn.execute(statement, given).fetchone()
    return str(row[0]) if row else ""


def _is_here(db: Database, operation: Operation) -> bool:
    with converted():
        found = db.conn.execute(f'SELECT 1 FROM "{operation.kind}" WHERE id = ? AND deleted = 0', (operation.id,))
        return found.fetchone() is not None


def _household(db: Database, operation: Operation) -> str:
    if operation.kind == "household":
        return operation.id
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
