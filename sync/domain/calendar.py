"""Days, months and working days in China, with the State Council's holidays and make-up working days (调休).

Days are 'YYYY-MM-DD' texts, instants are milliseconds since 1970 UTC; every day is a day in China
(UTC+8, no summer time).
"""

import calendar as months
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from sync.errors import RuleError

CHINA = timezone(timedelta(hours=8))
HOUR = 3_600_000  # milliseconds
DAY = 24 * HOUR
_CHINA_MS = 8 * HOUR
_EPOCH = date(1970, 1, 1).toordinal()
_SATURDAY = 5


def day_of(instant: int) -> str:
    """The day in China on which an instant falls."""
    return date.fromordinal(_EPOCH + (instant + _CHINA_MS) // DAY).isoformat()


def today(now: int) -> str:
    """The day in China at ``now``; the only clock of the rules is the one handed in."""
    return day_of(now)


def start_of_day(day: str) -> int:
    """The first instant of a day in China, in milliseconds."""
    return (parse_day(day).toordinal() - _EPOCH) * DAY - _CHINA_MS


def end_of_day(day: str) -> int:
    """The last millisecond of a day in China."""
    return start_of_day(day) + DAY - 1


def instant(text: str) -> int:
    """Milliseconds of 'YYYY-MM-DD HH:MM[:SS]' read as Chinese time."""
    moment = datetime.fromisoformat(text).replace(tzinfo=CHINA)
    return int(moment.astimezone(UTC).timestamp() * 1000)


def parse_day(day: str, *, field: str = "day") -> date:
    """The date of a 'YYYY-MM-DD' text; RuleError(field, 'bad_date') for anything else."""
    try:
        parsed = date.fromisoformat(day)
    except ValueError:
        raise RuleError(field, "bad_date") from None
    if parsed.isoformat() != day:  # fromisoformat also takes 20260310 and 2026-W11-2
        raise RuleError(field, "bad_date")
    return parsed


def add_days(day: str, n: int) -> str:
    """The day ``n`` calendar days later (or earlier)."""
    return (parse_day(day) + timedelta(days=n)).isoformat()


def days_between(first: str, last: str) -> int:
    """Calendar days from ``first`` to ``last``; negative when ``last`` is earlier."""
    return (parse_day(last) - parse_day(first)).days


def add_months(day: str, n: int) -> str:
    """The same day ``n`` months later, or the last day of that month when it is shorter."""
    start = parse_day(day)
    year, month = divmod(start.year * 12 + start.month - 1 + n, 12)
    return date(year, month + 1, min(start.day, months.monthrange(year, month + 1)[1])).isoformat()


def add_months_to_instant(start: int, n: int) -> int:
    """The instant ``n`` months later, at the same clock time in China."""
    day = day_of(start)
    return start + (start_of_day(add_months(day, n)) - start_of_day(day))


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Holidays and make-up working days of the known years; an unknown year falls back to Monday to Friday.

    Ask ``covers`` and show a notice when a reckoned day lies in a year that is not known yet.
    """

    holidays: frozenset[str] = frozenset()
    workdays: frozenset[str] = frozenset()
    known_years: frozenset[int] = frozenset()
    version: str = ""

    def covers(self, day: str) -> bool:
        """Whether the State Council's days of that year are known."""
        return int(day[:4]) in self.known_years

    def is_working_day(self, day: str) -> bool:
        """Whether offices work on that day."""
        if day in self.workdays:
            return True
        return day not in self.holidays and parse_day(day).weekday() < _SATURDAY

    def add_working_days(self, start: int, n: int) -> int:
        """The deadline ``n`` working days after an instant, in milliseconds.

        Started on a working day, it ends at the same clock time ``n`` working days later. Started on a day
        off, it counts from the next working day, all of which is the first day, so it ends with the n-th one.
        A later start never has an earlier deadline.
        """
        if n < 1:
            return start
        first = day_of(start)
        last = self.working_day_after(first, n)
        if self.is_working_day(first):
            return start + (start_of_day(last) - start_of_day(first))
        return end_of_day(last)

    def working_day_after(self, day: str, n: int) -> str:
        """The n-th working day after a day, which itself is not counted."""
        moved = parse_day(day)
        while n > 0:
            moved += timedelta(days=1)
            if self.is_working_day(moved.isoformat()):
                n -= 1
        return moved.isoformat()


WEEKDAYS_ONLY = WorkCalendar()  # the fallback when no table is at hand


def load_calendar(text: str) -> WorkCalendar:
    """A calendar from its TOML text: a table a year with ``holidays`` and ``workdays``.

    Each is a list of days or spans 'from..to'. Raises RuleError('calendar', 'unreadable_calendar') for text
    that is not such a table.
    """
    try:
        table = tomllib.loads(text)
        years = {int(key): value for key, value in table.items() if key != "version"}
        holidays = _listed(year["holidays"] for year in years.values())
        workdays = _listed(year["workdays"] for year in years.values())
    except (tomllib.TOMLDecodeError, RuleError, KeyError, TypeError, ValueError, AttributeError):
        raise RuleError("calendar", "unreadable_calendar") from None
    return WorkCalendar(holidays, workdays, frozenset(years), str(table.get("version", "")))


def _listed(lists: Iterable[list[str]]) -> frozenset[str]:
    return frozenset(day for spans in lists for span in spans for day in _days(span))


def _days(span: str) -> tuple[str, ...]:
    first, _, last = span.partition("..")
    return tuple(add_days(first, n) for n in range(days_between(first, last or first) + 1))
