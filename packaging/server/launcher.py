#!/usr/bin/python3 -I
"""``qiaomen-server`` as the package installs it: its own libraries, the settings of /etc, never as root."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = "/etc/qiaomen/server.toml"
USER = "qiaomen"


def become_the_server() -> None:
    """Give up root: what the commands write must belong to the server, and PostgreSQL knows it by its user."""
    import pwd

    user = pwd.getpwnam(USER)
    os.initgroups(USER, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ["HOME"] = user.pw_dir
    os.umask(0o077)
    if not os.access(".", os.R_OK | os.X_OK):
        os.chdir("/")


def start() -> int:
    """Run the program of the package on the system's Python; the exit status."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    if not (ROOT / version).is_dir():
        print(f"qiaomen-server was not packaged for this system's {version}: install a newer package.", file=sys.stderr)
        return 1
    if os.geteuid() == 0:
        become_the_server()
    os.environ.setdefault("QIAOMEN_SERVER_SETTINGS", SETTINGS)
    sys.path[:0] = [str(ROOT / part) for part in ("app", version, "any")]
    from sync.server.__main__ import main

    return main()


if __name__ == "__main__":
    sys.exit(start())
