"""Words for unlocking, key files and recovery codes."""

from typing import Final

from desktop.i18n import mark

WORDS: Final = {
    "wrong_pin": (
        mark("The PIN is not right"),
        mark("Nothing is lost. {left} more tries, then a short wait. The secretary can give a new one-time code."),
    ),
    "wrong_code": (
        mark("The one-time code is not the one for this person"),
        mark("Nothing is lost. {left} more tries, then a short wait. Look whether the right name is chosen."),
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
    "code_file_unreadable": (
        mark("The file with the code can't be read"),
        mark("Nothing was changed. Look whether the stick is plugged in, or type the code."),
    ),
    "code_file_empty": (
        mark("There is no one-time code in this file"),
        mark("Nothing was changed. Choose the file that the secretary gave you, or type the code."),
    ),
    "code_file_unwritable": (
        mark("The file with the code could not be saved"),
        mark("The code is still shown here: write it down, or save it somewhere else."),
    ),
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
        mark("The records are still there. Take the key file of the last daily copy."),
    ),
    "keys_unreadable": (
        mark("The key file can't be read"),
        mark("The records are still there. Restart the PC; if it stays so, take the key file of the last daily copy."),
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
        mark("The records are still there. Take the key file of the last daily copy."),
    ),
    "keys_exist": (mark("This PC is already set up"), mark("Nothing was changed. Choose your name and type your PIN.")),
    "other_device": (
        mark("These records come from another PC"),
        mark("Nothing was changed. Open them with the recovery code from the printed sheet."),
    ),
    "no_role": (
        mark("You have no post in this community just now"),
        mark("What you noted is kept. If your post has just begun, wait for a sync; else ask the secretary."),
    ),
    "nothing_received": (
        mark("The community's records have not arrived yet"),
        mark("Nothing is lost. They are being fetched; it opens by itself when they are here and there is a line."),
    ),
    "last_slot": (
        mark("This is the last person who can open this PC"),
        mark("Nothing was changed. Add another person first."),
    ),
    "pin_too_simple": (mark("This PIN is too easy to guess"), mark("Not 123456, not six times the same digit.")),
    "pin_too_short": (mark("The PIN needs six digits"), mark("Please type all six.")),
    "pin_too_long": (mark("The PIN has six digits"), mark("Please type six.")),
}
