"""Ways out when files of this PC are damaged: a daily copy, the key file of a copy, a fresh start. Nothing is deleted.

Everything here reads and writes files and belongs to the net lane; nobody may have the database open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.vault import Vault
from sync.errors import KeysError, StoreError
from sync.keys.slot_file import read_slots, write_owner_only
from sync.moving import move_over

if TYPE_CHECKING:
    from sync.store.backup import Copy

FILE_CODES = frozenset({"damaged", "missing"})  # of StoreError: a daily copy helps
KEY_CODES = frozenset({"keys_damaged", "keys_missing", "keys_unreadable"})  # of KeysError: a copy's key file helps


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be done: ``days`` of the copies whose records can be opened, newest first, or of the key file."""

    error: StoreError | KeysError
    days: tuple[str, ...]

    @property
    def is_for_keys(self) -> bool:
        """Whether the key file is what is broken."""
        return isinstance(self.error, KeysError)


@dataclass(frozen=True, slots=True)
class Rescue:
    """The vault, and the folder of its daily copies."""

    vault: Vault
    backups: Path

    @property
    def has_copies(self) -> bool:
        """Whether anything is there to come back to."""
        return bool(_copies(self.backups))

    def offer(self, error: BaseException) -> Offer | None:
        """What helps against an error of unlocking; None when it is of another sort."""
        if isinstance(error, StoreError) and error.code in FILE_CODES:
            return Offer(error, tuple(copy.day for copy in _copies(self.backups)))
        if isinstance(error, KeysError) and error.code in KEY_CODES:
            return Offer(error, tuple(copy.day for copy in self._with_keys()))
        return None

    def open_copy(self, day: str, key: bytes) -> None:
        """Put the records of that day in the file's place; the damaged file stays beside it under another name.

        What was never sent is carried over from the damaged file, as far as it can be read.
        Raises StoreError: damaged (the copy too; nothing has changed then), missing, disk_full.
        """
        from sync.store import backup, salvage

        copy = next((copy for copy in _copies(self.backups) if copy.day == day), None)
        if copy is None:
            raise StoreError("missing")
        try:
            broken = backup.restore(copy.file, key, self.vault.database)
        except OSError as error:
            raise StoreError("disk_full") from error
        if broken is not None:
            salvage.take_unsent(broken, key, self.vault.database)

    def take_keys(self, day: str) -> None:
        """Put the key file of that day's copy in place; the damaged one stays beside it. PINs are those of that day.

        Raises KeysError: keys_missing, keys_unwritable.
        """
        found = next((copy for copy in self._with_keys() if copy.day == day), None)
        if found is None:
            raise KeysError("keys_missing")
        slots_file = self.vault.slots_file
        content = (found.folder / slots_file.name).read_bytes()
        try:
            if slots_file.exists():
                slots_file.replace(_free_name(slots_file, "broken"))
        except OSError as error:
            raise KeysError("keys_unwritable") from error
        write_owner_only(slots_file, content=content)

    def start_over(self) -> Path:
        """Move everything of this PC's database into a folder of its own, so that the PC can be set up anew.

        Returns the folder. Raises StoreError('read_only') when the files cannot be moved.
        """
        folder = self.vault.folder
        aside = _free_name(folder / "aside", "kept")
        names = ("station.db*", "keyslots.json*", "profile.json*", self.backups.name)
        try:
            aside.mkdir(parents=True)
            for name in names:
                for path in list(folder.glob(name)):
                    move_over(path, aside / path.name)
            self.backups.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError("read_only") from error
        return aside

    def _with_keys(self) -> Iterator[Copy]:
        for copy in _copies(self.backups):
            try:
                read_slots(copy.folder / self.vault.slots_file.name)
            except KeysError:
                continue
            yield copy


def _copies(folder: Path) -> tuple[Copy, ...]:
    from sync.store import backup  # the store is not wanted before somebody unlocks

    return tuple(backup.copies(folder))


def _free_name(path: Path, word: str) -> Path:
    names = (path.with_name(f"{path.name}.{word}-{number}") for number in range(1, 10_000))
    return next(name for name in names if not name.exists())
