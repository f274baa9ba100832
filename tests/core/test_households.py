"""Households: what may be changed how, people and children, hints, notices, pairings, and new buildings."""

from dataclasses import replace

import pytest

from sync.domain.act import Act
from sync.domain.building_plan import (
    BuildingFacts,
    BuildingIntent,
    Duplex,
    FloorRule,
    layout,
    new_building,
    unit_labels,
)
from sync.domain.calendar import WEEKDAYS_ONLY, instant
from sync.domain.households import (
    CardIntent,
    HouseholdFacts,
    HouseholdIntent,
    ResidentIntent,
    check_phone,
    edit_card,
    edit_household,
    give_notice,
    is_child,
    move_out,
    suggest_care,
)
from sync.domain.kinds.people import CarePairing, Household, Resident
from sync.domain.kinds.places import Grant
from sync.domain.operations import Operation
from sync.domain.pairing import CareFacts, PairingIntent, care_due_on, end_pairing, pair_care, visit_due_on
from sync.domain.roles import Places, Viewer
from sync.errors import AccessError, RuleError

PLACES = Places("community", {"compound": frozenset({"b3"})}, {"grid": frozenset({"b3"})})
SCOPES = {
    "building_head": ("building", "b3"),
    "grid_worker": ("grid", "grid"),
    "station_staff": ("compound", "compound"),
}
HOUSEHOLD = Household(id="h1", building_id="b3", room_no="501", contact_name="李桂芳", contact_phone="13700006621")
MOTHER = Resident(id="r1", household_id="h1", building_id="b3", name="李桂芳", is_householder=True)
SON = Resident(id="r2", household_id="h1", building_id="b3", name="王小宝", birth_year=2016)
FACTS = HouseholdFacts(household=HOUSEHOLD, residents=(MOTHER, SON), cluster_ids=frozenset({"g1"}))
CARE = CareFacts(household_id="h1", building_id="b3", account_ids=frozenset({"zhang", "liu"}))


def act(role: str = "building_head", *, scope: tuple[str, str] | None = None) -> Act:
    made = iter(f"new{number}" for number in range(9999))
    kind, where = scope or SCOPES[role]
    grant = Grant(id="g", account_id="me", role=role, scope_kind=kind, scope_id=where)
    viewer = Viewer("me", (grant,), PLACES)
    return Act(viewer, instant("2026-11-23 09:00"), lambda _: next(made), WEEKDAYS_ONLY)


def alone(intent: ResidentIntent, facts: HouseholdFacts) -> list[Operation]:
    """What saving the card writes when one person was entered."""
    return edit_card(act(), CardIntent(residents=(intent,)), facts)


def refused(field: str, code: str, error: RuleError) -> bool:
    return (error.field, error.code) == (field, code)


# ------------------------------------------------------------------------------------------------ the household


def test_only_what_differs_is_written() -> None:
    intent = HouseholdIntent(contact_name=" 李桂芳 ", contact_phone="138 0000 1190", occupancy="rented", cluster_id="")
    (made,) = edit_household(act(), intent, FACTS)
    assert (made.kind, made.id, made.fields) == (
        "household",
        "h1",
        {"contact_phone": "13800001190", "occupancy": "rented"},
    )
    assert edit_household(act(), HouseholdIntent(contact_phone="137-0000-6621"), FACTS) == []
    assert edit_household(act(), HouseholdIntent(), FACTS) == []


@pytest.mark.parametrize(
    ("intent", "field", "code"),
    [
        (HouseholdIntent(occupancy=""), "occupancy", "required"),
        (HouseholdIntent(occupancy="palace"), "occupancy", "unknown_choice"),
        (HouseholdIntent(contact_phone="12"), "contact_phone", "bad_phone"),
        (HouseholdIntent(emergency_phone="女儿"), "emergency_phone", "bad_phone"),
        (HouseholdIntent(emergency_phone="1" * 31), "emergency_phone", "too_long"),
        (HouseholdIntent(contact_name="长" * 10_000), "contact_name", "too_long"),
        (HouseholdIntent(cluster_id="g9"), "cluster_id", "unknown_choice"),
    ],
)
def test_a_household_refuses(intent: HouseholdIntent, field: str, code: str) -> None:
    with pytest.raises(RuleError) as caught:
        edit_household(act(), intent, FACTS)
    assert refused(field, code, caught.value)


def test_a_household_of_another_building_is_not_open() -> None:
    foreign = replace(FACTS, household=Household(id="h2", building_id="b9", room_no="1"))
    for deed in (
        lambda: edit_household(act(), HouseholdIntent(), foreign),
        lambda: alone(ResidentIntent(name="王"), foreign),
        lambda: move_out(act(), "r1", foreign),
        lambda: suggest_care(act(), "腿脚不便", foreign.household),
        lambda: give_notice(act(), foreign),
    ):
        with pytest.raises(AccessError):
            deed()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("１３７ ００００ ６６２１", "13700006621"),
        ("+86 137-0000-6621", "+8613700006621"),
        ("0537-3412345", "05373412345"),
        ("(010) 5555 0110", "01055550110"),
        ("3412345转12", "3412345转12"),
        ("400-800-1234", "4008001234"),
        ("662101", "662101"),
        ("12345", "12345"),
        ("", ""),
    ],
)
def test_a_phone_number_is_kept_as_figures(typed: str, kept: str) -> None:
    assert check_phone(typed) == kept


@pytest.mark.parametrize("typed", ["1370000662", "137000066211", "12345678901", "没有", "137****6621"])
def test_what_is_no_phone_number_is_refused(typed: str) -> None:
    with pytest.raises(RuleError) as caught:
        check_phone(typed, name="contact_phone")
    assert refused("contact_phone", "bad_phone", caught.value)


# ------------------------------------------------------------------------------------------------ its people


def test_somebody_moves_in_with_a_rare_name() -> None:
    (made,) = alone(ResidentIntent(name="𬱖𪚥", phone="13912345678", relation="女婿"), FACTS)
    assert (made.kind, made.action) == ("resident", "new")
    assert (made.fields["name"], made.fields["household_id"], made.fields["building_id"]) == ("𬱖𪚥", "h1", "b3")


def test_a_person_is_changed_by_what_differs() -> None:
    same = ResidentIntent(resident_id="r1", name="李桂芳", is_householder=True)
    assert alone(same, FACTS) == []
    (made,) = alone(replace(same, birth_year=1946, phone="13700006621"), FACTS)
    assert made.fields == {"birth_year": 1946, "phone": "13700006621"}


def test_of_a_child_only_a_number_and_the_year_are_kept() -> None:
    child = ResidentIntent(name="王明明", birth_year=2015, phone="13912345678")
    (made,) = alone(child, FACTS)
    assert (made.fields["name"], made.fields["phone"], made.fields["birth_year"]) == ("孩子1", "", 2015)
    known = replace(FACTS, residents=(MOTHER, Resident(id="r3", household_id="h1", name="孩子1", birth_year=2015)))
    (second,) = alone(child, known)
    assert second.fields["name"] == "孩子2"
    (older,) = alone(ResidentIntent(resident_id="r3", name="王明明", birth_year=2014), known)
    assert older.fields == {"birth_year": 2014}
    two = CardIntent(residents=(child, replace(child, birth_year=2018)))
    assert [made.fields["name"] for made in edit_card(act(), two, FACTS)] == ["孩子1", "孩子2"]


def test_a_child_in_care_keeps_its_name_and_an_earlier_name_is_left_alone() -> None:
    renamed = ResidentIntent(resident_id="r2", name="王大宝", birth_year=2016)
    (made,) = alone(renamed, replace(FACTS, in_care=frozenset({"r2"})))
    assert made.fields == {"name": "王大宝"}
    assert alone(replace(renamed, name="王小宝"), FACTS) == []
    (hidden,) = alone(renamed, FACTS)
    assert hidden.fields["name"] == "孩子1"


def test_the_year_in_which_a_child_turns_fourteen_counts() -> None:
    assert is_child(2012, today="2026-11-23")
    assert not is_child(2011, today="2026-11-23")
    assert not is_child(None, today="2026-11-23")


@pytest.mark.parametrize(
    ("intent", "field", "code"),
    [
        (ResidentIntent(name=" "), "name", "required"),
        (ResidentIntent(name="长" * 51), "name", "too_long"),
        (ResidentIntent(name="王", birth_year=2027), "birth_year", "bad_birth_year"),
        (ResidentIntent(name="王", birth_year=0), "birth_year", "bad_birth_year"),
        (ResidentIntent(name="王", phone="1"), "phone", "bad_phone"),
        (ResidentIntent(name="王", phone="1" * 31), "phone", "too_long"),
        (ResidentIntent(name="王", sex="x"), "sex", "unknown_choice"),
        (ResidentIntent(resident_id="r9", name="王"), "id", "unknown_record"),
    ],
)
def test_a_person_is_refused_with_the_place_in_the_form(intent: ResidentIntent, field: str, code: str) -> None:
    with pytest.raises(RuleError) as caught:
        edit_card(act(), CardIntent(residents=(ResidentIntent(name="张三"), intent)), FACTS)
    assert refused(f"residents/1/{field}", code, caught.value)


def test_a_household_has_one_householder() -> None:
    two = CardIntent(residents=(ResidentIntent(name="张三", is_householder=True),))
    with pytest.raises(RuleError) as caught:
        edit_card(act(), two, FACTS)
    assert refused("residents/0/is_householder", "one_householder", caught.value)
    passed_on = ResidentIntent(resident_id="r1", name="李桂芳")
    assert len(edit_card(act(), CardIntent(residents=(*two.residents, passed_on)), FACTS)) == 2


def test_who_moves_out_stays_in_the_record() -> None:
    (made,) = move_out(act(), "r1", FACTS)
    assert (made.action, made.fields) == ("patch", {"lives_here": False, "is_householder": False})
    (second,) = move_out(act(), "r2", FACTS)
    assert second.fields == {"lives_here": False}
    gone = replace(FACTS, residents=(Resident(id="r1", household_id="h1", name="李", lives_here=False),))
    assert move_out(act(), "r1", gone) == []
    with pytest.raises(RuleError):
        move_out(act(), "r9", FACTS)


# ------------------------------------------------------------------------------------------------ hints and notices


def test_a_hint_goes_to_the_station() -> None:
    (made,) = suggest_care(act(), " 好几天没见开灯 ", HOUSEHOLD)
    assert made.kind == "care_suggestion"
    assert (made.fields["note"], made.fields["suggested_by"]) == ("好几天没见开灯", "me")
    for note, code in ((" ", "required"), ("长" * 10_000, "too_long")):
        with pytest.raises(RuleError) as caught:
            suggest_care(act(), note, HOUSEHOLD)
        assert refused("note", code, caught.value)


def test_notice_is_given_once() -> None:
    (made,) = give_notice(act(), FACTS, way="paper", given_on="2026-11-20")
    assert (made.fields["given_on"], made.fields["way"], made.fields["given_by"]) == ("2026-11-20", "paper", "me")
    for facts, options, field, code in (
        (replace(FACTS, notice_id="n1"), {}, "id", "exists"),
        (FACTS, {"given_on": "2026-11-24"}, "given_on", "future_date"),
        (FACTS, {"given_on": "gestern"}, "given_on", "bad_date"),
        (FACTS, {"way": "pigeon"}, "way", "unknown_choice"),
    ):
        with pytest.raises(RuleError) as caught:
            give_notice(act(), facts, **options)
        assert refused(field, code, caught.value)


# ------------------------------------------------------------------------------------------------ care


def test_a_pairing_says_by_when_and_not_why() -> None:
    intent = PairingIntent(household_id="h1", responsible_id="zhang", substitute_id="liu", resident_id="r1")
    pairing, due = pair_care(act("station_staff"), intent, replace(CARE, last_contact_on="2026-11-10"))
    assert (pairing.kind, pairing.fields["level"], pairing.fields["since"]) == ("care_pairing", "B", "2026-11-23")
    assert (due.kind, due.action, due.fields["due_on"]) == ("care_due", "new", "2026-12-10")
    assert set(due.fields) == {"household_id", "building_id", "due_on"}


def test_the_earliest_pairing_counts_and_the_last_one_takes_the_day_with_it() -> None:
    weekly = CarePairing(id="p1", household_id="h1", level="A", since="2026-11-01")
    ended = CarePairing(id="p2", household_id="h1", level="A", since="2020-01-01", until="2026-11-01")
    assert care_due_on([weekly, ended], last_contact_on="2026-11-20", today="2026-11-23") == "2026-11-27"
    assert care_due_on([weekly], last_contact_on=None, today="2026-11-23") == "2026-11-01"
    assert care_due_on([ended], last_contact_on=None, today="2026-11-23") is None
    assert care_due_on([ended], last_contact_on=None, today="2026-11-01") is None  # the server reckons likewise
    facts = replace(CARE, pairings=(weekly,), has_due=True)
    end, due = end_pairing(act("grid_worker"), "p1", facts)
    assert (end.fields, due.fields) == ({"until": "2026-11-23"}, {"due_on": None})
    assert len(end_pairing(act("grid_worker"), "p1", replace(facts, has_due=False))) == 1
    with pytest.raises(RuleError):
        end_pairing(act("grid_worker"), "p9", facts)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"responsible_id": ""}, "responsible_id", "required"),
        ({"responsible_id": "nobody"}, "responsible_id", "unknown_choice"),
        ({"substitute_id": "nobody"}, "substitute_id", "unknown_choice"),
        ({"level": "N"}, "level", "unknown_choice"),
        ({"since": "now"}, "since", "bad_date"),
    ],
)
def test_a_pairing_refuses(change: dict[str, str], field: str, code: str) -> None:
    with pytest.raises(RuleError) as caught:
        pair_care(
            act("station_staff"), replace(PairingIntent(household_id="h1", responsible_id="zhang"), **change), CARE
        )
    assert refused(field, code, caught.value)


def test_a_head_arranges_no_care() -> None:
    with pytest.raises(AccessError):
        pair_care(act(), PairingIntent(household_id="h1", responsible_id="zhang"), CARE)
    with pytest.raises(AccessError):
        end_pairing(act(), "p1", CARE)


@pytest.mark.parametrize(
    ("contact_on", "care_on", "due_on"),
    [
        (None, None, None),
        (None, "2026-12-01", "2026-12-01"),
        ("2026-05-01", None, "2026-11-01"),
        ("2026-11-01", "2026-11-08", "2026-11-08"),
        ("2026-11-10", "2026-11-08", "2027-05-10"),  # called on after the day was asked for
    ],
)
def test_the_day_of_a_visit(contact_on: str | None, care_on: str | None, due_on: str | None) -> None:
    assert visit_due_on(contact_on, care_due_on=care_on) == due_on


# ------------------------------------------------------------------------------------------------ buildings

HOUSE = BuildingIntent(compound_id="compound", name="8号楼", floors_above=6, rooms=2, units=unit_labels(2))
NO_NAMES = BuildingFacts(frozenset(), 9)


def rooms(intent: BuildingIntent) -> list[str]:
    return [f"{door.unit + 1}-{door.room_no}" for door in layout(intent)]


def test_a_regular_building() -> None:
    doors = layout(HOUSE)
    assert len(doors) == 24
    assert (doors[0].room_no, doors[-1].room_no, doors[-1].unit) == ("101", "602", 1)
    assert unit_labels(0) == ("",)


def test_an_irregular_building() -> None:
    house = replace(
        HOUSE,
        floors_below=1,
        rooms_below=3,
        floors=(
            FloorRule(first=1, last=1, rooms=4, occupancy="non_residential"),
            FloorRule(first=4, last=4, rooms=0, unit="2"),
        ),
        missing=("1-201", "301至302"),
        duplexes=(Duplex("1-501"),),
    )
    doors = {f"{door.unit + 1}-{door.room_no}": door for door in layout(house)}
    assert doors["1-B103"].floor == -1
    assert doors["2-104"].occupancy == "non_residential"
    assert doors["1-501"].span == 2
    assert not {"2-401", "1-201", "1-301", "2-302", "1-601"} & set(doors)
    assert {"1-401", "2-201", "2-601", "1-602"} <= set(doors)


def test_a_duplex_over_the_ground() -> None:
    house = replace(HOUSE, units=("",), floors_below=1, rooms_below=2, duplexes=(Duplex("B101", 3),))
    doors = {door.room_no: door for door in layout(house)}
    assert doors["B101"].span == 3
    assert not {"101", "201"} & set(doors)
    assert "102" in doors


def test_rooms_may_be_named_with_a_unit_that_is_the_only_one() -> None:
    house = replace(HOUSE, units=("",), missing=("2-401",))
    assert "1-401" not in rooms(house)
    assert "2-401" not in rooms(replace(HOUSE, missing=("2单元401室",)))


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"floors_above": 0}, "floors_above", "out_of_range"),
        ({"floors_above": 200}, "floors_above", "out_of_range"),
        ({"floors_below": 11}, "floors_below", "out_of_range"),
        ({"rooms": 0}, "rooms", "out_of_range"),
        ({"rooms_below": 61}, "rooms_below", "out_of_range"),
        ({"units": ()}, "units", "out_of_range"),
        ({"units": ("1单元", "1")}, "units", "exists"),
        ({"floors": (FloorRule(first=7, last=7),)}, "floors", "no_such_floor"),
        ({"floors": (FloorRule(first=3, last=2),)}, "floors", "no_such_floor"),
        ({"floors": (FloorRule(first=-1, last=1),)}, "floors", "no_such_floor"),
        ({"floors": (FloorRule(first=1, last=1, unit="9"),)}, "floors", "no_such_unit"),
        ({"floors": (FloorRule(first=1, last=1, rooms=61),)}, "floors", "out_of_range"),
        ({"floors": (FloorRule(first=1, last=1, occupancy="moon"),)}, "floors", "unknown_choice"),
        ({"floors": (FloorRule(first=1, last=6, rooms=0),)}, "rooms", "no_doors"),
        ({"missing": ("909",)}, "missing", "no_such_room"),
        ({"missing": ("这里",)}, "missing", "unreadable_address"),
        ({"duplexes": (Duplex("601"),)}, "duplexes", "no_such_room"),
        ({"duplexes": (Duplex("501", 1),)}, "duplexes", "out_of_range"),
        ({"floors_above": 100, "rooms": 60}, "rooms", "building_too_large"),
    ],
)
def test_a_building_refuses(change: dict[str, object], field: str, code: str) -> None:
    with pytest.raises(RuleError) as caught:
        layout(replace(HOUSE, **change))
    assert refused(field, code, caught.value)


def test_a_new_building_with_everything_in_it() -> None:
    made = new_building(act("station_staff"), HOUSE, NO_NAMES)
    building, first_unit, *_ = made
    assert (building.fields["name"], building.fields["position"], building.fields["grid_id"]) == ("8号楼", 9, None)
    assert (first_unit.fields["label"], first_unit.fields["building_id"]) == ("1单元", building.id)
    homes = [operation for operation in made if operation.kind == "household"]
    assert len(homes) == 24
    assert {home.fields["unit_id"] for home in homes} == {made[1].id, made[2].id}
    by_worker = new_building(act("grid_worker"), HOUSE, NO_NAMES)
    assert by_worker[0].fields["grid_id"] == "grid"


def test_a_new_building_refuses() -> None:
    with pytest.raises(AccessError):
        new_building(act(), HOUSE, NO_NAMES)
    for change, facts, code in (
        ({"name": " "}, NO_NAMES, "required"),
        ({"name": "八栋"}, BuildingFacts(frozenset({"8"}), 1), "exists"),
        ({"name": "长" * 10_000}, NO_NAMES, "too_long"),
    ):
        with pytest.raises(RuleError) as caught:
            new_building(act("station_staff"), replace(HOUSE, **change), facts)
        assert refused("name", code, caught.value)


def test_the_community_s_secretary_makes_a_compound_and_a_grid_on_the_way() -> None:
    secretary = act("community_secretary", scope=("community", "community"))
    intent = BuildingIntent(
        compound_id="", new_compound=" 春风里 ", new_grid="第一网格", name="1号楼", floors_above=1, rooms=1
    )
    compound, grid, building, *_ = new_building(secretary, intent, BuildingFacts(frozenset(), 1))
    assert [(made.kind, made.fields["name"]) for made in (compound, grid)] == [
        ("compound", "春风里"),
        ("grid", "第一网格"),
    ]
    assert (building.fields["compound_id"], building.fields["grid_id"]) == (compound.id, grid.id)
    staff = act("station_staff")
    with pytest.raises(AccessError, match="out_of_scope"):
        new_building(staff, intent, BuildingFacts(frozenset(), 1))


@pytest.mark.parametrize(("name", "code"), [(" ", "required"), ("向阳里", "exists"), ("春" * 501, "too_long")])
def test_a_new_compound_has_a_name_of_its_own(name: str, code: str) -> None:
    secretary = act("community_secretary", scope=("community", "community"))
    intent = BuildingIntent(compound_id="", new_compound=name, name="1号楼", floors_above=1, rooms=1)
    with pytest.raises(RuleError) as caught:
        new_building(secretary, intent, BuildingFacts(frozenset(), 1, frozenset({"向阳里"})))
    assert refused("new_compound", code, caught.value)
