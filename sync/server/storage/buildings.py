"""The buildings of a community from a list, written as its secretary would describe them one by one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from sync.domain.act import Act
from sync.domain.address import building_key
from sync.domain.building_list import BuildingList, ListedBuilding
from sync.domain.building_plan import BuildingFacts, new_building
from sync.domain.calendar import WorkCalendar, day_of
from sync.domain.catalogue import KINDS
from sync.domain.ids import new_id
from sync.domain.lines import one_line
from sync.domain.operations import Operation
from sync.domain.roles import Places, Viewer
from sync.server.storage.batch import Batch
from sync.server.storage.beginning import Identity
from sync.server.storage.rights import load_rows, rights_of


@dataclass(frozen=True, slots=True)
class Added:
    """How many buildings and doors were made, and how many buildings had been there already."""

    buildings: int
    doors: int
    known: int


@dataclass(slots=True)
class _Plan:
    """What is there, with what has been planned so far."""

    viewer: Viewer
    compounds: dict[str, str]  # name → id
    taken: dict[str, dict[str, int]]  # compound → key of a building's name → its position
    areas: frozenset[str]


def add(connection: Connection, who: Identity, listed: BuildingList, *, calendar: WorkCalendar, now: int) -> Added:
    """Make every building of the list that is not there under its name, with compounds, entrances and households.

    Run again it makes nothing twice. The list has no ``problems``. AccessError when the first secretary has left.
    """
    plan = _what_is_there(connection, who, now=now)
    operations: list[Operation] = []
    known = 0
    for building in listed.buildings:
        made = _planned(plan, building, calendar=calendar, now=now)
        known += not made
        operations += made
    batch = Batch(connection, who.community, replica=who.replica, now=now)
    batch.load({operation.id for operation in operations}, lock=False)
    for operation in operations:
        batch.write(KINDS[operation.kind], operation.id, operation.fields)
    batch.finish()
    kinds = [operation.kind for operation in operations]
    return Added(kinds.count("building"), kinds.count("household"), known)


def _what_is_there(connection: Connection, who: Identity, *, now: int) -> _Plan:
    rows = [row for row in load_rows(connection, who.community).values() if not row.deleted]
    viewer = rights_of(who.community, rows).viewer(who.secretary, today=day_of(now))
    plan = _Plan(viewer, {}, {}, frozenset(row.values["name"] for row in rows if row.kind in ("compound", "grid")))
    for row in rows:
        if row.kind == "compound":
            plan.compounds[row.values["name"]] = row.id
        elif row.kind == "building":
            names = plan.taken.setdefault(row.values["compound_id"], {})
            names[building_key(row.values["name"])] = row.values.get("position") or 0
    return plan


def _planned(plan: _Plan, building: ListedBuilding, *, calendar: WorkCalendar, now: int) -> Sequence[Operation]:
    """What makes this building; nothing when it is there."""
    intent, compound = building.intent, one_line(building.compound)
    if compound in plan.compounds:
        intent = replace(intent, compound_id=plan.compounds[compound], new_compound="")
    names = plan.taken.get(intent.compound_id, {})
    if building_key(building.name) in names:
        return ()
    facts = BuildingFacts(frozenset(names), max(names.values(), default=0) + 1, plan.areas)
    made = new_building(Act(plan.viewer, now, new_id, calendar), intent, facts)
    first = next(operation for operation in made if operation.kind == "building")
    compound_id = first.fields["compound_id"]
    plan.compounds[compound] = compound_id
    plan.taken.setdefault(compound_id, {})[building_key(building.name)] = facts.position
    plan.areas |= {compound}
    places = plan.viewer.places
    compounds = {**places.compounds, compound_id: places.compounds.get(compound_id, frozenset()) | {first.id}}
    plan.viewer = replace(plan.viewer, places=Places(places.community_id, compounds, places.grids))
    return made
