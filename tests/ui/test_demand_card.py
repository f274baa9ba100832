"""The demand card and the list: one blue button, fields in place, errors beside them, drafts kept, taken back today."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from desk import Desk
from desktop.pages.demands.form import FIELDS, MoveForm
from desktop.pages.demands.list_page import DemandsPage
from desktop.pages.demands.page import DemandPage
from desktop.widgets.date_field import DateField
from desktop.widgets.option_row import OptionRow
from desktop.widgets.paged_model import BADGE_ROLE
from desktop.widgets.text_area import TextArea
from desktop.words import demands as words
from sync.domain.demand_correction import CORRECT
from sync.domain.demand_flow import MOVES
from sync.domain.demand_moves import MoveIntent
from sync.domain.demands import DemandIntent
from sync.domain.kinds import demands as kinds
from sync.store import demands
from world import World

HEATING = DemandIntent(category="02", title="暖气不热", details="只有 15 度", signs=("outage",))


@pytest.fixture
def desk(qapp: object, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(World(tmp_path), tmp_path)
    yield made
    made.close()


def raised(desk: Desk, intent: DemandIntent = HEATING, *, by: str = "head3") -> str:
    world = desk.world
    touched = demands.record(
        world.store, world.as_(by), intent, rules=desk.context.rules, household_id=world.id("b3:201")
    )
    return next(record_id for kind, record_id in touched if kind == "demand")


def moved(desk: Desk, demand_id: str, name: str, *, by: str = "staff", **fields: str) -> None:
    world = desk.world
    demands.step(world.store, world.as_(by), demand_id, name, MoveIntent(**fields), rules=desk.context.rules)


def solved(desk: Desk) -> str:
    demand_id = raised(desk)
    moved(desk, demand_id, "accept")
    moved(desk, demand_id, "resolve", result="换了阀门", close_kind="substantive")
    return demand_id


def shown(desk: Desk, name: str, **target: str) -> DemandPage:
    desk.sit(name)
    page = DemandPage(desk.context)
    desk.show(page, **target)
    desk.settle()
    return page


def blue(page: QWidget) -> list[str]:
    return [
        made.text()
        for made in page.findChildren(QPushButton)
        if made.property("role") == "primary" and made.isVisible()
    ]


def said(page: QWidget) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def press(desk: Desk, page: DemandPage, move: str) -> None:
    found = page.bar.button_of(move)
    assert found is not None
    found.click()
    desk.settle()


def form_of(page: DemandPage) -> MoveForm:
    assert isinstance(page.form, MoveForm)
    return page.form


def test_the_card_says_what_it_is_and_offers_one_next_step(desk: Desk) -> None:
    page = shown(desk, "staff", demand_id=raised(desk))
    assert page.facts.title_label.text() == "3-1-201 暖气不热"
    assert "只有 15 度" in said(page)
    assert "刚收到" in said(page)
    assert blue(page) == ["受理"]
    press(desk, page, "accept")
    assert blue(page) == ["派单"]
    assert page.card is not None
    assert page.card.row.state == "accepted"
    assert desk.failures == []


def test_telling_and_evaluating_with_the_keyboard(desk: Desk) -> None:
    page = shown(desk, "head3", demand_id=solved(desk), move="reply")
    form = form_of(page)
    assert blue(page) == ["保存　Ctrl S"]
    assert isinstance(form.field("reply_mode"), OptionRow)
    QTest.keyClick(page.window().focusWidget(), Qt.Key.Key_2)
    QTest.keyClick(form, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    desk.settle()
    assert page.card is not None
    assert (page.card.row.state, page.card.reply_mode) == ("replied", "phone")
    assert page.card.row.replied_on == "2026-11-23"
    assert blue(page) == ["记评价"]
    # The keyboard stands on the next step.
    QTest.keyClick(page.window().focusWidget(), Qt.Key.Key_Space)
    desk.settle()
    QTest.keyClick(page.window().focusWidget(), Qt.Key.Key_1)
    form_of(page).save.click()
    desk.settle()
    assert page.card.row.state == "evaluated"
    assert blue(page) == []
    assert [notice.title for notice in desk.notices] == ["存好了：告诉居民", "存好了：记评价"]


def test_an_error_stands_beside_its_field_and_nothing_is_lost(desk: Desk) -> None:
    demand_id = raised(desk)
    moved(desk, demand_id, "accept")
    page = shown(desk, "staff", demand_id=demand_id, move="resolve")
    form = form_of(page)
    result = form.field("result")
    assert isinstance(result, TextArea)
    result.edit.setPlainText("换了阀门")
    form.save.click()
    desk.settle()
    assert page.form is form
    assert form.form.error_of("close_kind") == "这里还没填"
    assert result.text() == "换了阀门"
    assert form.save.isEnabled()


def test_a_half_filled_form_is_offered_again(desk: Desk) -> None:
    demand_id = raised(desk)
    moved(desk, demand_id, "accept")
    page = shown(desk, "staff", demand_id=demand_id, move="resolve")
    area = form_of(page).field("result")
    assert isinstance(area, TextArea)
    area.edit.setPlainText("师傅约了明天")
    QTest.keyClick(area.edit, Qt.Key.Key_Escape)
    desk.settle()
    assert page.form is None
    press(desk, page, "resolve")
    again = form_of(page).field("result")
    assert isinstance(again, TextArea)
    assert again.text() == "师傅约了明天"
    page.leave()
    page.forget()
    assert page.card is None


def test_leaving_the_page_keeps_what_was_typed(desk: Desk) -> None:
    demand_id = solved(desk)
    page = shown(desk, "head3", demand_id=demand_id, move="reply")
    row, day = form_of(page).field("reply_mode"), form_of(page).field("replied_on")
    assert isinstance(row, OptionRow)
    assert isinstance(day, DateField)
    row.button_of("paper").click()
    page.leave()
    desk.settle()
    page.begin("reply")
    desk.settle()
    kept = form_of(page).field("reply_mode")
    assert isinstance(kept, OptionRow)
    assert kept.value() == "paper"


def test_an_own_step_of_today_is_changed_back_in_place(desk: Desk) -> None:
    demand_id = solved(desk)
    moved(desk, demand_id, "reply", by="head3", replied_on="2026-11-23", reply_mode="phone")
    page = shown(desk, "head3", demand_id=demand_id)
    link = next(made for made in page.findChildren(QPushButton) if made.text().startswith("改回去"))
    assert link.text() == "改回去：已告诉居民"
    link.click()
    desk.settle()
    assert page.card is not None
    assert page.card.row.state == "resolved"


def test_words_of_care_matters_are_shown_on_asking_and_that_is_noted(desk: Desk) -> None:
    demand_id = raised(desk, DemandIntent(category="08", title="想订老年餐", details="老伴住院"))
    head = shown(desk, "head3", demand_id=demand_id)
    assert "关怀事项" in said(head)
    assert "想订老年餐" not in said(head)
    assert head.findChild(QPushButton, "show_words") is None
    head.hide()
    page = shown(desk, "staff", demand_id=demand_id)
    assert "想订老年餐" not in said(page)
    ask = page.findChild(QPushButton, "show_words")
    assert isinstance(ask, QPushButton)
    ask.click()
    desk.settle()
    assert "想订老年餐" in said(page)
    assert desk.world.store.db.conn.execute("SELECT count(*) FROM read_log").fetchone() == (1,)


def test_another_buildings_demand_is_not_shown(desk: Desk) -> None:
    page = shown(desk, "head1", demand_id=raised(desk))
    assert page.card is None
    assert "不归您看" in said(page)
    assert not page.bar.isVisible()


@pytest.mark.parametrize("move", sorted(FIELDS))
def test_every_form_gives_the_fields_that_its_step_needs(desk: Desk, move: str) -> None:
    targets = demands.Targets((demands.Choice("p", "益民物业"),), (demands.Choice("a", "张磊"),), ())
    form = MoveForm(move, targets, today=lambda: __import__("datetime").date(2026, 11, 23))
    needs = next(known for known in MOVES if known.name == move).needs
    offered = {"partner_id" if name == "target" else name for name in FIELDS[move]}
    assert all(any(option in offered for option in need.split("|")) for need in needs)
    if "target" in FIELDS[move]:
        form.set_values({"target": "handler:a"})
        assert form.intent().handler_id == "a"
        assert form.show_error("partner_id", "x")
    assert not form.show_error("state", "x")
    form.deleteLater()


def test_every_choice_of_the_record_has_a_word() -> None:
    assert set(words.STATES) == set(kinds.STATES)
    assert set(words.STEPS) == {known.name for known in MOVES} | {CORRECT}
    assert set(words.MOVES) == {known.name for known in MOVES} - {"create", "auto_archive", "evaluate_dissatisfied"}
    tables = (
        (words.URGENCIES, kinds.URGENCIES),
        (words.CLOSE_KINDS, kinds.CLOSE_KINDS),
        (words.REPLY_MODES, kinds.REPLY_MODES),
        (words.EVALUATIONS, kinds.EVALUATIONS),
        (words.LEVELS, kinds.LEVELS),
        (words.SOURCES, kinds.SOURCES),
        (words.SORTS, kinds.DEMAND_KINDS),
        (words.SCOPES, kinds.SCOPES),
        (words.STAGES, tuple(demands.STAGES)),
    )
    for table, values in tables:
        assert set(table) == set(values)
    assert words.word(words.STATES, "of a newer program") == "of a newer program"


def test_the_days_left_are_worded_as_on_paper(desk: Desk) -> None:
    demand_id, world = raised(desk, DemandIntent(category="05", title="楼道堆物")), desk.world
    moved(desk, demand_id, "accept")
    found = demands.card(
        world.store.db, world.viewer("staff"), demand_id, rules=desk.context.rules, now=world.clock.now
    )
    assert found is not None
    assert re.fullmatch(r"剩 \d+ 天", words.due_words(found.row, now=world.clock.now))


def test_the_list_stands_in_order_of_work_and_opens_the_card(desk: Desk) -> None:
    light = raised(desk, DemandIntent(category="05", title="楼道堆物"))
    heating = raised(desk)
    desk.sit("staff")
    page = DemandsPage(desk.context)
    desk.show(page)
    desk.settle()
    model = page.model
    assert [model.id_at(row) for row in range(model.rowCount())] == [heating, light]
    assert model.index(0, 1).data() in ("…", "3-1-201")
    desk.settle()
    texts = [model.index(0, column).data() for column in range(model.columnCount())]
    assert texts == ["急", "3-1-201", "暖气不热", "刚收到", "", "1 天内答复", "11-23 王秀兰"]
    assert model.index(0, 0).data(BADGE_ROLE) == "red"
    assert page.title() == "办事单"
    page.table.selectRow(0)
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    assert desk.went == [("demand", {"demand_id": heating})]
    page.stages.button_of("finished").click()
    desk.settle()
    assert model.rowCount() == 0
    page.category.setCurrentIndex(page.category.findData("05"))
    page.stages.button_of("").click()
    desk.settle()
    assert [model.id_at(row) for row in range(model.rowCount())] == [light]
    page.forget()
    desk.settle()
    assert model.rowCount() == 0


def test_a_head_calls_it_otherwise_and_an_empty_list_teaches(desk: Desk) -> None:
    desk.sit("head3")
    page = DemandsPage(desk.context)
    desk.show(page, stage="to_tell")
    assert page.title() == "报的事"
    assert page.stages.value() == "to_tell"
    assert blue(page) == ["＋ 报一件事"]
    page.new.click()
    assert desk.went == [("demand_new", {})]
