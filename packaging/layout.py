"""Lays out the program for one platform: ``build/tree-<platform>/{runtime,site,app,preset,LICENSES,…}``.

    .venv/bin/python packaging/layout.py --platform linux-amd64 --runtime FILE|DIR [--keys DIR] --out DIR [--payload]

The same input gives the same bytes: no times, no names of this machine, files in a fixed order.
"""

import argparse
import hashlib
import io
import lzma
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import bill
import elf
import fetch_runtime_windows
import fetching
import icu_data
import pruning
from pins import PLATFORMS, ROOT, Platform, debian_files, locked, platform, program_version, versions

CACHE: Final = ROOT / "build" / "packages"
EPOCH: Final = 1_767_225_600  # the time of every file: 2026-01-01, so that two builds are alike
# Functions of glibc above 2.28 that libglibcshim.so gives.
SHIMMED: Final = frozenset({"pthread_cond_clockwait"})
SHIM: Final = "libglibcshim.so"
FCITX: Final = "libfcitxplatforminputcontextplugin.so"
_BYTECODE: Final = "f30d0d0a"  # the mark of CPython 3.13's .pyc files
_QT: Final = Path("site/PySide6/Qt")
_SHIPPED: Final = ("desktop", "sync", "resources")
_LEFT_OUT: Final = ("sync/server", "resources/keys")


class LayoutError(RuntimeError):
    """A tool or a piece is missing without which the tree would not be right."""


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
        _put_plugin(made, pieces.fcitx)
        if with_debian:
            _put_debian_libraries(made, target, cache=cache)
        _cut_tables(made, target)
        _lower(made, target)
        _strip(made, target)
        shutil.copyfile(ROOT / "packaging" / "linux" / "launcher.sh", made / "qiaomen")
    is_compiled = _compile(made, compiler=compiler)
    if not target.is_linux:
        _move_c_runtime(made)
        if is_compiled:
            _drop_sources(made / "site")
    bill.write(
        made / "sbom.cdx.json",
        target,
        version=program_version(),
        wheels=locked(name),
        debs=debian_files(name) if with_debian else (),
        runtime=runtime,
        has_fcitx=(made / _QT / "plugins/platforminputcontexts" / FCITX).exists(),
        site=site,
    )
    number = versions()["release"]["sequence"] if sequence is None else sequence
    release = f'version = "{program_version()}"\nsequence = {number}\nplatform = "{name}"\n'
    (made / "RELEASE.toml").write_text(release, encoding="utf-8")
    _settle(made)
    shutil.rmtree(out, ignore_errors=True)
    made.rename(out)
    return out


def files_of(tree: Path) -> Iterator[Path]:
    """Every file of a tree in the one order that packages have them in."""
    yield from sorted(
        (path for path in tree.rglob("*") if path.is_file()), key=lambda p: p.relative_to(tree).as_posix()
    )


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
    with path.open("wb") as stream:
        packer = subprocess.Popen(["xz", f"-{level}", "-T2", "-c"], stdin=subprocess.PIPE, stdout=stream)
        assert packer.stdin is not None
        with tarfile.open(fileobj=packer.stdin, mode="w|", format=tarfile.GNU_FORMAT) as archive:
            add_tree(archive, tree, prefix="")
        packer.stdin.close()
        if packer.wait():
            raise LayoutError("xz failed")
    path.with_suffix(path.suffix + ".sha256").write_text(f"{fetching.sha256_of(path)}  {path.name}\n", encoding="utf-8")
    return path


def add_tree(archive: tarfile.TarFile, tree: Path, *, prefix: str) -> None:
    """Add the folders and files of a tree below ``prefix`` ("" or "./opt/x/"), owned by root, all of the same time."""
    for path in sorted(tree.rglob("*"), key=lambda p: p.relative_to(tree).as_posix()):
        entry = tarfile.TarInfo(prefix + path.relative_to(tree).as_posix())
        entry.mtime = EPOCH
        entry.uname = entry.gname = "root"
        if path.is_dir():
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        else:
            entry.size, entry.mode = path.stat().st_size, path.stat().st_mode & 0o777
            with path.open("rb") as stream:
                archive.addfile(entry, stream)


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


def _put_plugin(made: Path, fcitx: Path | None) -> None:
    if fcitx is not None:
        place = made / _QT / "plugins/platforminputcontexts" / FCITX
        shutil.copyfile(fcitx, place)
        if elf.read(place).rpath != "$ORIGIN/../../lib":
            _set_rpath(place, "$ORIGIN/../../lib")


def _put_debian_libraries(made: Path, target: Platform, *, cache: Path) -> None:
    for one, path in fetching.debs(target.name, cache=cache).items():
        is_cxx = one.name == "libstdc++6"
        folder = made / ("runtime/compat" if is_cxx else _QT / "lib")
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in _contents(path):
            if "/usr/lib/" in f"/{name}" and ".so." in name and "gdb" not in name:
                scratch = folder / "new.so"
                scratch.write_bytes(content)
                library = scratch.rename(folder / elf.read(scratch).soname)
                if not is_cxx:
                    _set_rpath(library, "$ORIGIN")
            elif name.endswith("/copyright"):
                place = made / "LICENSES" / one.name / "copyright"
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(content)


def _contents(deb: Path) -> Iterator[tuple[str, bytes]]:
    """The regular files of a .deb with their names; it is an `ar` of which one part is a compressed tar."""
    data = deb.read_bytes()
    place = 8
    while place < len(data):
        name, size = data[place : place + 16].decode().strip(), int(data[place + 48 : place + 58])
        if name.rstrip("/") == "data.tar.xz":
            packed = lzma.decompress(data[place + 60 : place + 60 + size])
            with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                for entry in archive:
                    stream = archive.extractfile(entry) if entry.isreg() else None
                    if stream is not None:
                        yield entry.name.removeprefix("./"), stream.read()
            return
        place += 60 + size + size % 2
    raise LayoutError(f"{deb} has no data.tar.xz")


def _cut_tables(made: Path, target: Platform) -> None:
    """Put smaller tables into the place of ICU's."""
    (library,) = (made / _QT / "lib").glob("libicudata.so.*")
    symbol, blob = icu_data.cut(library)
    with tempfile.TemporaryDirectory() as scratch:
        tables, source = Path(scratch) / "tables", Path(scratch) / "tables.s"
        tables.write_bytes(blob)
        source.write_text(icu_data.assembly(symbol, tables), encoding="utf-8")
        _assemble(source, library, target)


def _assemble(source: Path, library: Path, target: Platform) -> None:
    """Make a library from assembly; it needs no other."""
    with tempfile.TemporaryDirectory() as scratch:
        assembled = Path(scratch) / "one.o"
        _run(_tool("as", target), "-o", str(assembled), str(source))
        _run(
            *(_tool("ld", target), "-shared", "-soname", library.name, "-z", "relro", "-z", "now", "--build-id=none"),
            *("-z", "noexecstack", "-o", str(library), str(assembled)),
        )


def _lower(made: Path, target: Platform) -> None:
    """Bring libraries that were built for a newer glibc back to the target's; give what the old one lacks."""
    core = made / _QT / "lib" / "libQt6Core.so.6"
    lowered: set[str] = set()
    for path in _elf_files(made):
        if elf.read(path).newest("GLIBC") > elf.numbers(target.glibc):
            lowered |= elf.lower_glibc(path, target.glibc, shimmed=SHIMMED)
    if not lowered:
        return
    if target.machine != "aarch64":
        raise LayoutError(f"{target.name} asks for {', '.join(sorted(lowered))}; there is no shim for it")
    _assemble(ROOT / "packaging/linux/glibcshim.s", core.with_name(SHIM), target)
    _run("patchelf", "--add-needed", SHIM, str(core))


def _strip(made: Path, target: Platform) -> None:
    """Take the symbol tables away; a third of the tree's size is theirs."""
    strip = _tool("strip", target)
    for path in _elf_files(made):
        if path.name != SHIM:
            _run(strip, "--strip-unneeded", "--enable-deterministic-archives", str(path))


def _move_c_runtime(made: Path) -> None:
    """The C++ runtime comes twice, with Qt and with its bindings; once beside the program is enough."""
    for folder in ("site/PySide6", "site/shiboken6"):
        for library in sorted((made / folder).glob("*140*.dll")):
            beside = made / "runtime" / library.name
            if beside.exists():
                library.unlink()
            elif beside.parent.exists():
                library.rename(beside)


def _drop_sources(site: Path) -> None:
    """Keep packages as bytecode, which Python reads as well; Qt's bindings, which people may replace, stay whole."""
    for cached in sorted(site.rglob("__pycache__/*.pyc")):
        package = cached.parent.parent
        if package.relative_to(site).parts[:1] not in {("PySide6",), ("shiboken6",)}:
            name = cached.name.partition(".")[0]
            (package / f"{name}.py").unlink()
            cached.rename(package / f"{name}.pyc")
    for folder in sorted(site.rglob("__pycache__")):
        if not any(folder.iterdir()):
            folder.rmdir()


def _compile(made: Path, *, compiler: Path | None) -> bool:
    """Write the .pyc files, without which a read-only program starts half as fast; needs a CPython 3.13 that runs."""
    found = bytecode_compiler(made / "runtime/bin/python3.13", compiler)
    if found is None:
        return False
    folders = [str(made / name) for name in ("runtime/lib/python3.13", "site", "app") if (made / name).is_dir()]
    # Written anew in any case: what the compiler left of itself while it ran carries a time.
    command = [str(found), "-I", "-B", "-m", "compileall", "-f", "-q", "-j", "1"]
    command += ["--invalidation-mode", "unchecked-hash"]
    _run(*command, "-s", str(made), *folders)
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


def _elf_files(made: Path) -> Iterator[Path]:
    for path in files_of(made):
        if (".so" in path.name or path.parent.name == "bin") and elf.is_elf(path):
            yield path


def _tool(name: str, target: Platform) -> str:
    """A tool of binutils for the target; LayoutError says which package brings it."""
    full = f"{target.machine}-linux-gnu-{name}"
    found = shutil.which(full) or (shutil.which(name) if os.uname().machine == target.machine else None)
    if found is None:
        raise LayoutError(f"{full} is missing (Debian: binutils-{target.machine.replace('_', '-')}-linux-gnu)")
    return found


def _set_rpath(path: Path, rpath: str) -> None:
    _run("patchelf", "--set-rpath", rpath, str(path))


def _run(*command: str) -> None:
    if shutil.which(command[0]) is None:
        raise LayoutError(f"{command[0]} is missing (Debian: a package of that name)")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise LayoutError(f"{Path(command[0]).name} {command[-1]}: {(done.stdout + done.stderr).strip()}")


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
