"""Encrypted copies of the file: one a day, seven kept, each verified; and the way back."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sync.errors import StoreError
from sync.moving import move_over
from sync.store.database import check_integrity, converted, open_database

KEPT = 7
_FILE = "data.db"
_SIDE_FILES = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy: a folder with the encrypted file and, beside it, the key slots that open it."""

    day: str
    folder: Path

    @property
    def file(self) -> Path:
        """The encrypted file itself."""
        return self.folder / _FILE


def copies(folder: Path) -> tuple[Copy, ...]:
    """The copies in a folder, newest first; half-made ones do not count."""
    found = (path for path in folder.glob("????-??-??") if (path / _FILE).is_file())
    return tuple(Copy(path.name, path) for path in sorted(found, reverse=True))


def make_daily(
    path: Path, key: bytes, folder: Path, *, day: str, beside: Iterable[Path] = (), keep: int = KEPT
) -> Copy | None:
    """Copy the file as of ``day`` unless that is done, with the files that belong beside it; forget all but the last 7.

    Works beside a store that is open and written to. The copy has the same key. None when the day's copy is there.
    Raises StoreError: disk_full, damaged (the copy does not pass its check and is thrown away), wrong_key, missing.
    """
    target = folder / day
    if (target / _FILE).is_file():
        return None
    half = folder / f".{day}.half"
    shutil.rmtree(half, ignore_errors=True)
    try:
        half.mkdir(parents=True)
        write_copy(path, key, half / _FILE)
        for extra in beside:
            shutil.copy2(extra, half / extra.name)
        shutil.rmtree(target, ignore_errors=True)
        move_over(half, target)
    except OSError as error:
        raise StoreError("disk_full", folder=folder.name) from error
    finally:
        shutil.rmtree(half, ignore_errors=True)
    for old in copies(folder)[keep:]:
        shutil.rmtree(old.folder, ignore_errors=True)
    return Copy(day, target)


def write_copy(path: Path, key: bytes, target: Path) -> None:
    """One consistent copy under the same key, read again page by page, in place of an earlier one.

    Raises StoreError: damaged (the copy does not hold), disk_full; the earlier one is then still there.
    """
    begun = target.with_name(f"{target.name}.half")
    begun.unlink(missing_ok=True)
    db = open_database(path, key)
    try:
        with converted(writing=True):
            db.conn.execute("VACUUM INTO ?", (str(begun),))
        if not is_sound(begun, key):
            raise StoreError("damaged")
        move_over(begun, target)
    finally:
        db.close()
        begun.unlink(missing_ok=True)


def is_sound(path: Path, key: bytes) -> bool:
    """Whether the file opens with the key and every page of it is as it was written."""
    try:
        db = open_database(path, key)
    except StoreError:
        return False
    try:
        return check_integrity(db)
    finally:
        db.close()


def restore(copy: Path, key: bytes, path: Path) -> Path | None:
    """Put a copy in the file's place; nobody may have the file open. Returns where the former file is kept, if any.

    Raises StoreError('damaged') when the copy itself is not sound, and then changes nothing.
    """
    if not is_sound(copy, key):
        raise StoreError("damaged")
    kept = None
    if path.exists():
        kept = _free_name(path)
        move_over(path, kept)
        for suffix in _SIDE_FILES:
            side = path.with_name(path.name + suffix)
            if side.exists():
                move_over(side, kept.with_name(kept.name + suffix))
    shutil.copy2(copy, path)
    open_database(path, key).close()  # back into WAL mode
    return kept


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.broken-{number}") for number in range(1, 10_000))
    return next(name for name in names if not name.exists())
