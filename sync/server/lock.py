"""One server a data folder: a lock file that the system frees when the process ends, however it ends."""

import os
import sys
from pathlib import Path
from typing import BinaryIO

from sync.errors import StoreError


class FolderLock:
    """Holds ``server.lock`` in a data folder; StoreError('in_use', pid=…) when another process holds it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "server.lock"
        self._file: BinaryIO = path.open("a+b")
        try:
            _lock(self._file)
        except OSError as error:
            self.release()
            raise StoreError("in_use", pid=_owner(path)) from error
        # The number is for people; it stands behind the byte that is locked, where Windows lets others read it.
        self._file.truncate(0)
        self._file.write(b"\0" + str(os.getpid()).encode())
        self._file.flush()

    def release(self) -> None:
        """Let another process have the folder."""
        self._file.close()


def _owner(path: Path) -> int:
    with path.open("rb") as file:
        file.seek(1)
        digits = file.read()
    return int(digits) if digits.isdigit() else 0


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def hold(file: BinaryIO) -> None:
        """Wait until nobody else holds this open file; it is let go when the file is closed."""
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def hold(file: BinaryIO) -> None:
        """Wait until nobody else holds this open file; it is let go when the file is closed."""
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
