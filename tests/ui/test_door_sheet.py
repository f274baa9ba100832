"""The door sheet on paper: twenty doors a page, its code, black and white, and nothing private on it."""

import re
import zlib
from pathlib import Path

import pytest
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from desktop.printing.base import A4_HEIGHT, A4_WIDTH, Paper, check_public, to_pdf
from desktop.printing.door_sheet import DoorSheetDocument, SheetDoor, SheetPage
from sync.errors import RuleError, StoreError

DPI = 100
ROOMS = [f"{unit}-{floor}0{slot}" for unit in (1, 2) for floor in range(9, 4, -1) for slot in (1, 2)]


def document(*, pages: int = 3, building: str = "3号楼") -> DoorSheetDocument:
    doors = tuple(SheetDoor("急办安未空"[place % 5], room) for place, room in enumerate(ROOMS))
    sheets = tuple(SheetPage("3X-20K7", doors) for _ in range(pages))
    return DoorSheetDocument(building, "二进楼栋", "2026-11-23", sheets)


def painted(shown: DoorSheetDocument, page: int = 0) -> QImage:
    """A page as an image of 100 dots an inch."""
    size = [round(length / 25.4 * DPI) for length in (A4_WIDTH, A4_HEIGHT)]
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    shown.paint(Paper(painter, dpi=DPI), page)
    painter.end()
    return image


def ink(image: QImage, left: float, top: float, width: float, height: float) -> int:
    """How many dark dots lie in a rectangle given in millimetres."""
    scale = DPI / 25.4
    spots = (
        image.pixelColor(x, y).lightness() < 128
        for x in range(round(left * scale), round((left + width) * scale))
        for y in range(round(top * scale), round((top + height) * scale))
    )
    return sum(spots)


def test_everything_is_where_it_belongs(qapp: QApplication) -> None:
    image = painted(document())
    assert ink(image, 13, 12, 60, 11) > 100  # the title
    assert ink(image, 163, 19, 32, 9) > 100  # the code in its box
    for row in range(20):
        assert ink(image, 13, 43 + row * 10.45, 8, 8) > 20  # the character of each door
        assert ink(image, 23, 43 + row * 10.45, 17, 8) > 40  # its room
    assert ink(image, 130, 45, 66, 6) == 0  # room to write
    assert ink(image, 12, 256, 180, 12) > 200  # the legend
    assert ink(image, 0, 0, 12, 297) == 0  # the margin
    assert ink(image, 198, 0, 12, 297) == 0


def test_it_is_black_and_white(qapp: QApplication) -> None:
    image = painted(document())
    colours = {
        image.pixelColor(x, y).getRgb()[:3] for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)
    }
    assert all(len(set(colour)) == 1 for colour in colours)


def test_a_short_sheet_ends_with_its_last_door(qapp: QApplication) -> None:
    doors = (SheetDoor("安", "1-901"),)
    image = painted(DoorSheetDocument("3号楼", "", "2026-01-02", (SheetPage("3X-20K7", doors),)))
    assert ink(image, 12, 53, 186, 190) == 0


def test_the_pdf_has_one_page_a_sheet(qapp: QApplication, tmp_path: Path) -> None:
    path = tmp_path / "sheet.pdf"
    to_pdf(document(), path)
    body = path.read_bytes()
    streams = re.findall(rb"stream\r?\n(.*?)endstream", body, re.DOTALL)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", body)) == 3
    assert any(zlib.decompressobj().decompress(stream) for stream in streams if stream[:1] == b"\x78")
    assert b"/MediaBox [0 0 595" in body or b"/MediaBox[0 0 595" in body


def test_a_place_that_cannot_be_written_is_told(qapp: QApplication, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="print_failed"):
        to_pdf(document(), tmp_path / "no" / "such" / "folder.pdf")


@pytest.mark.parametrize(
    "building",
    ["李桂芳家", "3号楼 13800002342", "3号楼 11010519491231002X", "找李桂芳开门", "3号楼１３８００００２３４２"],
)
def test_nothing_private_gets_onto_the_paper(building: str) -> None:
    with pytest.raises(RuleError) as caught:
        check_public(document(building=building), names=("李桂芳",))
    assert caught.value.field == "print"


def test_rooms_codes_and_characters_may_be_printed() -> None:
    check_public(document(), names=("李桂芳", "张伟国"))
    assert {word for word in document().words() if "-901" in word} == {"急 1-901", "急 2-901"}
