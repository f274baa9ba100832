"""The words of a visit on the screen: outcomes, bands, ways, reasons, changes."""

from collections.abc import Mapping, Sequence

from desktop.i18n import mark, tr
from desktop.widgets.option_row import Option

OUTCOMES: Mapping[str, str] = {
    "met": mark("Met"),
    "no_answer": mark("Nobody in"),
    "refused": mark("Declined"),
    "vacant": mark("Empty flat"),
    "moved_away": mark("Moved away"),
    "by_appointment": mark("Another time"),
}
# Shorter where there is little room.
SHORT_OUTCOMES: Mapping[str, str] = {
    "met": mark("met"),
    "no_answer": mark("nobody in"),
    "refused": mark("declined"),
    "vacant": mark("empty"),
    "moved_away": mark("moved"),
    "by_appointment": mark("another time"),
}
# On the keys beside the façade.
KEY_OUTCOMES: Mapping[str, str] = {
    "met": mark("Met"),
    "no_answer": mark("Out"),
    "refused": mark("Declined"),
    "vacant": mark("Vacant"),
    "moved_away": mark("Moved"),
    "by_appointment": mark("Later"),
}
# How a mark is painted on the façade.
TONES_OF_MARKS: Mapping[str, str] = {
    "met": "met",
    "no_answer": "no_answer",
    "refused": "refused",
    "vacant": "vacant",
    "moved_away": "moved",
    "by_appointment": "appointment",
}
BANDS: Mapping[str, str] = {
    "morning": mark("Morning"),
    "afternoon": mark("Afternoon"),
    "evening": mark("Evening"),
    "weekend": mark("Weekend"),
}
MODES: Mapping[str, str] = {
    "door": mark("At the door"),
    "phone": mark("By phone"),
    "met_elsewhere": mark("Met on the way"),
    "station": mark("At the station"),
}
REASONS: Mapping[str, str] = {
    "due": mark("A visit is due"),
    "campaign": mark("A round"),
    "knock_drive": mark("Happiness knocks"),
    "tell_result": mark("Tell a result"),
    "other": mark("Other"),
}
CHANGES: Mapping[str, str] = {
    "moved_in": mark("Moved in"),
    "moved_out": mark("Moved out"),
    "rented_out": mark("Let to others"),
    "phone_changed": mark("New phone"),
    "other": mark("Other"),
}
URGENCIES: Mapping[str, str] = {
    "urgent": mark("Urgent"),
    "coordinated": mark("To coordinate"),
    "routine": mark("Ordinary"),
}
DISPUTE_SORTS: Mapping[str, str] = {
    "02": mark("Neighbours"),
    "01": mark("Marriage and family"),
    "04": mark("Property and its management"),
    "05": mark("Damage or injury"),
    "06": mark("Contract or tenancy"),
    "99": mark("Other"),
}
REPORTED_TO: Mapping[str, str] = {
    "police": mark("Police (110)"),
    "community": mark("Community"),
    "civil_affairs": mark("Civil affairs"),
    "education": mark("Education office"),
    "not_yet": mark("Not yet"),
}
TONES: Mapping[str, str] = {"urgent": "red", "coordinated": "yellow", "routine": "green"}


def mark_character(outcome: str) -> str:
    """The one character of a mark on the façade; '' for none."""
    return {
        "met": tr("M", note="door"),
        "no_answer": tr("N", note="door"),
        "refused": tr("D", note="door"),
        "vacant": tr("E", note="door"),
        "moved_away": tr("G", note="door"),
        "by_appointment": tr("L", note="door"),
    }.get(outcome, "")


def options(table: Mapping[str, str], *, digits: bool = False) -> tuple[Option, ...]:
    """A table as choices in its order, with the digits 1, 2, 3 … when asked for."""
    return tuple(
        Option(value, tr(text), str(place) if digits else "") for place, (value, text) in enumerate(table.items(), 1)
    )


def outcome_options() -> tuple[Option, ...]:
    """The outcomes in the form, where there is room to say that nobody is pressed."""
    return tuple(
        Option(option.value, tr("Declined (never press)"), option.digit) if option.value == "refused" else option
        for option in options(OUTCOMES, digits=True)
    )


def reason_options(round_name: str) -> tuple[Option, ...]:
    """Why one goes; the round bears its own name, and is not offered when no campaign is open."""
    shown = [option for option in options(REASONS) if option.value != "campaign" or round_name]
    return tuple(Option(option.value, round_name) if option.value == "campaign" else option for option in shown)


def words(table: Mapping[str, str], value: str) -> str:
    """The words of a stored value; an unknown one (of a newer program) as it is."""
    return tr(table[value]) if value in table else value


def joined(table: Mapping[str, str], values: Sequence[str]) -> str:
    """Several values in one phrase."""
    return tr(", ", "list").join(words(table, value) for value in values)
