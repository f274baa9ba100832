"""What follows from the rows and is kept beside them: the last contact with each household, the search index.

Called inside the transaction that changed the rows, whether they were saved here or came from the server.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from sync.domain.merge import Row
from sync.domain.search_terms import Pinyin
from sync.store import schema, search
from sync.store.database import Database
from sync.store.writer import Touched

_CHUNK = 500

# One line a household: when somebody was met last, how the last knock went, and in which bands nobody opened since.
# What lies before the last meeting says nothing of all that and is not read, so that the cost does not grow with it.
_CONTACTS = """
WITH since AS MATERIALIZED (
    SELECT asked.household_id, coalesce((
        SELECT visited_on FROM visit WHERE visit.household_id = asked.household_id AND deleted = 0 AND outcome = 'met'
        ORDER BY visited_on DESC LIMIT 1), '') AS met_on
    FROM ({asked}) AS asked
), knocks AS (
    SELECT visit.household_id, building_id, stream, visited_on, recorded_at, id, outcome, time_band, met_on,
        row_number() OVER (PARTITION BY visit.household_id ORDER BY visited_on DESC, recorded_at DESC, id DESC) AS nth
    FROM since CROSS JOIN visit ON visit.household_id = since.household_id AND visited_on >= met_on WHERE deleted = 0
)
INSERT INTO household_contact
SELECT household_id, max(building_id), max(stream), nullif(max(met_on), ''), max(visited_on),
    max(CASE WHEN nth = 1 THEN outcome END),
    json_group_array(DISTINCT time_band) FILTER (WHERE {failed}),
    count(*) FILTER (WHERE {failed})
FROM knocks WHERE true GROUP BY household_id
ON CONFLICT (household_id) DO UPDATE SET building_id = excluded.building_id, stream = excluded.stream,
    last_contact_on = excluded.last_contact_on, last_visit_on = excluded.last_visit_on,
    last_outcome = excluded.last_outcome, failed_bands = excluded.failed_bands, failed_count = excluded.failed_count
"""
_ASKED = "SELECT value AS household_id FROM json_each(?)"
_ALL = "SELECT DISTINCT household_id FROM visit"
_NEVER_VISITED = """DELETE FROM household_contact WHERE household_id IN (SELECT value FROM json_each(?)) AND NOT EXISTS
    (SELECT 1 FROM visit WHERE visit.household_id = household_contact.household_id AND deleted = 0)"""
_FAILED = "outcome = 'no_answer' AND visited_on > met_on"


def refresh(db: Database, touched: Touched, *, pinyin: Pinyin, removed: Sequence[Row] = ()) -> None:
    """Bring what follows from these records up to date; ``removed`` are rows that are in the file no longer."""
    visits = [record_id for kind, record_id in touched if kind == "visit"]
    households = {row.values["household_id"] for row in removed if row.kind == "visit"}
    if visits or households:
        refresh_contacts(db, households | _households_of(db, visits))
    search.refresh(db, touched, pinyin=pinyin)


def rebuild(db: Database, *, pinyin: Pinyin) -> None:
    """Make everything anew from the rows, in bulk."""
    db.conn.execute("DELETE FROM household_contact")
    db.conn.execute(_CONTACTS.format(asked=_ALL, failed=_FAILED))
    search.rebuild(db, pinyin=pinyin)


def refresh_contacts(db: Database, household_ids: Iterable[str]) -> None:
    """Work out the last contact of these households from their visits."""
    asked = sorted(set(household_ids))
    if asked:
        named = (schema.to_json(asked),)
        db.conn.execute(_NEVER_VISITED, named)
        db.conn.execute(_CONTACTS.format(asked=_ASKED, failed=_FAILED), named)


def _households_of(db: Database, visit_ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    remaining = iter(visit_ids)
    while chunk := list(islice(remaining, _CHUNK)):
        statement = f"SELECT household_id FROM visit WHERE id IN ({', '.join('?' * len(chunk))})"
        found |= {row[0] for row in db.conn.execute(statement, chunk)}
    return found
