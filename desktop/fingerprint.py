"""Which PC, which folder and which file: what tells a copy of the database from the database itself.

A copy that went on under the name of the other would give two pieces of work one clock. So the file remembers where it
lives, and takes a new name before its first write when it finds itself elsewhere.
"""

import socket
import sys
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

_UNREADABLE = "-"
_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def fingerprint_of(database: Path, *, machine_id: Callable[[], str] | None = None) -> str:
    """Four parts joined by points: the system's own id, the PC's name, the folder, and the file on its disk.

    A part that cannot be read is ``-`` and says nothing. None of them changes with the program, the clock, the network
    or the person who works here.
    """
    parts = ((machine_id or _machine_id)(), socket.gethostname(), str(database.resolve()), _file_id(database))
    return ".".join(blake2b(part.encode(), digest_size=8).hexdigest() if part else _UNREADABLE for part in parts)


def _machine_id() -> str:
    if sys.platform == "win32":  # pragma: no cover
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key:
                return str(winreg.QueryValueEx(key, "MachineGuid")[0])
        except OSError:
            return ""
    return read_first(_MACHINE_IDS)


def read_first(files: tuple[Path, ...]) -> str:
    """The text of the first of these files that can be read and says something; '' without one."""
    for file in files:
        try:
            if text := file.read_text("ascii").strip():
                return text
        except (OSError, UnicodeDecodeError):
            continue
    return ""


def _file_id(file: Path) -> str:
    """The file's number on its disk; on Windows with the disk's serial and the moment the file was made."""
    try:
        found = file.stat()
    except OSError:
        return ""
    if sys.platform == "win32":  # pragma: no cover
        return f"{found.st_dev}:{found.st_ino}:{found.st_ctime_ns}"
    return str(found.st_ino) if found.st_ino else ""
