"""What a community's installer brings along: its name, its server, its certificate authority, its look. Signed.

A preset is a folder or one ``.qiaomenpreset`` file (a zip of the same). Nothing of it is read before its signature has
been checked, and all of it is read once: what was checked is what is used.
"""

import hashlib
import os
import stat
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from desktop.paths import PRESET_SUFFIX
from sync.errors import TrustError
from sync.keys.manifests import COMMUNITY_ID, MANIFEST, MAX_MANIFEST_BYTES, PresetManifest
from sync.keys.minisign import SUFFIX as SIGNED
from sync.keys.minisign import PublicKey, verify
from sync.moving import move_over

SUFFIX: Final = PRESET_SUFFIX
COMMUNITY: Final = "community.toml"
BUILDINGS: Final = "buildings.json"
# Every file that a preset may have, and how many bytes it may have at most.
SIZES: Final[Mapping[str, int]] = MappingProxyType(
    {
        COMMUNITY: 64 * 1024,
        BUILDINGS: 4 * 1024 * 1024,
        "ca.pem": 64 * 1024,
        "logo.png": 1024 * 1024,
        "icon.png": 1024 * 1024,
        "icon.ico": 1024 * 1024,
    }
)
# The pages that a community may do without: what would be seen there is seen from the household and from 今日 as well.
# All others are the daily work itself, or what keeps it safe.
CAN_BE_OFF: Final = frozenset({"needs_map", "disputes"})
_SIGNATURE: Final = MANIFEST + SIGNED
_MAX_SIGNATURE: Final = 4096
_MOST_FILES: Final = 64


class Community(msgspec.Struct, frozen=True, kw_only=True):
    """``community.toml``. ``modules`` are the pages switched on, all when it is not there; keys of newer programs are
    passed over."""

    id: str
    name: Annotated[str, Meta(min_length=1, max_length=60)]
    servers: Annotated[tuple[str, ...], Meta(min_length=1, max_length=16)]
    area_code: Annotated[str, Meta(max_length=12)] = ""
    compounds: Annotated[tuple[str, ...], Meta(max_length=500)] = ()
    modules: Annotated[tuple[str, ...], Meta(max_length=64)] | None = None
    text_size: Annotated[int, Meta(ge=100, le=200)] = 100


class Building(msgspec.Struct, frozen=True, kw_only=True):
    """What a building is called in ``buildings.json``; the records of it come from the server."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    compound: str = ""


@dataclass(frozen=True, slots=True)
class Preset:
    """A checked preset. ``place`` is where it was found, ``key`` the name of the key that signed it."""

    place: Path
    community: Community
    buildings: tuple[Building, ...]
    sequence: int
    issued_at: int  # ms since 1970; to show, not to judge by
    key: str
    files: Mapping[str, bytes] = field(repr=False)  # as they were signed, manifest and signature too

    @property
    def id(self) -> str:
        """The community's id, part of the names of its folders."""
        return self.community.id

    @property
    def ca(self) -> str:
        """The certificate authority of its servers, PEM; '' when it has none of its own."""
        return self.files.get("ca.pem", b"").decode("ascii", "replace")

    @property
    def logo(self) -> bytes:
        """The picture shown beside the name; b'' without one."""
        return self.files.get("logo.png", b"") or self.icon

    @property
    def icon(self) -> bytes:
        """The picture of the window; b'' without one."""
        return self.files.get("icon.png", b"")

    @property
    def switched_off(self) -> frozenset[str]:
        """Pages that this community does without."""
        on = self.community.modules
        return frozenset() if on is None else CAN_BE_OFF - set(on)

    def keep(self, path: Path) -> None:
        """Write it as one file; a power cut leaves the former one or this one. OSError when there is no room."""
        fresh = path.with_name(path.name + ".new")
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, content in sorted(self.files.items()):
                    archive.writestr(zipfile.ZipInfo(name), content)
            file.flush()
            os.fsync(file.fileno())
        move_over(fresh, path)


def read_preset(path: Path, *, keys: Iterable[PublicKey]) -> Preset:
    """Check a folder or a file, and read it.

    Raises TrustError: those of a signature and of a manifest, preset_missing, preset_unreadable, preset_link,
    preset_stranger, preset_too_large, preset_lacks, preset_changed (each with the ``name`` of the file), preset_unfit
    (``at`` names the place in community.toml or buildings.json).
    """
    try:
        if path.is_dir():
            return _checked(path, _in_folder(path), tuple(keys))
        if not path.exists():
            raise TrustError("preset_missing", name=path.name)
        with zipfile.ZipFile(path) as archive:
            return _checked(path, _in_archive(archive), tuple(keys))
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        # RuntimeError: a zip that wants a password, or is packed in a way of its own.
        raise TrustError("preset_unreadable", name=path.name) from error


Read = Callable[[str, int], bytes]  # a file of the preset by its name, never more bytes than it may have


@dataclass(frozen=True, slots=True)
class _Contents:
    names: frozenset[str]
    read: Read


def _in_folder(folder: Path) -> _Contents:
    names = set[str]()
    with os.scandir(folder) as entries:
        for entry in entries:
            if len(names) >= _MOST_FILES:
                raise TrustError("preset_stranger", name=entry.name)
            if entry.is_symlink() or not entry.is_file(follow_symlinks=False):
                raise TrustError("preset_link", name=entry.name)
            names.add(entry.name)

    def read(name: str, most: int) -> bytes:
        with (folder / name).open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise TrustError("preset_link", name=name)
            return _bounded(name, file.read(most + 1), most)

    return _Contents(frozenset(names), read)


def _in_archive(archive: zipfile.ZipFile) -> _Contents:
    listed = archive.infolist()
    names = frozenset(info.filename for info in listed)
    if len(listed) > _MOST_FILES or len(names) != len(listed):
        raise TrustError("preset_unreadable", name=Path(str(archive.filename)).name)

    def read(name: str, most: int) -> bytes:
        with archive.open(name) as file:
            return _bounded(name, file.read(most + 1), most)

    return _Contents(names, read)


def _bounded(name: str, content: bytes, most: int) -> bytes:
    if len(content) > most:
        raise TrustError("preset_too_large", name=name)
    return content


def _checked(place: Path, contents: _Contents, keys: tuple[PublicKey, ...]) -> Preset:
    for name in (MANIFEST, _SIGNATURE):
        if name not in contents.names:
            raise TrustError("preset_lacks", name=name)
    told = contents.read(MANIFEST, MAX_MANIFEST_BYTES)
    signature = contents.read(_SIGNATURE, _MAX_SIGNATURE)
    text = signature.decode("utf-8", "replace")
    manifest = PresetManifest.read(told, signature=text, keys=keys)
    key, _ = verify(told, signature=text, keys=keys)
    wanted = manifest.files.keys() | {MANIFEST, _SIGNATURE}
    for name in sorted(contents.names ^ wanted):
        raise TrustError("preset_stranger" if name in contents.names else "preset_lacks", name=name)
    files = {MANIFEST: told, _SIGNATURE: signature}
    for name, digest in manifest.files.items():
        if name not in SIZES:
            raise TrustError("preset_stranger", name=name)
        files[name] = contents.read(name, SIZES[name])
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise TrustError("preset_changed", name=name)
    community = _community(files)
    if community.id != manifest.community:
        raise TrustError("preset_unfit", at="id")
    return Preset(
        place=place,
        community=community,
        buildings=_buildings(files),
        sequence=manifest.sequence,
        issued_at=manifest.issued_at,
        key=key.name,
        files=MappingProxyType(files),
    )


def _community(files: Mapping[str, bytes]) -> Community:
    try:
        table = tomllib.loads(files.get(COMMUNITY, b"").decode("utf-8"))
        community = msgspec.convert(table, Community)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TrustError("preset_unfit", at=COMMUNITY) from error
    except msgspec.ValidationError as error:
        raise TrustError("preset_unfit", at=str(error).rpartition("$.")[2].rstrip("`") or COMMUNITY) from error
    if not COMMUNITY_ID.fullmatch(community.id):
        raise TrustError("preset_unfit", at="id")
    if not all(map(is_address, community.servers)):
        raise TrustError("preset_unfit", at="servers")
    return community


def _buildings(files: Mapping[str, bytes]) -> tuple[Building, ...]:
    if BUILDINGS not in files:
        return ()
    try:
        return msgspec.json.decode(files[BUILDINGS], type=tuple[Building, ...])
    except msgspec.DecodeError as error:
        raise TrustError("preset_unfit", at=BUILDINGS) from error


def is_address(text: str) -> bool:
    """Whether a server can be called by it: http or https, a host, nothing else but a port and a path."""
    try:
        parts = urlsplit(text)
        has_place = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket or a port that is none
        return False
    plain = not (parts.query or parts.fragment or parts.username or any(map(str.isspace, text)))
    return parts.scheme in ("http", "https") and has_place and plain
