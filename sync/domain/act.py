"""The occasion on which a verb is used: who acts, when, with which calendar; tests choose it, the store gives it."""

from dataclasses import dataclass

from sync.domain.calendar import WorkCalendar, day_of
from sync.domain.ids import IdSource
from sync.domain.roles import Viewer


@dataclass(frozen=True, slots=True)
class Act:
    """Handed to every verb: the acting viewer, the time in ms, the source of ids, the working-day calendar."""

    viewer: Viewer
    now: int
    new_id: IdSource
    calendar: WorkCalendar

    @property
    def author(self) -> str:
        """The acting account's id."""
        return self.viewer.account_id

    @property
    def today(self) -> str:
        """The day in China."""
        return day_of(self.now)

    def id(self) -> str:
        """A new record id."""
        return self.new_id(self.now)
