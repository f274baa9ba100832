"""Key in a building: one key a door, saved one by one, taken back, filled, found by room and by the sheet's code."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from desk import Desk
from desktop.pages.visits.batch import BatchPage
from desktop.pages.visits.print_sheets import PrintDialog
from sync.domain.door_sheets import SheetIntent
from sync.domain.ids import derived_id
from sync.domain.operations import new, patch
from sync.store import sheets
from world import World

WALK = ("301", "302", "201", "202", "101", "102")


@pytest.fixture
def desk(qapp: QApplication, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(World(tmp_path), tmp_path)
    made.sit("head3")
    yield made
    made.close()


@pytest.fixture
def page(desk: Desk) -> BatchPage:
    made = BatchPage(desk.context)
    desk.show(made)
    return made


def saved(desk: Desk) -> list[tuple[str, str]]:
    """(room, outcome) of what is on disk, in the order in which it was recorded."""
    reader = desk.world.reader()
    found = reader.db.conn.execute(
        "SELECT h.room_no, v.outcome FROM visit v JOIN household h ON h.id = v.household_id WHERE v.deleted = 0"
        " ORDER BY v.hlc"
    ).fetchall()
    reader.close()
    return [(room, outcome) for room, outcome in found]


def ring(page: BatchPage) -> str:
    door = page.marks.door(page.facade.current)
    return door.room_no if door else ""


def keys(page: BatchPage, typed: str) -> None:
    QTest.keyClicks(page.facade, typed)


def test_one_key_a_door_and_each_is_saved(desk: Desk, page: BatchPage) -> None:
    assert page.facade.hasFocus()
    assert ring(page) == "301"
    keys(page, "123456")
    assert page.marks.pending or "都存好了" in page.card.hint_label.text()
    desk.settle()
    assert saved(desk) == list(
        zip(WALK, ("met", "no_answer", "refused", "vacant", "moved_away", "by_appointment"), strict=True)
    )
    assert "已记 6 / 6" in page.card.hint_label.text()
    assert "都存好了" in page.card.hint_label.text()
    assert not page.fill_button.isEnabled()
    assert page.hint() == "3号楼 · 今天上午"


def test_the_doors_have_the_room_that_there_is(page: BatchPage) -> None:
    assert page.facade.height() > 0.7 * page.card.height()


def test_the_number_pad_works(desk: Desk, page: BatchPage) -> None:
    QTest.keyClick(page.facade, Qt.Key.Key_2, Qt.KeyboardModifier.KeypadModifier)
    desk.settle()
    assert saved(desk) == [("301", "no_answer")]


def test_the_buttons_do_the_same(desk: Desk, page: BatchPage) -> None:
    page.door_card.outcomes.button_of("refused").click()
    assert page.facade.hasFocus()
    desk.settle()
    assert saved(desk) == [("301", "refused")]


def test_a_second_key_puts_the_first_right(desk: Desk, page: BatchPage) -> None:
    keys(page, "2")
    QTest.keyClick(page.facade, Qt.Key.Key_Left)
    page.facade.set_current(desk.world.id("b3:301"))
    keys(page, "1")
    desk.settle()
    assert saved(desk) == [("301", "met")]


def test_backspace_takes_back_key_by_key(desk: Desk, page: BatchPage) -> None:
    keys(page, "21")
    page.facade.set_current(desk.world.id("b3:301"))
    keys(page, "3")
    QTest.keyClick(page.facade, Qt.Key.Key_Backspace)
    desk.settle()
    assert (saved(desk), ring(page)) == ([("301", "no_answer"), ("302", "met")], "301")
    QTest.keyClick(page.facade, Qt.Key.Key_Backspace)
    QTest.keyClick(page.facade, Qt.Key.Key_Backspace)
    desk.settle()
    assert saved(desk) == []
    QTest.keyClick(page.facade, Qt.Key.Key_Backspace)
    assert "走访" in page.door_card._wrong.text()


def test_the_rest_is_filled_after_a_look(desk: Desk, page: BatchPage) -> None:
    desk.world.store.seed([])
    vacant = patch("household", desk.world.id("b3:102"), occupancy="vacant")
    desk.tasks.write(None, lambda store: store.save(store.act(desk.world.as_("head3")), [vacant]))
    desk.settle()
    page.reload()
    desk.settle()
    keys(page, "1")
    page.fill_button.click()
    assert page.fill_panel.isVisible()
    assert "4" in page.fill_panel._said.text()
    assert "1" in page.fill_panel._said.text()
    desk.settle()
    assert saved(desk) == [("301", "met")]  # nothing is written by looking
    QTest.keyClick(page.fill_panel.yes, Qt.Key.Key_Escape)
    assert not page.fill_panel.isVisible()
    page.fill_button.click()
    QTest.keyClick(page.fill_panel.yes, Qt.Key.Key_Return)
    desk.settle()
    assert saved(desk) == [("301", "met"), *((room, "no_answer") for room in ("302", "201", "202", "101"))]
    QTest.keyClick(page.facade, Qt.Key.Key_Backspace)
    desk.settle()
    assert saved(desk) == [("301", "met")]


@pytest.mark.parametrize("typed", ["201", "1-201", "3-1-201", "2０1"])
def test_a_room_is_found_as_it_is_typed(page: BatchPage, typed: str) -> None:
    keys(page, "/")
    assert page.door_card.jump.hasFocus()
    page.door_card.jump.setText(typed)
    QTest.keyClick(page.door_card.jump, Qt.Key.Key_Return)
    assert ring(page) == "201"
    assert page.facade.hasFocus()


def test_a_room_that_is_not_here(page: BatchPage) -> None:
    for typed in ("999", "2-201", "楼下", ""):
        page.jump(typed)
        assert "这一户" in page.door_card._wrong.text()
    keys(page, ".")
    QTest.keyClick(page.door_card.jump, Qt.Key.Key_Escape)
    assert page.facade.hasFocus()
    assert ring(page) == "301"


def notes_on_disk(desk: Desk) -> list[str]:
    reader = desk.world.reader()
    found = [row[0] for row in reader.db.conn.execute("SELECT note FROM visit WHERE deleted = 0 ORDER BY hlc")]
    reader.close()
    return found


def test_a_line_goes_with_the_key_to_come_or_with_the_mark(desk: Desk, page: BatchPage) -> None:
    keys(page, "0")
    assert page.door_card.note.hasFocus()
    page.door_card.note.setText("在装修")
    QTest.keyClick(page.door_card.note, Qt.Key.Key_Return)
    assert "在装修" in page.door_card.hint_label.text()
    assert saved(desk) == []
    keys(page, "2")
    page.facade.set_current(desk.world.id("b3:301"))
    keys(page, "0")
    page.door_card.note.setText("在装修，晚上来")
    QTest.keyClick(page.door_card.note, Qt.Key.Key_Return)
    desk.settle()
    assert notes_on_disk(desk) == ["在装修，晚上来"]
    page.facade.set_current(desk.world.id("b3:302"))
    page.keying.note(page.facade.current, "x", told=False)
    page.keying.note(page.facade.current, "", told=False)
    assert page.keying.notes == {}


def test_what_somebody_said_asks_whether_the_household_was_told(desk: Desk, page: BatchPage) -> None:
    keys(page, "0")
    assert page.door_card.told.isVisible()
    page.door_card.note.setText("屋里冷")
    QTest.keyClick(page.door_card.note, Qt.Key.Key_Return)
    keys(page, "1")
    desk.settle()
    assert saved(desk) == []
    assert ring(page) == "301"
    assert page.door_card.note.text() == "屋里冷"  # nothing typed is lost
    assert "打勾" in page.door_card._wrong.text()
    page.door_card.told.setChecked(True)
    QTest.keyClick(page.door_card.note, Qt.Key.Key_Return)
    keys(page, "1")
    desk.settle()
    assert notes_on_disk(desk) == ["屋里冷"]
    page.facade.set_current(desk.world.id("b3:301"))
    keys(page, "0")
    assert not page.door_card.told.isVisible()


def test_a_matter_at_the_door(desk: Desk, page: BatchPage) -> None:
    keys(page, "+")
    form = page.matter_panel.form
    assert form.title.hasFocus()
    form.title.setText("暖气不热")
    form.take.click()
    assert form.form.error_of("category")
    form.category.setCurrentIndex(form.category.findData("02"))
    form.take.click()
    assert page.matter_panel._wrong.text()  # the household was not told yet
    page.matter_panel.told.setChecked(True)
    form.take.click()
    desk.settle()
    assert saved(desk) == [("301", "met")]
    assert ring(page) == "302"
    page.facade.set_current(desk.world.id("b3:301"))
    keys(page, "+")
    assert not page.matter_panel.told.isVisible()
    assert form.category.currentIndex() == -1
    form.title.setText("水压低")
    form.category.setCurrentIndex(form.category.findData("02"))
    form.take.click()
    desk.settle()
    reader = desk.world.reader()
    titles = [row[0] for row in reader.db.conn.execute("SELECT title FROM demand ORDER BY hlc")]
    reader.close()
    assert titles == ["暖气不热", "水压低"]
    keys(page, "+")
    QTest.keyClick(form.title, Qt.Key.Key_Escape)
    assert page.facade.hasFocus()


def test_a_key_that_could_not_be_saved_is_taken_off_again(desk: Desk, page: BatchPage) -> None:
    db = desk.world.store.db.conn
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    for place in range(60):
        page.facade.set_current(desk.world.id("b3:301"))
        page.keying.note(page.facade.current, f"{place}" + "满" * 1900, told=True)
        keys(page, "12"[place % 2])
        desk.settle()
        if desk.notices:
            break
    assert "满" in desk.notices[-1].title
    assert "都存好了" in page.card.hint_label.text()
    db.execute("PRAGMA max_page_count = 1000000")
    page.reload()
    desk.settle()
    on_disk = dict(saved(desk))
    shown = {page.marks.door(home).room_no: mark for home, mark in page.marks.marks.items()}  # type: ignore[union-attr]
    assert shown == on_disk


def test_yesterdays_sheet_begins_at_its_first_door(desk: Desk, page: BatchPage) -> None:
    world, head = desk.world, desk.world.as_("head3")
    ids = tuple(world.id(f"b3:{room}") for room in ("202", "101", "102"))
    made: list[sheets.Made] = []
    intent = SheetIntent(building_id=world.id("b3"), household_ids=ids)
    desk.tasks.write(None, lambda store: sheets.make(store, head, intent), made.append)
    desk.settle()
    world.clock.forward(days=1)
    code = made[0].sheets[0].code
    page.sheet_card.code.setText(code.lower().replace("-", " "))
    QTest.keyClick(page.sheet_card.code, Qt.Key.Key_Return)
    desk.settle()
    assert ring(page) == "202"
    assert page.sheet_card.code.text() == code
    assert page.occasion.day.value() == "2026-11-23"
    keys(page, "12")
    desk.settle()
    assert saved(desk) == [("202", "met"), ("101", "no_answer")]
    assert "已记 2 / 3" in page.card.hint_label.text()
    page.sheet_card.whole.click()
    assert "已记 2 / 6" in page.card.hint_label.text()


def test_a_wrong_number_is_told_beside_the_field(desk: Desk, page: BatchPage) -> None:
    page.sheet_card.code.setText("3X-20K8")
    QTest.keyClick(page.sheet_card.code, Qt.Key.Key_Return)
    desk.settle()
    assert page.sheet_card._wrong.text()
    QTest.keyClick(page.sheet_card.code, Qt.Key.Key_Escape)
    assert page.facade.hasFocus()


def test_another_day_and_band_have_their_own_marks(desk: Desk, page: BatchPage) -> None:
    keys(page, "1")
    desk.settle()
    page.occasion.band.button_of("evening").click()
    desk.settle()
    assert page.marks.marks == {}
    page.occasion.day.setText("11-01")
    page.occasion.day.changed.emit()
    desk.settle()
    page.facade.setFocus()
    keys(page, "2")
    assert page.marks.marks == {}
    assert page.occasion.late.hasFocus()
    page.occasion.late.setText("住院")
    page.facade.setFocus()
    keys(page, "2")
    desk.settle()
    assert saved(desk) == [("301", "met"), ("301", "no_answer")]
    page.occasion.day.setText("2026-11-24")
    page.occasion.day.changed.emit()
    page.fill_button.click()
    assert not page.fill_panel.isVisible()


def test_who_has_several_buildings_chooses_one(desk: Desk) -> None:
    desk.sit("grid")
    page = BatchPage(desk.context)
    desk.show(page, building_id=desk.world.id("b3"))
    assert page.occasion.building.isVisible()
    assert page.marks.name == "3号楼"
    page.occasion.building.setCurrentIndex(0)
    page.occasion.building.activated.emit(0)
    desk.settle()
    assert page.marks.name == "1号楼"
    page.facade.activated.emit(page.facade.current)
    assert desk.went[-1] == ("visits", {"household_id": desk.world.id("b1:301")})


def test_who_has_no_building_is_told(desk: Desk) -> None:
    desk.sit("mediator")
    page = BatchPage(desk.context)
    desk.show(page)
    assert "书记" in page.no_doors.findChildren(QLabel)[0].text()
    assert not page.facade.isVisible()
    page.no_doors.next.click()
    assert desk.went[-1][0] == "sync"
    page.undo()
    page.key("met")


def test_doors_that_do_not_open_stand_beside_it(desk: Desk, page: BatchPage) -> None:
    assert not page.hard_card.isVisible()
    for band in ("morning", "afternoon", "evening"):
        page.occasion.band.button_of(band).click()
        desk.settle()
        for room in ("301", "302", "201"):
            page.facade.set_current(desk.world.id(f"b3:{room}"))
            page.key("no_answer")
        desk.settle()
    page.reload()
    desk.settle()
    said = [label.text() for label in page.hard_card.findChildren(type(page.hard_card.title_label))]
    assert "3-1-301" in said
    assert "上午、下午、晚上都没人" in said
    assert "还有 1 户" in said


def test_nothing_stays_when_the_screen_is_left(page: BatchPage) -> None:
    page.forget()
    assert page.facade.snapshot.cells == ()
    assert page.hint() == ""


def test_the_round_is_named_and_its_doors_can_be_printed_alone(desk: Desk, tmp_path: Path) -> None:
    campaign = new(
        "visit_campaign", derived_id("c"), name="七进", rounds=("一进", "二进楼栋"), open_round=2, state="open"
    )
    desk.world.store.seed([campaign])
    page = BatchPage(desk.context)
    desk.show(page)
    keys(page, "1")
    desk.settle()
    assert page.hint() == "3号楼 · 二进楼栋 · 今天上午"
    page.open(print=True)
    desk.settle()
    dialog = page.findChild(PrintDialog)
    assert isinstance(dialog, PrintDialog)
    assert dialog.which.values() == ("open",)
    assert "5" in dialog.count.text()
    dialog.which.button_of("all").click()
    assert "6" in dialog.count.text()
    dialog.print_button.click()
    desk.settle()
    assert (tmp_path / "printed.pdf").read_bytes().startswith(b"%PDF")
    assert "1" in desk.notices[-1].title
    assert not dialog.isVisible()


def test_without_a_printer_the_sheets_go_into_a_file(desk: Desk, page: BatchPage, tmp_path: Path) -> None:
    desk.answers.has_printer = False
    page.sheet_card.print_button.click()
    desk.settle()
    dialog = page.findChild(PrintDialog)
    assert isinstance(dialog, PrintDialog)
    dialog.print_button.click()
    desk.settle()
    assert (tmp_path / "敲门单 3号楼 2026-11-23.pdf").read_bytes().startswith(b"%PDF")


def test_a_sheet_that_cannot_be_written_says_so(desk: Desk, page: BatchPage) -> None:
    desk.answers.folder = Path("/proc")
    page.sheet_card.print_button.click()
    desk.settle()
    dialog = page.findChild(PrintDialog)
    assert isinstance(dialog, PrintDialog)
    dialog.file_button.click()
    desk.settle()
    assert dialog.isVisible()
    assert dialog.print_button.isEnabled()
    dialog.reject()


def test_the_station_is_led_to_its_first_building(desk: Desk) -> None:
    desk.sit("staff")
    page = BatchPage(desk.context)
    page.no_doors.begin()
    page.no_doors.next.click()
    assert desk.went[-1] == ("households", {"new_building": True})


def test_a_wrong_number_says_where_it_stands_and_goes_away_with_esc(desk: Desk, page: BatchPage) -> None:
    page.sheet_card.code.setFocus()
    QTest.keyClicks(page.sheet_card.code, "9z-9999")
    QTest.keyClick(page.sheet_card.code, Qt.Key.Key_Return)
    desk.settle()
    said = [made.text() for made in page.sheet_card.findChildren(QLabel) if made.isVisible()]
    assert any("没有这个号的敲门单" in text and "右上角" in text for text in said)
    QTest.keyClick(page.sheet_card.code, Qt.Key.Key_Escape)
    assert page.sheet_card.code.text() == ""
    assert page.facade.hasFocus()


def test_enter_in_the_reason_goes_back_to_the_doors(page: BatchPage) -> None:
    page.occasion.day.setFocus()
    page.occasion.day.selectAll()
    QTest.keyClicks(page.occasion.day, "2026-11-01")
    QTest.keyClick(page.occasion.day, Qt.Key.Key_Return)
    assert page.occasion.late.hasFocus()
    page.occasion.late.setText("住院了")
    QTest.keyClick(page.occasion.late, Qt.Key.Key_Return)
    assert page.facade.hasFocus()
