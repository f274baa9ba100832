"""Tables: ids first, pages of a hundred when looked at, and a model that Qt's own tester accepts at every moment."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop.tasks import Tasks
from desktop.widgets.paged_model import BADGE_ROLE, GONE, ROW_ROLE, WAITING, Column, PagedModel
from desktop.widgets.record_table import RecordTable


@dataclass(frozen=True, slots=True)
class Visit:
    number: int
    note: str


class Shelf:
    """What the read lane owns here: numbered visits, and a memory of how many ids each call asked for."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.calls: list[int] = []
        self.gone: set[str] = set()
        self.version = 1
        self.open = threading.Event()
        self.open.set()

    def ids(self) -> Sequence[str]:
        return [str(number) for number in range(self.count)]

    def rows(self, ids: Sequence[str]) -> Sequence[Visit | None]:
        self.open.wait(10)
        self.calls.append(len(ids))
        return [None if one in self.gone else Visit(int(one), f"note {one} v{self.version}") for one in ids]


Lanes = Tasks[Shelf, Shelf]
COLUMNS = (
    Column[Visit](title="", text=lambda visit: "急", width=48, badge=lambda visit: "red"),
    Column[Visit](title="记录", text=lambda visit: visit.note, sort="note", is_bold=True),
    Column[Visit](title="次数", text=lambda visit: str(visit.number), width=90, is_number=True),
)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(1234)


@pytest.fixture
def lanes(qtbot: QtBot, shelf: Shelf) -> Iterator[Lanes]:
    tasks: Lanes = Tasks(on_failure=lambda error: None)
    tasks.start(open_write=lambda: shelf, open_read=lambda: shelf)
    qtbot.waitUntil(lambda: tasks.is_open)
    yield tasks
    shelf.open.set()
    tasks.close()


def load(model: PagedModel[Shelf, Visit], qtbot: QtBot) -> None:
    with qtbot.waitSignal(model.loaded):
        model.load(ids=lambda shelf: shelf.ids(), rows=lambda shelf, ids: shelf.rows(ids))


def text(model: PagedModel[Shelf, Visit], row: int, column: int = 1) -> str:
    return str(model.data(model.index(row, column)))


def test_the_model_passes_qts_tester_while_rows_arrive(
    lanes: Lanes, shelf: Shelf, qtbot: QtBot, qtmodeltester: ModelTester
) -> None:
    model: PagedModel[Shelf, Visit] = PagedModel(lanes, COLUMNS)
    qtmodeltester.check(model, force_py=True)
    load(model, qtbot)
    assert model.rowCount() == 1234
    assert text(model, 0) == WAITING
    qtbot.waitUntil(lambda: text(model, 0) == "note 0 v1")
    qtmodeltester.check(model, force_py=True)
    assert model.data(model.index(0, 0), BADGE_ROLE) == "red"
    assert model.data(model.index(0, 1), ROW_ROLE) == Visit(0, "note 0 v1")
    assert model.headerData(1, Qt.Orientation.Horizontal) == "记录"


def test_a_page_is_asked_for_once_and_only_when_looked_at(lanes: Lanes, shelf: Shelf, qtbot: QtBot) -> None:
    model: PagedModel[Shelf, Visit] = PagedModel(lanes, COLUMNS)
    load(model, qtbot)
    assert shelf.calls == []
    for row in (0, 1, 99, 1233):
        text(model, row)
    qtbot.waitUntil(lambda: text(model, 1233) == "note 1233 v1" and text(model, 99) == "note 99 v1")
    assert sorted(shelf.calls) == [34, 100]


def test_a_record_that_is_gone_shows_a_dash(lanes: Lanes, shelf: Shelf, qtbot: QtBot) -> None:
    shelf.gone = {"3"}
    model: PagedModel[Shelf, Visit] = PagedModel(lanes, COLUMNS)
    load(model, qtbot)
    text(model, 3)
    qtbot.waitUntil(lambda: text(model, 3) == GONE)


def test_touched_records_are_fetched_again(lanes: Lanes, shelf: Shelf, qtbot: QtBot) -> None:
    model: PagedModel[Shelf, Visit] = PagedModel(lanes, COLUMNS)
    load(model, qtbot)
    text(model, 0)
    qtbot.waitUntil(lambda: text(model, 0) == "note 0 v1")
    shelf.version = 2
    model.forget(frozenset({"500"}))
    assert text(model, 0) == "note 0 v1"
    model.forget(frozenset({"7"}))
    qtbot.waitUntil(lambda: text(model, 0) == "note 0 v2")


def test_rows_of_an_older_list_are_dropped(lanes: Lanes, shelf: Shelf, qtbot: QtBot) -> None:
    model: PagedModel[Shelf, Visit] = PagedModel(lanes, COLUMNS)
    load(model, qtbot)
    shelf.open.clear()
    text(model, 0)
    shelf.count = 5
    model.load(ids=lambda shelf: ["900", "901"], rows=lambda shelf, ids: shelf.rows(ids))
    shelf.open.set()
    qtbot.waitUntil(lambda: model.rowCount() == 2)
    text(model, 0)
    qtbot.waitUntil(lambda: text(model, 0) == "note 900 v1")
    assert model.row_of("901") == 1
    assert model.row_of("0") == -1
    assert model.id_at(7) == ""


def test_the_table_chooses_opens_and_asks_for_an_order(lanes: Lanes, shelf: Shelf, qtbot: QtBot) -> None:
    table = RecordTable("走访", empty="还没有走访")
    qtbot.addWidget(table)
    model: PagedModel[Shelf, Visit] = PagedModel(lanes, COLUMNS, table)
    table.show_model(model)
    table.resize(600, 400)
    table.show()
    opened: list[str] = []
    chosen: list[str] = []
    sorts: list[tuple[str, bool]] = []
    table.activated_id.connect(opened.append)
    table.current_id_changed.connect(chosen.append)
    table.sort_requested.connect(lambda sort, descending: sorts.append((sort, descending)))
    table.select_id("700")
    load(model, qtbot)
    assert table.current_id() == "700"
    qtbot.keyClick(table, Qt.Key.Key_Down)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert chosen == ["700", "701"]
    assert opened == ["701"]
    head = table.horizontalHeader()
    for column in (1, 1, 0):
        spot = head.viewport().rect().topLeft()
        spot.setX(head.sectionViewportPosition(column) + 10)
        spot.setY(10)
        qtbot.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert sorts == [("note", False), ("note", True)]
    qtbot.waitUntil(lambda: lanes.pending == 0)
    assert table.rowHeight(0) >= 44
    model.reload()
    qtbot.waitUntil(lambda: lanes.pending == 0)
    assert table.current_id() == "701"


def test_tab_leaves_the_table(lanes: Lanes, qtbot: QtBot) -> None:
    assert not RecordTable("走访").tabKeyNavigation()
