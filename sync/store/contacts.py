"""The last contact with each household, kept in step with visits that are made or come in by the thousand.

``projections`` works it out anew from all visits of a household; here new visits are added to what is known, so that
the cost of a visit does not grow with the visits there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import msgspec

from sync.domain.merge import Row
from sync.store import projections, schema
from sync.store.database import Database

# What is asked of a visit, in the order of a ``Visit``, whose last part is its id.
NEEDED = ("household_id", "building_id", "visited_on", "recorded_at", "outcome", "time_band")
Visit = tuple[str, str, str, int, str, str, str]
Cells = tuple[Any, ...]  # of a visit as it is stored

_KNOWN = (
    "SELECT household_id, coalesce(last_contact_on, ''), coalesce(last_visit_on, ''), last_outcome, failed_bands,"
    " failed_count FROM household_contact WHERE household_id IN (SELECT value FROM json_each(?))"
)
_UPSERT = """INSERT INTO household_contact (household_id, building_id, stream, last_contact_on, last_visit_on,
    last_outcome, failed_bands, failed_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (household_id) DO UPDATE SET
    last_contact_on = excluded.last_contact_on, last_visit_on = excluded.last_visit_on,
    last_outcome = excluded.last_outcome, failed_bands = excluded.failed_bands, failed_count = excluded.failed_count"""
_LAST_MET = (
    "SELECT household_id, last_contact_on FROM household_contact WHERE last_contact_on IS NOT NULL"
    " AND household_id IN (SELECT value FROM json_each(?))"
)
_place_of = {name: at for at, (name, _) in enumerate(schema.TABLES["visit"].columns)}
_HOUSEHOLD, _DAY = _place_of["household_id"], _place_of["visited_on"]
_lies_in = itemgetter(_place_of["stream"], _place_of["building_id"])
_says = itemgetter(*(_place_of[name] for name in ("stream", "deleted", *NEEDED)))
_ALWAYS = "~"  # behind every day


@dataclass(slots=True)
class _Contact:
    met_on: str = ""
    visited_on: str = ""
    outcome: str = ""
    bands: tuple[str, ...] = ()
    failed: int = 0


def add(db: Database, visits: Iterable[Visit], *, stream: str) -> None:
    """Take in visits of one stream that were not here before, none of them deleted; inside the caller's transaction."""
    by_household: dict[str, list[Visit]] = {}
    for visit in visits:
        by_household.setdefault(visit[0], []).append(visit)
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
        lines.append(
            (
                *(household, new[0][1], stream),
                *(contact.met_on or None, contact.visited_on, contact.outcome),
                *(schema.to_json(contact.bands), contact.failed),
            )
        )
    db.conn.executemany(_UPSERT, lines)
    projections.refresh_contacts(db, unsure)


def add_rows(db: Database, visits: Iterable[Row]) -> None:
    """Take in visits that were made here just now, wherever they lie."""
    by_stream: dict[str, list[Visit]] = {}
    for row in visits:
        needed = [row.values[name] for name in NEEDED]
        by_stream.setdefault(row.stream, []).append((*needed, row.id))
    for stream, made in by_stream.items():
        add(db, made, stream=stream)


def follow(db: Database, changes: Iterable[tuple[Cells | None, Cells]]) -> None:
    """Take in visits that changed, each as it was (None: not here) and as it is now; inside the caller's transaction.

    What happened before somebody was met last changes nothing, so that most edits need no look at other visits.
    """
    latest: dict[str, str] = {}
    for old, new in changes:
        if old is None:
            latest[new[_HOUSEHOLD]] = max(latest.get(new[_HOUSEHOLD], ""), new[_DAY])
        elif _says(old) != _says(new):
            has_moved = _lies_in(old) != _lies_in(new)
            for cells in (old, new):
                day = _ALWAYS if has_moved else cells[_DAY]
                latest[cells[_HOUSEHOLD]] = max(latest.get(cells[_HOUSEHOLD], ""), day)
    met_on = dict(db.conn.execute(_LAST_MET, (schema.to_json(list(latest)),)).fetchall()) if latest else {}
    projections.refresh_contacts(db, [one for one, day in latest.items() if day >= met_on.get(one, "")])


def _with(before: _Contact, new: list[Visit]) -> _Contact | None:
    """The contact with these visits as well; None where what is known of the earlier ones does not suffice."""
    last = max(new, key=_when) if len(new) > 1 else new[0]
    visited_on, outcome = last[2], last[4]
    if visited_on == before.visited_on:
        return None  # which of two on one day was later is written in the visits only
    met_on = max((visit[2] for visit in new if visit[4] == "met"), default="")
    met_on = max(met_on, before.met_on)
    bands, failed = before.bands, before.failed
    if failed and met_on > before.met_on:
        if met_on < before.visited_on:
            return None  # some knocks in vain may have come after that
        bands, failed = (), 0
    in_vain = [visit for visit in new if visit[4] == "no_answer" and visit[2] > met_on]
    if in_vain:
        in_vain.sort(key=_when, reverse=True)
        bands = tuple(dict.fromkeys([*(visit[5] for visit in in_vain), *bands]))
    if visited_on < before.visited_on:
        visited_on, outcome = before.visited_on, before.outcome
    return _Contact(met_on, visited_on, outcome, bands, failed + len(in_vain))


_when = itemgetter(2, 3, 6)  # day, moment of recording, id
