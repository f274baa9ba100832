"""Pieces of attached files over HTTP: who may bring and fetch them, and where they lie."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import msgspec
from sqlalchemy import Connection

from sync.domain.calendar import DAY
from sync.domain.roles import Reach
from sync.server.problems import ProtocolError
from sync.server.requests import Answer, Sent, caller_of
from sync.server.runner import Runner
from sync.server.storage import epochs
from sync.server.storage.blobs import Blobs, Named, checksums, named
from sync.server.storage.push import Caller
from sync.wire import BlobReply

OCTETS = "application/octet-stream"  # compressed already, each in its own way
_CHECKSUM = re.compile(r"[0-9a-f]{64}")
_YOUNG_S = 2 * 86_400  # an upload may be on its way for so long before its attachment is looked for
_RETURN_MS = 60 * DAY  # after a restore: until then a PC may give back the record that names a file

Reaching = Callable[[Connection, Caller], Reach]


class BlobDesk:
    """Answers for the bytes of attached files; ``reaching`` says which streams a caller may read."""

    def __init__(self, runner: Runner, folder: Path, *, reaching: Reaching, wall: Callable[[], int]) -> None:
        self._runner = runner
        self._blobs = Blobs(folder)
        self._reaching = reaching
        self._wall = wall

    async def put(self, sent: Sent) -> Answer:
        """Add a piece where the bytes at hand end; an empty one at 0 asks how many there are.

        Whoever may read the attachment brings them, and whoever added it, even after the post has ended.
        """
        blob, offset = await self._asked(sent, brings=True)
        have = await asyncio.to_thread(self._blobs.add, blob, offset, sent.body)
        return Answer(msgspec.json.encode(BlobReply(have=have)))

    async def get(self, sent: Sent) -> Answer:
        """The piece that begins at an offset."""
        blob, offset = await self._asked(sent, brings=False)
        data = await asyncio.to_thread(self._blobs.read, blob, offset)
        return Answer(data, media_type=OCTETS)

    async def sweep(self, community: str) -> int:
        """Remove files that no attachment names any more; how many. None for a while after a restore."""
        now = self._wall()

        def look(connection: Connection) -> frozenset[str] | None:
            return None if self._may_come_back(connection) else checksums(connection, community, now=now)

        kept = await self._runner.read(look)
        if kept is None:
            return 0
        before_s = now / 1000 - _YOUNG_S
        return await asyncio.to_thread(self._blobs.sweep, community, kept, before_s=before_s)

    async def _asked(self, sent: Sent, *, brings: bool) -> tuple[Named, int]:
        checksum = sent.path.rpartition("/")[2]
        asked = parse_qs(sent.query)
        record, offset = asked.get("record", [""])[0], asked.get("offset", ["0"])[0]
        if not _CHECKSUM.fullmatch(checksum) or not offset.isdecimal() or len(offset) > 18:
            raise ProtocolError(422, "invalid", field="offset" if _CHECKSUM.fullmatch(checksum) else "sha256")
        now = self._wall()

        def look(connection: Connection) -> Named:
            caller = caller_of(connection, sent, now=now)
            blob = named(connection, caller.community, checksum, record, now=now)
            if blob is not None and (brings or not blob.deleted):
                if self._reaching(connection, caller).allows(blob.stream):
                    return blob
                if brings and blob.added_by in caller.accounts:
                    return blob
            # The same for all, so that nobody is told of records that are not theirs.
            raise ProtocolError(404, "not_yet" if brings and self._may_come_back(connection) else "unknown_record")

        return await self._runner.read(look), int(offset)

    def _may_come_back(self, connection: Connection) -> bool:
        """Whether a restore was so short a while ago that PCs may yet give back the records that name files."""
        epoch = epochs.current(connection)
        return bool(epoch.parent) and self._wall() < epoch.since + _RETURN_MS
