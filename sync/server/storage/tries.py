"""Wrong one-time codes by address, counted for all processes: five in a quarter of an hour, then none is looked at."""

import hashlib

from sqlalchemy import Connection, delete, insert, select

from sync.domain.ids import new_id
from sync.server.storage import schema

MOST = 5
WITHIN_MS = 15 * 60 * 1000
_table = schema.tried


def wait_ms(connection: Connection, community: str, address: str, *, now: int) -> int:
    """How long this address has to wait before it may try again; 0 when it need not."""
    recent = connection.execute(
        select(_table.c.at)
        .where(_table.c.community == community, _table.c.address == _hash(address), _table.c.at > now - WITHIN_MS)
        .order_by(_table.c.at.desc())
        .limit(MOST)
    ).scalars()
    found = list(recent)
    return min(found[-1] + WITHIN_MS - now, WITHIN_MS) if len(found) == MOST else 0


def failed(connection: Connection, community: str, address: str, *, now: int) -> None:
    """Count a wrong code; what counts no longer goes."""
    connection.execute(delete(_table).where(_table.c.community == community, _table.c.at <= now - WITHIN_MS))
    connection.execute(insert(_table).values(community=community, id=new_id(now), address=_hash(address), at=now))


def _hash(address: str) -> str:
    # Nobody needs to read it: it is compared.
    return hashlib.sha256(address.encode()).hexdigest()
