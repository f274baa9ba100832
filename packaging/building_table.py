"""The buildings of a community from a table, one a row, checked as the form of the program checks them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from tables import Problems, Row, rows, workbook

from sync.domain.building_list import BuildingList, ListedBuilding, ListedFloors
from sync.errors import RuleError

SHEET: Final = "楼栋"
OF: Final = "社区编号"  # the one column that the sheet of a table of many communities has more
COLUMNS: Final = (
    "小区",
    "楼栋",
    "层数",
    "每层户数",
    "单元数",
    "地下层数",
    "地下每层户数",
    "底商层数",
    "缺的房号",
    "跃层房号",
    "电梯",
    "楼型",
    "别名",
)
NEEDED: Final = ("小区", "楼栋", "层数", "每层户数")
YES_NO: Final = {"有": True, "无": False, "没有": False}
TYPES: Final = {"板楼": "slab", "塔楼": "tower", "多层": "low_rise", "商业": "commercial", "商住": "mixed"}

# Which column a wrong field of a building stands in.
_PLACES: Final = {
    "compound": "小区",
    "name": "楼栋",
    "floors_above": "层数",
    "rooms": "每层户数",
    "units": "单元数",
    "floors_below": "地下层数",
    "rooms_below": "地下每层户数",
    "floors": "底商层数",
    "missing": "缺的房号",
    "duplexes": "跃层房号",
}
_SENTENCES: Final = {
    "required": "没有填",
    "exists": "同一个小区里有两个这样的楼",
    "out_of_range": "应该在 {least} 到 {most} 之间",
    "no_such_floor": "没有这么多层",
    "no_such_room": "楼里没有 {room} 这个房号",
    "unreadable_address": "“{room}”不像房号",
    "bad_range": "“{room}”这一段房号不对",
    "no_doors": "一户也没有",
    "building_too_large": "一共 {count} 户，一栋最多 {limit} 户；请分成两栋填",
}


@dataclass(frozen=True, slots=True)
class PlacedBuilding:
    """A building and the row it comes from."""

    building: ListedBuilding
    row: Row


def from_rows(found: Sequence[Row]) -> tuple[PlacedBuilding, ...]:
    """The buildings of rows; what is wrong stands in their problems."""
    return tuple(PlacedBuilding(_building(row), row) for row in found)


def from_workbook(path: Path, problems: Problems) -> BuildingList:
    """The buildings of a workbook of their own: its sheet 楼栋, or the first one."""
    sheets = workbook(path, problems)
    name = SHEET if SHEET in sheets else next(iter(sheets))
    found = rows(f"{path.name}“{name}”", sheets[name], columns=COLUMNS, needed=NEEDED, problems=problems)
    placed = from_rows(list(found))
    if not placed:
        problems.add(path.name, "里面一栋楼也没有")
    return checked(placed)


def from_toml(tables: Sequence[Mapping[str, Any]], place: str, problems: Problems) -> BuildingList:
    """The buildings of ``[[building]]`` tables, whose keys are the fields of ``ListedBuilding``."""
    listed = []
    for number, table in enumerate(tables, 1):
        where = f"{place} 第 {number} 个 [[building]]"
        for key in table.keys() - set(ListedBuilding.__struct_fields__):
            problems.add(where, f"不认识 {key}")
        try:
            listed.append(msgspec.convert(table, ListedBuilding))
        except msgspec.ValidationError as error:
            problems.add(where, f"填得不对：{error}")
    found = BuildingList(tuple(listed))
    for wrong in found.problems():
        name = found.buildings[wrong.place].name
        problems.add(f"{place}“{name}”的 {wrong.error.field}", sentence(wrong.error))
    return found


def checked(placed: Sequence[PlacedBuilding]) -> BuildingList:
    """The list of them; what is wrong with a building is noted at its row."""
    listed = BuildingList(tuple(one.building for one in placed))
    for wrong in listed.problems():
        row = placed[wrong.place].row
        row.wrong(_PLACES.get(wrong.error.field, "楼栋"), sentence(wrong.error))
    return listed


def sentence(error: RuleError) -> str:
    """What is wrong with a building, for the person who packages."""
    return _SENTENCES.get(error.code, error.code).format_map(error.params)


def _building(row: Row) -> ListedBuilding:
    shops = row.whole("底商层数", otherwise=0)
    return ListedBuilding(
        compound=row.text("小区"),
        name=row.text("楼栋"),
        floors=row.needed("层数"),
        rooms=row.needed("每层户数"),
        units=row.whole("单元数", otherwise=0),
        floors_below=row.whole("地下层数", otherwise=0),
        rooms_below=row.whole("地下每层户数", otherwise=0),
        differing=(ListedFloors(first=1, last=shops, occupancy="non_residential"),) if shops else (),
        missing=row.parts("缺的房号"),
        duplexes=row.parts("跃层房号"),
        aliases=row.parts("别名"),
        building_type=row.choice("楼型", TYPES) or "",
        lift=row.choice("电梯", YES_NO),
    )
