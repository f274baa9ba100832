from itertools import count

import pytest

from sync.domain.act import Act
from sync.domain.calendar import WEEKDAYS_ONLY, instant
from sync.domain.door_sheets import (
    ALPHABET,
    Door,
    SheetFacts,
    SheetIntent,
    fresh_code,
    make_sheet,
    pages,
    read_code,
    walking_order,
)
from sync.domain.ids import derived_id
from sync.domain.kinds.places import Grant
from sync.domain.operations import new
from sync.domain.roles import Places, viewer
from sync.domain.visit_facts import KnockIntent
from sync.errors import AccessError, RuleError
from sync.store import sheets, visits
from world import World


def act() -> Act:
    numbers = count(1)
    grant = Grant(account_id="head", role="building_head", scope_kind="building", scope_id="b3")
    me = viewer("head", [grant], Places("c", {"k": frozenset({"b3"})}, {}), today="2026-11-23")
    return Act(me, instant("2026-11-23 09:00"), lambda _: f"id{next(numbers)}", WEEKDAYS_ONLY)


def code_of(typed: str) -> str:
    with pytest.raises(RuleError) as caught:
        read_code(typed)
    return caught.value.code


# ---------------------------------------------------------------------------------------------------- the code


@pytest.mark.parametrize("sheet", ["a", "b", "c", "0192f0c0-0000-7000-8000-000000000001"])
def test_a_code_is_read_however_it_is_typed(sheet: str) -> None:
    code = fresh_code(sheet, ())
    plain = code.replace("-", "")
    full_width = "".join(chr(ord(letter) + 0xFEE0) for letter in plain)
    look_alike = plain.replace("0", "o").replace("1", "l").replace("2", "z").replace("5", "s").replace("8", "b")
    for typed in (code, plain, code.lower(), f"  {plain[:3]} {plain[3:]} ", full_width, look_alike, f"{code}。"):
        assert read_code(typed) == code
    assert len(code) == 7
    assert set(plain) <= set(ALPHABET)


def test_every_slip_of_one_key_is_noticed() -> None:
    plain = fresh_code("a sheet", ()).replace("-", "")
    for place, right in enumerate(plain):
        for wrong in ALPHABET.replace(right, ""):
            assert code_of(plain[:place] + wrong + plain[place + 1 :]) == "bad_sheet_code"
    for place in range(5):
        swapped = plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :]
        assert swapped == plain or code_of(swapped) == "bad_sheet_code"


@pytest.mark.parametrize("typed", ["", "3X", "3X-20K7-99", "3X-20K!", "敲门单"])
def test_what_is_no_code_is_told(typed: str) -> None:
    assert code_of(typed) == "bad_sheet_code"


def test_a_code_in_use_is_passed_over() -> None:
    first = fresh_code("a", ())
    second = fresh_code("a", {first})
    assert second != first

    class Everything(set[str]):
        def __contains__(self, code: object) -> bool:
            return True

    with pytest.raises(RuleError, match="no_code_left"):
        fresh_code("a", Everything())


# ---------------------------------------------------------------------------------------------------- the sheet


def test_one_walks_unit_by_unit_from_the_top_down() -> None:
    doors = [Door(f"{u}-{f}0{s}", u, f, s, f"{f}0{s}") for f in (1, 2, 9) for s in (2, 1) for u in (2, 1)]
    walked = [door.household_id for door in walking_order(doors)]
    assert walked[:5] == ["1-901", "1-902", "1-201", "1-202", "1-101"]
    assert walked[6] == "2-901"


def test_twenty_doors_a_sheet() -> None:
    assert [len(page) for page in pages([str(n) for n in range(54)])] == [20, 20, 14]


def test_what_a_sheet_cannot_be() -> None:
    facts = SheetFacts(frozenset(str(n) for n in range(30)), ())

    def refused(*doors: str) -> str:
        with pytest.raises(RuleError) as caught:
            make_sheet(act(), SheetIntent(building_id="b3", household_ids=doors), facts)
        assert caught.value.field == "household_ids"
        return caught.value.code

    assert refused() == "no_doors"
    assert refused(*(str(n) for n in range(21))) == "too_many_doors"
    assert refused("99") == "unknown_household"
    with pytest.raises(AccessError, match="out_of_scope"):
        make_sheet(act(), SheetIntent(building_id="b1", household_ids=("1",)), facts)


# ---------------------------------------------------------------------------------------------------- the store


def test_a_printed_sheet_leads_back_to_its_first_door(world: World) -> None:
    head = world.viewer("head3")
    plan = sheets.plan(world.store.db, head, world.id("b3"), rules=world.store.rules, now=world.clock())
    assert [door.room for door in plan.doors] == ["1-301", "1-302", "1-201", "1-202", "1-101", "1-102"]
    assert {door.colour for door in plan.doors} == {"grey"}
    assert "张伟国" in plan.names
    intent = SheetIntent(
        building_id=world.id("b3"), household_ids=tuple(door.household_id for door in plan.doors), round_no=2
    )
    (sheet,) = sheets.make(world.store, head.account_id, intent).sheets
    found = sheets.find(world.store.db, head, sheet.code.lower())
    assert found == sheet
    assert found.household_ids[0] == world.id("b3:301")
    assert sheets.recent(world.store.db, head, world.id("b3")) == (sheet,)


def test_sheets_of_one_printing_have_different_codes(world: World) -> None:
    ids = tuple(world.id(f"b3:{floor}{room}") for floor in (1, 2, 3) for room in ("01", "02"))
    many = SheetIntent(building_id=world.id("b3"), household_ids=ids * 7)
    made = sheets.make(world.store, world.as_("head3"), many).sheets
    assert [len(sheet.household_ids) for sheet in made] == [20, 20, 2]
    assert len({sheet.code for sheet in made}) == 3


def test_nothing_to_print_is_told(world: World) -> None:
    with pytest.raises(RuleError, match="no_doors"):
        sheets.make(world.store, world.as_("head3"), SheetIntent(building_id=world.id("b3"), household_ids=()))


def test_another_heads_sheet_is_not_found(world: World) -> None:
    ids = (world.id("b3:301"),)
    intent = SheetIntent(building_id=world.id("b3"), household_ids=ids)
    (sheet,) = sheets.make(world.store, world.as_("head3"), intent).sheets
    with pytest.raises(RuleError, match="bad_sheet_code"):
        sheets.find(world.store.db, world.viewer("head1"), sheet.code)
    assert sheets.recent(world.store.db, world.viewer("head1"), world.id("b3")) == ()
    other = sheets.plan(
        world.store.db, world.viewer("head1"), world.id("b3"), rules=world.store.rules, now=world.clock()
    )
    assert (other.doors, other.names) == ((), ())


def test_doors_already_reached_in_the_round_are_known(world: World) -> None:
    head, db, building = world.as_("head3"), world.store.db, world.id("b3")
    campaign = new("visit_campaign", derived_id("campaign"), name="七进楼栋", rounds=("一进",), state="open")
    world.store.seed([campaign])
    visits.knock(world.store, head, KnockIntent(household_id=world.id("b3:301"), outcome="met"))
    visits.knock(world.store, head, KnockIntent(household_id=world.id("b3:302"), outcome="no_answer"))
    viewer = world.viewer("head3")
    opened = visits.campaign(db, viewer, today="2026-11-23")
    plan = sheets.plan(db, viewer, building, rules=world.store.rules, now=world.clock(), opened=opened)
    assert [door.room for door in plan.doors if door.is_done] == ["1-301"]
