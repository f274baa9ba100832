"""The first start: the server's own identity, the community, and the secretary who lets everybody else in."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from sync.domain.catalogue import KINDS
from sync.domain.ids import new_id, new_replica
from sync.server.settings import Settings
from sync.server.storage import schema
from sync.server.storage.batch import Batch
from sync.server.storage.people import Code, make_code


@dataclass(frozen=True, slots=True)
class Identity:
    """This life of the server's data, its own replica, and the community made on the first start."""

    epoch: str
    replica: int
    community: str
    secretary: str


def identity(connection: Connection, settings: Settings) -> Identity:
    """Read it; on the first start make it, with the community and the account of its secretary."""
    known = {row.key: row.value for row in connection.execute(select(schema.meta.c.key, schema.meta.c.value))}
    if not known:
        known = _begin(connection, settings)
    return Identity(known["epoch"], int(known["replica"]), known["community"], known["secretary"])


def first_code(connection: Connection, who: Identity, *, now: int) -> Code | None:
    """A code for the secretary as long as no PC is enrolled; the one shown before expires."""
    table = schema.installation
    enrolled = connection.execute(select(table.c.id).where(table.c.community == who.community).limit(1)).first()
    if enrolled is not None:
        return None
    return make_code(connection, who.community, who.secretary, made_by="", now=now)


def _begin(connection: Connection, settings: Settings) -> dict[str, str]:
    now = settings.wall()
    community, secretary, grant = new_id(now), new_id(now), new_id(now)
    made = {
        "epoch": new_id(now),
        "replica": str(new_replica()),
        "community": community,
        "secretary": secretary,
    }
    connection.execute(insert(schema.meta), [{"key": key, "value": value} for key, value in made.items()])
    batch = Batch(connection, community, replica=int(made["replica"]), now=now)
    batch.load([community, secretary, grant], lock=False)
    batch.write(KINDS["community"], community, {"name": settings.community_name, "code": settings.community_code})
    batch.write(KINDS["account"], secretary, {"name": settings.secretary_name})
    batch.write(
        KINDS["grant"],
        grant,
        {
            "account_id": secretary,
            "role": "community_secretary",
            "scope_kind": "community",
            "scope_id": community,
        },
    )
    batch.finish()
    return made
