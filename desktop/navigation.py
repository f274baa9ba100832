"""Which pages there are, for whom, and where their code lies; a page's module is read when it is first shown."""

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from desktop.context import Context
from desktop.i18n import mark
from desktop.pages.page import Page
from sync.domain.roles import OFFICE_ROLES, STATION_ROLES, Viewer


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the sidebar. ``for_station`` is the text where the station's differs from a building head's."""

    page: str
    icon: str
    text: str
    for_station: str = ""
    shortcut: str = ""


WORK = (
    Entry("today", "clock", mark("Today")),
    Entry("households", "house", mark("Households")),
    Entry("visits", "pencil", mark("Visits")),
    Entry("needs_map", "grid", mark("Needs map")),
    Entry("disputes", "scales", mark("Disputes")),
    Entry("demands", "checklist", mark("Reported matters"), mark("Work orders")),
)
ALWAYS = (
    Entry("sync", "sync", mark("Sync")),
    Entry("settings", "gear", mark("Settings")),
    Entry("help", "question", mark("Help"), shortcut="F1"),
)

_WHERE = {
    "today": ("desktop.pages.today.page", "TodayPage"),
    "households": ("desktop.pages.households.page", "HouseholdsPage"),
    "visits": ("desktop.pages.visits.page", "VisitPage"),
    "batch": ("desktop.pages.visits.batch", "BatchPage"),
    "needs_map": ("desktop.pages.needs_map.page", "NeedsMapPage"),
    "demands": ("desktop.pages.demands.list_page", "DemandsPage"),
    "demand": ("desktop.pages.demands.page", "DemandPage"),
    "demand_new": ("desktop.pages.demands.new_page", "NewDemandPage"),
    "disputes": ("desktop.pages.disputes.page", "DisputesPage"),
    "sync": ("desktop.pages.sync_centre.page", "SyncPage"),
    "settings": ("desktop.pages.settings.page", "SettingsPage"),
    "help": ("desktop.pages.help.page", "HelpPage"),
}
FIRST = "today"
_BEHIND_THE_FIRST = tuple(
    f"sync.store.{name}" for name in ("store", "staff", "today", "next_steps", "drafts", "search")
)
_BEHIND_THE_OTHERS = (
    *(f"sync.client.{name}" for name in ("session", "enrolment")),
    *(f"sync.store.{name}" for name in ("backup", "household_records", "households", "visits", "sheets")),
    *(f"sync.store.{name}" for name in ("needs_map", "demands", "disputes", "outbox", "refused")),
)
_FOR_ALL = ("today", "disputes")
_SHOWN_UNDER = {"batch": "visits", "demand": "demands", "demand_new": "demands"}


def page_names() -> tuple[str, ...]:
    """All names that ``navigate`` understands."""
    return tuple(_WHERE)


def load_store() -> None:
    """Read the code that the first page wants behind it; no Qt in it, so any thread may."""
    for module in _BEHIND_THE_FIRST:
        import_module(module)


def load_rest() -> None:
    """Read the code that sync and the other pages want behind them; no Qt in it, so any thread may."""
    for module in _BEHIND_THE_OTHERS:
        import_module(module)


def load_page(name: str) -> None:
    """Read a page's code before it is wanted; on the UI thread, where its widgets will live."""
    import_module(_WHERE[name][0])


def pieces() -> tuple[str, ...]:
    """The modules of all pages one by one: each is read in a few ms, a whole page would hold up the keys."""
    packages = dict.fromkeys(module.rpartition(".")[0] for module, _ in _WHERE.values())
    return tuple(
        found.name for package in packages for found in iter_modules(import_module(package).__path__, f"{package}.")
    )


def load_piece(module: str) -> None:
    """Read one of the ``pieces``; on the UI thread."""
    import_module(module)


def make_page(name: str, context: Context) -> Page:
    """Build a page; KeyError for a name that is no page."""
    module, attribute = _WHERE[name]
    return cast(Page, getattr(import_module(module), attribute)(context))


def entry_of(name: str) -> str:
    """The sidebar entry under which a page is found."""
    return _SHOWN_UNDER.get(name, name)


def entries_for(viewer: Viewer, *, switched_off: frozenset[str] = frozenset()) -> tuple[tuple[Entry, str], ...]:
    """The working entries of the sidebar with their texts, by role; a mediator reads of no household and no demand.

    ``switched_off`` are pages that the community does without: what stands there is still reached from elsewhere.
    """
    at_station = viewer.has_any(STATION_ROLES)
    seen = WORK if viewer.has_any(OFFICE_ROLES) else [entry for entry in WORK if entry.page in _FOR_ALL]
    shown = (entry for entry in seen if entry.page not in switched_off)
    return tuple((entry, entry.for_station if at_station and entry.for_station else entry.text) for entry in shown)
