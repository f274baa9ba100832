"""The notices of the program as a whole: what happened, what was kept, what to do; details folded away."""

from collections.abc import Callable

from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.texts import words
from sync.errors import QiaomenError, StoreError


def settings_set_aside() -> Notice:
    """The file of the choices was damaged."""
    return Notice(
        title=tr("Your settings could not be read"),
        advice=tr("The usual ones are in use now. Your records are not affected."),
        tone=Tone.WARN,
    )


def preset_refused(error: QiaomenError, *, goes_on: bool) -> Notice:
    """A community file was found and not used."""
    said = words(error)
    lines = [said.advice]
    if goes_on:
        lines.append(tr("What was set before is in use."))
    lines.append(tr("More about it: Settings, “About”."))
    return Notice(title=said.title, advice="".join(lines), tone=Tone.WARN, details=said.details)


def stopped(details: str) -> Notice:
    """The program ended in the middle of something the last time."""
    return Notice(
        title=tr("Last time the program stopped suddenly"),
        advice=tr("Everything saved is here. An unfinished form is offered again where you left it."),
        tone=Tone.WARN,
        details=details,
    )


def crashed(details: str) -> Notice:
    """A mistake of the program's own; the work goes on."""
    return Notice(
        title=tr("Something went wrong in the program"),
        advice=tr("What you saved is safe, what you were typing is kept as a draft. You can go on."),
        tone=Tone.ALARM,
        details=details,
    )


def failed(error: Exception, *, on_damage: Callable[[], None]) -> Notice:
    """Work failed for which nobody had words of their own; ``on_damage`` leads to the copies of a damaged file."""
    said = words(error)
    is_damaged = isinstance(error, StoreError) and error.code == "damaged"
    return Notice(
        title=said.title,
        advice=said.advice,
        tone=Tone.ALARM,
        details=said.details,
        action_text=tr("Look at the copies") if is_damaged else "",
        action=on_damage if is_damaged else None,
    )
