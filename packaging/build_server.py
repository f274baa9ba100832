"""Builds what a server is installed from: the wheel, and a ``.deb`` that needs nothing but the system's Python.

    .venv/bin/python packaging/build_server.py --platform linux-amd64|linux-arm64|all --out DIR

The package holds every library of requirements/server.txt for Python 3.11 to 3.13, so that one file installs without a
line on Debian 12 and 13 and Ubuntu 24.04. The same input gives the same bytes.
"""

import argparse
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from fetching import FetchError, sha256_of
from pins import EPOCH, ROOT, platform, program_version

PLATFORMS: Final = ("linux-amd64", "linux-arm64")
PYTHONS: Final = ("3.11", "3.12", "3.13")
CACHE: Final = ROOT / "build" / "packages"
_SOURCE: Final = ROOT / "packaging" / "server"
_LOCK: Final = ROOT / "requirements" / "server.txt"
_HASHES: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_NEWER_GLIBC: Final = 36  # Debian 12's; the wheels' own tags say which of them they need
# Of the program itself: what the server imports, and the rules it reads.
_PROGRAM: Final = re.compile(r"sync/(?!client/|store/).+|resources/(calendars|rules)/.+")
_OPT: Final = Path("opt/qiaomen-server")
_UNITS: Final = ("qiaomen-server.service", "qiaomen-backup.service", "qiaomen-backup.timer", "qiaomen-alarm@.service")
_SCRIPTS: Final = {"launcher.py": "qiaomen-server", "alarm.sh": "alarm", "make-certificates.sh": "make-certificates"}
_EXAMPLES: Final = ("server.toml", "nginx.conf", "Caddyfile")
_STRIP: Final = {"amd64": "x86_64-linux-gnu-strip", "arm64": "aarch64-linux-gnu-strip"}
_MANUALS: Final = ("server.md", "server.zh-CN.md")
_CONTROL: Final = """Package: qiaomen-server
Version: {version}
Architecture: {architecture}
Maintainer: Qiaomen <qiaomen@localhost>
Installed-Size: {size}
Depends: python3 (>= 3.11~), python3 (<< 3.14), adduser
Recommends: nginx | caddy, openssl
Suggests: postgresql, postgresql-client
Section: net
Priority: optional
Description: sync server of the community work program Qiaomen
 Keeps what the PCs of a residential community write down, with or without a
 line, and brings it to whoever may read it. Data lie in SQLite, or in
 PostgreSQL for a district.
"""

_COPYRIGHT: Final = """The program's own part is in /opt/qiaomen-server/app and /opt/qiaomen-server/bin.

It comes with these libraries, unchanged but for what only debuggers read. The licence of each lies beside it, in the
folder NAME-VERSION.dist-info below /opt/qiaomen-server:

"""


class BuildError(RuntimeError):
    """A tool is missing or a package is not as locked."""


def build_wheel(out: Path) -> Path:
    """The wheel of the project, made in ``out``; the same bytes each time. BuildError."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wheel-") as folder:
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
        _run(command, environment={"SOURCE_DATE_EPOCH": str(EPOCH)})
        (made,) = Path(folder).glob("qiaomen-*.whl")
        return Path(shutil.move(made, out / made.name))


def fetch_libraries(name: str, *, cache: Path = CACHE) -> dict[str, tuple[Path, ...]]:
    """The locked wheels of the server for a platform, by version of Python; asks the index for what is not here yet.

    FetchError when one is not to be had with a locked hash.
    """
    return {version: _fetched(name, version, cache=cache) for version in PYTHONS}


def build_deb(
    name: str, libraries: Mapping[str, tuple[Path, ...]], *, wheel: Path, out: Path, fast: bool = False
) -> Path:
    """The package ``qiaomen-server_VERSION_ARCHITECTURE.deb`` in ``out``, made of these wheels. BuildError.

    ``fast`` packs in a third of the time, a quarter larger.
    """
    architecture = platform(name).debian_architecture
    with tempfile.TemporaryDirectory(prefix="server-") as folder:
        tree = Path(folder) / "tree"
        _unpack(wheel, tree / _OPT / "app", only=_PROGRAM)
        for version, wheels in libraries.items():
            for path in wheels:
                serves_all = path.name.endswith(("-none-any.whl", "-abi3.whl")) or "-abi3-" in path.name
                _unpack(path, tree / _OPT / ("any" if serves_all else f"python{version}"))
        _strip(tree / _OPT, architecture)
        _put_our_own(tree)
        size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) // 1024
        control = tree / "DEBIAN"
        control.mkdir()
        for script in ("preinst", "postinst", "prerm", "postrm"):
            _copy(_SOURCE / "debian" / f"{script}.sh", control / script, mode=0o755)
        text = _CONTROL.format(version=program_version(), architecture=architecture, size=size)
        (control / "control").write_text(text, "utf-8")
        _settle(tree)
        out.mkdir(parents=True, exist_ok=True)
        made = out / f"qiaomen-server_{program_version()}_{architecture}.deb"
        _run(
            ["dpkg-deb", "--root-owner-group", "-Zxz", "-z1" if fast else "-z6", "--build", str(tree), str(made)],
            environment={"SOURCE_DATE_EPOCH": str(EPOCH)},
        )
    return made


def _fetched(name: str, version: str, *, cache: Path) -> tuple[Path, ...]:
    folder = cache / "server" / f"{name}-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    text = _LOCK.read_text("utf-8")
    wanted = len(re.findall(r"^[a-z0-9.-]+==", text, re.MULTILINE))
    if len(list(folder.glob("*.whl"))) != wanted:
        machine = platform(name).machine
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
        command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--implementation", "cp"]
        command += ["--python-version", version, "--dest", str(folder), "--requirement", str(_LOCK)]
        for abi in (f"cp{version.replace('.', '')}", "abi3", "none"):
            command += ["--abi", abi]
        for minor in range(_NEWER_GLIBC, 16, -1):
            command += ["--platform", f"manylinux_2_{minor}_{machine}"]
        command += ["--platform", f"manylinux2014_{machine}", "--platform", "any"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise FetchError(f"the server's packages for Python {version} could not be had:\n{done.stderr.strip()}")
    found = tuple(sorted(folder.glob("*.whl")))
    allowed = set(_HASHES.findall(text))
    wrong = [path.name for path in found if sha256_of(path) not in allowed]
    if wrong or len(found) != wanted:
        raise FetchError(f"not as locked, remove {folder}: {', '.join(wrong) or f'{len(found)} of {wanted} packages'}")
    return found


def _put_our_own(tree: Path) -> None:
    manual, units = tree / "usr/share/doc/qiaomen-server", tree / "usr/lib/systemd/system"
    for unit in _UNITS:
        _copy(_SOURCE / unit, units / unit)
    for script, name in _SCRIPTS.items():
        _copy(_SOURCE / script, tree / _OPT / "bin" / name, mode=0o755)
    for example in _EXAMPLES:
        _copy(_SOURCE / example, manual / example)
    for page in _MANUALS:
        _copy(ROOT / "docs" / page, manual / page)
    (manual / "changelog.gz").write_bytes(gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), mtime=EPOCH))
    about = {path.name.removesuffix(".dist-info").replace("-", " ") for path in (tree / _OPT).glob("*/*.dist-info")}
    (manual / "copyright").write_text(_COPYRIGHT + "".join(f"  {one}\n" for one in sorted(about)), "utf-8")
    command = tree / "usr/bin/qiaomen-server"
    command.parent.mkdir(parents=True)
    command.symlink_to("/" / _OPT / "bin" / "qiaomen-server")


def _copy(source: Path, to: Path, *, mode: int = 0o644) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, to)
    to.chmod(mode)


def _unpack(wheel: Path, into: Path, *, only: re.Pattern[str] | None = None) -> None:
    """What a wheel installs among the libraries; its scripts and headers are of no use here."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            if member.endswith("/") or ".data/" in member or (only is not None and not only.fullmatch(member)):
                continue
            to = into / member
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(archive.read(member))


def _strip(libraries: Path, architecture: str) -> None:
    """Without what only debuggers read, two thirds of some libraries."""
    compiled = [str(path) for path in sorted(libraries.rglob("*.so*"))]
    if compiled:
        _run([_STRIP[architecture], "--strip-unneeded", *compiled], environment={})


def _settle(tree: Path) -> None:
    """The same times and rights for every file, whoever builds it."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if not path.is_symlink():
            is_program = path.is_dir() or (path.parent.name in {"bin", "DEBIAN"} and path.name != "control")
            path.chmod(0o755 if is_program else 0o644)
        os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)
    tree.chmod(0o755)
    os.utime(tree, (EPOCH, EPOCH))


def _run(command: list[str], *, environment: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment}
        )
    except FileNotFoundError as error:
        raise BuildError(f"{command[0]} is not installed") from error
    if done.returncode:
        raise BuildError(f"{' '.join(command[:3])} failed:\n{done.stdout}{done.stderr}".strip())


def main(arguments: list[str] | None = None) -> int:
    """Build what is asked for; the exit status."""
    parser = argparse.ArgumentParser(description="Build the server's wheel and packages.")
    parser.add_argument("--platform", choices=(*PLATFORMS, "all"), default=PLATFORMS[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--fast", action="store_true", help="larger packages, in a third of the time")
    given = parser.parse_args(arguments)
    try:
        made = [build_wheel(given.out)]
        for name in PLATFORMS if given.platform == "all" else (given.platform,):
            made.append(build_deb(name, fetch_libraries(name), wheel=made[0], out=given.out, fast=given.fast))
    except (BuildError, FetchError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in made:
        print(f"{sha256_of(path)}  {path.stat().st_size:>10,}  {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
