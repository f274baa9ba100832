"""Where a stick is plugged in, so that the file chooser begins there."""

import re
import string
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from PySide6.QtCore import QStorageInfo

_PLUGGED_IN = ("/media/", "/run/media/", "/mnt/usb")
_REMOVABLE = 2
_MOUNTS = Path("/proc/self/mounts")
_ESCAPED = re.compile(r"\\([0-7]{3})")


def stick_folder() -> Path | None:
    """The root of the first stick that can be written; None when none is plugged in.

    Only sticks are asked. A shared folder on a server that has gone answers for minutes, and is none.
    """
    volumes = (QStorageInfo(root) for root in _candidates())
    return next((Path(v.rootPath()) for v in volumes if v.isValid() and v.isReady() and not v.isReadOnly()), None)


def sticks_in(mounts: Iterable[str]) -> Iterator[str]:
    """The roots of plugged-in volumes in the system's table of mounts, told by name and device alone."""
    for line in mounts:
        device, root, *_ = (_ESCAPED.sub(lambda found: chr(int(found[1], 8)), part) for part in line.split())
        if device.startswith("/dev/") and root.startswith(_PLUGGED_IN):
            yield root


def _candidates() -> Iterator[str]:
    if sys.platform == "win32":
        import ctypes

        present = ctypes.windll.kernel32.GetLogicalDrives()
        for place, letter in enumerate(string.ascii_uppercase):
            root = f"{letter}:\\"
            if present >> place & 1 and ctypes.windll.kernel32.GetDriveTypeW(root) == _REMOVABLE:
                yield root
    elif _MOUNTS.exists():
        yield from sticks_in(_MOUNTS.read_text(errors="surrogateescape").splitlines())
