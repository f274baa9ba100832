"""How far each record has come: saved here, on its way, taken by the server, sent back, or there are two of it."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from sync.domain.roles import Viewer
from sync.store.database import Database, converted
from sync.store.deciding import is_for
from sync.store.state import read_state
from sync.store.viewers import MINE, viewer_streams


class RecordState(StrEnum):
    """What a badge says; the later ones of the list go before the earlier ones."""

    SENT = "sent"  # the server has it
    SENDING = "sending"
    HERE = "here"  # saved on this PC, waits for a line
    CONFLICT = "conflict"
    REFUSED = "refused"


_ORDER: Mapping[str, int] = {state: place for place, state in enumerate(RecordState)}

# What a record is made of besides itself: (kind, the field that names the record).
_PARTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "household": (("resident", "household_id"), ("privacy_notice", "household_id")),
    "demand": (("demand_event", "demand_id"), ("demand_detail", "demand_id")),
    "dispute": (("dispute_event", "dispute_id"),),
}
# Parts of which a record has too many to look at each: only those that something is the matter with.
_MANY_PARTS: Mapping[str, tuple[tuple[str, str], ...]] = {"household": (("visit", "household_id"),)}
_WORKED_ON = """SELECT id FROM outbox WHERE kind = '{part}' UNION SELECT id FROM quarantine WHERE kind = '{part}'
    UNION SELECT record_id FROM conflict WHERE record_kind = '{part}' AND state = 'open'"""


def states(db: Database, viewer: Viewer, kind: str, ids: Iterable[str]) -> Mapping[str, str]:
    """The state of each of these records (ids of one kind) by a handful of statements, however many they are.

    {} on a PC that is joined to no server: there is nothing to tell there.
    """
    wanted = sorted(set(ids))
    if not wanted or not read_state(db).installation_id:
        return {}
    given = {
        "ids": msgspec.json.encode(wanted).decode(),
        "kind": kind,
        "me": viewer.account_id,
        "streams": viewer_streams(viewer),
    }
    made: dict[str, str] = {record_id: str(RecordState.SENT) for record_id in wanted}

    def note(record_id: str, state: str) -> None:
        if _ORDER[state] > _ORDER[made[record_id]]:
            made[record_id] = state

    belongs = _belongs(kind)
    with converted():
        for record_id, flies in db.conn.execute(
            f"""{belongs} SELECT part.record, max(o.op <= (SELECT coalesce(max(last_op), 0) FROM inflight))
                FROM part JOIN outbox o ON o.kind = part.kind AND o.id = part.id GROUP BY part.record, o.op""",
            given,
        ):
            note(record_id, RecordState.SENDING if flies else RecordState.HERE)
        for (record_id,) in db.conn.execute(
            f"""{belongs} SELECT DISTINCT part.record FROM part JOIN quarantine q
                ON q.kind = part.kind AND q.id = part.id WHERE q.author = :me OR q.{MINE}""",
            given,
        ):
            note(record_id, RecordState.REFUSED)
        open_ones = db.conn.execute(
            f"""{belongs} SELECT part.record, c.id FROM part JOIN conflict c
                ON c.record_kind = part.kind AND c.record_id = part.id
                WHERE c.state = 'open' AND c.deleted = 0 AND c.{MINE}""",
            given,
        ).fetchall()
    for record_id, conflict_id in open_ones:
        if is_for(db, viewer, conflict_id):
            note(record_id, RecordState.CONFLICT)
    return made


def _belongs(kind: str) -> str:
    """A table of the records asked for and their parts: record, kind, id.

    A part that was refused when it was new is no row any more: what it belongs to stands in the operation.
    """
    parts = "".join(
        f""" UNION ALL SELECT "{field}", '{part}', id FROM "{part}"
            WHERE "{field}" IN (SELECT value FROM json_each(:ids))"""
        for part, field in _PARTS.get(kind, ())
    )
    parts += "".join(
        f""" UNION ALL SELECT "{field}", '{part}', id FROM "{part}"
            WHERE id IN ({_WORKED_ON.format(part=part)}) AND "{field}" IN (SELECT value FROM json_each(:ids))"""
        for part, field in _MANY_PARTS.get(kind, ())
    )
    parts += "".join(
        f""" UNION ALL SELECT json_extract(CAST(body AS TEXT), '$.fields.{field}'), kind, id FROM quarantine
            WHERE kind = '{part}' AND action = 'new'
            AND json_extract(CAST(body AS TEXT), '$.fields.{field}') IN (SELECT value FROM json_each(:ids))"""
        for part, field in (*_PARTS.get(kind, ()), *_MANY_PARTS.get(kind, ()))
    )
    return f"WITH part(record, kind, id) AS (SELECT value, :kind, value FROM json_each(:ids){parts})"
