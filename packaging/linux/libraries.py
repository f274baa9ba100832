"""The libraries of a Linux tree: Debian's beside Qt's, ICU's tables cut, all without symbols and for glibc 2.28."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import elf
import fetching
import icu_data
from linux import deb
from linux.packing import files_of
from linux.tools import LayoutError, run, tool
from pins import ROOT, Platform

# Functions of glibc above 2.28 that libglibcshim.so gives.
SHIMMED: Final = frozenset({"pthread_cond_clockwait"})
SHIM: Final = "libglibcshim.so"
FCITX: Final = "libfcitxplatforminputcontextplugin.so"
QT: Final = Path("site/PySide6/Qt")


def put_plugin(made: Path, fcitx: Path | None) -> None:
    """Put the input plugin, when there is one, where Qt looks for it."""
    if fcitx is not None:
        place = made / QT / "plugins/platforminputcontexts" / FCITX
        shutil.copyfile(fcitx, place)
        if elf.read(place).rpath != "$ORIGIN/../../lib":
            _set_rpath(place, "$ORIGIN/../../lib")


def put_debian_libraries(made: Path, target: Platform, *, cache: Path) -> None:
    """Add the X libraries that an office PC may lack, each with its licence; FetchError, LayoutError."""
    for one, path in fetching.debs(target.name, cache=cache).items():
        is_cxx = one.name == "libstdc++6"
        folder = made / ("runtime/compat" if is_cxx else QT / "lib")
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in deb.contents(path):
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


def cut_tables(made: Path, target: Platform) -> None:
    """Put smaller tables into the place of ICU's."""
    (library,) = (made / QT / "lib").glob("libicudata.so.*")
    symbol, blob = icu_data.cut(library)
    with tempfile.TemporaryDirectory() as scratch:
        tables, source = Path(scratch) / "tables", Path(scratch) / "tables.s"
        tables.write_bytes(blob)
        source.write_text(icu_data.assembly(symbol, tables), encoding="utf-8")
        _assemble(source, library, target)


def lower(made: Path, target: Platform) -> None:
    """Bring libraries that were built for a newer glibc back to the target's; give what the old one lacks."""
    core = made / QT / "lib" / "libQt6Core.so.6"
    lowered: set[str] = set()
    for path in _elf_files(made):
        if elf.read(path).newest("GLIBC") > elf.numbers(target.glibc):
            lowered |= elf.lower_glibc(path, target.glibc, shimmed=SHIMMED)
    if not lowered:
        return
    if target.machine != "aarch64":
        raise LayoutError(f"{target.name} asks for {', '.join(sorted(lowered))}; there is no shim for it")
    _assemble(ROOT / "packaging/linux/glibcshim.s", core.with_name(SHIM), target)
    run("patchelf", "--add-needed", SHIM, str(core))


def strip(made: Path, target: Platform) -> None:
    """Take the symbol tables away; a third of the tree's size is theirs."""
    program = tool("strip", target)
    for path in _elf_files(made):
        if path.name != SHIM:
            run(program, "--strip-unneeded", "--enable-deterministic-archives", str(path))


def _assemble(source: Path, library: Path, target: Platform) -> None:
    """Make a library from assembly; it needs no other."""
    with tempfile.TemporaryDirectory() as scratch:
        assembled = Path(scratch) / "one.o"
        run(tool("as", target), "-o", str(assembled), str(source))
        run(
            *(tool("ld", target), "-shared", "-soname", library.name, "-z", "relro", "-z", "now", "--build-id=none"),
            *("-z", "noexecstack", "-o", str(library), str(assembled)),
        )


def _elf_files(made: Path) -> Iterator[Path]:
    for path in files_of(made):
        if (".so" in path.name or path.parent.name == "bin") and elf.is_elf(path):
            yield path


def _set_rpath(path: Path, rpath: str) -> None:
    run("patchelf", "--set-rpath", rpath, str(path))
