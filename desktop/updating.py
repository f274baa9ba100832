"""A new version of the program, or of what the community issued: found, fetched, checked, and given to its installer.

No Qt here; all of it reads and writes files and belongs to the net lane. Nothing is installed unless a person says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import msgspec

from desktop.paths import OLDER, Paths
from sync.errors import TrustError
from sync.keys.manifests import ReleaseFile, ReleaseManifest
from sync.keys.minisign import PublicKey
from sync.moving import move_over

if TYPE_CHECKING:
    from sync.client.releases import Source

_ROOM_TO_INSTALL: Final = 320 * 1024 * 1024  # bytes: the old version and the new one lie side by side for a while
_DETACHED: Final = 0x00000208  # Windows: DETACHED_PROCESS and CREATE_NEW_PROCESS_GROUP


@dataclass(frozen=True, slots=True)
class Installed:
    """The program as it was installed. ``way`` names the file of a release by which it is renewed."""

    root: Path
    version: str
    sequence: int
    platform: str

    @classmethod
    def at(cls, root: Path) -> Self | None:
        """What ``RELEASE.toml`` says; None for a checkout, which nothing renews."""
        try:
            told = tomllib.loads((root / "RELEASE.toml").read_text(encoding="utf-8"))
            return cls(root, str(told["version"]), int(told["sequence"]), str(told["platform"]))
        except (OSError, tomllib.TOMLDecodeError, KeyError, ValueError):
            return None

    @property
    def place(self) -> Path:
        """Where it belongs: not the folder in which an older version waits until the new one has opened."""
        if self.root.name == OLDER:
            return self.root.parent
        return self.root.with_name(self.root.name.removesuffix(f".{OLDER}"))

    @property
    def way(self) -> str:
        """E.g. ``windows-amd64``, ``linux-amd64-deb`` (an administrator installed it), ``linux-amd64-run``."""
        if not self.platform.startswith("linux"):
            return self.platform
        # Only a .run brings one; who may write there says nothing, for some offices work as root.
        return f"{self.platform}-{'run' if (self.place / 'uninstall.sh').exists() else 'deb'}"

    @property
    def comes_back(self) -> bool:
        """Whether its installer starts it again; the system's own one does not."""
        return not self.way.endswith("-deb")


class Version(msgspec.Struct, frozen=True):
    """A version by name and number."""

    name: str
    sequence: int


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of versions: the one that ran last, the one that opened last, the highest number seen, what is
    being installed, what did not open, and the keys that trusted ones vouched for with their signatures."""

    ran: int = 0
    opened: int = 0
    seen: int = 0
    installing: Version | None = None
    failed: Version | None = None
    handovers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read it; a missing or damaged file is as if nothing were remembered."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError):
            return cls()

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(self))
            file.flush()
            os.fsync(file.fileno())
        move_over(fresh, path)


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be had: a version of the program, or (``is_program`` False) what the community issued anew."""

    manifest: ReleaseManifest
    file: ReleaseFile
    is_program: bool
    has_failed: bool = False  # it was installed here once and did not open

    @property
    def version(self) -> Version:
        """The version of the program."""
        return Version(self.manifest.version, self.manifest.sequence)


@dataclass(frozen=True, slots=True)
class Updating:
    """What is installed here, for whom, and what it trusts. ``preset`` is the number of the preset in use."""

    installed: Installed
    paths: Paths
    keys: tuple[PublicKey, ...]
    community: str
    preset: int

    @property
    def memory_file(self) -> Path:
        """What is remembered between starts."""
        return memory_file(self.paths)

    @property
    def folder(self) -> Path:
        """Where files of releases are gathered."""
        return self.paths.data / "updates"

    @property
    def log_file(self) -> Path:
        """What the installer said, where it says something."""
        return self.folder / "install.log"

    def look(self, source: Source) -> Offer | None:
        """What is newer than what is here; None when all is as it is offered.

        Raises TrustError: what ``releases.look`` raises, release_older (``told``, ``here``), release_not_for_pc,
        release_older_data, release_needs_server; Offline, Refused, ServerTrouble.
        """
        from sync.client import releases
        from sync.store.schema import SCHEMA

        memory = Memory.load(self.memory_file)
        found = releases.look(source, keys=self.trusted(memory), community=self.community)
        if found is None:
            return None
        manifest = found.manifest
        here = max(self.installed.sequence, memory.seen)
        if manifest.sequence < here:
            raise TrustError("release_older", told=manifest.sequence, here=here)
        handovers = memory.handovers
        if found.handover is not None and found.handover not in handovers:
            handovers = (*handovers, found.handover)
        self._remember(msgspec.structs.replace(memory, seen=manifest.sequence, handovers=handovers))
        if manifest.sequence > self.installed.sequence:
            file = manifest.files.get(self.installed.way)
            if file is None:
                raise TrustError("release_not_for_pc", way=self.installed.way, version=manifest.version)
            if manifest.database < SCHEMA:
                raise TrustError("release_older_data", version=manifest.version)
            if manifest.protocol > (served := releases.protocol_of(source)) > 0:
                raise TrustError("release_needs_server", version=manifest.version, served=served)
            has_failed = memory.failed is not None and memory.failed.sequence == manifest.sequence
            return Offer(manifest, file, is_program=True, has_failed=has_failed)
        if manifest.preset is not None and manifest.preset_sequence > self.preset:
            return Offer(manifest, manifest.preset, is_program=False)
        return None

    def fetch(
        self,
        offer: Offer,
        source: Source,
        *,
        stop: Callable[[], bool] = lambda: False,
        tell: Callable[[int], None] = lambda have: None,
    ) -> Path | None:
        """Bring the file of an offer here, checked; None when ``stop`` says so. What is left of others is removed.

        Raises TrustError (release_no_room and those of ``releases.fetch``), and what the source raises.
        """
        from sync.client import releases

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for other in self.folder.iterdir():
                if other.name not in (offer.file.name, f"{offer.file.name}.part"):
                    other.unlink()
            have = sum(path.stat().st_size for path in self.folder.iterdir())
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise TrustError("release_no_room") from error
        if free < offer.file.size - have + (_ROOM_TO_INSTALL if offer.is_program else 0):
            raise TrustError("release_no_room")
        return releases.fetch(source, offer.file, self.folder, stop=stop, tell=tell)

    def install(self, offer: Offer) -> subprocess.Popen[bytes]:
        """Hand the fetched file to its installer, which waits for this program to end; whoever calls ends it.

        The file is checked once more. Raises TrustError: release_changed, release_incomplete, release_unstarted.
        """
        from sync.client import releases

        package = releases.fetch(releases.OfFolder(self.folder), offer.file, self.folder)
        assert package is not None  # nobody stops it
        memory = Memory.load(self.memory_file)
        self._remember(msgspec.structs.replace(memory, installing=offer.version))
        try:
            with self.log_file.open("wb") as log:
                return subprocess.Popen(
                    self.command(package),
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    creationflags=_DETACHED if sys.platform == "win32" else 0,
                )
        except OSError as error:
            raise TrustError("release_unstarted") from error

    def command(self, package: Path) -> tuple[str, ...]:
        """How a package is installed on this PC."""
        match package.suffix:
            case ".exe":
                return str(package), "/S", "/WAIT", "/START"
            case ".run":
                return "sh", str(package), "--update", "--dir", str(self.installed.place)
            case _:  # the system's own installer asks for the administrator
                return "xdg-open", str(package)

    def trusted(self, memory: Memory) -> tuple[PublicKey, ...]:
        """The keys that came with the program, and those that they vouch for, one after the other."""
        from sync.client.releases import vouched

        keys = self.keys
        for text, signature in memory.handovers:
            try:
                keys = (*keys, vouched(text, signature=signature, keys=keys))
            except TrustError:
                continue  # a newer program trusts whoever vouched for it no more
        return keys

    def _remember(self, memory: Memory) -> None:
        try:
            memory.save(self.memory_file)
        except OSError as error:
            raise TrustError("release_no_room") from error


def memory_file(paths: Paths) -> Path:
    """Where a community's program remembers versions."""
    return paths.config / "updates.json"
