"""What the households page reads at once, on the read lane."""

from dataclasses import dataclass

from sync.domain.calendar import day_of
from sync.domain.roles import Viewer
from sync.domain.rules import Rules
from sync.store import demands, households, staff, visits
from sync.store.demand_rows import DemandRow
from sync.store.drafts import Draft, find
from sync.store.households import Change, Choice, Hint, HouseholdCard, Pairing
from sync.store.store import Reader
from sync.store.visits import PastVisit

PAGE = "households"  # the page's name in drafts


@dataclass(frozen=True, slots=True)
class Opened:
    """A household with everything behind its tabs; ``colleagues`` only where care may be arranged."""

    card: HouseholdCard
    demands: tuple[DemandRow, ...]
    visits: tuple[PastVisit, ...]
    changes: tuple[Change, ...]
    clusters: tuple[Choice, ...]
    pairings: tuple[Pairing, ...]
    hints: tuple[Hint, ...]
    colleagues: tuple[Choice, ...]
    draft: Draft | None


def read_household(reader: Reader, viewer: Viewer, household_id: str, *, rules: Rules, now: int) -> Opened | None:
    """Everything of one household; None when it is not the viewer's to see."""
    db, today = reader.db, day_of(now)
    card = households.card(db, viewer, household_id, rules=rules, today=today, now=now)
    if card is None:
        return None
    people = staff.colleagues(db, viewer) if card.may_care else ()
    return Opened(
        card=card,
        demands=demands.of_household(db, viewer, household_id, rules=rules, now=now),
        visits=visits.timeline(db, viewer, household_id),
        changes=households.changes(db, viewer, household_id),
        clusters=households.clusters(db, viewer, card.building_id),
        pairings=households.pairings(db, viewer, household_id, today=today),
        hints=households.hints(db, viewer, household_id),
        colleagues=tuple(Choice(person.id, person.name) for person in people),
        draft=find(db, viewer, PAGE, household_id),
    )
