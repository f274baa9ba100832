"""Wraps a Windows tree with a community's preset into one installer (.exe) that a clerk can run; uses ``makensis``."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import icons

ROOT: Final = Path(__file__).resolve().parents[1]
SCRIPT: Final = Path(__file__).parent / "windows" / "qiaomen.nsi"
EPOCH: Final = 1_767_225_600  # 2026-01-01; the same tree and preset give the same installer
PROGRAM: Final = "敲门"
# What the installer moves as a whole; a tree with anything else in it would leave that behind.
_FOLDERS: Final = ("runtime", "site", "app", "LICENSES")
_FILES: Final = ("RELEASE.toml", "sbom.cdx.json")
_COMMUNITY_ID: Final = re.compile(r"[a-z0-9-]{2,32}")
_LONGEST: Final = 150  # of a path below the installation folder: Windows allows 259 in all


class WrapError(RuntimeError):
    """The installer cannot be made of this; the text says why."""


@dataclass(frozen=True, slots=True)
class _Community:
    """What the installer says of a community; all "" and 0 for one that serves any."""

    id: str = ""
    name: str = ""
    sequence: int = 0

    @property
    def title(self) -> str:
        """What Windows calls the program, e.g. ``幸福里社区 敲门``."""
        return f"{self.name} {PROGRAM}" if self.name else PROGRAM


def installer_name(version: str, *, community: str = "") -> str:
    """What the finished file is called, e.g. ``qiaomen-xingfuli_1.2.3_windows-amd64.exe``."""
    return f"qiaomen{'-' if community else ''}{community}_{version}_windows-amd64.exe"


def wrap_exe(tree: Path, preset: Path | None, out: Path, *, fast: bool = False) -> Path:
    """Make the installer in the folder ``out`` and return its path; ``preset`` is a checked one's folder, or None.

    ``fast`` packs with zlib instead of LZMA: a sixth of the time, half as much again to download. WrapError.
    """
    _ask_tree(tree)
    community = _community(preset)
    release = tomllib.loads((tree / "RELEASE.toml").read_text(encoding="utf-8"))
    made = out / installer_name(release["version"], community=community.id)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wrap-windows-") as scratch:
        build = Path(scratch)
        for source in SCRIPT.parent.glob("*.ns[ih]"):
            shutil.copyfile(source, build / source.name)
        icon, banner = _pictures(preset)
        (build / "qiaomen.ico").write_bytes(icon)
        (build / "banner.bmp").write_bytes(banner)
        for picture in ("qiaomen.ico", "banner.bmp"):
            os.utime(build / picture, (EPOCH, EPOCH))
        values = {
            "APPKEY": f"Qiaomen-{community.id}" if community.id else "Qiaomen",
            "DATA": f"qiaomen-{community.id}" if community.id else "qiaomen",
            "TITLE": community.title,
            "PUBLISHER": PROGRAM,
            "VERSION": release["version"],
            "FOUR_PARTS": _four_parts(release["version"]),
            "SEQUENCE": str(release["sequence"]),
            "PRESET_SEQUENCE": str(community.sequence),
            "KILOBYTES": str(sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) // 1024),
            "LONGEST": str(_longest(tree)),
            "COMPRESSOR": "zlib" if fast else "lzma",
            "OUT": str((build / "qiaomen-windows.exe").resolve()),
            "ICON": str(build / "qiaomen.ico"),
            "BANNER": str(build / "banner.bmp"),
        }
        if preset is not None:
            values["COMMUNITY"] = f"{community.name} ({community.id})"
        (build / "defines.nsh").write_text(_text(values), encoding="utf-8")
        folders = {"": tree} if preset is None else {"": tree, "preset": preset}
        (build / "files.nsh").write_text(_files(folders), encoding="utf-8")
        _compile(build)
        shutil.move(build / "qiaomen-windows.exe", made)
    return made


def _ask_tree(tree: Path) -> None:
    needed = (*_FOLDERS, *_FILES, "app/boot.py", "runtime/pythonw.exe")
    if missing := [name for name in needed if not (tree / name).exists()]:
        raise WrapError(f"{tree} is no Windows tree: {', '.join(missing)} missing")
    known = {*_FOLDERS, *_FILES, "preset", "qiaomen.ico"}
    if strange := sorted(path.name for path in tree.iterdir() if path.name not in known):
        raise WrapError(f"{tree}: the installer does not know {', '.join(strange)}")
    if any((tree / "preset").glob("*")):
        raise WrapError(f"{tree}: a preset lies in it already")


def _community(preset: Path | None) -> _Community:
    if preset is None:
        return _Community()
    try:
        told = tomllib.loads((preset / "community.toml").read_text(encoding="utf-8"))
        manifest = json.loads((preset / "manifest.json").read_text(encoding="utf-8"))
        community = _Community(str(told["id"]), str(told["name"]), int(manifest["sequence"]))
    except (OSError, KeyError, ValueError) as error:
        raise WrapError(f"{preset} is no preset: {error}") from error
    if not _COMMUNITY_ID.fullmatch(community.id) or manifest.get("community") != community.id:
        raise WrapError(f"{preset}: the community's id is not in order")
    if re.search(r'[\x00-\x1f\\/:*?"<>|$&%`]', community.name) or not 0 < len(community.name) <= 60:
        raise WrapError(f"{preset}: {community.name!r} cannot be the name of a shortcut in Windows")
    return community


def _pictures(preset: Path | None) -> tuple[bytes, bytes]:
    """The icon (ICO) and the tall picture beside the first and last page (BMP) of a community, else the program's."""
    try:
        drawn = icons.icons(b"")
        icon = preset / icons.WINDOWS_ICON if preset else None
        picture = preset / icons.ICON if preset else None
        ico = icon.read_bytes() if icon and icon.exists() else drawn[icons.WINDOWS_ICON]
        return ico, _banner(picture.read_bytes() if picture and picture.exists() else drawn[icons.ICON])
    except icons.IconError as error:
        raise WrapError(f"{preset}: its icon is no picture") from error


def _banner(icon: bytes) -> bytes:
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt  # only who wraps for Windows needs it
    from PySide6.QtGui import QColor, QImage, QPainter

    given = QImage.fromData(QByteArray(icon))
    if given.isNull():
        raise icons.IconError("no picture")
    image = QImage(164, 314, QImage.Format.Format_RGB32)
    image.fill(QColor("#eef1f5"))
    painter = QPainter(image)
    how = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    painter.drawImage(34, 62, given.scaled(96, 96, *how))
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.convertToFormat(QImage.Format.Format_RGB888).save(buffer, "BMP")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def _four_parts(version: str) -> str:
    """Windows wants four numbers: ``1.2.3rc1`` is 1.2.3.0."""
    numbers = re.findall(r"\d+", re.split(r"[^\d.]", version)[0])
    return ".".join([*numbers, "0", "0", "0", "0"][:4])


def _longest(tree: Path) -> int:
    longest = max((path.relative_to(tree).as_posix() for path in tree.rglob("*")), key=len)
    if len(longest) > _LONGEST:
        raise WrapError(f"{longest}: too long a path for Windows")
    return len(longest)


def _files(folders: dict[str, Path]) -> str:
    """The lines that put every file into its place, in one order wherever it was built."""
    lines, place = [], None
    for name, folder in folders.items():
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).parts):
            if path.is_file():
                below = "\\".join(["incoming", *filter(None, [name]), *path.relative_to(folder).parts[:-1]])
                if below != place:
                    lines.append(f'SetOutPath "$INSTDIR\\{_quoted(below)}"\n')
                    place = below
                lines.append(f'File "{_quoted(str(path.resolve()))}"\n')
    return "".join(lines)


def _text(values: dict[str, str]) -> str:
    """The values as the script's first lines."""
    return "".join(f'!define {name} "{_quoted(value)}"\n' for name, value in values.items())


def _quoted(value: str) -> str:
    return value.replace("$", "$$").replace('"', '$\\"')


def _compile(build: Path) -> None:
    if shutil.which("makensis") is None:
        raise WrapError("makensis is missing (Debian: nsis)")
    done = subprocess.run(
        ["makensis", "-V2", "-WX", "-NOCD", "-INPUTCHARSET", "UTF8", "qiaomen.nsi"],
        cwd=build,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise WrapError(f"makensis: {(done.stdout + done.stderr).strip()}")


def main(arguments: list[str] | None = None) -> int:
    """The command line; exit status 1 with the reason when the installer cannot be made."""
    parser = argparse.ArgumentParser(description="Wrap a Windows tree and a preset into an installer.")
    parser.add_argument("tree", type=Path, help="as laid out for windows-amd64")
    parser.add_argument("--preset", type=Path, help="the community's signed preset; without one it serves any")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--fast", action="store_true", help="zlib instead of LZMA, for trials")
    chosen = parser.parse_args(arguments)
    try:
        made = wrap_exe(chosen.tree, chosen.preset, chosen.out, fast=chosen.fast)
    except WrapError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{made} ({made.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
