"""The buildings of a community as a file: what is read back, and each thing that is wrong."""

import pytest

from sync.domain.building_list import BuildingList, ListedBuilding, ListedFloors
from sync.errors import RuleError

TOWER = ListedBuilding(
    compound="幸福里",
    name="3号楼",
    floors=18,
    rooms=4,
    units=2,
    floors_below=1,
    rooms_below=2,
    differing=(ListedFloors(first=1, last=1, rooms=2, occupancy="non_residential"),),
    missing=("2-401",),
    duplexes=("1-1701",),
    lift=True,
)


def test_buildings_are_read_as_they_were_written() -> None:
    listed = BuildingList((TOWER, ListedBuilding(compound="幸福里", name="平房", floors=1, rooms=6)))
    assert BuildingList.parse(listed.content) == listed
    assert list(listed.problems()) == []
    assert listed.doors == 2 * (17 * 4 + 2 + 2) - 1 - 1 + 6


def test_all_wrong_buildings_are_named() -> None:
    high = ListedBuilding(compound="", name="5号楼", floors=500, rooms=2)
    listed = BuildingList((TOWER, high, ListedBuilding(compound="幸福里 ", name="3栋", floors=6, rooms=2)))
    found = [(wrong.place, wrong.error.field, wrong.error.code) for wrong in listed.problems()]
    assert found == [(1, "compound", "required"), (1, "floors_above", "out_of_range"), (2, "name", "exists")]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'[{"name": "1"}]', b'[{"compound": "a", "name": "1", "floors": "6", "rooms": 2}]']
)
def test_buildings_that_can_not_be_read_are_refused(content: bytes) -> None:
    with pytest.raises(RuleError, match="unreadable"):
        BuildingList.parse(content)
