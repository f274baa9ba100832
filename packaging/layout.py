"""Lays out the program for one platform: ``build/tree-<platform>/{runtime,site,app,preset,LICENSES,…}``.

    .venv/bin/python packaging/layout.py --platform linux-amd64 --runtime FILE|DIR [--keys DIR] --out DIR [--payload]

The same input gives the same bytes: no times, no names of this machine, files in a fixed order.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import bill
import fetch_runtime_windows
import fetching
import pruning
from linux import libraries, tools
from linux.libraries import FCITX, QT
from linux.packing import add_tree, files_of, packed
from pins import EPOCH, PLATFORMS, ROOT, Platform, debian_files, locked, platform, program_version, versions

CACHE: Final = ROOT / "build" / "packages"
_BYTECODE: Final = "f30d0d0a"  # the mark of CPython 3.13's .pyc files
_SHIPPED: Final = ("desktop", "sync", "resources")
_LEFT_OUT: Final = ("sync/server", "resources/keys")


LayoutError = tools.LayoutError


@dataclass(frozen=True, slots=True)
class Pieces:
    """What was built elsewhere: the runtime (a folder or .tar.xz) and the input plugin; each may be absent."""

    runtime: Path | None = None
    fcitx: Path | None = None

    @classmethod
    def found_in(cls, place: Path | None, target: Platform) -> "Pieces":
        """Look in a folder as ``build_runtime_linux.sh`` leaves it, or in the folder above; or take the file itself."""
        if place is None:
            return cls()
        if not target.is_linux:
            return cls(runtime=place if place.is_file() else _first(place, f"runtime-{target.name}.zip"))
        if place.is_file():
            return cls(runtime=place, fcitx=_first(place.parent, FCITX))
        nested = place / f"{target.name.partition('-')[0]}-{target.machine}"
        folder = nested if nested.is_dir() else place
        if _is_runtime(folder, target):
            return cls(runtime=folder, fcitx=_first(folder.parent, FCITX))
        return cls(runtime=_first(folder, "runtime-*.tar.xz"), fcitx=_first(folder, FCITX))


def host_compiler(place: Path | None, *, cache: Path = CACHE) -> Path | None:
    """The CPython 3.13 for this machine out of a folder of ready runtimes, unpacked once into the cache."""
    if place is None or not place.is_dir():
        return None
    machine = os.uname().machine
    packed = _first(place / f"linux-{machine}", "runtime-*.tar.xz")
    if packed is None:
        return None
    unpacked = cache / "compiler" / fetching.sha256_of(packed)[:16]
    if not unpacked.exists():
        unpacked.parent.mkdir(parents=True, exist_ok=True)
        _unpack_runtime(packed, unpacked)
    return unpacked / "bin" / "python3.13"


def lay_out(
    name: str,
    *,
    out: Path,
    pieces: Pieces = Pieces(),
    keys: Path | None = None,
    cache: Path = CACHE,
    compiler: Path | None = None,
    sequence: int | None = None,
    with_debian: bool = True,
) -> Path:
    """Make the tree of a platform in ``out`` (replaced when it is there) and return it.

    ``keys`` holds the public keys (*.pub) that the program shall trust. ``compiler`` is a CPython 3.13 of this machine
    for the .pyc files, when the tree's own does not run here. FetchError, LayoutError.
    """
    target = platform(name)
    made = out.with_name(out.name + ".new")
    shutil.rmtree(made, ignore_errors=True)
    site, licences = made / "site", made / "LICENSES"
    for folder in (site, licences):
        folder.mkdir(parents=True)
    for wheel, path in fetching.wheels(name, cache=cache).items():
        pruning.unpack(path, site, licences / f"{wheel.package}-{wheel.version}")
    _copy_app(made / "app", keys=keys)
    runtime = _put_runtime(made, pieces.runtime, target)
    for text in sorted((ROOT / "packaging" / "licences").glob("*.txt")):
        shutil.copyfile(text, licences / text.name)
    if target.is_linux:
        libraries.put_plugin(made, pieces.fcitx)
        if with_debian:
            libraries.put_debian_libraries(made, target, cache=cache)
        libraries.cut_tables(made, target)
        libraries.lower(made, target)
        libraries.strip(made, target)
        shutil.copyfile(ROOT / "packaging" / "linux" / "launcher.sh", made / "qiaomen")
    is_compiled = _compile(made, compiler=compiler)
    if not target.is_linux:
        pruning.move_c_runtime(made)
        if is_compiled:
            pruning.drop_sources(made / "site")
    bill.write(
        made / "sbom.cdx.json",
        target,
        version=program_version(),
        wheels=locked(name),
        debs=debian_files(name) if with_debian else (),
        runtime=runtime,
        has_fcitx=(made / QT / "plugins/platforminputcontexts" / FCITX).exists(),
        site=site,
    )
    number = versions()["release"]["sequence"] if sequence is None else sequence
    release = f'version = "{program_version()}"\nsequence = {number}\nplatform = "{name}"\n'
    (made / "RELEASE.toml").write_text(release, encoding="utf-8")
    _settle(made)
    shutil.rmtree(out, ignore_errors=True)
    made.rename(out)
    return out


def fingerprint(tree: Path) -> str:
    """One sha256 over the names, modes and bytes of all files."""
    whole = hashlib.sha256()
    for path in files_of(tree):
        line = f"{path.relative_to(tree).as_posix()} {path.stat().st_mode & 0o777:o} {fetching.sha256_of(path)}\n"
        whole.update(line.encode())
    return whole.hexdigest()


def pack_payload(tree: Path, out: Path, *, level: int = 6) -> Path:
    """The tree without its preset as ``payload-<platform>-<version>.tar.xz`` in a folder, with a .sha256 beside it."""
    told = (tree / "RELEASE.toml").read_text(encoding="utf-8")
    version, name = (re.search(rf'^{key} = "(.+)"$', told, re.MULTILINE) for key in ("version", "platform"))
    if version is None or name is None:
        raise LayoutError(f"{tree} has no proper RELEASE.toml")
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"payload-{name[1]}-{version[1]}.tar.xz"
    with packed(path, level=level, error=LayoutError) as archive:
        add_tree(archive, tree, prefix="")
    path.with_suffix(path.suffix + ".sha256").write_text(f"{fetching.sha256_of(path)}  {path.name}\n", encoding="utf-8")
    return path


# ---------------------------------------------------------------------------------------------------- the steps


def _copy_app(app: Path, *, keys: Path | None) -> None:
    app.mkdir()
    shutil.copyfile(ROOT / "packaging" / "boot.py", app / "boot.py")
    for folder in _SHIPPED:
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            left_out = any(name == out or name.startswith(out + "/") for out in _LEFT_OUT)
            if path.is_file() and not left_out and "__pycache__" not in path.parts and not path.name.startswith("."):
                (app / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, app / name)
    trusted = app / "resources" / "keys"
    trusted.mkdir(parents=True)
    found = sorted(keys.glob("*.pub")) if keys is not None else []
    if keys is not None and not found:
        raise LayoutError(f"there is no public key (*.pub) in {keys}")
    for key in found:
        shutil.copyfile(key, trusted / key.name)


def _put_runtime(made: Path, runtime: Path | None, target: Platform) -> str:
    """Copy or unpack CPython; returns its version, "" when there is none."""
    if runtime is None:
        return ""
    place = made / "runtime"
    if not target.is_linux:
        try:
            return fetch_runtime_windows.unpack(runtime, place).version
        except fetch_runtime_windows.RuntimeRefused as refused:
            raise LayoutError(f"the Python for {target.name} is refused: {refused}") from refused
    if runtime.is_dir():
        shutil.copytree(runtime, place, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        _unpack_runtime(runtime, place)
    if not _is_runtime(place, target):
        raise LayoutError(f"{runtime} holds no CPython {versions()['python']['version']} for {target.name}")
    found = re.search(rb"\x003\.13\.\d+\x00", (place / "bin/python3.13").read_bytes())
    return found[0].strip(b"\0").decode() if found else "3.13"


def _unpack_runtime(packed: Path, place: Path) -> None:
    """Unpack a .tar.xz of one folder and give that folder its name."""
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch, tarfile.open(packed) as archive:
        archive.extractall(scratch, filter="data")
        (top,) = Path(scratch).iterdir()
        try:
            top.rename(place)
        except OSError:
            if not place.is_dir():  # another process was quicker
                raise


def _compile(made: Path, *, compiler: Path | None) -> bool:
    """Write the .pyc files, without which a read-only program starts half as fast; needs a CPython 3.13 that runs."""
    found = bytecode_compiler(made / "runtime/bin/python3.13", compiler)
    if found is None:
        return False
    folders = [str(made / name) for name in ("runtime/lib/python3.13", "site", "app") if (made / name).is_dir()]
    # Written anew in any case: what the compiler left of itself while it ran carries a time.
    command = [str(found), "-I", "-B", "-m", "compileall", "-f", "-q", "-j", "1"]
    command += ["--invalidation-mode", "unchecked-hash"]
    tools.run(*command, "-s", str(made), *folders)
    return True


def bytecode_compiler(*candidates: Path | None) -> Path | None:
    """The first Python that writes the .pyc files of CPython 3.13; None when none does."""
    on_path = shutil.which("python3.13")
    for one in (*candidates, Path(on_path) if on_path else None, Path(sys.executable)):
        if one is None or not one.exists():
            continue
        ask = [str(one), "-I", "-B", "-c", "import importlib.util as u; print(u.MAGIC_NUMBER.hex())"]
        try:
            told = subprocess.run(ask, check=False, capture_output=True, text=True)
        except OSError:
            continue  # of another architecture
        if told.stdout.strip() == _BYTECODE:
            return one
    return None


def _settle(made: Path) -> None:
    """The same modes and times wherever it was built."""
    for path in made.rglob("*"):
        starts = path.is_file() and path.relative_to(made).as_posix() in {"qiaomen", "runtime/bin/python3.13"}
        path.chmod(0o755 if starts or path.is_dir() else 0o644)
        os.utime(path, (EPOCH, EPOCH))


# ---------------------------------------------------------------------------------------------------- tools


def _first(folder: Path, pattern: str) -> Path | None:
    return next(iter(sorted(folder.glob(pattern))), None)


def _is_runtime(folder: Path, target: Platform) -> bool:
    return (folder / ("bin/python3.13" if target.is_linux else "pythonw.exe")).exists()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platform", choices=PLATFORMS, required=True)
    parser.add_argument(
        "--runtime", type=Path, default=os.environ.get("QIAOMEN_RUNTIME"), help="a folder, .tar.xz or .zip"
    )
    parser.add_argument("--fcitx", type=Path, help="the input plugin, when it does not lie beside the runtime")
    parser.add_argument("--keys", type=Path, help="folder of the public keys (*.pub) that the program trusts")
    parser.add_argument("--compiler", type=Path, help="a CPython 3.13 of this machine, for the .pyc files")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--out", type=Path, help="default: build/tree-<platform>")
    parser.add_argument("--payload", type=Path, metavar="DIR", help="also pack the payload of the release into DIR")
    chosen = parser.parse_args()
    target = platform(chosen.platform)
    place = Path(chosen.runtime) if chosen.runtime else None
    pieces = Pieces.found_in(place, target)
    if chosen.fcitx is not None:
        pieces = Pieces(runtime=pieces.runtime, fcitx=chosen.fcitx)
    out = chosen.out or ROOT / "build" / f"tree-{target.name}"
    try:
        compiler = chosen.compiler or host_compiler(place, cache=chosen.cache)
        tree = lay_out(target.name, out=out, pieces=pieces, keys=chosen.keys, cache=chosen.cache, compiler=compiler)
        print(f"{tree}: {fingerprint(tree)}")
        if chosen.payload is not None:
            print(pack_payload(tree, chosen.payload))
    except (fetching.FetchError, LayoutError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
