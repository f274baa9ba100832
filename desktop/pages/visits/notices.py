"""What the visits pages say in the bar over the page."""

from collections.abc import Callable

from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.texts import words


def say_failed(context: Context, error: Exception, *, again: Callable[[], None] | None = None) -> None:
    """What happened, what was kept and what to do; with a button when trying again may help."""
    said = words(error)
    context.hub.notice.emit(
        Notice(
            title=said.title,
            advice=said.advice,
            tone=Tone.WARN,
            action_text=tr("Try again") if again else "",
            action=again,
            details=said.details,
        )
    )


def say_details_changed(context: Context, room: str, household_id: str) -> None:
    """The way to the household's card, while one remembers what has changed."""
    context.hub.notice.emit(
        Notice(
            title=tr("Details of {room} have changed").format(room=room),
            advice=tr("Put them right in the household's card while you remember."),
            action_text=tr("Open the card"),
            action=lambda: context.navigate("households", household_id=household_id),
        )
    )


def say_reported(context: Context) -> None:
    """The report is on disk; the telephone comes first all the same."""
    context.hub.notice.emit(
        Notice(
            title=tr("The report is saved"),
            advice=tr("Only the community secretary reads it. If you have not called 110 yet, call now."),
            tone=Tone.GOOD,
        )
    )
