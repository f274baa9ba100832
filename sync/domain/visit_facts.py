"""What a visit verb is handed: what a person enters, and what stands in the file about the household."""

from dataclasses import dataclass

from sync.domain.care import DEFAULT_CARE, CareRules
from sync.domain.categories import DEFAULT_CATEGORIES, DemandCategories, DisputeCategories
from sync.domain.demands import DemandIntent
from sync.domain.disputes import NoticeIntent


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitIntent:
    """What a person enters for one visit. Empty day, band and visitors mean today, now and oneself.

    ``notice_given``: the household was told today what is kept about it and why.
    """

    household_id: str
    visited_on: str = ""
    time_band: str = ""
    contact_mode: str = "door"
    outcome: str = "met"
    visitor_ids: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    contact_person: str = ""
    note: str = ""
    change_flags: tuple[str, ...] = ()
    appointment_on: str | None = None
    notice_given: bool = False
    late_reason: str = ""
    demands: tuple[DemandIntent, ...] = ()
    dispute: NoticeIntent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnockIntent:
    """One key on one door. A second key on the same door, day and band puts the first one right."""

    household_id: str
    outcome: str
    visited_on: str = ""
    time_band: str = ""
    note: str = ""
    appointment_on: str | None = None
    notice_given: bool = False
    late_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVisit:
    """A visit as it stands: who recorded it when, and what was written down with it.

    ``made`` are the records that go with it when it is taken back; ``in_hand`` says that somebody has already taken
    up a demand or a dispute of it.
    """

    visit_id: str
    household_id: str
    building_id: str
    recorded_by: str
    recorded_at: int
    visited_on: str
    time_band: str
    outcome: str
    contact_mode: str = "door"
    reasons: tuple[str, ...] = ()
    contact_person: str = ""
    note: str = ""
    change_flags: tuple[str, ...] = ()
    appointment_on: str | None = None
    made: tuple[tuple[str, str], ...] = ()
    in_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorFacts:
    """What the rules must know of a household. ``level`` is its care level as far as the author may read it.

    ``known`` is the author's own visit of the same day and band, for a second key on one door.
    """

    household_id: str
    building_id: str
    compound_id: str
    dispute_categories: DisputeCategories
    care: CareRules = DEFAULT_CARE
    unit_id: str | None = None
    occupancy: str = "unknown"
    level: str = ""
    last_contact_on: str | None = None
    notice_id: str | None = None
    campaign_id: str | None = None
    round_no: int | None = None
    known: KnownVisit | None = None
    categories: DemandCategories = DEFAULT_CATEGORIES
