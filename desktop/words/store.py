"""Words for the file on this PC."""

from typing import Final

from desktop.i18n import mark

WORDS: Final = {
    "disk_full": (
        mark("Not saved: the disk is full"),
        mark("What you typed is kept as a draft. Make room on the disk, then try again."),
    ),
    "busy": (
        mark("Not saved: the file is in use just now"),
        mark("What you typed is kept. Wait a moment, then try again."),
    ),
    "read_only": (
        mark("Not saved: this PC does not allow writing here"),
        mark("What you typed is kept as a draft. Ask the person who looks after the PC."),
    ),
    "damaged": (
        mark("The file with the records is damaged"),
        mark("Nothing was deleted. There is a copy of every day: open the last good one."),
    ),
    "newer": (
        mark("The records were written by a newer version of the program"),
        mark("Nothing was changed. Please install the newer version on this PC."),
    ),
    "in_use": (
        mark("The program is already open on this PC"),
        mark("Nothing was changed. Use the window that is open."),
    ),
    "wrong_key": (
        mark("The records can't be opened with this key"),
        mark("Nothing was changed. Type the PIN again, or use the recovery code."),
    ),
    "missing": (
        mark("The file with the records is missing"),
        mark("Look for it in the daily copies, or set this PC up again; what was synced comes back."),
    ),
    "not_open": (mark("The records are closed"), mark("What you typed is kept. Unlock with your PIN and go on.")),
    "print_failed": (
        mark("It could not be printed"),
        mark("Nothing is lost. Look at the printer, or save the page as a PDF."),
    ),
    "unreadable_file": (
        mark("This file can't be read"),
        mark("Nothing was changed. Is the stick still plugged in? Choose the file once more."),
    ),
    "unwritable_file": (
        mark("The copy can't be saved there"),
        mark("Nothing was lost. Choose another folder."),
    ),
}
