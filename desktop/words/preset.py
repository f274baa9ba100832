"""Words for community files: why one was not used, what that changes, and what to do."""

from typing import Final

from desktop.i18n import mark

_FRESH = mark("Nothing of it was used; your records are not affected. Ask whoever gave it to you for a fresh copy.")

WORDS: Final = {
    "preset_missing": (
        mark("There is no community file at this place"),
        mark("Nothing was changed. Look whether the stick is plugged in, and choose the file once more."),
    ),
    "preset_unreadable": (mark("The community file “{name}” can't be read"), _FRESH),
    "preset_link": (mark("The community file holds a link or a folder, “{name}”"), _FRESH),
    "preset_stranger": (mark("The community file holds something that does not belong in it: “{name}”"), _FRESH),
    "preset_too_large": (mark("A part of the community file is larger than it may be: “{name}”"), _FRESH),
    "preset_lacks": (mark("A part of the community file is missing: “{name}”"), _FRESH),
    "preset_changed": (mark("A part of the community file was changed after it was issued: “{name}”"), _FRESH),
    "preset_unfit": (
        mark("The community file was made with a mistake (at {at})"),
        mark("Nothing of it was used; your records are not affected. Tell whoever made it, with this sentence."),
    ),
    "preset_older": (
        mark("This community file is older than the one this PC knows (number {number}, known is {seen})"),
        mark("It was not used; what was set before stays. Ask for the newest one."),
    ),
    "preset_other_community": (
        mark("This community file belongs to another community: {name}"),
        mark("It was not used, and nothing was mixed. This PC goes on with its own community."),
    ),
    "preset_unkept": (
        mark("The community file could not be kept on this PC"),
        mark("Nothing was changed. Make room on the disk and choose the file once more."),
    ),
}
