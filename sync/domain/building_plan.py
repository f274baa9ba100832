"""A new building from floors, entrances and rooms, with everything that is irregular about it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sync.domain.act import Act
from sync.domain.address import building_key, parse_range, unit_key
from sync.domain.catalogue import KINDS, check_value
from sync.domain.kinds.people import OCCUPANCIES
from sync.domain.lines import one_line
from sync.domain.operations import Operation, new
from sync.domain.roles import STATION_ROLES, Viewer
from sync.errors import AccessError, RuleError

MOST_FLOORS = 120
MOST_BELOW = 10
MOST_UNITS = 30
MOST_ROOMS = 60  # on one floor of one entrance
MOST_DOORS = 2000  # of one building; larger ones are entered as two
MOST_SPAN = 9
_BASEMENT = re.compile(r"[Bb]\d{3,4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorRule:
    """What differs on the floors ``first`` to ``last``, in one entrance or (``unit`` '') in all.

    ``rooms`` None keeps the number of rooms, 0 leaves the floors out; ``occupancy`` e.g. 'non_residential' for shops.
    """

    first: int
    last: int
    unit: str = ""
    rooms: int | None = None
    occupancy: str = ""


@dataclass(frozen=True, slots=True)
class Duplex:
    """A home over several floors, named by its lowest room as '2-601' or '601'; the rooms above it are no doors."""

    room: str
    span: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildingIntent:
    """A building as somebody describes it. ``units`` are the labels of its entrances; ('',) when it has none.

    ``missing`` are rooms that are not there, as '2-401', '401' (in every entrance) or '401至404'. ``new_compound`` and
    ``new_grid`` name a compound or grid that is made with the building, in place of an id.
    """

    compound_id: str
    name: str
    floors_above: int
    rooms: int
    units: tuple[str, ...] = ("",)
    floors_below: int = 0
    rooms_below: int = 0
    floors: tuple[FloorRule, ...] = ()
    missing: tuple[str, ...] = ()
    duplexes: tuple[Duplex, ...] = ()
    grid_id: str = ""
    aliases: tuple[str, ...] = ()
    building_type: str = ""
    lift: bool | None = None
    property_company: str = ""
    new_compound: str = ""
    new_grid: str = ""


@dataclass(frozen=True, slots=True)
class PlannedDoor:
    """A door to be; ``slot`` counts from 0 along the floor, ``unit`` is the place of its entrance from 0."""

    unit: int
    floor: int
    slot: int
    room_no: str
    span: int = 1
    occupancy: str = "unknown"


@dataclass(frozen=True, slots=True)
class BuildingFacts:
    """The names already in use in the compound (as ``building_key`` writes them) and the place on the plan.

    ``areas`` are the names of all compounds and grids there are.
    """

    taken: frozenset[str]
    position: int
    areas: frozenset[str] = frozenset()


def unit_labels(count: int) -> tuple[str, ...]:
    """The labels of so many entrances; a building with none has one without a label."""
    return tuple(f"{number}单元" for number in range(1, count + 1)) or ("",)


def layout(intent: BuildingIntent) -> tuple[PlannedDoor, ...]:
    """Every door of the building, entrance by entrance from the lowest floor up; what the preview shows.

    RuleError: (floors_above | floors_below | rooms | rooms_below | units | span, 'out_of_range'), ('floors',
    'no_such_floor' | 'no_such_unit'), ('missing' | 'duplexes', 'no_such_room' | 'unreadable_address' | 'bad_range'),
    ('rooms', 'no_doors' | 'building_too_large').
    """
    _check_numbers(intent)
    doors = {(door.unit, door.room_no): door for door in _regular(intent)}
    for text in intent.missing:
        for key in _named(intent, text, field="missing", doors=doors):
            del doors[key]
    for duplex in intent.duplexes:
        _between("duplexes", duplex.span, least=2, most=MOST_SPAN)
        for key in _named(intent, duplex.room, field="duplexes", doors=doors):
            _stretch(doors, key, duplex.span)
    if not doors:
        raise RuleError("rooms", "no_doors")
    if len(doors) > MOST_DOORS:
        raise RuleError("rooms", "building_too_large", count=len(doors), limit=MOST_DOORS)
    return tuple(doors.values())


def new_building(act: Act, intent: BuildingIntent, facts: BuildingFacts) -> list[Operation]:
    """The building first, then its entrances, then its households; before it a compound or grid that is new.

    RuleError: ('name' | 'new_compound' | 'new_grid', 'required' | 'exists') and those of ``layout``;
    AccessError('out_of_scope'). Rule source: the building form.
    """
    areas = _areas(act, intent, facts)
    if not intent.new_compound and intent.compound_id not in act.viewer.compounds(STATION_ROLES):
        raise AccessError("out_of_scope")
    name = one_line(intent.name)
    if not name:
        raise RuleError("name", "required")
    if building_key(name) in facts.taken:
        raise RuleError("name", "exists")
    doors = layout(intent)
    building_id = act.id()
    values = {
        "compound_id": areas["compound"].id if "compound" in areas else intent.compound_id,
        "grid_id": areas["grid"].id if "grid" in areas else intent.grid_id or _own_grid(act),
        "name": name,
        "aliases": intent.aliases,
        "building_type": intent.building_type,
        "floors_above": intent.floors_above,
        "floors_below": intent.floors_below,
        "lift": intent.lift,
        "property_company": one_line(intent.property_company),
        "position": facts.position,
    }
    for field, value in values.items():
        check_value(KINDS["building"], field, value)
    made = [*areas.values(), new("building", building_id, **values)]
    units = []
    for position, label in enumerate(intent.units, 1):
        units.append(act.id())
        made.append(new("unit", units[-1], building_id=building_id, label=label.strip(), position=position))
    made += [
        new(
            "household",
            act.id(),
            building_id=building_id,
            unit_id=units[door.unit],
            floor=door.floor,
            room_no=door.room_no,
            slot=door.slot,
            span=door.span,
            occupancy=door.occupancy,
        )
        for door in doors
    ]
    return made


def _areas(act: Act, intent: BuildingIntent, facts: BuildingFacts) -> dict[str, Operation]:
    """The compound and the grid that are made with the building, by kind; only the community's secretary makes them."""
    made = {}
    for kind, field, text in (("compound", "new_compound", intent.new_compound), ("grid", "new_grid", intent.new_grid)):
        name = one_line(text)
        if not text:
            continue
        if not may_make_areas(act.viewer):
            raise AccessError("out_of_scope")
        if not name:
            raise RuleError(field, "required")
        if name in facts.areas:
            raise RuleError(field, "exists")
        if len(name) > KINDS[kind].fields["name"].limit:
            raise RuleError(field, "too_long", limit=KINDS[kind].fields["name"].limit, length=len(name))
        made[kind] = new(kind, act.id(), name=name)
    return made


def may_make_areas(viewer: Viewer) -> bool:
    """Whether somebody may make compounds and grids: the secretary of the community, nobody else."""
    return viewer.has_any({"community_secretary"})


def _check_numbers(intent: BuildingIntent) -> None:
    _between("floors_above", intent.floors_above, least=1, most=MOST_FLOORS)
    _between("floors_below", intent.floors_below, least=0, most=MOST_BELOW)
    _between("rooms", intent.rooms, least=1, most=MOST_ROOMS)
    _between("rooms_below", intent.rooms_below, least=0, most=MOST_ROOMS)
    _between("units", len(intent.units), least=1, most=MOST_UNITS)
    labels = [unit_key(label) for label in intent.units]
    if len(set(labels)) < len(labels):
        raise RuleError("units", "exists")
    for rule in intent.floors:
        if rule.first > rule.last or rule.first < -intent.floors_below or rule.last > intent.floors_above:
            raise RuleError("floors", "no_such_floor", first=-intent.floors_below or 1, last=intent.floors_above)
        if rule.unit and unit_key(rule.unit) not in labels:
            raise RuleError("floors", "no_such_unit", unit=rule.unit)
        _between("floors", rule.rooms or 0, least=0, most=MOST_ROOMS)
        if rule.occupancy and rule.occupancy not in OCCUPANCIES:
            raise RuleError("floors", "unknown_choice")


def _regular(intent: BuildingIntent) -> Iterator[PlannedDoor]:
    levels = [level for level in range(-intent.floors_below, intent.floors_above + 1) if level]
    for unit, label in enumerate(intent.units):
        for level in levels:
            rooms = intent.rooms if level > 0 else intent.rooms_below
            occupancy = "unknown"
            for rule in intent.floors:
                if rule.first <= level <= rule.last and unit_key(rule.unit) in ("", unit_key(label)):
                    rooms = rooms if rule.rooms is None else rule.rooms
                    occupancy = rule.occupancy or occupancy
            for slot in range(rooms):
                yield PlannedDoor(unit, level, slot, _room_no(level, slot), 1, occupancy)


def _room_no(level: int, slot: int) -> str:
    return f"{'B' if level < 0 else ''}{abs(level)}{slot + 1:02d}"


def _named(
    intent: BuildingIntent, text: str, *, field: str, doors: dict[tuple[int, str], PlannedDoor]
) -> list[tuple[int, str]]:
    """The doors that a text names: '2-401' of one entrance, '401' of all that have it."""
    try:
        if _BASEMENT.fullmatch(text):
            text += "室"  # "B101" alone would be building B
        refs = parse_range(text)
        if any(ref.unit is None and ref.building is not None for ref in refs) and len(intent.units) > 1:
            refs = parse_range(text, building="1")  # "2-401": without a building in front, 2 is the entrance
    except RuleError as error:
        raise RuleError(field, error.code, **error.params, room=text) from None
    keys = []
    for ref in refs:
        wanted = [
            unit
            for unit, label in enumerate(intent.units)
            if ref.unit is None or unit_key(label) == ref.unit or len(intent.units) == 1
        ]
        found = [(unit, ref.room) for unit in wanted if ref.room is not None and (unit, ref.room) in doors]
        if not found:
            raise RuleError(field, "no_such_room", room=text)
        keys += found
    return keys


def _stretch(doors: dict[tuple[int, str], PlannedDoor], key: tuple[int, str], span: int) -> None:
    """Make a door ``span`` floors high and take away those above it."""
    low = doors[key]
    level = low.floor
    for _ in range(span - 1):
        level = level + 1 or 1  # there is no floor 0
        above = (low.unit, _room_no(level, low.slot))
        if above not in doors:
            raise RuleError("duplexes", "no_such_room", room=above[1])
        del doors[above]
    doors[key] = PlannedDoor(low.unit, low.floor, low.slot, low.room_no, span, low.occupancy)


def _own_grid(act: Act) -> str | None:
    """The one grid of a grid worker: a building made by one belongs to it."""
    grids = {grant.scope_id for grant in act.viewer.grants if grant.scope_kind == "grid"}
    return next(iter(grids)) if len(grids) == 1 else None


def _between(field: str, value: int, *, least: int, most: int) -> None:
    if not least <= value <= most:
        raise RuleError(field, "out_of_range", least=least, most=most)
