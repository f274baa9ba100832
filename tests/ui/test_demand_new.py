"""A matter reported at the counter or put right on its card: by keyboard, errors in place, drafts kept; the counts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton, QWidget

from desk import Desk
from desktop.pages.demands.correct_form import CorrectForm
from desktop.pages.demands.new_page import NewDemandPage
from desktop.pages.demands.page import DemandPage
from desktop.sidebar import Sidebar, WaitingCounts
from desktop.widgets.nav_button import NavButton
from sync.domain.demands import ANONYMOUS, DemandIntent
from sync.store import demands
from sync.store.demands import DemandCard
from sync.store.next_steps import Waiting, waiting
from world import World


@pytest.fixture
def desk(qapp: object, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(World(tmp_path), tmp_path)
    yield made
    made.close()


def opened(desk: Desk, name: str, **target: str) -> NewDemandPage:
    desk.sit(name)
    page = NewDemandPage(desk.context)
    desk.show(page, **target)
    desk.settle()
    return page


def raised(desk: Desk, intent: DemandIntent, *, by: str = "head3") -> str:
    world = desk.world
    touched = demands.record(world.store, world.as_(by), intent, rules=desk.context.rules, scope_id=world.id("b3:201"))
    return next(record_id for kind, record_id in touched if kind == "demand")


def card(desk: Desk, demand_id: str) -> DemandCard:
    world = desk.world
    found = demands.card(
        world.store.db, world.viewer("staff"), demand_id, rules=desk.context.rules, now=world.clock.now
    )
    assert found is not None
    return found


def saved(desk: Desk) -> DemandCard:
    page, target = desk.went[-1]
    assert page == "demand"
    return card(desk, target["demand_id"])


def blue(page: QWidget) -> list[str]:
    buttons = page.findChildren(QPushButton)
    return [made.text() for made in buttons if made.property("role") == "primary" and made.isVisible()]


def said(page: QWidget) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def ctrl_s(page: QWidget, desk: Desk) -> None:
    QTest.keyClick(page, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    desk.settle()


def choose(page: NewDemandPage, code: str) -> None:
    category = page.form.matter.category
    category.setCurrentIndex(category.findData(code))


def test_an_urgency_chosen_before_the_category_holds(desk: Desk) -> None:
    page = opened(desk, "staff")
    form = page.form
    form.matter.urgency.button_of("urgent").click()
    choose(page, "05")
    assert (form.matter.urgency.value(), form.matter.chosen_urgency) == ("urgent", "urgent")
    choose(page, "02")
    assert form.matter.chosen_urgency == ""  # it was said of the other category
    form.begin({})
    form.matter.danger.setChecked(True)
    assert (form.matter.code(), form.matter.urgency.value()) == ("", "urgent")


def test_a_household_is_found_and_its_matter_saved_by_keyboard(desk: Desk) -> None:
    page = opened(desk, "staff")
    assert page.title() == "新办事单"
    assert blue(page) == ["保存　Ctrl S"]
    form = page.form
    assert form.places.search.hasFocus()
    QTest.keyClicks(form.places.search, "3-1-201")
    desk.settle()
    QTest.keyClick(form.places.search, Qt.Key.Key_Return)
    desk.settle()
    assert form.places.scope_id() == desk.world.id("b3:201")
    assert "3-1-201 杨帆" in said(page)
    assert "这里没有没办完的事。" in said(page)
    QTest.keyClicks(form.title, "no heating")
    form.matter.category.setFocus()
    QTest.keyClicks(form.matter.category, "02")
    assert form.matter.urgency.value() == "coordinated"
    sign = form.findChildren(QCheckBox)[0]
    sign.click()
    assert form.matter.urgency.value() == "urgent"
    form.anonymous.setChecked(True)
    assert not form.raised_by.isEnabled()
    ctrl_s(page, desk)
    found = saved(desk)
    assert (found.row.place, found.row.title, found.row.urgency) == ("3-1-201", "no heating", "urgent")
    assert (found.source, found.raised_by, found.affected_count) == ("station", ANONYMOUS, 1)
    assert [notice.title for notice in desk.notices] == ["存好了：no heating"]
    assert desk.failures == []


def test_errors_stand_beside_their_fields(desk: Desk) -> None:
    page = opened(desk, "staff")
    form = page.form
    page.save()
    assert form.form.error_of("home") == "哪一栋、哪一户？请选一下"
    form.places.scope.button_of("unit").click()
    page.save()
    assert form.form.error_of("building_id")
    form.places.building.setCurrentIndex(form.places.building.findData(desk.world.id("b3")))
    assert form.places.scope_id() == desk.world.id("b3:unit")  # the only one is chosen by itself
    page.save()
    assert form.form.error_of("title")
    form.title.setText("长" * 101)
    page.save()
    assert form.form.error_of("category") == "请从列出的类别里选一个"
    assert form.matter.urgency.value() == ""
    choose(page, "05")
    form.is_answered.setChecked(True)
    page.save()
    assert form.form.error_of("answer")
    form.answer.set_text("灯泡换好了")
    page.save()
    desk.settle()
    assert "101" in form.form.error_of("title")
    form.title.setText("楼道灯不亮")
    form.affected.setValue(12)
    page.save()
    desk.settle()
    found = saved(desk)
    assert (found.row.state, found.result, found.affected_count) == ("answered_on_spot", "灯泡换好了", 12)
    assert found.row.place == "3号楼1单元"


def test_a_day_to_come_and_a_stranger_building_are_refused(desk: Desk) -> None:
    page = opened(desk, "head3", household_id=desk.world.id("b3:201"))
    assert page.title() == "报一件事"
    form = page.form
    assert form.title.hasFocus()
    form.title.setText("暖气不热")
    choose(page, "02")
    form.raised_on.setText("2026-13-40")
    page.save()
    assert form.form.error_of("raised_on")
    form.raised_on.set_value("2026-11-20")
    page.save()
    desk.settle()
    assert saved(desk).source == "phone"
    assert form.places.building.count() == 2  # the own building, and none
    page.open(scope="building", scope_id=desk.world.id("b3"))
    desk.settle()
    assert form.places.scope_id() == desk.world.id("b3")
    form.places.scope.button_of("compound").click()
    assert form.places.scope_id() == desk.world.id("compound")
    assert not form.raised_by.isVisible()
    form.title.setText("小区大门坏了")
    choose(page, "05")
    form.raised_by.setText("李奶奶")
    page.save()
    desk.settle()
    assert saved(desk).row.place == "向阳里"
    assert saved(desk).raised_by == ""


def test_one_more_of_the_same_place(desk: Desk) -> None:
    page = opened(desk, "staff", household_id=desk.world.id("b3:201"))
    page.form.title.setText("暖气不热")
    choose(page, "02")
    page.form.raised_by.setText("杨帆")
    page.another_button.click()
    desk.settle()
    assert desk.went == []
    assert (page.form.title.text(), page.form.raised_by.text()) == ("", "杨帆")
    assert page.form.matter.code() == ""
    assert page.form.places.scope_id() == desk.world.id("b3:201")
    link = next(made for made in page.findChildren(QPushButton) if made.accessibleName() == "打开：暖气不热")
    link.click()
    assert saved(desk).row.title == "暖气不热"


def test_a_half_filled_form_is_offered_again(desk: Desk) -> None:
    page = opened(desk, "staff")
    form = page.form
    form.places.choose_home(desk.world.id("b3:201"))
    desk.settle()
    form.matter.category.setCurrentIndex(form.matter.category.findData("02"))
    form.findChildren(QCheckBox)[0].click()
    QTest.keyClicks(form.title, "cold")
    page.aside_button.click()
    desk.settle()
    assert desk.went == [("demands", {})]
    page.forget()
    desk.settle()
    assert (form.title.text(), form.places.scope_id()) == ("", "")
    page.open()
    desk.settle()
    assert (form.title.text(), form.places.scope_id()) == ("cold", desk.world.id("b3:201"))
    assert form.matter.ticked() == ("outage",)
    QTest.keyClicks(form.title, "er")
    page.leave()
    desk.settle()
    form.places._other.click()
    assert form.places.scope_id() == ""
    page.open()
    desk.settle()
    assert form.title.text() == "colder"
    assert form.places.scope_id() == desk.world.id("b3:201")
    page.save()
    desk.settle()
    page.open()
    desk.settle()
    assert form.title.text() == ""
    desk.session.end()
    page.leave()
    page.forget()
    assert form.places.scope_id() == ""


def test_an_untouched_form_leaves_no_draft(desk: Desk) -> None:
    page = opened(desk, "head3", household_id=desk.world.id("b3:201"))
    page.leave()
    page.aside_button.click()
    desk.settle()
    assert desk.world.store.db.conn.execute("SELECT count(*) FROM draft").fetchone() == (0,)


def test_a_draft_that_cannot_be_kept_is_told_of(desk: Desk) -> None:
    page = opened(desk, "staff")
    page.form.title.setText("x")
    desk.world.store.db.conn.execute("DROP TABLE draft")
    page.put_aside()
    desk.settle()
    assert "草稿暂时只在屏幕上" in said(page)


# ------------------------------------------------------------------------------------------------ putting right


def correcting(desk: Desk, demand_id: str, *, by: str = "head3") -> tuple[DemandPage, CorrectForm]:
    desk.sit(by)
    page = DemandPage(desk.context)
    desk.show(page, demand_id=demand_id)
    desk.settle()
    found = page.bar.button_of("correct")
    assert found is not None
    assert found.text() == "改一改"
    found.click()
    desk.settle()
    assert isinstance(page.form, CorrectForm)
    return page, page.form


def test_a_demand_is_put_right_on_its_card(desk: Desk) -> None:
    demand_id = raised(desk, DemandIntent(category="02", title="暖气不热"))
    page, form = correcting(desk, demand_id)
    assert blue(page) == ["保存　Ctrl S"]
    assert (form.title.text(), form.matter.code(), form.matter.urgency.value()) == ("暖气不热", "02", "coordinated")
    form.matter.category.setCurrentIndex(form.matter.category.findData("05"))
    assert form.matter.urgency.value() == "routine"
    form.title.setText("")
    ctrl_s(page, desk)
    assert form.form.error_of("title") == "这里还没填"
    form.title.setText("楼道堆物")
    form.places.scope.button_of("building").click()
    ctrl_s(page, desk)
    assert page.form is None
    found = card(desk, demand_id)
    assert (found.row.title, found.row.urgency, found.row.place) == ("楼道堆物", "routine", "3号楼")
    text = said(page)
    assert "类别：水电气暖网 → 环境卫生绿化；紧急程度：要协调 → 一般；什么事：暖气不热 → 楼道堆物" in text
    assert "地点：3-1-201 → 3号楼" in text
    assert desk.notices[-1].title == "改好了，原来写的留在办理记录里"
    assert desk.failures == []


def test_nothing_different_is_told_and_a_draft_is_kept(desk: Desk) -> None:
    demand_id = raised(desk, DemandIntent(category="02", title="暖气不热", life_safety=True))
    page, form = correcting(desk, demand_id)
    assert form.matter.danger.isChecked()
    form.matter.danger.setChecked(False)
    form.title.setText("暖气漏水")
    QTest.keyClick(form.title, Qt.Key.Key_Escape)
    desk.settle()
    assert page.form is None
    found = page.bar.button_of("correct")
    assert found is not None
    found.click()
    desk.settle()
    assert isinstance(page.form, CorrectForm)
    assert page.form.title.text() == "暖气漏水"
    page.form.title.setText("暖气不热")
    page.form.matter.danger.setChecked(True)
    page.form.save.click()
    desk.settle()
    assert desk.notices[-1].title == "没有要改的"
    assert blue(page) == ["当场答复"]


def test_words_that_lie_apart_are_not_shown_in_the_form(desk: Desk) -> None:
    demand_id = raised(desk, DemandIntent(category="08", title="想订餐"))
    page, form = correcting(desk, demand_id, by="staff")
    assert form.title.text() == ""
    assert form.title.placeholderText() == "不填就不改，内容另存着"
    form.places.choose_home(desk.world.id("b1:201"))
    desk.settle()
    form.save.click()
    desk.settle()
    assert "存在这栋楼" in form.form.error_of("home")
    form.places.choose_home(desk.world.id("b3:301"))
    desk.settle()
    form.title.setText("想订晚餐")
    form.matter.danger.setChecked(True)
    form.save.click()
    desk.settle()
    assert card(desk, demand_id).row.place == "3-1-301"
    assert "危及生命：否 → 是；什么事（内容另存）；地点：3-1-201 → 3-1-301" in said(page)


# ------------------------------------------------------------------------------------------------ the sidebar


def test_the_sidebar_counts_what_waits(desk: Desk) -> None:
    desk.sit("staff")
    bar = Sidebar()
    counts = WaitingCounts(desk.context, bar)
    desk.host.layout().addWidget(bar)  # type: ignore[union-attr]  # the desk's own
    bar.show_for(desk.context.session.viewer, name="刘敏", title="驿站")
    desk.host.show()
    counts.reload()
    desk.settle()

    def entry() -> NavButton:
        return next(made for made in bar.findChildren(NavButton) if made.words == "办事单" and not made.isHidden())

    assert (entry().count, entry().accessibleName()) == (0, "办事单")
    world, rules = desk.world, desk.context.rules
    intent, home = DemandIntent(category="02", title="暖气不热"), world.id("b3:201")
    desk.context.tasks.write(
        None, lambda store: demands.record(store, world.as_("head3"), intent, rules=rules, scope_id=home)
    )
    desk.settle()
    assert (entry().count, entry().accessibleName()) == (1, "办事单，1 件等着办")
    entry().grab()
    assert waiting(world.store.db, world.viewer("staff"), now=world.clock.now) == Waiting(1, 0)
    bar.show_for(desk.context.session.viewer, name="刘敏", title="驿站")
    desk.settle()
    assert entry().count == 1
    desk.context.session.end()
    counts.reload()
    assert entry().count == 0
    entry().set_count(120)
    entry().grab()
