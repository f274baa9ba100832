"""Words for what is issued and signed: presets, releases, and the keys that they are checked with."""

from typing import Final

from desktop.i18n import mark

_AS_ISSUED = mark("Nothing of it was used. Ask for a fresh copy from those who gave it to you.")

WORDS: Final = {
    "signature_unreadable": (mark("This carries no signature that can be read"), _AS_ISSUED),
    "signature_unknown_key": (
        mark("This was not issued by those whom this program trusts"),
        mark("Nothing of it was used. It was signed with the key {key}, which this program does not know."),
    ),
    "signature_wrong": (mark("This was changed after it was issued"), _AS_ISSUED),
    "manifest_unreadable": (mark("The list of its files can't be read"), _AS_ISSUED),
    "manifest_newer": (
        mark("This was made for a newer version of the program"),
        mark("Nothing was changed. Please install the newer version on this PC."),
    ),
    "release_incomplete": (
        mark("Not all of the new version is there yet"),
        mark("What has come is kept and goes on from there. Try again later; {name} was missing."),
    ),
    "release_changed": (
        mark("The new version is not what was issued"),
        mark("It was thrown away, and nothing was changed on this PC. Tell those who look after the server."),
    ),
    "release_other_community": (
        mark("This version was made for another community"),
        mark("Nothing was changed. Ask for the one for your community."),
    ),
    "release_older": (
        mark("What is offered is older than what was offered before"),
        mark("Nothing was changed: number {told} came, {here} is known. Tell those who look after the server."),
    ),
    "release_not_for_pc": (
        mark("Version {version} has no file for this PC"),
        mark("Nothing was changed. Whoever makes the packages may add it: {way}."),
    ),
    "release_older_data": (
        mark("Version {version} can't read the records of this PC"),
        mark("Nothing was changed. The records were written by a newer version; wait for one that is newer still."),
    ),
    "release_needs_server": (
        mark("Version {version} needs a newer server"),
        mark("Nothing was changed. Those who look after the server have to renew it first."),
    ),
    "release_unstarted": (
        mark("The installer could not be started"),
        mark("Nothing was changed on this PC. Ask the person who looks after it."),
    ),
    "release_no_room": (
        mark("The new version has no room on this disk"),
        mark("Nothing was changed. Make room on the disk, then try again."),
    ),
    "public_key_unreadable": (
        mark("A key that came with the program can't be read"),
        mark("The program may be damaged: please install it again. Your records stay."),
    ),
    "secret_key_unreadable": (
        mark("The secret key {name} can't be read"),
        mark("Take the copy of it that was put by."),
    ),
    "secret_key_locked": (mark("The secret key {name} is locked"), mark("Please give its passphrase.")),
    "secret_key_passphrase": (
        mark("The passphrase does not open {name}"),
        mark("Compare it and type it once more."),
    ),
}
