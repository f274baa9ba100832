"""Where the person was when the program was left, so that it goes on there: a page and ids, in a small file."""

import logging
from pathlib import Path

import msgspec

from sync.moving import move_over

log = logging.getLogger(__name__)

Target = dict[str, str | int | bool]


class LastPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Whose it is, the page's name, and what it was asked to show: ids and words of the program, nothing typed."""

    account_id: str
    page: str
    target: Target = {}


def read(path: Path) -> LastPlace | None:
    """The last place; None when there is none or the file is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=LastPlace)
    except (OSError, msgspec.DecodeError):
        return None


def keep(path: Path, place: LastPlace) -> None:
    """Write it down; a full disk costs no more than the way back to the page."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_bytes(msgspec.json.encode(place))
        move_over(fresh, path)
    except OSError as error:
        log.warning("the last place was not kept: %s", error.errno)


def plain(target: dict[str, object]) -> Target:
    """What of a target can be written down."""
    return {name: value for name, value in target.items() if isinstance(value, str | int | bool)}
