"""The data files that the store works with: the working-day calendar and how names are read."""

from dataclasses import dataclass
from pathlib import Path

from sync.domain.calendar import WorkCalendar, load_calendar
from sync.domain.search_terms import Pinyin


@dataclass(frozen=True, slots=True)
class Resources:
    """Loaded once at start and shared by all lanes; both are read only."""

    calendar: WorkCalendar
    pinyin: Pinyin

    @classmethod
    def from_folder(cls, folder: Path) -> "Resources":
        """Read from the program's ``resources`` folder."""
        calendar = load_calendar((folder / "calendars" / "cn.toml").read_text("utf-8"))
        return cls(calendar, Pinyin.from_folder(folder / "pinyin"))
