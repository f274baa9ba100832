"""Today: what is due for whom, in which order, what was recorded, and the colours beside it."""

from dataclasses import replace

from sync.domain.calendar import add_days, day_of
from sync.domain.demand_moves import MoveIntent
from sync.domain.demands import DemandIntent
from sync.domain.disputes import NoticeIntent
from sync.domain.operations import new, patch
from sync.domain.pairing import PairingIntent
from sync.domain.visit_facts import KnockIntent, VisitIntent
from sync.store import demands, household_records, today, visits
from sync.store.demand_rows import DemandRow
from sync.store.dispute_rows import DisputeRow
from sync.store.today import Board, VisitDue
from world import World, rules

HEATING = DemandIntent(category="02", title="暖气不热", signs=("outage",))
LAMP = DemandIntent(category="03", title="楼道灯不亮", scope="unit")
ROOMS = ("101", "102", "201", "202", "301", "302")


def board(world: World, name: str = "head3") -> Board:
    return today.board(world.store.db, world.viewer(name), rules=rules(), now=world.clock())


def due(world: World, name: str = "head3", *, days: int = 7) -> tuple[VisitDue, ...]:
    day = day_of(world.clock())
    return today.visits_due(world.store.db, world.viewer(name), rules=rules(), today=day, until=add_days(day, days))


def met(world: World, room: str, *, day: str = "", demands: tuple[DemandIntent, ...] = ()) -> visits.Recorded:
    late = "补记" if day else ""
    intent = VisitIntent(
        household_id=world.id(room), visited_on=day, notice_given=True, late_reason=late, demands=demands
    )
    return visits.record(world.store, world.as_("head3"), intent)


def knock(world: World, room: str, outcome: str = "no_answer", **more: str) -> None:
    visits.knock(world.store, world.as_("head3"), KnockIntent(household_id=world.id(room), outcome=outcome, **more))


def all_met(world: World) -> None:
    for room in ROOMS:
        met(world, f"b3:{room}")
    world.clock.forward(days=1)


def places(visits_due: tuple[VisitDue, ...]) -> list[str]:
    return [visit.place for visit in visits_due]


# ------------------------------------------------------------------------------------------------ visits


def test_homes_never_reached_are_due_today(world: World) -> None:
    assert [visit.due_on for visit in due(world)] == [None] * 6
    assert places(due(world))[0] == "3-1-101"
    seen = board(world)
    assert (len(seen.items), seen.waiting, seen.near_count) == (6, (), 6)
    assert [visit.place for visit in seen.near] == places(due(world))[:5]


def test_the_ordinary_interval_is_half_a_year(world: World) -> None:
    all_met(world)
    assert due(world) == ()
    met(world, "b3:201", day="2026-05-28")
    assert due(world) == ()  # met again since
    world.clock.forward(days=175)
    assert [(visit.place, visit.due_on) for visit in due(world)][:1] == [("3-1-101", "2027-05-23")]
    assert len(due(world)) == 6
    assert [item for item in board(world).items if isinstance(item, VisitDue)] == []  # near, not yet pressing
    assert board(world).near_count == 6


def test_a_home_where_nobody_lives_is_not_called_on(world: World) -> None:
    world.save("staff", [patch("household", world.id("b3:101"), occupancy="vacant")])
    world.save("staff", [patch("household", world.id("b3:102"), occupancy="non_residential")])
    assert places(due(world)) == ["3-1-201", "3-1-202", "3-1-301", "3-1-302"]


def test_what_the_station_asks_for_comes_first_and_without_a_reason(world: World) -> None:
    all_met(world)
    household = world.id("b3:301")
    world.save(
        "staff",
        [new("care_due", world.id("due"), household_id=household, building_id=world.id("b3"), due_on="2026-11-27")],
    )
    (visit,) = due(world)
    assert (visit.place, visit.due_on, visit.is_agreed) == ("3-1-301", "2026-11-27", False)
    assert board(world).items == ()  # not today
    world.clock.forward(days=3)
    assert board(world).items == (visit,)
    met(world, "b3:301")
    assert due(world) == ()  # the day was met, whatever the station says later


def test_knocks_in_vain_stay_on_the_list_until_three_bands_were_tried(world: World) -> None:
    all_met(world)
    household = world.id("b3:301")
    world.save(
        "staff",
        [new("care_due", world.id("due"), household_id=household, building_id=world.id("b3"), due_on="2026-11-28")],
    )
    knock(world, "b3:301", time_band="morning")
    (visit,) = board(world).items
    assert isinstance(visit, VisitDue)
    assert (visit.tried, visit.bands, visit.due_on) == (1, ("morning",), "2026-11-28")
    knock(world, "b3:301", time_band="afternoon")
    knock(world, "b3:301", time_band="evening")
    assert board(world).items == ()
    assert due(world) == ()


def test_a_day_agreed_with_a_home_that_is_hard_to_reach_is_on_the_list(world: World) -> None:
    all_met(world)
    for band in ("morning", "afternoon", "evening"):
        knock(world, "b3:301", time_band=band)
    assert due(world) == ()
    knock(world, "b3:301", "by_appointment", time_band="weekend", appointment_on="2026-11-26")
    assert [(visit.place, visit.due_on) for visit in due(world)] == [("3-1-301", "2026-11-26")]


def test_a_pairing_that_was_ended_today_asks_for_nothing_more(world: World) -> None:
    care = PairingIntent(household_id=world.id("b3:301"), responsible_id=world.as_("grid"))
    household_records.record_pairing(world.store, world.as_("grid"), care, rules=rules().care)
    assert places(due(world, "grid")) == ["3-1-301"]
    (pairing,) = world.store.db.conn.execute("SELECT id FROM care_pairing").fetchone()
    home = world.id("b3:301")
    household_records.record_pairing_end(world.store, world.as_("grid"), home, pairing, rules=rules().care)
    assert due(world, "grid") == ()


def test_an_agreed_day_counts_before_every_other(world: World) -> None:
    all_met(world)
    knock(world, "b3:102", "by_appointment", appointment_on="2026-11-26")
    (visit,) = due(world)
    assert (visit.place, visit.due_on, visit.is_agreed) == ("3-1-102", "2026-11-26", True)
    met(world, "b3:102")
    assert due(world) == ()


def test_a_days_work_is_listed_and_the_rest_is_counted(world: World) -> None:
    doors = [
        new(
            "household",
            world.id(f"extra{n}"),
            building_id=world.id("b3"),
            unit_id=world.id("b3:unit"),
            floor=4,
            room_no=f"4{n:02}",
            slot=n,
        )
        for n in range(1, 6)
    ]
    world.save("staff", doors)
    seen = board(world)
    assert (len(seen.items), len(seen.waiting), seen.near_count) == (8, 3, 11)


def test_what_is_near_comes_before_what_was_long_ago(world: World) -> None:
    all_met(world)
    met(world, "b3:201", day="2026-11-20")  # met again since, so nothing changes
    world.clock.forward(days=184)
    knock(world, "b3:101", "by_appointment", appointment_on="2027-05-28")
    building = world.id("b3")
    asked = new("care_due", world.id("d"), household_id=world.id("b3:302"), building_id=building, due_on="2026-12-01")
    world.save("staff", [asked])
    first, second, *others = due(world)
    assert (first.place, first.is_agreed) == ("3-1-101", True)
    assert (second.place, second.due_on) == ("3-1-302", "2026-12-01")
    days = [visit.due_on or "" for visit in others]
    assert days == sorted(days, reverse=True)
    assert today._due_day(second, "2027-05-25") == (
        False,
        "2027-05-25",
        True,
    )  # not before all others


def test_a_community_without_doors_is_told_apart_from_an_empty_day(world: World) -> None:
    assert board(world).has_homes
    assert not board(world, "mediator").has_homes


def test_the_station_calls_on_homes_it_is_paired_with(world: World) -> None:
    assert due(world, "grid") == ()
    intent = PairingIntent(
        household_id=world.id("b3:301"), responsible_id=world.as_("grid"), substitute_id=world.as_("staff")
    )
    household_records.record_pairing(world.store, world.as_("staff"), intent, rules=rules().care)
    assert places(due(world, "grid")) == places(due(world, "staff")) == ["3-1-301"]
    assert due(world, "branch") == ()


# ------------------------------------------------------------------------------------------------ the whole list


def test_residents_to_be_told_come_first_then_all_by_day(world: World) -> None:
    all_met(world)
    told = met(world, "b3:201", demands=(HEATING,))
    met(world, "b3:202", demands=(LAMP,))
    visits.record(
        world.store,
        world.as_("head3"),
        VisitIntent(household_id=world.id("b3:101"), notice_given=True, dispute=NoticeIntent(title="楼上漏水")),
    )
    knock(world, "b3:102", "by_appointment", appointment_on="2026-11-24")
    heating = next(record_id for kind, record_id in told.touched if kind == "demand")
    staff = world.as_("staff")
    for name, given in (
        ("accept", MoveIntent()),
        ("start", MoveIntent()),
        ("resolve", MoveIntent(result="管道放气", close_kind="substantive")),
    ):
        demands.step(world.store, staff, heating, name, given, rules=rules())
    seen = board(world)
    first, *others = seen.items
    assert isinstance(first, DemandRow)
    assert (first.demand_id, seen.untold) == (heating, (first,))
    assert {type(item) for item in others} == {DemandRow, VisitDue, DisputeRow}
    days = [today._due_day(item, seen.today) for item in others]
    assert days == sorted(days)
    assert today._due_day(replace(first, due_at=None), seen.today) == (True, "", False)
    assert heating in {item.demand_id for item in board(world, "staff").items if isinstance(item, DemandRow)}


def test_what_is_urgent_stands_before_the_visits_of_the_day(world: World) -> None:
    met(world, "b3:202", demands=(HEATING,))
    first, *others = board(world).items
    assert isinstance(first, DemandRow)
    assert {type(item) for item in others} == {VisitDue}


def test_another_head_sees_nothing_of_it(world: World) -> None:
    met(world, "b3:201", demands=(HEATING,))
    seen = board(world, "head1")
    assert {item.place[:2] for item in seen.items if not isinstance(item, DisputeRow)} == {"1-"}
    assert (seen.entries, seen.steps, seen.untold) == ((), (), ())


# ------------------------------------------------------------------------------------------------ recorded today


def test_what_was_recorded_today_can_be_taken_back(world: World) -> None:
    recorded = met(world, "b3:201", demands=(HEATING,))
    heating = next(record_id for kind, record_id in recorded.touched if kind == "demand")
    demands.record(
        world.store,
        world.as_("head3"),
        DemandIntent(category="02", title="水表不准"),
        rules=rules(),
        household_id=world.id("b3:202"),
    )
    seen = board(world)
    assert [entry.visit_id for entry in seen.entries] == [recorded.visit_id]
    (step,) = seen.steps  # the heating was raised in the visit and goes with it
    assert (step.title, step.move, step.place) == ("水表不准", "create", "3-1-202")
    demands.take_back(world.store, world.as_("head3"), step.demand_id, step.event_id)
    visits.undo(world.store, world.as_("head3"), recorded.visit_id)
    assert (board(world).entries, board(world).steps) == ((), ())
    assert heating not in {item.demand_id for item in board(world).items if isinstance(item, DemandRow)}


def test_a_step_that_was_followed_by_another_is_not_offered(world: World) -> None:
    touched = demands.record(world.store, world.as_("head3"), HEATING, rules=rules(), household_id=world.id("b3:202"))
    heating = next(record_id for kind, record_id in touched if kind == "demand")
    demands.step(world.store, world.as_("staff"), heating, "accept", MoveIntent(), rules=rules())
    assert board(world).steps == ()
    (step,) = board(world, "staff").steps
    assert step.move == "accept"
    world.clock.forward(days=1)
    assert board(world, "staff").steps == ()


# ------------------------------------------------------------------------------------------------ the colours


def test_a_head_sees_the_own_building_and_the_station_the_compound(world: World) -> None:
    met(world, "b3:201", demands=(HEATING,))
    (own,) = today.shares(world.store.db, world.viewer("head3"), rules=rules(), now=world.clock())
    assert (own.name, own.households, own.is_building) == ("3号楼", 6, True)
    assert (own.counts.red, own.counts.grey) == (1, 5)
    (whole,) = today.shares(world.store.db, world.viewer("staff"), rules=rules(), now=world.clock())
    assert (whole.name, whole.households, whole.is_building) == ("向阳里", 18, False)
