"""Demands in the store: raised, moved, told, taken back; and what each role reads of them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync.domain.categories import CARE_MATTER
from sync.domain.colour_rules import Colour
from sync.domain.demand_moves import MoveIntent
from sync.domain.demands import DemandIntent, DemandPlace
from sync.domain.rules import Rules, load_rules
from sync.errors import AccessError, RuleError
from sync.store import demands
from sync.store.store import Store
from world import DAY, ROOT, World

HEATING = DemandIntent(category="02", title="暖气不热，室温 15 度", signs=("outage",))
MEALS = DemandIntent(category="08", title="想订老年餐", details="老伴住院", raised_by="李奶奶")


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules(ROOT / "resources")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def raised(
    world: World, rules: Rules, intent: DemandIntent = HEATING, *, by: str = "head3", room: str = "b3:201"
) -> str:
    touched = demands.record(world.store, world.as_(by), intent, rules=rules, household_id=world.id(room))
    return next(record_id for kind, record_id in touched if kind == "demand")


def moved(world: World, rules: Rules, demand_id: str, name: str, *, by: str = "staff", **fields: str) -> None:
    demands.step(world.store, world.as_(by), demand_id, name, MoveIntent(**fields), rules=rules)


def card(world: World, rules: Rules, demand_id: str, *, by: str = "staff") -> demands.DemandCard:
    found = demands.card(world.store.db, world.viewer(by), demand_id, rules=rules, now=world.clock())
    assert found is not None
    return found


def ids(rows: tuple[demands.DemandRow, ...]) -> list[str]:
    return [row.demand_id for row in rows]


def test_a_demand_goes_the_whole_way(world: World, rules: Rules) -> None:
    demand_id = raised(world, rules)
    seen = card(world, rules, demand_id)
    assert (seen.row.place, seen.row.title, seen.row.coloured.colour) == ("3-1-201", HEATING.title, Colour.RED)
    assert seen.row.due_at == seen.respond_due_at == world.clock() + DAY
    assert seen.next_move == "accept"
    moved(world, rules, demand_id, "accept")
    assert card(world, rules, demand_id).row.handler_name == "刘敏"
    moved(world, rules, demand_id, "dispatch", partner_id=world.id("property"), note="请今天去看")
    moved(world, rules, demand_id, "take")
    moved(world, rules, demand_id, "start")
    assert card(world, rules, demand_id).row.due_at == card(world, rules, demand_id).resolve_due_at
    moved(world, rules, demand_id, "resolve", result="换了阀门", close_kind="substantive")
    told = card(world, rules, demand_id, by="head3")
    assert (told.row.state, told.next_move, told.row.coloured.colour) == ("resolved", "reply", Colour.GREEN)
    assert told.row.due_at is not None
    assert told.row.due_at > world.clock()
    viewer = world.viewer("head3")
    assert ids(demands.untold(world.store.db, viewer, rules=rules, now=world.clock())) == [demand_id]
    assert ids(demands.today_items(world.store.db, viewer, rules=rules, now=world.clock())) == [demand_id]
    moved(world, rules, demand_id, "reply", by="head3", replied_on="2026-11-23", reply_mode="in_person")
    assert card(world, rules, demand_id, by="head3").next_move == "evaluate"
    moved(world, rules, demand_id, "evaluate", by="head3", evaluation="satisfied")
    done = card(world, rules, demand_id)
    assert (done.row.state, done.row.coloured.colour, done.next_move) == ("evaluated", Colour.NONE, "archive")
    moved(world, rules, demand_id, "archive")
    assert [step.move for step in card(world, rules, demand_id).steps] == [
        *("create", "accept", "dispatch", "take", "start", "resolve", "reply", "evaluate", "archive")
    ]
    assert card(world, rules, demand_id).steps[2].note == "顺达物业 · 请今天去看"
    assert demands.counts(world.store.db, viewer)["finished"] == 1
    assert demands.counts(world.store.db, viewer, since=world.clock() + 1)["finished"] == 0


def test_lists_are_by_stage_category_and_author(world: World, rules: Rules) -> None:
    heating = raised(world, rules)
    light = raised(world, rules, DemandIntent(category="05", title="楼道堆物"), by="staff", room="b1:101")
    db, now = world.store.db, world.clock()
    staff, head = world.viewer("staff"), world.viewer("head3")
    assert demands.listed(db, staff) == (heating, light)
    assert demands.listed(db, staff, newest=True) == (light, heating)
    assert demands.listed(db, head) == (heating,)
    assert demands.listed(db, staff, stage="to_accept", category="05") == (light,)
    assert demands.listed(db, staff, own=True) == (light,)
    found = demands.by_ids(db, head, (light, heating), rules=rules, now=now)
    assert [row.demand_id if row else None for row in found] == [None, heating]
    moved(world, rules, light, "answer_on_spot", result="当场清走")
    assert demands.listed(db, staff, stage="finished") == (light,)
    assert demands.counts(db, staff) == {
        **dict.fromkeys(demands.STAGES, 0),
        "to_accept": 1,
        "finished": 1,
    }
    found = demands.of_household(db, staff, world.id("b1:101"), rules=rules, now=now)
    assert [(row.demand_id, row.due_at) for row in found] == [(light, None)]
    assert demands.of_household(db, head, world.id("b1:101"), rules=rules, now=now) == ()


def test_another_building_is_never_shown(world: World, rules: Rules) -> None:
    demand_id = raised(world, rules)
    stranger = world.viewer("head1")
    assert demands.card(world.store.db, stranger, demand_id, rules=rules, now=world.clock()) is None
    assert demands.targets(world.store.db, stranger, demand_id, rules=rules) == demands.Targets((), (), ())
    assert demands.steps(world.store.db, stranger, [demand_id]) == ()
    with pytest.raises(RuleError, match="unknown_record"):
        moved(world, rules, demand_id, "note", by="head1", note="x")


def test_places_of_common_parts(world: World, rules: Rules) -> None:
    compound, building, unit = world.id("compound"), world.id("b3"), world.id("b3:unit")
    place = DemandPlace(compound_id=compound, building_id=building, unit_id=unit, household_id=world.id("b3:201"))
    names = []
    for scope in ("unit", "building", "compound"):
        intent = DemandIntent(category="03", title="门禁坏了", scope=scope)
        demands.record(world.store, world.as_("staff"), intent, rules=rules, place=place)
        world.clock.forward(minutes=1)
    db, viewer = world.store.db, world.viewer("staff")
    for row in demands.by_ids(db, viewer, demands.listed(db, viewer), rules=rules, now=world.clock()):
        assert row is not None
        names.append((row.scope, row.place, row.household_id is None))
    assert names == [("unit", "3号楼1单元", False), ("building", "3号楼", False), ("compound", "向阳里", True)]
    with pytest.raises(RuleError, match="place_needed"):
        demands.record(world.store, world.as_("staff"), HEATING, rules=rules, household_id="nobody")


def test_words_of_a_sensitive_demand_lie_apart(world: World, rules: Rules) -> None:
    demand_id = raised(world, rules, replace(MEALS, title="想订老年餐"))
    stored = world.store.db.conn.execute("SELECT title, details FROM demand").fetchone()
    assert stored == ("养老助老", "")
    head = card(world, rules, demand_id, by="head3")
    assert (head.row.title, head.may_read_words) == (CARE_MATTER, False)
    with pytest.raises(AccessError, match="sensitive"):
        demands.read_words(world.store, world.as_("head3"), demand_id)
    moved(world, rules, demand_id, "accept", note="已联系食堂")
    moved(world, rules, demand_id, "resolve", result="每天送餐", close_kind="substantive", note="明天起")
    staff = card(world, rules, demand_id)
    assert (staff.result, staff.may_read_words) == ("", True)
    assert [step.note for step in staff.steps] == ["", "", ""]
    assert [step.has_hidden_words for step in staff.steps] == [False, True, True]
    words = demands.read_words(world.store, world.as_("staff"), demand_id)
    assert (words.title, words.details) == ("想订老年餐", "老伴住院")
    assert sorted(words.by_step.values()) == sorted(["已联系食堂", "每天送餐\n明天起"])
    logged = world.store.db.conn.execute("SELECT account_id, kind, id FROM read_log").fetchall()
    assert logged == [(world.as_("staff"), "demand_detail", demand_id)]
    assert demands.targets(world.store.db, world.viewer("staff"), demand_id, rules=rules).demands == ()


def test_targets_are_of_the_compound(world: World, rules: Rules) -> None:
    first, second = raised(world, rules), raised(world, rules, room="b3:301")
    found = demands.targets(world.store.db, world.viewer("staff"), first, rules=rules)
    assert [choice.name for choice in found.partners] == ["顺达物业"]
    assert [choice.name for choice in found.people] == ["刘敏", "周海燕", "张磊", "陈静"]
    assert [choice.id for choice in found.demands] == [second]


def test_a_demand_can_be_merged_and_handed_to_a_colleague(world: World, rules: Rules) -> None:
    first, second = raised(world, rules), raised(world, rules, room="b3:301")
    moved(world, rules, second, "merge", note="同一处", merged_into_id=first)
    assert card(world, rules, second).row.state == "merged"
    moved(world, rules, first, "accept")
    moved(world, rules, first, "dispatch", handler_id=world.as_("grid"))
    assert card(world, rules, first, by="grid").next_move == "take"
    assert card(world, rules, first, by="staff").next_move == "recall"
    with pytest.raises(RuleError, match="unknown_record") as failure:
        moved(world, rules, first, "dispatch", partner_id="nobody")
    assert failure.value.field == "partner_id"


def test_own_steps_of_today_can_be_taken_back(world: World, rules: Rules) -> None:
    demand_id = raised(world, rules)
    moved(world, rules, demand_id, "answer_on_spot", by="head3", result="说清楚了")
    last = card(world, rules, demand_id, by="head3").steps[-1]
    assert last.is_undoable
    assert not card(world, rules, demand_id, by="staff").steps[-1].is_undoable
    demands.take_back(world.store, world.as_("head3"), demand_id, last.event_id)
    again = card(world, rules, demand_id, by="head3")
    assert (again.row.state, again.result, len(again.steps)) == ("collected", "", 1)
    demands.take_back(world.store, world.as_("head3"), demand_id, again.steps[0].event_id)
    assert demands.card(world.store.db, world.viewer("head3"), demand_id, rules=rules, now=world.clock()) is None


def test_steps_of_one_millisecond_stand_in_the_order_they_were_taken(world: World, rules: Rules) -> None:
    stamps = iter(range(0xFFF, 0, -1))
    # The ids of an older version: within a millisecond in any order, here falling.
    world.store.close()
    world.store = Store.open(
        world.path,
        world.key,
        rules=rules,
        wall=world.clock,
        new_id=lambda now: f"{now >> 16:08x}-{now & 0xFFFF:04x}-7{next(stamps):03x}-8000-000000000000",
    )
    demand_id = raised(world, rules)
    moved(world, rules, demand_id, "accept")
    moved(world, rules, demand_id, "resolve", result="阀门换好了", close_kind="substantive")
    shown = card(world, rules, demand_id).steps
    assert [step.move for step in shown] == ["create", "accept", "resolve"]
    assert [step.is_undoable for step in shown] == [False, False, True]
    demands.take_back(world.store, world.as_("staff"), demand_id, shown[-1].event_id)
    assert [step.move for step in card(world, rules, demand_id).steps] == ["create", "accept"]


def test_a_store_makes_rising_ids_by_itself(world: World) -> None:
    world.store.close()
    world.store = Store.open(world.path, world.key, rules=load_rules(ROOT / "resources"), wall=world.clock)
    act = world.store.act(world.as_("staff"))
    made = [act.id() for _ in range(200)]
    assert made == sorted(made)


def test_today_holds_what_is_due_and_mine(world: World, rules: Rules) -> None:
    db = world.store.db
    urgent = raised(world, rules)
    later = raised(world, rules, DemandIntent(category="05", title="绿化"), by="staff", room="b1:101")
    moved(world, rules, later, "accept")
    shown = demands.today_items(db, world.viewer("staff"), rules=rules, now=world.clock())
    assert ids(shown) == [urgent]
    moved(world, rules, later, "suspend", note="等材料", waiting_for="物业", review_on="2026-11-24")
    paused = card(world, rules, later).row
    assert paused.due_at == world.clock() + DAY + 15 * 3_600_000 - 1  # the end of that day
    world.clock.forward(days=1)
    assert later in ids(demands.today_items(db, world.viewer("staff"), rules=rules, now=world.clock()))
    assert later not in ids(demands.today_items(db, world.viewer("grid"), rules=rules, now=world.clock()))


def test_what_is_finished_reopens_within_thirty_days(world: World, rules: Rules) -> None:
    demand_id = raised(world, rules)
    moved(world, rules, demand_id, "answer_on_spot", by="head3", result="好了")
    world.clock.forward(days=30)
    assert "reopen" in card(world, rules, demand_id).moves
    world.clock.forward(days=1)
    assert "reopen" not in card(world, rules, demand_id).moves
