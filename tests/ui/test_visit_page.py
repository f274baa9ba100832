"""Note a visit: by keyboard alone, drafts that survive, errors beside their field, and bad days of the disk."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from desk import Desk
from desktop.pages.visits.drafting import PAUSE_MS
from desktop.pages.visits.form import VisitDraft
from desktop.pages.visits.page import VisitPage
from sync.domain import operations
from sync.domain.ids import derived_id
from sync.domain.operations import new
from sync.store import drafts, visits
from world import World

TODAY = "2026-11-23"


@pytest.fixture
def desk(qapp: QApplication, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(World(tmp_path), tmp_path)
    made.sit("head3")
    yield made
    made.close()


@pytest.fixture
def page(desk: Desk) -> VisitPage:
    """The form of 3-1-201."""
    made = VisitPage(desk.context)
    desk.show(made, household_id=desk.world.id("b3:201"))
    return made


def rows(desk: Desk, sql: str) -> list[tuple[object, ...]]:
    """What the file holds, read on the reader's own connection."""
    reader = desk.world.reader()
    found = [tuple(row) for row in reader.db.conn.execute(sql).fetchall()]
    reader.close()
    return found


def press(key: str | Qt.Key, *, ctrl: bool = False) -> None:
    """A key to whatever has the focus."""
    target = QApplication.focusWidget()
    assert target is not None
    modifier = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    QTest.keyClick(target, key, modifier)  # type: ignore[call-overload]


def type_note(page: VisitPage, text: str) -> None:
    page.form.note.edit.setFocus()
    page.form.note.edit.insertPlainText(text)


def draft_of(desk: Desk, key: str) -> drafts.Draft | None:
    reader = desk.world.reader()
    found = drafts.find(reader.db, desk.session.viewer, "visits", key)
    reader.close()
    return found


# ---------------------------------------------------------------------------------------------------- saving


def test_a_visit_is_noted_without_the_mouse(desk: Desk, page: VisitPage) -> None:
    assert page.form.title_label.text() == "3-1-201 杨帆"
    assert (page.form.day.value(), page.form.band.value()) == (TODAY, "morning")
    press("1")
    assert page.form.outcome.value() == "met"
    page.form.note.edit.setFocus()
    QTest.keyClicks(page.form.note.edit, "quiet 123")
    assert page.form.outcome.value() == "met"  # digits in a text are text
    page.form.told_box.setFocus()
    press(Qt.Key.Key_Space)
    press("s", ctrl=True)
    desk.settle()
    assert rows(desk, "SELECT outcome, note, time_band FROM visit") == [("met", "quiet 123", "morning")]
    assert rows(desk, "SELECT given_on FROM privacy_notice") == [(TODAY,)]
    assert desk.went == [("visits", {"household_id": desk.world.id("b3:202")})]


def test_the_day_goes_on_to_the_next_household(desk: Desk, page: VisitPage) -> None:
    page.form.day.set_value("2026-11-22")
    page.form.band.set_value("evening")
    press("2")
    page.save()
    desk.settle()
    page.open(household_id=desk.world.id("b3:202"))
    desk.settle()
    assert (page.form.day.value(), page.form.band.value(), page.form.outcome.value()) == ("2026-11-22", "evening", "")


def choose(page: VisitPage, code: str) -> None:
    category = page.form.demand_form.category
    category.setCurrentIndex(category.findData(code))


def test_a_list_to_follow_and_its_end(desk: Desk, page: VisitPage) -> None:
    page.open(household_id=desk.world.id("b3:102"), queue=(desk.world.id("b3:301"),))
    desk.settle()
    press("2")
    page.save()
    desk.settle()
    assert desk.went[-1] == ("visits", {"household_id": desk.world.id("b3:301"), "queue": ()})
    page.open(household_id=desk.world.id("b3:102"))
    desk.settle()
    press("2")
    page.save()
    desk.settle()
    assert desk.went[-1] == ("visits", {})  # the last door of the building


def test_a_matter_is_added_by_keyboard(desk: Desk, page: VisitPage) -> None:
    press("1")
    press("d", ctrl=True)
    form = page.form.demand_form
    assert form.isVisible()
    QTest.keyClicks(form.title, "no heating")
    form.category.setFocus()
    QTest.keyClicks(form.category, "02")
    assert form.category.currentData() == "02"
    assert page.form.outcome.value() == "met"  # the digits looked up a category
    assert form.urgency.value() == "coordinated"
    sign = form._sign_box.itemAt(0)
    assert sign is not None
    sign.widget().click()
    assert form.urgency.value() == "urgent"
    form.title.setFocus()
    press(Qt.Key.Key_Return)
    assert not form.isVisible()
    assert [demand.title for demand in page.form.intent().demands] == ["no heating"]
    page.form.told_box.setChecked(True)
    page.save()
    desk.settle()
    assert rows(desk, "SELECT title, urgency, category FROM demand") == [("no heating", "urgent", "02")]
    assert "1" in page.bar._hint.text()


def test_a_matter_still_open_is_taken_along(desk: Desk, page: VisitPage) -> None:
    press("1")
    page.form.told_box.setChecked(True)
    page.form.add_demand()
    page.form.demand_form.title.setText("楼道灯不亮")
    choose(page, "05")
    page.save()
    desk.settle()
    assert rows(desk, "SELECT title FROM demand") == [("楼道灯不亮",)]


def test_an_empty_matter_is_no_hindrance(desk: Desk, page: VisitPage) -> None:
    press("2")
    page.form.add_demand()
    page.save()
    desk.settle()
    assert rows(desk, "SELECT count(*) FROM visit") == [(1,)]


def test_a_matter_needs_its_line(page: VisitPage) -> None:
    page.form.add_demand()
    form = page.form.demand_form
    form.take.click()
    assert "什么事" in form.form.error_of("title")
    form.title.setText("长" * 101)
    form.take.click()
    assert "100" in form.form.error_of("title")
    form.title.setText("水管漏水")
    form.take.click()
    assert form.form.error_of("category") == "请从列出的类别里选一个"
    assert form.category.hasFocus()
    assert form.category.currentText() == ""
    assert page.form.intent().demands == ()
    press(Qt.Key.Key_Escape)
    assert not form.isVisible()
    assert page.form.intent().demands == ()


def test_a_matter_can_be_taken_off(page: VisitPage) -> None:
    page.form.add_demand()
    page.form.demand_form.title.setText("楼道灯不亮")
    choose(page, "05")
    page.form.demand_form.danger.setChecked(True)
    page.form.demand_form.take.click()
    (intent,) = page.form.intent().demands
    assert intent.life_safety
    off = next(button for button in page.form.demands.findChildren(QPushButton) if "去掉" in button.text())
    off.click()
    assert page.form.intent().demands == ()


def test_what_was_said_goes_to_the_station(desk: Desk, page: VisitPage) -> None:
    press("1")
    type_note(page, "屋里只有 15 度\n物业没修好")
    page.station_button.click()
    assert page.form.demand_form.title.text() == "屋里只有 15 度 物业没修好"
    choose(page, "02")
    page.form.demand_form.take.click()
    page.form.told_box.setChecked(True)
    page.station_button.click()
    desk.settle()
    assert rows(desk, "SELECT title FROM demand") == [("屋里只有 15 度 物业没修好",)]


def test_the_sign_of_a_dispute(desk: Desk, page: VisitPage) -> None:
    press("2")
    page.form.dispute_button.click()
    page.save()
    assert "什么事" in page.form.dispute.form.error_of("title")
    page.form.dispute.title.setText("争" * 101)
    page.save()
    assert "100" in page.form.dispute.form.error_of("title")
    page.form.dispute.title.setText("楼上漏水吵起来")
    page.save()
    desk.settle()
    assert rows(desk, "SELECT title, state, category FROM dispute") == [("楼上漏水吵起来", "noticed", "02")]


def test_a_dispute_can_be_left_out_with_escape(page: VisitPage) -> None:
    page.form.dispute_button.click()
    page.form.dispute.title.setText("没事了")
    press(Qt.Key.Key_Escape)
    assert page.form.intent().dispute is None
    assert not page.form.dispute.isVisible()


def test_changed_details_lead_to_the_card(desk: Desk, page: VisitPage) -> None:
    press("5")
    page.form.change_button.click()
    page.form.changes.button_of("moved_out").click()
    page.form.person_button.click()
    page.form.person.setText("邻居")
    page.save()
    desk.settle()
    assert rows(desk, "SELECT change_flags, contact_person FROM visit") == [('["moved_out"]', "邻居")]
    notice = desk.notices[-1]
    assert notice.action is not None
    notice.action()
    assert desk.went[-1] == ("households", {"household_id": desk.world.id("b3:201")})


def test_another_time_asks_for_the_day(desk: Desk, page: VisitPage) -> None:
    press("6")
    assert page.form.appointment.hasFocus()
    page.form.appointment.setText("什么")
    page.save()
    assert page.form.form.error_of("appointment_on")
    page.form.appointment.setText("2026-11-25")
    page.save()
    desk.settle()
    assert rows(desk, "SELECT appointment_on, next_due_on FROM visit") == [("2026-11-25", "2026-11-25")]


# ---------------------------------------------------------------------------------------------------- errors


def test_errors_stand_beside_their_field(desk: Desk, page: VisitPage) -> None:
    page.save()
    assert "1 到 6" in page.form.form.error_of("outcome")
    press("1")
    page.form.day.setText("2026-11-24")
    page.save()
    assert page.form.form.error_of("visited_on")
    page.form.day.set_value("2026-11-01")
    page.form.day.changed.emit()
    assert page.form.late.isVisible()
    page.save()
    desk.settle()
    assert "7" in page.form.form.error_of("late_reason")
    page.form.late.setText("住院")
    type_note(page, "都好")
    page.save()
    desk.settle()
    assert page.form.form.error_of("notice_given")
    assert rows(desk, "SELECT count(*) FROM visit") == [(0,)]
    page.form.told_box.setChecked(True)
    page.save()
    desk.settle()
    assert rows(desk, "SELECT visited_on, late_reason FROM visit") == [("2026-11-01", "住院")]


def test_ten_thousand_characters_are_kept_and_not_saved(desk: Desk, page: VisitPage) -> None:
    press("1")
    page.form.told_box.setChecked(True)
    type_note(page, "话" * 9_999 + "𬱖")
    page.save()
    desk.settle()
    assert not page.form.note.is_within_limit  # the field says by how much, and that nothing is lost
    assert page.form.note.edit.hasFocus()
    assert len(page.form.note.text()) == 10_000
    assert rows(desk, "SELECT count(*) FROM visit") == [(0,)]


def test_a_full_disk_costs_nothing(desk: Desk, page: VisitPage) -> None:
    press("1")
    page.form.told_box.setChecked(True)
    type_note(page, "满" * 1900)
    db = desk.world.store.db.conn
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")
    for _ in range(40):  # until what was free inside the file is used up
        page.save()
        desk.settle()
        if desk.notices:
            break
        page.open(household_id=desk.world.id("b3:201"))
        desk.settle()
        press("1")
        type_note(page, "满" * 1900)
    notice = desk.notices[-1]
    assert "满" in notice.title
    assert notice.action is not None
    assert page.form.note.text() == "满" * 1900
    assert page.save_button.isEnabled()
    saved = rows(desk, "SELECT count(*) FROM visit")[0][0]
    db.execute("PRAGMA max_page_count = 1000000")
    notice.action()
    desk.settle()
    assert rows(desk, "SELECT count(*) FROM visit") == [(int(str(saved)) + 1,)]


def test_a_household_of_another_building_is_not_opened(desk: Desk, page: VisitPage) -> None:
    page.open(household_id=desk.world.id("b1:201"))
    desk.settle()
    assert desk.notices
    assert desk.went == [("visits", {})]


# ---------------------------------------------------------------------------------------------------- drafts


def test_a_crash_costs_nothing_and_comes_back_to_the_very_field(desk: Desk, page: VisitPage) -> None:
    press("1")
    type_note(page, "写到一半")
    page.form.note.edit.moveCursor(page.form.note.edit.textCursor().MoveOperation.Left)
    household = desk.world.id("b3:201")
    QTest.qWait(PAUSE_MS + 50)
    desk.settle()
    assert draft_of(desk, household) is not None
    page.hide()
    later = VisitPage(desk.context)
    desk.show(later, household_id=household)
    assert later.form.note.text() == "写到一半"
    assert later.form.outcome.value() == "met"
    assert later.form.note.edit.hasFocus()
    assert later.form.note.edit.textCursor().position() == 3
    assert "接着" in later.bar._hint.text()


def test_leaving_keeps_the_last_letter(desk: Desk, page: VisitPage) -> None:
    type_note(page, "还没")
    page.form.add_demand()
    page.form.demand_form.title.setText("灯")
    page.leave()
    desk.settle()
    found = draft_of(desk, desk.world.id("b3:201"))
    assert found is not None
    kept = msgspec.json.decode(found.body, type=VisitDraft)
    assert (kept.intent.note, kept.pending.title if kept.pending else "") == ("还没", "灯")
    page.open(household_id=desk.world.id("b3:201"))
    desk.settle()
    assert page.form.demand_form.title.text() == "灯"


def test_a_page_built_anew_finds_what_was_typed_a_moment_ago(desk: Desk, page: VisitPage) -> None:
    type_note(page, "刚写的")
    page.leave()
    again = VisitPage(desk.context)
    desk.show(again, household_id=desk.world.id("b3:201"))
    assert again.form.note.text() == "刚写的"


def test_a_saved_or_emptied_form_leaves_no_draft(desk: Desk, page: VisitPage) -> None:
    household = desk.world.id("b3:201")
    type_note(page, "x")
    page.leave()
    desk.settle()
    page.form.note.edit.clear()
    page.leave()
    desk.settle()
    assert draft_of(desk, household) is None
    page.form.outcome.setFocus()
    press("2")
    type_note(page, "x")
    page.leave()
    desk.settle()
    page.save()
    desk.settle()
    assert draft_of(desk, household) is None


def test_a_draft_that_cannot_be_read_is_passed_over(desk: Desk, page: VisitPage) -> None:
    household, me = desk.world.id("b3:202"), desk.session.account_id
    desk.tasks.write(None, lambda store: drafts.keep(store, me, "visits", household, b"{}"))
    desk.settle()
    page.open(household_id=household)
    desk.settle()
    assert page.form.intent().outcome == ""


def test_what_was_left_is_offered_and_can_be_thrown_away(desk: Desk, page: VisitPage) -> None:
    type_note(page, "还没写完")
    page.aside_button.click()
    page.leave()
    page.open()
    desk.settle()
    offered = {button.text(): button for button in page.start.findChildren(QPushButton)}
    offered["接着记"].click()
    assert desk.went[-1] == ("visits", {"household_id": desk.world.id("b3:201")})
    offered["不要了"].click()
    desk.settle()
    assert draft_of(desk, desk.world.id("b3:201")) is None


def test_a_draft_that_finds_no_room_says_so(desk: Desk, page: VisitPage) -> None:
    db = desk.world.store.db.conn
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    type_note(page, "满" * 200_000)
    page.leave()
    desk.settle()
    assert "屏幕" in page.bar._hint.text()
    db.execute("PRAGMA max_page_count = 1000000")
    page.leave()
    desk.settle()
    assert draft_of(desk, desk.world.id("b3:201")) is not None


# ---------------------------------------------------------------------------------------------------- around it


def test_the_start_finds_households_and_takes_back_todays(desk: Desk, page: VisitPage) -> None:
    press("2")
    page.save()
    desk.settle()
    page.open()
    desk.settle()
    assert not page.bar.isVisible()
    QTest.keyClicks(page.start.search, "202")
    desk.settle()
    assert [result.place for result in page.start.search.results] == ["3-1-202"]
    press(Qt.Key.Key_Return)
    assert desk.went[-1] == ("visits", {"household_id": desk.world.id("b3:202")})
    buttons = {button.text(): button for button in page.start.findChildren(QPushButton)}
    buttons["改回去"].click()
    desk.settle()
    assert rows(desk, "SELECT count(*) FROM visit WHERE deleted = 0") == [(0,)]
    page.start.batch_button.click()
    page.start.print_button.click()
    assert desk.went[-2:] == [("batch", {}), ("batch", {"print": True})]


def test_the_last_one_can_be_changed_back_in_place(desk: Desk, page: VisitPage) -> None:
    press("2")
    page.save()
    desk.settle()
    assert "3-1-201" in page.undo_button.words
    page.undo_button.click()
    desk.settle()
    assert rows(desk, "SELECT count(*) FROM visit WHERE deleted = 0") == [(0,)]
    assert not page.undo_button.isVisible()


def test_a_visit_of_today_is_put_right(desk: Desk, page: VisitPage) -> None:
    press("2")
    page.save()
    desk.settle()
    (visit_id,) = rows(desk, "SELECT id FROM visit")[0]
    page.open(household_id=desk.world.id("b3:201"), visit_id=str(visit_id))
    desk.settle()
    assert page.form.outcome.value() == "no_answer"
    page.form.outcome.button_of("refused").click()
    page.save()
    desk.settle()
    assert rows(desk, "SELECT outcome FROM visit") == [("refused",)]
    assert desk.went[-1] == ("visits", {})


def test_what_was_noted_before_stands_beside_the_form(desk: Desk, page: VisitPage) -> None:
    campaign = new("visit_campaign", derived_id("c"), name="七进", rounds=("一进楼栋",), state="open")
    due = operations.new(
        "care_due", derived_id("d"), household_id=desk.world.id("b3:202"), building_id=desk.world.id("b3"), due_on=TODAY
    )
    desk.world.store.seed([campaign, due])
    household, head, grid = desk.world.id("b3:202"), desk.world.as_("head3"), desk.world.as_("grid")
    intent = visits.VisitIntent(household_id=household, reasons=("campaign", "due"))
    told = visits.VisitIntent(household_id=household, note="都好", notice_given=True)
    desk.tasks.write(None, lambda store: visits.record(store, head, intent))
    desk.tasks.write(None, lambda store: visits.record(store, grid, told))
    desk.settle()
    page.open(household_id=household)
    desk.settle()
    said = [frame.accessibleName() for frame in page.past.timeline.children() if hasattr(frame, "accessibleName")]
    assert said == ["11-23 别人记的：见到了", "11-23 一进楼栋 该走访了 见到了 · 没有新事"]
    assert page.form.reasons.values() == ("due", "campaign")
    assert "11-23" in page.form.told_line.text()
    assert "010-55550110" in page.harm.phone.text()
    desk.sit("staff")
    page.reload()
    desk.settle()
    said = [frame.accessibleName() for frame in page.past.timeline.children() if hasattr(frame, "accessibleName")]
    assert said[0].endswith("都好")


def test_a_report_is_written_and_the_visit_goes_on(desk: Desk, page: VisitPage) -> None:
    page.harm.report_button.click()
    page.report.save.click()
    assert page.report.form.error_of("facts")
    page.report.day.setText("2026-12-01")
    page.report.save.click()
    assert page.report.form.error_of("seen_on")
    page.report.day.set_value(TODAY)
    page.report.facts.edit.setPlainText("孩子手臂有伤")
    page.report.reported_to.button_of("police").click()
    page.report.save.click()
    desk.settle()
    assert rows(desk, "SELECT facts, reported_to, household_id FROM protection_report") == [
        ("孩子手臂有伤", "police", desk.world.id("b3:201"))
    ]
    assert "110" in desk.notices[-1].advice
    assert page.form.isVisible()


def test_a_report_that_is_too_long_says_so(desk: Desk, page: VisitPage) -> None:
    page.harm.report_button.click()
    page.report.facts.edit.setPlainText("长" * 2001)
    page.report.save.click()
    desk.settle()
    assert page.report.form.error_of("facts")
    assert rows(desk, "SELECT count(*) FROM protection_report") == [(0,)]


def test_nothing_personal_stays_when_the_screen_is_left(desk: Desk, page: VisitPage) -> None:
    type_note(page, "秘密")
    page.leave()
    page.forget()
    desk.settle()
    assert page.start.isVisible()
    assert "秘密" not in page.form.note.text()
    assert page.form.title_label.text() == ""
    assert draft_of(desk, desk.world.id("b3:201")) is not None


def test_what_was_wrong_goes_away_when_it_is_put_right(desk: Desk, page: VisitPage) -> None:
    press("1")
    page.form.day.selectAll()
    page.form.day.setText("2026-11-01")
    page.form.day.changed.emit()
    page.form.told_box.setChecked(True)
    page.save()
    desk.settle()
    assert page.form.form.error_of("late_reason") != ""
    page.form.late.setText("住院了")
    page.form.late.textEdited.emit("住院了")
    assert page.form.form.error_of("late_reason") == ""


def test_a_report_that_was_begun_is_still_there_and_goes_when_one_leaves(desk: Desk, page: VisitPage) -> None:
    page.harm.report_button.click()
    page.report.facts.edit.insertPlainText("孩子胳膊上有伤")
    page._back_from_report()
    page.harm.report_button.click()
    assert page.report.facts.text() == "孩子胳膊上有伤"
    page.report.save.click()
    page.report.save.click()  # pressed twice is saved once
    desk.settle()
    assert rows(desk, "SELECT count(*) FROM outbox WHERE kind = 'protection_report'") == [(1,)]
    page.harm.report_button.click()
    page.report.facts.edit.insertPlainText("第二份")
    page.forget()
    assert page.report.facts.text() == ""
