from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain import care
from sync.domain.calendar import days_between
from sync.domain.care import load_care_rules
from sync.domain.kinds import people, visiting
from sync.errors import RuleError

RULES_TEXT = (Path(__file__).resolve().parents[2] / "resources" / "rules" / "care.toml").read_text(encoding="utf-8")
RULES = load_care_rules(RULES_TEXT)


def test_the_tables_hold_the_codes_of_the_records():
    assert tuple(tag.code for tag in RULES.tag) == people.CARE_CATEGORIES
    assert tuple(level.code for level in RULES.level) == (*people.CARE_LEVELS, "N")
    assert set(visiting.OUTCOMES) >= care.CONTACT


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
