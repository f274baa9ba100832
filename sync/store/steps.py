"""The steps of a demand or dispute, read in the order in which they were taken."""

from typing import TypeVar

from sync.domain.catalogue import KINDS
from sync.domain.fields import Record
from sync.store import schema
from sync.store.database import Database, converted

S = TypeVar("S", bound=Record)


def load_steps(db: Database, kind: str, parent_id: str, *, made: type[S]) -> tuple[S, ...]:
    """All steps of this kind that stand, oldest first, as records of the type ``made``."""
    statement = f"SELECT id FROM {kind} WHERE {KINDS[kind].parent} = ? AND deleted = 0 ORDER BY at, hlc, dev, id"
    with converted():
        ids = [row[0] for row in db.conn.execute(statement, (parent_id,))]
        loaded = schema.load(db, kind, ids)
    steps = (KINDS[kind].record(step_id, loaded[step_id].values) for step_id in ids)
    return tuple(step for step in steps if isinstance(step, made))
