"""The verbs of demands: raising with its defaults, every step with what it writes, taking back."""

from dataclasses import replace

import pytest

from sync.domain.act import Act
from sync.domain.calendar import DAY, HOUR, WEEKDAYS_ONLY, instant
from sync.domain.catalogue import KINDS
from sync.domain.categories import DEFAULT_CATEGORIES, label, load_demand_categories, sensitive_codes
from sync.domain.demand_moves import MoveFacts, MoveIntent, move, moves_for, next_move, roles_for
from sync.domain.demand_undo import StepFacts, is_undoable, undo
from sync.domain.demands import DemandIntent, DemandPlace, raise_demand, step_words_id, urgency_of
from sync.domain.kinds.demands import Demand, DemandEvent
from sync.domain.kinds.places import Grant
from sync.domain.operations import Operation
from sync.domain.roles import Places, Viewer, viewer
from sync.errors import RuleError
from world import ROOT, Ids

NOW = instant("2026-11-23 09:00")
PLACES = Places("community", {"compound": frozenset({"b1", "b3"})}, {"grid": frozenset({"b1", "b3"})})
HOME = DemandPlace(compound_id="compound", building_id="b3", unit_id="unit", household_id="home")
GRANTS = {
    "head": ("building_head", "building", "b3"),
    "other_head": ("building_head", "building", "b1"),
    "staff": ("station_staff", "compound", "compound"),
    "grid": ("grid_worker", "grid", "grid"),
    "secretary": ("community_secretary", "community", "community"),
    "firm": ("property_manager", "compound", "compound"),
}


def who(name: str) -> Viewer:
    role, kind, scope = GRANTS[name]
    grant = Grant(account_id=name, role=role, scope_kind=kind, scope_id=scope, valid_from="2026-01-01")
    return viewer(name, [grant], PLACES, today="2026-11-23")


def act(name: str = "head", *, now: int = NOW) -> Act:
    return Act(who(name), now, Ids(), WEEKDAYS_ONLY)


def demand(**values: object) -> Demand:
    known = {
        "building_id": "b3",
        "compound_id": "compound",
        "household_id": "home",
        "scope_id": "home",
        "category": "02",
        "recorded_by": "head",
        "reported_at": NOW - DAY,
    }
    made = KINDS["demand"].record("d", {**known, **values})
    assert isinstance(made, Demand)
    return made


def fields(operations: list[Operation], kind: str = "demand") -> dict[str, object]:
    return next(dict(operation.fields) for operation in operations if operation.kind == kind)


def step(
    name: str, before: Demand, *, by: str = "staff", facts: MoveFacts | None = None, now: int = NOW, **given: str
) -> dict[str, object]:
    made = move(act(by, now=now), before, name, MoveIntent(**given), facts or MoveFacts())
    assert fields(made, "demand_event")["by"] == by
    return fields(made) if any(operation.kind == "demand" for operation in made) else {}


def refused(call: object) -> tuple[str, str]:
    assert callable(call)
    with pytest.raises(RuleError) as failure:
        call()
    return failure.value.field, failure.value.code


# --------------------------------------------------------------------------------------------------- categories


def test_the_built_in_categories_equal_the_shipped_table() -> None:
    text = (ROOT / "resources" / "rules" / "demand_categories.toml").read_text("utf-8")
    assert load_demand_categories(text) == DEFAULT_CATEGORIES
    cut = text[: text.rindex("[[category]]")]
    assert refused(lambda: load_demand_categories(cut)) == ("rules", "unreadable_rules")
    assert label(DEFAULT_CATEGORIES, "02") == "水电气暖网"
    assert label(DEFAULT_CATEGORIES, "77") == "77"
    assert sensitive_codes(DEFAULT_CATEGORIES) == {"08", "10", "11"}


@pytest.mark.parametrize(
    ("intent", "expected"),
    [
        (DemandIntent(category="02", title="x"), ("coordinated", False)),
        (DemandIntent(category="02", title="x", signs=("outage",)), ("urgent", False)),
        (DemandIntent(category="03", title="x", signs=("trapped",)), ("urgent", True)),
        (DemandIntent(category="05", title="x"), ("routine", False)),
        (DemandIntent(category="05", title="x", urgency="coordinated"), ("coordinated", False)),
        (DemandIntent(category="05", title="x", life_safety=True), ("urgent", True)),
        (DemandIntent(category="06", title="x", urgency="routine"), ("routine", False)),
    ],
)
def test_urgency_follows_the_category_unless_chosen(intent: DemandIntent, expected: tuple[str, bool]) -> None:
    found = urgency_of(intent)
    assert (found.urgency, found.life_safety) == expected


# --------------------------------------------------------------------------------------------------- raising


def test_a_demand_gets_everything_that_follows() -> None:
    made = raise_demand(act(), DemandIntent(category="02", title=" 暖气\n不热 ", signs=("outage",)), HOME)
    values = fields(made)
    assert made[0].kind == "demand"
    assert (values["title"], values["state"], values["level"]) == ("暖气 不热", "collected", "station")
    assert (values["scope_id"], values["building_id"]) == ("home", "b3")
    assert (values["respond_due_at"], values["resolve_due_at"]) == (NOW + 24 * HOUR, NOW + 3 * DAY)
    assert (values["reported_at"], values["recorded_by"]) == (NOW, "head")
    assert fields(made, "demand_event")["move"] == "create"


def test_an_answer_on_the_spot_settles_it_at_once() -> None:
    values = fields(raise_demand(act(), DemandIntent(category="13", title="x", answer="去社区窗口"), HOME))
    assert (values["state"], values["result"], values["level"]) == ("answered_on_spot", "去社区窗口", "head")
    staff = fields(raise_demand(act("staff"), DemandIntent(category="13", title="x", answer="y"), HOME))
    assert staff["level"] == "station"


def test_an_earlier_day_counts_from_its_end() -> None:
    intent = DemandIntent(category="02", title="x", signs=("outage",), raised_on="2026-11-22")
    assert fields(raise_demand(act(), intent, HOME))["reported_at"] == instant("2026-11-23 00:00") - 1
    today = replace(intent, raised_on="2026-11-23")
    assert fields(raise_demand(act(), today, HOME))["reported_at"] == NOW
    late = replace(intent, raised_on="2026-11-24")
    assert refused(lambda: raise_demand(act(), late, HOME)) == ("raised_on", "future_date")


def test_words_of_sensitive_categories_go_to_the_care_stream() -> None:
    intent = DemandIntent(category="11", title="没饭吃", details="三天了", answer="送了米面")
    made = raise_demand(act(), intent, HOME)
    assert (fields(made)["title"], fields(made)["details"], fields(made)["result"]) == ("生活困难与救助", "", "")
    details = [operation for operation in made if operation.kind == "demand_detail"]
    assert [operation.fields["title"] for operation in details] == ["没饭吃", ""]
    assert details[1].id == step_words_id(made[1].id)
    assert len({operation.id for operation in made}) == len(made)  # the server keeps all kinds in one table
    assert details[1].fields["details"] == "送了米面"


def test_what_concerns_the_compound_names_no_household() -> None:
    intent = DemandIntent(category="08", title="想要老年食堂", scope="compound", raised_by="李奶奶")
    values = fields(raise_demand(act(), intent, HOME))
    assert (values["building_id"], values["household_id"], values["raised_by"]) == (None, None, "")
    assert values["title"] == "想要老年食堂"  # nobody's own trouble


@pytest.mark.parametrize(
    ("intent", "place", "expected"),
    [
        (DemandIntent(category="02", title=" "), HOME, ("title", "required")),
        (DemandIntent(category="77", title="x"), HOME, ("category", "unknown_category")),
        (DemandIntent(category="02", title="x", urgency="soon"), HOME, ("urgency", "unknown_choice")),
        (DemandIntent(category="02", title="x", scope="moon"), HOME, ("scope", "unknown_choice")),
        (DemandIntent(category="02", title="x", affected_count=0), HOME, ("affected_count", "too_small")),
        (DemandIntent(category="02", title="x", raised_on="soon"), HOME, ("raised_on", "bad_date")),
        (
            DemandIntent(category="02", title="x"),
            DemandPlace(compound_id="compound"),
            ("scope", "place_needed"),
        ),
    ],
)
def test_what_is_wrong_is_named(intent: DemandIntent, place: DemandPlace, expected: tuple[str, str]) -> None:
    assert refused(lambda: raise_demand(act(), intent, place)) == expected


# --------------------------------------------------------------------------------------------------- who may what


def test_roles_are_held_where_the_demand_is() -> None:
    assert roles_for(who("head"), demand()) == ("building_head",)
    assert roles_for(who("other_head"), demand()) == ()
    assert roles_for(who("other_head"), demand(building_id=None)) == ("building_head",)
    assert roles_for(who("firm"), demand()) == ()
    assert roles_for(who("firm"), demand(handler_id="firm")) == ("property_manager",)


def test_the_next_step_is_the_viewers_own() -> None:
    def upcoming(name: str, state: str, **values: str) -> str:
        known = demand(state=state, **values)
        return next_move(moves_for(who(name), known, now=NOW), state=state, evaluation=known.evaluation)

    assert upcoming("staff", "collected") == "accept"
    assert upcoming("head", "collected") == "answer_on_spot"
    assert upcoming("head", "accepted", handler_id="staff") == ""
    assert upcoming("head", "resolved") == "reply"
    assert upcoming("head", "replied", reply_mode="phone") == "evaluate"
    assert upcoming("staff", "replied", evaluation="dissatisfied") == "reopen"
    assert upcoming("head", "replied", evaluation="dissatisfied") == "reply"
    assert upcoming("firm", "dispatched", handler_id="firm") == "take"
    assert upcoming("staff", "archived") == ""


def test_a_head_neither_accepts_nor_dispatches() -> None:
    assert refused(lambda: step("accept", demand(), by="head")) == ("state", "not_allowed")
    assert refused(lambda: step("note", demand(), by="other_head", note="x")) == ("state", "not_allowed")


# --------------------------------------------------------------------------------------------------- steps


def test_accept_dispatch_take_and_return() -> None:
    assert step("accept", demand()) == {
        "handler_id": "staff",
        "partner_id": None,
        "state": "accepted",
        "state_before": "collected",
    }
    accepted = demand(state="accepted", handler_id="staff")
    assert refused(lambda: step("dispatch", accepted)) == ("partner_id", "required")
    sent = step("dispatch", accepted, partner_id="firm-org", facts=MoveFacts(target_name="益民物业"))
    assert (sent["partner_id"], sent["handler_id"], sent["state"]) == ("firm-org", "staff", "dispatched")
    given = step("dispatch", accepted, handler_id="grid")
    assert (given["partner_id"], given["handler_id"]) == (None, "grid")
    back = step("return", demand(state="dispatched", handler_id="grid"), by="grid", note="不归我们")
    assert (back["return_count"], back["handler_id"], back["state"]) == (1, None, "returned")
    recalled = step("recall", demand(state="dispatched", handler_id="grid"), note="派错了")
    assert (recalled["handler_id"], recalled["state"]) == ("staff", "accepted")


def test_the_name_of_the_body_and_the_words_stand_in_the_step() -> None:
    accepted = demand(state="accepted", handler_id="staff")
    intent = MoveIntent(partner_id="p", note="今天去")
    made = move(act("staff"), accepted, "dispatch", intent, MoveFacts(target_name="益民物业"))
    assert fields(made, "demand_event")["note"] == "益民物业 · 今天去"
    rejected = move(act("staff"), demand(), "reject", MoveIntent(note="不归社区", go_to="公积金中心"), MoveFacts())
    assert fields(rejected, "demand_event")["note"] == "不归社区 · 公积金中心"
    assert fields(rejected)["resolved_at"] == NOW


def test_steps_with_a_day_of_review() -> None:
    accepted = demand(state="accepted", handler_id="staff")
    held = step("suspend", accepted, note="缺件", waiting_for="厂家", review_on="2026-11-30")
    assert (held["state"], held["review_on"]) == ("suspended", "2026-11-30")
    for day, code in (("2026-11-22", "past_date"), ("2027-06-01", "too_late"), ("soon", "bad_date")):
        assert refused(lambda day=day: step("suspend", accepted, note="x", review_on=day)) == ("review_on", code)
    paused = demand(state="suspended", handler_id="staff", review_on="2026-11-24")
    assert step("review", paused, review_on="2026-12-24") == {"review_on": "2026-12-24"}
    assert step("resume", paused) == {"review_on": None, "state": "in_progress", "state_before": "suspended"}


def test_escalation_raises_the_level_and_resuming_brings_it_back() -> None:
    known = demand(state="in_progress", handler_id="staff")
    raised = step("escalate", known, note="没有权限", level="subdistrict")
    assert (raised["state"], raised["level"], raised["partner_id"]) == ("escalated", "subdistrict", None)
    assert refused(lambda: step("escalate", known, note="x", level="station")) == ("level", "unknown_choice")
    assert refused(lambda: step("escalate", known, note="x", level="moon")) == ("level", "unknown_choice")
    up = demand(state="escalated", level="subdistrict", handler_id="secretary")
    assert step("resume", up, by="secretary")["level"] == "station"


def test_merging_needs_another_open_demand_of_the_compound() -> None:
    other = demand()
    other = Demand(**{**{name: getattr(other, name) for name in other.__struct_fields__}, "id": "other"})
    done = step("merge", demand(), merged_into_id="other", facts=MoveFacts(merge_target=other))
    assert (done["state"], done["merged_into_id"]) == ("merged", "other")
    nowhere = lambda: step("merge", demand(), merged_into_id="gone")  # noqa: E731
    assert refused(nowhere) == ("merged_into_id", "unknown_record")
    over = Demand(**{**{name: getattr(other, name) for name in other.__struct_fields__}, "state": "withdrawn"})
    closed = lambda: step("merge", demand(), merged_into_id="other", facts=MoveFacts(merge_target=over))  # noqa: E731
    assert refused(closed) == ("merged_into_id", "not_allowed")


def test_solve_tell_evaluate() -> None:
    known = demand(state="in_progress", handler_id="staff", evaluation="dissatisfied", replied_on="2026-11-20")
    solved = step("resolve", known, result=" 换了阀门 ", close_kind="substantive")
    assert (solved["result"], solved["close_kind"], solved["resolved_at"]) == ("换了阀门", "substantive", NOW)
    assert (solved["evaluation"], solved["replied_on"], solved["reply_mode"]) == ("", None, "")
    wrong = lambda: step("resolve", known, result="x", close_kind="magic")  # noqa: E731
    assert refused(wrong) == ("close_kind", "unknown_choice")
    done = demand(state="resolved")
    told = step("reply", done, by="head", replied_on="2026-11-23", reply_mode="in_person")
    assert (told["state"], told["replied_on"], told["evaluation"]) == ("replied", "2026-11-23", "")
    for day, code in (("2026-11-24", "future_date"), ("2026-11-01", "before_raised")):
        failed = refused(lambda day=day: step("reply", done, by="head", replied_on=day, reply_mode="phone"))
        assert failed == ("replied_on", code)
    assert refused(lambda: step("reply", done, by="head")) == ("replied_on", "required")
    replied = demand(state="replied", replied_on="2026-11-23", reply_mode="phone")
    assert step("evaluate", replied, by="head", evaluation="mostly")["state"] == "evaluated"
    assert step("evaluate", replied, by="head", evaluation="dissatisfied") == {"evaluation": "dissatisfied"}
    assert step("archive", demand(state="evaluated", evaluation="mostly"))["state"] == "archived"


def test_reopening_starts_the_time_limits_anew_and_ends_after_thirty_days() -> None:
    over = demand(state="evaluated", urgency="urgent", evaluation="satisfied", resolved_at=NOW, reopen_count=1)
    again = step("reopen", over, note="又坏了", facts=MoveFacts(finished_at=NOW), now=NOW + 2 * DAY)
    assert (again["reopen_count"], again["state"], again["handler_id"]) == (2, "reopened", None)
    assert again["resolve_due_at"] == NOW + 5 * DAY
    assert (again["evaluation"], again["close_kind"], again["resolved_at"]) == ("", "", None)
    late = MoveFacts(finished_at=NOW)
    assert refused(lambda: step("reopen", over, note="x", facts=late, now=NOW + 31 * DAY)) == ("state", "not_allowed")


def test_a_note_writes_a_step_alone_and_a_secretary_assigns() -> None:
    assert step("note", demand(), by="head", note="又问了一次") == {}
    assert step("assign", demand(state="accepted"), by="secretary", handler_id="grid") == {"handler_id": "grid"}
    assert step("answer_on_spot", demand(), by="head", result="讲清楚了")["result"] == "讲清楚了"
    assert step("withdraw", demand(), by="head", note="记错了") == {"state": "withdrawn", "state_before": "collected"}


def test_words_of_a_sensitive_step_lie_apart() -> None:
    known = demand(category="08", state="in_progress", handler_id="staff")
    made = move(act("staff"), known, "resolve", MoveIntent(result="送餐到家", close_kind="substantive"), MoveFacts())
    assert fields(made)["result"] == ""
    assert fields(made, "demand_event")["note"] == ""
    assert fields(made, "demand_detail")["details"] == "送餐到家"
    quiet = move(act("staff"), demand(category="08"), "accept", MoveIntent(), MoveFacts())
    assert [operation.kind for operation in quiet] == ["demand", "demand_event"]


# --------------------------------------------------------------------------------------------------- taking back


def event(name: str, source: str, target: str, *, by: str = "head", at: int = NOW, id: str = "") -> DemandEvent:
    return DemandEvent(id=id or name, demand_id="d", at=at, by=by, move=name, from_state=source, to_state=target)


def test_a_step_of_today_is_taken_back_with_what_it_wrote() -> None:
    facts = StepFacts(steps=(event("create", "new", "collected", by="grid"), event("reply", "resolved", "replied")))
    made = undo(act(), demand(state="replied"), "reply", facts)
    assert fields(made) == {"state": "resolved", "state_before": "", "replied_on": None, "reply_mode": ""}
    assert [(operation.kind, operation.id) for operation in made] == [("demand", "d"), ("demand_event", "reply")]
    assert is_undoable(act(), demand(state="replied"), "reply", facts)
    hidden = replace(facts, detail_ids=frozenset({step_words_id("reply")}))
    assert [o.kind for o in undo(act(), demand(state="replied"), "reply", hidden)][-1] == "demand_detail"


def test_taking_back_the_first_step_removes_the_demand() -> None:
    facts = StepFacts(
        steps=(event("create", "new", "collected"), event("note", "collected", "collected")),
        detail_ids=frozenset({"words"}),
    )
    kinds = [(operation.kind, operation.id) for operation in undo(act(), demand(), "create", facts)]
    assert kinds == [("demand", "d"), ("demand_event", "create"), ("demand_event", "note"), ("demand_detail", "words")]
    assert [o.id for o in undo(act(), demand(), "note", facts)] == ["note"]
    others = StepFacts(steps=(*facts.steps, event("note", "collected", "collected", by="staff", id="n2")))
    assert not is_undoable(act(), demand(), "create", others)


@pytest.mark.parametrize(
    ("steps", "state", "chosen"),
    [
        ([event("reply", "resolved", "replied", by="staff")], "replied", "reply"),
        ([event("reply", "resolved", "replied", at=NOW - DAY)], "replied", "reply"),
        ([event("reply", "resolved", "replied"), event("evaluate", "replied", "evaluated")], "evaluated", "reply"),
        ([event("dispatch", "accepted", "dispatched")], "dispatched", "dispatch"),
        ([event("reply", "replied", "replied")], "replied", "reply"),
        ([event("accept", "returned", "accepted")], "accepted", "accept"),
        ([event("reply", "resolved", "replied")], "evaluated", "reply"),
        ([], "collected", "create"),
    ],
)
def test_what_cannot_be_taken_back(steps: list[DemandEvent], state: str, chosen: str) -> None:
    facts = StepFacts(steps=tuple(steps))
    assert refused(lambda: undo(act(), demand(state=state), chosen, facts)) == ("state", "not_undoable")
