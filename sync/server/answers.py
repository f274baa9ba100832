"""The answers to a greeting, a request for a page and the digests after a restore, each read in one transaction."""

import re
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from sync.domain.calendar import day_of
from sync.domain.clock import FUTURE_LIMIT_MS
from sync.domain.roles import Reach
from sync.server import older
from sync.server.logs import log
from sync.server.problems import ProtocolError
from sync.server.storage import epochs, feed, givenback, replicas
from sync.server.storage.epochs import Epoch
from sync.server.storage.push import Caller
from sync.server.storage.replicas import Replica, Seen
from sync.server.storage.rights import RightsCache, reach_of
from sync.wire import (
    LIMITS,
    SCHEMA,
    SCHEMA_MIN,
    Digests,
    DigestsReply,
    Hello,
    HelloReply,
    Pull,
    PullReply,
    StreamHead,
    digest_heads,
    encode_rows,
)

_DIGEST = re.compile(r"[0-9a-f]{32}")
# What devices can have done since the oldest backup that anybody puts back.
_MOST_BATCHES = 100_000
_MOST_POSITIONS = 1_000_000


class Answers:
    """Made for the server once; ``keys`` are the public halves (for sealing, for signing) told in every greeting."""

    def __init__(self, rights: RightsCache, *, keys: tuple[bytes, bytes]) -> None:
        self._rights = rights
        self._keys = keys

    def greet_unchanged(
        self, connection: Connection, caller: Caller, message: Hello, *, now: int, window_s: int
    ) -> HelloReply | None:
        """Greet a replica that says nothing new, by reading alone; None when there is something to write down."""
        replica = replicas.find_unchanged(
            connection, caller.community, message.device, installation=caller.installation, seen=_seen(message, now)
        )
        epoch = epochs.current(connection)
        if replica is None or _lead(connection, caller, message, epoch, done=replica.batch, now=now):
            return None
        return self._greeting(connection, caller, message, epoch, replica, now=now, window_s=window_s)

    def greet(self, connection: Connection, caller: Caller, message: Hello, *, now: int, window_s: int) -> HelloReply:
        """Greet a replica, registered if it is new. One that is ahead of this server tells that the data were
        restored from a backup without a word: then another epoch begins, or it gives back in this one.
        """
        replica = replicas.greet(
            connection,
            caller.community,
            message.device,
            installation=caller.installation,
            seen=_seen(message, now),
        )
        epoch = epochs.current(connection)
        lead = _lead(connection, caller, message, epoch, done=replica.batch, now=now)
        if lead:
            epoch = epochs.notice(connection, now=now, after=epoch.id)
            log("alarm", code="restored_unsaid", installation=caller.installation, epoch=epoch.id, **lead)
        reply = self._greeting(connection, caller, message, epoch, replica, now=now, window_s=window_s)
        return msgspec.structs.replace(reply, is_anew=bool(lead) and epoch.id == message.epoch)

    def _greeting(
        self,
        connection: Connection,
        caller: Caller,
        message: Hello,
        epoch: Epoch,
        replica: Replica,
        *,
        now: int,
        window_s: int,
    ) -> HelloReply:
        sealing_key, signing_key = self._keys
        heads = list(older.heads(self._heads(connection, caller, now=now), schema=message.schema))
        is_level = bool(message.level) and message.level == digest_heads(heads)
        return HelloReply(
            epoch=epoch.id,
            time=now,
            schema=(SCHEMA_MIN, SCHEMA),
            limits=LIMITS,
            batch=replica.batch,
            digest=replica.digest,
            streams=[] if is_level else heads,
            sync_window_s=window_s,
            sealing_key=sealing_key,
            signing_key=signing_key,
            is_level=is_level,
        )

    def page(self, connection: Connection, caller: Caller, message: Pull, *, now: int) -> PullReply:
        """A page. Raises ProtocolError 426 ``upgrade``, 409 ``epoch``."""
        if message.schema < SCHEMA_MIN:
            raise ProtocolError(426, "upgrade", least=SCHEMA_MIN)
        _meant_for(epochs.current(connection), message.epoch)
        streams = self._heads(connection, caller, now=now)
        limit = max(1, min(message.limit, LIMITS.rows))
        page = feed.page(connection, caller.community, message.streams, streams, limit=limit, now=now)
        return PullReply(
            tables=encode_rows(older.rows(page.rows, schema=message.schema)),
            exits=page.exits,
            cursors=page.cursors,
            more=page.more,
            streams=list(older.heads(streams, schema=message.schema)),
        )

    def digests(self, connection: Connection, caller: Caller, message: Digests, *, now: int) -> DigestsReply:
        """What this server wants back of the rows a device holds; nothing unless it was restored.

        Raises ProtocolError 409 ``epoch``, ``forked``, 422 ``invalid`` (``field``).
        """
        epoch = epochs.current(connection)
        _meant_for(epoch, message.epoch)
        if len(message.id) != len(message.check):
            raise ProtocolError(422, "invalid", field="check")
        replica = replicas.find(connection, caller.community, message.device)
        if replica is None or replica.installation != caller.installation:
            raise ProtocolError(409, "forked", batch=0)
        held = dict(zip(message.id, message.check, strict=True))
        reach = self.reach(connection, caller, now=now)
        wanted = givenback.want(connection, caller.community, epoch, replica.id, held, reach=reach)
        return DigestsReply(want=[place for place, record_id in enumerate(message.id) if record_id in wanted])

    def _heads(self, connection: Connection, caller: Caller, *, now: int) -> Sequence[StreamHead]:
        return feed.heads(connection, caller.community, self.reach(connection, caller, now=now))

    def reach(self, connection: Connection, caller: Caller, *, now: int) -> Reach:
        """The streams that the accounts of this installation may read now."""
        rights = self._rights.of(connection, caller.community)
        return reach_of(connection, caller.community, rights, caller.accounts, today=day_of(now))


def _seen(message: Hello, now: int) -> Seen:
    return Seen(
        schema=min(message.schema, 2**31 - 1),
        app=message.app.replace("\0", ""),
        seen_at=now,
        fingerprint=message.fingerprint.replace("\0", ""),
    )


def _meant_for(epoch: Epoch, told: str) -> None:
    if told != epoch.id:
        raise ProtocolError(409, "epoch", epoch=epoch.id)


def _lead(
    connection: Connection, caller: Caller, message: Hello, epoch: Epoch, *, done: int, now: int
) -> Mapping[str, int]:
    """How far a replica is ahead of what this server remembers: batches, streams with a position yet to come, or a
    life that began later than this one. A lead that cannot be is none.
    """
    if message.epoch != epoch.id:
        begun = epochs.began(message.epoch)
        return {"epochs": 1} if epochs.began(epoch.id) < begun <= now + FUTURE_LIMIT_MS else {}
    sent = max((number for number, digest in message.batches if _DIGEST.fullmatch(digest)), default=0)
    if done < sent <= done + _MOST_BATCHES:
        return {"batches": sent - done}
    ahead = feed.ahead(connection, caller.community, message.cursors, most=_MOST_POSITIONS)
    return {"streams": ahead} if ahead else {}
