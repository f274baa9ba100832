"""Door sheets in the file: what is put on paper, and the way back from the code on the paper to the first door."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sync.domain.address import room_in_building
from sync.domain.door_sheets import Door, SheetFacts, SheetIntent, make_sheet, pages, read_code, walking_order
from sync.domain.fields import Privacy
from sync.domain.operations import Operation
from sync.domain.roles import Viewer
from sync.domain.rules import Rules
from sync.errors import RuleError
from sync.store import needs_map
from sync.store.database import Database, converted
from sync.store.store import Store, Touched
from sync.store.viewers import MINE, viewer_streams
from sync.store.visit_facts import CampaignRound

_SHEET = "SELECT id, building_id, code, household_ids, printed_on, campaign_id, round_no FROM door_sheet"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A printed sheet with its doors in walking order."""

    sheet_id: str
    building_id: str
    code: str
    household_ids: tuple[str, ...]
    printed_on: str
    campaign_id: str | None
    round_no: int | None


@dataclass(frozen=True, slots=True)
class PlannedDoor:
    """A door as the paper shows it: the room without the building ('1-901'), and its colour of the needs map."""

    household_id: str
    unit: str
    room: str
    colour: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """All doors of a building in walking order; ``names`` are what must not get onto the paper."""

    building_id: str
    building: str
    doors: tuple[PlannedDoor, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """The new sheets."""

    touched: Touched
    sheets: tuple[SheetRow, ...]


def find(db: Database, viewer: Viewer, typed: str) -> SheetRow:
    """The sheet of a code, however it was typed; RuleError('code', 'bad_sheet_code') when there is none."""
    given = {"code": read_code(typed), "streams": viewer_streams(viewer)}
    statement = f"{_SHEET} WHERE code = :code AND deleted = 0 AND {MINE} ORDER BY printed_on DESC, id DESC LIMIT 1"
    with converted():
        row = db.conn.execute(statement, given).fetchone()
    if row is None:
        raise RuleError("code", "bad_sheet_code")
    return _row(row)


def recent(db: Database, viewer: Viewer, building_id: str, *, limit: int = 6) -> tuple[SheetRow, ...]:
    """The sheets printed last for a building, newest first."""
    given = {"building": building_id, "streams": viewer_streams(viewer), "limit": limit}
    statement = f"""{_SHEET} WHERE building_id = :building AND deleted = 0 AND {MINE}
        ORDER BY printed_on DESC, id DESC LIMIT :limit"""
    with converted():
        return tuple(_row(row) for row in db.conn.execute(statement, given))


def plan(
    db: Database, viewer: Viewer, building_id: str, *, rules: Rules, now: int, opened: CampaignRound | None = None
) -> Plan:
    """What could be printed for a building. ``is_done``: a door that answered in the open round."""
    snapshot = needs_map.building_snapshot(db, viewer, building_id, rules=rules, now=now)
    done: set[str] = set()
    with converted():
        if opened is not None:
            answered = f"""SELECT DISTINCT household_id FROM visit
                WHERE building_id = :building AND campaign_id = :campaign AND round_no = :round
                    AND outcome <> 'no_answer' AND deleted = 0 AND {MINE}"""
            given = {
                "building": building_id,
                "campaign": opened.campaign_id,
                "round": opened.round_no,
                "streams": viewer_streams(viewer),
            }
            done = {row[0] for row in db.conn.execute(answered, given)}
        names = _names(db, viewer, building_id)
    position = {unit.unit_id: place for place, unit in enumerate(snapshot.units)}
    labels = {unit.unit_id: unit.label for unit in snapshot.units}
    cells = {cell.household_id: cell for cell in snapshot.cells}
    order = walking_order(
        Door(cell.household_id, position[cell.unit_id], cell.floor, cell.slot, cell.room_no) for cell in snapshot.cells
    )
    doors = []
    for door in order:
        cell = cells[door.household_id]
        unit = labels[cell.unit_id]
        room = room_in_building(unit, cell.room_no)
        doors.append(PlannedDoor(door.household_id, unit, room, cell.coloured.colour.value, door.household_id in done))
    return Plan(building_id, snapshot.name, tuple(doors), names)


def make(store: Store, author: str, intent: SheetIntent) -> Made:
    """Sheets of at most twenty doors each for all doors of the intent, in one save. Errors as ``make_sheet``."""
    act = store.act(author)
    with converted():
        codes = {row[0] for row in store.db.conn.execute("SELECT code FROM door_sheet WHERE deleted = 0")}
        mine = {"building": intent.building_id, "streams": viewer_streams(act.viewer)}
        doors = f"SELECT id FROM household WHERE building_id = :building AND deleted = 0 AND {MINE}"
        known = frozenset(row[0] for row in store.db.conn.execute(doors, mine))
    operations: list[Operation] = []
    for page in pages(intent.household_ids) or ((),):
        sheet = SheetIntent(
            building_id=intent.building_id,
            household_ids=page,
            campaign_id=intent.campaign_id,
            round_no=intent.round_no,
        )
        operations += make_sheet(act, sheet, SheetFacts(known, codes))
        codes.add(operations[-1].fields["code"])
    touched = store.save(act, operations)
    made = tuple(
        SheetRow(
            operation.id,
            intent.building_id,
            operation.fields["code"],
            tuple(operation.fields["household_ids"]),
            act.today,
            intent.campaign_id,
            intent.round_no,
        )
        for operation in operations
    )
    return Made(touched, made)


def _names(db: Database, viewer: Viewer, building_id: str) -> tuple[str, ...]:
    if not viewer.may_see(Privacy.K2, building_id):
        return ()
    given = {"building": building_id, "streams": viewer_streams(viewer)}
    statement = f"""SELECT name FROM resident WHERE building_id = :building AND deleted = 0 AND {MINE}
        UNION SELECT contact_name FROM household WHERE building_id = :building AND deleted = 0 AND {MINE}"""
    return tuple(sorted(row[0] for row in db.conn.execute(statement, given) if len(row[0]) > 1))


def _row(row: Sequence[object]) -> SheetRow:
    sheet_id, building_id, code, household_ids, printed_on, campaign_id, round_no = row
    return SheetRow(
        str(sheet_id),
        str(building_id),
        str(code),
        tuple(json.loads(str(household_ids))),
        str(printed_on),
        None if campaign_id is None else str(campaign_id),
        round_no if isinstance(round_no, int) else None,
    )
