"""Files beside the data that say when the latest backup was finished."""

import time
from pathlib import Path

_MARK = "last-backup"


def mark(data: Path) -> None:
    """A backup of this data folder's server has just been finished."""
    (data / _MARK).touch()


def age_s(data: Path) -> float | None:
    """Seconds since then; None when there was none."""
    try:
        return max(0.0, time.time() - (data / _MARK).stat().st_mtime)
    except FileNotFoundError:
        return None
