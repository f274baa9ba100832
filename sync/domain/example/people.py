"""The staff: building heads, grid workers, the station, mediators, secretaries; and the PINs of the three shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from sync.domain.example import names
from sync.domain.example.making import Maker, Size
from sync.domain.example.places import GRID_BUILDINGS, grids, houses
from sync.domain.operations import Operation, new


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the staff. ``pin`` is given for those one may unlock as in the demonstration, else ''."""

    key: str
    account_id: str
    name: str
    title: str
    role: str
    scope_kind: str
    scope_id: str
    pin: str = ""


# key, name, post, role, scope: '3' is building 3, 'g0' the first grid, 'c' the compound, '*' the community
_SMALL = (
    ("head3", "王秀兰", "3号楼 楼栋长", "building_head", "3", "280514"),
    ("head1", "刘振海", "1号楼 楼栋长", "building_head", "1", ""),
    ("head2", "周桂英", "2号楼 楼栋长", "building_head", "2", ""),
    ("grid0", "张磊", "网格员", "grid_worker", "g0", "370926"),
    ("mediator", "高志远", "调解员", "mediator", "c", ""),
    ("branch", "陈静", "支部书记", "branch_secretary", "c", "460731"),
    ("head5", "孙凤霞", "5号楼 楼栋长", "building_head", "5", ""),
    ("head4", "马德胜", "4号楼 楼栋长", "building_head", "4", ""),
    ("head6", "何玉珍", "6号楼 楼栋长", "building_head", "6", ""),
    ("head7", "郭建平", "7号楼 楼栋长", "building_head", "7", ""),
    ("second7", "彭玉兰", "7号楼 副楼栋长", "building_head", "7", ""),
    ("second6", "潘立新", "6号楼 副楼栋长", "building_head", "6", ""),
    ("staff", "许雯", "驿站工作人员", "station_staff", "c", ""),
    ("staff2", "唐伟", "驿站工作人员", "station_staff", "c", ""),
    ("grid1", "丁晓梅", "网格员", "grid_worker", "g0", ""),
    ("mediator2", "欧阳淑华", "调解员", "mediator", "c", ""),
    ("mediator3", "韩振邦", "调解员", "mediator", "c", ""),
    ("firm", "贾明", "益民物业经理", "property_manager", "c", ""),
    ("secretary", "宋卫东", "社区书记", "community_secretary", "*", ""),
)


def people(size: Size) -> tuple[Person, ...]:
    """Everybody who works with the program in this community; building heads first in a large one."""
    maker = Maker(size)
    rows = _SMALL if size == "small" else tuple(_large(size))
    return tuple(
        Person(
            key,
            maker.named(f"account {key}", 100 + order),
            name,
            title,
            role,
            *_scope(maker, scope),
            pin=pin,
        )
        for order, (key, name, title, role, scope, pin) in enumerate(rows)
    )


def _large(size: Size) -> Iterator[tuple[str, str, str, str, str, str]]:
    chance = Random(f"staff/{size}")

    def name() -> str:
        return names.person(chance)[0]

    for number, house in enumerate(houses(size), 1):
        pin = "280514" if number == 1 else ""
        yield f"head{number}", name(), f"{house.name} 楼栋长", "building_head", str(number), pin
    for grid in range(grids(size)):
        yield f"grid{grid}", name(), "网格员", "grid_worker", f"g{grid}", "370926" if grid == 0 else ""
    yield "branch", name(), "支部书记", "branch_secretary", "c", "460731"
    yield "staff", name(), "驿站工作人员", "station_staff", "c", ""
    yield "mediator", name(), "调解员", "mediator", "c", ""
    yield "mediator2", name(), "调解员", "mediator", "c", ""
    yield "firm", name(), "益民物业经理", "property_manager", "c", ""
    yield "secretary", name(), "社区书记", "community_secretary", "*", ""


def _scope(maker: Maker, scope: str) -> tuple[str, str]:
    if scope == "*":
        return "community", maker.named("community")
    if scope == "c":
        return "compound", maker.named("compound", 1)
    if scope.startswith("g"):
        return "grid", maker.named(f"grid {scope[1:]}", 2)
    return "building", maker.named(f"building {scope}", int(scope) - 1 + 10)


def accounts(maker: Maker, staff: tuple[Person, ...]) -> Iterator[Operation]:
    """Accounts, their roles, and the register of building heads."""
    since = maker.days[0].text
    for order, person in enumerate(staff):
        phone = names.phone(maker.chance)
        yield new("account", person.account_id, name=person.name, title=person.title, phone=phone, state="active")
        yield new(
            "grant",
            maker.named(f"grant {person.key}", 1000 + order),
            account_id=person.account_id,
            role=person.role,
            scope_kind=person.scope_kind,
            scope_id=person.scope_id,
            valid_from=since,
        )
        if person.role == "building_head":
            yield new(
                "building_head_term",
                maker.named(f"term {person.key}", 2000 + order),
                account_id=person.account_id,
                name=person.name,
                phone=phone,
                building_ids=(person.scope_id,),
                term_start=since,
                publicised_on=since,
            )


class Staff:
    """Who is in charge of a building, by its number from 0."""

    def __init__(self, size: Size) -> None:
        self.all = people(size)
        self.ids = {person.key: person.account_id for person in self.all}
        self.names = {person.account_id: person.name for person in self.all}
        self._small = size == "small"

    def head(self, building: int) -> str:
        """The building's head."""
        return self.ids[f"head{building + 1}"]

    def worker(self, building: int) -> str:
        """The grid worker of the building."""
        return self.ids["grid0" if self._small else f"grid{building // GRID_BUILDINGS}"]

    def visitors(self, building: int) -> tuple[str, str]:
        """Who knocks there: the head mostly, the grid worker at times."""
        return self.head(building), self.worker(building)
