from dataclasses import replace

import pytest

from sync.domain import operations
from sync.domain.demands import DemandIntent
from sync.domain.disputes import NoticeIntent
from sync.domain.ids import derived_id
from sync.domain.protection import ReportIntent
from sync.domain.visit_facts import KnockIntent, VisitIntent
from sync.domain.visiting import as_change
from sync.errors import AccessError, RuleError
from sync.store import visits
from world import World

TODAY = "2026-11-23"
LEAK = DemandIntent(category="01", title="厨房漏水")


def record(world: World, room: str = "b3:201", *, who: str = "head3", **fields: object) -> visits.Recorded:
    intent = VisitIntent(household_id=world.id(room), **fields)  # type: ignore[arg-type]
    return visits.record(world.store, world.as_(who), intent)


def knock(world: World, room: str, outcome: str, *, who: str = "head3", **fields: str) -> visits.Recorded:
    intent = KnockIntent(household_id=world.id(room), outcome=outcome, **fields)
    return visits.knock(world.store, world.as_(who), intent)


def rows(world: World, kind: str) -> int:
    return int(world.store.db.conn.execute(f'SELECT count(*) FROM "{kind}" WHERE deleted = 0').fetchone()[0])


def open_campaign(world: World) -> None:
    world.store.seed(
        [
            operations.new(
                "visit_campaign",
                derived_id("campaign"),
                name="七进楼栋",
                rounds=("一进楼栋", "二进楼栋"),
                open_round=2,
                starts_on="2026-11-01",
                state="open",
            )
        ]
    )


# ---------------------------------------------------------------------------------------------------- reading


def test_the_head_line_of_a_household(world: World) -> None:
    household = world.id("b3:201")
    before = visits.header(world.store.db, world.viewer("head3"), household)
    assert before is not None
    assert (before.label, before.contact_name, before.last_visit_on, before.told_on) == ("3-1-201", "杨帆", None, None)
    record(world, note="都好", notice_given=True)
    after = visits.header(world.store.db, world.viewer("head3"), household)
    assert after is not None
    assert (after.last_visit_on, after.last_outcome, after.told_on) == (TODAY, "met", TODAY)
    assert visits.header(world.store.db, world.viewer("head1"), household) is None
    plain = visits.header(world.store.db, world.viewer("mediator"), household)
    assert plain is None  # a mediator reads cases, not doors


def test_a_head_sees_of_others_only_the_outcome(world: World) -> None:
    open_campaign(world)
    record(world, who="grid", note="家里有事", reasons=("campaign",), notice_given=True, demands=(LEAK,))
    world.clock.forward(minutes=5)
    record(world, outcome="refused", note="不想说")
    own, others = visits.timeline(world.store.db, world.viewer("head3"), world.id("b3:201"))
    assert (own.is_own, own.note) == (True, "不想说")
    assert others == visits.PastVisit(others.visit_id, TODAY, "met", False, (), "", "", ())
    seen = visits.timeline(world.store.db, world.viewer("staff"), world.id("b3:201"))
    assert [visit.note for visit in seen] == ["不想说", "家里有事"]
    assert (seen[1].round_name, seen[1].reasons) == ("二进楼栋", ("campaign",))
    assert seen[1].demands == (("厨房漏水", "collected"),)
    assert visits.timeline(world.store.db, world.viewer("head1"), world.id("b3:201")) == ()


def test_what_was_recorded_today(world: World) -> None:
    record(world, demands=(LEAK,), notice_given=True)
    world.clock.forward(minutes=1)
    knock(world, "b3:202", "no_answer")
    record(world, who="grid")
    entries = visits.today_entries(world.store.db, world.viewer("head3"), today=TODAY)
    assert [(e.label, e.outcome, e.demands) for e in entries] == [("3-1-202", "no_answer", 0), ("3-1-201", "met", 1)]
    world.clock.forward(days=1)
    assert visits.today_entries(world.store.db, world.viewer("head3"), today="2026-11-24") == ()


def test_the_open_campaign_and_its_round(world: World) -> None:
    assert visits.campaign(world.store.db, world.viewer("head3"), today=TODAY) is None
    open_campaign(world)
    found = visits.campaign(world.store.db, world.viewer("head3"), today=TODAY)
    assert found == visits.CampaignRound(derived_id("campaign"), "七进楼栋", 2, "二进楼栋")
    assert visits.campaign(world.store.db, world.viewer("head3"), today="2026-10-01") is None
    recorded = record(world)
    row = world.store.db.conn.execute("SELECT round_no FROM visit WHERE id = ?", (recorded.visit_id,)).fetchone()
    assert row == (2,)


def test_the_marks_of_a_day_and_band(world: World) -> None:
    knock(world, "b3:301", "met")
    knock(world, "b3:302", "no_answer", who="grid")
    knock(world, "b3:201", "met", time_band="evening")
    due = operations.new(
        "care_due",
        derived_id("due"),
        household_id=world.id("b3:101"),
        building_id=world.id("b3"),
        due_on=TODAY,
    )
    world.store.seed([due])
    found = visits.batch(world.store.db, world.viewer("head3"), world.id("b3"), day=TODAY, band="morning", today=TODAY)
    assert (found.name, found.campaign) == ("3号楼", None)
    assert [(door.room_no, door.outcome, door.is_own) for door in found.doors] == [
        ("301", "met", True),
        ("302", "no_answer", False),
        ("201", "", False),
        ("202", "", False),
        ("101", "", False),
        ("102", "", False),
    ]
    assert [door.room_no for door in found.doors if door.is_due] == ["101"]
    other = visits.batch(world.store.db, world.viewer("head1"), world.id("b3"), day=TODAY, band="morning", today=TODAY)
    assert other.doors == ()


def test_a_door_that_did_not_open_in_three_bands(world: World) -> None:
    for band in ("morning", "afternoon", "evening"):
        knock(world, "b3:201", "no_answer", time_band=band)
        knock(world, "b3:202", "no_answer", time_band="morning", visited_on="2026-11-22")
    found = visits.batch(world.store.db, world.viewer("head3"), world.id("b3"), day=TODAY, band="evening", today=TODAY)
    assert [(door.label, sorted(door.bands), door.count) for door in found.hard] == [
        ("3-1-201", ["afternoon", "evening", "morning"], 3)
    ]


@pytest.mark.parametrize(
    ("knocks", "is_hard"),
    [
        ("1 morning, 2 afternoon", False),
        ("1 morning, 2 morning, 3 morning", False),
        ("1 morning, 2 afternoon, 3 evening", True),
        ("1 morning, 2 weekend, 2 evening, 4 morning", True),
        ("1 morning, 2 afternoon, 3 evening refused", False),
        ("1 morning, 2 afternoon met, 3 evening, 4 weekend", False),
        ("4 evening met, 1 morning, 2 afternoon, 3 weekend", False),
    ],
)
def test_hard_to_reach_is_three_bands_since_the_last_contact(world: World, knocks: str, is_hard: bool) -> None:
    place = {"household_id": world.id("b3:201"), "building_id": world.id("b3")}
    made = []
    for number, knocked in enumerate(knocks.split(", ")):
        day, band, *outcome = knocked.split()
        what = {"visited_on": f"2026-11-0{day}", "time_band": band, "outcome": (*outcome, "no_answer")[0]}
        made.append(operations.new("visit", derived_id("knock", str(number)), **place, **what))
    world.store.seed(made)
    found = visits.batch(world.store.db, world.viewer("head3"), world.id("b3"), day=TODAY, band="evening", today=TODAY)
    assert bool(found.hard) is is_hard


def test_the_buildings_one_knocks_in(world: World) -> None:
    def names(who: str) -> list[str]:
        return [name for _, name in visits.buildings(world.store.db, world.viewer(who))]

    assert names("head3") == ["3号楼"]
    assert names("grid") == ["1号楼", "2号楼", "3号楼"]
    assert names("mediator") == []


def test_the_next_door(world: World) -> None:
    viewer = world.viewer("head3")
    assert visits.next_door(world.store.db, viewer, world.id("b3:301")) == world.id("b3:302")
    assert visits.next_door(world.store.db, viewer, world.id("b3:302")) == world.id("b3:201")
    assert visits.next_door(world.store.db, viewer, world.id("b3:102")) == ""
    assert visits.next_door(world.store.db, world.viewer("head1"), world.id("b3:301")) == ""


# ---------------------------------------------------------------------------------------------------- recording


def test_one_save_holds_the_visit_and_all_that_was_raised(world: World) -> None:
    saved = record(
        world,
        note="屋里只有 15 度",
        notice_given=True,
        demands=(LEAK, replace(LEAK, title="窗户漏风")),
        dispute=NoticeIntent(title="楼上漏水吵起来"),
    )
    assert ("visit", saved.visit_id) in saved.touched
    assert {kind: rows(world, kind) for kind in ("visit", "privacy_notice", "demand", "dispute")} == {
        "visit": 1,
        "privacy_notice": 1,
        "demand": 2,
        "dispute": 1,
    }


def test_nothing_is_kept_of_a_visit_that_breaks_a_rule(world: World) -> None:
    with pytest.raises(RuleError, match="required"):
        record(world, notice_given=True, demands=(replace(LEAK, title=" "),))
    assert rows(world, "visit") == rows(world, "privacy_notice") == 0


def test_rare_characters_survive(world: World) -> None:
    saved = record(world, note="𬱖老师家 🏠", contact_person="秦𬱖", notice_given=True)
    known = visits.known(world.store.db, world.viewer("head3"), saved.visit_id)
    assert known is not None
    assert (known.note, known.contact_person) == ("𬱖老师家 🏠", "秦𬱖")
    assert visits.known(world.store.db, world.viewer("head1"), saved.visit_id) is None


def test_another_heads_household_is_out_of_reach(world: World) -> None:
    with pytest.raises(AccessError, match="out_of_scope"):
        record(world, who="head1")


def test_only_who_may_read_the_level_reckons_with_it(world: World) -> None:
    pairing = operations.new(
        "care_pairing",
        derived_id("pairing"),
        household_id=world.id("b3:201"),
        building_id=world.id("b3"),
        level="A",
        responsible_id=world.as_("grid"),
    )
    world.store.seed([pairing])

    def due(who: str) -> str:
        statement = "SELECT next_due_on FROM visit WHERE id = ?"
        return str(world.store.db.conn.execute(statement, (record(world, who=who).visit_id,)).fetchone()[0])

    assert due("grid") == "2026-11-30"
    assert due("head3") == "2027-05-23"


def test_keys_on_doors(world: World) -> None:
    first = knock(world, "b3:201", "no_answer")
    again = knock(world, "b3:201", "no_answer")
    assert (again.visit_id, again.count, again.touched) == (first.visit_id, 0, frozenset())
    changed = knock(world, "b3:201", "met")
    assert changed.visit_id == first.visit_id
    assert rows(world, "visit") == 1


def test_the_last_key_is_taken_back(world: World) -> None:
    knock(world, "b3:201", "no_answer")
    key = KnockIntent(household_id=world.id("b3:201"), outcome="")
    head = world.as_("head3")
    knock(world, "b3:201", "met")
    visits.take_back_knock(world.store, head, key, before="no_answer")
    assert world.store.db.conn.execute("SELECT outcome FROM visit").fetchone() == ("no_answer",)
    same = visits.take_back_knock(world.store, head, key, before="no_answer")
    assert same.touched == frozenset()
    visits.take_back_knock(world.store, head, key, before="")
    assert rows(world, "visit") == 0
    with pytest.raises(RuleError, match="unknown_record"):
        visits.take_back_knock(world.store, head, key, before="")


def test_the_rest_is_filled_in_one_save(world: World) -> None:
    knock(world, "b3:201", "met")
    rest = [KnockIntent(household_id=world.id(f"b3:{room}"), outcome="no_answer") for room in (201, 202, 301)]
    filled = visits.fill(world.store, world.as_("head3"), rest)
    assert filled.count == 2
    assert rows(world, "visit") == 3
    assert visits.fill(world.store, world.as_("head3"), rest).count == 0


def test_a_matter_from_the_facade(world: World) -> None:
    key = KnockIntent(household_id=world.id("b3:201"), outcome="met")
    head = world.as_("head3")
    open_campaign(world)
    with pytest.raises(RuleError, match="notice_needed"):
        visits.add_demands(world.store, head, key, [LEAK], notice_given=False)
    first = visits.add_demands(world.store, head, key, [LEAK], notice_given=True)
    second = visits.add_demands(world.store, head, key, [LEAK], notice_given=False)
    assert (second.visit_id, second.count) == (first.visit_id, 0)
    assert (rows(world, "visit"), rows(world, "demand")) == (1, 2)


def test_a_visit_is_put_right_on_its_day(world: World) -> None:
    saved = record(world, outcome="refused")
    viewer = world.viewer("head3")
    known = visits.known(world.store.db, viewer, saved.visit_id)
    assert known is not None
    change = replace(as_change(known), note="下次再来")
    visits.change(world.store, viewer.account_id, saved.visit_id, change)
    assert world.store.db.conn.execute("SELECT note FROM visit").fetchone() == ("下次再来",)
    same = visits.change(world.store, viewer.account_id, saved.visit_id, change)
    assert same.touched == frozenset()
    with pytest.raises(RuleError, match="unknown_record"):
        visits.change(world.store, world.as_("head1"), saved.visit_id, change)
    world.clock.forward(days=1)
    with pytest.raises(RuleError, match="too_late_to_undo"):
        visits.undo(world.store, viewer.account_id, saved.visit_id)


def test_taking_a_visit_back_takes_everything_along(world: World) -> None:
    sensitive = DemandIntent(category="08", title="老人没人做饭")
    saved = record(world, notice_given=True, demands=(LEAK, sensitive), dispute=NoticeIntent(title="楼上漏水吵起来"))
    visits.undo(world.store, world.as_("head3"), saved.visit_id)
    for kind in ("visit", "privacy_notice", "demand", "demand_event", "demand_detail", "dispute", "dispute_event"):
        assert rows(world, kind) == 0
    after = visits.header(world.store.db, world.viewer("head3"), world.id("b3:201"))
    assert after is not None
    assert (after.last_visit_on, after.told_on) == (None, None)


def test_an_older_notice_stays(world: World) -> None:
    record(world, note="都好", notice_given=True)
    world.clock.forward(minutes=1)
    saved = record(world, note="又来一次")
    visits.undo(world.store, world.as_("head3"), saved.visit_id)
    assert (rows(world, "visit"), rows(world, "privacy_notice")) == (1, 1)


def test_what_somebody_has_taken_up_is_not_taken_back(world: World) -> None:
    saved = record(world, notice_given=True, demands=(LEAK,))
    demand = next(record_id for kind, record_id in saved.touched if kind == "demand")
    step = operations.new(
        "demand_event", derived_id("step"), demand_id=demand, at=world.clock(), by=world.as_("staff"), move="accept"
    )
    world.save("staff", [step])
    with pytest.raises(RuleError, match="already_in_hand"):
        visits.undo(world.store, world.as_("head3"), saved.visit_id)


def test_a_report_is_written_and_not_read_by_its_neighbours(world: World) -> None:
    report = ReportIntent(
        seen_on=TODAY, facts="孩子手臂有伤", building_id=world.id("b3"), household_id=world.id("b3:201")
    )
    touched = visits.report(world.store, world.as_("head3"), report)
    assert {kind for kind, _ in touched} == {"protection_report"}
    stream = world.store.db.conn.execute("SELECT stream FROM protection_report").fetchone()[0]
    assert stream not in world.viewer("head3").streams
    assert stream not in world.viewer("head1").streams
