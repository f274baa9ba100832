"""Replicas: the lives of the devices' databases, each with the number of its last batch and the answer given to it."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select, text, update

from sync.domain import streams
from sync.server.problems import ProtocolError
from sync.server.storage import schema
from sync.server.storage.statements import for_update

_table = schema.replica
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Replica:
    """What the server knows of one replica."""

    id: int
    installation: str
    batch: int
    digest: str
    reply: bytes
    tag: str
    number_day: str
    number_last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a replica last said of itself, and when."""

    seen_at: int
    schema: int
    app: str = ""
    fingerprint: str = ""


def find(connection: Connection, community: str, replica_id: int, *, lock: bool = False) -> Replica | None:
    """The replica, or None; with ``lock`` its batches are taken one at a time."""
    c = _table.c
    query = select(c.id, c.installation, c.batch, c.digest, c.reply, c.tag, c.number_day, c.number_last).where(
        c.community == community, c.id == replica_id
    )
    found = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return Replica(*found) if found else None


def greet(
    connection: Connection,
    community: str,
    replica_id: int,
    *,
    installation: str,
    seen: Seen,
) -> Replica:
    """The replica, registered under its installation if it is new; ``seen`` is brought up to date.

    Raises ProtocolError ``forked`` when the number belongs to another installation.
    """
    known = find(connection, community, replica_id)
    if known is None:
        known = Replica(replica_id, installation, 0, "", b"", _next_tag(connection, community), "", 0)
        connection.execute(
            insert(_table).values(
                community=community,
                id=replica_id,
                installation=installation,
                batch=0,
                digest="",
                reply=b"",
                tag=known.tag,
                number_day="",
                number_last=0,
                **asdict(seen),
            )
        )
    elif known.installation != installation:
        raise ProtocolError(409, "forked")
    else:
        connection.execute(
            update(_table).where(_table.c.community == community, _table.c.id == replica_id).values(**asdict(seen))
        )
    return known


def settle(
    connection: Connection, community: str, replica: Replica, *, batch: int, digest: str, reply: bytes, now: int
) -> None:
    """Remember a batch with its answer, which is given again byte for byte when the batch comes again."""
    connection.execute(
        update(_table)
        .where(_table.c.community == community, _table.c.id == replica.id)
        .values(
            batch=batch,
            digest=digest,
            reply=reply,
            seen_at=now,
            number_day=replica.number_day,
            number_last=replica.number_last,
        )
    )


def _next_tag(connection: Connection, community: str) -> str:
    # Whoever registers holds the community's own counter meanwhile, so that no two get the same characters.
    connection.execute(
        text("SELECT seq FROM stream WHERE community = :community AND id = :stream" + for_update(connection)),
        {"community": community, "stream": streams.community(community)},
    )
    count = connection.execute(
        text("SELECT count(*) FROM replica WHERE community = :community"), {"community": community}
    ).scalar_one()
    return _ALPHABET[count // 32 % 32] + _ALPHABET[count % 32]
