"""今日 read from the file: what is due for this viewer by the day it is due, and what was recorded today."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from sync.domain.calendar import add_days, day_of, start_of_day
from sync.domain.care import BANDS_BEFORE_HARD, Level
from sync.domain.colour_rules import Colour
from sync.domain.colours import AreaCounts
from sync.domain.pairing import visit_due_on
from sync.domain.roles import Viewer
from sync.domain.rules import Rules
from sync.store import demands, disputes, needs_map, visits
from sync.store.database import Database, converted
from sync.store.demand_rows import DemandRow, place_name
from sync.store.dispute_rows import DisputeRow
from sync.store.viewers import MINE, viewer_streams
from sync.store.visits import TodayEntry

SOON_DAYS = 7  # what is called near: the card of the coming visits, a visit already tried
_VISITS_SHOWN = 8  # the nearest; the others wait behind a line with their number
_STEPS = 20


@dataclass(frozen=True, slots=True)
class VisitDue:
    """A household that somebody should call on; why, is not said. ``due_on`` None: never reached, so at once.

    ``is_agreed``: the household named the day itself; ``tried`` knocks since the last contact, in these ``bands``.
    """

    household_id: str
    place: str
    due_on: str | None
    last_visit_on: str | None
    last_contact_on: str | None
    tried: int
    bands: tuple[str, ...]
    is_agreed: bool


@dataclass(frozen=True, slots=True)
class StepToday:
    """An own step of a demand today that can still be taken back."""

    demand_id: str
    event_id: str
    place: str
    title: str
    move: str
    at: int


Item = DemandRow | VisitDue | DisputeRow


@dataclass(frozen=True, slots=True)
class Board:
    """The page: what is due, then what was recorded. ``waiting`` are visits that are due as well, nearest first.

    ``near`` are the first visits of the coming seven days, ``near_count`` all of them; ``untold`` are solved demands
    whose residents do not know yet. ``has_homes``: whether there is any household at all to work for.
    """

    today: str
    items: tuple[Item, ...]
    waiting: tuple[VisitDue, ...]
    entries: tuple[TodayEntry, ...]
    steps: tuple[StepToday, ...]
    near: tuple[VisitDue, ...]
    near_count: int
    untold: tuple[DemandRow, ...]
    has_homes: bool


@dataclass(frozen=True, slots=True)
class AreaShare:
    """The viewer's building, or the compound for the station: how many households have which colour."""

    name: str
    households: int
    counts: AreaCounts
    is_building: bool


def board(db: Database, viewer: Viewer, *, rules: Rules, now: int) -> Board:
    """Everything of the page but the colours. Residents to be told come first, then all by the day it is due."""
    today = day_of(now)
    due = demands.today_items(db, viewer, rules=rules, now=now)
    untold = tuple(row for row in due if row.state == "resolved")
    waiting = visits_due(db, viewer, rules=rules, today=today, until=add_days(today, SOON_DAYS))
    pressing = [visit for visit in waiting if visit.tried or (visit.due_on or today) <= today]
    near = sorted((visit for visit in waiting if (visit.due_on or today) >= today), key=lambda v: v.due_on or today)
    rest: list[Item] = [row for row in due if row.state != "resolved"]
    rest += pressing[:_VISITS_SHOWN]
    rest += disputes.due_items(db, viewer, today)
    return Board(
        today=today,
        items=(*untold, *sorted(rest, key=lambda item: _due_day(item, today))),
        waiting=tuple(pressing[_VISITS_SHOWN:]),
        entries=visits.today_entries(db, viewer, today=today),
        steps=steps_today(db, viewer, rules=rules, now=now),
        near=tuple(near[:5]),
        near_count=len(near),
        untold=untold,
        has_homes=_has_homes(db, viewer),
    )


def visits_due(db: Database, viewer: Viewer, *, rules: Rules, today: str, until: str) -> tuple[VisitDue, ...]:
    """The households to be called on up to a day; those never reached count as due today.

    First what was agreed or asked for, then by how near its day is: what could not be done for a year does not push
    aside what can be done this week. A head: all homes of the own buildings. The station: the homes paired with the
    viewer. A home whose door stayed shut in three bands is hard to reach and turns up no more. Rule source: care levels
    and visit intervals.
    """
    ordinary = next(level for level in rules.care.level if level.code == rules.care.ordinary)
    statement = f"""
        WITH home AS (
            SELECT h.id, h.building_id, h.unit_id, h.floor, h.slot, h.room_no, c.last_contact_on, c.last_visit_on,
                coalesce(c.failed_bands, '[]') AS bands, coalesce(c.failed_count, 0) AS tried,
                (SELECT max(e.due_on) FROM care_due e WHERE e.household_id = h.id AND e.deleted = 0 AND e.{MINE}
                    AND e.due_on > coalesce(c.last_contact_on, '')) AS asked_on,
                CASE WHEN c.last_outcome = 'by_appointment' THEN (SELECT v.appointment_on FROM visit v
                    WHERE v.household_id = h.id AND v.visited_on = c.last_visit_on AND v.outcome = 'by_appointment'
                        AND v.deleted = 0 ORDER BY v.recorded_at DESC LIMIT 1) END AS agreed_on
            FROM household h LEFT JOIN household_contact c ON c.household_id = h.id
            WHERE h.deleted = 0 AND h.occupancy NOT IN ('vacant', 'non_residential') AND h.{MINE}
                AND (h.building_id IN (SELECT value FROM json_each(:headed))
                    OR h.id IN (SELECT p.household_id FROM care_pairing p WHERE p.deleted = 0 AND p.{MINE}
                        AND (p.until IS NULL OR p.until > :today) AND :me IN (p.responsible_id, p.substitute_id)))
        ), due AS (
            SELECT *, coalesce(agreed_on, min(coalesce(asked_on, '9999'),
                coalesce({_after("last_contact_on", ordinary)}, :today))) AS due_on
            FROM home WHERE json_array_length(bands) < {BANDS_BEFORE_HARD} OR agreed_on IS NOT NULL
        )
        SELECT d.id, b.name, coalesce(u.label, ''), d.room_no, d.asked_on, d.agreed_on, d.last_visit_on,
            d.last_contact_on, d.tried, d.bands
        FROM due d JOIN building b ON b.id = d.building_id LEFT JOIN unit u ON u.id = d.unit_id
        WHERE d.due_on <= :until
        ORDER BY d.agreed_on IS NULL AND d.asked_on IS NULL, d.last_contact_on IS NULL AND d.asked_on IS NULL,
            abs(julianday(d.due_on) - julianday(:today)), d.tried DESC, b.position, u.position, d.floor, d.slot,
            d.room_no"""
    given = {
        "streams": viewer_streams(viewer),
        "headed": _json(sorted(viewer.buildings({"building_head", "cluster_leader"}))),
        "me": viewer.account_id,
        "today": today,
        "until": until,
    }
    with converted():
        rows = db.conn.execute(statement, given).fetchall()
    return tuple(
        VisitDue(
            household_id,
            place_name("household", "", building, unit, room_no),
            agreed_on or visit_due_on(contact_on, care_due_on=asked_on, rules=rules.care),
            visit_on,
            contact_on,
            tried,
            tuple(json.loads(bands)),
            agreed_on is not None,
        )
        for household_id, building, unit, room_no, asked_on, agreed_on, visit_on, contact_on, tried, bands in rows
    )


def steps_today(db: Database, viewer: Viewer, *, rules: Rules, now: int) -> tuple[StepToday, ...]:
    """Own steps of demands today that can be taken back, newest first; what a visit raised goes with the visit."""
    since = start_of_day(day_of(now))
    # Ids begin with the time they were made at, so the key itself finds what is new; an hour of grace for clocks.
    first = f"{since - 3_600_000:012x}"
    statement = f"""
        SELECT e.demand_id, e.id FROM demand_event e JOIN demand d ON d.id = e.demand_id
        WHERE e.id >= :first AND e.at >= :since AND e."by" = :me AND e.deleted = 0 AND d.deleted = 0 AND e.{MINE}
            AND NOT (e.from_state = 'new' AND d.visit_id IS NOT NULL)
        ORDER BY e.at DESC, e.hlc DESC, e.dev DESC, e.id DESC LIMIT {_STEPS}"""
    given = {
        "streams": viewer_streams(viewer),
        "first": f"{first[:8]}-{first[8:]}",
        "since": since,
        "me": viewer.account_id,
    }
    with converted():
        rows = db.conn.execute(statement, given).fetchall()
    cards = {demand_id: demands.card(db, viewer, demand_id, rules=rules, now=now) for demand_id, _ in rows}
    found = []
    for demand_id, event_id in rows:
        card = cards[demand_id]
        step = next((step for step in card.steps if step.event_id == event_id), None) if card else None
        if card is not None and step is not None and step.is_undoable:
            found.append(StepToday(demand_id, event_id, card.row.place, card.row.title, step.move, step.at))
    return tuple(found)


def shares(db: Database, viewer: Viewer, *, rules: Rules, now: int) -> tuple[AreaShare, ...]:
    """The colours of a head's own buildings, or of the compounds of the station's people."""
    headed = viewer.buildings({"building_head", "cluster_leader"})
    if headed:
        seen = (needs_map.building_snapshot(db, viewer, building, rules=rules, now=now) for building in headed)
        found = [AreaShare(shot.name, len(shot.cells), shot.counts, True) for shot in seen if shot.cells]
        return tuple(sorted(found, key=lambda share: share.name))
    made = []
    for place in needs_map.compounds(db, viewer):
        shot = needs_map.compound_snapshot(db, viewer, place.compound_id, rules=rules, now=now)
        made.append(AreaShare(shot.name, shot.counts.total, shot.counts, False))
    return tuple(made)


def _has_homes(db: Database, viewer: Viewer) -> bool:
    statement = f"SELECT EXISTS (SELECT 1 FROM household WHERE deleted = 0 AND {MINE})"
    with converted():
        return bool(db.conn.execute(statement, {"streams": viewer_streams(viewer)}).fetchone()[0])


def _due_day(item: Item, today: str) -> tuple[bool, str, bool]:
    """Items without a day come last. What is red is due today at the latest, before the visits of the day; a visit
    that should have been is due today, whatever its day was.
    """
    if isinstance(item, VisitDue):
        return False, max(item.due_on or today, today), True
    if isinstance(item, DisputeRow):
        return item.next_on is None, item.next_on or "", False
    day = day_of(item.due_at) if item.due_at else ""
    if item.coloured.colour is Colour.RED:
        return False, min(day or today, today), False
    return not day, day, False


def _after(column: str, level: Level) -> str:
    """SQL for the day a level's interval after a day; at ends of months it may lie a day later than the calendar's."""
    return f"date({column}, '+{level.months} months', '+{level.days} days')"


def _json(values: Sequence[str] | Mapping[str, str]) -> str:
    return msgspec.json.encode(values).decode()
