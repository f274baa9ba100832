"""What goes into the Windows installer, fetched once a run: the official Python."""

import tempfile
from functools import cache
from pathlib import Path

import fetch_runtime_windows

_FOLDER = tempfile.TemporaryDirectory(prefix="qiaomen-windows-")  # as long as the run


@cache
def runtime_zip() -> Path:
    """The registry's copy of the embeddable Python, checked, as a zip that stays until the run ends."""
    out = Path(_FOLDER.name) / "runtime-windows-amd64.zip"
    fetch_runtime_windows.fetch(out=out)
    return out
