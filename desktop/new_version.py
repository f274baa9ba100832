"""The first opening of a new version: the records are copied before it, and put back when it did not open.

No Qt here. The older version lies beside the new one until then; ``packaging/boot.py`` starts it when need be.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import Final

import msgspec

from desktop.paths import OLDER, Paths
from desktop.updating import Installed, Memory, Version, memory_file
from sync.moving import move_over

_RECORDS: Final = ("station.db", "station.db-wal", "station.db-shm", "keyslots.json", "profile.json")


def before_opening(paths: Paths, installed: Installed | None) -> None:
    """To be called with the data folder held and the database closed.

    A version that opens for the first time finds a copy of the records made; the older one, started because it did not,
    puts that copy back and remembers why it is running. A disk without room costs the copy only.
    """
    if installed is None:
        return
    memory = before = Memory.load(memory_file(paths))
    # Whoever runs from where the older version lies does so because the new one beside it did not open.
    failed = Installed.at(installed.place) if installed.place != installed.root else None
    try:
        if failed is not None and failed.sequence > installed.sequence:
            if memory.opened < failed.sequence:
                _put_back(paths, failed)
            told = Version(failed.version, failed.sequence)
            memory = msgspec.structs.replace(memory, failed=told, installing=None, ran=installed.sequence)
        elif memory.ran != installed.sequence:
            _copy(paths, installed)
            memory = msgspec.structs.replace(memory, ran=installed.sequence)
        if memory.installing is not None and memory.installing.sequence <= installed.sequence:
            memory = msgspec.structs.replace(memory, installing=None)
        if memory != before:
            memory.save(memory_file(paths))
    except OSError:
        pass  # there are the daily copies as well


def has_opened(paths: Paths, installed: Installed | None) -> None:
    """The records are open and a page stands: the older version and the copy made before are not needed any more."""
    if installed is None:
        return
    memory = Memory.load(memory_file(paths))
    if memory.opened != installed.sequence or memory.failed is not None:
        is_past = memory.failed is not None and memory.failed.sequence <= installed.sequence
        failed = None if is_past else memory.failed
        try:
            msgspec.structs.replace(memory, opened=installed.sequence, failed=failed).save(memory_file(paths))
        except OSError:
            return
    shutil.rmtree(_copies(paths), ignore_errors=True)
    for place in previous_of(installed):
        if (place / "app").is_dir():
            shutil.rmtree(place, ignore_errors=True)
            _drop_shortcut(installed)


def previous_of(installed: Installed) -> tuple[Path, ...]:
    """Where the older version may lie."""
    return installed.root / OLDER, installed.root.with_name(f"{installed.root.name}.{OLDER}")


def _copies(paths: Paths) -> Path:
    return paths.data / "before-update"


def _copy(paths: Paths, installed: Installed) -> None:
    copies = _copies(paths)
    there = [paths.data / name for name in _RECORDS if (paths.data / name).exists()]
    if there and not (copies / str(installed.sequence)).exists():
        fresh = copies.with_name(f"{copies.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            (fresh / str(installed.sequence)).mkdir(parents=True)
            for path in there:
                _copied(path, fresh / str(installed.sequence) / path.name)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        shutil.rmtree(copies, ignore_errors=True)
        move_over(fresh, copies)


def _put_back(paths: Paths, failed: Installed) -> None:
    """Only what the version that did not open has changed; its files stay aside.

    A disk without room changes nothing, and what a power cut leaves half done is done again at the next start.
    """
    kept = _copies(paths) / str(failed.sequence)
    if not kept.is_dir():
        return
    changed = [name for name in _RECORDS if _digest(kept / name) != _digest(paths.data / name)]
    if changed:
        back, aside = paths.data / "before-update.back", paths.data / "aside" / f"not-opened-{failed.sequence}"
        shutil.rmtree(back, ignore_errors=True)
        back.mkdir()
        aside.mkdir(parents=True, exist_ok=True)
        try:
            for name in changed:
                if (kept / name).exists():
                    _copied(kept / name, back / name)
        except OSError:
            shutil.rmtree(back, ignore_errors=True)
            raise
        for name in changed:
            if (paths.data / name).exists():
                move_over(paths.data / name, aside / name)
            if (back / name).exists():
                move_over(back / name, paths.data / name)
        shutil.rmtree(back)
    shutil.rmtree(_copies(paths))


def _copied(path: Path, to: Path) -> None:
    """Its bytes are on the disk when this returns: a copy that a power cut empties is none."""
    shutil.copy2(path, to)
    with to.open("rb+") as file:
        os.fsync(file.fileno())


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _drop_shortcut(installed: Installed) -> None:
    """The entry of the older version in the menu of Windows."""
    if sys.platform == "win32":
        menu = Path(os.environ.get("APPDATA", "")) / "Microsoft" / "Windows" / "Start Menu" / "Programs"
        target = str(installed.root / OLDER).encode("utf-16-le").lower()
        for link in menu.glob("*.lnk"):
            try:
                if target in link.read_bytes().lower():
                    link.unlink()
            except OSError:
                continue
