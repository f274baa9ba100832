"""Renews locks/ from requirements/run.txt: for each platform the one wheel of every package, by its sha256.

Run by hand when a package changes: ``.venv/bin/python packaging/renew_locks.py``. The versions are those that were
tested, but for what versions.toml says otherwise for a platform.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fetching import sha256_of
from pins import PLATFORMS, ROOT, lock_file, platform, versions

_HEAD = "# The packages that go into the {name} tree, made by packaging/renew_locks.py from requirements/run.txt.\n"


def tested() -> dict[str, str]:
    """Package and version of everything the desktop runs on."""
    text = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+) \\$", text, re.MULTILINE))


def wanted(name: str) -> dict[str, str]:
    """What a platform gets."""
    told = versions()["platforms"][name]
    pins = tested() | told.get("instead", {}) | told.get("besides", {})
    return {package: pins[package] for package in sorted(pins) if package not in versions()["python"]["excluded"]}


def renew(name: str) -> None:
    """Fetch each wheel as the target would and write its digest down."""
    python = versions()["python"]["version"]
    # Files that lie on this machine must not decide which build of a package is locked.
    environment = {k: v for k, v in os.environ.items() if k not in {"PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"}}
    environment["PIP_CONFIG_FILE"] = os.devnull
    lines = [_HEAD.format(name=name)]
    with tempfile.TemporaryDirectory() as scratch:
        for package, version in wanted(name).items():
            folder = Path(scratch) / package
            command = [sys.executable, "-m", "pip", "--quiet", "download", "--no-deps", "--only-binary", ":all:"]
            command += ["--implementation", "cp", "--python-version", python, "--dest", str(folder)]
            for abi in (f"cp{python.replace('.', '')}", "abi3", "none"):
                command += ["--abi", abi]
            for tag in platform(name).tags:
                command += ["--platform", tag]
            subprocess.run([*command, f"{package}=={version}"], check=True, env=environment)
            (wheel,) = folder.glob("*.whl")
            lines.append(f"{package}=={version} \\\n    --hash=sha256:{sha256_of(wheel)}\n")
    lock_file(name).write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    for each in sys.argv[1:] or PLATFORMS:
        renew(each)
