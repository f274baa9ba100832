"""A release for this community's PCs: what is offered by the server or lies on a stick, checked before it is believed.

The bytes come a piece at a time; whatever is cut goes on where it stood.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from sync.client.api import Api
from sync.errors import Refused, TrustError
from sync.keys.manifests import MANIFEST, MAX_MANIFEST_BYTES, ReleaseFile, ReleaseManifest
from sync.keys.minisign import SUFFIX, PublicKey, verify
from sync.moving import move_over

_PIECE: Final = 512 * 1024
_MOST_SMALL: Final = 4096  # bytes of a key or a signature
_NOT_THERE: Final = frozenset({"no_release", "not_found"})  # the latter of a server that knows no releases yet


class Source(Protocol):
    """Where the files of a release come from."""

    def piece(self, name: str, *, offset: int) -> bytes:
        """The bytes of a file from this offset, some of them; b'' behind the end. LookupError when it is not there."""
        ...


@dataclass(frozen=True, slots=True)
class OfServer:
    """The community's server. Raises Offline, Refused, ServerTrouble besides."""

    api: Api

    def piece(self, name: str, *, offset: int) -> bytes:
        """At most half a megabyte."""
        try:
            return self.api.get_release(name, offset=offset)
        except Refused as refusal:
            if refusal.code in _NOT_THERE:
                raise LookupError(name) from None
            raise


@dataclass(frozen=True, slots=True)
class OfFolder:
    """A stick, or a folder that somebody copied."""

    folder: Path

    def piece(self, name: str, *, offset: int) -> bytes:
        """At most half a megabyte."""
        try:
            with (self.folder / name).open("rb") as file:
                file.seek(offset)
                return file.read(_PIECE)
        except OSError:
            raise LookupError(name) from None


@dataclass(frozen=True, slots=True)
class Found:
    """A release that was checked. ``handover`` is the file of a new key, and its signature by a trusted one."""

    manifest: ReleaseManifest
    handover: tuple[str, str] | None = None


def look(source: Source, *, keys: Iterable[PublicKey], community: str) -> Found | None:
    """The release that is offered; None when there is none.

    It may be signed with a key that a trusted one vouches for: ``<id>.pub`` beside it, signed by the trusted one.
    Raises TrustError: those of a signature and a manifest, release_incomplete (``name``), release_other_community.
    """
    trusted = tuple(keys)
    try:
        content = _small(source, MANIFEST, most=MAX_MANIFEST_BYTES)
    except LookupError:
        return None
    signature = _signature(source, MANIFEST)
    handover = None
    try:
        manifest = ReleaseManifest.read(content, signature=signature, keys=trusted)
    except TrustError as error:
        if error.code != "signature_unknown_key":
            raise
        handover = _handover(source, str(error.params["key"]), trusted)
        if handover is None:
            raise
        manifest = ReleaseManifest.read(content, signature=signature, keys=[PublicKey.parse(handover[0])])
    if manifest.community != community:
        raise TrustError("release_other_community", here=community, told=manifest.community)
    return Found(manifest, handover)


def protocol_of(source: Source) -> int:
    """The newest protocol that the server at the other end speaks; 0 where there is none, or it does not say."""
    return source.api.protocol() if isinstance(source, OfServer) else 0


def vouched(key_file: str, *, signature: str, keys: Iterable[PublicKey]) -> PublicKey:
    """The key of a file that one of the trusted keys has signed. Raises TrustError."""
    verify(key_file.encode(), signature=signature, keys=keys)
    return PublicKey.parse(key_file)


def fetch(
    source: Source,
    file: ReleaseFile,
    folder: Path,
    *,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[int], None] = lambda have: None,
) -> Path | None:
    """Bring one file of a checked release into a folder; None when ``stop`` says so, and the rest comes another time.

    ``tell`` hears how many bytes are here. Raises TrustError release_incomplete (not all of it is offered yet),
    release_changed (it is not what was signed, and what came is gone), release_no_room; what the source raises.
    """
    whole, part = folder / file.name, folder / f"{file.name}.part"
    if whole.exists() and _is_as_signed(whole, file):
        return whole
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as stream:
            if stream.tell() > file.size:
                stream.truncate(0)
                stream.seek(0)
            while stream.tell() < file.size:
                if stop():
                    return None
                data = _next(source, file, offset=stream.tell())
                stream.write(data[: file.size - stream.tell()])
                stream.flush()
                tell(stream.tell())
        if not _is_as_signed(part, file):
            part.unlink()
            raise TrustError("release_changed", name=file.name)
        move_over(part, whole)  # a virus scanner looks at it just then
    except OSError as error:
        raise TrustError("release_no_room") from error
    return whole


def _next(source: Source, file: ReleaseFile, *, offset: int) -> bytes:
    try:
        data = source.piece(file.name, offset=offset)
    except LookupError:
        data = b""
    if not data:
        raise TrustError("release_incomplete", name=file.name)
    return data


def _small(source: Source, name: str, *, most: int) -> bytes:
    content = b""
    while (data := source.piece(name, offset=len(content))) and len(content) <= most:
        content += data
    return content[: most + 1]  # one too many is refused by whoever reads it


def _signature(source: Source, name: str) -> str:
    try:
        return _small(source, f"{name}{SUFFIX}", most=_MOST_SMALL).decode("utf-8", "replace")
    except LookupError:
        raise TrustError("release_incomplete", name=f"{name}{SUFFIX}") from None


def _handover(source: Source, name: str, trusted: tuple[PublicKey, ...]) -> tuple[str, str] | None:
    try:
        text = _small(source, f"{name}.pub", most=_MOST_SMALL).decode("utf-8", "replace")
        signature = _signature(source, f"{name}.pub")
        vouched(text, signature=signature, keys=trusted)
    except (LookupError, TrustError):
        return None  # then it stays what it was: signed by somebody unknown
    return text, signature


def _is_as_signed(path: Path, file: ReleaseFile) -> bool:
    if path.stat().st_size != file.size:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
