"""Brings the pinned files of a release into a cache folder: wheels by pip, .debs by apt's own downloader."""

import hashlib
import os
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pins import DebianFile, LockedWheel, debian_files, lock_file, locked, platform, versions

_APT_HELPER: Final = Path("/usr/lib/apt/apt-helper")


class FetchError(RuntimeError):
    """A pinned file could not be had, or what came is not what was pinned."""


def sha256_of(path: Path) -> str:
    """The hexadecimal digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def wheels(name: str, *, cache: Path) -> dict[LockedWheel, Path]:
    """Every wheel of the platform's lock; asks the index only when one is not in the cache.

    FetchError when pip finds none with the locked hash.
    """
    folder = cache / "wheels" / name
    folder.mkdir(parents=True, exist_ok=True)
    wanted = locked(name)
    found = _by_hash(folder.glob("*.whl"))
    if any(one.sha256 not in found for one in wanted):
        target = platform(name)
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
        command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--implementation", "cp"]
        command += ["--python-version", versions()["python"]["version"]]
        for abi in (f"cp{versions()['python']['version'].replace('.', '')}", "abi3", "none"):
            command += ["--abi", abi]
        for tag in target.tags:
            command += ["--platform", tag]
        # Into a folder of its own first: another process may be fetching the same.
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            command += ["--dest", scratch, "--requirement", str(lock_file(name))]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode:
                raise FetchError(f"the packages for {name} could not be fetched:\n{done.stderr.strip()}")
            for wheel in Path(scratch).glob("*.whl"):
                wheel.replace(folder / wheel.name)
        found = _by_hash(folder.glob("*.whl"))
    missing = [one.package for one in wanted if one.sha256 not in found]
    if missing:
        raise FetchError(f"not as locked for {name}: {', '.join(missing)}")
    return {one: found[one.sha256] for one in wanted}


def debs(name: str, *, cache: Path) -> dict[DebianFile, Path]:
    """Every .deb pinned for the platform; FetchError when the mirror has not exactly these bytes."""
    folder = cache / "debs"
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for one in debian_files(name):
        path = folder / Path(one.path).name
        if not path.exists() or sha256_of(path) != one.sha256:
            _download(one, path)
        found[one] = path
    return found


def mirror() -> str:
    """The Debian mirror to fetch from: QIAOMEN_DEBIAN_MIRROR, else the one apt uses; FetchError when none is known."""
    if given := os.environ.get("QIAOMEN_DEBIAN_MIRROR", ""):
        return given.rstrip("/") + "/"
    command = ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"]
    try:
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise FetchError("set QIAOMEN_DEBIAN_MIRROR to a Debian mirror: apt is not here to tell one") from error
    for line in told.splitlines():
        codename, component, place = line.split()
        if component == "main" and codename in {"bullseye", "bookworm", "trixie", "forky"}:
            return place
    raise FetchError("set QIAOMEN_DEBIAN_MIRROR to a Debian mirror: apt knows none")


def _download(one: DebianFile, path: Path) -> None:
    if not _APT_HELPER.exists():
        raise FetchError(f"{one.name}: apt's downloader is not here; put {path.name} into {path.parent} by hand")
    url = mirror() + urllib.parse.quote(one.path)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        fetched = Path(scratch) / "one.deb"
        command = [str(_APT_HELPER), "download-file", url, str(fetched), f"SHA256:{one.sha256}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode or not fetched.exists():
            raise FetchError(f"{one.name} could not be fetched:\n{done.stdout}{done.stderr}".strip())
        if sha256_of(fetched) != one.sha256:
            raise FetchError(f"{one.name} is not the file that was pinned")
        fetched.replace(path)


def _by_hash(paths: Iterable[Path]) -> dict[str, Path]:
    return {sha256_of(path): path for path in paths}


def main() -> int:
    """``fetching.py sources``: bring the files of one table of versions.toml, and print the folder they lie in."""
    cache = Path(__file__).resolve().parents[1] / "build" / "packages"
    try:
        for name in sys.argv[1:]:
            debs(name, cache=cache)
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    print(cache / "debs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
