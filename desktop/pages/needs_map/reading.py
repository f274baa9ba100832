"""What the page asks of the store in one go, on the read lane."""

from dataclasses import dataclass

from sync.domain.roles import Viewer
from sync.domain.rules import Rules
from sync.store import demands, needs_map
from sync.store.demand_rows import DemandRow, place_name
from sync.store.demands import DemandCard
from sync.store.needs_map import BuildingSnapshot, CompoundSnapshot, HouseholdColour, MapPlace
from sync.store.store import Reader

_OPEN_SHOWN = 4
_DONE_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where the map stands; empty ids leave the choice to the reading."""

    compound_id: str = ""
    building_id: str = ""
    household_id: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class MapReading:
    """The compounds to choose from, and the plan and façade that were asked for."""

    places: tuple[MapPlace, ...]
    compound: CompoundSnapshot | None
    building: BuildingSnapshot | None
    household_id: str


@dataclass(frozen=True, slots=True)
class PanelReading:
    """One household: why it has its colour, its open demands with their steps, the last finished ones."""

    why: HouseholdColour
    place: str
    cards: tuple[DemandCard, ...]
    done: tuple[DemandRow, ...]


def read_map(reader: Reader, viewer: Viewer, wanted: Wanted, *, rules: Rules, now: int) -> MapReading:
    """The plan and the façade; without a wish the first compound and its first building."""
    places = needs_map.compounds(reader.db, viewer)
    building_id, compound_id = wanted.building_id, wanted.compound_id
    if wanted.household_id and not building_id:
        found = needs_map.why(reader.db, viewer, wanted.household_id, rules=rules, now=now)
        building_id = found.building_id if found else ""
    if building_id:
        compound_id = viewer.places.compound_of(building_id)
    readable = {place.compound_id for place in places}
    if compound_id not in readable:
        building_id, compound_id = "", places[0].compound_id if places else ""
    if not compound_id:
        return MapReading(places, None, None, "")
    compound = needs_map.compound_snapshot(
        reader.db, viewer, compound_id, rules=rules, now=now, category=wanted.category
    )
    known = [tile.building_id for tile in compound.tiles]
    if building_id not in known:
        building_id = known[0] if known else ""
    building = (
        read_building(reader, viewer, building_id, wanted.category, rules=rules, now=now) if building_id else None
    )
    return MapReading(places, compound, building, wanted.household_id)


def read_building(
    reader: Reader, viewer: Viewer, building_id: str, category: str, *, rules: Rules, now: int
) -> BuildingSnapshot:
    """One façade."""
    return needs_map.building_snapshot(reader.db, viewer, building_id, rules=rules, now=now, category=category)


def read_panel(reader: Reader, viewer: Viewer, household_id: str, *, rules: Rules, now: int) -> PanelReading | None:
    """One household; None when it is gone or not the viewer's to read."""
    why = needs_map.why(reader.db, viewer, household_id, rules=rules, now=now)
    if why is None:
        return None
    place = place_name("household", "", why.building_name, why.unit_label, why.room_no)
    shown = [demand.demand_id for demand in why.demands[:_OPEN_SHOWN]]
    cards = [demands.card(reader.db, viewer, demand_id, rules=rules, now=now) for demand_id in shown]
    rows = demands.of_household(reader.db, viewer, household_id, rules=rules, now=now)
    done = tuple(row for row in rows if row.coloured.colour.value == "none")[:_DONE_SHOWN]
    return PanelReading(why, place, tuple(card for card in cards if card is not None), done)
