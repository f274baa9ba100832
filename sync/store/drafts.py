"""Drafts: what somebody has begun to enter, kept for that person alone until it is saved or thrown away."""

from dataclasses import dataclass

from sync.domain.roles import Viewer
from sync.store import refused
from sync.store.database import Database
from sync.store.store import Store


@dataclass(frozen=True, slots=True)
class Draft:
    """``page`` and ``key`` say what it is a draft of, ``body`` is the page's own; ``at`` in ms."""

    page: str
    key: str
    body: bytes
    at: int


def keep(store: Store, account_id: str, page: str, key: str, body: bytes) -> None:
    """Keep the draft, in place of an earlier one of the same page and key; it outlives a crash."""
    with store.write():
        store.db.conn.execute(
            "INSERT INTO draft (account_id, page, key, body, at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (account_id, page, key) DO UPDATE SET body = excluded.body, at = excluded.at",
            (account_id, page, key, body, store.now()),
        )


def drop(store: Store, account_id: str, page: str, key: str) -> None:
    """Forget the draft, which was thrown away; what was refused and stood in it is work again."""
    with store.write():
        refused.unbind(store.db, account_id, page, key)
        _forget(store.db, account_id, page, key)


def finish(store: Store, account_id: str, page: str, key: str) -> None:
    """Forget the draft, whose form has been saved; what was refused and stood in it has been put right by that."""
    with store.write():
        refused.put_right(store.db, account_id, page, key)
        _forget(store.db, account_id, page, key)


def _forget(db: Database, account_id: str, page: str, key: str) -> None:
    db.conn.execute("DELETE FROM draft WHERE account_id = ? AND page = ? AND key = ?", (account_id, page, key))


def find(db: Database, viewer: Viewer, page: str, key: str) -> Draft | None:
    """The viewer's own draft, or None."""
    statement = "SELECT page, key, body, at FROM draft WHERE account_id = ? AND page = ? AND key = ?"
    row = db.conn.execute(statement, (viewer.account_id, page, key)).fetchone()
    return None if row is None else Draft(*row)


def begun(db: Database, viewer: Viewer) -> tuple[Draft, ...]:
    """All of the viewer's drafts, newest first."""
    statement = "SELECT page, key, body, at FROM draft WHERE account_id = ? ORDER BY at DESC, page, key"
    return tuple(Draft(*row) for row in db.conn.execute(statement, (viewer.account_id,)))
