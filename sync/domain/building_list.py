"""The buildings of a community as a file, ``buildings.json`` of a preset: each as it would be described in the form."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import msgspec

from sync.domain.address import building_key
from sync.domain.building_plan import BuildingIntent, Duplex, FloorRule, layout, unit_labels
from sync.errors import RuleError


class ListedFloors(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Floors that differ, as a ``FloorRule`` has them."""

    first: int
    last: int
    unit: str = ""
    rooms: int | None = None
    occupancy: str = ""


class ListedBuilding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One building of a compound; ``units`` is the number of its entrances, ``duplexes`` rooms over two floors."""

    compound: str
    name: str
    floors: int
    rooms: int
    units: int = 0
    floors_below: int = 0
    rooms_below: int = 0
    differing: tuple[ListedFloors, ...] = ()
    missing: tuple[str, ...] = ()
    duplexes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    building_type: str = ""
    lift: bool | None = None

    @property
    def intent(self) -> BuildingIntent:
        """The same as somebody would describe it by hand, in a compound that is made with it."""
        return BuildingIntent(
            compound_id="",
            new_compound=self.compound,
            name=self.name,
            floors_above=self.floors,
            rooms=self.rooms,
            units=unit_labels(self.units),
            floors_below=self.floors_below,
            rooms_below=self.rooms_below,
            floors=tuple(
                FloorRule(first=one.first, last=one.last, unit=one.unit, rooms=one.rooms, occupancy=one.occupancy)
                for one in self.differing
            ),
            missing=self.missing,
            duplexes=tuple(Duplex(room) for room in self.duplexes),
            aliases=self.aliases,
            building_type=self.building_type,
            lift=self.lift,
        )


@dataclass(frozen=True, slots=True)
class WrongBuilding:
    """What is wrong with the building at this place (from 0) of the list."""

    place: int
    error: RuleError


@dataclass(frozen=True, slots=True)
class BuildingList:
    """All buildings of a community, in the order of the plan."""

    buildings: tuple[ListedBuilding, ...] = ()

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read ``buildings.json``, a list. Raises RuleError ('buildings', 'unreadable_buildings')."""
        try:
            return cls(msgspec.json.decode(content, type=tuple[ListedBuilding, ...]))
        except msgspec.DecodeError as error:
            raise RuleError("buildings", "unreadable_buildings") from error

    @property
    def content(self) -> bytes:
        """The file."""
        return msgspec.json.format(msgspec.json.encode(self.buildings), indent=1) + b"\n"

    @property
    def doors(self) -> int:
        """How many homes and other doors all buildings have together."""
        return sum(len(layout(building.intent)) for building in self.buildings)

    def problems(self) -> Iterator[WrongBuilding]:
        """Everything that is wrong: a compound or name missing, a name twice in a compound, what ``layout`` finds."""
        known: set[tuple[str, str]] = set()
        for place, building in enumerate(self.buildings):
            for field in ("compound", "name"):
                if not getattr(building, field).strip():
                    yield WrongBuilding(place, RuleError(field, "required"))
            key = (building.compound.strip(), building_key(building.name))
            if building.name.strip() and key in known:
                yield WrongBuilding(place, RuleError("name", "exists", value=building.name))
            known.add(key)
            try:
                layout(building.intent)
            except RuleError as error:
                yield WrongBuilding(place, error)
