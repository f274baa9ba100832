"""Search as you type: by name, pinyin, initials, end of a phone number and room, in one's own buildings only."""

import pytest

from sync.domain.operations import delete, new, patch
from sync.store import projections, search
from world import World


def names(world: World, text: str, who: str = "head3") -> list[str]:
    return [hit.name for hit in search.find(world.store.db, world.viewer(who), text)]


@pytest.mark.parametrize(
    "text",
    [
        *("张伟国", "张伟", "伟国", "国", "zhangweiguo", "ZhangWei", "weiguo", "zwg", "zw", "wg"),
        *("13830002303", "30002303", "2303", "张 101", "zwg 2303", " 张伟国 "),
        *("3-1-101", "1-101 张", "3号楼101室", "三号楼一单元101", "3栋1单元101室", "3号楼 1单元 101"),
    ],
)
def test_ways_to_one_person(world: World, text: str) -> None:
    assert names(world, text) == ["张伟国"]


@pytest.mark.parametrize(("text", "name"), [("zeng", "曾明"), ("ceng", "曾明"), ("shan", "单玉芬"), ("xie", "解晓东")])
def test_surnames_with_two_readings(world: World, text: str, name: str) -> None:
    assert names(world, text, "head1") == [name]


def test_rare_characters_are_found(world: World) -> None:
    assert names(world, "𬱖") == ["秦𬱖"]


@pytest.mark.parametrize("text", ["", "   ", '"', "*", "' OR 1=1 --", "张伟国 nobody", "号楼", "x" * 10_000])
def test_nothing_is_found_of_nothing(world: World, text: str) -> None:
    assert names(world, text) == []


def test_a_building_by_itself_and_a_unit_by_itself(world: World) -> None:
    assert len(names(world, "3号楼")) == 6
    assert len(names(world, "1单元")) == 6
    assert len(names(world, "3号楼1单元")) == 6
    assert names(world, "1单元101", "staff") == ["曾明", "钱勇", "张伟国"]


def test_other_names_of_a_building(world: World) -> None:
    world.save("staff", [patch("building", world.id("b3"), aliases=("丙楼",))])
    assert names(world, "丙-1-101") == ["张伟国"]


def test_only_ones_own_buildings_are_searched(world: World) -> None:
    assert names(world, "曾明") == []
    assert names(world, "曾明", "staff") == ["曾明"]
    assert len(names(world, "138", "staff")) == 18
    assert names(world, "张伟国", "mediator") == []


def test_a_group_leader_reads_the_building_and_searches_nobody_by_name(world: World) -> None:
    grant = {"role": "cluster_leader", "scope_kind": "building", "scope_id": world.id("b3")}
    world.store.seed(
        [new("account", "leader", name="组长", state="active"), new("grant", "g", account_id="leader", **grant)]
    )
    viewer = world.store.viewer("leader")
    assert f"building:{world.id('b3')}" in viewer.streams
    assert search.find(world.store.db, viewer, "张伟国") == ()


def test_a_hit_says_where_and_shows_no_whole_phone(world: World) -> None:
    (hit,) = search.find(world.store.db, world.viewer("head3"), "zwg")
    assert (hit.kind, hit.household_id) == ("resident", world.id("b3:101"))
    assert (hit.building, hit.unit, hit.room_no, hit.phone) == ("3号楼", "1单元", "101", "138****2303")
    assert hit.building_id == world.id("b3")


def test_a_household_whose_contact_lives_elsewhere_is_found_by_that_name_too(world: World) -> None:
    world.save("head3", [patch("household", world.id("b3:101"), contact_name="欧阳雪", contact_phone="13900001111")])
    (hit,) = search.find(world.store.db, world.viewer("head3"), "ouyang")
    assert (hit.kind, hit.name, hit.phone) == ("household", "欧阳雪", "139****1111")
    assert names(world, "1111") == ["欧阳雪"]
    assert names(world, "2303") == ["张伟国"]


def test_exact_names_come_first_and_shorter_before_longer(world: World) -> None:
    for at, name in enumerate(("张伟国强", "张伟", "张伟民")):
        person = new("resident", f"r{at}", household_id=world.id("b3:302"), building_id=world.id("b3"), name=name)
        world.save("head3", [person])
    assert names(world, "张伟") == ["张伟", "张伟国", "张伟民", "张伟国强"]
    assert names(world, "zhangwei")[0] == "张伟"
    assert len(search.find(world.store.db, world.viewer("head3"), "张", limit=2)) == 2


def test_the_index_follows_what_is_saved(world: World) -> None:
    world.save("head3", [patch("resident", world.id("b3:101:resident"), name="章伟", phone="13911112222")])
    assert names(world, "zhangwei") == ["章伟", "张伟国"]  # the household still names the former contact
    world.save("head3", [delete("resident", world.id("b3:101:resident"))])
    assert names(world, "章伟") == []
    world.save("staff", [patch("building", world.id("b3"), name="8号楼")])
    world.save("staff", [patch("unit", world.id("b3:unit"), label="2单元")])
    assert len(names(world, "8-2-")) == 6
    assert names(world, "3-1-") == []
    world.save("head3", [delete("household", world.id("b3:201"))])
    assert names(world, "杨帆") == []


def test_the_index_made_in_bulk_is_the_index_made_bit_by_bit(world: World) -> None:
    world.save("head3", [patch("resident", world.id("b3:101:resident"), name="章伟")])
    before = [names(world, text) for text in ("z", "13", "3-", "章")]
    with world.store.write():
        projections.rebuild(world.store.db, pinyin=world.store.rules.pinyin)
    assert [names(world, text) for text in ("z", "13", "3-", "章")] == before
