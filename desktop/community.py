"""Which community this program serves: the preset that is to be used, those that were refused and why, and the highest
number seen of each.

A valid preset is kept in the data folder. So a program whose own one was damaged, or that was installed without one,
still knows whose data it has and where its server is.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import msgspec

from desktop.paths import OLDER, Paths, Places, resources
from desktop.preset import SUFFIX, Preset, read_preset
from desktop.vault import Vault
from sync.errors import TrustError
from sync.keys.manifests import COMMUNITY_ID
from sync.keys.minisign import PublicKey, trusted_keys
from sync.moving import move_over

KEPT: Final = f"community{SUFFIX}"
_OF_A_NEWER_PROGRAM: Final = frozenset({"signature_unknown_key", "manifest_newer"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A preset that was not used, and why."""

    place: Path
    error: TrustError


@dataclass(frozen=True, slots=True)
class Found:
    """What this program serves. ``community_id`` names the folders, '' for a program that belongs to no community."""

    community_id: str = ""
    preset: Preset | None = None
    refused: tuple[Refusal, ...] = ()


NOTHING: Final = Found()


class _Memory(msgspec.Struct, frozen=True, kw_only=True):
    """``installs``: the community by the folder of the program; ``seen``: the highest number by the community.

    ``unnamed`` is the community whose data lie in the folders without an id, for they were there before its file was.
    """

    installs: dict[str, str] = {}
    seen: dict[str, int] = {}
    unnamed: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """Where presets are looked for. ``given`` comes from the command line, ``home`` holds everything of a trial."""

    places: Places
    keys: tuple[PublicKey, ...]
    given: Path | None = None
    home: Path | None = None
    trouble: tuple[Refusal, ...] = ()  # with the keys themselves

    @classmethod
    def of_this_program(cls, *, given: Path | None = None, home: Path | None = None, keys: Path | None = None) -> Self:
        """The search of an ordinary start, with the keys that came with the program."""
        folder = keys or resources() / "keys"
        trusted: tuple[PublicKey, ...] = ()
        trouble: tuple[Refusal, ...] = ()
        try:
            trusted = trusted_keys(folder)
        except TrustError as error:
            trouble = (Refusal(folder, error),)
        return cls(Places.of_this_program(), trusted, given, home, trouble)

    def paths(self, community_id: str) -> Paths:
        """The folders of a community; of none in particular for ''."""
        if self.home is not None:
            return Paths.for_home(self.home)
        return self.places.of("" if community_id == self._recall().unnamed else community_id)

    @property
    def earlier(self) -> Path | None:
        """The data folder of records that were here before any community file, and belong to none yet."""
        folder = self.places.of("").data
        is_free = self.home is None and not self._recall().unnamed
        return folder if is_free and Vault(folder).is_set_up else None

    def adopt(self, preset: Preset) -> None:
        """The earlier records are this community's, a person said: they stay where they are, and it goes on with them.

        Raises TrustError ``preset_unkept``.
        """
        try:
            self._write(msgspec.structs.replace(self._recall(), unnamed=preset.id))
            self._remember(preset, self._recall(), is_of_install=True)
        except OSError as error:
            raise TrustError("preset_unkept") from error

    def run(self) -> Found:
        """Look everywhere; what is used is remembered and kept. Problems are told in ``refused``, never raised.

        The first place that has a preset says which community it is; among the presets of that community the newest
        one counts, wherever it lies.
        """
        memory, refused = self._recall(), list(self.trouble)
        own = [self.places.install_preset] if self.given is None else [self.given, self.places.install_preset]
        found = self._read_all(own, refused)
        folder_id = memory.installs.get(str(self.places.install), "")
        if found:
            folder_id = found[0].id
        elif not COMMUNITY_ID.fullmatch(folder_id):
            folder_id = self._only_one_dropped(refused)
        spoilt: list[Refusal] = []  # of what was kept: told only where nothing else says what it said
        here = self._read_all([self.paths(folder_id).data / KEPT], spoilt) if folder_id or self.home else []
        community_id = here[0].id if here else folder_id  # what the folder holds says whose it is
        if not community_id:
            return Found(refused=(*refused, *spoilt))
        found += self._read_all(self.places.dropped(community_id), refused)
        seen = 0 if self._is_left_behind(spoilt) else memory.seen.get(community_id, 0)
        chosen = self._choose(folder_id or community_id, community_id, found + here, refused, memory, seen=seen)
        return chosen if chosen.preset is not None else replace(chosen, refused=(*chosen.refused, *spoilt))

    def take(self, path: Path, *, community_id: str) -> Preset:
        """A person chose this file: keep it for the next start, and remember that this program serves its community.

        ``community_id`` is whom this PC serves already ('' for nobody). Raises TrustError: what ``read_preset`` raises,
        preset_other_community, preset_older, preset_unkept.
        """
        preset = read_preset(path, keys=self.keys)
        memory = self._recall()
        kept = self.paths(preset.id).data / KEPT
        here = community_id or self._kept_id(kept)
        if here and here != preset.id:
            raise TrustError("preset_other_community", name=preset.community.name, id=preset.id, here=here)
        if preset.sequence < memory.seen.get(preset.id, 0):
            raise TrustError("preset_older", number=preset.sequence, seen=memory.seen[preset.id])
        try:
            self._remember(preset, memory, is_of_install=True)
        except OSError as error:
            raise TrustError("preset_unkept") from error
        return preset

    # ------------------------------------------------------------------------------------------- inside

    def _is_left_behind(self, spoilt: list[Refusal]) -> bool:
        """Whether this is the version before one that did not open, and that one has kept what only it can read.

        Its number counts for nothing then: the older version goes on with what it came with.
        """
        codes = {refusal.error.code for refusal in spoilt}
        name = self.places.install.name
        return (name == OLDER or name.endswith(f".{OLDER}")) and bool(codes & _OF_A_NEWER_PROGRAM)

    def _choose(
        self,
        folder_id: str,
        community_id: str,
        found: list[Preset],
        refused: list[Refusal],
        memory: _Memory,
        *,
        seen: int,
    ) -> Found:
        ours = []
        for preset in found:
            if preset.id == community_id:
                ours.append(preset)
            else:
                told = {"name": preset.community.name, "id": preset.id, "here": community_id}
                refused.append(Refusal(preset.place, TrustError("preset_other_community", **told)))
        best = max(ours, key=lambda preset: preset.sequence, default=None)  # of equals the first
        if best is not None and best.sequence < seen:
            refused.append(Refusal(best.place, TrustError("preset_older", number=best.sequence, seen=seen)))
            best = None
        if best is not None and best.sequence >= memory.seen.get(community_id, 0):
            try:
                self._remember(best, memory, is_of_install=best.place != self.given)
            except OSError:
                pass  # without room on the disk it is used all the same, and kept the next time
        return Found(folder_id, best, tuple(refused))

    def _read_all(self, places: Iterable[Path], refused: list[Refusal]) -> list[Preset]:
        """The valid ones among those that are there, in their order."""
        found = []
        for place in places:
            if place == self.given or _holds_something(place):
                try:
                    found.append(read_preset(place, keys=self.keys))
                except TrustError as error:
                    refused.append(Refusal(place, error))
        return found

    def _kept_id(self, kept: Path) -> str:
        return next((preset.id for preset in self._read_all([kept], [])), "")

    def _only_one_dropped(self, refused: list[Refusal]) -> str:
        """The community of the presets that an administrator put on this PC, when they are all of one."""
        found = {preset.id for preset in self._read_all(self.places.all_dropped(), refused)}
        return found.pop() if len(found) == 1 else ""

    @property
    def _memory_file(self) -> Path:
        paths = Paths.for_home(self.home) if self.home is not None else self.places.of("")
        return paths.config / "communities.json"

    def _recall(self) -> _Memory:
        try:
            return msgspec.json.decode(self._memory_file.read_bytes(), type=_Memory)
        except (OSError, msgspec.DecodeError):
            return _Memory()

    def _remember(self, preset: Preset, memory: _Memory, *, is_of_install: bool) -> None:
        kept = self.paths(preset.id).data / KEPT
        if not kept.exists() or preset.sequence > memory.seen.get(preset.id, 0) or self._kept_id(kept) != preset.id:
            preset.keep(kept)
        now = _Memory(
            unnamed=memory.unnamed,
            installs={**memory.installs, **({str(self.places.install): preset.id} if is_of_install else {})},
            seen={**memory.seen, preset.id: max(preset.sequence, memory.seen.get(preset.id, 0))},
        )
        if now != memory:
            self._write(now)

    def _write(self, memory: _Memory) -> None:
        self._memory_file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._memory_file.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(memory))
            file.flush()
            os.fsync(file.fileno())
        move_over(fresh, self._memory_file)


def _holds_something(place: Path) -> bool:
    """A program for any community comes with an empty folder. What may not be looked at is told when it is read."""
    try:
        return any(place.iterdir()) if place.is_dir() else place.exists()
    except OSError:
        return True
