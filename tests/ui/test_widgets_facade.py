"""The façade: places of irregular buildings, keys, one path a colour, and a description for those who cannot see."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop import theme
from desktop.widgets.facade import BACKSPACE, Facade
from desktop.widgets.facade_model import FacadeRoom, FacadeSnapshot, floor_label
from desktop.widgets.facade_paint import FacadeGeometry, cell_paint, paint_facade
from desktop.widgets.facade_table import FacadeTable

TONES = ("red", "yellow", "green", "grey", "blank")


def room(unit: int, floor: int, door: int, *, tone: str = "green") -> FacadeRoom:
    return FacadeRoom(
        household_id=f"{unit}-{floor}-{door}",
        unit=unit,
        unit_label=f"{unit} 单元",
        floor=floor,
        room=f"{unit}-{floor}{door:02}",
        tone=tone,
        character="安",
        words="近一年联系过",
    )


def building(
    *, units: int = 3, floors: int = 9, doors: int = 2, leave_out: frozenset[str] = frozenset()
) -> FacadeSnapshot:
    rooms = [
        room(unit, floor, door, tone=TONES[(unit + floor + door) % 5])
        for unit in range(1, units + 1)
        for floor in range(1, floors + 1)
        for door in range(1, doors + 1)
    ]
    return FacadeSnapshot.arrange("3 号楼", [door for door in rooms if door.household_id not in leave_out])


@pytest.fixture
def facade(qtbot: QtBot) -> Facade:
    made = Facade()
    made.set_snapshot(building())
    made.resize(500, 600)
    qtbot.addWidget(made)
    made.show()
    made.setFocus()
    return made


def test_doors_of_an_irregular_building_have_their_places() -> None:
    snapshot = FacadeSnapshot.arrange(
        "7 号楼", [room(2, 1, 1), room(1, 3, 2), room(1, 1, 1), room(1, 1, 2), room(1, -1, 1), room(2, 3, 3)]
    )
    assert snapshot.floors == (floor_label(3), floor_label(1), "B1")
    assert [unit.columns for unit in snapshot.units] == [2, 2]
    assert [(cell.household_id, cell.row, cell.column) for cell in snapshot.cells] == [
        ("1-3-2", 0, 1),
        ("2-3-3", 0, 3),
        ("1-1-1", 1, 0),
        ("1-1-2", 1, 1),
        ("2-1-1", 1, 2),
        ("1--1-1", 2, 0),
    ]


def test_arrows_walk_over_gaps_and_stop_at_the_edges(facade: Facade, qtbot: QtBot) -> None:
    facade.set_snapshot(building(leave_out=frozenset({"2-5-1", "1-4-2"})))
    facade.set_current("1-5-2")
    for key, expected in (
        (Qt.Key.Key_Right, "2-5-2"),
        (Qt.Key.Key_Left, "1-5-2"),
        (Qt.Key.Key_Down, "1-4-1"),
        (Qt.Key.Key_Up, "1-5-1"),
        (Qt.Key.Key_End, "3-5-2"),
        (Qt.Key.Key_Right, "3-5-2"),
        (Qt.Key.Key_Home, "1-5-1"),
        (Qt.Key.Key_PageDown, "1-1-1"),
        (Qt.Key.Key_Down, "1-1-1"),
        (Qt.Key.Key_PageUp, "1-9-1"),
        (Qt.Key.Key_Up, "1-9-1"),
    ):
        qtbot.keyClick(facade, key)
        assert facade.current == expected, key
    qtbot.keyClick(facade, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    assert facade.current == "3-1-2"
    qtbot.keyClick(facade, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    assert facade.current == "1-9-1"


def test_enter_opens_and_moving_tells(facade: Facade, qtbot: QtBot) -> None:
    opened: list[str] = []
    walked: list[str] = []
    facade.activated.connect(opened.append)
    facade.current_changed.connect(walked.append)
    qtbot.keyClick(facade, Qt.Key.Key_Down)
    qtbot.keyClick(facade, Qt.Key.Key_Return)
    qtbot.keyClick(facade, Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier)
    assert walked == ["1-8-1"]
    assert opened == ["1-8-1", "1-8-1"]


def test_plain_keys_are_typed_only_when_asked_for(facade: Facade, qtbot: QtBot) -> None:
    typed: list[str] = []
    facade.typed.connect(typed.append)
    qtbot.keyClicks(facade, "50")
    assert typed == []
    facade.set_typing(True)
    qtbot.keyClicks(facade, "2+0")
    qtbot.keyClick(facade, Qt.Key.Key_5, Qt.KeyboardModifier.KeypadModifier)
    qtbot.keyClick(facade, Qt.Key.Key_Backspace)
    qtbot.keyClick(facade, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert typed == ["2", "+", "0", "5", BACKSPACE]


def test_the_mouse_chooses_and_a_double_click_opens(facade: Facade, qtbot: QtBot) -> None:
    opened: list[str] = []
    facade.activated.connect(opened.append)
    spot = facade.cell_rect("2-5-1").center()
    qtbot.mouseClick(facade.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert facade.current == "2-5-1"
    qtbot.mouseDClick(facade.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert opened == ["2-5-1"]
    qtbot.mouseClick(facade.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    assert facade.current == "2-5-1"


def test_the_current_door_is_described(facade: Facade) -> None:
    facade.set_current("2-5-1")
    assert facade.accessibleName() == "3 号楼"
    assert facade.accessibleDescription() == "2-501 近一年联系过"


def test_the_ring_stays_on_its_household(facade: Facade) -> None:
    facade.set_current("2-5-1")
    facade.set_snapshot(building(floors=6))
    assert facade.current == "2-5-1"
    facade.set_snapshot(building(floors=4))
    assert facade.current == "1-4-1"
    facade.set_snapshot(FacadeSnapshot.empty("空地"))
    assert facade.current == ""


def test_keys_on_an_empty_building_do_nothing(facade: Facade, qtbot: QtBot) -> None:
    facade.set_snapshot(FacadeSnapshot.empty("空地"))
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_5):
        qtbot.keyClick(facade, key)
    assert facade.current == ""


@pytest.mark.parametrize(("floors", "doors"), [(34, 8), (9, 2), (1, 1)])
def test_room_numbers_stay_readable_by_scrolling(qtbot: QtBot, floors: int, doors: int) -> None:
    facade = Facade()
    qtbot.addWidget(facade)
    facade.resize(500, 500)
    facade.set_snapshot(building(units=1, floors=floors, doors=doors))
    facade.show()
    geometry = facade.facade_geometry
    letters = theme.current().painted_font(theme.HINT_SIZE, scale=geometry.scale)
    assert letters.pixelSize() >= 13
    assert geometry.cell.height() >= 39  # a character of 17 above a room of 13
    last = facade.snapshot.cells[-1].household_id
    facade.set_current(last)
    assert facade.viewport().rect().contains(facade.cell_rect(last))


def test_larger_letters_make_larger_doors(qtbot: QtBot, qapp: QApplication, facade: Facade) -> None:
    before = facade.facade_geometry.cell
    theme.apply(qapp, theme.load(percent=200))
    qtbot.waitUntil(lambda: facade.facade_geometry.cell.height() > before.height())
    assert facade.facade_geometry.scale == pytest.approx(2.0)


def test_each_door_has_the_colour_of_its_state() -> None:
    look = theme.load()
    snapshot = building()
    size = QSize(700, 620)
    geometry = FacadeGeometry.fit(snapshot, size=size, look=look, scale=1.0)
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(QColor(look.colours.card))
    painter = QPainter(image)
    paint_facade(painter, snapshot, QRect(QPoint(0, 0), size), look, geometry=geometry)
    painter.end()
    for cell in snapshot.cells:
        rect = geometry.rect(cell)
        assert image.pixelColor(rect.left() + 7, rect.center().y()).name() == look.cell(cell.tone).fill


def test_paper_holds_the_whole_building_without_colour() -> None:
    look = theme.load()
    snapshot = building(units=2, floors=34, doors=4)
    rect = QRect(40, 40, 500, 700)
    image = QImage(QSize(600, 800), QImage.Format.Format_RGB32)
    image.fill(QColor(look.colours.card))
    painter = QPainter(image)
    paint_facade(painter, snapshot, rect, look, scale=1.0, monochrome=True)
    painter.end()
    geometry = FacadeGeometry.fit(snapshot, size=rect.size(), look=look, scale=1.0, shrink=True)
    assert geometry.width <= rect.width()
    assert geometry.height <= rect.height()
    greys = {image.pixelColor(x, y).saturation() for x in range(0, 600, 3) for y in range(0, 800, 3)}
    ink = QColor(look.colours.ink).saturation()
    assert max(greys) <= max(ink, 40) + 60
    outside = [image.pixelColor(x, y).name() for x in range(600) for y in (10, 780)]
    assert set(outside) == {look.colours.card}


def test_dimmed_doors_keep_their_character_in_readable_letters() -> None:
    look = theme.load()
    cell = FacadeSnapshot.arrange("x", [FacadeRoom("h", 1, "1", 1, "1-101", "red", "急", "", dim=True)]).cells[0]
    paint = cell_paint(cell, look)
    assert paint.fill == look.colours.card
    assert theme.contrast(paint.text, paint.fill) >= 4.5


def test_the_table_is_the_facades_twin(qtbot: QtBot, qtmodeltester: ModelTester) -> None:
    table = FacadeTable()
    qtbot.addWidget(table)
    table.show()
    snapshot = building()
    table.set_snapshot(snapshot)
    qtmodeltester.check(table.model(), force_py=True)
    opened: list[str] = []
    walked: list[str] = []
    table.activated.connect(opened.append)
    table.current_changed.connect(walked.append)
    table.set_current("2-5-1")
    qtbot.keyClick(table, Qt.Key.Key_Return)
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert opened == ["2-5-1"]
    assert walked == ["2-5-1", "2-5-2"]
    assert table.model().rowCount() == len(snapshot.cells)
    table.set_snapshot(snapshot)
    assert table.current == "2-5-2"


def test_rooms_are_written_short_before_doors_would_have_to_scroll(facade: Facade) -> None:
    rooms = [replace(door, short=door.room[2:]) for door in (room(1, 1, n) for n in range(1, 11))]
    facade.set_snapshot(FacadeSnapshot.arrange("1 号楼", rooms))
    facade.resize(900, 400)
    assert not facade.facade_geometry.is_short
    facade.resize(480, 400)
    assert facade.facade_geometry.is_short
    assert facade.facade_geometry.width <= facade.viewport().width()
    assert facade.facade_geometry.cell.width() >= 36
