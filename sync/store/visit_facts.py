"""What the visit verbs must know, loaded on the write lane: the household, an earlier visit and what came of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sync.domain.act import Act
from sync.domain.visit_facts import DoorFacts, KnownVisit
from sync.errors import AccessError
from sync.store.database import Database, converted
from sync.store.store import Store
from sync.store.viewers import MINE, viewer_streams


@dataclass(frozen=True, slots=True)
class CampaignRound:
    """The open campaign and its round."""

    campaign_id: str
    name: str
    round_no: int
    round_name: str


def load_door(store: Store, act: Act, household_id: str, *, day: str = "", band: str = "") -> DoorFacts:
    """What the verbs must know; AccessError('out_of_scope') for a household that the author may not see."""
    streams = viewer_streams(act.viewer)
    given = {"streams": streams, "household": household_id, "today": act.today}
    statement = f"""
        SELECT h.building_id, b.compound_id, h.unit_id, h.occupancy, c.last_contact_on,
            (SELECT id FROM privacy_notice n WHERE n.household_id = h.id AND n.deleted = 0 ORDER BY given_on LIMIT 1),
            (SELECT min(level) FROM care_pairing p WHERE p.household_id = h.id AND p.deleted = 0 AND p.{MINE}
                AND (p.until IS NULL OR p.until > :today))
        FROM household h JOIN building b ON b.id = h.building_id
        LEFT JOIN household_contact c ON c.household_id = h.id
        WHERE h.id = :household AND h.deleted = 0 AND h.{MINE}"""
    with converted():
        row = store.db.conn.execute(statement, given).fetchone()
        if row is None:
            raise AccessError("out_of_scope")
        opened = open_campaign(store.db, act.today, f"AND {MINE}", streams)
        same = {"household": household_id, "day": day, "band": band, "me": act.author}
        where = "household_id = :household AND visited_on = :day AND time_band = :band AND recorded_by = :me"
        mark = load_known(store.db, where, same) if day else None
    building_id, compound_id, unit_id, occupancy, last_contact_on, notice_id, level = row
    return DoorFacts(
        household_id=household_id,
        building_id=building_id,
        compound_id=compound_id,
        care=store.rules.care,
        categories=store.rules.demand_categories,
        dispute_categories=store.rules.dispute_categories,
        unit_id=unit_id,
        occupancy=occupancy,
        level=level or "",
        last_contact_on=last_contact_on,
        notice_id=notice_id,
        campaign_id=opened.campaign_id if opened else None,
        round_no=opened.round_no if opened else None,
        known=mark,
    )


_KNOWN = (
    "id, household_id, building_id, recorded_by, recorded_at, visited_on, time_band, outcome, contact_mode, reasons,"
    " contact_person, note, change_flags, appointment_on, privacy_notice_id, hlc"
)


def load_known(db: Database, where: str, given: dict[str, Any]) -> KnownVisit | None:
    statement = f"SELECT {_KNOWN} FROM visit WHERE {where} AND deleted = 0 ORDER BY recorded_at DESC, id DESC LIMIT 1"
    row = db.conn.execute(statement, given).fetchone()
    if row is None:
        return None
    visit_id, household_id, building_id, recorded_by = row[:4]
    made = list(_written_with(db, visit_id))
    # A notice made by the very same save comes right after the visit in the clock; an older one stays.
    notice = db.conn.execute(
        "SELECT id FROM privacy_notice WHERE id = ? AND given_by = ? AND hlc > ? AND deleted = 0 AND NOT EXISTS"
        " (SELECT 1 FROM visit WHERE privacy_notice_id = privacy_notice.id AND id <> ? AND deleted = 0)",
        (row[14], recorded_by, row[15], visit_id),
    ).fetchone()
    if notice is not None:
        made.append(("privacy_notice", notice[0], recorded_by))
    return KnownVisit(
        visit_id=visit_id,
        household_id=household_id,
        building_id=building_id,
        recorded_by=recorded_by,
        recorded_at=row[4],
        visited_on=row[5],
        time_band=row[6],
        outcome=row[7],
        contact_mode=row[8],
        reasons=texts(row[9]),
        contact_person=row[10],
        note=row[11],
        change_flags=texts(row[12]),
        appointment_on=row[13],
        made=tuple((kind, record_id) for kind, record_id, _ in made),
        in_hand=any(by != recorded_by for _, _, by in made),
    )


def _written_with(db: Database, visit_id: str) -> Iterable[tuple[str, str, str]]:
    """(kind, id, who) of the demands and disputes of a visit, their steps and their hidden words."""
    for kind, maker in (("demand", "recorded_by"), ("dispute", "noticed_by")):
        rows = db.conn.execute(
            f"SELECT id, {maker} FROM {kind} WHERE visit_id = ? AND deleted = 0", (visit_id,)
        ).fetchall()
        for record_id, by in rows:
            yield kind, record_id, by
            steps = f"SELECT id, by FROM {kind}_event WHERE {kind}_id = ? AND deleted = 0"
            yield from ((f"{kind}_event", *row) for row in db.conn.execute(steps, (record_id,)).fetchall())
            if kind == "demand":
                words = "SELECT id FROM demand_detail WHERE demand_id = ? AND deleted = 0"
                yield from (("demand_detail", row[0], by) for row in db.conn.execute(words, (record_id,)).fetchall())


def open_campaign(db: Database, today: str, also: str, streams: str) -> CampaignRound | None:
    statement = f"""
        SELECT id, name, rounds, open_round FROM visit_campaign WHERE deleted = 0 AND state = 'open'
            AND coalesce(starts_on, '') <= :today AND coalesce(ends_on, '9999') >= :today {also}
        ORDER BY coalesce(starts_on, '') DESC, id DESC LIMIT 1"""
    row = db.conn.execute(statement, {"today": today, "streams": streams}).fetchone()
    if row is None:
        return None
    return CampaignRound(row[0], row[1], row[3], round_name(row[2], row[3]) or row[1])


def round_name(rounds: str | None, round_no: int | None) -> str:
    names = texts(rounds)
    return names[round_no - 1] if round_no and 0 < round_no <= len(names) else ""


def texts(stored: str | None) -> tuple[str, ...]:
    return tuple(json.loads(stored)) if stored else ()
