"""The shapes of buildings: regular slabs, towers, and those with shops, duplex flats, basements and missing rooms."""

from collections.abc import Iterator
from dataclasses import dataclass

from sync.domain.example.making import Maker, Size
from sync.domain.operations import Operation, new

NUMERALS = "一二三四五六七八九十"
GRID_BUILDINGS = 4  # of a grid in a large community: some 500 households


@dataclass(frozen=True, slots=True)
class Room:
    """A dwelling slot: entrance (from 1; 0 for shops without one), floor, place on the floor, number, height."""

    unit: int
    floor: int
    slot: int
    room_no: str
    span: int = 1
    is_shop: bool = False


@dataclass(frozen=True, slots=True)
class House:
    """A building as it stands; ``lift`` and sort follow from its height."""

    name: str
    rooms: tuple[Room, ...]
    aliases: tuple[str, ...] = ()

    @property
    def units(self) -> tuple[int, ...]:
        """Its entrances in order, the row of shops last."""
        return tuple(sorted({room.unit for room in self.rooms}, key=lambda unit: unit or 99))

    @property
    def top(self) -> int:
        """Floors above ground."""
        return max(room.floor + room.span - 1 for room in self.rooms)

    @property
    def below(self) -> int:
        """Floors below ground."""
        return max(0, -min(room.floor for room in self.rooms))


@dataclass(frozen=True, slots=True)
class Home:
    """A room as a record: who points at it needs its ids and its place."""

    household_id: str
    building_id: str
    unit_id: str
    building: int  # from 0
    room: Room

    @property
    def key(self) -> str:
        """How people say it: '3-2-501'."""
        return f"{self.building + 1}-{self.room.unit}-{self.room.room_no}"


def slab(units: int, floors: int, rooms: int, *, first: int = 1) -> list[Room]:
    """The rooms of a regular building, unit by unit."""
    return [
        Room(unit, floor, slot, f"{floor}{slot + 1:02d}")
        for unit in range(1, units + 1)
        for floor in range(first, floors + 1)
        for slot in range(rooms)
    ]


def _small() -> tuple[House, ...]:
    """The seven buildings of 幸福里小区, 438 doors."""
    basement = [Room(unit, -1, 0, "B101") for unit in (1, 2)]
    thirteen = [
        Room(room.unit, 12, room.slot, room.room_no, 2) if room.unit == 2 and room.floor == 12 else room
        for room in slab(2, 13, 2)
        if not (room.unit == 2 and room.floor == 13)
    ]
    extra = [Room(1, 14, slot, f"14{slot + 1:02d}") for slot in range(2)]
    duplex = [Room(unit, 9, slot, f"9{slot + 1:02d}", 2) for unit in (1, 2, 3) for slot in range(2)]
    passage = {(1, 1, "101"), (3, 1, "103")}
    six = [
        room
        for room in slab(3, 7, 3)
        if not (room.unit == 2 and room.slot == 2) and (room.unit, room.floor, room.room_no) not in passage
    ]
    shops = [Room(0, 1, slot, f"商铺{slot + 1}", 1, True) for slot in range(6)]
    return (
        House("1号楼", tuple(slab(3, 6, 3))),
        House("2号楼", tuple(slab(3, 9, 2))),
        House("3号楼", tuple(slab(3, 9, 2)), ("丙楼",)),
        House("4号楼", (*slab(3, 8, 2), *duplex)),
        House("5号楼", (*thirteen, *extra, *basement)),
        House("6号楼", tuple(six)),
        House("7号楼", (*slab(3, 9, 4), *shops)),
    )


def _large(households: int) -> tuple[House, ...]:
    """One building of 272 doors, one of 60, towers of 144, and one that takes the rest."""
    houses = [House("1号楼", tuple(slab(2, 34, 4))), House("2号楼", tuple(slab(3, 10, 2)))]
    left = households - 272 - 60
    number = 3
    while left >= 144:
        houses.append(_tower(number))
        left -= 144
        number += 1
    if left:
        floors = -(-left // 4)
        houses.append(House(f"{number}号楼", tuple(slab(1, floors, 4)[:left])))
    return tuple(houses)


def _tower(number: int) -> House:
    """18 floors, two entrances, four doors: every third one with shops and a duplex storey in their stead."""
    rooms = slab(2, 18, 4)
    if number % 3 == 0:
        shops = [Room(0, 1, slot, f"商铺{slot + 1}", 1, True) for slot in range(8)]
        rooms = [*(room for room in slab(2, 18, 4, first=2)), *shops]
    elif number % 3 == 1:
        rooms = [room for room in rooms if room.floor < 18]
        rooms += [Room(unit, 18, slot, f"18{slot + 1:02d}", 2) for unit in (1, 2) for slot in range(4)]
    return House(f"{number}号楼", tuple(rooms))


HOUSEHOLDS: dict[Size, int] = {"small": 438, "station": 3000, "stress": 10000}
COMMUNITIES: dict[Size, tuple[str, str, str]] = {
    "small": ("幸福里社区", "幸福里小区", "红帆驿站"),
    "station": ("福宁社区", "福宁家园", "福宁家园驿站"),
    "stress": ("大河湾社区", "大河湾新城", "大河湾驿站"),
}


def houses(size: Size) -> tuple[House, ...]:
    """The buildings of a community, in order."""
    return _small() if size == "small" else _large(HOUSEHOLDS[size])


def community_id(size: Size) -> str:
    """The community's own id, the same in every run."""
    return Maker(size).named("community")


def homes(maker: Maker) -> tuple[Home, ...]:
    """Every room with its ids, building by building."""
    found: list[Home] = []
    for number, house in enumerate(houses(maker.size)):
        building_id = maker.named(f"building {number + 1}", number + 10)
        for room in house.rooms:
            unit_id = maker.named(f"unit {number + 1}-{room.unit}", 1000 + number)
            name = f"household {number + 1}-{room.unit}-{room.room_no}"
            found.append(Home(maker.named(name, 10_000 + len(found)), building_id, unit_id, number, room))
    return tuple(found)


def organisation(maker: Maker) -> Iterator[Operation]:
    """Community, compound, grids, station, partners and the current campaign."""
    community, compound, station = COMMUNITIES[maker.size]
    number = len(houses(maker.size))
    yield new(
        "community",
        maker.named("community"),
        name=community,
        code="370812001001",
        emergency_phone="0537-0000000",
    )
    yield new(
        "compound",
        maker.named("compound", 1),
        name=compound,
        compound_type="old" if maker.size == "small" else "commercial",
        property_company="益民物业",
    )
    for grid in range(grids(maker.size)):
        yield new(
            "grid",
            maker.named(f"grid {grid}", 2),
            name=f"{compound}第{NUMERALS[grid] if grid < 10 else grid + 1}网格",
            code=f"370812001001{grid + 1:02d}",
        )
    yield new(
        "station",
        maker.named("station", 3),
        name=station,
        compound_ids=(maker.named("compound", 1),),
        address=f"{compound}{number // 2 + 1}号楼东侧",
        hours="8:00–18:00，周三到20:00",
    )
    for key, name, sort in PARTNERS:
        yield new("partner_org", maker.named(key, 4), name=name, sort=sort, phone="0537-0000100")
    yield new(
        "visit_campaign",
        maker.named("campaign", 5),
        name="七进楼栋",
        rounds=tuple(f"{numeral}进楼栋" for numeral in NUMERALS[:7]),
        open_round=2,
        starts_on=maker.day(95).text,
    )


PARTNERS = (
    ("property", "益民物业", "property_company"),
    ("hospital", "区医院共建支部", "partner_org"),
    ("neighbours", "邻里互助会", "volunteer_group"),
    ("heating", "区热力公司", "department"),
)


def grids(size: Size) -> int:
    """How many grids there are; a small compound is one."""
    return 1 if size == "small" else -(-len(houses(size)) // GRID_BUILDINGS)


def buildings(maker: Maker, found: tuple[Home, ...]) -> Iterator[Operation]:
    """Buildings and their entrances."""
    for number, house in enumerate(houses(maker.size)):
        home = next(home for home in found if home.building == number)
        grid = 0 if maker.size == "small" else number // GRID_BUILDINGS
        yield new(
            "building",
            home.building_id,
            compound_id=maker.named("compound", 1),
            grid_id=maker.named(f"grid {grid}", 2),
            name=house.name,
            aliases=house.aliases,
            building_type="tower" if house.top > 12 else "mixed" if 0 in house.units else "slab",
            floors_above=house.top,
            floors_below=house.below,
            lift=house.top > 7,
            property_company="益民物业",
            position=number,
        )
        for position, unit in enumerate(house.units, 1):
            yield new(
                "unit",
                next(h.unit_id for h in found if h.building == number and h.room.unit == unit),
                building_id=home.building_id,
                label=f"{NUMERALS[unit - 1]}单元" if unit else "底商",
                position=position,
            )
