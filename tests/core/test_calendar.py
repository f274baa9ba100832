from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain import calendar
from sync.domain.calendar import DAY, HOUR, WEEKDAYS_ONLY, WorkCalendar, instant, load_calendar
from sync.errors import RuleError

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
CN = load_calendar((RESOURCES / "calendars" / "cn.toml").read_text(encoding="utf-8"))
INSTANTS = st.integers(instant("2023-06-01 00:00"), instant("2027-12-31 00:00"))


def test_the_shipped_table_knows_three_years():
    assert CN.known_years == {2024, 2025, 2026}
    assert CN.version == "2025-11-04"
    assert CN.covers("2026-10-08")
    assert not CN.covers("2027-01-01")


@pytest.mark.parametrize(
    ("year", "holidays", "workdays"),
    # The length of each year's list in the State Council's notices.
    [
        (2024, 1 + 8 + 3 + 5 + 1 + 3 + 7, 8),
        (2025, 1 + 8 + 3 + 5 + 3 + 8, 5),
        (2026, 3 + 9 + 3 + 5 + 3 + 3 + 7, 6),
    ],
)
def test_each_year_has_as_many_days_as_the_notice(year, holidays, workdays):
    assert sum(day.startswith(str(year)) for day in CN.holidays) == holidays
    assert sum(day.startswith(str(year)) for day in CN.workdays) == workdays
    assert not CN.holidays & CN.workdays


@pytest.mark.parametrize("day", sorted(CN.workdays))
def test_a_make_up_day_is_a_weekend_on_which_one_works(day):
    assert calendar.parse_day(day).weekday() >= 5
    assert CN.is_working_day(day)
    assert not WEEKDAYS_ONLY.is_working_day(day)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-02-13", True),
        ("2026-02-14", True),  # Saturday before the Spring Festival
        ("2026-02-16", False),  # Monday of the festival
        ("2026-02-23", False),
        ("2026-02-24", True),
        ("2026-09-20", True),  # a Sunday
        ("2026-10-07", False),
        ("2026-10-10", True),
        ("2026-10-11", False),
        ("2027-10-01", True),  # not known yet: a Friday
        ("2027-10-02", False),
    ],
)
def test_working_days(day, works):
    assert CN.is_working_day(day) is works


@pytest.mark.parametrize(
    ("start", "n", "deadline"),
    [
        ("2026-03-10 09:00", 1, "2026-03-11 09:00"),
        ("2026-03-13 09:00", 1, "2026-03-16 09:00"),  # over a weekend
        ("2026-02-13 17:30", 3, "2026-02-25 17:30"),  # 14th works, then nine days of festival
        ("2026-09-30 10:00", 5, "2026-10-13 10:00"),  # 8, 9, 10 (make-up), 12, 13
        ("2026-03-10 09:00", 0, "2026-03-10 09:00"),
    ],
)
def test_a_deadline_keeps_the_clock_time(start, n, deadline):
    assert CN.add_working_days(instant(start), n) == instant(deadline)


def test_a_start_on_a_day_off_counts_from_the_next_working_day():
    saturday, sunday = instant("2026-03-14 22:00"), instant("2026-03-15 01:00")
    end_of_monday = calendar.end_of_day("2026-03-16")
    assert CN.add_working_days(saturday, 1) == CN.add_working_days(sunday, 1) == end_of_monday
    assert CN.add_working_days(saturday, 3) == calendar.end_of_day("2026-03-18")
    assert calendar.day_of(end_of_monday) == "2026-03-16"


@given(INSTANTS, st.integers(0, 10 * DAY), st.integers(0, 20))
def test_who_starts_later_is_never_due_earlier(start, later, n):
    assert CN.add_working_days(start, n) <= CN.add_working_days(start + later, n)


@given(INSTANTS, st.integers(1, 20))
def test_a_deadline_lies_on_a_working_day_and_spans_exactly_n_of_them(start, n):
    deadline = CN.add_working_days(start, n)
    assert CN.is_working_day(calendar.day_of(deadline))
    day, spanned = calendar.day_of(start), 0
    while day < calendar.day_of(deadline):
        day = calendar.add_days(day, 1)
        spanned += CN.is_working_day(day)
    assert spanned == n


def test_the_next_working_day_lies_after_the_holidays():
    assert CN.working_day_after("2026-09-30", 1) == "2026-10-08"


def test_days_are_days_in_china():
    assert calendar.day_of(instant("2026-03-10 00:00")) == "2026-03-10"
    assert calendar.day_of(instant("2026-03-10 00:00") - 1) == "2026-03-09"
    assert calendar.today(instant("2026-03-10 23:59:59")) == "2026-03-10"
    assert calendar.start_of_day("2026-03-10") == instant("2026-03-10 00:00")
    assert calendar.end_of_day("2026-03-10") + 1 == instant("2026-03-11 00:00")
    assert calendar.day_of(0) == "1970-01-01"


def test_days_and_months_are_added():
    assert calendar.add_days("2026-02-28", 1) == "2026-03-01"
    assert calendar.add_days("2026-03-01", -1) == "2026-02-28"
    assert calendar.days_between("2026-03-10", "2026-03-01") == -9
    assert calendar.add_months("2026-11-14", 1) == "2026-12-14"
    assert calendar.add_months("2026-01-31", 1) == "2026-02-28"
    assert calendar.add_months("2027-12-31", 2) == "2028-02-29"
    assert calendar.add_months("2026-03-31", -1) == "2026-02-28"
    assert calendar.add_months_to_instant(instant("2026-01-31 15:00"), 1) == instant("2026-02-28 15:00")


@pytest.mark.parametrize("day", ["", "2026-02-30", "20260310", "2026-W11-2", "26-3-1", "昨天"])
def test_what_is_not_a_day_is_refused(day):
    with pytest.raises(RuleError) as refused:
        calendar.parse_day(day, field="visited_on")
    assert (refused.value.field, refused.value.code) == ("visited_on", "bad_date")


@pytest.mark.parametrize(
    "text",
    [
        "holidays",
        "[abc]\nholidays = []\nworkdays = []",
        "[2027]\nholidays = []",
        "[2027]\nholidays = ['x']\nworkdays = []",
        "2027 = 3",
        "[2027]\nholidays = [1]\nworkdays = []",
    ],
)
def test_a_damaged_table_is_refused(text):
    with pytest.raises(RuleError) as refused:
        load_calendar(text)
    assert refused.value.code == "unreadable_calendar"


def test_an_unknown_year_falls_back_to_weekdays():
    assert WorkCalendar() == WEEKDAYS_ONLY
    assert WEEKDAYS_ONLY.add_working_days(instant("2026-02-13 09:00"), 1) == instant("2026-02-16 09:00")
    assert HOUR * 24 == DAY
