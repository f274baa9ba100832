"""Refused operations that are tried again by themselves: those that only the server's own trouble has stopped."""

from sync.store import quarantine
from sync.store.store import Store
from sync.store.writer import Touched

DAILY_MS = 24 * 60 * 60 * 1000
_ITS_OWN = "server_error"


def try_again(store: Store, *, app: str) -> Touched:
    """Queue anew what a fault of the server refused a day ago, or before this program was updated.

    ``app`` is the version of this program. What waits for another record is tried again when that has been accepted.
    """
    is_updated = store.state.app != app
    if is_updated:
        store.set_state(app=app)
    latest = store.now() if is_updated else store.now() - DAILY_MS
    statement = "SELECT op FROM quarantine WHERE code = ? AND at <= ? AND state = 'open' ORDER BY op"
    due = store.db.conn.execute(statement, (_ITS_OWN, latest)).fetchall()
    return frozenset().union(*(quarantine.retry(store, op) for (op,) in due))
