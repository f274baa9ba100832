"""The server behind the HTTP: opens the data, knows who it is, and answers the messages of the protocol."""

import shutil
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection

from sync.domain.calendar import day_of
from sync.domain.care import load_care_rules
from sync.server import housekeeping
from sync.server.admission import Admission, sync_window_s
from sync.server.answers import Answers
from sync.server.batches import taken_apart
from sync.server.blob_desk import BlobDesk
from sync.server.bundle import BundleDesk
from sync.server.lock import FolderLock
from sync.server.problems import ProtocolError
from sync.server.release_desk import ReleaseDesk
from sync.server.requests import Answer, Sent, caller_of, is_new_installation, prove, received
from sync.server.runner import Runner
from sync.server.settings import Settings
from sync.server.storage import archiving, beginning, epochs, people, shape, tries
from sync.server.storage.batch import Batch
from sync.server.storage.batched import Batched
from sync.server.storage.push import Caller, Desk, push
from sync.server.storage.rights import RightsCache
from sync.server.storage.withdrawing import withdraw
from sync.wire import (
    AddPerson,
    AddPersonReply,
    Digests,
    DigestsReply,
    Enrol,
    EnrolReply,
    Hello,
    HelloReply,
    Pull,
    PullReply,
    Push,
    Withdraw,
)

Endpoint = Callable[[Sent], Awaitable[Answer]]
_FILED_AT_ONCE = 200  # demands in one transaction, so that devices get in between
_COUNTED_MS = 60_000  # for so long the number of PCs stays as it was counted
_LEAST_FREE = 0.05  # of the disk; below it the server says that it is not ready


class Service:
    """One server. Opening it locks the data folder (SQLite), brings the database to shape and begins if need be.

    ``first_code`` is the one-time code of the community's secretary while no PC is enrolled, if it is to be
    shown.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        settings.data.mkdir(parents=True, exist_ok=True)
        self._lock = FolderLock(settings.data) if settings.embedded else None
        self._rights = RightsCache()
        self._runner = Runner(settings, undone=self._rights.forget)
        try:
            self._runner.write_now(shape.migrate)
            self.identity, self.first_code = self._runner.write_now(self._begin)
        except BaseException:
            self.close()
            raise
        self.admission = Admission(limit=settings.queue_limit, spread_s=settings.queue_spread_s)
        self._window = -_COUNTED_MS, 0  # when it was computed, seconds
        care = load_care_rules((settings.resources / "rules" / "care.toml").read_text("utf-8"))
        self._desk = Desk(self.identity.replica, care, self._rights)
        keys = self.identity.sealing.public, self.identity.signing.public
        self._answers = Answers(self._rights, keys=keys)
        self.blobs = BlobDesk(
            self._runner,
            settings.data / "blobs",
            reaching=lambda connection, caller: self._answers.reach(connection, caller, now=self._now()),
            wall=self._now,
        )
        self.releases = ReleaseDesk(self._runner, settings.releases, wall=self._now)
        self.bundles = BundleDesk(self._runner, self._desk, self._answers, self.identity, wall=self._now)

    def close(self) -> None:
        """Finish what runs and let go of the data."""
        self._runner.close()
        if self._lock is not None:
            self._lock.release()

    async def hello(self, sent: Sent) -> Answer:
        """The greeting of a replica."""

        def read(connection: Connection) -> tuple[Caller, Hello, HelloReply | None]:
            now, window_s = self._now(), self._window_s(connection)
            caller, message = caller_of(connection, sent, now=now), received(sent, Hello)[0]
            known = self._answers.greet_unchanged(connection, caller, message, now=now, window_s=window_s)
            return caller, message, known

        caller, message, reply = await self._runner.read(read)
        if reply is not None:
            return _ok(reply)
        now = self._now()

        def greet(connection: Connection) -> HelloReply:
            return self._answers.greet(connection, caller, message, now=now, window_s=self._window_s(connection))

        return _ok(await self._runner.write(greet))

    async def push(self, sent: Sent) -> Answer:
        """One batch of operations."""

        def read(connection: Connection) -> tuple[Caller, Batched]:
            caller = caller_of(connection, sent, now=self._now())
            return caller, taken_apart(*received(sent, Push))

        caller, batched = await self._runner.read(read)
        sent.counts["operations"] = batched.count
        with self.admission.turn(caller.community, batched.head.device):
            return Answer(await self._runner.write(lambda c: push(c, self._desk, caller, batched, now=self._now())))

    async def withdraw(self, sent: Sent) -> Answer:
        """Batches that no line carries are to count as taken with nothing in them, unless they came all the same."""

        def read(connection: Connection) -> tuple[Caller, Withdraw]:
            return caller_of(connection, sent, now=self._now()), received(sent, Withdraw)[0]

        caller, message = await self._runner.read(read)
        with self.admission.turn(caller.community, message.device):
            return Answer(await self._runner.write(lambda c: withdraw(c, caller, message, now=self._now())))

    async def pull(self, sent: Sent) -> Answer:
        """One page of what came after the device's positions."""

        def read(connection: Connection) -> PullReply:
            caller = caller_of(connection, sent, now=self._now())
            reply = self._answers.page(connection, caller, received(sent, Pull)[0], now=self._now())
            sent.counts["rows"] = sum(len(table.id) for table in reply.tables)
            return reply

        return _ok(await self._runner.read(read))

    async def digests(self, sent: Sent) -> Answer:
        """After a restore: which of the rows that a device holds the server wants back."""

        def write(connection: Connection) -> DigestsReply:
            caller = caller_of(connection, sent, now=self._now())
            message = received(sent, Digests)[0]
            reply = self._answers.digests(connection, caller, message, now=self._now())
            sent.counts["digests"], sent.counts["wanted"] = len(message.id), len(reply.want)
            return reply

        return _ok(await self._runner.write(write))

    async def enrol(self, sent: Sent) -> Answer:
        """A one-time code for a new installation, or for one more account on a known one."""
        now, here = self._now(), self.identity.community
        wait = await self._runner.read(lambda c: tries.wait_ms(c, here, sent.address, now=now))
        if wait:
            raise ProtocolError(403, "too_many_tries", retry_after_s=-(-wait // 1000))

        def write(connection: Connection) -> EnrolReply:
            message = received(sent, Enrol)[0]
            caller = None if is_new_installation(sent) else caller_of(connection, sent, now=now)
            if caller is None:
                prove(sent, message, now=now)
            community, account = people.use_code(connection, message.code, now=now)
            if community != (caller.community if caller is not None else message.community or community):
                raise ProtocolError(403, "code_unknown")
            name = message.name.replace("\0", "")
            installation = (
                caller.installation
                if caller is not None
                else people.add_installation(connection, community, public_key=message.public_key, name=name, now=now)
            )
            people.add_account(connection, community, installation, account, now=now)
            people.note(
                connection,
                community,
                action="enrol",
                target=account,
                account=account,
                installation=installation,
                now=now,
            )
            return EnrolReply(
                community=community,
                installation=installation,
                account=account,
                time=now,
                sync_window_s=self._window_s(connection),
                epoch=epochs.current(connection).id,
                sealing_key=self.identity.sealing.public,
                signing_key=self.identity.signing.public,
            )

        try:
            return _ok(await self._runner.write(write))
        except ProtocolError as error:
            if error.code.startswith("code_"):
                await self._runner.write(lambda c: tries.failed(c, here, sent.address, now=now))
            raise

    async def add_person(self, sent: Sent) -> Answer:
        """A secretary adds a person, and gets a one-time code for that person."""
        return await self._let_in(sent, add=True)

    async def new_code(self, sent: Sent) -> Answer:
        """A secretary asks for a new one-time code for a person who is known."""
        return await self._let_in(sent, add=False)

    async def ready(self) -> bool:
        """Whether the database answers, has the right shape, and has room."""
        current = await self._runner.read(shape.is_current)
        disk = shutil.disk_usage(self.settings.data)
        return current and disk.free > _LEAST_FREE * disk.total

    async def file_unanswered(self) -> int:
        """File the demands whose resident was told 15 days ago and never asked; how many there were."""
        community, replica, now = self.identity.community, self.identity.replica, self._now()
        due = await self._runner.read(lambda c: archiving.overdue(c, community, now=now))
        filed = 0
        for at in range(0, len(due), _FILED_AT_ONCE):
            some = due[at : at + _FILED_AT_ONCE]
            filed += await self._runner.write(
                partial(archiving.archive, community=community, demand_ids=some, replica=replica, now=now)
            )
        return filed

    async def purge(self) -> int:
        """Remove what is kept no longer; how many records, exits, refusals and answers were blanked or went."""
        who = self.identity
        return (await housekeeping.purge(self._runner, who.community, replica=who.replica, now=self._now())).total()

    async def sweep_blobs(self) -> int:
        """Remove the files that no attachment names any more; how many there were."""
        return await self.blobs.sweep(self.identity.community)

    def _begin(self, connection: Connection) -> tuple[beginning.Identity, people.Code | None]:
        who = beginning.identity(connection, self.settings)
        if self.settings.worker is not None or not self.settings.shows_code:
            return who, None  # whoever started the workers shows the code; another one would undo it
        return who, beginning.first_code(connection, who, now=self._now())

    async def _let_in(self, sent: Sent, *, add: bool) -> Answer:
        now = self._now()

        def write(connection: Connection) -> AddPersonReply:
            caller = caller_of(connection, sent, now=now)
            message = received(sent, AddPerson)[0]
            if message.by not in caller.accounts:
                raise ProtocolError(403, "out_of_scope")
            rights = self._rights.of(connection, caller.community)
            author = rights.viewer(message.by, today=day_of(now))
            if add and message.name:
                batch = Batch(connection, caller.community, replica=self.identity.replica, now=now)
                people.add_person(
                    batch,
                    author,
                    account=message.account,
                    name=message.name,
                    title=message.title,
                    grants=message.grants,
                )
                batch.finish()
            elif not add and f"/people/{message.account}/code" not in sent.path:
                raise ProtocolError(422, "invalid", field="account")
            elif not people.may_invite(author, rights, message.account):
                raise ProtocolError(403, "out_of_scope")
            code = people.make_code(connection, caller.community, message.account, made_by=message.by, now=now)
            people.note(
                connection,
                caller.community,
                action="code",
                target=message.account,
                account=message.by,
                installation=caller.installation,
                now=now,
            )
            return AddPersonReply(account=code.account, code=code.code, expires_at=code.expires_at)

        return _ok(await self._runner.write(write))

    def _window_s(self, connection: Connection) -> int:
        now = self._now()
        if self.settings.sync_window_s:
            return self.settings.sync_window_s
        if abs(now - self._window[0]) >= _COUNTED_MS:
            count = people.count_installations(connection)
            self._window = now, sync_window_s(count, cores=self.settings.cores)
        return self._window[1]

    def _now(self) -> int:
        return self.settings.wall()


def _ok(message: Any) -> Answer:
    return Answer(msgspec.json.encode(message))
