"""住户 on the screen: the doors, the card, showing a number, the form with its draft, and a new building."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desk import Desk
from desktop import i18n, theme
from desktop.pages.households.page import HouseholdsPage
from sync.domain.demands import DemandIntent
from sync.domain.households import CardIntent, HouseholdIntent, ResidentIntent
from sync.domain.visit_facts import VisitIntent
from sync.store import access, drafts, household_records, households, visits
from world import World


@pytest.fixture
def desk(qapp: QApplication, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(World(tmp_path), tmp_path)
    made.sit("head3")
    yield made
    made.close()


@pytest.fixture
def page(desk: Desk) -> HouseholdsPage:
    made = HouseholdsPage(desk.context)
    desk.show(made, household_id=desk.world.id("b3:201"))
    return made


def texts(widget: QWidget) -> str:
    labels: list[QLabel] = widget.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisible())


def press(widget: QWidget, words: str) -> None:
    buttons: list[QPushButton] = widget.findChildren(QPushButton)
    next(made for made in buttons if made.isVisible() and made.text().startswith(words)).click()


def write(edit: QLineEdit, text: str) -> None:
    """As an input method does; the keyboard of the tests has no Chinese."""
    edit.setText(text)
    edit.textEdited.emit(text)


def stored(desk: Desk, room: str = "b3:201") -> households.HouseholdCard:
    world = desk.world
    found = households.card(
        world.store.db,
        world.viewer("head3"),
        world.id(room),
        rules=desk.context.rules,
        today="2026-11-23",
        now=world.clock(),
    )
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------ looking


def test_the_card_shows_one_household(page: HouseholdsPage, desk: Desk) -> None:
    assert page.facts.title_label.text() == "3-1-201 杨帆"
    assert "138****2325" in texts(page.facts)
    assert "该走访" in texts(page.facts)
    assert page.doors.table.current_id() == desk.world.id("b3:201")
    model = page.doors.model
    assert model.index(0, 1).data() in ("…", "1-301")  # asked for when it is looked at
    desk.settle()
    assert [model.index(row, 1).data() for row in range(model.rowCount())][:2] == ["1-301", "1-302"]
    assert model.index(0, 2).data() == "秦𬱖"


def test_walking_the_doors_shows_each(page: HouseholdsPage, desk: Desk, qtbot: QtBot) -> None:
    page.doors.focus_doors()
    qtbot.keyClick(page.doors.table, Qt.Key.Key_Down)
    desk.settle()
    assert page.facts.title_label.text() == "3-1-202 朱红"
    qtbot.keyClick(page.doors.table, Qt.Key.Key_Return)
    assert desk.went == [("visits", {"household_id": desk.world.id("b3:202")})]


def test_a_number_is_shown_when_asked_for_and_that_is_noted(page: HouseholdsPage, desk: Desk) -> None:
    press(page.facts, "显示")
    desk.settle()
    assert "13830002325" in texts(page.facts)
    page.more.tabs.set_current(2)
    press(page.more, "显示")
    desk.settle()
    assert "13830002325" in texts(page.more)
    looks = access.readings(desk.world.store.db, desk.world.viewer("head3"))
    assert [look.field for look in looks] == ["phone", "contact_phone"]
    page.open(household_id=desk.world.id("b3:202"))
    desk.settle()
    page.open(household_id=desk.world.id("b3:201"))
    desk.settle()
    assert "13830002325" not in texts(page)


def test_the_tabs_tell_the_household_s_story(page: HouseholdsPage, desk: Desk) -> None:
    world = desk.world
    visit = VisitIntent(
        household_id=world.id("b3:201"),
        notice_given=True,
        note="老人在家",
        demands=(DemandIntent(category="02", title="暖气不热", signs=("outage",)),),
    )
    visits.record(world.store, world.as_("head3"), visit)
    page.touched(frozenset({("visit", "any")}))
    desk.settle()
    assert "暖气不热" in texts(page.more)
    assert "2026-11-23 当面" in texts(page.facts)
    press(page.more, "看一眼")
    assert desk.went[-1][0] == "demand"
    page.more.tabs.set_current(1)
    assert "11-23 见到了" in texts(page.more)
    assert "老人在家 · 暖气不热" in texts(page.more)
    page.more.tabs.set_current(3)
    assert "新记的" in texts(page.more)


def test_an_unknown_household_is_said_calmly(page: HouseholdsPage, desk: Desk) -> None:
    page.open(household_id=desk.world.id("b1:201"))
    desk.settle()
    assert "不归您管" in desk.notices[-1].title
    assert page.right.currentIndex() == 0


def test_notice_hint_and_moving_out(page: HouseholdsPage, desk: Desk) -> None:
    press(page.facts, "今天告知了")
    desk.settle()
    assert stored(desk).told_on == "2026-11-23"
    press(page.facts, "觉得这家需要关照")
    assert page.facts.hint_box.words.edit.hasFocus()
    page.facts.hint_box.send.click()  # nothing typed yet: nothing is sent
    page.facts.hint_box.words.edit.setPlainText("好几天没见开灯")
    page.facts.hint_box.send.click()
    desk.settle()
    assert not page.facts.hint_box.isVisible()
    viewer = desk.world.viewer("staff")
    assert households.hints(desk.world.store.db, viewer, desk.world.id("b3:201"))[0].note == "好几天没见开灯"
    page.more.tabs.set_current(2)
    press(page.more, "搬")
    desk.settle()
    assert not stored(desk).residents[0].lives_here
    assert "不住这里了" in texts(page.more)


def test_the_station_arranges_who_looks_in(desk: Desk) -> None:
    desk.sit("staff")
    household_records.record_hint(desk.world.store, desk.world.as_("head3"), desk.world.id("b3:201"), "腿脚不便")
    page = HouseholdsPage(desk.context)
    desk.show(page, household_id=desk.world.id("b3:201"))
    page.more.tabs.set_current(4)
    assert "腿脚不便" in texts(page.more)
    press(page.more, "从今天起结对")
    desk.settle()
    assert "每月一次" in texts(page.more)
    assert stored(desk).due_on == "2026-11-23"
    press(page.more, "今天结束")
    desk.settle()
    assert (
        households.pairings(
            desk.world.store.db, desk.world.viewer("staff"), desk.world.id("b3:201"), today="2026-11-23"
        )
        == ()
    )


# ------------------------------------------------------------------------------------------------ changing


def test_the_form_saves_what_differs(page: HouseholdsPage, desk: Desk, qtbot: QtBot) -> None:
    page.facts.edit.click()
    form = page.form
    assert (form.contact.text(), form.phone.text()) == ("杨帆", "138****2325")
    form.occupancy.setCurrentIndex(form.occupancy.findData("rented"))
    form.add_person.click()
    desk.settle()
    child = form.people[-1]
    assert child.name.hasFocus()
    write(child.name, "王小宝")
    qtbot.keyClicks(child.year, "2018")
    assert "14 岁以下" in texts(child)
    qtbot.keyClick(form, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    desk.settle()
    seen = stored(desk)
    assert (seen.occupancy, seen.contact_phone, [person.name for person in seen.residents]) == (
        "rented",
        "138****2325",
        ["杨帆", "孩子1"],
    )
    assert desk.notices[-1].title == "存好了"
    assert page.right.currentIndex() == 1
    assert drafts.begun(desk.world.store.db, desk.world.viewer("head3")) == ()


def test_what_is_wrong_stands_beside_the_field_and_the_draft_is_kept(page: HouseholdsPage, desk: Desk) -> None:
    page.facts.edit.click()
    page.form.phone.setText("12")
    page.form.save.click()
    desk.settle()
    assert "11 位" in page.form.form.error_of("contact_phone")
    assert page.form.phone.hasFocus()
    page.form.phone.setText("")
    page.form.people[0].name.setText("长" * 10_000)
    page.form.save.click()
    desk.settle()
    assert "50" in page.form.people[0].form.error_of("name")
    assert stored(desk).residents[0].name == "杨帆"
    assert len(drafts.begun(desk.world.store.db, desk.world.viewer("head3"))) == 1


def test_a_half_filled_form_is_offered_again(page: HouseholdsPage, desk: Desk, qtbot: QtBot) -> None:
    page.facts.edit.click()
    page.form.emergency.setFocus()
    write(page.form.emergency, "女儿 王莉")
    page.form.add_person.click()
    page.form.people[-1].name.setText("王莉")
    page.form.keep_now()
    qtbot.keyClick(page.form, Qt.Key.Key_Escape)
    desk.settle()
    assert page.right.currentIndex() == 1
    page.facts.edit.click()
    assert page.form.emergency.text() == "女儿 王莉"
    assert [person.name.text() for person in page.form.people] == ["杨帆", "王莉"]
    assert "上次没存完的" in texts(page.form)
    page.form.drop.click()
    desk.settle()
    page.facts.edit.click()
    assert page.form.emergency.text() == ""


def test_a_draft_of_another_version_is_passed_over(page: HouseholdsPage, desk: Desk) -> None:
    world = desk.world
    drafts.keep(world.store, world.as_("head3"), "households", world.id("b3:201"), b"{broken")
    page.open(household_id=world.id("b3:201"), edit=True)
    desk.settle()
    assert page.right.currentIndex() == 2
    assert page.form.contact.text() == "杨帆"


def test_another_door_puts_the_form_away_with_its_draft(page: HouseholdsPage, desk: Desk, qtbot: QtBot) -> None:
    page.facts.edit.click()
    page.form.emergency.setFocus()
    write(page.form.emergency, "女儿")
    page.doors.table.select_id(desk.world.id("b3:301"))
    desk.settle()
    assert page.facts.title_label.text() == "3-1-301 秦𬱖"
    (kept,) = drafts.begun(desk.world.store.db, desk.world.viewer("head3"))
    assert kept.key == desk.world.id("b3:201")


def test_what_was_known_before_is_shown_in_the_form(desk: Desk) -> None:
    world = desk.world
    intent = CardIntent(
        household=HouseholdIntent(emergency_contact="女儿", emergency_phone="13800001190", residence_status="away"),
        residents=(ResidentIntent(name="王莉", sex="female", birth_year=1970, relation="女儿", phone="13800001190"),),
    )
    household_records.save_card(world.store, world.as_("head3"), world.id("b3:201"), intent)
    page = HouseholdsPage(desk.context)
    desk.show(page, household_id=world.id("b3:201"), edit=True)
    assert page.form.residence.currentData() == "away"
    second = page.form.people[1]
    assert (second.name.text(), second.year.text(), second.phone.text(), second.sex.value()) == (
        "王莉",
        "1970",
        "138****1190",
        "female",
    )
    page.form.save.click()
    desk.settle()
    assert stored(desk).emergency_phone == "138****1190"
    page.forget()
    assert (page.form.people, page.right.currentIndex()) == ([], 0)


# ------------------------------------------------------------------------------------------------ a building


def test_the_station_makes_an_irregular_building(desk: Desk, qtbot: QtBot) -> None:
    desk.sit("staff")
    page = HouseholdsPage(desk.context)
    desk.show(page)
    page.doors.new_building.click()
    desk.settle()
    form = page.building_form
    qtbot.keyClicks(form.name, "8")
    form.floors.setValue(3)
    form.missing.setText("2-301")
    form.duplexes.setText("1-201")
    form.rules.add_rule.click()
    rule = form.rules.rows[0]
    rule.rooms.setValue(1)
    rule.use.setCurrentIndex(rule.use.findData("non_residential"))
    form.units.setValue(3)
    form.show_preview()
    cells = {cell.household_id: cell.tone for cell in form.facade.snapshot.cells}
    assert len(cells) == 3 + 12 - 1 - 1
    assert cells["0/101"] == "blank"
    assert "1/301" not in cells
    qtbot.keyClick(form, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    desk.settle()
    assert "8建好了" in desk.notices[-1].title
    assert page.doors.building.currentText() == "8"
    assert page.doors.model.rowCount() == 13
    assert page.doors.unit.count() == 4
    page.doors.unit.setCurrentIndex(1)
    page.doors.unit.activated.emit(1)
    desk.settle()
    assert page.doors.model.rowCount() == 4


def test_a_building_that_cannot_be_is_said_beside_the_field(desk: Desk, qtbot: QtBot) -> None:
    desk.sit("staff")
    page = HouseholdsPage(desk.context)
    desk.show(page)
    page.doors.new_building.click()
    desk.settle()
    form = page.building_form
    form.missing.setText("909")
    form.show_preview()
    assert "909" in texts(form.preview)
    form.name.setText("3栋")
    form.missing.clear()
    form.save.click()
    desk.settle()
    assert form.form.error_of("name") != ""
    form.rules.add_rule.click()
    desk.settle()
    press(form.rules, "去掉")
    assert form.rules.rules() == ()
    qtbot.keyClick(form, Qt.Key.Key_Escape)
    assert page.stack.currentWidget() is page.browse


def test_heads_make_no_buildings(page: HouseholdsPage, desk: Desk) -> None:
    assert not page.doors.new_building.isVisible()
    page.open(new_building=True)
    desk.settle()
    assert page.stack.currentWidget() is page.browse


def test_the_first_compound_is_made_with_its_building(desk: Desk, qtbot: QtBot) -> None:
    desk.sit("secretary")
    page = HouseholdsPage(desk.context)
    desk.show(page, new_building=True)
    desk.settle()
    form = page.building_form
    assert form.isVisible()
    qtbot.keyClicks(form.name, "1")
    form.compound.box.setCurrentIndex(form.compound.box.count() - 1)
    form.compound.box.activated.emit(form.compound.box.currentIndex())
    form.save.click()
    assert form.form.error_of("compound_id") == "新小区叫什么？"
    assert form.compound.line.hasFocus()
    write(form.compound.line, "向阳里")
    form.save.click()
    desk.settle()
    assert "已经有一个" in form.form.error_of("compound_id") or form.form.error_of("compound_id")
    write(form.compound.line, "春风里")
    form.grid.box.setCurrentIndex(form.grid.box.count() - 1)
    form.grid.box.activated.emit(form.grid.box.currentIndex())
    form.save.click()
    assert form.form.error_of("grid_id") == "新网格叫什么？"
    write(form.grid.line, "春风里网格")
    form.save.click()
    desk.settle()
    assert page.doors.building.currentText() == "1"
    assert page.doors.model.rowCount() == 24
    page.nothing.next.click()
    assert desk.went[-1][0] == "visits"


def test_a_half_described_building_is_there_again(desk: Desk, qtbot: QtBot) -> None:
    desk.sit("staff")
    page = HouseholdsPage(desk.context)
    desk.show(page, new_building=True)
    desk.settle()
    form = page.building_form
    qtbot.keyClicks(form.name, "8")
    form.floors.setValue(11)
    qtbot.keyClick(form, Qt.Key.Key_Escape)
    assert page.stack.currentWidget() is page.browse
    page.doors.new_building.click()
    desk.settle()
    assert (form.name.text(), form.floors.value()) == ("8", 11)
    page.open(household_id=desk.world.id("b3:201"))
    desk.settle()
    assert page.facts.isVisible()
    page.doors.new_building.click()
    desk.settle()
    form.save.click()
    desk.settle()
    page.doors.new_building.click()
    desk.settle()
    assert (form.name.text(), form.floors.value()) == ("", 6)


def test_without_a_building_the_page_says_what_comes_first(desk: Desk) -> None:
    page = HouseholdsPage(desk.context)
    desk.show(page)
    went = desk.went
    for has_doors, may_build, words in ((False, True, "先建一栋楼"), (False, False, "还没有分给您的楼")):
        page.nothing.show_case(has_doors=has_doors, may_build=may_build)
        assert words in texts(page.nothing)
    page.nothing.next.click()
    assert went[-1][0] == "sync"


# ------------------------------------------------------------------------------------------------ room for all


def test_large_letters_show_the_list_or_the_household(desk: Desk, qapp: QApplication, qtbot: QtBot) -> None:
    theme.apply(qapp, theme.load(percent=200))
    page = HouseholdsPage(desk.context)
    desk.show(page, width=1366, height=690)
    assert page.doors.isVisible()
    qtbot.keyClick(page.doors.table, Qt.Key.Key_Down)  # walking the list leads nowhere yet
    page.doors.table.select_id(desk.world.id("b3:201"))
    desk.settle()
    assert page.doors.isVisible()
    qtbot.keyClick(page.doors.table, Qt.Key.Key_Return)
    desk.settle()
    assert page.facts.isVisible()
    assert page.facts.visit.hasFocus()
    assert not page.doors.isVisible()
    assert page.facts.minimumSizeHint().width() <= 1366
    page.back.click()
    assert page.doors.isVisible()
    page.doors.table.select_id(desk.world.id("b3:202"))
    page.doors.table.clicked.emit(page.doors.table.currentIndex())
    desk.settle()
    assert page.facts.isVisible()
    page.back.click()
    i18n.install(qapp, i18n.ENGLISH)
    desk.settle()
    assert page.title() == "Households"
