"""Moments as people say them: today 17:42, yesterday 08:31, or the day."""

from datetime import UTC, datetime, timedelta

from desktop.i18n import tr
from sync.domain.calendar import CHINA


def moment_words(at_ms: int, *, now: int) -> str:
    """``at_ms`` as seen at ``now`` (both ms since 1970); '' for 0, which means never."""
    if not at_ms:
        return ""
    moment, present = _china(at_ms), _china(now)
    clock = moment.strftime("%H:%M")
    if moment.date() == present.date():
        return tr("today {clock}").format(clock=clock)
    if moment.date() == present.date() - timedelta(days=1):
        return tr("yesterday {clock}").format(clock=clock)
    return moment.strftime("%m-%d" if moment.year == present.year else "%Y-%m-%d") + f" {clock}"


def brief_moment_words(at_ms: int, *, now: int) -> str:
    """The same for where there is little room: of today the clock alone, of another year the day alone."""
    if not at_ms:
        return ""
    moment, present = _china(at_ms), _china(now)
    if moment.date() == present.date():
        return moment.strftime("%H:%M")
    return moment.strftime("%m-%d") if moment.year == present.year else moment.strftime("%Y-%m-%d")


def _china(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(CHINA)
