"""Households read: the list of doors, the card with its people, what was changed, what the forms offer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from sync.domain.address import room_in_building
from sync.domain.building_plan import may_make_areas
from sync.domain.catalogue import KINDS
from sync.domain.clock import Clock, ms_of
from sync.domain.colours import NOT_A_HOME
from sync.domain.fields import Privacy
from sync.domain.households import (
    is_child,
)
from sync.domain.masking import mask_phone
from sync.domain.pairing import CARE_ROLES, visit_due_on
from sync.domain.roles import OFFICE_ROLES, STATION_ROLES, Viewer
from sync.domain.rules import Rules
from sync.store import needs_map, record_states, schema
from sync.store.database import Database, converted
from sync.store.demand_rows import place_name
from sync.store.viewers import MINE, viewer_streams


@dataclass(frozen=True, slots=True)
class UnitRow:
    """An entrance of a building."""

    unit_id: str
    label: str


@dataclass(frozen=True, slots=True)
class BuildingRow:
    """A building whose households the viewer may read."""

    building_id: str
    name: str
    compound: str
    households: int
    units: tuple[UnitRow, ...]


@dataclass(frozen=True, slots=True)
class DoorRow:
    """A line of the list of doors; ``room`` is '2-501' within the building, ``tone`` the household's colour."""

    household_id: str
    room: str
    contact_name: str
    occupancy: str
    tone: str


@dataclass(frozen=True, slots=True)
class ResidentRow:
    """Somebody who lives, or lived, there. ``is_child``: under fourteen, without a name."""

    resident_id: str
    name: str
    sex: str
    birth_year: int | None
    phone: str
    relation: str
    is_householder: bool
    lives_here: bool
    is_child: bool


@dataclass(frozen=True, slots=True)
class HouseholdCard:
    """A household with everything its card shows. Phones are masked; ``due_on`` None means due at once, if at all.

    ``care_due`` says that the station asks for a visit; why, nobody learns here.
    """

    household_id: str
    building_id: str
    compound_id: str
    unit_id: str | None
    label: str
    tone: str
    open_demands: int
    occupancy: str
    residence_status: str
    living: int
    contact_name: str
    contact_phone: str
    emergency_contact: str
    emergency_phone: str
    cluster_id: str | None
    cluster_leader: str
    is_home: bool
    due_on: str | None
    is_due: bool
    last_visit_on: str | None
    last_outcome: str
    failed_count: int
    told_on: str | None
    told_way: str
    residents: tuple[ResidentRow, ...]
    visits: int
    may_edit: bool
    may_care: bool
    sync: str = ""  # a state of sync.store.record_states; '' where there is no server


@dataclass(frozen=True, slots=True)
class Choice:
    """Something a form offers."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """When something of a household was last changed: ``fields`` by name, ``who`` as far as this PC knows it.

    ``subject`` is '' for the household itself, else the person's name; ``waits``: not sent yet.
    """

    at: int
    who: str
    subject: str
    is_new: bool
    fields: tuple[str, ...]
    waits: bool


@dataclass(frozen=True, slots=True)
class Pairing:
    """A care pairing in force."""

    pairing_id: str
    level: str
    responsible: str
    substitute: str
    since: str


@dataclass(frozen=True, slots=True)
class Hint:
    """A head's hint that a household may need care."""

    suggestion_id: str
    note: str
    by: str
    on: str
    state: str


@dataclass(frozen=True, slots=True)
class BuildingChoices:
    """What the form of a new building offers: the viewer's compounds and the grids of the community.

    ``may_add``: the viewer may make a compound or a grid on the way.
    """

    compounds: tuple[Choice, ...]
    grids: tuple[Choice, ...]
    may_add: bool


def buildings(db: Database, viewer: Viewer) -> tuple[BuildingRow, ...]:
    """The buildings of which the viewer may read the households, in the order of the plan."""
    given = {"streams": viewer_streams(viewer)}
    with converted():
        rows = db.conn.execute(
            f"""SELECT b.id, b.name, coalesce(c.name, ''),
                (SELECT count(*) FROM household h WHERE h.building_id = b.id AND h.deleted = 0 AND h.{MINE})
            FROM building b LEFT JOIN compound c ON c.id = b.compound_id
            WHERE b.deleted = 0 AND b.{MINE} ORDER BY c.name, b.position, b.name, b.id""",
            given,
        ).fetchall()
        units: dict[str, list[UnitRow]] = {}
        for building_id, unit_id, label in db.conn.execute(
            f"SELECT building_id, id, label FROM unit WHERE deleted = 0 AND {MINE} ORDER BY position, label, id", given
        ):
            units.setdefault(building_id, []).append(UnitRow(unit_id, label))
    readable = viewer.streams
    return tuple(
        BuildingRow(building_id, name, compound, count, tuple(units.get(building_id, ())))
        for building_id, name, compound, count in rows
        if f"building:{building_id}" in readable
    )


def door_ids(db: Database, viewer: Viewer, building_id: str, *, unit_id: str = "") -> tuple[str, ...]:
    """The households of a building (of one entrance), entrance by entrance from the top down."""
    statement = f"""
        SELECT h.id FROM household h LEFT JOIN unit u ON u.id = h.unit_id
        WHERE h.building_id = :building AND h.deleted = 0 AND h.{MINE} AND (:unit = '' OR h.unit_id = :unit)
        ORDER BY coalesce(u.position, 0), h.floor DESC, h.slot, h.room_no, h.id"""
    given = {"streams": viewer_streams(viewer), "building": building_id, "unit": unit_id}
    with converted():
        return tuple(row[0] for row in db.conn.execute(statement, given))


def door_rows(
    db: Database, viewer: Viewer, ids: Sequence[str], *, rules: Rules, now: int
) -> tuple[DoorRow | None, ...]:
    """These doors in the order of their ids, with their colours; None for one that is gone."""
    statement = f"""
        SELECT h.id, h.building_id, coalesce(u.label, ''), h.room_no, h.contact_name, h.occupancy
        FROM household h LEFT JOIN unit u ON u.id = h.unit_id
        WHERE h.id IN (SELECT value FROM json_each(:ids)) AND h.deleted = 0 AND h.{MINE}"""
    given = {"streams": viewer_streams(viewer), "ids": msgspec.json.encode(list(ids)).decode()}
    with converted():
        rows = db.conn.execute(statement, given).fetchall()
    tones = {
        cell.household_id: str(cell.coloured.colour)
        for building_id in {row[1] for row in rows}
        for cell in needs_map.building_snapshot(db, viewer, building_id, rules=rules, now=now).cells
    }
    named = viewer.buildings(OFFICE_ROLES)
    found = {
        household_id: DoorRow(
            household_id,
            room_in_building(unit, room_no),
            name if building_id in named else "",
            occupancy,
            tones.get(household_id, ""),
        )
        for household_id, building_id, unit, room_no, name, occupancy in rows
    }
    return tuple(found.get(household_id) for household_id in ids)


def card(
    db: Database, viewer: Viewer, household_id: str, *, rules: Rules, today: str, now: int
) -> HouseholdCard | None:
    """One household with its people; None when it is not there or not the viewer's to see."""
    statement = f"""
        SELECT h.building_id, b.compound_id, h.unit_id, b.name, coalesce(u.label, ''), h.room_no, h.occupancy,
            h.residence_status, h.contact_name, h.contact_phone, h.emergency_contact, h.emergency_phone, h.cluster_id,
            coalesce(g.leader, ''), c.last_contact_on, c.last_visit_on, coalesce(c.last_outcome, ''),
            coalesce(c.failed_count, 0), n.given_on, coalesce(n.way, ''),
            (SELECT max(due_on) FROM care_due e WHERE e.household_id = h.id AND e.deleted = 0 AND e.{MINE}),
            (SELECT count(*) FROM visit v WHERE v.household_id = h.id AND v.deleted = 0 AND v.{MINE})
        FROM household h JOIN building b ON b.id = h.building_id LEFT JOIN unit u ON u.id = h.unit_id
        LEFT JOIN household_contact c ON c.household_id = h.id
        LEFT JOIN household_cluster g ON g.id = h.cluster_id AND g.deleted = 0
        LEFT JOIN privacy_notice n ON n.household_id = h.id AND n.deleted = 0
        WHERE h.id = :household AND h.deleted = 0 AND h.{MINE} ORDER BY n.given_on DESC LIMIT 1"""
    with converted():
        row = db.conn.execute(statement, {"streams": viewer_streams(viewer), "household": household_id}).fetchone()
    coloured = needs_map.why(db, viewer, household_id, rules=rules, now=now)
    if row is None or coloured is None:
        return None
    building_id, compound_id, unit_id, building, unit, room_no, occupancy, residence_status, *rest = row
    name, phone, other_name, other_phone, cluster_id, leader, contact_on, visit_on, outcome, failed, *rest = rest
    told_on, told_way, care_due_on, visits = rest
    may_name = viewer.may_see(Privacy.K2, building_id)
    people = residents(db, viewer, household_id, today=today)
    is_home = occupancy not in NOT_A_HOME
    due_on = visit_due_on(contact_on, care_due_on=care_due_on, rules=rules.care) if is_home else None
    return HouseholdCard(
        household_id=household_id,
        building_id=building_id,
        compound_id=compound_id,
        unit_id=unit_id,
        label=place_name("household", "", building, unit, room_no),
        tone=str(coloured.coloured.colour),
        open_demands=len(coloured.demands),
        occupancy=occupancy,
        residence_status=residence_status,
        living=sum(person.lives_here for person in people),
        contact_name=name if may_name else "",
        contact_phone=mask_phone(phone) if may_name else "",
        emergency_contact=other_name if may_name else "",
        emergency_phone=mask_phone(other_phone) if may_name else "",
        cluster_id=cluster_id,
        cluster_leader=leader if may_name else "",
        is_home=is_home,
        due_on=due_on,
        is_due=is_home and (due_on is None or due_on <= today),
        last_visit_on=visit_on,
        last_outcome=outcome,
        failed_count=failed,
        told_on=told_on,
        told_way=told_way,
        residents=people,
        visits=visits,
        may_edit=building_id in viewer.buildings(OFFICE_ROLES),
        may_care=building_id in viewer.buildings(CARE_ROLES),
        sync=record_states.states(db, viewer, "household", [household_id]).get(household_id, ""),
    )


def residents(db: Database, viewer: Viewer, household_id: str, *, today: str) -> tuple[ResidentRow, ...]:
    """The people of a household, those who live there first, the householder before the others; phones masked."""
    statement = f"""
        SELECT id, name, sex, birth_year, phone, relation, is_householder, lives_here, building_id FROM resident
        WHERE household_id = :household AND deleted = 0 AND {MINE}
        ORDER BY lives_here DESC, is_householder DESC, birth_year IS NULL, birth_year, name, id"""
    with converted():
        rows = db.conn.execute(statement, {"streams": viewer_streams(viewer), "household": household_id}).fetchall()
    return tuple(
        ResidentRow(
            resident_id,
            name,
            sex,
            birth_year,
            mask_phone(phone),
            relation,
            bool(is_householder),
            bool(lives_here),
            is_child(birth_year, today=today),
        )
        for resident_id, name, sex, birth_year, phone, relation, is_householder, lives_here, building_id in rows
        if viewer.may_see(Privacy.K2, building_id)
    )


def clusters(db: Database, viewer: Viewer, building_id: str) -> tuple[Choice, ...]:
    """The household groups of a building, by number; with their leader for those who may read names."""
    leader = "' ' || leader" if viewer.may_see(Privacy.K2, building_id) else "''"
    statement = f"""
        SELECT id, trim(number || ' ' || name || {leader}) FROM household_cluster
        WHERE building_id = :building AND deleted = 0 AND {MINE} ORDER BY number, name, id"""
    with converted():
        rows = db.conn.execute(statement, {"streams": viewer_streams(viewer), "building": building_id}).fetchall()
    return tuple(Choice(*row) for row in rows)


def pairings(db: Database, viewer: Viewer, household_id: str, *, today: str) -> tuple[Pairing, ...]:
    """Who looks in on the household; only for those who may read care matters."""
    statement = f"""
        SELECT p.id, p.level, coalesce(a.name, ''), coalesce(s.name, ''), p.since FROM care_pairing p
        LEFT JOIN account a ON a.id = p.responsible_id LEFT JOIN account s ON s.id = p.substitute_id
        WHERE p.household_id = :household AND p.deleted = 0 AND (p.until IS NULL OR p.until > :today) AND p.{MINE}
        ORDER BY p.since, p.id"""
    given = {"streams": viewer_streams(viewer), "household": household_id, "today": today}
    with converted():
        return tuple(Pairing(*row) for row in db.conn.execute(statement, given))


def hints(db: Database, viewer: Viewer, household_id: str) -> tuple[Hint, ...]:
    """What heads have noticed about the household, newest first; only for those who may read care matters."""
    statement = f"""
        SELECT t.id, t.note, coalesce(a.name, ''), t.suggested_on, t.state FROM care_suggestion t
        LEFT JOIN account a ON a.id = t.suggested_by
        WHERE t.household_id = :household AND t.deleted = 0 AND t.{MINE} ORDER BY t.suggested_on DESC, t.id DESC"""
    with converted():
        rows = db.conn.execute(statement, {"streams": viewer_streams(viewer), "household": household_id}).fetchall()
    return tuple(Hint(*row) for row in rows)


def changes(db: Database, viewer: Viewer, household_id: str) -> tuple[Change, ...]:
    """What was last changed of a household and its people, newest first, as far as this file knows it.

    Of the people only for those who may read their names.
    """
    given = {"streams": viewer_streams(viewer), "household": household_id}
    found = []
    with converted():
        waiting = _waiting(db, given)
        for kind, where in (("household", "id"), ("resident", "household_id")):
            table = schema.TABLES[kind]
            statement = f"{table.select} WHERE {where} = :household AND deleted = 0 AND {MINE}"
            for row in map(table.row, db.conn.execute(statement, given).fetchall()):
                if kind == "resident" and not viewer.may_see(Privacy.K2, row.values["building_id"]):
                    continue
                subject = str(row.values["name"]) if kind == "resident" else ""
                found += _changes_of(kind, row.id, row.clock, row.clocks, subject, waiting)
    return tuple(sorted(found, key=lambda change: -change.at))


def building_choices(db: Database, viewer: Viewer) -> BuildingChoices:
    """Where the viewer may put a new building."""
    given = {"streams": viewer_streams(viewer)}
    mine = viewer.compounds(STATION_ROLES)
    listed = f"SELECT id, name FROM {{kind}} WHERE deleted = 0 AND {MINE} ORDER BY name, id"
    with converted():
        compounds = [Choice(*row) for row in db.conn.execute(listed.format(kind="compound"), given)]
        grids = tuple(Choice(*row) for row in db.conn.execute(listed.format(kind="grid"), given))
    chosen = tuple(compound for compound in compounds if compound.id in mine)
    return BuildingChoices(chosen, grids, may_make_areas(viewer))


def _waiting(db: Database, given: Mapping[str, str]) -> dict[tuple[str, int], str]:
    """(record, clock) → who, of what has not been sent yet."""
    statement = """
        SELECT o.id, o.hlc, coalesce(a.name, '') FROM outbox o LEFT JOIN account a ON a.id = o.author
        WHERE o.kind = 'household' AND o.id = :household OR o.kind = 'resident' AND o.id IN
            (SELECT id FROM resident WHERE household_id = :household)"""
    return {(record_id, hlc): name for record_id, hlc, name in db.conn.execute(statement, given)}


def _changes_of(
    kind: str,
    record_id: str,
    clock: Clock,
    clocks: Mapping[str, Clock],
    subject: str,
    waiting: Mapping[tuple[str, int], str],
) -> list[Change]:
    """One change a moment: the registers of a row that were written at the same clock."""
    moments: dict[Clock, list[str]] = {clock: []}
    for register, written in clocks.items():
        moments.setdefault(written, []).append(register)
    made = []
    for written, registers in moments.items():
        fields = [name for register in registers for name in KINDS[kind].registers.get(register, ())]
        who = waiting.get((record_id, written[0]), "")
        waits = (record_id, written[0]) in waiting
        made.append(Change(ms_of(written[0]), who, subject, written == clock, tuple(fields), waits))
    return made
