"""A tiny deterministic community in a real encrypted store: one compound, three buildings, seven people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import UUID

from sync.domain.calendar import instant
from sync.domain.ids import derived_id
from sync.domain.operations import Operation, new
from sync.domain.roles import Viewer
from sync.domain.rules import Rules, load_rules
from sync.store.store import Reader, Store

ROOT = Path(__file__).parents[2]
START = instant("2026-11-23 09:00")  # a Monday
DAY = 24 * 3600 * 1000
KEY = bytes(range(32))
REPLICA = 77

# name → (Chinese name, post, role, scope kind, scope)
PEOPLE = {
    "head3": ("王秀兰", "3号楼楼长", "building_head", "building", "b3"),
    "head1": ("李建国", "1号楼楼长", "building_head", "building", "b1"),
    "grid": ("张磊", "网格员", "grid_worker", "grid", "grid"),
    "staff": ("刘敏", "驿站工作人员", "station_staff", "compound", "compound"),
    "mediator": ("高志远", "调解员", "mediator", "compound", "compound"),
    "branch": ("陈静", "支部书记", "branch_secretary", "compound", "compound"),
    "secretary": ("周海燕", "社区书记", "community_secretary", "community", "community"),
}
BUILDINGS = ("b1", "b2", "b3")
FLOORS = 3
ROOMS = ("01", "02")
# building → contact name, resident and phone of each household, floor by floor
FAMILIES = {
    "b1": ("曾明", "单玉芬", "赵倩", "解晓东", "仇国强", "欧阳娜"),
    "b2": ("钱勇", "孙丽", "吴桂花", "郑浩", "冯涛", "蒋梅"),
    "b3": ("张伟国", "韩雪", "杨帆", "朱红", "秦𬱖", "许志强"),
}


@cache
def rules() -> Rules:
    """The program's own calendar and readings, loaded once a test run."""
    return load_rules(ROOT / "resources")


def ident(name: str) -> str:
    """The id of a named thing of the world: always the same."""
    return derived_id("world", name)


@dataclass(slots=True)
class Clock:
    """A wall clock that stands still until it is moved."""

    now: int = START

    def __call__(self) -> int:
        return self.now

    def forward(self, *, days: int = 0, hours: int = 0, minutes: int = 0, ms: int = 0) -> None:
        """Let time pass; negative amounts turn the clock back."""
        self.now += days * DAY + hours * 3_600_000 + minutes * 60_000 + ms


class Ids:
    """UUIDv7 in order, the same in every run."""

    def __init__(self, salt: int = 0) -> None:
        self._made = salt << 32

    def __call__(self, now_ms: int) -> str:
        self._made += 1
        return str(UUID(int=((now_ms & ((1 << 48) - 1)) << 80) | (7 << 76) | (2 << 62) | self._made))


def founding() -> Iterator[Operation]:
    """The operations that make the world's places, people and households."""
    community, compound, grid = ident("community"), ident("compound"), ident("grid")
    yield new("community", community, name="向阳社区", code="110105001001", emergency_phone="010-55550110")
    yield new("compound", compound, name="向阳里", compound_type="old", property_company="顺达物业")
    yield new("grid", grid, name="向阳里第一网格", code="110105001001001")
    yield new("station", ident("station"), name="向阳里驿站", compound_ids=(compound,))
    yield new("partner_org", ident("property"), name="顺达物业", sort="property_company", phone="010-55550199")
    for position, building in enumerate(BUILDINGS, 1):
        yield from _building(building, position, compound, grid)
    for name, (chinese, title, role, scope_kind, scope) in PEOPLE.items():
        phone = f"1390000{len(name):02d}{len(role):02d}"
        yield new("account", ident(name), name=chinese, title=title, phone=phone, state="active")
        yield new(
            "grant",
            ident(f"{name}:grant"),
            account_id=ident(name),
            role=role,
            scope_kind=scope_kind,
            scope_id=ident(scope),
            valid_from="2026-01-01",
        )


def _building(name: str, position: int, compound: str, grid: str) -> Iterator[Operation]:
    building, unit, number = ident(name), ident(f"{name}:unit"), name[1:]
    yield new(
        "building",
        building,
        compound_id=compound,
        grid_id=grid,
        name=f"{number}号楼",
        floors_above=FLOORS,
        position=position,
    )
    yield new("unit", unit, building_id=building, label="1单元", position=1)
    doors = [(floor, slot, room) for floor in range(1, FLOORS + 1) for slot, room in enumerate(ROOMS)]
    for at, ((floor, slot, room), family) in enumerate(zip(doors, FAMILIES[name], strict=True)):
        household = ident(f"{name}:{floor}{room}")
        phone = f"138{number}000{2300 + at * 11 + position:04d}"
        yield new(
            "household",
            household,
            building_id=building,
            unit_id=unit,
            floor=floor,
            room_no=f"{floor}{room}",
            slot=slot,
            occupancy="owner",
            contact_name=family,
            contact_phone=phone,
        )
        yield new(
            "resident",
            ident(f"{name}:{floor}{room}:resident"),
            household_id=household,
            building_id=building,
            name=family,
            phone=phone,
            is_householder=True,
        )


class World:
    """A store in ``folder`` with the founding rows in it; ``close`` it when the test is over."""

    def __init__(self, folder: Path, *, name: str = "world.db", seeded: bool = True, replica: int = REPLICA) -> None:
        self.path = folder / name
        self.key = KEY
        self.clock = Clock()
        self.ids = Ids(replica)
        self.store = Store.create(
            self.path,
            KEY,
            community_id=ident("community"),
            rules=rules(),
            wall=self.clock,
            new_id=self.ids,
            replica=replica,
        )
        if seeded:
            self.store.seed(founding())

    @property
    def community_id(self) -> str:
        """The community's id."""
        return ident("community")

    def as_(self, name: str) -> str:
        """The account id of a person of the world: head3, head1, grid, staff, mediator, branch, secretary."""
        if name not in PEOPLE:
            raise KeyError(name)
        return ident(name)

    def viewer(self, name: str) -> Viewer:
        """The viewer that this person is today."""
        return self.store.viewer(self.as_(name))

    def id(self, name: str) -> str:
        """The id of a place: compound, grid, b3, b3:unit, b3:201 (a household), b3:201:resident, property."""
        return ident(name)

    def save(self, name: str, operations: Sequence[Operation]) -> frozenset[tuple[str, str]]:
        """Save as this person, now."""
        return self.store.save(self.store.act(self.as_(name)), operations)

    def reader(self) -> Reader:
        """A reader of the same file; close it too."""
        return Reader(self.path, self.key, rules=rules(), wall=self.clock)

    def reopen(self) -> Store:
        """Close the store and open it again, as the next morning does."""
        self.store.close()
        self.store = Store.open(self.path, self.key, rules=rules(), wall=self.clock, new_id=self.ids)
        return self.store

    def close(self) -> None:
        """Close the file."""
        self.store.close()
