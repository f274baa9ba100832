"""Where a stick is plugged in, so that the file chooser begins there."""

import sys
from pathlib import Path

from PySide6.QtCore import QStorageInfo

_PLUGGED_IN = ("/media/", "/run/media/", "/mnt/usb", "/Volumes/")
_REMOVABLE = 2


def stick_folder() -> Path | None:
    """The root of the first stick that can be written; None when none is plugged in."""
    roots = (v.rootPath() for v in QStorageInfo.mountedVolumes() if v.isReady() and not v.isReadOnly())
    return next((Path(root) for root in roots if is_stick(root)), None)


def is_stick(root: str) -> bool:
    """Whether a volume's root is that of something that was plugged in."""
    if sys.platform == "win32":
        import ctypes

        return bool(ctypes.windll.kernel32.GetDriveTypeW(root) == _REMOVABLE)
    return root.startswith(_PLUGGED_IN)
