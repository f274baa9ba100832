"""The form of a backup: one tar file with a manifest, the database, and the bytes of attached files.

    manifest.json       what it is, and the size and checksum of the database
    database            SQLite's own file, compressed with zstd; or what pg_dump wrote in its custom form
    blobs/…             as in the data folder

Beside the data lies a mark that says when the latest one was finished.
"""

import io
import os
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import file_digest, sha256
from pathlib import Path

import msgspec

from sync.errors import StoreError

FORMAT = 1
SUFFIX = ".qmbackup"
BLOBS = "blobs"
_MANIFEST = "manifest.json"
_DATABASE = "database"
_MANIFEST_MOST = 64 * 1024
_MARK = "last-backup"


class _Form(msgspec.Struct):
    """What every version of a manifest says."""

    format: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. ``revision`` is the shape of the database, ``made_at`` ms since 1970."""

    format: int
    engine: str  # sqlite, postgresql
    revision: str
    epoch: str
    made_at: int
    database_bytes: int
    database_sha256: str
    blobs: int


def mark(data: Path, *, damaged: Sequence[str] = ()) -> None:
    """A backup of this data folder's server has just been finished, without these damaged files."""
    (data / _MARK).write_text("\n".join(damaged))
    (data / _MARK).touch()


def age_s(data: Path) -> float | None:
    """Seconds since then; None when there was none."""
    try:
        return max(0.0, time.time() - (data / _MARK).stat().st_mtime)
    except FileNotFoundError:
        return None


def damaged_files(data: Path) -> int:
    """How many files the latest backup had to leave out; 0 when there was none."""
    try:
        return len((data / _MARK).read_text().split())
    except FileNotFoundError:
        return 0


def blobs_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """The whole files among the bytes of attachments, and those of them that are not what their names say any more.

    Without what is still arriving. Each is read once.
    """
    found = sorted(path for path in folder.glob("*/??/*") if not path.suffix and path.is_file())
    sound = {path for path in found if _is_sound(path)}
    # One that is gone by now was swept: nobody misses it.
    return [path for path in found if path in sound], [path for path in found if path not in sound and path.exists()]


def with_checksum(manifest: Manifest) -> bytes:
    """What stands in the file: a line of JSON, and behind it the SHA-256 of that."""
    content = msgspec.json.encode(manifest)
    return content + b"\n" + sha256(content).hexdigest().encode()


def write(to: Path, manifest: Manifest, database: Path, files: Sequence[Path], *, blobs: Path) -> int:
    """Write a backup so that it is there whole or not at all; the one that had the name before goes.

    ``database`` is in its final form, ``files`` lie in the folder ``blobs``; how many of them are in it, for one may be
    swept meanwhile. Raises OSError, and StoreError ``backup_damaged`` when what was written cannot be read again.
    """
    unfinished = to.with_name(f".{to.name}.part")
    try:
        while not _pack(unfinished, msgspec.structs.replace(manifest, blobs=len(files)), database, files, blobs=blobs):
            files = [path for path in files if path.exists()]
        with reading(unfinished) as copy:
            copy.check()
        unfinished.replace(to)
        sync_folder(to.parent)
    finally:
        unfinished.unlink(missing_ok=True)
    return len(files)


def _pack(to: Path, manifest: Manifest, database: Path, files: Sequence[Path], *, blobs: Path) -> bool:
    """Write everything into one file; False when one of the files has gone."""
    with os.fdopen(os.open(to, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600), "w+b") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            content = with_checksum(manifest)
            head = tarfile.TarInfo(_MANIFEST)
            head.size = len(content)
            tar.addfile(head, io.BytesIO(content))
            tar.add(database, _DATABASE, filter=_nobodys)
            for path in files:
                try:
                    tar.add(path, f"{BLOBS}/{path.relative_to(blobs).as_posix()}", filter=_nobodys)
                except FileNotFoundError:
                    return False
        file.flush()
        os.fsync(file.fileno())
    return True


@contextmanager
def reading(path: Path) -> "Iterator[Copy]":
    """Open a backup. Raises StoreError ``backup_missing``, ``backup_damaged``, ``backup_newer``."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise StoreError("backup_missing", path=str(path)) from error
    try:
        with file, tarfile.open(fileobj=file, mode="r:") as tar:
            yield Copy(tar)
    except (tarfile.TarError, EOFError) as error:
        raise StoreError("backup_damaged", path=str(path)) from error


class Copy:
    """An open backup."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        first = tar.next()
        if first is None or first.name != _MANIFEST or first.size > _MANIFEST_MOST:
            raise tarfile.ReadError
        try:
            content, _, checksum = self._bytes(first).partition(b"\n")
            _agree(sha256(content).hexdigest().encode() == checksum)
            if msgspec.json.decode(content, type=_Form).format > FORMAT:
                raise StoreError("backup_newer")
            self.manifest = msgspec.json.decode(content, type=Manifest)
        except msgspec.MsgspecError as error:
            raise tarfile.ReadError from error

    def check(self) -> None:
        """Read everything once. Raises StoreError ``backup_damaged``."""
        with self._file(self._database()) as file:
            _agree(file_digest(file, "sha256").hexdigest() == self.manifest.database_sha256)
        for member in self._blobs():
            with self._file(member) as file:
                _agree(file_digest(file, "sha256").hexdigest() == member.name.rpartition("/")[2])

    def take_database(self, to: Path) -> None:
        """Write the database, in the form it has here, to a file."""
        _write(to, self._file(self._database()))

    def take_blobs(self, into: Path) -> None:
        """Add the bytes of attachments that are missing or damaged in a folder; each is there whole or not at all."""
        for member in self._blobs():
            path = into / member.name.removeprefix(f"{BLOBS}/")
            if not _is_sound(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                unfinished = path.with_name(f"{path.name}.restored")
                _write(unfinished, self._file(member))
                unfinished.replace(path)

    def _database(self) -> tarfile.TarInfo:
        members = self._tar.getmembers()
        _agree(len(members) > 1 and members[1].name == _DATABASE and members[1].isreg())
        _agree(members[1].size == self.manifest.database_bytes)
        return members[1]

    def _blobs(self) -> list[tarfile.TarInfo]:
        members = self._tar.getmembers()[2:]
        _agree(len(members) == self.manifest.blobs)
        for member in members:
            folder, _, name = member.name.rpartition("/")
            parts = folder.split("/")
            _agree(member.isreg() and len(parts) == 3 and parts[0] == BLOBS and parts[2] == name[:2])
            _agree(_is_plain(parts[1]) and _is_plain(name))
        return members

    def _bytes(self, member: tarfile.TarInfo) -> bytes:
        with self._file(member) as file:
            return file.read()

    def _file(self, member: tarfile.TarInfo) -> io.BufferedReader:
        found = self._tar.extractfile(member)
        if found is None:
            raise tarfile.ReadError
        # tarfile promises no more than IO[bytes]; it gives this.
        assert isinstance(found, io.BufferedReader)
        return found


def sync_folder(folder: Path) -> None:
    """Have a folder's own entries on the disk; Windows does that by itself."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def _agree(is_so: bool) -> None:
    if not is_so:
        raise tarfile.ReadError


def _is_plain(name: str) -> bool:
    """Letters, digits and hyphens: nothing that leads elsewhere."""
    return bool(name) and name.replace("-", "").isalnum()


def _is_sound(path: Path) -> bool:
    """Whether the file can be read, and is what its name says."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest() == path.name
    except OSError:
        return False


def _write(to: Path, source: io.BufferedReader) -> None:
    with source, to.open("wb") as file:
        while piece := source.read(1 << 20):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the names and numbers of this machine's users."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member
