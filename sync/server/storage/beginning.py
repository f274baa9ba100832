"""The first start: the server's own identity, the community, and the secretary who lets everybody else in."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select

from sync.domain.catalogue import KINDS
from sync.domain.example import SIZES
from sync.domain.ids import new_id, new_replica
from sync.keys.sealing import SealingKey
from sync.keys.signatures import KeyPair
from sync.server.settings import Settings
from sync.server.storage import example, schema, shape
from sync.server.storage.batch import Batch
from sync.server.storage.people import Code, make_code


@dataclass(frozen=True, slots=True)
class Identity:
    """The server's own replica and keys, and the community made on the first start."""

    replica: int
    community: str
    secretary: str
    signing: KeyPair = field(repr=False)  # what this server signs its bundles with
    sealing: SealingKey = field(repr=False)  # what opens the bundles made for it


def identity(connection: Connection, settings: Settings) -> Identity:
    """Read it; on the first start make it, with the community and the account of its secretary."""
    shape.one_at_a_time(connection)
    known = {row.key: row.value for row in connection.execute(select(schema.meta.c.key, schema.meta.c.value))}
    if "epoch" not in known:
        known |= _noted(connection, _begin(connection, settings))
    if "signing_key" not in known:  # a database of the first version has none
        known |= _noted(connection, _keys())
    return Identity(
        int(known["replica"]),
        known["community"],
        known["secretary"],
        KeyPair(bytes.fromhex(known["signing_key"])),
        SealingKey(bytes.fromhex(known["sealing_key"])),
    )


def first_code(connection: Connection, who: Identity, *, now: int) -> Code | None:
    """A code for the secretary as long as no PC is enrolled; the one shown before expires."""
    table = schema.installation
    enrolled = connection.execute(select(table.c.id).where(table.c.community == who.community).limit(1)).first()
    if enrolled is not None:
        return None
    return make_code(connection, who.community, who.secretary, made_by="", now=now)


def _begin(connection: Connection, settings: Settings) -> dict[str, str]:
    now, replica = settings.wall(), new_replica()
    if settings.example:
        size = next(size for size in SIZES if size == settings.example)
        community, secretary = example.load(connection, size, replica=replica, now=now)
    else:
        community, secretary = _found(connection, settings, replica=replica, now=now)
    return {
        "epoch": new_id(now),
        "epoch_since": str(now),
        "replica": str(replica),
        "community": community,
        "secretary": secretary,
    }


def _keys() -> dict[str, str]:
    return {"signing_key": KeyPair.generate().private.hex(), "sealing_key": SealingKey.generate().private.hex()}


def _noted(connection: Connection, made: dict[str, str]) -> dict[str, str]:
    connection.execute(insert(schema.meta), [{"key": key, "value": value} for key, value in made.items()])
    return made


def _found(connection: Connection, settings: Settings, *, replica: int, now: int) -> tuple[str, str]:
    """A community with nobody in it but its secretary; the ids of both."""
    community, secretary, grant = new_id(now), new_id(now), new_id(now)
    batch = Batch(connection, community, replica=replica, now=now)
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
    return community, secretary
