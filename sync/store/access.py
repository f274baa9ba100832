"""The read log: who asked to see what is masked, of whom, when."""

from dataclasses import dataclass

from sync.domain.roles import Viewer
from sync.store.database import Database
from sync.store.store import Store


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a masked field; ids only."""

    at: int
    account_id: str
    kind: str
    id: str
    field: str


def note(store: Store, account_id: str, kind: str, record_id: str, field: str) -> None:
    """Write down that the account was shown this field in full."""
    with store.write():
        store.db.conn.execute(
            "INSERT INTO read_log (at, account_id, kind, id, field) VALUES (?, ?, ?, ?, ?)",
            (store.now(), account_id, kind, record_id, field),
        )


def readings(db: Database, viewer: Viewer, *, limit: int = 100) -> tuple[Reading, ...]:
    """The latest looks, newest first: everybody's for the community secretary, one's own for anybody else."""
    everybody = viewer.has_any({"community_secretary"})
    statement = """SELECT at, account_id, kind, id, field FROM read_log WHERE :everybody OR account_id = :me
        ORDER BY number DESC LIMIT :limit"""
    given = {"everybody": everybody, "me": viewer.account_id, "limit": limit}
    return tuple(Reading(*row) for row in db.conn.execute(statement, given))
