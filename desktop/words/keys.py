"""Words for unlocking, key files and recovery codes."""

from typing import Final

from desktop.i18n import mark

WORDS: Final = {
    "wrong_pin": (
        mark("The PIN is not right"),
        mark("Nothing is lost. Type the six digits again, or ask the secretary for a new PIN."),
    ),
    "wrong_recovery_code": (
        mark("The recovery code is not right"),
        mark("Nothing was changed. Look at the printed sheet and type it again, small and capital letters alike."),
    ),
    "recovery_code_mistyped": (
        mark("There is a typing mistake in the recovery code"),
        mark("Compare it with the printed sheet, group by group."),
    ),
    "code_mistyped": (mark("There is a typing mistake in the code"), mark("Compare it and type it once more.")),
    "code_expired": (mark("The one-time code has run out"), mark("Ask the secretary for a new one.")),
    "locked_until": (
        mark("Too many tries; please wait a little"),
        mark("You can try again after {until}. Everything is kept."),
    ),
    "locked": (mark("Nobody is unlocked"), mark("Choose your name and type your PIN.")),
    "no_slot": (
        mark("This person has no PIN on this PC yet"),
        mark("Use the one-time code of the secretary to set one."),
    ),
    "keys_damaged": (
        mark("The key file on this PC is damaged"),
        mark("The records are still there. Open them with the recovery code from the printed sheet."),
    ),
    "keys_unreadable": (
        mark("The key file can't be read"),
        mark("The records are still there. Restart the PC; if it stays so, use the recovery code."),
    ),
    "keys_unwritable": (
        mark("The key file can't be written"),
        mark("The old PIN stays. Make room on the disk and try again."),
    ),
    "keys_newer": (
        mark("The key file was written by a newer version"),
        mark("Nothing was changed. Please install the newer version on this PC."),
    ),
    "keys_missing": (
        mark("The key file is missing"),
        mark("The records are still there. Open them with the recovery code from the printed sheet."),
    ),
    "keys_exist": (mark("This PC is already set up"), mark("Nothing was changed. Choose your name and type your PIN.")),
    "other_device": (
        mark("These records come from another PC"),
        mark("Nothing was changed. Open them with the recovery code from the printed sheet."),
    ),
    "last_slot": (
        mark("This is the last person who can open this PC"),
        mark("Nothing was changed. Add another person first."),
    ),
    "pin_too_simple": (mark("This PIN is too easy to guess"), mark("Not 123456, not six times the same digit.")),
    "pin_too_short": (mark("The PIN needs six digits"), mark("Please type all six.")),
    "pin_too_long": (mark("The PIN has six digits"), mark("Please type six.")),
}
