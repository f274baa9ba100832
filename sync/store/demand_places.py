"""Where a demand can be: the places a viewer may write in, and what is open there already."""

from dataclasses import dataclass
from typing import Any

from sync.domain.colours import FINISHED
from sync.domain.demands import DemandPlace
from sync.domain.roles import OFFICE_ROLES, Viewer
from sync.domain.rules import Rules
from sync.errors import RuleError
from sync.store import households, needs_map, schema
from sync.store.database import Database, converted
from sync.store.demand_rows import ORDER, DemandRow, load_rows, place_name, quoted
from sync.store.households import BuildingRow
from sync.store.needs_map import MapPlace


@dataclass(frozen=True, slots=True)
class PlaceChoices:
    """The compounds and the buildings with their units, in which the viewer may raise a demand."""

    compounds: tuple[MapPlace, ...]
    buildings: tuple[BuildingRow, ...]


def choices(db: Database, viewer: Viewer) -> PlaceChoices:
    """What can be chosen from besides households, which are found by search."""
    compounds, buildings = viewer.compounds(OFFICE_ROLES), viewer.buildings(OFFICE_ROLES)
    return PlaceChoices(
        tuple(place for place in needs_map.compounds(db, viewer) if place.compound_id in compounds),
        tuple(row for row in households.buildings(db, viewer) if row.building_id in buildings),
    )


def open_at(
    db: Database, viewer: Viewer, scope_id: str, *, rules: Rules, now: int, limit: int = 10
) -> tuple[DemandRow, ...]:
    """What is not finished at this very place (a household, unit, building or compound), in order of work."""
    condition = f"AND d.scope_id = :place AND d.state NOT IN ({quoted(FINISHED)}) {ORDER} LIMIT :limit"
    return load_rows(db, viewer, condition, {"place": scope_id, "limit": limit}, rules=rules, now=now)


def place_at(db: Database, scope: str, scope_id: str, *, rules: Rules) -> DemandPlace:
    """The place with all it lies in. RuleError('scope', 'unknown_choice' | 'place_needed') when it is not here."""
    if scope not in ("household", "unit", "building", "compound"):
        raise RuleError("scope", "unknown_choice")
    found = _values(db, scope, scope_id)
    if scope == "compound":
        return DemandPlace(compound_id=scope_id, categories=rules.demand_categories)
    building_id = scope_id if scope == "building" else found["building_id"]
    building = found if scope == "building" else _values(db, "building", building_id)
    return DemandPlace(
        compound_id=building["compound_id"],
        building_id=building_id,
        unit_id={"unit": scope_id, "household": found.get("unit_id")}.get(scope),
        household_id=scope_id if scope == "household" else None,
        categories=rules.demand_categories,
    )


def written(db: Database, place: DemandPlace, scope: str) -> str:
    """How a place is written in a step: '3-2-501', '3号楼2单元', '3号楼', or the compound's name."""

    def name(kind: str, record_id: str | None, field: str) -> str:
        with converted():
            row = schema.load_one(db, kind, record_id) if record_id else None
        return str(row.values[field]) if row else ""

    unit_id = place.unit_id
    if scope == "household" and place.household_id:
        unit_id = name("household", place.household_id, "unit_id")
    return place_name(
        scope,
        name("compound", place.compound_id, "name"),
        "" if scope == "compound" else name("building", place.building_id, "name"),
        name("unit", unit_id, "label") if scope in ("unit", "household") else "",
        name("household", place.household_id, "room_no"),
    )


def _values(db: Database, kind: str, record_id: str) -> dict[str, Any]:
    with converted():
        row = schema.load_one(db, kind, record_id) if record_id else None
    if row is None or row.deleted:
        raise RuleError("scope", "place_needed")
    return dict(row.values)
