"""The lines of every list of demands: one statement, words of sensitive ones left out, colour and due time reckoned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sync.domain.address import RoomRef, building_key, canonical, room_label, unit_key
from sync.domain.calendar import end_of_day
from sync.domain.categories import CARE_MATTER, sensitive_codes
from sync.domain.colours import FINISHED, Coloured, DemandFacts, demand_colour
from sync.domain.demand_flow import reply_due_at
from sync.domain.roles import Viewer
from sync.domain.rules import Rules
from sync.store import record_states
from sync.store.database import Database, converted
from sync.store.viewers import MINE, viewer_streams

# Red first and then by what is due first: the order of work, not of people.
ORDER = (
    "ORDER BY d.life_safety DESC, d.urgency <> 'urgent',"
    " coalesce(d.resolve_due_at, 9223372036854775807), d.reported_at, d.id"
)
_FACTS = ("state", "urgency", "life_safety", "resolve_due_at", "review_on", "affected_count", "evaluation")
_TIMES = ("reported_at", "respond_due_at", "resolved_at", "replied_on")
_PLACES = ("scope", "building_id", "compound_id", "household_id", "visit_id")
_OWN = ("category", "demand_kind", "reopen_count", "close_kind", "recorded_by", *_FACTS, *_TIMES, *_PLACES)
_COLUMNS: Mapping[str, str] = {
    **{name: f"d.{name}" for name in _OWN},
    "demand_id": "d.id",
    "number": "coalesce(d.demand_no, '')",
    "words": "d.title",
    "building": "coalesce(b.name, '')",
    "unit": "coalesce(u.label, '')",
    "room": "coalesce(h.room_no, '')",
    "compound": "coalesce(c.name, '')",
    "recorded_by_name": "coalesce(a.name, '')",
    "handler_name": "coalesce(k.name, '')",
    "partner_name": "coalesce(p.name, '')",
}
_ROW = f"""
SELECT {", ".join(_COLUMNS.values())}
FROM demand d
LEFT JOIN building b ON b.id = d.building_id
LEFT JOIN household h ON h.id = d.household_id
LEFT JOIN unit u ON u.id = CASE d.scope WHEN 'unit' THEN d.scope_id ELSE h.unit_id END
LEFT JOIN compound c ON c.id = d.compound_id
LEFT JOIN account a ON a.id = d.recorded_by
LEFT JOIN account k ON k.id = d.handler_id
LEFT JOIN partner_org p ON p.id = d.partner_id
WHERE d.deleted = 0 AND d.{MINE}
"""


@dataclass(frozen=True, slots=True)
class DemandRow:
    """One demand in a list. ``title`` of a sensitive one reads 关怀事项 for everybody; its words are asked for singly.

    ``place`` is '3-2-501', '3号楼2单元', '3号楼' or the compound's name; ``due_at`` (ms) is when the next thing is due.
    """

    demand_id: str
    number: str
    title: str
    is_sensitive: bool
    category: str
    demand_kind: str
    urgency: str
    life_safety: bool
    state: str
    coloured: Coloured
    scope: str
    place: str
    building_id: str | None
    compound_id: str
    household_id: str | None
    visit_id: str | None
    reported_at: int
    recorded_by: str
    recorded_by_name: str
    handler_name: str
    partner_name: str
    due_at: int | None
    resolved_at: int | None
    review_on: str | None
    evaluation: str
    close_kind: str
    replied_on: str | None
    sync: str = ""  # a state of sync.store.record_states; '' where there is no server


def load_rows(
    db: Database, viewer: Viewer, condition: str, given: Mapping[str, Any], *, rules: Rules, now: int
) -> tuple[DemandRow, ...]:
    """The demands that the viewer may read and that meet a condition on ``d``, with order and limit as it says."""
    sensitive = sensitive_codes(rules.demand_categories)
    with converted():
        found = db.conn.execute(f"{_ROW} {condition}", {**given, "streams": viewer_streams(viewer)}).fetchall()
    made = [dict(zip(_COLUMNS, cells, strict=True)) for cells in found]
    states = record_states.states(db, viewer, "demand", [values["demand_id"] for values in made])
    return tuple(
        _row(values | {"sync": states.get(values["demand_id"], "")}, sensitive, rules=rules, now=now) for values in made
    )


def quoted(states: Iterable[str]) -> str:
    """Names of states for an SQL list; they come from our own tables, never from outside."""
    return ", ".join(f"'{state}'" for state in sorted(states))


def _row(values: dict[str, Any], sensitive: frozenset[str], *, rules: Rules, now: int) -> DemandRow:
    values["life_safety"] = bool(values["life_safety"])
    facts = DemandFacts(
        **{name: values[name] for name in _FACTS},
        reopen_count=values.pop("reopen_count"),
    )
    title, hidden = values.pop("words"), values["category"] in sensitive and values["building_id"] is not None
    del values["affected_count"]
    place = place_name(values["scope"], *(values.pop(name) for name in ("compound", "building", "unit", "room")))
    due_at = _due_at(values, rules)
    del values["respond_due_at"], values["resolve_due_at"]
    return DemandRow(
        **values,
        title=CARE_MATTER if hidden else title,
        is_sensitive=hidden,
        coloured=demand_colour(facts, now=now, rules=rules.colours),
        place=place,
        due_at=due_at,
    )


def _due_at(values: Mapping[str, Any], rules: Rules) -> int | None:
    state: str = values["state"]
    due: int | None = values["resolve_due_at"]
    if state == "collected":
        due = values["respond_due_at"]
    elif state == "resolved":
        at = values["resolved_at"]
        due = reply_due_at(at, calendar=rules.calendar) if at else None
    elif state in ("suspended", "scheduled"):
        due = end_of_day(values["review_on"]) if values["review_on"] else None
    elif state == "replied" or state in FINISHED:
        due = None
    return due


@lru_cache(maxsize=4096)
def place_name(scope: str, compound: str, building: str, unit: str, room: str) -> str:
    """How the place of a demand is written: '3-2-501', '3号楼2单元', '3号楼', or the compound's name."""
    if scope == "compound" or not building:
        return compound
    if scope == "building":
        return building
    if scope == "household":
        return room_label(building, unit, room)
    return canonical(RoomRef(building_key(building), unit_key(unit) or None))
