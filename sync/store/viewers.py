"""Who is looking: the grants in force and the streams that follow from them, read from the file."""

import msgspec

from sync.domain import roles
from sync.domain.catalogue import KINDS
from sync.domain.kinds.places import Grant
from sync.domain.roles import Places, Viewer
from sync.store.database import Database
from sync.store.schema import TABLES

# The condition every read of shared rows bears; ``:streams`` is what ``viewer_streams`` gives.
MINE = "stream IN (SELECT value FROM json_each(:streams))"
# What the viewer's rights are made of; when one of these changes, rights have to be read anew.
RIGHTS_KINDS = frozenset({"account", "grant", "building", "compound", "grid"})


def read_places(db: Database, community_id: str) -> Places:
    """Which buildings belong to which compound and grid."""
    compounds: dict[str, set[str]] = {
        row[0]: set() for row in db.conn.execute("SELECT id FROM compound WHERE deleted = 0")
    }
    grids: dict[str, set[str]] = {}
    statement = "SELECT id, compound_id, grid_id FROM building WHERE deleted = 0"
    for building_id, compound_id, grid_id in db.conn.execute(statement):
        compounds.setdefault(compound_id, set()).add(building_id)
        if grid_id:
            grids.setdefault(grid_id, set()).add(building_id)
    return Places(
        community_id,
        {compound: frozenset(buildings) for compound, buildings in compounds.items()},
        {grid: frozenset(buildings) for grid, buildings in grids.items()},
    )


def read_viewer(db: Database, account_id: str, *, places: Places, today: str) -> Viewer:
    """The account with its grants valid on ``today`` and the streams at hand that it may read.

    An account that is closed or unknown has no grants, and so reads nothing.
    """
    statement = f"""{TABLES["grant"].select} WHERE account_id = :me AND deleted = 0 AND EXISTS
        (SELECT 1 FROM account WHERE id = :me AND deleted = 0 AND state = 'active') ORDER BY id"""
    grants = []
    for cells in db.conn.execute(statement, {"me": account_id}):
        row = TABLES["grant"].row(cells)
        grant = KINDS["grant"].record(row.id, row.values)
        assert isinstance(grant, Grant)
        grants.append(grant)
    viewer = roles.viewer(account_id, grants, places, today=today)
    reach = viewer.reach(_cases(db, account_id))
    at_hand = (row[0] for row in db.conn.execute("SELECT id FROM stream"))
    readable = reach.streams | {stream for stream in at_hand if reach.allows(stream)}
    return Viewer(viewer.account_id, viewer.grants, viewer.places, frozenset(readable))


def viewer_streams(viewer: Viewer) -> str:
    """The viewer's streams as JSON, for the condition ``MINE``."""
    return msgspec.json.encode(sorted(viewer.streams)).decode()


def _cases(db: Database, account_id: str) -> list[str]:
    statement = """SELECT dispute.id FROM dispute, json_each(dispute.mediator_ids)
        WHERE dispute.accepted_on IS NOT NULL AND json_each.value = ?"""
    return [row[0] for row in db.conn.execute(statement, (account_id,))]
