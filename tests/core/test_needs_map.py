"""The needs map read from the store: colours, counts, reasons, who sees what, and that telling turns red to green."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.domain.colour_rules import Colour
from sync.domain.colours import AreaCounts
from sync.domain.demand_moves import MoveIntent
from sync.domain.demands import DemandIntent, DemandPlace
from sync.domain.operations import new, patch
from sync.domain.rules import Rules, load_rules
from sync.store import demands, needs_map
from world import ROOT, World, ident

HEATING = DemandIntent(category="02", title="暖气不热", signs=("outage",))
LIGHT = DemandIntent(category="05", title="楼道堆物")


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules(ROOT / "resources")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def raised(world: World, rules: Rules, intent: DemandIntent, room: str, *, by: str = "staff") -> str:
    touched = demands.record(world.store, world.as_(by), intent, rules=rules, household_id=world.id(room))
    return next(record_id for kind, record_id in touched if kind == "demand")


def common(world: World, rules: Rules, scope: str, intent: DemandIntent) -> None:
    place = DemandPlace(
        compound_id=world.id("compound"), building_id=world.id("b3"), unit_id=world.id("b3:unit"), household_id=None
    )
    demands.record(world.store, world.as_("staff"), replace(intent, scope=scope), rules=rules, place=place)


def moved(world: World, rules: Rules, demand_id: str, name: str, **fields: str) -> None:
    demands.step(world.store, world.as_("staff"), demand_id, name, MoveIntent(**fields), rules=rules)


def visited(world: World, room: str, day: str, outcome: str = "met") -> None:
    world.store.seed(
        [
            new(
                "visit",
                ident(f"{room}{day}"),
                household_id=world.id(room),
                building_id=world.id("b3"),
                visited_on=day,
                time_band="morning",
                outcome=outcome,
                recorded_by=world.as_("head3"),
            )
        ]
    )


def compound(world: World, rules: Rules, *, by: str = "staff", category: str = "") -> needs_map.CompoundSnapshot:
    return needs_map.compound_snapshot(
        world.store.db, world.viewer(by), world.id("compound"), rules=rules, now=world.clock(), category=category
    )


def building(world: World, rules: Rules, *, by: str = "staff", name: str = "b3") -> needs_map.BuildingSnapshot:
    return needs_map.building_snapshot(world.store.db, world.viewer(by), world.id(name), rules=rules, now=world.clock())


def why(world: World, rules: Rules, room: str, *, by: str = "staff") -> needs_map.HouseholdColour | None:
    return needs_map.why(world.store.db, world.viewer(by), world.id(room), rules=rules, now=world.clock())


def test_a_compound_in_which_nobody_was_met_is_grey(world: World, rules: Rules) -> None:
    seen = compound(world, rules)
    assert (seen.name, seen.coloured.colour, seen.coloured.reasons) == ("向阳里", Colour.GREY, ("C7",))
    assert [tile.name for tile in seen.tiles] == ["1号楼", "2号楼", "3号楼"]
    assert seen.counts == AreaCounts(grey=18)
    assert (seen.taken_at, seen.rules_version) == (world.clock(), rules.colours.version)


def test_households_take_colour_from_demands_and_contacts(world: World, rules: Rules) -> None:
    raised(world, rules, HEATING, "b3:201")
    visited(world, "b3:101", "2026-11-01")
    visited(world, "b3:102", "2026-11-01", outcome="no_answer")
    world.save("staff", [patch("household", world.id("b3:301"), occupancy="vacant")])
    seen = building(world, rules)
    colours = {cell.room_no: (cell.coloured.colour, cell.coloured.reasons) for cell in seen.cells}
    assert colours == {
        "101": (Colour.GREEN, ("H4",)),
        "102": (Colour.GREY, ("H5",)),
        "201": (Colour.RED, ("R1",)),
        "202": (Colour.GREY, ("H5",)),
        "301": (Colour.BLANK, ("H2",)),
        "302": (Colour.GREY, ("H5",)),
    }
    assert [cell.room_no for cell in seen.cells] == ["301", "302", "201", "202", "101", "102"]
    assert seen.counts == AreaCounts(red=1, green=1, grey=3, blank=1)
    assert (seen.coloured.colour, seen.coloured.reasons) == (Colour.YELLOW, ("A5",))
    assert [(unit.label, unit.coloured.colour) for unit in seen.units] == [("1单元", Colour.YELLOW)]
    assert next(tile for tile in compound(world, rules).tiles if tile.name == "3号楼").counts == seen.counts


def test_common_parts_colour_their_unit_building_and_compound(world: World, rules: Rules) -> None:
    common(world, rules, "unit", HEATING)
    assert building(world, rules).units[0].coloured.reasons == ("A3",)
    common(world, rules, "building", LIGHT)
    common(world, rules, "compound", DemandIntent(category="03", title="大门", signs=("trapped",)))
    seen = building(world, rules)
    assert seen.coloured == needs_map.Coloured(Colour.RED, ("A3",))
    assert [(d.scope, d.coloured.colour) for d in seen.public] == [("unit", Colour.RED), ("building", Colour.GREEN)]
    whole = compound(world, rules)
    assert whole.coloured.reasons == ("C1",)
    assert [demand.title for demand in whole.public] == ["大门"]
    assert next(tile for tile in whole.tiles if tile.name == "3号楼").coloured.reasons == ("A3",)


def test_danger_and_long_delay_colour_the_whole_building(world: World, rules: Rules) -> None:
    raised(world, rules, DemandIntent(category="03", title="困人", signs=("trapped",)), "b3:201")
    assert building(world, rules).coloured.reasons == ("A1",)
    raised(world, rules, DemandIntent(category="05", title="绿化"), "b1:201")
    world.clock.forward(days=40)
    assert building(world, rules, name="b1").coloured.reasons == ("A2",)
    assert {unit.coloured.reasons for unit in building(world, rules, name="b1").units} == {("A2",)}


def test_one_category_alone_can_be_shown(world: World, rules: Rules) -> None:
    raised(world, rules, HEATING, "b3:201")
    assert compound(world, rules, category="05").counts.red == 0
    assert compound(world, rules, category="02").counts.red == 1


def test_a_head_sees_own_buildings_and_no_colour_of_the_rest(world: World, rules: Rules) -> None:
    raised(world, rules, HEATING, "b1:201")
    seen = compound(world, rules, by="head3")
    assert [tile.name for tile in seen.tiles] == ["3号楼"]
    assert seen.coloured.colour is Colour.NONE
    assert why(world, rules, "b1:201", by="head3") is None
    assert building(world, rules, by="head3", name="b1").cells == ()
    places = needs_map.compounds(world.store.db, world.viewer("head3"))
    assert [(place.name, place.buildings, place.is_whole) for place in places] == [("向阳里", 1, False)]
    assert needs_map.compounds(world.store.db, world.viewer("staff"))[0].is_whole
    assert needs_map.compounds(world.store.db, world.viewer("mediator")) == ()


def test_why_names_every_open_demand_worst_first(world: World, rules: Rules) -> None:
    raised(world, rules, LIGHT, "b3:201")
    raised(world, rules, HEATING, "b3:201")
    raised(world, rules, DemandIntent(category="08", title="老年餐"), "b3:201")
    found = why(world, rules, "b3:201")
    assert found is not None
    assert (found.building_name, found.unit_label, found.room_no) == ("3号楼", "1单元", "201")
    assert [(d.category, d.coloured.colour.value, d.is_sensitive) for d in found.demands] == [
        ("02", "red", False),
        ("08", "yellow", True),
        ("05", "green", False),
    ]
    assert found.coloured.reasons == ("R1",)
    assert why(world, rules, "nowhere") is None


def test_rooms_without_a_unit_stand_in_a_column_of_their_own(world: World, rules: Rules) -> None:
    world.store.seed(
        [new("household", ident("shop"), building_id=world.id("b3"), floor=1, room_no="商1", occupancy="owner")]
    )
    seen = building(world, rules)
    assert [unit.unit_id for unit in seen.units] == [world.id("b3:unit"), ""]
    assert [cell.room_no for cell in seen.cells if not cell.unit_id] == ["商1"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    category=st.sampled_from(["01", "02", "03", "05", "06", "15"]),
    mode=st.sampled_from(["in_person", "phone", "paper"]),
    evaluation=st.sampled_from(["satisfied", "mostly", "not_reached"]),
    late=st.integers(0, 30),
)
def test_told_and_evaluated_a_red_cell_turns_green(
    world: World, rules: Rules, category: str, mode: str, evaluation: str, late: int
) -> None:
    visited(world, "b3:201", "2026-11-22")
    demand_id = raised(world, rules, DemandIntent(category=category, title="急事", life_safety=True), "b3:201")
    found = why(world, rules, "b3:201")
    assert found is not None
    assert found.coloured.colour is Colour.RED
    world.clock.forward(days=late)
    moved(world, rules, demand_id, "accept")
    moved(world, rules, demand_id, "resolve", result="办好了", close_kind="substantive")
    today = world.store.act(world.as_("staff")).today
    moved(world, rules, demand_id, "reply", replied_on=today, reply_mode=mode)
    moved(world, rules, demand_id, "evaluate", evaluation=evaluation)
    found = why(world, rules, "b3:201")
    assert found is not None
    assert (found.coloured.colour, found.coloured.reasons) == (Colour.GREEN, ("H4",))
    world.clock.forward(days=-late)
