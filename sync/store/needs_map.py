"""The needs map read from the file: compounds, buildings and households with their colours, counts and reasons.

Nothing is stored but the last contact of each household; colours are worked out anew at every reading.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sync.domain.calendar import day_of
from sync.domain.categories import sensitive_codes
from sync.domain.colour_rules import Colour
from sync.domain.colours import (
    FINISHED,
    OFF_THE_MAP,
    AreaCounts,
    Coloured,
    DemandFacts,
    building_colour,
    compound_colour,
    count_colours,
    demand_colour,
    household_colour,
    is_open_danger,
    long_overdue,
    unit_colour,
)
from sync.domain.roles import Viewer
from sync.domain.rules import Rules
from sync.store.database import Database, converted
from sync.store.viewers import MINE, viewer_streams

_OFF = ", ".join(f"'{state}'" for state in sorted(FINISHED))
_FACTS = "state, urgency, life_safety, resolve_due_at, review_on, reopen_count, affected_count, evaluation"


@dataclass(frozen=True, slots=True)
class MapDemand:
    """An open demand as the map knows it. ``is_sensitive``: its words are not for the map, not even its category."""

    demand_id: str
    scope: str
    scope_id: str
    category: str
    title: str
    is_sensitive: bool
    coloured: Coloured
    facts: DemandFacts
    respond_due_at: int | None


@dataclass(frozen=True, slots=True)
class MapPlace:
    """A compound the viewer may look at; ``buildings`` are those of its buildings that the viewer may read."""

    compound_id: str
    name: str
    buildings: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class BuildingTile:
    """A building on the plan: its colour with reasons, and how many households have which."""

    building_id: str
    name: str
    coloured: Coloured
    counts: AreaCounts


@dataclass(frozen=True, slots=True)
class CompoundSnapshot:
    """A compound from above. ``coloured`` is none when the viewer may read some of its buildings only."""

    compound_id: str
    name: str
    coloured: Coloured
    counts: AreaCounts
    tiles: tuple[BuildingTile, ...]
    public: tuple[MapDemand, ...]
    taken_at: int
    rules_version: str


@dataclass(frozen=True, slots=True)
class MapCell:
    """A household on the façade; ``demands`` is the number of its open ones."""

    household_id: str
    unit_id: str
    floor: int
    slot: int
    room_no: str
    coloured: Coloured
    demands: int


@dataclass(frozen=True, slots=True)
class MapUnit:
    """A staircase with its own colour; ``unit_id`` is '' in a building without units."""

    unit_id: str
    label: str
    coloured: Coloured
    counts: AreaCounts


@dataclass(frozen=True, slots=True)
class BuildingSnapshot:
    """A building from the front, units in order; ``public`` are the demands of the building and its units."""

    building_id: str
    name: str
    compound_id: str
    coloured: Coloured
    counts: AreaCounts
    units: tuple[MapUnit, ...]
    cells: tuple[MapCell, ...]
    public: tuple[MapDemand, ...]
    taken_at: int
    rules_version: str


@dataclass(frozen=True, slots=True)
class HouseholdColour:
    """Why a household has its colour: the codes, what they were worked out from, and its open demands, worst first."""

    household_id: str
    building_id: str
    building_name: str
    unit_label: str
    room_no: str
    occupancy: str
    last_contact_on: str | None
    coloured: Coloured
    demands: tuple[MapDemand, ...]


@dataclass(slots=True)
class _Area:
    """What a building or unit gathers while its households and demands go by."""

    colours: list[Colour] = field(default_factory=list)
    public: list[Coloured] = field(default_factory=list)
    has_danger: bool = False
    is_long_overdue: bool = False

    def take(self, facts: DemandFacts, *, now: int, rules: Rules) -> None:
        self.has_danger = self.has_danger or is_open_danger(facts)
        if not self.is_long_overdue:
            self.is_long_overdue = long_overdue(facts, now=now, calendar=rules.calendar, rules=rules.colours)

    def flags(self) -> dict[str, bool]:
        return {"life_safety": self.has_danger, "red_overdue_3wd": self.is_long_overdue}


@dataclass(slots=True)
class _Open:
    """Open demands by what they concern: colours by household, unit, building and compound, and the demands proper."""

    by_place: dict[tuple[str, str], list[Coloured]] = field(default_factory=lambda: defaultdict(list))
    public: list[MapDemand] = field(default_factory=list)
    facts: list[tuple[str | None, str, str, DemandFacts]] = field(default_factory=list)


def compounds(db: Database, viewer: Viewer) -> tuple[MapPlace, ...]:
    """The compounds with at least one building whose households the viewer may read, by name."""
    with converted():
        names = dict(
            db.conn.execute(
                f"SELECT id, name FROM compound WHERE deleted = 0 AND {MINE}", {"streams": viewer_streams(viewer)}
            ).fetchall()
        )
    found = []
    for compound_id, buildings in viewer.places.compounds.items():
        readable = _readable(viewer, buildings)
        if readable and compound_id in names:
            found.append(MapPlace(compound_id, names[compound_id], len(readable), readable == buildings))
    return tuple(sorted(found, key=lambda place: (place.name, place.compound_id)))


def compound_snapshot(
    db: Database, viewer: Viewer, compound_id: str, *, rules: Rules, now: int, category: str = ""
) -> CompoundSnapshot:
    """Every building of a compound that the viewer may read, coloured at ``now`` (ms).

    With a ``category`` only demands of that category colour. Cost: two statements over households and open demands,
    then about 3 µs a household.
    """
    streams = viewer_streams(viewer)
    readable = _readable(viewer, viewer.places.compounds.get(compound_id, frozenset()))
    given = {"streams": streams, "compound": compound_id}
    with converted():
        name = _name(db, "compound", compound_id, streams)
        buildings = db.conn.execute(
            f"SELECT id, name FROM building WHERE compound_id = :compound AND deleted = 0 AND {MINE}"
            " ORDER BY position, name, id",
            given,
        ).fetchall()
        homes = db.conn.execute(
            "SELECT h.building_id, h.id, h.occupancy, c.last_contact_on FROM household h"
            " JOIN building b ON b.id = h.building_id LEFT JOIN household_contact c ON c.household_id = h.id"
            f" WHERE b.compound_id = :compound AND h.deleted = 0 AND h.{MINE}",
            given,
        ).fetchall()
        found = _open_demands(db, "compound_id = :place", compound_id, streams, rules=rules, now=now, category=category)
    today = day_of(now)
    areas: dict[str, _Area] = {building_id: _Area() for building_id, _ in buildings if building_id in readable}
    for building_id, household_id, occupancy, last_contact_on in homes:
        area = areas.get(building_id)
        if area is not None:
            area.colours.append(
                household_colour(
                    found.by_place.get(("household", household_id), ()),
                    occupancy=occupancy,
                    last_contact_on=last_contact_on,
                    today=today,
                    rules=rules.colours,
                ).colour
            )
    _gather(areas, found, now=now, rules=rules)
    tiles = tuple(
        BuildingTile(
            building_id,
            name_of,
            building_colour(
                counts := count_colours(areas[building_id].colours),
                public_areas=areas[building_id].public,
                rules=rules.colours,
                **areas[building_id].flags(),
            ),
            counts,
        )
        for building_id, name_of in buildings
        if building_id in areas
    )
    is_whole = readable == viewer.places.compounds.get(compound_id, frozenset())
    colour = compound_colour(
        count_colours(tile.coloured.colour for tile in tiles),
        public_areas=found.by_place.get(("compound", compound_id), ()),
        rules=rules.colours,
    )
    return CompoundSnapshot(
        compound_id,
        name,
        colour if is_whole else OFF_THE_MAP,
        sum((tile.counts for tile in tiles), AreaCounts()),
        tiles,
        _worst_first(demand for demand in found.public if demand.scope == "compound"),
        now,
        rules.colours.version,
    )


def building_snapshot(
    db: Database, viewer: Viewer, building_id: str, *, rules: Rules, now: int, category: str = ""
) -> BuildingSnapshot:
    """Every household of a building with its colour and reasons; an unreadable building has none."""
    streams = viewer_streams(viewer)
    given = {"streams": streams, "building": building_id}
    with converted():
        units = db.conn.execute(
            f"SELECT id, label FROM unit WHERE building_id = :building AND deleted = 0 AND {MINE}"
            " ORDER BY position, label, id",
            given,
        ).fetchall()
        homes = db.conn.execute(
            "SELECT h.id, h.unit_id, h.floor, h.slot, h.room_no, h.occupancy, c.last_contact_on FROM household h"
            " LEFT JOIN household_contact c ON c.household_id = h.id"
            f" WHERE h.building_id = :building AND h.deleted = 0 AND h.{MINE}"
            " ORDER BY h.floor DESC, h.slot, h.room_no",
            given,
        ).fetchall()
        found = _open_demands(db, "building_id = :place", building_id, streams, rules=rules, now=now, category=category)
        name = _name(db, "building", building_id, streams)
    today = day_of(now)
    known = {unit_id for unit_id, _ in units}
    cells = []
    for household_id, unit_id, floor, slot, room_no, occupancy, last_contact_on in homes:
        demands = found.by_place.get(("household", household_id), ())
        coloured = household_colour(
            demands, occupancy=occupancy, last_contact_on=last_contact_on, today=today, rules=rules.colours
        )
        cells.append(
            MapCell(household_id, unit_id if unit_id in known else "", floor, slot, room_no, coloured, len(demands))
        )
    if any(not cell.unit_id for cell in cells):
        units = [*units, ("", "")]
    whole: dict[str, _Area] = {building_id: _Area(colours=[cell.coloured.colour for cell in cells])}
    _gather(whole, found, now=now, rules=rules)
    area = whole[building_id]
    return BuildingSnapshot(
        building_id,
        name,
        viewer.places.compound_of(building_id),
        building_colour(
            counts := count_colours(area.colours), public_areas=area.public, rules=rules.colours, **area.flags()
        ),
        counts,
        _units(units, cells, found, now=now, rules=rules),
        tuple(cells),
        _worst_first(found.public),
        now,
        rules.colours.version,
    )


def why(db: Database, viewer: Viewer, household_id: str, *, rules: Rules, now: int) -> HouseholdColour | None:
    """The reasons for one household's colour; None when the viewer may not read it."""
    streams = viewer_streams(viewer)
    with converted():
        row = db.conn.execute(
            "SELECT h.building_id, b.name, coalesce(u.label, ''), h.room_no, h.occupancy, c.last_contact_on"
            " FROM household h JOIN building b ON b.id = h.building_id LEFT JOIN unit u ON u.id = h.unit_id"
            " LEFT JOIN household_contact c ON c.household_id = h.id"
            f" WHERE h.id = :household AND h.deleted = 0 AND h.{MINE}",
            {"streams": streams, "household": household_id},
        ).fetchone()
        if row is None:
            return None
        found = _open_demands(
            db,
            "scope = 'household' AND household_id = :place",
            household_id,
            streams,
            rules=rules,
            now=now,
            with_households=True,
        )
    building_id, building_name, unit_label, room_no, occupancy, last_contact_on = row
    coloured = household_colour(
        [demand.coloured for demand in found.public],
        occupancy=occupancy,
        last_contact_on=last_contact_on,
        today=day_of(now),
        rules=rules.colours,
    )
    return HouseholdColour(
        household_id,
        building_id,
        building_name,
        unit_label,
        room_no,
        occupancy,
        last_contact_on,
        coloured,
        _worst_first(found.public),
    )


def _open_demands(
    db: Database,
    place: str,
    place_id: str,
    streams: str,
    *,
    rules: Rules,
    now: int,
    category: str = "",
    with_households: bool = False,
) -> _Open:
    """Demands not finished, coloured; those of households as colours only, unless ``with_households``."""
    wanted = " AND category = :category" if category else ""
    statement = (
        f"SELECT id, building_id, scope, scope_id, category, title, respond_due_at, {_FACTS} FROM demand"
        f" WHERE {place} AND deleted = 0 AND state NOT IN ({_OFF}) AND {MINE}{wanted} ORDER BY reported_at, id"
    )
    given = {"place": place_id, "streams": streams, "category": category}
    sensitive = sensitive_codes(rules.demand_categories)
    found = _Open()
    for row in db.conn.execute(statement, given):
        facts = DemandFacts(
            state=row[7],
            urgency=row[8],
            life_safety=bool(row[9]),
            resolve_due_at=row[10],
            review_on=row[11],
            reopen_count=row[12],
            affected_count=row[13],
            evaluation=row[14],
        )
        coloured = demand_colour(facts, now=now, rules=rules.colours)
        scope, scope_id = row[2], row[3]
        found.by_place[scope, scope_id].append(coloured)
        found.facts.append((row[1], scope, scope_id, facts))
        if with_households or scope != "household":
            hidden = row[4] in sensitive and row[1] is not None
            found.public.append(MapDemand(row[0], scope, scope_id, row[4], row[5], hidden, coloured, facts, row[6]))
    return found


def _gather(areas: Mapping[str, _Area], found: _Open, *, now: int, rules: Rules) -> None:
    """Let each building take its demands: dangers and long delays of all, colours of its common parts."""
    for building_id, _, _, facts in found.facts:
        area = areas.get(building_id or "")
        if area is not None:
            area.take(facts, now=now, rules=rules)
    home = {scope_id: building_id for building_id, scope, scope_id, _ in found.facts if scope in ("unit", "building")}
    for scope_id, building_id in home.items():
        area = areas.get(building_id or "")
        if area is not None:
            area.public += found.by_place.get(("unit", scope_id), [])
            area.public += found.by_place.get(("building", scope_id), [])


def _units(
    units: Sequence[tuple[str, str]], cells: Sequence[MapCell], found: _Open, *, now: int, rules: Rules
) -> tuple[MapUnit, ...]:
    areas: dict[str, _Area] = {
        unit_id: _Area(public=list(found.by_place.get(("unit", unit_id), ()))) for unit_id, _ in units
    }
    home = {}
    for cell in cells:
        areas[cell.unit_id].colours.append(cell.coloured.colour)
        home[cell.household_id] = cell.unit_id
    for _, scope, scope_id, facts in found.facts:
        area = areas.get(home.get(scope_id, "-") if scope == "household" else scope_id)
        if area is not None:
            area.take(facts, now=now, rules=rules)
    made = []
    for unit_id, label in units:
        area = areas[unit_id]
        counts = count_colours(area.colours)
        coloured = unit_colour(counts, public_areas=area.public, rules=rules.colours, **area.flags())
        made.append(MapUnit(unit_id, label, coloured, counts))
    return tuple(made)


_ORDER = {Colour.RED: 0, Colour.YELLOW: 1, Colour.GREEN: 2}


def _worst_first(demands: Iterable[MapDemand]) -> tuple[MapDemand, ...]:
    return tuple(sorted(demands, key=lambda demand: _ORDER.get(demand.coloured.colour, 3)))


def _readable(viewer: Viewer, buildings: frozenset[str]) -> frozenset[str]:
    return frozenset(building for building in buildings if f"building:{building}" in viewer.streams)


def _name(db: Database, kind: str, record_id: str, streams: str) -> str:
    given = {"id": record_id, "streams": streams}
    found = db.conn.execute(f"SELECT name FROM {kind} WHERE id = :id AND {MINE}", given).fetchone()
    return "" if found is None else str(found[0])
