"""Putting a demand right: who may, what follows, what stands in the step; and the places it can have."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.domain.act import Act
from sync.domain.calendar import DAY, HOUR, WEEKDAYS_ONLY, instant
from sync.domain.catalogue import KINDS
from sync.domain.demand_correction import (
    CORRECT,
    Correction,
    CorrectionFacts,
    CorrectionIntent,
    correct,
    corrections,
    may_correct,
)
from sync.domain.demand_moves import MoveIntent
from sync.domain.demand_undo import StepFacts, is_undoable
from sync.domain.demands import ANONYMOUS, DemandIntent, DemandPlace
from sync.domain.kinds.demands import Demand, DemandDetail, DemandEvent
from sync.domain.kinds.places import Grant
from sync.domain.operations import Operation
from sync.domain.roles import Places, Viewer, viewer
from sync.errors import AccessError, RuleError
from sync.store import demand_places, demands
from sync.store.demand_places import place_at
from sync.store.next_steps import Waiting, waiting
from world import Ids, World, rules

NOW = instant("2026-11-23 09:00")
PLACES = Places("community", {"compound": frozenset({"b1", "b3"})}, {})
HOME = DemandPlace(compound_id="compound", building_id="b3", unit_id="unit", household_id="home")
GRANTS = {
    "head": ("building_head", "building", "b3"),
    "other_head": ("building_head", "building", "b1"),
    "staff": ("station_staff", "compound", "compound"),
    "secretary": ("community_secretary", "community", "community"),
    "firm": ("property_manager", "compound", "compound"),
}


def who(name: str) -> Viewer:
    role, kind, scope = GRANTS[name]
    grant = Grant(account_id=name, role=role, scope_kind=kind, scope_id=scope, valid_from="2026-01-01")
    return viewer(name, [grant], PLACES, today="2026-11-23")


def act(name: str = "staff") -> Act:
    return Act(who(name), NOW, Ids(), WEEKDAYS_ONLY)


def demand(**values: object) -> Demand:
    known = {
        "building_id": "b3",
        "compound_id": "compound",
        "household_id": "home",
        "scope_id": "home",
        "category": "02",
        "title": "暖气不热",
        "urgency": "coordinated",
        "recorded_by": "head",
        "reported_at": NOW - DAY,
    }
    made = KINDS["demand"].record("d", {**known, **values})
    assert isinstance(made, Demand)
    return made


def words(detail_id: str = "w", **values: object) -> DemandDetail:
    made = KINDS["demand_detail"].record(detail_id, {"demand_id": "d", "building_id": "b3", **values})
    assert isinstance(made, DemandDetail)
    return made


def facts(**values: object) -> CorrectionFacts:
    known: dict[str, object] = {"place": HOME, "counted_from": NOW - DAY, "old_place": "3-1-201", "new_place": "3-1"}
    return CorrectionFacts(**{**known, **values})  # type: ignore[arg-type]  # the fields are the test's own


def intent(**values: object) -> CorrectionIntent:
    known: dict[str, object] = {"category": "02", "urgency": "coordinated", "title": "暖气不热"}
    return CorrectionIntent(**{**known, **values})  # type: ignore[arg-type]  # as above


def kinds(operations: list[Operation]) -> list[tuple[str, str]]:
    return [(operation.kind, operation.action) for operation in operations]


def of(operations: list[Operation], kind: str) -> dict[str, object]:
    return next(dict(operation.fields) for operation in operations if operation.kind == kind)


def lines(operations: list[Operation]) -> tuple[Correction, ...]:
    return corrections(str(of(operations, "demand_event")["note"]))


# ------------------------------------------------------------------------------------------------ who may


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("head", {"state": "collected"}, True),
        ("head", {"state": "collected", "recorded_by": "staff"}, False),
        ("head", {"state": "accepted"}, False),
        ("other_head", {"state": "collected", "recorded_by": "other_head"}, False),
        ("staff", {"state": "collected"}, True),
        ("staff", {"state": "in_progress"}, True),
        ("staff", {"state": "escalated", "level": "community"}, False),
        ("secretary", {"state": "escalated", "level": "community"}, True),
        ("staff", {"state": "resolved"}, False),
        ("staff", {"state": "archived"}, False),
        ("firm", {"state": "taken", "handler_id": "firm"}, False),
    ],
)
def test_who_may_put_it_right(name: str, values: dict[str, object], expected: bool) -> None:
    assert may_correct(who(name), demand(**values)) is expected


def test_others_are_refused() -> None:
    with pytest.raises(RuleError, match="not_allowed") as failure:
        correct(act("head"), demand(state="accepted"), intent(), facts())
    assert failure.value.field == "state"


# ------------------------------------------------------------------------------------------------ what follows


def test_nothing_different_writes_nothing() -> None:
    assert correct(act(), demand(), intent(), facts()) == []


def test_the_time_limits_follow_the_urgency() -> None:
    made = correct(act("head"), demand(), intent(category="06", urgency="urgent", title=" 电线\n冒火花 "), facts())
    assert kinds(made) == [("demand", "patch"), ("demand_event", "new")]
    assert of(made, "demand") == {
        "category": "06",
        "urgency": "urgent",
        "title": "电线 冒火花",
        "respond_due_at": NOW,
        "resolve_due_at": NOW + 2 * DAY,
    }
    event = of(made, "demand_event")
    assert (event["move"], event["by"], event["from_state"], event["to_state"]) == (
        *(CORRECT, "head"),
        *("collected", "collected"),
    )
    assert lines(made) == (
        Correction("category", "02", "06"),
        Correction("urgency", "coordinated", "urgent"),
        Correction("title", "暖气不热", "电线 冒火花"),
    )


def test_danger_to_life_is_urgent() -> None:
    made = correct(act(), demand(), intent(urgency="routine", life_safety=True), facts(counted_from=NOW - HOUR))
    assert of(made, "demand")["urgency"] == "urgent"
    assert of(made, "demand")["respond_due_at"] == NOW + 23 * HOUR
    assert Correction("life_safety", "no", "yes") in lines(made)


def test_another_place() -> None:
    made = correct(act(), demand(raised_by="李奶奶"), intent(scope="unit"), facts())
    assert of(made, "demand") == {"scope": "unit", "scope_id": "unit"}
    assert lines(made) == (Correction("place", "3-1-201", "3-1"),)
    made = correct(act(), demand(raised_by="李奶奶"), intent(scope="compound"), facts(new_place="向阳里"))
    assert of(made, "demand") == {
        "building_id": None,
        "household_id": None,
        "scope": "compound",
        "scope_id": "compound",
        "raised_by": "",
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"title": " "}, ("title", "required")),
        ({"urgency": ""}, ("urgency", "required")),
        ({"urgency": "soon"}, ("urgency", "unknown_choice")),
        ({"category": "77"}, ("category", "unknown_category")),
        ({"scope": "street"}, ("scope", "unknown_choice")),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, object], expected: tuple[str, str]) -> None:
    with pytest.raises(RuleError) as failure:
        correct(act(), demand(), intent(**values), facts())
    assert (failure.value.field, failure.value.code) == expected


# ------------------------------------------------------------------------------------------------ matters of care


def test_what_turns_out_to_be_a_matter_of_care_is_put_apart() -> None:
    made = correct(act(), demand(details="老伴住院"), intent(category="08", title="想订餐"), facts())
    assert kinds(made) == [("demand", "patch"), ("demand_event", "new"), ("demand_detail", "new")]
    assert (of(made, "demand")["title"], of(made, "demand")["details"]) == ("养老助老", "")
    assert (of(made, "demand_detail")["title"], of(made, "demand_detail")["details"]) == ("想订餐", "老伴住院")
    assert lines(made) == (Correction("category", "02", "08"), Correction("title", "", ""))


def test_words_that_lie_apart_stay_or_are_put_right_there() -> None:
    hidden = demand(category="08", title="养老助老")
    kept = facts(details=(words(title="想订餐", details="老伴住院"), words("step", details="已联系")))
    assert correct(act(), hidden, intent(category="08", title=""), kept) == []
    made = correct(act(), hidden, intent(category="10", title=""), kept)
    assert kinds(made) == [("demand", "patch"), ("demand_event", "new")]
    assert of(made, "demand") == {"category": "10", "title": "医疗与残疾服务"}
    made = correct(act(), hidden, intent(category="08", title="想订晚餐"), kept)
    assert kinds(made) == [("demand_event", "new"), ("demand_detail", "patch")]
    assert of(made, "demand_detail") == {"title": "想订晚餐", "details": "老伴住院"}
    assert lines(made) == (Correction("title", "", ""),)
    assert kinds(correct(act(), hidden, intent(category="08", title=""), facts())) == []


def test_what_is_no_matter_of_care_gets_words_of_its_own() -> None:
    hidden = demand(category="08", title="养老助老")
    kept = facts(details=(words(title="想订餐"),))
    with pytest.raises(RuleError, match="required"):
        correct(act(), hidden, intent(title=""), kept)
    made = correct(act(), hidden, intent(title="暖气不热"), kept)
    assert of(made, "demand") == {"category": "02", "title": "暖气不热"}
    assert lines(made) == (Correction("category", "08", "02"), Correction("title", "", ""))
    again = correct(act(), demand(details="很冷"), intent(category="08", title="暖气不热"), kept)
    assert of(again, "demand_detail") == {"title": "暖气不热", "details": "很冷"}


def test_words_that_lie_apart_keep_a_demand_in_its_building() -> None:
    hidden = demand(category="08", title="养老助老")
    kept = facts(details=(words(title="想订餐"),), place=DemandPlace(compound_id="compound", building_id="b1"))
    with pytest.raises(RuleError) as failure:
        correct(act(), hidden, intent(category="08", title="", scope="building"), kept)
    assert (failure.value.field, failure.value.code) == ("scope", "stays_in_building")


def test_lines_of_another_program_are_passed_over() -> None:
    assert corrections("改过标题\ntitle\t旧\t新") == (Correction("title", "旧", "新"),)


def test_a_correction_is_not_taken_back_and_bars_no_other_step() -> None:
    def event(event_id: str, move: str, before: str, after: str) -> DemandEvent:
        made = KINDS["demand_event"].record(
            event_id,
            {"demand_id": "d", "at": NOW, "by": "staff", "move": move, "from_state": before, "to_state": after},
        )
        assert isinstance(made, DemandEvent)
        return made

    taken = (event("a", "create", "new", "collected"), event("b", "accept", "collected", "accepted"))
    steps = StepFacts(steps=(*taken, event("c", CORRECT, "accepted", "accepted")))
    assert is_undoable(act(), demand(state="accepted"), "b", steps)
    assert not is_undoable(act(), demand(state="accepted"), "c", steps)


# ------------------------------------------------------------------------------------------------ in the store


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def raised(world: World, made: DemandIntent, *, by: str = "head3", place: str = "b3:201") -> str:
    touched = demands.record(world.store, world.as_(by), made, rules=rules(), scope_id=world.id(place))
    return next(record_id for kind, record_id in touched if kind == "demand")


def put_right(world: World, demand_id: str, *, by: str = "staff", place: str = "b3:201", **values: object) -> bool:
    made = demands.put_right(
        world.store, world.as_(by), demand_id, intent(**values), scope_id=world.id(place), rules=rules()
    )
    return bool(made)


def card(world: World, demand_id: str, *, by: str = "staff") -> demands.DemandCard:
    found = demands.card(world.store.db, world.viewer(by), demand_id, rules=rules(), now=world.clock())
    assert found is not None
    return found


HEATING = DemandIntent(category="02", title="暖气不热", source="phone", raised_by=ANONYMOUS)


def test_a_demand_is_raised_anywhere_one_may_write(world: World) -> None:
    for scope, place, written in (
        ("household", "b3:201", "3-1-201"),
        ("unit", "b3:unit", "3号楼1单元"),
        ("building", "b3", "3号楼"),
        ("compound", "compound", "向阳里"),
    ):
        demand_id = raised(world, DemandIntent(category="03", title="门禁坏了", scope=scope), place=place)
        found = card(world, demand_id)
        assert (found.row.place, found.scope_id) == (written, world.id(place))
        there = place_at(world.store.db, scope, world.id(place), rules=rules())
        assert demand_places.written(world.store.db, there, scope) == written
        opened = demand_places.open_at(
            world.store.db, world.viewer("head3"), world.id(place), rules=rules(), now=world.clock()
        )
        assert [row.demand_id for row in opened] == [demand_id]
    with pytest.raises(AccessError, match="out_of_scope"):
        raised(world, HEATING, place="b1:201")
    for scope, place in (("household", ""), ("unit", "b3"), ("street", "b3")):
        with pytest.raises(RuleError) as failure:
            place_at(world.store.db, scope, place and world.id(place), rules=rules())
        assert failure.value.field == "scope"


def test_what_can_be_chosen_from(world: World) -> None:
    def names(by: str) -> tuple[list[str], list[str]]:
        found = demand_places.choices(world.store.db, world.viewer(by))
        return [row.name for row in found.compounds], [row.name for row in found.buildings]

    assert names("head3") == (["向阳里"], ["3号楼"])
    assert names("staff") == (["向阳里"], ["1号楼", "2号楼", "3号楼"])
    assert names("mediator") == ([], [])


def test_an_own_demand_is_put_right_until_it_is_accepted(world: World) -> None:
    demand_id = raised(world, HEATING)
    assert card(world, demand_id, by="head3").raised_by == ANONYMOUS
    assert card(world, demand_id, by="head3").may_correct
    assert not put_right(world, demand_id, by="head3")
    assert put_right(world, demand_id, by="head3", title="暖气漏水", urgency="urgent")
    found = card(world, demand_id)
    assert (found.row.title, found.respond_due_at) == ("暖气漏水", world.clock() + DAY)
    assert [step.move for step in found.steps] == ["create", CORRECT]
    demands.step(world.store, world.as_("staff"), demand_id, "accept", MoveIntent(), rules=rules())
    assert not card(world, demand_id, by="head3").may_correct
    with pytest.raises(RuleError, match="not_allowed"):
        put_right(world, demand_id, by="head3", title="暖气")
    assert put_right(world, demand_id, title="暖气漏水", urgency="urgent", scope="unit", place="b3:unit")
    found = card(world, demand_id)
    assert (found.row.place, found.row.household_id) == ("3号楼1单元", world.id("b3:201"))
    assert corrections(found.steps[-1].note) == (Correction("place", "3-1-201", "3号楼1单元"),)
    assert put_right(world, demand_id, title="暖气", urgency="urgent", scope="unit", place="b3:unit")


def test_a_demand_goes_to_another_building_with_its_steps(world: World) -> None:
    demand_id = raised(world, HEATING, by="staff")
    assert put_right(world, demand_id, place="b1:201")
    stranger = world.viewer("head3")
    assert demands.card(world.store.db, stranger, demand_id, rules=rules(), now=world.clock()) is None
    assert demands.steps(world.store.db, stranger, [demand_id]) == ()
    assert [step.move for step in card(world, demand_id, by="head1").steps] == ["create", CORRECT]


def test_the_limits_of_one_raised_again_count_from_then(world: World) -> None:
    demand_id = raised(world, HEATING, by="staff")
    demands.step(world.store, world.as_("staff"), demand_id, "answer_on_spot", MoveIntent(result="好了"), rules=rules())
    world.clock.forward(days=2)
    demands.step(world.store, world.as_("staff"), demand_id, "reopen", MoveIntent(note="又坏了"), rules=rules())
    assert put_right(world, demand_id, urgency="urgent")
    assert card(world, demand_id).respond_due_at == world.clock() + DAY


def test_what_was_said_openly_is_closed_to_heads_when_it_is_a_matter_of_care(world: World) -> None:
    demand_id = raised(world, HEATING)
    demands.step(world.store, world.as_("head3"), demand_id, "note", MoveIntent(note="老人病了"), rules=rules())
    assert put_right(world, demand_id, category="08", title="老人要人照看")
    seen, ours = card(world, demand_id, by="head3"), card(world, demand_id)
    assert [step.note for step in seen.steps] == ["", "", ""]
    assert "老人病了" in {step.note for step in ours.steps}
    assert (seen.may_read_words, ours.may_read_words) == (False, True)
    assert demands.read_words(world.store, world.as_("staff"), demand_id).title == "老人要人照看"
    assert put_right(world, demand_id, title="暖气不热")
    assert card(world, demand_id).may_read_words
    assert not card(world, demand_id, by="head3").may_read_words


def test_what_waits_for_whom(world: World) -> None:
    def count(by: str) -> Waiting:
        return waiting(world.store.db, world.viewer(by), now=world.clock())

    def step(name: str, **fields: str) -> None:
        demands.step(world.store, world.as_("staff"), demand_id, name, MoveIntent(**fields), rules=rules())

    demand_id = raised(world, HEATING)
    assert (count("staff"), count("head3")) == (Waiting(1, 0), Waiting(0, 0))
    step("accept")
    assert count("staff") == Waiting(0, 0)
    step("dispatch", handler_id=world.as_("grid"))
    assert (count("staff"), count("grid")) == (Waiting(0, 0), Waiting(1, 0))
    step("recall", note="自己办")
    step("resolve", result="换了阀门", close_kind="substantive")
    assert (count("head3"), count("head1"), count("staff")) == (Waiting(1, 0), Waiting(0, 0), Waiting(0, 0))
    step("reply", replied_on="2026-11-23", reply_mode="phone")
    assert count("head3") == Waiting(0, 0)
    step("evaluate", evaluation="dissatisfied")
    assert count("head3") == Waiting(1, 0)
