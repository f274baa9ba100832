"""Households written: the form with its people, a notice given, a hint to the station, pairings, a new building."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sync.domain.act import Act
from sync.domain.address import building_key
from sync.domain.building_plan import BuildingFacts, BuildingIntent, new_building
from sync.domain.care import CareRules
from sync.domain.catalogue import KINDS
from sync.domain.fields import Privacy
from sync.domain.households import CardIntent, HouseholdFacts, edit_card, give_notice, move_out, suggest_care
from sync.domain.ids import derived_id
from sync.domain.kinds.people import CarePairing, Household, Resident
from sync.domain.pairing import CareFacts, PairingIntent, end_pairing, pair_care
from sync.domain.roles import Places
from sync.errors import AccessError, RuleError
from sync.store import access, schema
from sync.store.database import Database, converted
from sync.store.households import clusters
from sync.store.store import Store
from sync.store.viewers import MINE, viewer_streams
from sync.store.writer import Touched

MASKED = {"household": ("contact_phone", "emergency_phone"), "resident": ("phone",)}


def save_card(store: Store, author: str, household_id: str, intent: CardIntent) -> Touched:
    """Save the form of a household with its people, all or nothing. Errors as ``edit_card``."""
    act = store.act(author)
    operations = edit_card(act, intent, _facts(store, act, household_id))
    return store.save(act, operations) if operations else frozenset()


def record_move_out(store: Store, author: str, resident_id: str) -> Touched:
    """Somebody lives there no longer; the record stays. Errors as ``move_out``."""
    act = store.act(author)
    row = schema.load_one(store.db, "resident", resident_id)
    if row is None or row.deleted:
        raise RuleError("id", "unknown_record")
    operations = move_out(act, resident_id, _facts(store, act, row.values["household_id"]))
    return store.save(act, operations) if operations else frozenset()


def record_hint(store: Store, author: str, household_id: str, note: str) -> Touched:
    """Tell the station that somebody should look in. Errors as ``suggest_care``."""
    act = store.act(author)
    return store.save(act, suggest_care(act, note, _facts(store, act, household_id).household))


def record_notice(
    store: Store, author: str, household_id: str, *, way: str = "in_person", given_on: str = ""
) -> Touched:
    """The household was told what is kept and why. Errors as ``give_notice``."""
    act = store.act(author)
    return store.save(act, give_notice(act, _facts(store, act, household_id), way=way, given_on=given_on))


def reveal(store: Store, author: str, kind: str, record_id: str, field: str) -> str:
    """A masked number in full; that it was looked at is written down. AccessError('out_of_scope')."""
    act = store.act(author)
    row = schema.load_one(store.db, kind, record_id) if field in MASKED.get(kind, ()) else None
    if row is None or row.deleted or row.stream not in act.viewer.streams:
        raise RuleError("id", "unknown_record")
    if not act.viewer.may_see(Privacy.K2, row.values["building_id"]):
        raise AccessError("out_of_scope")
    access.note(store, author, kind, record_id, field)
    return str(row.values[field])


def record_pairing(store: Store, author: str, intent: PairingIntent, *, rules: CareRules) -> Touched:
    """Pair a household with somebody who looks in. Errors as ``pair_care``."""
    act = store.act(author)
    return store.save(act, pair_care(act, intent, _care(store, act, intent.household_id, rules=rules)))


def record_pairing_end(store: Store, author: str, household_id: str, pairing_id: str, *, rules: CareRules) -> Touched:
    """End a pairing today. Errors as ``end_pairing``."""
    act = store.act(author)
    return store.save(act, end_pairing(act, pairing_id, _care(store, act, household_id, rules=rules)))


def record_building(store: Store, author: str, intent: BuildingIntent) -> Touched:
    """A building with its entrances and households, all or nothing. Errors as ``new_building``."""
    act = store.act(author)
    with converted():
        rows = store.db.conn.execute(
            "SELECT name, position FROM building WHERE compound_id = ? AND deleted = 0", (intent.compound_id,)
        ).fetchall()
        named = "SELECT name FROM compound WHERE deleted = 0 UNION SELECT name FROM grid WHERE deleted = 0"
        areas = frozenset(row[0] for row in store.db.conn.execute(named))
    taken = frozenset(building_key(name) for name, _ in rows)
    position = max((position for _, position in rows), default=0) + 1
    operations = new_building(act, intent, BuildingFacts(taken, position, areas))
    made = next(operation for operation in operations if operation.kind == "building")
    return store.save(_with_building(act, made.id, made.fields), operations)


# ---------------------------------------------------------------------------------------------------- inside


def _with_building(act: Act, building_id: str, values: Mapping[str, Any]) -> Act:
    """The act with the rights that the author has as soon as the building is there: in the same save."""
    places = act.viewer.places
    compound_id, grid_id = values["compound_id"], values["grid_id"]
    compounds = {**places.compounds, compound_id: places.compounds.get(compound_id, frozenset()) | {building_id}}
    grids = dict(places.grids)
    if grid_id:
        grids[grid_id] = grids.get(grid_id, frozenset()) | {building_id}
    return replace(act, viewer=replace(act.viewer, places=Places(places.community_id, compounds, grids)))


def _facts(store: Store, act: Act, household_id: str) -> HouseholdFacts:
    row = schema.load_one(store.db, "household", household_id)
    if row is None or row.deleted or row.stream not in act.viewer.streams:
        raise RuleError("id", "unknown_household")
    household = KINDS["household"].record(row.id, row.values)
    assert isinstance(household, Household)
    given = {"streams": viewer_streams(act.viewer), "household": household_id, "today": act.today}
    with converted():
        tagged = store.db.conn.execute(
            f"SELECT DISTINCT resident_id FROM care_tag WHERE household_id = :household AND resident_id IS NOT NULL"
            f" AND deleted = 0 AND (until IS NULL OR until >= :today) AND {MINE}",
            given,
        ).fetchall()
        notice = store.db.conn.execute(
            "SELECT id FROM privacy_notice WHERE household_id = :household AND deleted = 0 LIMIT 1", given
        ).fetchone()
        people = _records(store.db, "resident", household_id)
    return HouseholdFacts(
        household=household,
        residents=tuple(person for person in people if isinstance(person, Resident)),
        in_care=frozenset(row[0] for row in tagged),
        cluster_ids=frozenset(choice.id for choice in clusters(store.db, act.viewer, household.building_id)),
        notice_id=notice[0] if notice else None,
    )


def _care(store: Store, act: Act, household_id: str, *, rules: CareRules) -> CareFacts:
    building_id = _facts(store, act, household_id).household.building_id
    with converted():
        contact = store.db.conn.execute(
            "SELECT last_contact_on FROM household_contact WHERE household_id = ?", (household_id,)
        ).fetchone()
        accounts = store.db.conn.execute("SELECT id FROM account WHERE deleted = 0 AND state = 'active'").fetchall()
        found = _records(store.db, "care_pairing", household_id)
    return CareFacts(
        household_id=household_id,
        building_id=building_id,
        pairings=tuple(pairing for pairing in found if isinstance(pairing, CarePairing)),
        last_contact_on=contact[0] if contact else None,
        has_due=schema.load_one(store.db, "care_due", derived_id("care_due", household_id)) is not None,
        account_ids=frozenset(row[0] for row in accounts),
        rules=rules,
    )


def _records(db: Database, kind: str, household_id: str) -> Iterable[object]:
    table = schema.TABLES[kind]
    rows = db.conn.execute(f"{table.select} WHERE household_id = ? AND deleted = 0 ORDER BY id", (household_id,))
    return [KINDS[kind].record(row.id, row.values) for row in map(table.row, rows.fetchall())]
