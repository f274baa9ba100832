from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sync.domain.act import Act
from sync.domain.calendar import instant
from sync.domain.demands import DemandIntent
from sync.domain.kinds.places import Grant
from sync.domain.knocking import fill_rest, record_knock
from sync.domain.operations import Operation
from sync.domain.protection import ReportIntent, report_harm
from sync.domain.roles import Places, viewer
from sync.domain.rules import load_rules
from sync.domain.visit_facts import DoorFacts, KnockIntent, KnownVisit, VisitIntent
from sync.domain.visiting import (
    add_to_visit,
    as_change,
    band_of,
    change_visit,
    record_visit,
    undo_visit,
)
from sync.errors import AccessError, RuleError

RULES = load_rules(Path(__file__).parents[2] / "resources")
PLACES = Places("c", {"k": frozenset({"b3", "b1"})}, {})
NOW = "2026-11-23 09:00"


def act(at: str = NOW, *, who: str = "head", building: str = "b3") -> Act:
    numbers = count(1)
    grant = Grant(account_id=who, role="building_head", scope_kind="building", scope_id=building)
    me = viewer(who, [grant], PLACES, today="2026-11-23")
    return Act(me, instant(at), lambda _: f"id{next(numbers)}", RULES.calendar)


def door(**changes: Any) -> DoorFacts:
    facts = DoorFacts(
        household_id="h1",
        building_id="b3",
        compound_id="k",
        dispute_categories=RULES.dispute_categories,
        care=RULES.care,
        unit_id="u1",
    )
    return replace(facts, **changes)


def intent(**fields: Any) -> VisitIntent:
    return VisitIntent(household_id="h1", **fields)


def known(**fields: Any) -> KnownVisit:
    values: dict[str, Any] = {
        "visit_id": "v",
        "household_id": "h1",
        "building_id": "b3",
        "recorded_by": "head",
        "recorded_at": instant("2026-11-23 08:50"),
        "visited_on": "2026-11-23",
        "time_band": "morning",
        "outcome": "no_answer",
    }
    return KnownVisit(**{**values, **fields})


def refusal(made: Any, *args: Any, **named: Any) -> tuple[str, str]:
    with pytest.raises(RuleError) as caught:
        made(*args, **named)
    return caught.value.field, caught.value.code


def kinds(operations: list[Operation]) -> list[str]:
    return [operation.kind for operation in operations]


@pytest.mark.parametrize(
    ("at", "band"),
    [
        ("2026-11-23 08:00", "morning"),
        ("2026-11-23 11:59", "morning"),
        ("2026-11-23 12:00", "afternoon"),
        ("2026-11-23 17:59", "afternoon"),
        ("2026-11-23 18:00", "evening"),
        ("2026-11-22 10:00", "weekend"),
        ("2026-10-01 10:00", "weekend"),  # a holiday: people are at home
        ("2026-10-10 10:00", "morning"),  # a Saturday on which offices work
    ],
)
def test_the_time_band_follows_the_clock_and_the_days_off(at: str, band: str) -> None:
    assert band_of(act(at)) == band


def test_a_visit_is_filled_with_what_can_be_known() -> None:
    (visit,) = record_visit(act(), intent(), door(campaign_id="camp", round_no=2))
    assert visit.fields["visited_on"] == "2026-11-23"
    assert visit.fields["time_band"] == "morning"
    assert visit.fields["visitor_ids"] == ["head"]
    assert (visit.fields["building_id"], visit.fields["recorded_by"]) == ("b3", "head")
    assert visit.fields["recorded_at"] == instant(NOW)
    assert (visit.fields["campaign_id"], visit.fields["round_no"]) == ("camp", 2)


@pytest.mark.parametrize(
    ("level", "outcome", "last", "due"),
    [
        ("", "met", None, "2027-05-23"),
        ("A", "met", "2026-01-05", "2026-11-30"),
        ("B", "no_answer", "2026-11-01", "2026-12-01"),
        ("C", "refused", None, None),
    ],
)
def test_the_next_visit_counts_from_the_last_contact(
    level: str, outcome: str, last: str | None, due: str | None
) -> None:
    (visit,) = record_visit(act(), intent(outcome=outcome), door(level=level, last_contact_on=last))
    assert visit.fields["next_due_on"] == due


def test_an_older_visit_does_not_turn_the_next_one_back() -> None:
    late = intent(visited_on="2026-11-20")
    (visit,) = record_visit(act(), late, door(level="B", last_contact_on="2026-11-22"))
    assert visit.fields["next_due_on"] == "2026-12-22"


def test_an_agreed_day_goes_before_the_interval() -> None:
    (visit,) = record_visit(act(), intent(outcome="by_appointment", appointment_on="2026-11-25"), door())
    assert visit.fields["next_due_on"] == visit.fields["appointment_on"] == "2026-11-25"


def test_days_that_cannot_be() -> None:
    assert refusal(record_visit, act(), intent(visited_on="2026-11-24"), door()) == ("visited_on", "future_date")
    assert refusal(record_visit, act(), intent(visited_on="23.11."), door()) == ("visited_on", "bad_date")
    assert refusal(record_visit, act(), intent(appointment_on="2026-11-22"), door()) == (
        "appointment_on",
        "before_visit",
    )


def test_more_than_a_week_late_asks_why() -> None:
    assert record_visit(act(), intent(visited_on="2026-11-16"), door())
    late = intent(visited_on="2026-11-15")
    assert refusal(record_visit, act(), late, door()) == ("late_reason", "late_reason_needed")
    (visit,) = record_visit(act(), replace(late, late_reason=" 住院了 "), door())
    assert visit.fields["late_reason"] == "住院了"


def test_texts_and_choices_have_their_bounds() -> None:
    with pytest.raises(RuleError) as caught:
        record_visit(act(), intent(outcome="refused", note="话" * 10_000), door())
    assert (caught.value.field, caught.value.code) == ("note", "too_long")
    assert caught.value.params == {"limit": 2000, "length": 10_000}
    assert record_visit(act(), intent(outcome="refused", note="𬱖" * 2000), door())
    assert refusal(record_visit, act(), intent(outcome=""), door()) == ("outcome", "required")
    assert refusal(record_visit, act(), intent(outcome="gone"), door()) == ("outcome", "unknown_choice")
    assert refusal(record_visit, act(), intent(reasons=("fun",)), door()) == ("reasons", "unknown_choice")
    assert refusal(record_visit, act(), intent(change_flags=("sold",)), door()) == ("change_flags", "unknown_choice")


def test_another_building_is_out_of_reach() -> None:
    with pytest.raises(AccessError, match="out_of_scope"):
        record_visit(act(building="b1"), intent(), door())


def test_the_first_thing_a_household_tells_needs_the_notice() -> None:
    spoken = intent(note="屋里只有 15 度")
    assert refusal(record_visit, act(), spoken, door()) == ("notice_given", "notice_needed")
    visit, notice = record_visit(act(), replace(spoken, notice_given=True), door())
    assert notice.kind == "privacy_notice"
    assert (notice.fields["given_on"], notice.fields["way"]) == ("2026-11-23", "in_person")
    assert visit.fields["privacy_notice_id"] == notice.id
    _, by_phone = record_visit(act(), replace(spoken, notice_given=True, contact_mode="phone"), door())
    assert by_phone.fields["way"] == "phone"
    (again,) = record_visit(act(), replace(spoken, notice_given=True), door(notice_id="n1"))
    assert again.fields["privacy_notice_id"] == "n1"
    assert record_visit(act(), intent(outcome="no_answer", note="门口有菜"), door())


def test_demands_and_the_sign_of_a_dispute_name_the_visit() -> None:
    from sync.domain.disputes import NoticeIntent

    demand = DemandIntent(category="02", title="暖气不热")
    whole = intent(
        visited_on="2026-11-20",
        demands=(demand, demand),
        dispute=NoticeIntent(title="楼上漏水吵起来"),
        notice_given=True,
    )
    operations = record_visit(act(), whole, door())
    visit = operations[0]
    raised = [operation for operation in operations if operation.kind == "demand"]
    assert [operation.fields["visit_id"] for operation in raised] == [visit.id, visit.id]
    assert raised[0].fields["scope_id"] == "h1"
    assert raised[0].fields["reported_at"] == instant("2026-11-20 23:59:59") + 999
    (dispute,) = (operation for operation in operations if operation.kind == "dispute")
    assert (dispute.fields["visit_id"], dispute.fields["household_id"]) == (visit.id, "h1")


def test_one_key_is_one_visit() -> None:
    (visit,) = record_knock(act(), KnockIntent(household_id="h1", outcome="no_answer"), door())
    assert visit.fields["reasons"] == ["knock_drive"]
    (visit,) = record_knock(act(), KnockIntent(household_id="h1", outcome="met"), door(campaign_id="c", round_no=1))
    assert visit.fields["reasons"] == ["campaign"]


def test_a_second_key_on_the_same_door_puts_the_first_right() -> None:
    key = KnockIntent(household_id="h1", outcome="met", visited_on="2026-11-23", time_band="morning")
    (change,) = record_knock(act(), key, door(known=known()))
    assert (change.action, change.id) == ("patch", "v")
    assert change.fields == {"outcome": "met", "next_due_on": "2027-05-23"}
    assert record_knock(act(), replace(key, outcome="no_answer"), door(known=known())) == []
    spoken = replace(key, note="在装修")
    assert refusal(record_knock, act(), spoken, door(known=known())) == ("notice_given", "notice_needed")
    told, notice = record_knock(act(), replace(spoken, notice_given=True), door(known=known()))
    assert (notice.kind, told.fields["privacy_notice_id"]) == ("privacy_notice", notice.id)
    (note,) = record_knock(act(), replace(key, outcome="no_answer", note="在装修"), door(known=known()))
    assert note.fields == {"note": "在装修"}


@pytest.mark.parametrize(
    "other",
    [{"time_band": "evening"}, {"recorded_by": "head1"}, {"recorded_at": instant("2026-11-22 09:00")}],
)
def test_another_band_author_or_day_is_another_visit(other: dict[str, Any]) -> None:
    key = KnockIntent(household_id="h1", outcome="met", visited_on="2026-11-23", time_band="morning")
    (visit,) = record_knock(act(), key, door(known=known(**other)))
    assert visit.action == "new"


def test_filling_the_rest_passes_over_marked_doors_and_empty_homes() -> None:
    keys = [KnockIntent(household_id=name, outcome="no_answer") for name in ("h1", "h2", "h3")]
    doors = [
        door(),
        door(household_id="h2", known=known(household_id="h2")),
        door(household_id="h3", occupancy="vacant"),
    ]
    operations = fill_rest(act(), keys, doors)
    assert [operation.fields["household_id"] for operation in operations] == ["h1"]


def test_a_matter_added_after_the_knock() -> None:
    demand = DemandIntent(category="02", title="暖气不热")
    met = known(outcome="met")
    assert refusal(add_to_visit, act(), [demand], met, door(), notice_given=False) == (
        "notice_given",
        "notice_needed",
    )
    operations = add_to_visit(act(), [demand], met, door(), notice_given=True)
    assert kinds(operations)[:3] == ["privacy_notice", "visit", "demand"]
    assert operations[1].fields == {"privacy_notice_id": operations[0].id}
    told = add_to_visit(act(), [demand], met, door(notice_id="n"), notice_given=False)
    assert kinds(told)[0] == "demand"
    assert told[0].fields["visit_id"] == "v"
    unasked = add_to_visit(act(), [demand], known(), door(), notice_given=False)
    assert kinds(unasked)[0] == "demand"
    colleague = add_to_visit(act(), [demand], replace(met, recorded_by="x"), door(), notice_given=True)
    assert "visit" not in kinds(colleague)


def test_an_own_visit_of_today_can_be_put_right() -> None:
    before = known(note="旧", change_flags=("moved_in",))
    (change,) = change_visit(act(), replace(as_change(before), note="新 "), before, door())
    assert change.fields == {"note": "新"}
    assert change_visit(act(), as_change(before), before, door()) == []
    (agreed,) = change_visit(act(), replace(as_change(before), appointment_on="2026-11-30"), before, door())
    assert agreed.fields == {"appointment_on": "2026-11-30", "next_due_on": "2026-11-30"}
    assert refusal(change_visit, act(), replace(as_change(before), note="长" * 2001), before, door()) == (
        "note",
        "too_long",
    )


def test_yesterdays_and_other_peoples_visits_stay_as_they_are() -> None:
    old = known(recorded_at=instant("2026-11-22 23:59"))
    assert refusal(change_visit, act(), as_change(old), old, door()) == ("visit", "too_late_to_change")
    assert refusal(undo_visit, act(), old) == ("visit", "too_late_to_undo")
    others = known(recorded_by="head1")
    with pytest.raises(AccessError, match="not_yours"):
        change_visit(act(), as_change(others), others, door())
    with pytest.raises(AccessError, match="not_yours"):
        undo_visit(act(), others)


def test_taking_back_takes_along_what_was_raised() -> None:
    operations = undo_visit(act(), known(made=(("demand", "d1"), ("demand_event", "e1"))))
    assert [(o.kind, o.id) for o in operations] == [("visit", "v"), ("demand", "d1"), ("demand_event", "e1")]
    assert all(operation.fields == {"deleted": True} for operation in operations)
    assert refusal(undo_visit, act(), known(in_hand=True)) == ("visit", "already_in_hand")


def test_a_report_is_facts_and_who_was_told() -> None:
    report = ReportIntent(seen_on="2026-11-23", facts=" 孩子手臂有伤 ", building_id="b3", reported_to="police")
    (made,) = report_harm(act(), report)
    assert made.kind == "protection_report"
    assert (made.fields["facts"], made.fields["reported_by"]) == ("孩子手臂有伤", "head")
    assert refusal(report_harm, act(), replace(report, facts=" ")) == ("facts", "required")
    assert refusal(report_harm, act(), replace(report, seen_on="2026-11-24")) == ("seen_on", "future_date")
    assert refusal(report_harm, act(), replace(report, seen_on="x")) == ("seen_on", "bad_date")
    later = instant("2026-11-23 10:00")
    assert refusal(report_harm, act(), replace(report, reported_at=later)) == ("reported_at", "future_date")
    assert refusal(report_harm, act(), replace(report, reported_to="x")) == ("reported_to", "unknown_choice")
    with pytest.raises(AccessError, match="out_of_scope"):
        report_harm(act(), replace(report, building_id="b1"))
