"""Sync by stick at the centre: a PC's bundle is applied through the same push, and answered by a bundle for that PC."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import msgspec
from sqlalchemy import Connection

from sync.errors import BadMessage, BundleError
from sync.server.answers import Answers
from sync.server.batches import taken_apart
from sync.server.problems import ProtocolError
from sync.server.runner import Runner
from sync.server.storage import epochs, people, replicas
from sync.server.storage.batched import Batched
from sync.server.storage.beginning import Identity
from sync.server.storage.push import Caller, Desk, push
from sync.wire import (
    LIMITS,
    SCHEMA_MIN,
    Digests,
    Hello,
    HelloReply,
    Problem,
    Pull,
    Push,
    PushReply,
    StreamHead,
    bundle,
    decode,
    digest_batch,
)
from sync.wire.bundle import Answer, Down, Header, Up

_TOLD_AT_ONCE = 5_000
_PAGES_BYTES = 44 * 1024 * 1024  # of JSON; the largest page more is still below what a bundle may hold


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with one bundle, in numbers: for the screen of whoever hands it in."""

    installation: str
    number: int
    batches: int = 0
    repeated: int = 0  # of them were known already
    accepted: int = 0
    refused: dict[str, int] = {}  # how many by code
    conflicts: int = 0
    rows: int = 0
    more: bool = False
    problem: str = ""  # why a batch, and whatever came after it, was not taken


class _Numbered(msgspec.Struct):
    batch: int = 0


class _Ids(msgspec.Struct):
    id: list[str]


class _Rows(msgspec.Struct):
    tables: list[_Ids]


@dataclass(slots=True)
class _Counts:
    answers: list[Answer] = field(default_factory=list)
    repeated: int = 0
    accepted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    conflicts: int = 0
    problem: str = ""


class BundleDesk:
    """Takes bundles in. ``wall`` is the server's clock in ms."""

    def __init__(
        self, runner: Runner, desk: Desk, answers: Answers, identity: Identity, *, wall: Callable[[], int]
    ) -> None:
        self._runner = runner
        self._desk = desk
        self._answers = answers
        self._identity = identity
        self._wall = wall

    async def exchange(self, content: bytes) -> tuple[bytes, Report]:
        """Apply a PC's bundle; the bundle for that PC, and what was done.

        The same one again, or an older one, changes nothing and gets the answers it got. Raises BundleError: then
        nothing was applied.
        """
        # What takes long is done beside the event loop: others are served meanwhile.
        packed = await asyncio.to_thread(bundle.unpack, content)
        header = packed.header
        if header.way != "up":
            raise BundleError("bundle_wrong_way")
        known = await self._runner.read(lambda c: people.find_installation(c, header.community, header.sender))
        if known is None:
            raise BundleError("bundle_unknown_pc")
        packed.verify(known.public_key)
        if known.revoked:
            raise BundleError("bundle_revoked")
        if header.recipient != bundle.key_name(self._identity.sealing.public):
            raise BundleError("bundle_other_centre")
        up = await asyncio.to_thread(packed.open, self._identity.sealing, Up)
        caller = Caller(known.community, known.id, known.accounts)
        greeted = await self._greet(caller, up)
        counts = _Counts()
        if isinstance(greeted, HelloReply) and greeted.epoch != up.epoch:
            counts.problem = "epoch"  # the answer says so, and what it has of this PC
        elif isinstance(greeted, HelloReply):
            await self._take(caller, up, greeted.batch, counts)
        else:
            counts.problem = greeted.code
            counts.answers = [_refused(bytes(raw), greeted) for raw in up.pushes[:1]]
        want = await self._wanted(caller, up, counts)
        down = await self._runner.read(lambda c: self._down(c, caller, up, counts.answers))
        down = msgspec.structs.replace(down, want=want)
        answer = await asyncio.to_thread(
            bundle.pack,
            Header(
                way="down",
                community=known.community,
                sender=header.recipient,
                recipient=known.id,
                replica=up.device,
                number=header.number,
                made_at=down.time,
            ),
            down,
            recipient_key=up.sealing_key,
            signing_key=self._identity.signing,
        )
        await self._runner.write(lambda c: self._note(c, caller, header.number))
        return answer, Report(
            installation=caller.installation,
            number=header.number,
            batches=len(counts.answers),
            repeated=counts.repeated,
            accepted=counts.accepted,
            refused=counts.refused,
            conflicts=counts.conflicts,
            rows=await asyncio.to_thread(_count, down.pages),
            more=down.more,
            problem=counts.problem,
        )

    async def _greet(self, caller: Caller, up: Up) -> HelloReply | Problem:
        """What a greeting would do: the replica is known, and data that were restored from a copy are noticed."""
        message = Hello(
            device=up.device,
            schema=up.schema,
            app=up.app,
            time=up.time,
            fingerprint=up.fingerprint,
            epoch=up.epoch,
            batches=[(up.batch, "")] if up.batch else [],
            cursors=up.cursors,
        )
        now = self._wall()
        try:
            return await self._runner.write(lambda c: self._answers.greet(c, caller, message, now=now, window_s=0))
        except ProtocolError as error:
            return Problem(code=error.code, params=error.params)

    async def _take(self, caller: Caller, up: Up, done: int, counts: _Counts) -> None:
        """Every batch through the same push as over the line, each in its own transaction, until one is not taken."""
        for raw in up.pushes:
            body = bytes(raw)
            try:
                batched = await asyncio.to_thread(_batched, body)
                reply = await self._push(caller, batched)
            except (ProtocolError, BadMessage) as error:
                counts.problem = error.code
                counts.answers.append(_refused(body, Problem(code=error.code, params=error.params)))
                return
            counts.answers.append(Answer(batch=batched.head.batch, digest=batched.digest, reply=reply))
            if reply.void:
                counts.problem = "withdrawn"  # those after it stand on what was in it, and will be cut anew as well
                return
            counts.repeated += batched.head.batch <= done
            counts.accepted += batched.count - len(reply.refused)
            counts.conflicts += len(reply.conflicts)
            for refusal in reply.refused:
                counts.refused[refusal.code] = counts.refused.get(refusal.code, 0) + 1

    async def _push(self, caller: Caller, batched: Batched) -> PushReply:
        now, head = self._wall(), batched.head

        def write(connection: Connection) -> bytes:
            reply = push(connection, self._desk, caller, batched, now=now, keep_answer=True)
            # One that came by line before is kept as well: batches after it in this bundle would bury its answer.
            replica = replicas.find(connection, caller.community, head.device)
            done = replicas.Done(head.batch, batched.digest, reply)
            if (
                replica
                and replicas.answered(connection, caller.community, replica, batch=head.batch, digest=done.digest)
                is None
            ):
                replicas.keep_answer(connection, caller.community, replica, done, now=now)
            return reply

        return decode(await self._runner.write(write), type_=PushReply)

    async def _wanted(self, caller: Caller, up: Up, counts: _Counts) -> list[str] | None:
        """After a restore: which of the rows that a PC tells of are to be given back; None when it tells of none."""
        found: list[str] = []
        if not up.id or counts.problem:
            return None
        for at in range(0, len(up.id), _TOLD_AT_ONCE):
            ids = up.id[at : at + _TOLD_AT_ONCE]
            told = Digests(
                device=up.device, epoch=up.epoch, schema=up.schema, id=ids, check=up.check[at : at + _TOLD_AT_ONCE]
            )
            asked = partial(self._answers.digests, caller=caller, message=told, now=self._wall())
            try:
                reply = await self._runner.write(asked)
            except ProtocolError as error:
                counts.problem = error.code
                return None
            found += [ids[place] for place in reply.want]
        return found

    def _down(self, connection: Connection, caller: Caller, up: Up, answers: list[Answer]) -> Down:
        """The answers, and the pages after the PC's positions, with the rights it has now."""
        now = self._wall()
        epoch = epochs.current(connection)
        replica = replicas.find(connection, caller.community, up.device)
        at, pages, size = dict(up.cursors), list[msgspec.Raw](), 0
        streams: list[StreamHead] = []
        more = listed = up.epoch == epoch.id and up.schema >= SCHEMA_MIN and not up.id
        while more and size < _PAGES_BYTES:
            pull = Pull(device=up.device, epoch=up.epoch, schema=up.schema, streams=at, limit=LIMITS.rows)
            page = self._answers.page(connection, caller, pull, now=now)
            streams = page.streams
            if page.cursors:
                pages.append(msgspec.Raw(msgspec.json.encode(page)))
                size += len(pages[-1])
            at = {head.id: at.get(head.id, 0) for head in streams} | page.cursors
            more = any(at[head.id] < head.head for head in streams)
        return Down(
            device=up.device,
            epoch=epoch.id,
            time=now,
            batch=replica.batch if replica else 0,
            digest=replica.digest if replica else "",
            listed=listed,
            answers=answers,
            cursors=up.cursors,
            pages=pages,
            streams=streams,
            more=more,
        )

    def _note(self, connection: Connection, caller: Caller, number: int) -> None:
        people.note(
            connection,
            caller.community,
            action="bundle",
            target=str(number),
            account="",
            installation=caller.installation,
            now=self._wall(),
        )


def _count(pages: list[msgspec.Raw]) -> int:
    return sum(len(table.id) for page in pages for table in msgspec.json.decode(page, type=_Rows).tables)


def _batched(body: bytes) -> Batched:
    if len(body) > LIMITS.inflated_bytes:
        raise BadMessage("too_large", most=LIMITS.inflated_bytes)
    try:
        return taken_apart(decode(body, type_=Push), body)
    except RecursionError as error:
        raise BadMessage("malformed", at="$") from error


def _refused(body: bytes, problem: Problem) -> Answer:
    """The answer to a batch that was not taken; told by its number as far as that can be read."""
    try:
        number = msgspec.json.decode(body, type=_Numbered).batch
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        number = 0
    return Answer(batch=max(0, number), digest=digest_batch(body), problem=problem)
