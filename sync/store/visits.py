"""Visits in the file: what a form needs to know of a household, what was recorded, and the recording itself."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sync.domain.act import Act
from sync.domain.address import room_label
from sync.domain.calendar import start_of_day
from sync.domain.care import BANDS_BEFORE_HARD
from sync.domain.demands import DemandIntent
from sync.domain.door_sheets import Door, walking_order
from sync.domain.fields import Privacy
from sync.domain.knocking import fill_rest, record_knock
from sync.domain.protection import ReportIntent, report_harm
from sync.domain.roles import OFFICE_ROLES, Viewer
from sync.domain.visit_facts import KnockIntent, KnownVisit, VisitIntent
from sync.domain.visiting import add_to_visit, band_of, change_visit, record_visit, undo_visit
from sync.errors import RuleError
from sync.store import record_states
from sync.store.database import Database, converted
from sync.store.store import Store, Touched
from sync.store.viewers import MINE, viewer_streams
from sync.store.visit_facts import (
    CampaignRound,
    load_door,
    load_known,
    open_campaign,
    round_name,
    texts,
)

_TIMELINE = 20
_DOORS = f"""
SELECT h.id, h.building_id, b.name AS building, coalesce(u.label, '') AS unit, coalesce(u.position, 0) AS position,
    h.floor, h.slot, h.room_no, h.occupancy
FROM household h JOIN building b ON b.id = h.building_id LEFT JOIN unit u ON u.id = h.unit_id
WHERE h.deleted = 0 AND h.{MINE}"""


@dataclass(frozen=True, slots=True)
class HouseholdHeader:
    """What stands above the form. ``told_on`` is the day of the privacy notice; names only for whom they are."""

    household_id: str
    building_id: str
    compound_id: str
    unit_id: str | None
    label: str
    occupancy: str
    contact_name: str
    last_visit_on: str | None
    last_outcome: str
    told_on: str | None
    due_on: str | None
    failed_bands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PastVisit:
    """A line of the household's timeline; of other people's visits a head sees the outcome only."""

    visit_id: str
    visited_on: str
    outcome: str
    is_own: bool
    reasons: tuple[str, ...]
    round_name: str
    note: str
    demands: tuple[tuple[str, str], ...]  # (title, state)
    sync: str = ""  # a state of sync.store.record_states, of own visits


@dataclass(frozen=True, slots=True)
class TodayEntry:
    """A visit the viewer recorded today, which can be taken back."""

    visit_id: str
    household_id: str
    label: str
    outcome: str
    recorded_at: int
    demands: int
    sync: str = ""  # a state of sync.store.record_states


@dataclass(frozen=True, slots=True)
class BatchDoor:
    """A door of the building with the mark it bears for one day and band ('' for none)."""

    household_id: str
    unit: str
    unit_position: int
    floor: int
    slot: int
    room_no: str
    label: str
    occupancy: str
    is_due: bool
    is_told: bool
    outcome: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class HardDoor:
    """A door that did not open in three bands."""

    household_id: str
    label: str
    bands: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class BuildingDoors:
    """A building as it is walked, with the marks of one day and band."""

    building_id: str
    name: str
    day: str
    band: str
    campaign: CampaignRound | None
    doors: tuple[BatchDoor, ...]
    hard: tuple[HardDoor, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recording left behind; ``count`` visits were written."""

    touched: Touched
    visit_id: str = ""
    count: int = 1


# ---------------------------------------------------------------------------------------------------- reading


def header(db: Database, viewer: Viewer, household_id: str) -> HouseholdHeader | None:
    """The household's head line; None when it is not the viewer's to see."""
    statement = f"""
        SELECT d.*, b.compound_id, h.unit_id, h.contact_name, c.last_visit_on, coalesce(c.last_outcome, ''),
            (SELECT max(given_on) FROM privacy_notice n WHERE n.household_id = d.id AND n.deleted = 0 AND n.{MINE}),
            (SELECT due_on FROM care_due e WHERE e.household_id = d.id AND e.deleted = 0 AND e.{MINE}),
            coalesce(c.failed_bands, '[]')
        FROM ({_DOORS} AND h.id = :household) d JOIN household h ON h.id = d.id JOIN building b ON b.id = h.building_id
        LEFT JOIN household_contact c ON c.household_id = d.id"""
    with converted():
        row = db.conn.execute(statement, {"streams": viewer_streams(viewer), "household": household_id}).fetchone()
    if row is None:
        return None
    (_, building_id, building, unit, _, _, _, room_no, occupancy, *rest) = row
    compound_id, unit_id, contact_name, last_visit_on, last_outcome, told_on, due_on, bands = rest
    may_name = viewer.may_see(Privacy.K2, building_id)
    return HouseholdHeader(
        household_id,
        building_id,
        compound_id,
        unit_id,
        room_label(building, unit, room_no),
        occupancy,
        contact_name if may_name else "",
        last_visit_on,
        last_outcome,
        told_on,
        due_on,
        texts(bands),
    )


def timeline(db: Database, viewer: Viewer, household_id: str) -> tuple[PastVisit, ...]:
    """The last twenty visits, newest first; another's note and reasons are not for a building head."""
    statement = f"""
        SELECT v.id, v.visited_on, v.outcome, v.recorded_by, v.reasons, v.note, v.round_no, c.rounds
        FROM visit v LEFT JOIN visit_campaign c ON c.id = v.campaign_id
        WHERE v.household_id = :household AND v.deleted = 0 AND v.{MINE}
        ORDER BY v.visited_on DESC, v.recorded_at DESC, v.id DESC LIMIT {_TIMELINE}"""
    given = {"streams": viewer_streams(viewer), "household": household_id}
    demands: dict[str, list[tuple[str, str]]] = {}
    with converted():
        rows = db.conn.execute(statement, given).fetchall()
        found = db.conn.execute(
            f"SELECT visit_id, title, state FROM demand WHERE household_id = :household AND visit_id IS NOT NULL"
            f" AND deleted = 0 AND {MINE} ORDER BY reported_at, id",
            given,
        ).fetchall()
    for visit_id, title, state in found:
        demands.setdefault(visit_id, []).append((title, state))
    hides = viewer.is_head_only()
    states = record_states.states(db, viewer, "visit", [row[0] for row in rows if row[3] == viewer.account_id])
    made = []
    for visit_id, visited_on, outcome, recorded_by, reasons, note, round_no, rounds in rows:
        is_own = recorded_by == viewer.account_id
        if hides and not is_own:
            made.append(PastVisit(visit_id, visited_on, outcome, False, (), "", "", ()))
            continue
        name = round_name(rounds, round_no)
        told = tuple(demands.get(visit_id, ()))
        sync = states.get(visit_id, "")
        made.append(PastVisit(visit_id, visited_on, outcome, is_own, texts(reasons), name, note, told, sync))
    return tuple(made)


def today_entries(db: Database, viewer: Viewer, *, today: str) -> tuple[TodayEntry, ...]:
    """What the viewer recorded today, newest first."""
    statement = f"""
        SELECT v.id, v.household_id, d.building, d.unit, d.room_no, v.outcome, v.recorded_at,
            (SELECT count(*) FROM demand m WHERE m.visit_id = v.id AND m.deleted = 0 AND m.{MINE})
        FROM visit v JOIN ({_DOORS}) d ON d.id = v.household_id
        WHERE v.recorded_by = :me AND v.recorded_at >= :since AND v.deleted = 0 AND v.{MINE}
        ORDER BY v.recorded_at DESC, v.id DESC"""
    given = {"streams": viewer_streams(viewer), "me": viewer.account_id, "since": start_of_day(today)}
    with converted():
        rows = db.conn.execute(statement, given).fetchall()
    states = record_states.states(db, viewer, "visit", [row[0] for row in rows])
    return tuple(
        TodayEntry(
            visit_id,
            household_id,
            room_label(building, unit, room_no),
            outcome,
            recorded_at,
            demands,
            states.get(visit_id, ""),
        )
        for visit_id, household_id, building, unit, room_no, outcome, recorded_at, demands in rows
    )


def known(db: Database, viewer: Viewer, visit_id: str) -> KnownVisit | None:
    """One visit to put right in the form; None when it is not the viewer's to see."""
    with converted():
        return load_known(db, f"id = :visit AND {MINE}", {"visit": visit_id, "streams": viewer_streams(viewer)})


def campaign(db: Database, viewer: Viewer, *, today: str) -> CampaignRound | None:
    """The campaign that is open on a day, the newest if there are several."""
    with converted():
        return open_campaign(db, today, f"AND {MINE}", viewer_streams(viewer))


def batch(db: Database, viewer: Viewer, building_id: str, *, day: str, band: str, today: str) -> BuildingDoors:
    """A building's doors in walking order with the marks of a day and band, and the doors that do not open."""
    given = {"streams": viewer_streams(viewer), "building": building_id, "day": day, "band": band, "today": today}
    marks_sql = f"""
        SELECT household_id, outcome, recorded_by FROM (
            SELECT household_id, outcome, recorded_by,
                row_number() OVER (PARTITION BY household_id ORDER BY recorded_at DESC, id DESC) AS nth
            FROM visit WHERE building_id = :building AND visited_on = :day AND time_band = :band AND deleted = 0
                AND {MINE})
        WHERE nth = 1"""
    due_sql = (
        f"SELECT household_id FROM care_due WHERE building_id = :building AND due_on <= :today AND deleted = 0"
        f" AND {MINE}"
    )
    told_sql = f"SELECT household_id FROM privacy_notice WHERE building_id = :building AND deleted = 0 AND {MINE}"
    name_sql = f"SELECT name FROM building WHERE id = :building AND {MINE}"
    with converted():
        rows = db.conn.execute(f"{_DOORS} AND h.building_id = :building", given).fetchall()
        marks = {row[0]: (row[1], row[2] == viewer.account_id) for row in db.conn.execute(marks_sql, given)}
        due = {row[0] for row in db.conn.execute(due_sql, given)}
        told = {row[0] for row in db.conn.execute(told_sql, given)}
        name = db.conn.execute(name_sql, given).fetchone()
        hard = _hard(db, given)
        opened = open_campaign(db, today, f"AND {MINE}", given["streams"])
    places = {row[0]: row for row in rows}
    order = walking_order(Door(row[0], row[4], row[5], row[6], row[7]) for row in rows)
    doors = []
    for place in order:
        _, _, building, unit, position, floor, slot, room_no, occupancy = places[place.household_id]
        outcome, is_own = marks.get(place.household_id, ("", False))
        doors.append(
            BatchDoor(
                place.household_id,
                unit,
                position,
                floor,
                slot,
                room_no,
                room_label(building, unit, room_no),
                occupancy,
                place.household_id in due,
                place.household_id in told,
                outcome,
                is_own,
            )
        )
    return BuildingDoors(building_id, name[0] if name else "", day, band, opened, tuple(doors), hard)


def buildings(db: Database, viewer: Viewer) -> tuple[tuple[str, str], ...]:
    """The buildings (id, name) whose doors the viewer may knock at, as they stand on the plan."""
    given = {"ids": json.dumps(sorted(viewer.buildings(OFFICE_ROLES))), "streams": viewer_streams(viewer)}
    statement = f"""SELECT id, name FROM building WHERE id IN (SELECT value FROM json_each(:ids)) AND deleted = 0
        AND {MINE} ORDER BY compound_id, position, name, id"""
    with converted():
        return tuple((row[0], row[1]) for row in db.conn.execute(statement, given))


def next_door(db: Database, viewer: Viewer, household_id: str) -> str:
    """The household after this one in walking order; '' after the last."""
    given = {"streams": viewer_streams(viewer), "household": household_id}
    statement = f"{_DOORS} AND h.building_id = (SELECT building_id FROM household WHERE id = :household)"
    with converted():
        rows = db.conn.execute(statement, given).fetchall()
    ids = [door.household_id for door in walking_order(Door(r[0], r[4], r[5], r[6], r[7]) for r in rows)]
    following = ids[ids.index(household_id) + 1 :] if household_id in ids else []
    return following[0] if following else ""


def _hard(db: Database, given: dict[str, Any]) -> tuple[HardDoor, ...]:
    statement = f"""
        SELECT d.id, d.building, d.unit, d.room_no, c.failed_bands, c.failed_count
        FROM ({_DOORS} AND h.building_id = :building) d JOIN household_contact c ON c.household_id = d.id
        WHERE json_array_length(c.failed_bands) >= {BANDS_BEFORE_HARD}
            AND d.occupancy NOT IN ('vacant', 'non_residential')
        ORDER BY d.position, d.floor DESC, d.slot, d.room_no"""
    return tuple(
        HardDoor(household_id, room_label(building, unit, room_no), texts(bands), count)
        for household_id, building, unit, room_no, bands, count in db.conn.execute(statement, given)
    )


# ---------------------------------------------------------------------------------------------------- recording


def record(store: Store, author: str, intent: VisitIntent) -> Recorded:
    """Save a visit with its demands and dispute sign, all or nothing. Errors as ``record_visit``."""
    act = store.act(author)
    operations = record_visit(act, intent, load_door(store, act, intent.household_id))
    return Recorded(store.save(act, operations), operations[0].id)


def knock(store: Store, author: str, intent: KnockIntent) -> Recorded:
    """Save one key of the façade; pressing the same key again writes nothing."""
    act = store.act(author)
    intent = _dated(act, intent)
    door = load_door(store, act, intent.household_id, day=intent.visited_on, band=intent.time_band)
    operations = record_knock(act, intent, door)
    if not operations:
        return Recorded(frozenset(), door.known.visit_id if door.known else "", 0)
    return Recorded(store.save(act, operations), operations[0].id)


def take_back_knock(store: Store, author: str, intent: KnockIntent, *, before: str) -> Recorded:
    """Undo the last key on a door: back to the outcome ``before``, or to no visit at all when it is ''."""
    act = store.act(author)
    intent = _dated(act, intent)
    door = load_door(store, act, intent.household_id, day=intent.visited_on, band=intent.time_band)
    if door.known is None:
        raise RuleError("visit", "unknown_record")
    if before:
        operations = record_knock(act, replace(intent, outcome=before), door)
    else:
        operations = undo_visit(act, door.known)
    return Recorded(store.save(act, operations) if operations else frozenset(), door.known.visit_id, 0)


def fill(store: Store, author: str, intents: Sequence[KnockIntent]) -> Recorded:
    """Record one outcome for the doors of a preview in one transaction; doors marked meanwhile stay as they are."""
    act = store.act(author)
    dated = [_dated(act, intent) for intent in intents]
    doors = [load_door(store, act, i.household_id, day=i.visited_on, band=i.time_band) for i in dated]
    operations = fill_rest(act, dated, doors)
    return Recorded(store.save(act, operations) if operations else frozenset(), "", len(operations))


def add_demands(
    store: Store, author: str, intent: KnockIntent, demands: Sequence[DemandIntent], *, notice_given: bool
) -> Recorded:
    """Demands raised at a door of the façade; the knock is recorded first when the door bears no mark yet."""
    act = store.act(author)
    intent = _dated(act, intent)
    door = load_door(store, act, intent.household_id, day=intent.visited_on, band=intent.time_band)
    if door.known is None:
        reasons = ("campaign",) if door.campaign_id else ("knock_drive",)
        visit = VisitIntent(
            household_id=intent.household_id,
            visited_on=intent.visited_on,
            time_band=intent.time_band,
            outcome=intent.outcome,
            reasons=reasons,
            note=intent.note,
            late_reason=intent.late_reason,
            notice_given=notice_given,
            demands=tuple(demands),
        )
        operations = record_visit(act, visit, door)
        return Recorded(store.save(act, operations), operations[0].id)
    operations = add_to_visit(act, demands, door.known, door, notice_given=notice_given)
    return Recorded(store.save(act, operations), door.known.visit_id, 0)


def change(store: Store, author: str, visit_id: str, intent: VisitIntent) -> Recorded:
    """Put an own visit of today right. Errors as ``change_visit``; RuleError('visit', 'unknown_record')."""
    act = store.act(author)
    visit = _visit(store, act, visit_id)
    door = load_door(store, act, visit.household_id)
    operations = change_visit(act, intent, visit, door)
    return Recorded(store.save(act, operations) if operations else frozenset(), visit_id, 0)


def undo(store: Store, author: str, visit_id: str) -> Recorded:
    """Take back an own visit of today with what was raised in it. Errors as ``undo_visit``."""
    act = store.act(author)
    return Recorded(store.save(act, undo_visit(act, _visit(store, act, visit_id))), visit_id, 0)


def report(store: Store, author: str, intent: ReportIntent) -> Touched:
    """Write down a mandatory report; it can be created and not read back. Errors as ``report_harm``."""
    act = store.act(author)
    return store.save(act, report_harm(act, intent))


def _dated(act: Act, intent: KnockIntent) -> KnockIntent:
    return replace(intent, visited_on=intent.visited_on or act.today, time_band=intent.time_band or band_of(act))


def _visit(store: Store, act: Act, visit_id: str) -> KnownVisit:
    found = known(store.db, act.viewer, visit_id)
    if found is None:
        raise RuleError("visit", "unknown_record")
    return found
