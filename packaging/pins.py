"""What a release is made of: reads versions.toml, the locks of the platforms and the program's own version."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
LOCKS: Final = ROOT / "packaging" / "locks"
EPOCH: Final = 1_767_225_600  # the time of every file: 2026-01-01, so that two builds are alike
PLATFORMS: Final = ("linux-amd64", "linux-arm64", "windows-amd64")

_PIN: Final = re.compile(r"^([a-z0-9.-]+)==(\S+) \\\n    --hash=sha256:([0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Platform:
    """One target; ``glibc`` and ``glibcxx`` are the newest symbol versions its files may ask for ("" on Windows)."""

    name: str
    machine: str
    tags: tuple[str, ...]
    glibc: str
    glibcxx: str
    installed_megabytes: int
    download_megabytes: int

    @property
    def is_linux(self) -> bool:
        """Whether it starts from ``runtime/bin`` and finds its libraries the ELF way."""
        return self.name.startswith("linux-")

    @property
    def debian_architecture(self) -> str:
        """``amd64`` or ``arm64``."""
        return self.name.partition("-")[2]


@dataclass(frozen=True, slots=True)
class LockedWheel:
    """One package of a platform's lock: exactly one file is allowed, named by its sha256."""

    package: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class DebianFile:
    """A .deb whose libraries go along; ``path`` is its place below any Debian mirror."""

    path: str
    sha256: str

    @property
    def name(self) -> str:
        """The package, e.g. ``libxcb-cursor0``."""
        return Path(self.path).name.partition("_")[0]

    @property
    def version(self) -> str:
        """Debian's version of it."""
        return Path(self.path).name.split("_")[1]


@cache
def versions() -> dict[str, Any]:
    """versions.toml as it stands."""
    return tomllib.loads((ROOT / "packaging" / "versions.toml").read_text(encoding="utf-8"))


def platform(name: str) -> Platform:
    """The target of that name; KeyError when there is none."""
    found = versions()["platforms"][name]
    return Platform(
        name=name,
        machine=found["machine"],
        tags=tuple(found["tags"]),
        glibc=found.get("glibc", ""),
        glibcxx=found.get("glibcxx", ""),
        installed_megabytes=found["installed_megabytes"],
        download_megabytes=found["download_megabytes"],
    )


def lock_file(name: str) -> Path:
    """The lock of a platform."""
    return LOCKS / f"{name}.txt"


def locked(name: str) -> tuple[LockedWheel, ...]:
    """The packages of a platform, by name."""
    found = _PIN.findall(lock_file(name).read_text(encoding="utf-8"))
    return tuple(LockedWheel(package=package, version=version, sha256=digest) for package, version, digest in found)


def debian_files(name: str) -> tuple[DebianFile, ...]:
    """The .debs whose libraries go along on a platform; none on Windows."""
    return tuple(DebianFile(path=path, sha256=digest) for path, digest in versions()["debian"].get(name, {}).items())


def program_version() -> str:
    """The version in sync/__init__.py, its one place."""
    text = (ROOT / "sync" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__: Final = "(.+)"$', text, re.MULTILINE)
    assert found is not None
    return found[1]
