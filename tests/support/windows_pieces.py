"""What goes into the Windows installer, fetched once and kept where the packages are: the official Python."""

import hashlib
import os
from functools import cache
from pathlib import Path

import fetch_runtime_windows
from layout import CACHE


@cache
def runtime_zip() -> Path:
    """The registry's copy of the embeddable Python, checked, as a zip; fetched anew when its lock has changed."""
    lock = hashlib.sha256(fetch_runtime_windows.LOCK.read_bytes()).hexdigest()[:16]
    kept = CACHE / f"runtime-windows-amd64-{lock}.zip"
    if not kept.exists():
        fresh = kept.with_name(f"{kept.name}.{os.getpid()}")  # several test processes may want it at once
        fetch_runtime_windows.fetch(out=fresh)
        fresh.replace(kept)
    return kept
