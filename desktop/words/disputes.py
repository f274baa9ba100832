"""Words of a dispute on the screen: states, steps, buttons, signs of danger, time limits. Words only, no colours."""

from collections.abc import Mapping
from typing import Final

from desktop.i18n import mark, short_day, tr
from desktop.words.sync import short_state
from sync.domain.calendar import days_between
from sync.store.dispute_rows import DisputeRow
from sync.store.disputes import DisputeStep

STATES: Final[Mapping[str, str]] = {
    "noticed": mark("Noticed"),
    "registered": mark("Registered"),
    "settled_on_spot": mark("Settled on the spot"),
    "not_a_dispute": mark("No dispute"),
    "not_accepted": mark("Not accepted for mediation"),
    "accepted": mark("Accepted for mediation"),
    "mediating": mark("Being mediated"),
    "suspended": mark("Mediation paused"),
    "refused": mark("One side declined; stopped"),
    "failed": mark("Mediation failed"),
    "agreed_written": mark("Agreed in writing"),
    "agreed_oral": mark("Agreed by word"),
    "performing": mark("Being kept"),
    "performed": mark("Kept"),
    "breached": mark("Not kept"),
    "followed_up": mark("Called again"),
    "archived": mark("Put on file"),
    "escalated": mark("Help was asked for"),
    "transferred": mark("Handed to another body"),
    "reopened": mark("Come up again"),
    "closed": mark("Ended"),
}
# What a button says.
MOVES: Final[Mapping[str, str]] = {
    "settle_on_spot": mark("They have agreed: note the result"),
    "settle_registered": mark("They have agreed: note the result"),
    "hand_over": mark("No agreement: hand to the station"),
    "ask_for_help": mark("Ask the branch for help"),
    "dismiss": mark("It is no dispute"),
    "follow_up": mark("Note the call"),
    "archive": mark("Put on file now"),
    "take_over": mark("I take it on"),
    "register": mark("Register"),
    "answer_help": mark("Note what the help brought"),
    "accept": mark("Accept the case"),
    "transfer": mark("Hand to another body"),
    "not_accept": mark("Do not accept the case"),
    "begin": mark("Begin the mediation"),
    "hold_session": mark("Note this meeting"),
    "agree_in_writing": mark("Agreed: in writing"),
    "agree_orally": mark("Agreed: by word"),
    "refuse": mark("One side declines (must stop)"),
    "fail": mark("The mediation has failed"),
    "suspend": mark("Pause the mediation"),
    "resume": mark("Go on mediating"),
    "extend": mark("A longer time"),
    "escalate_case": mark("Ask a higher level"),
    "return_to_case": mark("Answered: go on mediating"),
    "transfer_case": mark("Hand to another body"),
    "begin_performance": mark("It is being kept"),
    "perform": mark("All has been kept"),
    "breach": mark("It is not kept"),
    "urge": mark("Remind them"),
    "confirm_in_court": mark("Note the court's confirmation"),
    "follow_up_case": mark("Note the call"),
    "follow_up_breach": mark("Note the call"),
    "close": mark("End it"),
    "close_case": mark("End it"),
    "archive_closed": mark("Put on file now"),
    "archive_case": mark("Put on file now"),
    "reopen": mark("It has come up again"),
    "change_mediator": mark("Other mediators"),
    "note": mark("Add a note"),
    "note_case": mark("Add a note"),
}
# What has happened, in the history.
STEPS: Final[Mapping[str, str]] = {
    "notice": mark("Noticed"),
    "settle_on_spot": mark("Settled on the spot"),
    "settle_registered": mark("They agreed"),
    "hand_over": mark("Handed to the station"),
    "ask_for_help": mark("Help was asked for"),
    "dismiss": mark("No dispute"),
    "follow_up": mark("Called again"),
    "archive": mark("Put on file"),
    "take_over": mark("Taken on"),
    "register": mark("Registered"),
    "answer_help": mark("Help has come"),
    "accept": mark("Accepted for mediation"),
    "transfer": mark("Handed to another body"),
    "not_accept": mark("Not accepted for mediation"),
    "begin": mark("Mediation begun"),
    "hold_session": mark("Session"),
    "agree_in_writing": mark("Agreed in writing"),
    "agree_orally": mark("Agreed by word"),
    "refuse": mark("One side declined; stopped"),
    "fail": mark("Mediation failed"),
    "suspend": mark("Mediation paused"),
    "resume": mark("Mediation goes on"),
    "extend": mark("Time made longer"),
    "change_mediator": mark("Mediators changed"),
    "escalate_case": mark("A higher level was asked"),
    "return_to_case": mark("A higher level has answered"),
    "transfer_case": mark("Handed to another body"),
    "begin_performance": mark("Being kept"),
    "perform": mark("Kept"),
    "breach": mark("Not kept"),
    "urge": mark("Reminded"),
    "confirm_in_court": mark("Confirmed in court"),
    "follow_up_case": mark("Called again"),
    "follow_up_breach": mark("Called again"),
    "close": mark("Ended"),
    "close_case": mark("Ended"),
    "archive_closed": mark("Put on file"),
    "archive_case": mark("Put on file"),
    "reopen": mark("Come up again"),
    "note": mark("Note"),
    "note_case": mark("Note"),
}
RISKS: Final[Mapping[str, str]] = {
    "green": mark("Ordinary matter"),
    "yellow": mark("Keeps coming up, or several sides"),
    "red": mark("Danger"),
}
# Signs that make it dangerous come first.
SIGNS: Final[Mapping[str, str]] = {
    "violence": mark("Somebody hit out"),
    "threat": mark("Threats"),
    "weapon": mark("Knives or sticks"),
    "self_harm": mark("Talk of self-harm"),
    "minor_at_risk": mark("A child is affected"),
    "repeated_police": mark("Police called again and again"),
    "ten_or_more": mark("Ten people or more"),
    "two_failed_attempts": mark("Talked twice in vain"),
    "several_households": mark("Three households or more"),
    "property_company": mark("With the property firm"),
}
METHODS: Final[Mapping[str, str]] = {
    "talked": mark("Talked it over face to face"),
    "gave_way": mark("Each gave way"),
    "put_right": mark("One side put it right"),
    "paid": mark("Something was paid"),
    "written": mark("Agreement in writing"),
    "oral": mark("Agreement by word"),
}
ON_THE_SPOT: Final = ("talked", "gave_way", "put_right", "paid")
# Where in the steps across the top a state stands.
_HEAD_PLACE: Final = {"settled_on_spot": 1, "followed_up": 2, "archived": 3}
_CASE_PLACE: Final = {
    "registered": 1,
    "not_accepted": 1,
    "transferred": 1,
    "accepted": 2,
    "mediating": 3,
    "suspended": 3,
    "refused": 3,
    "failed": 3,
    "escalated": 3,
    "closed": 3,
    "agreed_written": 4,
    "agreed_oral": 4,
    "performing": 5,
    "performed": 5,
    "breached": 5,
    "followed_up": 6,
    "archived": 7,
}
_FAR: Final = 14  # days: a filing day further off than this presses nobody

LESSON = mark(
    "Heard two households quarrel? Note it in one line; talk with both; note what they agreed on; ask again"
    " after a week. What can't be settled goes to the station."
)


def word(table: Mapping[str, str], value: str) -> str:
    """The word for a stored value; one of a newer program, or words typed by hand, are shown as they are."""
    return tr(table[value]) if value in table else value


def heading(row: DisputeRow) -> str:
    """Who with whom, and what about: '3-3-201 ↔ 3-3-301　晾衣滴水'."""
    return "　".join(part for part in (sides(row), row.title) if part)


def sides(row: DisputeRow) -> str:
    """The two sides as rooms or places."""
    return " ↔ ".join(part for part in (row.side, row.other_side) if part)


def state_words(row: DisputeRow, *, today: str) -> str:
    """The line below the heading in a list, with how far the record has come where that is not as it should be."""
    return " · ".join(filter(None, (_state(row, today=today), short_state(row.sync))))


def _state(row: DisputeRow, *, today: str) -> str:
    if row.is_state_only:
        return f"{tr('With the mediators')} · {word(STATES, row.state)}"
    if row.is_handed_over:
        return tr("With the station, to be registered")
    if row.state == "noticed":
        if row.noticed_on == today:
            return tr("Noticed today")
        return tr("Noticed on {day}").format(day=short_day(row.noticed_on, today=today))
    if row.state == "settled_on_spot":
        return tr("Settled on the spot · to be called again")
    if row.state in ("escalated", "transferred") and row.handed_to:
        return f"{word(STATES, row.state)} · {row.handed_to}"
    return word(STATES, row.state)


def due_words(row: DisputeRow, *, today: str) -> str:
    """What is due when, in a pill of few words; '' when nothing presses."""
    if row.next_on is None:
        return ""
    left = days_between(today, row.next_on)
    if row.next_step == "report":
        return tr("report now")
    if row.next_step == "call" and left >= 0:
        return tr("call {day}").format(day=short_day(row.next_on, today=today))
    if row.next_step == "file" and left > _FAR:
        return ""
    if left < 0:
        return tr("{n} days late").format(n=-left)
    return tr("due today") if left == 0 else tr("{n} days left").format(n=left)


def step_words(step: DisputeStep) -> str:
    """What happened in a step, without the words that were said."""
    return word(STEPS, step.move)


def path(row: DisputeRow, *, was_registered: bool) -> tuple[tuple[str, ...], int]:
    """The steps across the top and the place of the present one: four for a head, eight for a case."""
    if not was_registered:
        return (
            (tr("Noticed"), tr("Settled on the spot"), tr("Called again", "step"), tr("On file")),
            _HEAD_PLACE.get(row.state, 0),
        )
    return (
        (
            tr("Noticed"),
            tr("Registered", "step"),
            tr("Accepted", "step"),
            tr("Mediation"),
            tr("Agreement"),
            tr("Keeping it"),
            tr("Called again", "step"),
            tr("On file"),
        ),
        _CASE_PLACE.get(row.state, 0),
    )
