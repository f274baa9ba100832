"""The bytes of attached files: plain files of the data folder, known by their SHA-256, never in the database.

Unfinished ones have ``.part`` behind the name; only what has the right checksum takes its place under its own.
"""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest
from io import BufferedRandom
from pathlib import Path

from sqlalchemy import Connection, text

from sync.domain.catalogue import KINDS
from sync.domain.stubs import is_stub
from sync.server.copies import sync_folder
from sync.server.lock import hold
from sync.server.problems import ProtocolError
from sync.server.storage.records import COLUMNS, load, row_of

PIECE = 512 * 1024  # the most of one request


@dataclass(frozen=True, slots=True)
class Named:
    """Bytes that an attachment names: where they may be read, who added them, and whether they were taken away."""

    community: str
    sha256: str
    size: int
    stream: str
    added_by: str
    deleted: bool


def named(connection: Connection, community: str, checksum: str, record: str, *, now: int) -> Named | None:
    """The bytes that this attachment names; one that was deleted names them until it is a stub."""
    row = load(connection, community, [record]).get(record)
    if row is None or row.kind != "attachment" or row.values["sha256"] != checksum or is_stub(row, now=now):
        return None
    values = KINDS["attachment"].complete(row.values)
    return Named(community, checksum, values["size"], row.stream, values["recorded_by"], row.deleted)


class Blobs:
    """The folder with the bytes, one below it for each community; shared by all processes of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, blob: Named, offset: int, data: bytes) -> int:
        """Add bytes at the end of what is here; how many are here afterwards, on the disk.

        All of them are here only when the whole was checked and stands under its own name. Raises ProtocolError 409
        ``offset`` (``have``) when they belong elsewhere, 413 ``too_large``, and 422 ``invalid`` when the whole has
        another checksum: all of it is forgotten, the sender begins anew.
        """
        whole = self._path(blob)
        if offset + len(data) > blob.size or len(data) > PIECE:
            raise ProtocolError(413, "too_large", most=min(PIECE, max(0, blob.size - offset)))
        if whole.exists():
            raise ProtocolError(409, "offset", have=blob.size)
        part = _part_of(whole)
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("a+b") as file:
            hold(file)  # two PCs may send the same file at the same time
            if whole.exists():
                raise ProtocolError(409, "offset", have=blob.size)
            have = os.fstat(file.fileno()).st_size
            # All of it came before, and the server was stopped before the whole had its name.
            was_complete = have >= blob.size
            if not was_complete:
                if have != offset:
                    raise ProtocolError(409, "offset", have=have)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                have += len(data)
            if have >= blob.size:
                _finish(file, part, whole)
            if was_complete:
                raise ProtocolError(409, "offset", have=have)
        return have

    def read(self, blob: Named, offset: int) -> bytes:
        """At most a piece from this offset. Raises ProtocolError 404 ``not_yet`` while not all bytes are here."""
        try:
            with self._path(blob).open("rb") as file:
                file.seek(offset)
                return file.read(PIECE)
        except FileNotFoundError:
            raise ProtocolError(404, "not_yet") from None

    def sweep(self, community: str, kept: Iterable[str], *, before_s: float) -> int:
        """Remove files that no attachment names, unless they are younger than ``before_s`` (since 1970); how many."""
        names = frozenset(kept)
        gone = 0
        for path in self._folder.glob(f"{community}/??/*"):
            if path.name.removesuffix(".part") in names:
                continue
            with suppress(FileNotFoundError):  # it got its name meanwhile
                if path.stat().st_mtime < before_s:
                    path.unlink()
                    gone += 1
        return gone

    def forget(self, community: str, checksums: Iterable[str]) -> int:
        """Remove these files at once, unfinished ones too; how many."""
        gone = 0
        for checksum in checksums:
            whole = self._folder / community / checksum[:2] / checksum
            for path in (whole, _part_of(whole)):
                gone += path.exists()
                path.unlink(missing_ok=True)
        return gone

    def _path(self, blob: Named) -> Path:
        return self._folder / blob.community / blob.sha256[:2] / blob.sha256


def checksums(connection: Connection, community: str, *, now: int) -> frozenset[str]:
    """The checksums of all bytes that attachments name, those included that were deleted and may be brought back."""
    found = connection.execute(
        text(f"SELECT {COLUMNS} FROM record WHERE community = :community AND kind = 'attachment'"),
        {"community": community},
    )
    return frozenset(row.values["sha256"] for row in map(row_of, found) if not is_stub(row, now=now))


def _finish(file: BufferedRandom, part: Path, whole: Path) -> None:
    """Give what came its own name, when it is what that says; else forget it in place, for others may have it open."""
    file.seek(0)
    if file_digest(file, "sha256").hexdigest() != whole.name:
        file.truncate(0)
        raise ProtocolError(422, "invalid", field="sha256")
    os.fsync(file.fileno())
    if sys.platform == "win32":
        file.close()  # there nobody renames an open file
    part.rename(whole)
    sync_folder(whole.parent)


def _part_of(whole: Path) -> Path:
    return whole.with_name(f"{whole.name}.part")
