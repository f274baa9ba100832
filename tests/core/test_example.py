"""The example community: the small one stands as the screens show it, by the rules; all sizes are what they say."""

import runpy
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sync.domain import example
from sync.domain.calendar import instant
from sync.domain.catalogue import KINDS, check_value
from sync.domain.colours import Colour, DemandFacts, count_colours, demand_colour, household_colour
from sync.domain.example import __main__ as command
from sync.domain.example.happiness import COUNTS, FRONT_3
from sync.domain.fields import Type
from sync.domain.operations import Operation
from sync.keys.codes import check_pin

NOW = instant("2026-11-23 09:00")
ROOT = Path(__file__).parents[2]


@cache
def small() -> tuple[Operation, ...]:
    return tuple(example.community("small"))


def of(kind: str) -> dict[str, dict[str, Any]]:
    return {op.id: KINDS[kind].complete(op.fields) for op in small() if op.kind == kind}


def facts(values: dict[str, Any]) -> DemandFacts:
    names = DemandFacts.__slots__
    return DemandFacts(**{name: values[name] for name in names})


def front(today: str = example.TODAY, now: int = NOW) -> dict[str, dict[str, Colour]]:
    """building → room as people say it → colour, by the rules."""
    operations = small() if today == example.TODAY else tuple(example.community("small", today=today))
    rows: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for operation in operations:
        rows[operation.kind][operation.id] = KINDS[operation.kind].complete(operation.fields)
    met: dict[str, str] = {}
    for visit in rows["visit"].values():
        if visit["outcome"] == "met":
            met[visit["household_id"]] = max(met.get(visit["household_id"], ""), visit["visited_on"])
    asked = defaultdict(list)
    for demand in rows["demand"].values():
        if demand["scope"] == "household":
            asked[demand["household_id"]].append(demand_colour(facts(demand), now=now))
    found: dict[str, dict[str, Colour]] = defaultdict(dict)
    for household_id, home in rows["household"].items():
        coloured = household_colour(
            [colour for colour in asked[household_id] if colour.colour is not Colour.NONE],
            occupancy=home["occupancy"],
            last_contact_on=met.get(household_id),
            today=today,
        )
        building = rows["building"][home["building_id"]]["name"]
        unit = rows["unit"][home["unit_id"]]["position"]
        found[building][f"{unit}-{home['room_no']}"] = coloured.colour
    return found


@pytest.mark.parametrize("building", COUNTS)
def test_every_building_has_the_counts_of_the_picture(building: str) -> None:
    counts = count_colours(front()[building].values())
    assert (counts.red, counts.yellow, counts.green, counts.grey, counts.blank) == COUNTS[building]


def test_the_whole_compound_adds_up() -> None:
    counts = count_colours(colour for rooms in front().values() for colour in rooms.values())
    assert counts.total == 438
    assert (counts.red, counts.yellow, counts.green, counts.grey, counts.blank) == (7, 45, 321, 58, 7)


def test_building_three_is_coloured_room_by_room() -> None:
    rooms = front()["3号楼"]
    for line, floor in zip(FRONT_3, range(9, 0, -1), strict=True):
        for unit, pair in enumerate(line, 1):
            for slot, colour in enumerate(pair.split(), 1):
                assert rooms[f"{unit}-{floor}{slot:02d}"].value == colour, (unit, floor, slot)


@pytest.mark.parametrize("day", ["2026-05-31", "2027-02-28", "2026-10-03"])
def test_the_counts_hold_on_any_day_to_its_end(day: str) -> None:
    found = front(day, instant(f"{day} 23:30"))
    for building, counts in COUNTS.items():
        now = count_colours(found[building].values())
        assert (now.red, now.yellow, now.green, now.grey, now.blank) == counts


def test_the_visits_due_in_building_three_are_those_of_the_picture() -> None:
    buildings, units = of("building"), of("unit")
    rooms = {
        home_id: f"{units[home['unit_id']]['position']}-{home['room_no']}"
        for home_id, home in of("household").items()
        if buildings[home["building_id"]]["name"] == "3号楼"
    }
    cared_for = {
        rooms[row["household_id"]]: row["due_on"] for row in of("care_due").values() if row["household_id"] in rooms
    }
    assert cared_for == {"3-101": "2026-11-23", "2-501": "2026-12-20"}
    last: dict[str, str] = {}
    for visit in of("visit").values():
        if visit["outcome"] == "met":
            last[visit["household_id"]] = visit["next_due_on"]
    three = {room: last.get(home_id, "") for home_id, room in rooms.items()}
    soon = {room: day for room, day in three.items() if day and day <= "2026-11-30"}
    assert soon == {"3-101": "2026-11-23", "3-402": "2026-11-28", "1-502": "2026-11-30"}


def test_what_the_head_sees_is_there() -> None:
    staff = {person.key: person for person in example.people("small")}
    me = staff["head3"]
    assert (me.name, len(staff)) == ("王秀兰", 19)
    mine = [demand for demand in of("demand").values() if demand["recorded_by"] == me.account_id]
    is_open = [demand for demand in mine if demand["state"] in ("resolved", "taken", "collected")]
    assert sorted(demand["title"] for demand in is_open) == ["暖气不热，室温15度", "楼道灯不亮"]
    disputes = [dispute for dispute in of("dispute").values() if dispute["noticed_by"] == me.account_id]
    assert {(d["title"], d["state"]) for d in disputes} == {
        ("晾衣滴水", "noticed"),
        ("卫生间漏水", "mediating"),
        ("楼道堆物", "settled_on_spot"),
    }
    case = next(dispute for dispute in disputes if dispute["state"] == "mediating")
    assert (case["due_on"], case["mediator_ids"]) == ("2026-12-14", [staff["mediator"].account_id])


def test_pins_are_good_enough_and_given_to_three() -> None:
    pins = [person.pin for person in example.people("small") if person.pin]
    assert len(set(pins)) == 3
    for pin in pins:
        check_pin(pin)


def test_every_value_is_one_the_catalogue_takes() -> None:
    for operation in small():
        kind = KINDS[operation.kind]
        for name, value in operation.fields.items():
            check_value(kind, name, value)


def test_every_reference_leads_somewhere() -> None:
    known = {(operation.kind, operation.id) for operation in small()}
    assert len(known) == len(small())
    for operation in small():
        for name, field in KINDS[operation.kind].fields.items():
            value = operation.fields.get(name)
            if field.type is Type.REF and value:
                assert (field.refers, value) in known, (operation.kind, name)


def test_nothing_happened_after_today() -> None:
    for operation in small():
        for name in ("at", "recorded_at", "reported_at", "resolved_at"):
            assert (operation.fields.get(name) or 0) < NOW, (operation.kind, operation.fields)


def test_the_same_seed_makes_the_same_community() -> None:
    assert tuple(example.community("small")) == small()
    other = tuple(example.community("small", seed=7))
    assert {op.id for op in other if op.kind == "building"} == {op.id for op in small() if op.kind == "building"}
    assert other != small()


def test_a_station_has_its_size_and_irregular_buildings() -> None:
    counts: Counter[str] = Counter()
    cells: Counter[str] = Counter()
    met = knocks = 0
    names = []
    for operation in example.community("station"):
        counts[operation.kind] += 1
        if operation.kind == "household":
            cells[operation.fields["building_id"]] += 1
            names.append(operation.fields["contact_name"])
        elif operation.kind == "visit" and operation.fields["outcome"] != "vacant":
            knocks += 1
            met += operation.fields["outcome"] == "met"
    expected = {"household": 3000, "resident": 8000, "visit": 100_000, "demand": 3000, "dispute": 350, "building": 21}
    assert {kind: counts[kind] for kind in expected} == expected
    assert cells.most_common(1)[0][1] == 272
    assert 60 in cells.values()
    assert 0.10 < met / knocks < 0.12
    assert any(ord(letter) > 0xFFFF for name in names for letter in name)
    assert any(name.startswith("欧阳") for name in names)


def test_the_command_prints_the_counts_and_the_pins(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--size", "small"]) == 0
    said = capsys.readouterr().out
    assert "household" in said
    assert "438" in said
    assert "王秀兰" in said


def test_the_file_is_a_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["example", "--size", "small", "--today", "2026-05-31"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "sync" / "domain" / "example" / "__main__.py"), run_name="__main__")
    assert ended.value.code == 0
    assert "household" in capsys.readouterr().out


def test_the_community_has_one_id_whatever_the_day() -> None:
    assert next(iter(of("community"))) == example.community_id("small")
    assert len({example.community_id(size) for size in example.SIZES}) == 3
