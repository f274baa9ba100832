"""Replicas: the lives of the devices' databases, each with the number of its last batch and the answer given to it."""

from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, bindparam, insert, select, text, update

from sync.domain import streams
from sync.server.problems import ProtocolError
from sync.server.storage import epochs, schema
from sync.server.storage.epochs import Epoch
from sync.server.storage.statements import for_update
from sync.wire import Push, Withdraw

SEEN_EVERY_MS = 60 * 60 * 1000  # a replica that says nothing new of itself is noted once in so long

_table = schema.replica
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LETTERS = _ALPHABET[10:]

# Made once: putting such a statement together costs more than sending it.
_c = _table.c
_IS_IT = _c.community == bindparam("in_community"), _c.id == bindparam("the_id")
_KNOWN = _c.id, _c.installation, _c.batch, _c.digest, _c.reply, _c.tag, _c.number_day, _c.number_last
_FIND = select(*_KNOWN).where(*_IS_IT)
_LOCK = _FIND.with_for_update()
_FIND_SEEN = select(*_KNOWN, _c.seen_at, _c.schema, _c.app, _c.fingerprint).where(*_IS_IT)
_DONE = "batch", "digest", "reply", "seen_at", "number_day", "number_last"
_SETTLE = update(_table).where(*_IS_IT).values({name: bindparam(name) for name in _DONE})


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


@dataclass(frozen=True, slots=True)
class Done:
    """A batch that was applied: its number, the digest of its bytes, the answer."""

    batch: int
    digest: str
    reply: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a replica last said of itself, and when."""

    seen_at: int
    schema: int
    app: str = ""
    fingerprint: str = ""


def find(connection: Connection, community: str, replica_id: int, *, lock: bool = False) -> Replica | None:
    """The replica, or None; with ``lock`` its batches are taken one at a time."""
    named = {"in_community": community, "the_id": replica_id}
    found = connection.execute(_LOCK if lock else _FIND, named).one_or_none()
    return Replica(*found) if found else None


def find_unchanged(
    connection: Connection, community: str, replica_id: int, *, installation: str, seen: Seen
) -> Replica | None:
    """The replica of this installation, if what it says of itself now was written down within the hour; else None."""
    found = connection.execute(_FIND_SEEN, {"in_community": community, "the_id": replica_id}).one_or_none()
    if found is None or found.installation != installation:
        return None
    says_the_same = (found.schema, found.app, found.fingerprint) == (seen.schema, seen.app, seen.fingerprint)
    if not says_the_same or not 0 <= seen.seen_at - found.seen_at < SEEN_EVERY_MS:
        return None
    return Replica(*found[:8])


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
    seen = replace(seen, schema=min(seen.schema, 2**31 - 1))
    if known is None:
        tag = _next_tag(connection, community)
        known = find(connection, community, replica_id)  # somebody may have sent the same while we waited for our turn
    if known is None:
        known = Replica(replica_id, installation, 0, "", b"", tag, "", 0)
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


def sender(
    connection: Connection, community: str, installation: str, message: Push | Withdraw, *, now: int
) -> tuple[Replica, Epoch]:
    """The replica that sends batches, locked, registered if it is new; and the epoch, which it has to know.

    Raises ProtocolError 409 ``epoch``, ``forked``.
    """
    replica = find(connection, community, message.device, lock=True)
    epoch = epochs.current(connection)
    if message.epoch != epoch.id:
        raise ProtocolError(409, "epoch", epoch=epoch.id)
    if replica is None:
        seen = Seen(schema=message.schema, seen_at=now)
        replica = greet(connection, community, message.device, installation=installation, seen=seen)
    if replica.installation != installation:
        raise ProtocolError(409, "forked", batch=0)
    return replica, epoch


def settle(connection: Connection, community: str, replica: Replica, done: Done, *, now: int) -> None:
    """Remember a batch with its answer, which is given again byte for byte when the batch comes again."""
    connection.execute(
        _SETTLE,
        {
            "in_community": community,
            "the_id": replica.id,
            "batch": done.batch,
            "digest": done.digest,
            "reply": done.reply,
            "seen_at": now,
            "number_day": replica.number_day,
            "number_last": replica.number_last,
        },
    )


def keep_answer(connection: Connection, community: str, replica: Replica, done: Done, *, now: int) -> None:
    """Keep the answer to a batch even when later ones have come."""
    connection.execute(insert(schema.answered).values(community=community, replica=replica.id, at=now, **asdict(done)))


def answer_to(connection: Connection, community: str, replica: Replica, *, batch: int, digest: str) -> bytes | None:
    """The answer to a batch that was taken before; None when it is the next one.

    Raises ProtocolError 409 ``forked`` for any other number, or other bytes under a number that was taken.
    """
    if batch == replica.batch and digest == replica.digest:
        return replica.reply
    if batch == replica.batch + 1:
        return None
    known = answered(connection, community, replica, batch=batch, digest=digest)
    if known is None:
        raise ProtocolError(409, "forked", batch=replica.batch)
    return known


def answered(connection: Connection, community: str, replica: Replica, *, batch: int, digest: str) -> bytes | None:
    """The answer kept for an earlier batch of these bytes, or None."""
    c = schema.answered.c
    return connection.execute(
        select(c.reply).where(c.community == community, c.replica == replica.id, c.batch == batch, c.digest == digest)
    ).scalar()


def _next_tag(connection: Connection, community: str) -> str:
    # Whoever registers holds the community's own counter meanwhile, so that no two get the same characters.
    connection.execute(
        text("SELECT seq FROM stream WHERE community = :community AND id = :stream" + for_update(connection)),
        {"community": community, "stream": streams.community(community)},
    )
    count = connection.execute(
        text("SELECT count(*) FROM replica WHERE community = :community"), {"community": community}
    ).scalar_one()
    return tag_of(count)


def tag_of(count: int) -> str:
    """What the demands of the replica that came after ``count`` others are numbered with; never the same twice.

    Two characters, and letters after them when those are used up: digits that follow are the serial's.
    """
    more, rest = divmod(count, len(_ALPHABET) ** 2)
    tag = _ALPHABET[rest // 32] + _ALPHABET[rest % 32]
    while more:
        more, letter = divmod(more - 1, len(_LETTERS))
        tag += _LETTERS[letter]
    return tag
