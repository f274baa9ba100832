"""What is signed: the list of a preset's files and the list of a release's files, each with a number that only grows.

There is no day on which they end: a PC without a line, or with a wrong clock, must not lock itself out.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Final, Self, TypeVar

import msgspec

from sync.errors import TrustError
from sync.keys.minisign import PublicKey, verify

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
MAX_MANIFEST_BYTES: Final = 256 * 1024
COMMUNITY_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])", re.ASCII)

Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
FileName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")]  # no folders, nothing hidden
Sequence = Annotated[int, msgspec.Meta(ge=1, lt=1 << 53)]


class _Heading(msgspec.Struct, frozen=True):
    format: int


class PresetManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a preset with their SHA-256; ``issued_at`` in ms since 1970, to show and not to judge by."""

    format: int = FORMAT
    community: str
    issued_at: int
    sequence: Sequence
    files: dict[FileName, Sha256]

    @classmethod
    def read(cls, content: bytes, *, signature: str, keys: Iterable[PublicKey]) -> Self:
        """The manifest, once its signature has been checked.

        Raises TrustError: those of a signature, manifest_unreadable, manifest_newer.
        """
        return _read(content, signature=signature, keys=keys, type=cls)

    @property
    def content(self) -> bytes:
        """The bytes to sign."""
        return _content(self)


class ReleaseFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a release: ``size`` in bytes."""

    name: FileName
    size: Annotated[int, msgspec.Meta(ge=1)]
    sha256: Sha256


class ReleaseManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a community's PCs may install: one file for each way of installing, and the preset that goes with it.

    ``files`` has a file for ``windows-amd64``, ``linux-amd64-deb``, ``linux-amd64-run`` and so on. ``protocol`` is the
    oldest protocol that the server must speak, ``database`` the newest form of the file that it can read. ``notes`` say
    in a few words what is new.
    """

    format: int = FORMAT
    community: str
    issued_at: int
    sequence: Sequence
    version: Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,4}(\.[0-9]{1,4}){1,3}([a-z0-9.+~-]{0,16})\Z")]
    protocol: int
    database: int
    files: dict[str, ReleaseFile]
    preset: ReleaseFile | None = None
    preset_sequence: int = 0
    notes: str = ""

    @classmethod
    def read(cls, content: bytes, *, signature: str, keys: Iterable[PublicKey]) -> Self:
        """The manifest, once its signature has been checked; errors as those of ``PresetManifest.read``."""
        return _read(content, signature=signature, keys=keys, type=cls)

    @property
    def content(self) -> bytes:
        """The bytes to sign."""
        return _content(self)


_T = TypeVar("_T", bound=PresetManifest | ReleaseManifest)


def _read(content: bytes, *, signature: str, keys: Iterable[PublicKey], type: type[_T]) -> _T:
    if len(content) > MAX_MANIFEST_BYTES:
        raise TrustError("manifest_unreadable")
    verify(content, signature=signature, keys=keys)
    try:
        if (found := msgspec.json.decode(content, type=_Heading).format) != FORMAT:
            raise TrustError("manifest_newer", format=found)
        manifest = msgspec.json.decode(content, type=type)
    except msgspec.DecodeError as error:
        raise TrustError("manifest_unreadable") from error
    if not COMMUNITY_ID.fullmatch(manifest.community):
        raise TrustError("manifest_unreadable")
    return manifest


def _content(manifest: PresetManifest | ReleaseManifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
