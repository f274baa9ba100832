"""Words of a household on the screen: who lives there and how, outcomes of visits, days to come."""

from collections.abc import Mapping, Sequence
from typing import Final

from desktop.i18n import mark, short_day, tr
from sync.domain.calendar import days_between

OCCUPANCIES: Final[Mapping[str, str]] = {
    "owner": mark("Lived in by the owner"),
    "rented": mark("Let"),
    "mixed": mark("Owner and tenants"),
    "vacant": mark("Empty"),
    "non_residential": mark("Not a home"),
    "unknown": mark("Not known yet"),
}
RESIDENCES: Final[Mapping[str, str]] = {
    "living": mark("Living here"),
    "registered_elsewhere": mark("Living here, registered elsewhere"),
    "registered_only": mark("Registered only"),
    "away": mark("Away for long"),
    "unknown": mark("Not known yet"),
}
SEXES: Final[Mapping[str, str]] = {"male": mark("Man"), "female": mark("Woman"), "unknown": mark("Not noted")}
NOTICE_WAYS: Final[Mapping[str, str]] = {
    "in_person": mark("In person"),
    "phone": mark("By phone"),
    "paper": mark("On paper"),
}
CARE_LEVELS: Final[Mapping[str, str]] = {
    "A": mark("Every week"),
    "B": mark("Every month"),
    "C": mark("Every quarter"),
}
OUTCOMES: Final[Mapping[str, str]] = {
    "met": mark("Met"),
    "no_answer": mark("Nobody in"),
    "refused": mark("Declined"),
    "vacant": mark("Empty flat"),
    "moved_away": mark("Moved away"),
    "by_appointment": mark("Another time"),
}
BANDS: Final[Mapping[str, str]] = {
    "morning": mark("Morning"),
    "afternoon": mark("Afternoon"),
    "evening": mark("Evening"),
    "weekend": mark("Weekend"),
}


def word(table: Mapping[str, str], value: str) -> str:
    """The word for a stored value; one of a newer program is shown as it is."""
    return tr(table[value]) if value in table else value


def day_words(day: str | None, *, today: str) -> str:
    """A day to come in a word: today, tomorrow, 5 days left, 3 days over; none is today."""
    left = days_between(today, day) if day else 0
    if left == 0:
        return tr("today")
    if left == 1:
        return tr("tomorrow")
    return tr("{n} days left").format(n=left) if left > 0 else tr("{n} days late").format(n=-left)


def visit_day_words(day: str | None, *, today: str) -> str:
    """When a household is to be called on; a day that has passed is not held against anybody."""
    if day is not None and day < today:
        return tr("time to go")
    return day_words(day, today=today)


def near_words(day: str | None, *, today: str) -> str:
    """A day of the coming week: today, or 11-28."""
    return tr("today") if day is None or day == today else short_day(day, today=today)


def advice_for_bands(tried: Sequence[str]) -> str:
    """After knocks in vain: in which times of day nobody was in, and which one to try."""
    if not tried:
        return ""
    known = tr(", ", "list").join(word(BANDS, band) for band in BANDS if band in tried)
    other = next((band for band in ("evening", "weekend", "morning", "afternoon") if band not in tried), "")
    if not other:
        return tr("nobody in: {bands}").format(bands=known)
    return tr("nobody in: {bands}; try {other}").format(bands=known, other=word(BANDS, other))
