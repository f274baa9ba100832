"""Who works here and where: names and posts of the staff, the community and its station."""

from dataclasses import dataclass

from sync.domain.roles import Viewer
from sync.store.database import Database, converted
from sync.store.viewers import MINE, viewer_streams


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One account; organisation data."""

    id: str
    name: str
    title: str
    state: str


@dataclass(frozen=True, slots=True)
class CommunityRow:
    """The community and the station this file serves."""

    id: str
    name: str
    station_name: str
    emergency_phone: str


def colleagues(db: Database, viewer: Viewer) -> tuple[StaffRow, ...]:
    """All active accounts of the community, in order of name."""
    statement = f"""
        SELECT id, name, title, state FROM account
        WHERE deleted = 0 AND state = 'active' AND {MINE}
        ORDER BY name, id"""
    with converted():
        rows = db.conn.execute(statement, {"streams": viewer_streams(viewer)}).fetchall()
    return tuple(StaffRow(*row) for row in rows)


def community(db: Database, viewer: Viewer) -> CommunityRow:
    """The community's name, its first station's, and whom to call; empty where nothing was received yet."""
    parameters = {"streams": viewer_streams(viewer)}
    readable = f"deleted = 0 AND {MINE}"
    with converted():
        found = db.conn.execute(
            f"SELECT id, name, emergency_phone FROM community WHERE {readable} ORDER BY id LIMIT 1", parameters
        ).fetchone()
        station = db.conn.execute(
            f"SELECT name FROM station WHERE {readable} ORDER BY id LIMIT 1", parameters
        ).fetchone()
    record_id, name, phone = found or ("", "", "")
    return CommunityRow(record_id, name, station[0] if station else "", phone)


@dataclass(frozen=True, slots=True)
class AreaRow:
    """An area a role can be given in: ``kind`` is community, compound, grid or building."""

    kind: str
    id: str
    name: str


def areas(db: Database, viewer: Viewer) -> tuple[AreaRow, ...]:
    """All areas the viewer's records name, the largest kind first, each kind in order."""
    statement = f"""
        SELECT * FROM (
            SELECT 'community' AS kind, id, name, 0 AS step, 0 AS place, stream FROM community WHERE deleted = 0
            UNION ALL SELECT 'compound', id, name, 1, 0, stream FROM compound WHERE deleted = 0
            UNION ALL SELECT 'grid', id, name, 2, 0, stream FROM grid WHERE deleted = 0
            UNION ALL SELECT 'building', id, name, 3, position, stream FROM building WHERE deleted = 0
        ) WHERE {MINE} ORDER BY step, place, name, id"""
    with converted():
        rows = db.conn.execute(statement, {"streams": viewer_streams(viewer)}).fetchall()
    return tuple(AreaRow(kind, record_id, name) for kind, record_id, name, *_ in rows)
