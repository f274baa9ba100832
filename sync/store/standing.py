"""How a PC stands with its server, in a few numbers that are always in view."""

from dataclasses import dataclass

from sync.store import conflicts, handed, outbox, refused
from sync.store.store import Reader


@dataclass(frozen=True, slots=True)
class Standing:
    """Operations not answered yet, deeds to be put right, when it was last in step (ms, 0 for never).

    ``to_decide`` are conflicts that the person at the PC may settle, ``handed`` what colleagues gave to this person.
    ``clock_offset`` in ms is to be added to this PC's clock; ``is_enrolled``: it is joined to a server.
    """

    unsent: int
    refused: int
    to_decide: int
    handed: int
    synced_at: int
    clock_offset: int
    is_enrolled: bool


def standing(reader: Reader, account_id: str) -> Standing:
    """As of now, whoever made it: counts only. ``account_id`` works here, '' for nobody."""
    state, pending = reader.state, outbox.pending_counts(reader.db)
    viewer = reader.viewer(account_id) if account_id else None
    return Standing(
        unsent=pending.unsent,
        refused=refused.count(reader.db),
        to_decide=conflicts.count(reader.db, viewer) if viewer else 0,
        handed=handed.count(reader.db, viewer) if viewer else 0,
        synced_at=state.synced_at,
        clock_offset=state.clock_offset,
        is_enrolled=bool(state.installation_id),
    )
