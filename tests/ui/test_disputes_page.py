"""Small disputes on the screen: a head's four taps, errors beside the field, drafts, what the station may do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QPushButton, QWidget

from desk import Desk
from desktop import theme
from desktop.pages.disputes.form import NoticeForm
from desktop.pages.disputes.page import DisputesPage
from desktop.pages.disputes.steps import FIELDS, StepForm
from desktop.widgets.option_row import OptionRow
from desktop.widgets.text_area import TextArea
from desktop.words.disputes import METHODS, MOVES, SIGNS, STATES, STEPS
from sync.domain import dispute_flow
from sync.domain.dispute_moves import DisputeMove
from sync.domain.disputes import NoticeIntent
from sync.domain.ids import derived_id
from sync.domain.kinds.disputes import RISK_SIGNS
from sync.domain.kinds.disputes import STATES as ALL_STATES
from sync.domain.operations import new
from sync.errors import StoreError
from sync.store import disputes
from sync.store.disputes import Sides
from world import World

DRIPS = NoticeIntent(title="晾衣滴水", place="3-1-201", other_party="3-1-301", summary="两家说了几句")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def desk(world: World, tmp_path: Path, qapp: QApplication) -> Iterator[Desk]:
    made = Desk(world, tmp_path)
    yield made
    made.close()
    assert made.failures == []


def noted(world: World, intent: NoticeIntent = DRIPS, *, by: str = "head3") -> str:
    return disputes.record(world.store, world.as_(by), intent, Sides()).dispute_id


def step(world: World, dispute_id: str, name: str, *, by: str, **fields: object) -> None:
    disputes.step(world.store, world.as_(by), dispute_id, name, DisputeMove(**fields))  # type: ignore[arg-type]


def shown(desk: Desk, who: str = "head3", **target: Any) -> DisputesPage:
    desk.sit(who)
    page = DisputesPage(desk.context)
    desk.show(page, **target)
    return page


def notice_form(page: DisputesPage) -> NoticeForm:
    assert isinstance(page.form, NoticeForm)
    return page.form


def step_form(page: DisputesPage) -> StepForm:
    assert isinstance(page.form, StepForm)
    return page.form


def blue(page: DisputesPage) -> list[str]:
    return [
        made.accessibleName()
        for made in page.findChildren(QPushButton)
        if made.property("role") == "primary" and made.isVisible()
    ]


def test_an_empty_page_teaches_and_offers_a_new_note(desk: Desk) -> None:
    page = shown(desk)
    assert page.title() == "小矛盾"
    assert page.card is None
    assert "先记一句话" in page._nothing.text()
    assert blue(page) == ["新记一件"]
    assert page.danger.isVisible()


def test_a_head_notes_settles_calls_and_files(desk: Desk, world: World) -> None:
    page = shown(desk)
    QTest.keyClick(desk.host, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    desk.settle()
    form = notice_form(page)
    assert blue(page) == ["保存"]
    QTest.keyClicks(form.place, "3-1-201")
    desk.settle()
    assert [found.place for found in form.place.results][:1] == ["3-1-201"]
    QTest.keyClick(form.place, Qt.Key.Key_Return)
    assert (form.place.text(), form.place.household_id) == ("3-1-201", world.id("b3:201"))
    QTest.keyClicks(form.other_party, "5-1-302")
    form.summary_line.setText("晾衣滴水")
    QTest.keyClick(form, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    desk.settle()
    assert page.form is None
    card = page.card
    assert card is not None
    assert (card.row.side, card.row.other_side, card.row.state) == ("3-1-201", "5-1-302", "noticed")
    assert desk.notices[-1].title == "存好了：发现一件小矛盾"
    assert blue(page) == ["两家说好了　记下结果"]
    assert QApplication.focusWidget() is page.bar.primary
    page.begin("settle_on_spot")
    desk.settle()
    step_form(page).save.click()
    desk.settle()
    assert step_form(page).form.error_of("result") == "这里还没填"
    result = step_form(page).field("result")
    assert isinstance(result, TextArea)
    result.edit.setPlainText("装了挡水板")
    step_form(page).save.click()
    desk.settle()
    assert page.card is not None
    assert (page.card.row.state, page.card.next_move) == ("settled_on_spot", "follow_up")
    page.begin("follow_up")
    desk.settle()
    note = step_form(page).field("note")
    assert isinstance(note, TextArea)
    note.edit.setPlainText("没再滴水")
    step_form(page).save.click()
    desk.settle()
    page.begin("archive")
    desk.settle()
    assert page.card is not None
    assert page.card.row.state == "archived"
    assert desk.answers.asked == []  # all of it can be taken back today
    page.view.undo_asked.emit(page.card.row.dispute_id, page.card.steps[-1].event_id)
    desk.settle()
    assert page.card is not None
    assert page.card.row.state == "followed_up"


def test_a_wrong_field_is_told_beside_it_and_nothing_is_lost(desk: Desk) -> None:
    page = shown(desk, new=True)
    form = notice_form(page)
    form.summary.edit.setPlainText("长" * 2001)
    form.save.click()
    assert "内容没丢" in form.form.error_of("summary")
    form.summary.edit.setPlainText("短")
    form.noticed_on.setText("2026-11-24")
    form.save.click()
    assert form.form.error_of("noticed_on")
    form.noticed_on.set_value("2026-11-23")
    form.summary_line.setText("晾衣滴水")
    form.save.click()
    desk.settle()
    assert form.form.error_of("place")
    assert form.save.isEnabled()
    form.place.set_side("3-9-999")
    form.save.click()
    desk.settle()
    assert "3-2-501" in form.form.error_of("place")
    form.place.set_side("楼道")
    form.other_party.set_side("x" * 60)
    form.save.click()
    desk.settle()
    assert form.form.error_of("other_party")
    assert form.summary_line.text() == "晾衣滴水"


def test_a_draft_is_offered_again_and_dropped_when_saved(desk: Desk, world: World) -> None:
    page = shown(desk, new=True, household_id=world.id("b3:102"))
    form = notice_form(page)
    assert form.place.text() == "3-1-102"
    QTest.keyClicks(form.summary_line, "noise")
    form.signs.button_of("threat").click()
    assert page.danger.is_danger
    QTest.keyClick(form, Qt.Key.Key_Escape)
    desk.settle()
    assert page.form is None
    assert not page.danger.is_danger
    page.new.click()
    desk.settle()
    form = notice_form(page)
    assert (form.place.text(), form.summary_line.text(), form.signs.values()) == ("3-1-102", "noise", ("threat",))
    page.leave()
    page.forget()
    assert page.form is None
    page.open(new=True)
    desk.settle()
    form = notice_form(page)
    form.save.click()
    desk.settle()
    assert page.card is not None
    assert page.card.row.risk == "red"
    assert page.danger.is_danger
    assert "010-55550110" in page.danger.accessibleName()
    page.new.click()
    desk.settle()
    assert notice_form(page).summary_line.text() == ""


def test_typing_is_kept_after_a_pause_and_when_another_is_looked_at(desk: Desk, world: World) -> None:
    first, second = noted(world), noted(world, NoticeIntent(title="夜间噪音", place="3-1-101"))
    page = shown(desk, dispute_id=first)
    page.begin("note")
    desk.settle()
    note = step_form(page).field("note")
    assert isinstance(note, TextArea)
    note.edit.setPlainText("又听说")
    page.list.choose(second)
    desk.settle()
    assert page.form is None
    assert page.card is not None
    assert page.card.row.dispute_id == second
    page.open(dispute_id=first, move="note")
    desk.settle()
    again = step_form(page).field("note")
    assert isinstance(again, TextArea)
    assert again.text() == "又听说"


def test_a_note_is_put_right(desk: Desk, world: World) -> None:
    page = shown(desk, dispute_id=noted(world))
    page.view.amend.click()
    desk.settle()
    form = notice_form(page)
    assert (form.place.text(), form.other_party.text()) == ("3-1-201", "3-1-301")
    assert (form.summary.text(), form.category.value()) == ("两家说了几句", "02")  # type: ignore[union-attr]
    form.summary_line.setText("晾衣滴水、浇花滴水")
    form.save.click()
    desk.settle()
    assert page.card is not None
    assert page.card.row.title == "晾衣滴水、浇花滴水"


def test_of_a_case_one_line_is_left(desk: Desk, world: World) -> None:
    case = world.id("case")
    status = {"compound_id": world.id("compound"), "noticed_by": world.as_("head3"), "title": "卫生间漏水"}
    world.store.seed(
        [new("dispute_status", derived_id("dispute_status", case), dispute_id=case, state="mediating", **status)]
    )
    page = shown(desk, dispute_id=case)
    assert page.view.one_line.text() == "已交调解员 · 调解中。您不用办，有结果会告诉您。"
    assert not page.view.words_box.isVisible()
    assert not page.bar.isVisible()


def test_the_station_registers_and_the_mediator_goes_on(desk: Desk, world: World) -> None:
    dispute_id = noted(world)
    step(world, dispute_id, "hand_over", by="head3")
    page = shown(desk, "staff", dispute_id=dispute_id)
    assert page.title() == "调处"
    page.begin("register")
    desk.settle()
    step_form(page).save.click()
    desk.settle()
    assert desk.answers.asked == ["登记"]  # this one binds
    assert page.card is not None
    assert page.card.row.state == "registered"
    page.forget()
    desk.sit("mediator")
    page.open(dispute_id=dispute_id)
    desk.settle()
    page.begin("accept")
    desk.settle()
    step_form(page).save.click()
    assert step_form(page).form.error_of("parties_agreed") == "这里还没填"
    assert desk.answers.asked == ["登记"]  # nothing is asked about what can't be saved yet
    agreed = step_form(page).field("parties_agreed")
    assert isinstance(agreed, QCheckBox)
    agreed.setChecked(True)
    step_form(page).save.click()
    desk.settle()
    assert page.card is not None
    assert (page.card.row.state, page.card.next_move) == ("accepted", "begin")
    page.begin("begin")
    desk.settle()
    page.begin("agree_orally")
    desk.settle()
    agreement = step_form(page)
    agreement.set_values({"result": "修好地漏", "due_on": "2026-11-01"})
    agreement.save.click()
    assert agreement.form.error_of("due_on") == "这一天已经过了"
    assert desk.answers.asked == ["登记", "受理调解"]
    assert page.shelf.value() == "cases"


@pytest.mark.parametrize("move", FIELDS)
def test_the_fields_of_every_step_say_what_was_entered(desk: Desk, move: str) -> None:
    form = StepForm(
        move,
        categories=desk.context.rules.dispute_categories,
        mediators=(),
        today=lambda: __import__("datetime").date(2026, 11, 23),
        known={"note": "说明", "result": "结果", "handed_to": "支部", "risk": "red", "category": "04"},
    )
    given = form.intent().given()
    assert given <= {"note", "result", "handed_to", "risk", "category"}
    for name in FIELDS[move]:
        widget = form.field(name)
        if isinstance(widget, QCheckBox):
            widget.setChecked(True)
    form.set_values({**form.values(), "due_on": "2026-12-01", "method": "talked"})
    needs = {need for found in dispute_flow.MOVES if found.name == move for need in found.needs}
    assert needs <= form.intent().given() | {"mediator_ids"}
    form.deleteLater()


def test_every_state_step_and_sign_has_words() -> None:
    assert set(STATES) == set(ALL_STATES)
    assert set(SIGNS) == set(RISK_SIGNS)
    names = {found.name for found in dispute_flow.MOVES}
    assert set(STEPS) == names
    assert set(MOVES) == names - {"notice"}
    assert set(METHODS) >= {"written", "oral"}


def test_narrow_windows_show_one_half_at_a_time(desk: Desk, world: World, qapp: QApplication) -> None:
    dispute_id = noted(world)
    theme.apply(qapp, theme.load(percent=200))
    desk.sit("head3")
    page = DisputesPage(desk.context)
    desk.show(page, width=1366, height=660)
    assert page.list.isVisible()
    assert not page.danger.isVisible()
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Return)  # nothing is chosen yet: the first one opens
    desk.settle()
    assert page.card is not None
    assert page.card.row.dispute_id == dispute_id
    assert page.danger.isVisible()
    assert page.back.isVisible()
    page.begin("settle_on_spot")
    desk.settle()
    assert step_form(page).save.isVisible()
    assert not page.view.track.isVisible()
    page.back.click()
    desk.settle()
    assert page.list.isVisible()
    assert page.form is None
    QTest.keyClick(page.list, Qt.Key.Key_Return)
    desk.settle()
    focused = QApplication.focusWidget()
    assert focused is page.bar.primary
    QTest.keyClick(focused, Qt.Key.Key_Escape)
    assert page.list.isVisible()
    assert page.list.hasFocus()


def test_a_full_disk_keeps_the_form(desk: Desk, world: World, tmp_path: Path) -> None:
    page = shown(desk, new=True)
    form = notice_form(page)
    form.place.set_side("楼道")
    form.summary_line.setText("堆物")
    page.writing._refused(StoreError("disk_full"))
    desk.settle()
    assert desk.notices[-1].title == "没存上：磁盘满了"
    assert notice_form(page).summary_line.text() == "堆物"


def test_other_lists_and_the_keyboard(desk: Desk, world: World) -> None:
    noted(world)
    page = shown(desk)
    desk.settle()
    assert page.card is not None
    assert page.list.model().rowCount() == 1
    assert "3 天" in str(page.model.index(0, 0).data())
    assert isinstance(page.shelf, OptionRow)
    page.shelf.button_of("finished").click()
    desk.settle()
    assert page.card is None
    page.retranslate()
    focusable = [w for w in page.findChildren(QWidget) if w.focusPolicy() & Qt.FocusPolicy.TabFocus and w.isVisible()]
    assert focusable
