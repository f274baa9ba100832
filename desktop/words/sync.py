"""Words for the line and the server. None of them opens a dialog: being offline is a state."""

from collections.abc import Mapping
from typing import Final

from desktop.i18n import mark, tr

WORDS: Final = {
    "no_line": (
        mark("There is no line to the server just now"),
        mark("Everything is saved on this PC and goes out later."),
    ),
    "timeout": (
        mark("The server did not answer in time"),
        mark("Everything is saved on this PC; it is tried again by itself."),
    ),
    "not_our_server": (
        mark("Something else answered instead of our server"),
        mark("Everything is saved on this PC. The network may ask you to sign in first, in a browser."),
    ),
    "certificate": (
        mark("Whoever answered could not prove to be our server"),
        mark("Everything is saved on this PC, and nothing was sent. Tell the support: the certificate does not fit."),
    ),
    "certificate_day": (
        mark("By the date of this PC the server's certificate does not hold"),
        mark("Everything is saved on this PC. Look at date and time in the corner of the screen and set them right."),
    ),
    "bad_signature": (
        mark("The server does not know this PC's signature"),
        mark(
            "Everything is saved on this PC. Ask the secretary for a new one-time code and type it under Settings,"
            " “Join the server again”."
        ),
    ),
    "clock_skew": (
        mark("The clock of this PC is wrong"),
        mark("Everything is saved on this PC. Set the clock, then sync again."),
    ),
    "code_used": (
        mark("This one-time code was used already"),
        mark("Nothing was changed. Ask the secretary for a new one."),
    ),
    "code_unknown": (
        mark("The server does not know this one-time code"),
        mark("Compare it and type it once more; each code works once."),
    ),
    "revoked": (
        mark("This PC may not sync any more"),
        mark("Everything is saved on this PC. Ask the secretary."),
    ),
    "upgrade": (
        mark("This version of the program is too old for the server"),
        mark("Everything is saved on this PC. Please install the newer version; work can go on meanwhile."),
    ),
    "server_error": (
        mark("The server has trouble just now"),
        mark("Everything is saved on this PC; it is tried again by itself."),
    ),
    "invalid": (
        mark("The server could not read this record"),
        mark("Nothing is lost. Write it once more, and give up this one; tell the support if it happens again."),
    ),
    "server_busy": (
        mark("The server is very busy just now"),
        mark("Everything is saved on this PC; it is tried again by itself."),
    ),
    "too_many_tries": (
        mark("Too many wrong codes were tried"),
        mark("Nothing was changed. Wait a quarter of an hour, then type the code once more."),
    ),
    "settled_already": (
        mark("Somebody has decided this meanwhile"),
        mark("Both versions are kept; look under what was decided."),
    ),
    "not_enrolled": (
        mark("This PC is not joined to the server yet"),
        mark("Everything is saved on this PC. Join it under Settings with the secretary's one-time code."),
    ),
}

# How far a record has come (sync.store.record_states): on its card, and shorter in a list.
RECORD_STATES: Final[Mapping[str, str]] = {
    "sent": mark("Sent"),
    "sending": mark("Being sent"),
    "here": mark("On this PC, goes out when there is a line"),
    "conflict": mark("Two versions: please decide"),
    "refused": mark("To be put right, nothing lost"),
}
_SHORT: Final[Mapping[str, str]] = {
    "sending": mark("sending"),
    "here": mark("saved here"),
    "conflict": mark("two versions"),
    "refused": mark("put right"),
}


def short_state(state: str) -> str:
    """In a list: '' for what has arrived, for that is how it should be."""
    return tr(_SHORT[state]) if state in _SHORT else ""
