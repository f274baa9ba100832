"""The pictures of a community's program: from its own logo, or the tile with the brand's character.

Drawn without a screen, in a process of its own, so that nobody who packages needs to know of Qt.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
ICON: Final = "icon.png"
WINDOWS_ICON: Final = "icon.ico"
SIDE: Final = 256
_SMALL: Final = (16, 32, 48)


class IconError(RuntimeError):
    """A picture could not be read or drawn."""


@cache
def icons(logo: bytes) -> Mapping[str, bytes]:
    """``icon.png`` and ``icon.ico`` for a logo (PNG); for b"" the tile. IconError when the logo is no picture."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if logo:
            (folder / "logo.png").write_bytes(logo)
        surroundings = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        command = [sys.executable, "-B", __file__, scratch]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=surroundings)
        if done.returncode:
            raise IconError(done.stderr.strip().rpartition("\n")[2])
        sizes = json.loads((folder / "sizes.json").read_text(encoding="utf-8"))
        pixels = {side: (folder / f"{side}.raw").read_bytes() for side in sizes}
        png = (folder / ICON).read_bytes()
    return {ICON: png, WINDOWS_ICON: _windows_icon(png, pixels)}


def _windows_icon(png: bytes, pixels: Mapping[int, bytes]) -> bytes:
    """An .ico file: small pictures as bitmaps, which every tool takes, the large one as PNG."""
    pictures = [(side, _bitmap(side, raw)) for side, raw in pixels.items()] + [(SIDE, png)]
    place = 6 + 16 * len(pictures)
    heading, body = struct.pack("<HHH", 0, 1, len(pictures)), b""
    for side, picture in pictures:
        heading += struct.pack("<BBBBHHII", side % 256, side % 256, 0, 0, 1, 32, len(picture), place + len(body))
        body += picture
    return heading + body


def _bitmap(side: int, raw: bytes) -> bytes:
    """BGRA from the top down becomes a bitmap from the bottom up, with a mask that hides nothing."""
    lines = [raw[start : start + 4 * side] for start in range(0, len(raw), 4 * side)]
    mask = bytes(side * 4 * ((side + 31) // 32))
    heading = struct.pack("<IiiHHIIiiII", 40, side, 2 * side, 1, 32, 0, 4 * side * side + len(mask), 0, 0, 0, 0)
    return heading + b"".join(reversed(lines)) + mask


def _draw(folder: Path) -> int:
    """What runs in the process of its own: read ``logo.png`` or draw the tile, and write all sizes."""
    from PySide6.QtCore import QRectF, Qt
    from PySide6.QtGui import QColor, QFont, QGuiApplication, QImage, QPainter

    application = QGuiApplication([])
    colours = tomllib.loads((ROOT / "resources/themes/default.toml").read_text(encoding="utf-8"))["colours"]
    mark = str(tomllib.loads((ROOT / "resources/brand.toml").read_text(encoding="utf-8"))["mark"])

    logo = QImage(str(folder / "logo.png"))
    if (folder / "logo.png").exists() and logo.isNull():
        raise SystemExit("the logo is no picture")

    def picture(side: int) -> QImage:
        image = QImage(side, side, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if not logo.isNull():
            fitted = logo.scaled(
                side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            painter.drawImage((side - fitted.width()) // 2, (side - fitted.height()) // 2, fitted)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours["brand"]))
            painter.drawRoundedRect(QRectF(0, 0, side, side), side * 0.24, side * 0.24)
            painter.setPen(QColor(colours["on_brand"]))
            font = QFont(["Noto Sans CJK SC", "Microsoft YaHei", "SimHei"])
            font.setPixelSize(round(side * 0.54))
            font.setBold(True)
            painter.setFont(font)
            painter.drawText(QRectF(0, 0, side, side), Qt.AlignmentFlag.AlignCenter, mark)
        painter.end()
        return image

    picture(SIDE).save(str(folder / ICON))
    for side in _SMALL:
        (folder / f"{side}.raw").write_bytes(bytes(picture(side).constBits()))
    (folder / "sizes.json").write_text(json.dumps(_SMALL), encoding="utf-8")
    del application
    return 0


if __name__ == "__main__":
    sys.exit(_draw(Path(sys.argv[1])))
