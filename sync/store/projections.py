"""What follows from the rows and is kept beside them: the last contact with each household, the search index.

Called inside the transaction that changed the rows, whether they were saved here or came from the server.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from sync.domain.merge import Row
from sync.domain.search_terms import Pinyin
from sync.store import search
from sync.store.database import Database
from sync.store.writer import Touched

_CHUNK = 500

# One line a household: when somebody was met last, how the last knock went, and in which bands nobody opened since.
_CONTACTS = """
WITH knocks AS (
    SELECT household_id, building_id, stream, visited_on, recorded_at, id, outcome, time_band,
        max(CASE WHEN outcome = 'met' THEN visited_on END) OVER (PARTITION BY household_id) AS met_on,
        row_number() OVER (PARTITION BY household_id ORDER BY visited_on DESC, recorded_at DESC, id DESC) AS nth
    FROM visit WHERE deleted = 0 {where}
)
INSERT INTO household_contact
SELECT household_id, max(building_id), max(stream), max(met_on), max(visited_on),
    max(CASE WHEN nth = 1 THEN outcome END),
    json_group_array(DISTINCT time_band) FILTER (WHERE {failed}),
    count(*) FILTER (WHERE {failed})
FROM knocks GROUP BY household_id
"""
_FAILED = "outcome = 'no_answer' AND visited_on > coalesce(met_on, '')"


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
    db.conn.execute(_CONTACTS.format(where="", failed=_FAILED))
    search.rebuild(db, pinyin=pinyin)


def refresh_contacts(db: Database, household_ids: Iterable[str]) -> None:
    """Work out the last contact of these households from their visits."""
    remaining = iter(sorted(set(household_ids)))
    while chunk := list(islice(remaining, _CHUNK)):
        marks = ", ".join("?" * len(chunk))
        db.conn.execute(f"DELETE FROM household_contact WHERE household_id IN ({marks})", chunk)
        db.conn.execute(_CONTACTS.format(where=f"AND household_id IN ({marks})", failed=_FAILED), chunk)


def _households_of(db: Database, visit_ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    remaining = iter(visit_ids)
    while chunk := list(islice(remaining, _CHUNK)):
        statement = f"SELECT household_id FROM visit WHERE id IN ({', '.join('?' * len(chunk))})"
        found |= {row[0] for row in db.conn.execute(statement, chunk)}
    return found
