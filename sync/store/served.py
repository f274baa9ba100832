"""In which version rows are served: what came in since the last time is missing in those that are here."""

from sync.domain.catalogue import KINDS
from sync.store import merging
from sync.store.database import Database
from sync.store.state import write_state
from sync.store.store import Store


def mind_served(store: Store, served: int) -> frozenset[str]:
    """From now on rows come in this version; what came in since the last one is missing in the rows here.

    The server leaves newer kinds and fields out for an older program: streams that may hold such are read anew. Returns
    them.
    """
    before = store.state.served
    if served == before:
        return frozenset()
    streams = _renewed(store.db, before, served) if 0 < before < served else frozenset()
    with store.write():
        if streams:
            merging.start_anew(store.db, streams)
        write_state(store.db, served=served)
    store.reload()
    return streams


def _renewed(db: Database, before: int, served: int) -> frozenset[str]:
    """A kind that came in may lie in any stream; a field, in those that hold its kind."""
    if any(before < kind.since <= served for kind in KINDS.values()):
        return frozenset(line[0] for line in db.conn.execute("SELECT stream FROM cursor"))
    widened = [
        name for name, kind in KINDS.items() if any(before < field.since <= served for field in kind.fields.values())
    ]
    return frozenset(
        line[0] for name in widened for line in db.conn.execute(f'SELECT DISTINCT stream FROM "{name}"').fetchall()
    )
