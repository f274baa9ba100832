"""What is kept of the packages: the parts of Qt that the program uses, once, and nobody's tests, tools or headers."""

import re
import zipfile
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Final

_MODULES: Final = ("core", "gui", "widgets", "svg", "printsupport", "network", "dbus")

# Everything else in the PySide6 folder is left out. Patterns are compared in lower case.
_KEPT_OF_QT: Final = (
    "__init__.py",
    "_config.py",
    "_git_pyside_version.py",
    "support/*.py",
    "*qt.conf",
    # libraries
    "pyside6.abi3.dll",
    "libpyside6.abi3.so*",
    "msvcp140*.dll",
    "vcruntime140*.dll",
    "qt/lib/libqt6xcbqpa.so*",
    "qt/lib/libqt6opengl.so*",
    "qt/lib/libicu*.so*",
    *(f"qt{module}.pyd" for module in _MODULES if module != "dbus"),  # on Linux the window itself speaks D-Bus
    *(f"qt{module}.abi3.so" for module in _MODULES),
    *(f"qt6{module}.dll" for module in _MODULES if module != "dbus"),
    *(f"qt/lib/libqt6{module}.so*" for module in _MODULES),
    # plugins
    "*plugins/platforms/qwindows.dll",
    "*plugins/platforms/qoffscreen.dll",
    "*plugins/platforms/libqxcb.so",
    "*plugins/platforms/libqoffscreen.so",
    "*plugins/platformthemes/libqxdgdesktopportal.so",
    "*plugins/platforminputcontexts/libibus*",
    "*plugins/platforminputcontexts/libcompose*",
    "*plugins/styles/*",
    "*plugins/imageformats/*qico*",
    "*plugins/imageformats/*qjpeg*",
    "*plugins/imageformats/*qgif*",
    "*plugins/imageformats/*qsvg*",
    "*plugins/iconengines/*",
    "*plugins/printsupport/*",
    # words
    "*translations/qtbase_zh_cn.qm",
    "*translations/qt_zh_cn.qm",
)
_NEVER: Final = (
    "*.pyi",
    "*.lib",
    "*.pyc",
    "*/tests/*",
    "*/testing/*",
    "*.dist-info/RECORD",
    "*.dist-info/sboms/*",
    "*/py.typed",
    "cffi/*",  # what uses it at run time is one library beside it
    "zstandard/_cffi.*",  # it has a second one in C
    # Parts of Microsoft's C runtime that nothing here asks for.
    "*/concrt140.dll",
    "*/msvcp140_codecvt_ids.dll",
    "*/vcamp140.dll",
    "*/vccorlib140.dll",
    "*/vcomp140.dll",
)
# A licence by its usual name, wherever a package keeps it.
_LICENCE: Final = re.compile(r"^(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|AUTHORS)\b", re.IGNORECASE)


def is_kept(name: str) -> bool:
    """Whether a file of a wheel goes into ``site/``; ``name`` as in the wheel."""
    if any(fnmatch(name, pattern) for pattern in _NEVER):
        return False
    top, _, rest = name.partition("/")
    if top == "PySide6":
        return any(fnmatch(rest.lower(), pattern) for pattern in _KEPT_OF_QT)
    return True


def unpack(wheel: Path, site: Path, licences: Path) -> None:
    """Put the kept files of a wheel into ``site``, its licences into ``licences`` as well."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            name = _place(entry.filename)
            if entry.is_dir() or name is None:
                continue
            path = PurePosixPath(name)
            if ".dist-info/" in name and _LICENCE.match(path.name):
                _write(licences / path.name, archive.read(entry))
            elif is_kept(name):
                _write(site / name, archive.read(entry))


def move_c_runtime(made: Path) -> None:
    """The C++ runtime comes twice, with Qt and with its bindings; once beside the program is enough."""
    for folder in ("site/PySide6", "site/shiboken6"):
        for library in sorted((made / folder).glob("*140*.dll")):
            beside = made / "runtime" / library.name
            if beside.exists():
                library.unlink()
            elif beside.parent.exists():
                library.rename(beside)


def drop_sources(site: Path) -> None:
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


def _place(name: str) -> str | None:
    """Where a file of a wheel belongs below site-packages; None for programs and headers."""
    top, _, rest = name.partition("/")
    if not top.endswith(".data"):
        return name
    kind, _, inner = rest.partition("/")
    return inner if kind in {"purelib", "platlib"} else None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o644)
