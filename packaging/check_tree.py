"""Says what is wrong with a laid-out tree: a symbol too new for the target, a part that is missing, stray or too large.

.venv/bin/python packaging/check_tree.py build/tree-linux-amd64 [--payload FILE]
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import elf
from linux.libraries import FCITX, SHIM
from linux.packing import files_of
from pins import Platform, debian_files, locked, platform

MEGABYTE: Final = 1_000_000
LARGEST_FILE: Final = 14 * MEGABYTE  # Qt's and the store's largest libraries have 12

_QT: Final = "site/PySide6/Qt"
_EVERYWHERE: Final = (
    "RELEASE.toml",
    "sbom.cdx.json",
    "app/boot.py",
    "app/desktop/__main__.py",
    "app/sync/store/store.py",
    "app/resources/brand.toml",
    "LICENSES/README.txt",
    "LICENSES/GPL-3.0.txt",
    "LICENSES/LGPL-3.0.txt",
)
_ON_LINUX: Final = (
    "qiaomen",
    "runtime/bin/python3.13",
    f"{_QT}/plugins/platforms/libqxcb.so",
    f"{_QT}/plugins/platforms/libqoffscreen.so",
    f"{_QT}/plugins/platforminputcontexts/{FCITX}",
    f"{_QT}/plugins/platforminputcontexts/libibusplatforminputcontextplugin.so",
    f"{_QT}/plugins/platforminputcontexts/libcomposeplatforminputcontextplugin.so",
    f"{_QT}/plugins/iconengines/libqsvgicon.so",
    f"{_QT}/plugins/imageformats/libqjpeg.so",
    f"{_QT}/plugins/imageformats/libqsvg.so",
    f"{_QT}/plugins/printsupport/libcupsprintersupport.so",
    f"{_QT}/translations/qtbase_zh_CN.qm",
)
_ON_WINDOWS: Final = (
    "runtime/pythonw.exe",
    "runtime/python313.dll",
    "runtime/python313._pth",
    "site/PySide6/plugins/platforms/qwindows.dll",
    "site/PySide6/plugins/platforms/qoffscreen.dll",
    "site/PySide6/plugins/iconengines/qsvgicon.dll",
    "site/PySide6/plugins/imageformats/qjpeg.dll",
    "site/PySide6/plugins/imageformats/qsvg.dll",
    "site/PySide6/plugins/styles/qmodernwindowsstyle.dll",
    "site/PySide6/translations/qtbase_zh_CN.qm",
)
_TOP: Final = frozenset({"runtime", "site", "app", "preset", "LICENSES", "sbom.cdx.json", "RELEASE.toml", "qiaomen"})
_STRAY: Final = (
    "*QtQml*",
    "*QtQuick*",
    "*Qt6Qml*",
    "*Qt6Quick*",
    "*QtDesigner*",
    "*Qt6Designer*",
    "*QtTest.*",
    "*Qt6Wayland*",
    "*/qml/*",
    "*.pyi",
    "*opengl32sw*",
    "app/sync/server/*",
    "site/pip/*",
    "*.dist-info/RECORD",
    "*.key",
    "*.sec",
)
# Qt's licences lie in LICENSES itself; its wheels bring none.
_WITHOUT_FOLDER: Final = frozenset({"pyside6-essentials", "shiboken6"})
# What every desktop with X has, and what the packages of Linux name in their dependencies.
_SYSTEM: Final = frozenset(
    {
        "ld-linux-aarch64.so.1",
        "ld-linux-x86-64.so.2",
        "libEGL.so.1",
        "libGL.so.1",
        "libGLX.so.0",
        "libICE.so.6",
        "libOpenGL.so.0",
        "libSM.so.6",
        "libX11-xcb.so.1",
        "libX11.so.6",
        "libbrotlidec.so.1",
        "libc.so.6",
        "libcups.so.2",
        "libdbus-1.so.3",
        "libdl.so.2",
        "libfontconfig.so.1",
        "libfreetype.so.6",
        "libgcc_s.so.1",
        "libglib-2.0.so.0",
        "libgssapi_krb5.so.2",
        "libgthread-2.0.so.0",
        "libm.so.6",
        "libpthread.so.0",
        "libresolv.so.2",
        "librt.so.1",
        "libstdc++.so.6",
        "libutil.so.1",
        "libxcb-glx.so.0",
        "libxcb-randr.so.0",
        "libxcb-render.so.0",
        "libxcb-shape.so.0",
        "libxcb-shm.so.0",
        "libxcb-sync.so.1",
        "libxcb-xfixes.so.0",
        "libxcb.so.1",
        "libz.so.1",
        "libzstd.so.1",
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: a code, the file it is about ("" for the whole), and what was found."""

    code: str
    path: str
    found: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (f"{self.code}:", self.path, f"({self.found})" if self.found else "") if part)


def faults(tree: Path, *, payload: Path | None = None) -> tuple[Fault, ...]:
    """Everything wrong with a tree, and with its packed payload when that is given; () when all is well."""
    return tuple(_faults(tree, payload))


def size_of(tree: Path) -> int:
    """The bytes of all files."""
    return sum(path.stat().st_size for path in files_of(tree))


def _faults(tree: Path, payload: Path | None) -> Iterator[Fault]:
    try:
        target = platform(tomllib.loads((tree / "RELEASE.toml").read_text(encoding="utf-8"))["platform"])
    except (OSError, KeyError, ValueError) as error:
        yield Fault("no_release", "RELEASE.toml", type(error).__name__)
        return
    for name in (*_EVERYWHERE, *(_ON_LINUX if target.is_linux else _ON_WINDOWS)):
        if not (tree / name).is_file():
            yield Fault("missing", name)
    yield from _strange(tree)
    yield from _unlicensed(tree, target)
    yield from _unlisted(tree, target)
    if target.is_linux:
        yield from _wrong_libraries(tree, target)
    yield from _uncompiled(tree)
    yield from _oversized(tree, target, payload)


def _strange(tree: Path) -> Iterator[Fault]:
    for path in sorted(tree.iterdir()):
        if path.name not in _TOP:
            yield Fault("stray", path.name)
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        if path.is_symlink():
            yield Fault("link", name)
        elif any(fnmatch(name, pattern) for pattern in _STRAY):
            yield Fault("stray", name)
        elif path.stat().st_mode & 0o022:
            yield Fault("writable", name, f"{path.stat().st_mode & 0o777:o}")


def _unlicensed(tree: Path, target: Platform) -> Iterator[Fault]:
    folders = [f"{one.package}-{one.version}" for one in locked(target.name) if one.package not in _WITHOUT_FOLDER]
    if (tree / _QT / "lib/libxcb-cursor.so.0").exists():
        folders += [one.name for one in debian_files(target.name) if one.name != "libstdc++6"]  # has its own text
    for name in folders:
        if not any((tree / "LICENSES" / name).glob("*")):
            yield Fault("no_licence", f"LICENSES/{name}")
    has_runtime = (tree / ("runtime/bin" if target.is_linux else "runtime")).is_dir()
    if has_runtime and not any((tree / "runtime").rglob("LICENSE.txt")):
        yield Fault("no_licence", "runtime", "LICENSE.txt of CPython")


def _unlisted(tree: Path, target: Platform) -> Iterator[Fault]:
    try:
        listed = {part["name"] for part in json.loads((tree / "sbom.cdx.json").read_bytes())["components"]}
    except (OSError, ValueError, KeyError) as error:
        yield Fault("bad_bill", "sbom.cdx.json", type(error).__name__)
        return
    for one in locked(target.name):
        if one.package not in listed:
            yield Fault("bad_bill", "sbom.cdx.json", one.package)


def _wrong_libraries(tree: Path, target: Platform) -> Iterator[Fault]:
    own = {path.name for path in tree.rglob("*.so*")}
    lib = tree / _QT / "lib"
    for path in files_of(tree):
        if not (".so" in path.name or path.parent.name == "bin") or not elf.is_elf(path):
            continue
        name = path.relative_to(tree).as_posix()
        told = elf.read(path)
        if told.machine != elf.MACHINES[target.machine]:
            yield Fault("other_machine", name, str(told.machine))
        for family, limit in (("GLIBC", target.glibc), ("GLIBCXX", target.glibcxx)):
            newest = told.newest(family)
            if newest > elf.numbers(limit):
                yield Fault("too_new", name, f"{family}_{'.'.join(map(str, newest))}, allowed is {limit}")
        for needed in told.needs:
            if needed not in _SYSTEM and needed not in own:
                yield Fault("no_library", name, needed)
        if path.parent == lib and "$ORIGIN" not in told.rpath and any(n in own for n in told.needs):
            yield Fault("no_origin", name, told.rpath)
    for one in bundled(target):
        if not (tree / one).is_file():
            yield Fault("missing", one)


def bundled(target: Platform) -> Iterator[str]:
    """The libraries that go along because an office desktop may lack them."""
    for name in (
        "cursor.so.0",
        "util.so.1",
        "icccm.so.4",
        "image.so.0",
        "keysyms.so.1",
        "render-util.so.0",
        "xkb.so.1",
    ):
        yield f"{_QT}/lib/libxcb-{name}"
    yield f"{_QT}/lib/libxkbcommon.so.0"
    yield f"{_QT}/lib/libxkbcommon-x11.so.0"
    if target.machine == "aarch64":
        yield f"{_QT}/lib/{SHIM}"
        yield "runtime/compat/libstdc++.so.6"


def _uncompiled(tree: Path) -> Iterator[Fault]:
    """Without its .pyc files a program in a folder that is not the user's starts half as fast, each time."""
    for path in files_of(tree):
        compiled = path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc"
        if path.suffix == ".py" and path.name != "boot.py" and not compiled.exists():
            yield Fault("not_compiled", path.relative_to(tree).as_posix())


def _oversized(tree: Path, target: Platform, payload: Path | None) -> Iterator[Fault]:
    for path in files_of(tree):
        if path.stat().st_size > LARGEST_FILE:
            yield Fault("too_large", path.relative_to(tree).as_posix(), f"{path.stat().st_size / MEGABYTE:.1f} MB")
    if size_of(tree) > target.installed_megabytes * MEGABYTE:
        yield Fault("too_large", "", f"{size_of(tree) / MEGABYTE:.1f} MB, allowed are {target.installed_megabytes}")
    if payload is not None and payload.stat().st_size > target.download_megabytes * MEGABYTE:
        found = f"{payload.stat().st_size / MEGABYTE:.1f} MB, allowed are {target.download_megabytes}"
        yield Fault("too_large", payload.name, found)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--payload", type=Path, help="the packed payload, whose size is bounded too")
    chosen = parser.parse_args()
    found = faults(chosen.tree, payload=chosen.payload)
    for fault in found:
        print(fault)
    print(
        f"{chosen.tree}: {size_of(chosen.tree) / MEGABYTE:.1f} MB, " + (f"{len(found)} faults" if found else "all well")
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
