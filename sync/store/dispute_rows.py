"""The lines of every list of disputes: those one may read in full, and of accepted cases the state alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.domain.roles import Viewer
from sync.store import record_states
from sync.store.database import Database, converted
from sync.store.demand_rows import place_name
from sync.store.viewers import viewer_streams

FINISHED = ("archived", "not_a_dispute")
_MINE = "IN (SELECT value FROM json_each(:streams))"
# The day of what comes next, and what it is: to report, to settle, to register, to decide, to mediate, to perform,
# to call again, to file. States that wait for nobody in particular have none.
_NEXT_ON = """CASE
    WHEN is_state_only OR state IN ('archived', 'not_a_dispute') THEN NULL
    WHEN state = 'noticed' AND risk = 'red' THEN state_since
    WHEN state IN ('settled_on_spot', 'performing', 'performed', 'breached') THEN coalesce(follow_up_on, due_on)
    WHEN state = 'followed_up' THEN min(coalesce(follow_up_on, due_on), due_on)
    WHEN state IN ('noticed', 'registered', 'reopened', 'accepted', 'mediating', 'suspended', 'agreed_written',
        'agreed_oral', 'closed') THEN due_on END"""
_NEXT = """CASE
    WHEN state = 'noticed' AND risk = 'red' THEN 'report'
    WHEN state = 'noticed' AND handler_id IS NULL OR state = 'reopened' THEN 'register'
    WHEN state = 'noticed' THEN 'settle'
    WHEN state = 'registered' THEN 'decide'
    WHEN state IN ('accepted', 'mediating', 'suspended') THEN 'mediate'
    WHEN state IN ('agreed_written', 'agreed_oral') THEN 'perform'
    WHEN state IN ('settled_on_spot', 'performing', 'performed', 'breached') OR follow_up_on IS NOT NULL THEN 'call'
    ELSE 'file' END"""
# An accepted case is its mediators' alone. Whoever could read it before reads its state in the record that the server
# keeps, and nothing of the case itself, though it may lie in the same file.
SEEN = f"""
WITH every AS (
    SELECT id, 0 AS is_state_only, title, category, subcategory, state, risk, household_id, other_household_id,
        building_id, compound_id, place, other_party_name, noticed_on, noticed_by, handler_id, mediator_ids,
        accepted_on, state_since, due_on, follow_up_on, handed_to
    FROM dispute WHERE deleted = 0 AND stream {_MINE}
    UNION ALL
    SELECT dispute_id, 1, title, '', '', state, '', NULL, NULL, NULL, compound_id, '', '', '', noticed_by, NULL, '[]',
        '', '', due_on, NULL, ''
    FROM dispute_status s WHERE deleted = 0 AND stream {_MINE}
        AND NOT EXISTS (SELECT 1 FROM dispute d WHERE d.id = s.dispute_id AND d.deleted = 0 AND d.stream {_MINE})
), seen AS (SELECT *, {_NEXT_ON} AS next_on, {_NEXT} AS next_step FROM every)
"""
_COLUMNS: Mapping[str, str] = {
    **{name: f"s.{name}" for name in ("title", "category", "subcategory", "state", "risk", "noticed_on", "noticed_by")},
    **{name: f"s.{name}" for name in ("state_since", "next_on", "next_step", "handed_to", "place", "is_state_only")},
    **{name: f"s.{name}" for name in ("household_id", "building_id", "compound_id", "other_party_name")},
    "dispute_id": "s.id",
    "is_handed_over": "s.handler_id IS NULL AND s.state = 'noticed'",
    "building": "coalesce(b.name, '')",
    "unit": "coalesce(u.label, '')",
    "room": "coalesce(h.room_no, '')",
    "other_building": "coalesce(ob.name, '')",
    "other_unit": "coalesce(ou.label, '')",
    "other_room": "coalesce(oh.room_no, '')",
    "compound": "coalesce(c.name, '')",
    "noticed_by_name": "coalesce(a.name, '')",
    "handler_name": "coalesce(k.name, '')",
}
# Whoever may read a dispute reads at which doors it is: the rooms of both sides, and nothing else of the households.
_ROW = f"""
{SEEN}
SELECT {", ".join(_COLUMNS.values())}
FROM seen s
LEFT JOIN household h ON h.id = s.household_id
LEFT JOIN unit u ON u.id = h.unit_id
LEFT JOIN building b ON b.id = coalesce(h.building_id, s.building_id)
LEFT JOIN household oh ON oh.id = s.other_household_id
LEFT JOIN unit ou ON ou.id = oh.unit_id
LEFT JOIN building ob ON ob.id = oh.building_id
LEFT JOIN compound c ON c.id = s.compound_id
LEFT JOIN account a ON a.id = s.noticed_by
LEFT JOIN account k ON k.id = s.handler_id
"""


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """One dispute in a list. ``side`` and ``other_side`` are rooms or places, never names of people.

    ``is_state_only``: an accepted case of other mediators, of which this viewer sees the title and the state.
    ``next_on`` is the day of ``next_step``: report, settle, register, decide, mediate, perform, call or file.
    """

    dispute_id: str
    title: str
    side: str
    other_side: str
    category: str
    subcategory: str
    state: str
    state_since: str
    risk: str
    noticed_on: str
    noticed_by: str
    noticed_by_name: str
    handler_name: str
    handed_to: str
    household_id: str | None
    building_id: str | None
    compound_id: str
    is_state_only: bool
    is_handed_over: bool
    next_on: str | None
    next_step: str
    sync: str = ""  # a state of sync.store.record_states; '' where there is no server


def load_rows(db: Database, viewer: Viewer, condition: str, given: Mapping[str, Any]) -> tuple[DisputeRow, ...]:
    """The disputes the viewer may see something of and that meet a condition on ``s``, ordered as it says."""
    with converted():
        found = db.conn.execute(f"{_ROW} {condition}", {**given, "streams": viewer_streams(viewer)}).fetchall()
    made = [dict(zip(_COLUMNS, cells, strict=True)) for cells in found]
    states = record_states.states(db, viewer, "dispute", [values["dispute_id"] for values in made])
    return tuple(_row(values | {"sync": states.get(values["dispute_id"], "")}) for values in made)


def _row(values: dict[str, Any]) -> DisputeRow:
    compound, building = values.pop("compound"), values.pop("building")
    unit, room, place = values.pop("unit"), values.pop("room"), values.pop("place")
    side = place_name("household", compound, building, unit, room) if room else place or building
    other = [values.pop(name) for name in ("other_building", "other_unit", "other_room")]
    typed = values.pop("other_party_name")
    other_side = place_name("household", compound, *other) if other[2] else typed
    for name in ("is_state_only", "is_handed_over"):
        values[name] = bool(values[name])
    return DisputeRow(**values, side=side, other_side=other_side)
