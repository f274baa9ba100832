from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain import care
from sync.domain.calendar import days_between, instant
from sync.domain.care import Attempt, PlannedVisit, load_care_rules
from sync.domain.kinds import people, visiting
from sync.errors import RuleError

RULES_TEXT = (Path(__file__).resolve().parents[2] / "resources" / "rules" / "care.toml").read_text(encoding="utf-8")
RULES = load_care_rules(RULES_TEXT)
TODAY = "2026-11-23"


def test_the_tables_hold_the_codes_of_the_records():
    assert tuple(tag.code for tag in RULES.tag) == people.CARE_CATEGORIES
    assert tuple(level.code for level in RULES.level) == (*people.CARE_LEVELS, "N")
    assert set(visiting.OUTCOMES) >= care.CONTACT | care.FAILED


@pytest.mark.parametrize(
    ("tags", "level"),
    [
        ((), "N"),
        (("aged_80", "living_alone"), "A"),
        (("aged_80", "empty_nest"), "A"),
        (("left_behind_elder", "aged_80"), "A"),
        (("aged_80", "disabled_elder"), "A"),
        (("serious_illness",), "A"),
        (("disabled_elder",), "B"),
        (("low_income",), "B"),
        (("extreme_poverty",), "B"),
        (("disability", "veteran"), "B"),
        (("left_behind_child",), "B"),
        (("orphan_or_needy_child",), "B"),
        (("left_behind_woman",), "B"),
        (("family_planning_special",), "B"),
        (("aged_80",), "C"),
        (("living_alone",), "C"),
        (("veteran", "unemployed"), "C"),
        (("low_income_margin",), "C"),
    ],
)
def test_levels(tags, level):
    assert RULES.level_of(tags) == level


def test_the_shipped_rules_are_the_built_in_ones():
    assert RULES == care.DEFAULT_CARE


def test_a_household_takes_the_level_of_who_needs_most():
    assert RULES.highest(["C", "A", "N"]) == "A"
    assert RULES.highest([]) == "N"


def test_police_categories_are_not_ours():
    with pytest.raises(RuleError) as refused:
        RULES.level_of(["drug_user"])
    assert refused.value.code == "unknown_care_category"


@pytest.mark.parametrize(
    ("level", "due"),
    [("A", "2026-02-07"), ("B", "2026-02-28"), ("C", "2026-04-30"), ("N", "2026-07-31"), ("", "2026-07-31")],
)
def test_intervals_count_from_the_last_contact(level, due):
    assert care.next_due_on("2026-01-31", level=level) == due


def test_who_was_never_reached_is_due_at_once():
    assert care.next_due_on(None, level="N") is None
    with pytest.raises(RuleError) as refused:
        care.next_due_on(None, level="Z")
    assert refused.value.code == "unknown_care_level"


@given(st.dates(), st.sampled_from([level.code for level in RULES.level]))
def test_the_next_visit_lies_after_the_last(day, level):
    if not 1 < day.year < 9990:
        return
    gap = days_between(day.isoformat(), care.next_due_on(day.isoformat(), level=level))
    assert 7 <= gap <= 184


def knock(day, band, outcome="no_answer"):
    return Attempt(f"2026-11-{day:02d}", band, outcome)


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([], False),
        ([knock(1, "morning"), knock(2, "afternoon")], False),
        ([knock(1, "morning"), knock(2, "morning"), knock(3, "morning")], False),
        ([knock(1, "morning"), knock(2, "afternoon"), knock(3, "evening")], True),
        ([knock(1, "morning"), knock(2, "weekend"), knock(2, "evening"), knock(4, "morning")], True),
        ([knock(1, "morning"), knock(2, "afternoon"), knock(3, "evening", "refused")], False),
        ([knock(1, "morning"), knock(2, "afternoon", "met"), knock(3, "evening"), knock(4, "weekend")], False),
        ([knock(4, "evening", "met"), knock(1, "morning"), knock(2, "afternoon"), knock(3, "weekend")], False),
    ],
)
def test_hard_to_reach(attempts, expected):
    assert care.hard_to_reach(attempts) is expected


def test_contact_is_having_spoken():
    attempts = [knock(3, "morning", "met"), knock(9, "morning", "refused"), knock(5, "evening", "met")]
    assert care.last_contact_on(attempts) == "2026-11-05"
    assert care.last_contact_on([knock(9, "morning", "vacant")]) is None


def test_after_a_major_change_within_a_day():
    assert care.after_major_change(instant("2026-11-21 09:00")) == instant("2026-11-22 09:00")


def test_a_door_is_knocked_once_a_day():
    plans = [
        PlannedVisit("h1", TODAY, ("due",)),
        PlannedVisit("h2", TODAY, ("campaign",)),
        PlannedVisit("h1", TODAY, ("campaign", "due")),
        PlannedVisit("h1", "2026-11-24", ("tell_result",)),
    ]
    assert care.merge_planned(plans) == (
        PlannedVisit("h1", TODAY, ("due", "campaign")),
        PlannedVisit("h2", TODAY, ("campaign",)),
        PlannedVisit("h1", "2026-11-24", ("tell_result",)),
    )


@pytest.mark.parametrize(
    "text",
    [
        "version = ",
        "version = '1'",
        RULES_TEXT.replace('listed = "C"', 'listed = "Z"'),
        RULES_TEXT.replace("days = 7", "days = 0"),
        RULES_TEXT.replace('tags = ["serious_illness"]', "tags = []"),
        RULES_TEXT.replace('tags = ["serious_illness"]', 'tags = ["drug_user"]'),
        RULES_TEXT.replace("days = 7", "hours = 7"),
    ],
)
def test_damaged_rules_are_refused(text):
    with pytest.raises(RuleError) as refused:
        load_care_rules(text)
    assert refused.value.code == "unreadable_rules"
