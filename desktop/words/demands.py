"""Words of a demand on the screen: states, steps, buttons, time limits; used by every page that shows one."""

from collections.abc import Mapping
from typing import Final

from desktop.i18n import mark, short_day, tr
from sync.domain.calendar import day_of, days_between
from sync.domain.categories import DEFAULT_CATEGORIES, label
from sync.domain.demand_correction import CORRECT, Correction, corrections
from sync.store.demand_rows import DemandRow
from sync.store.demands import Step

STATES: Final[Mapping[str, str]] = {
    "collected": mark("Just received"),
    "answered_on_spot": mark("Answered on the spot"),
    "accepted": mark("Accepted"),
    "rejected": mark("Not taken on"),
    "merged": mark("Merged into another"),
    "dispatched": mark("Dispatched"),
    "taken": mark("Taken"),
    "in_progress": mark("In hand"),
    "resolved": mark("Solved, resident not told yet"),
    "replied": mark("Resident told"),
    "evaluated": mark("Evaluated"),
    "archived": mark("Filed"),
    "returned": mark("Returned"),
    "suspended": mark("On hold"),
    "scheduled": mark("Planned"),
    "escalated": mark("Reported up"),
    "reopened": mark("Raised again"),
    "withdrawn": mark("Withdrawn"),
}
# What a button says; the moves not named here have no button of their own.
MOVES: Final[Mapping[str, str]] = {
    "answer_on_spot": mark("Answer on the spot"),
    "accept": mark("Accept"),
    "dispatch": mark("Dispatch"),
    "take": mark("Take it"),
    "start": mark("Begin work on it"),
    "resolve": mark("Close as solved"),
    "reply": mark("Tell the resident"),
    "evaluate": mark("Note the evaluation"),
    "archive": mark("File it"),
    "resume": mark("Go on with it"),
    "reopen": mark("Do it again"),
    "recall": mark("Take back the dispatch"),
    "return": mark("Return it"),
    "suspend": mark("Put on hold"),
    "schedule": mark("Put into the plan"),
    "review": mark("Another day to look again"),
    "escalate": mark("Report up"),
    "assign": mark("Hand to a colleague"),
    "reject": mark("Do not take on"),
    "merge": mark("Merge into another"),
    "withdraw": mark("Withdraw"),
    "withdraw_for_resident": mark("Resident withdraws"),
    "archive_dissatisfied": mark("File although dissatisfied"),
    "note": mark("Add a note"),
}
STEPS: Final[Mapping[str, str]] = {
    "create": mark("Raised"),
    "answer_on_spot": mark("Answered on the spot"),
    "note": mark("Note"),
    "withdraw": mark("Withdrawn"),
    "withdraw_for_resident": mark("Withdrawn by the resident"),
    "accept": mark("Accepted"),
    "reject": mark("Not taken on"),
    "merge": mark("Merged into another"),
    "dispatch": mark("Dispatched"),
    "recall": mark("Dispatch taken back"),
    "take": mark("Taken"),
    "return": mark("Returned"),
    "start": mark("Work begun"),
    "suspend": mark("Put on hold"),
    "schedule": mark("Planned"),
    "review": mark("Looked at again"),
    "resume": mark("Going on"),
    "escalate": mark("Reported up"),
    "assign": mark("Handed to a colleague"),
    "resolve": mark("Solved"),
    "reply": mark("Resident told"),
    "evaluate": mark("Evaluated"),
    "evaluate_dissatisfied": mark("Resident is dissatisfied"),
    "archive": mark("Filed"),
    "archive_dissatisfied": mark("Filed although dissatisfied"),
    "auto_archive": mark("Filed by itself"),
    "reopen": mark("Raised again"),
    CORRECT: mark("Corrected"),
}
URGENCIES: Final[Mapping[str, str]] = {
    "urgent": mark("Urgent"),
    "coordinated": mark("To coordinate"),
    "routine": mark("Ordinary"),
}
CLOSE_KINDS: Final[Mapping[str, str]] = {
    "substantive": mark("Really solved"),
    "interim": mark("Solved for now"),
    "procedural": mark("Closed by procedure"),
    "discontinued": mark("Discontinued"),
}
REPLY_MODES: Final[Mapping[str, str]] = {
    "in_person": mark("In person"),
    "phone": mark("By phone"),
    "message": mark("By message"),
    "paper": mark("On paper"),
    "notice_board": mark("On the notice board"),
}
EVALUATIONS: Final[Mapping[str, str]] = {
    "satisfied": mark("Satisfied"),
    "mostly": mark("Mostly satisfied"),
    "dissatisfied": mark("Dissatisfied"),
    "not_reached": mark("Not reached"),
}
LEVELS: Final[Mapping[str, str]] = {
    "head": mark("The building head"),
    "station": mark("The station"),
    "community": mark("The community"),
    "subdistrict": mark("Subdistrict"),
    "district": mark("District"),
}
SOURCES: Final[Mapping[str, str]] = {
    "visit": mark("On a visit"),
    "station": mark("At the counter"),
    "reception_day": mark("Reception day"),
    "board": mark("Message board"),
    "meeting": mark("Meeting"),
    "phone": mark("By phone"),
    "hotline": mark("Hotline 12345"),
    "superior": mark("From above"),
    "patrol": mark("Seen on patrol"),
}
SORTS: Final[Mapping[str, str]] = {
    "complaint": mark("Complaint"),
    "need": mark("Need"),
    "suggestion": mark("Suggestion"),
    "consultation": mark("Question"),
    "wish": mark("Small wish"),
}
SCOPES: Final[Mapping[str, str]] = {
    "household": mark("One household"),
    "unit": mark("A unit"),
    "building": mark("A whole building"),
    "compound": mark("The whole compound"),
}
STAGES: Final[Mapping[str, str]] = {
    "to_accept": mark("To be accepted"),
    "to_take": mark("Waiting to be taken"),
    "in_hand": mark("In hand"),
    "to_tell": mark("Solved, to be told"),
    "to_evaluate": mark("To be evaluated"),
    "finished": mark("Done"),
}


def word(table: Mapping[str, str], value: str) -> str:
    """The word for a stored value; one of a newer program is shown as it is."""
    return tr(table[value]) if value in table else value


def badge_of(row: DemandRow) -> tuple[str, str]:
    """(tone, character) of a demand's badge: one that is finished is a quiet 'done', never a green one."""
    colour = row.coloured.colour.value
    return ("done", tr("Done", note="badge")) if colour == "none" else (colour, "")


def due_words(row: DemandRow, *, now: int) -> str:
    """What is due when, in a few words: to be answered, told, looked at again or solved; '' when nothing is."""
    if row.due_at is None:
        return ""
    today, day = day_of(now), day_of(row.due_at)
    left = days_between(today, day)
    if row.state in ("suspended", "scheduled"):
        return tr("look again on {day}").format(day=short_day(day, today=today))
    today_words, left_words, over_words = {
        "resolved": (tr("to be told today"), tr("{n} days left to tell"), tr("untold for {n} days")),
        "collected": (tr("to be answered today"), tr("{n} days left to answer"), tr("answer {n} days late")),
    }.get(row.state, (tr("due today"), tr("{n} days left"), tr("{n} days late")))
    if row.due_at < now:
        return over_words.format(n=max(1, -left))
    return today_words if left == 0 else left_words.format(n=left)


def is_late(row: DemandRow, *, now: int) -> bool:
    """Whether what is due is overdue."""
    return row.due_at is not None and row.due_at < now


def step_note(step: Step) -> str:
    """What was said at a step; words that lie in the care stream are named as such."""
    if step.move == CORRECT:
        return tr("; ", "list").join(correction_words(line) for line in corrections(step.note))
    return f"{step.note} {tr('words kept apart')}".strip() if step.has_hidden_words else step.note


def correction_words(line: Correction) -> str:
    """What was put right: '紧急程度：紧急 → 一般'."""
    named = {
        "category": tr("Category"),
        "urgency": tr("How urgent"),
        "life_safety": tr("Danger to life"),
        "title": tr("What matter"),
        "place": tr("Place"),
    }.get(line.field, line.field)

    def shown(value: str) -> str:
        if line.field == "category":
            return label(DEFAULT_CATEGORIES, value)
        if line.field == "life_safety":
            return tr("yes") if value == "yes" else tr("no")
        return word(URGENCIES, value) if line.field == "urgency" else value

    if not line.old and not line.new:
        return tr("{field} {note}").format(field=named, note=tr("words kept apart"))
    return tr("{field}: {old} → {new}").format(field=named, old=shown(line.old), new=shown(line.new))


def step_words(step: Step) -> str:
    """What happened in a step: '已派 顺达物业'."""
    return f"{word(STEPS, step.move)} {step_note(step)}".strip()
