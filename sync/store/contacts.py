"""The last contact with each household, kept in step with visits that come in by the thousand.

``projections`` works it out anew from all visits of a household; here new visits are added to what is known, so that
the cost of a pull does not grow with the visits there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from sync.domain.merge import Row
from sync.store import projections, schema
from sync.store.database import Database

NEEDED = frozenset({"household_id", "building_id", "visited_on", "recorded_at", "outcome", "time_band"})

_KNOWN = (
    "SELECT household_id, coalesce(last_contact_on, ''), coalesce(last_visit_on, ''), last_outcome, failed_bands,"
    " failed_count FROM household_contact WHERE household_id IN (SELECT value FROM json_each(?))"
)
_UPSERT = """INSERT INTO household_contact (household_id, building_id, stream, last_contact_on, last_visit_on,
    last_outcome, failed_bands, failed_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (household_id) DO UPDATE SET
    last_contact_on = excluded.last_contact_on, last_visit_on = excluded.last_visit_on,
    last_outcome = excluded.last_outcome, failed_bands = excluded.failed_bands, failed_count = excluded.failed_count"""


@dataclass(slots=True)
class _Contact:
    met_on: str = ""
    visited_on: str = ""
    outcome: str = ""
    bands: tuple[str, ...] = ()
    failed: int = 0


def add(db: Database, visits: Iterable[Row]) -> None:
    """Take in visits that were not here before, none of them deleted; inside the caller's transaction."""
    by_household: dict[str, list[Row]] = {}
    for visit in visits:
        by_household.setdefault(visit.values["household_id"], []).append(visit)
    known = {
        household: _Contact(met_on, visited_on, outcome, tuple(msgspec.json.decode(bands)), failed)
        for household, met_on, visited_on, outcome, bands, failed in db.conn.execute(
            _KNOWN, (schema.to_json(list(by_household)),)
        )
    }
    lines, unsure = [], []
    for household, new in by_household.items():
        contact = _with(known.get(household) or _Contact(), new)
        if contact is None:
            unsure.append(household)
            continue
        first = new[0]
        place = (household, first.values["building_id"], first.stream)
        lines.append(
            (
                *place,
                *(contact.met_on or None, contact.visited_on, contact.outcome),
                *(schema.to_json(contact.bands), contact.failed),
            )
        )
    db.conn.executemany(_UPSERT, lines)
    projections.refresh_contacts(db, unsure)


def _with(before: _Contact, new: list[Row]) -> _Contact | None:
    """The contact with these visits as well; None where what is known of the earlier ones does not suffice."""
    met_on = max([before.met_on, *(row.values["visited_on"] for row in new if row.values["outcome"] == "met")])
    last = max(new, key=_when)
    visited_on = last.values["visited_on"]
    if visited_on == before.visited_on:
        return None  # which of two on one day was later is written in the visits only
    bands, failed = before.bands, before.failed
    if failed and met_on > before.met_on:
        if met_on < before.visited_on:
            return None  # some knocks in vain may have come after that
        bands, failed = (), 0
    in_vain = [row for row in new if row.values["outcome"] == "no_answer" and row.values["visited_on"] > met_on]
    in_vain.sort(key=_when, reverse=True)
    bands = tuple(dict.fromkeys([*(row.values["time_band"] for row in in_vain), *bands]))
    is_later = visited_on > before.visited_on
    return _Contact(
        met_on,
        visited_on if is_later else before.visited_on,
        last.values["outcome"] if is_later else before.outcome,
        bands,
        failed + len(in_vain),
    )


def _when(row: Row) -> tuple[str, int, str]:
    return row.values["visited_on"], row.values["recorded_at"], row.id
