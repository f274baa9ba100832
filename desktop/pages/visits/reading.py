"""What the form of one household is opened with, read at once on the read lane."""

from dataclasses import dataclass

from desktop.pages.visits.drafting import DRAFT_PAGE
from sync.domain.roles import Viewer
from sync.domain.visit_facts import KnownVisit
from sync.store import drafts, staff, visits
from sync.store.database import Database
from sync.store.visit_facts import CampaignRound
from sync.store.visits import HouseholdHeader, PastVisit


@dataclass(frozen=True, slots=True)
class Opened:
    """``header`` is None for a household that is not the viewer's, ``known`` is the visit to put right."""

    header: HouseholdHeader | None
    past: tuple[PastVisit, ...]
    campaign: CampaignRound | None
    draft: drafts.Draft | None
    known: KnownVisit | None
    phone: str


def read_form(db: Database, viewer: Viewer, household_id: str, *, visit_id: str, today: str) -> Opened:
    """All of it."""
    return Opened(
        visits.header(db, viewer, household_id),
        visits.timeline(db, viewer, household_id),
        visits.campaign(db, viewer, today=today),
        drafts.find(db, viewer, DRAFT_PAGE, visit_id or household_id),
        visits.known(db, viewer, visit_id) if visit_id else None,
        staff.community(db, viewer).emergency_phone,
    )
