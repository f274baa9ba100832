"""Words for sync by stick: why a file was left alone, what was left out of one, and that nothing is lost by either."""

from typing import Final

from desktop.i18n import mark

WORDS: Final = {
    "bundle_not_one": (
        mark("This file is not one of ours"),
        mark("Nothing was changed. Choose the file whose name ends in .qmb."),
    ),
    "bundle_damaged": (
        mark("The file on the stick is damaged"),
        mark("Nothing was taken in and nothing is lost. Have the centre save it once more."),
    ),
    "bundle_newer": (
        mark("A newer version of the program made this file"),
        mark("Nothing was changed. Install the newer version on this PC, then take the file in."),
    ),
    "bundle_forged": (
        mark("This file is not signed by the centre"),
        mark("Nothing was taken in and nothing is lost. Ask the centre for a fresh one, and tell the secretary."),
    ),
    "bundle_wrong_way": (
        mark("This file is meant for the centre"),
        mark("Nothing was changed. Hand it in there; what the centre gives you in return is taken in here."),
    ),
    "bundle_other_community": (
        mark("This file belongs to another community"),
        mark("Nothing was changed. Please give the stick back to them."),
    ),
    "bundle_other_pc": (
        mark("This file was made for another PC"),
        mark("Nothing was changed. Take it in at the PC whose stick it was."),
    ),
    "bundle_other_centre": (
        mark("This file comes from another centre"),
        mark("Nothing was changed. Only what your own centre gives you is taken in here."),
    ),
    "bundle_no_key": (
        mark("This PC has not met the centre yet"),
        mark("Nothing was written; all you noted is on this PC. Sync once by line, then a stick will do."),
    ),
    "bundle_unwritable": (
        mark("The stick could not be written"),
        mark("All you noted is on this PC. Put the stick in once more, or take another."),
    ),
    "bundle_unreadable": (
        mark("The file could not be read"),
        mark("Nothing was changed. Put the stick in once more and choose the file again."),
    ),
    "bundle_stick_full": (
        mark("The stick is full"),
        mark("All you noted is on this PC. Make room on the stick, or take another."),
    ),
    # What was left out of a file that was taken in.
    "bundle_older": (
        mark("This file is an old one: all in it was here already"),
        mark("Nothing was changed."),
    ),
    "bundle_gap": (
        mark("Colleagues' records of an earlier time are missing between this PC and the file"),
        mark("Nothing is lost. Save to the stick once more, hand it in, and take in what comes back."),
    ),
    "bundle_more": (
        mark("The centre has more than fits into one file"),
        mark("Nothing is lost. Save to the stick once more, hand it in, and take in what comes back."),
    ),
    "bundle_clock": (
        mark("The clock of this PC was wrong, so the centre did not take it yet"),
        mark("Nothing is lost, and the time is put right. Save to the stick once more and hand it in."),
    ),
    "bundle_forked": (
        mark("A copy of this PC had sent something already, so the centre did not take it yet"),
        mark("Nothing is lost. Save to the stick once more and hand it in."),
    ),
    "bundle_unread": (
        mark("The centre could not read a part of what you sent"),
        mark("Nothing is lost. Sync once by line, or call the support."),
    ),
    "bundle_restored": (
        mark("The centre's records were restored from a copy"),
        mark("Nothing is lost. Save to the stick once more and hand it in: after two or three times both sides agree."),
    ),
    "bundle_withdrawn": (
        mark("The centre did not take a part of it: this PC had taken it back, to send it in smaller pieces"),
        mark("Nothing is lost. Save to the stick once more and hand it in, or sync by line."),
    ),
    "stick": (mark("by stick ✓"), ""),
}
