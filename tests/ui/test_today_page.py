"""今日 on the screen: what is due, what was recorded, taking it back in place, and an empty day that teaches."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from desk import Desk
from desktop import i18n, theme
from desktop.pages.today.page import TodayPage
from desktop.pages.today.rows import TodayRow
from sync.domain.demand_moves import MoveIntent
from sync.domain.demands import DemandIntent
from sync.domain.disputes import NoticeIntent
from sync.domain.operations import delete, new
from sync.domain.visit_facts import KnockIntent, VisitIntent
from sync.store import demands, visits
from world import World, rules

ROOMS = ("101", "102", "201", "202", "301", "302")


@pytest.fixture
def desk(qapp: QApplication, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(World(tmp_path), tmp_path)
    made.sit("head3")
    yield made
    made.close()


def met(desk: Desk, room: str, *, title: str = "", dispute: str = "", by: str = "head3") -> str:
    world = desk.world
    intent = VisitIntent(
        household_id=world.id(room),
        notice_given=True,
        demands=(DemandIntent(category="02", title=title, signs=("outage",)),) if title else (),
        dispute=NoticeIntent(title=dispute) if dispute else None,
    )
    touched = visits.record(world.store, world.as_(by), intent).touched
    return next((record_id for kind, record_id in touched if kind == "demand"), "")


def solved(desk: Desk, room: str) -> str:
    demand_id = met(desk, room, title="暖气不热，室温 15 度")
    for name, given in (
        ("accept", MoveIntent()),
        ("start", MoveIntent()),
        ("resolve", MoveIntent(result="放气了", close_kind="substantive")),
    ):
        demands.step(desk.world.store, desk.world.as_("staff"), demand_id, name, given, rules=rules())
    return demand_id


def shown(desk: Desk, **size: int) -> TodayPage:
    page = TodayPage(desk.context)
    desk.show(page, **size)
    return page


def row_of(page: TodayPage, words: str) -> TodayRow:
    return next(row for row in page.rows if words in f"{row.words.place} {row.words.title} {row.words.action}")


def texts(page: TodayPage) -> str:
    labels: list[QLabel] = page.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisible())


def test_an_empty_day_teaches(desk: Desk) -> None:
    for room in ROOMS:
        met(desk, f"b3:{room}")
    desk.world.clock.forward(days=1)
    page = shown(desk)
    assert page.rows == []
    assert "今天没有要办的事" in texts(page)
    assert "这一周没有该走访的" in texts(page)
    assert (page.title(), page.hint()) == ("今日", "11月24日 星期二")


def test_the_list_says_what_by_when_and_leads_there(desk: Desk) -> None:
    demand_id = solved(desk, "b3:301")
    met(desk, "b3:302", dispute="楼上漏水")
    visits.knock(
        desk.world.store,
        desk.world.as_("head3"),
        KnockIntent(household_id=desk.world.id("b3:201"), outcome="no_answer", time_band="morning"),
    )
    page = shown(desk)
    first = page.rows[0]
    assert first.words.title == "暖气不热，室温 15 度 · 已办好，还没告诉居民"
    assert first.action.hasFocus()
    first.action.click()
    assert desk.went[-1] == ("demand", {"demand_id": demand_id, "move": "reply"})
    tried = row_of(page, "3-1-201")
    assert "已敲 1 次没人" in tried.words.title
    assert tried.words.note == "上午都没人，换晚上试试"
    tried.action.click()
    assert desk.went[-1] == ("visits", {"household_id": desk.world.id("b3:201")})
    row_of(page, "楼上漏水").action.click()
    assert desk.went[-1][0] == "disputes"
    assert "低保" not in texts(page)


def test_the_cards_show_the_building_and_what_is_near(desk: Desk) -> None:
    demand_id = solved(desk, "b3:301")
    page = shown(desk)
    assert (page.share.title_label.text(), page.share.hint_label.text()) == ("我的楼", "3号楼 · 6 户")
    assert page.near.hint_label.text() == "7 天内 5 户"
    assert "3-1-301" in page.untold.accessibleName() + str(
        [link.accessibleName() for link in page.untold.findChildren(type(page.record))]
    )
    link = page.untold.findChildren(type(page.record))[0]
    link.click()
    assert desk.went[-1] == ("demand", {"demand_id": demand_id, "move": "reply"})
    page.near.findChildren(type(page.record))[0].click()
    assert desk.went[-1][0] == "households"


def test_the_station_sees_its_compound(desk: Desk) -> None:
    desk.sit("staff")
    page = shown(desk)
    assert (page.share.title_label.text(), page.share.hint_label.text()) == ("我的小区", "向阳里 · 18 户")


def test_what_was_recorded_is_taken_back_in_place(desk: Desk) -> None:
    met(desk, "b3:201")
    page = shown(desk)
    row = row_of(page, "改回去")
    assert (row.words.place, row.words.title, row.words.note) == ("3-1-201", "走访 · 见到了", "没有新需求 · 09:00 已存")
    row.action.click()
    desk.settle()
    assert desk.notices[-1].title == "改回去了"
    assert desk.answers.asked == []
    assert not [row for row in page.rows if row.words.action == "改回去"]


def test_a_step_of_a_demand_is_taken_back_too(desk: Desk) -> None:
    demand_id = solved(desk, "b3:301")
    desk.sit("staff")
    page = shown(desk)
    row = row_of(page, "改回去")
    assert "暖气不热" in row.words.title
    row.action.click()
    desk.settle()
    found = demands.card(
        desk.world.store.db, desk.world.viewer("staff"), demand_id, rules=rules(), now=desk.world.clock()
    )
    assert found is not None
    assert found.row.state == "in_progress"


def test_what_cannot_be_taken_back_is_said(desk: Desk) -> None:
    demand_id = met(desk, "b3:301", title="暖气不热")
    page = shown(desk)
    demands.step(desk.world.store, desk.world.as_("staff"), demand_id, "accept", MoveIntent(), rules=rules())
    row_of(page, "改回去").action.click()
    desk.settle()
    assert "已经有人" in desk.notices[-1].title or desk.notices[-1].advice


def test_the_list_is_walked_with_arrows(desk: Desk, qtbot: QtBot) -> None:
    page = shown(desk)
    assert page.rows[0].action.hasFocus()
    qtbot.keyClick(page.rows[0].action, Qt.Key.Key_Down)
    assert page.rows[1].action.hasFocus()
    qtbot.keyClick(page.rows[1].action, Qt.Key.Key_Up)
    assert page.rows[0].action.hasFocus()


def test_the_buttons_go_where_they_say(desk: Desk) -> None:
    page = shown(desk)
    page.record.click()
    page.print_sheet.click()
    assert [name for name, _ in desk.went] == ["visits", "batch"]


def test_it_follows_what_is_touched_and_forgets_who_leaves(desk: Desk) -> None:
    page = shown(desk)
    before = len(page.rows)
    met(desk, "b3:201")
    page.touched(frozenset({("visit", "any")}))
    desk.settle()
    assert len(page.rows) == before  # one less due, one recorded
    page.forget()
    assert page.rows == []


def test_rows_that_say_the_same_stay(desk: Desk) -> None:
    met(desk, "b3:201")
    page = shown(desk)
    row, due = row_of(page, "改回去"), row_of(page, "3-1-302")
    row.action.setFocus()
    assert row.words.place == "3-1-201"
    desk.world.clock.forward(minutes=1)
    met(desk, "b3:202")
    page.touched(frozenset({("visit", "any")}))
    desk.settle()
    assert [one.words.place for one in page.rows if one.words.action == "改回去"] == ["3-1-202", "3-1-201"]
    assert page.rows[-1] is row
    assert row_of(page, "3-1-302") is due
    assert row.action.hasFocus()
    row.action.click()
    desk.settle()
    assert [one.words.place for one in page.rows if one.words.action == "改回去"] == ["3-1-202"]
    assert due in page.rows


def test_large_letters_put_everything_in_one_column(desk: Desk, qapp: QApplication) -> None:
    solved(desk, "b3:301")
    theme.apply(qapp, theme.load(percent=200))
    page = shown(desk, width=1366, height=690)
    assert page.columns.mode == "single"
    assert page.main.minimumSizeHint().width() <= 1366
    i18n.install(qapp, i18n.ENGLISH)
    desk.settle()
    assert "To be done today" in texts(page)


def test_the_line_below_the_list_brings_the_rest(desk: Desk) -> None:
    world = desk.world
    extra = [
        new(
            "household",
            world.id(f"extra{n}"),
            building_id=world.id("b3"),
            unit_id=world.id("b3:unit"),
            floor=4,
            room_no=f"4{n:02}",
            slot=n,
        )
        for n in range(1, 9)
    ]
    world.save("staff", extra)
    page = shown(desk)
    assert page._more.text() == "还有 6 户，看名单"
    assert len(page.rows) == 8
    page._more.click()
    desk.settle()
    assert len(page.rows) == 14
    assert page.rows[8].action.hasFocus()
    assert not page._more.isVisible()
    page.open()
    desk.settle()
    assert len(page.rows) == 8


def test_a_visit_that_should_have_been_is_held_against_nobody(desk: Desk) -> None:
    for room in ROOMS:
        met(desk, f"b3:{room}")
    desk.world.clock.forward(days=400)
    page = shown(desk)
    assert {row.words.due for row in page.rows} == {"该去了"}


def test_without_doors_the_blue_button_is_the_first_step(desk: Desk) -> None:
    desk.sit("mediator")
    page = shown(desk)
    assert "还没有分给您的楼" in texts(page)
    assert not page.print_sheet.isVisible()
    assert not page.share.isVisible()
    page.record.click()
    assert desk.went[-1][0] == "sync"
    for row in desk.world.store.db.conn.execute("SELECT id FROM household").fetchall():
        desk.world.save("staff", [delete("household", row[0])])
    desk.sit("staff")
    page = shown(desk)
    assert page.record.text().startswith("新建楼栋")
    page.record.click()
    assert desk.went[-1] == ("households", {"new_building": True})
