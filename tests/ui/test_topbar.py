"""The bar above the pages: finding a household from anywhere, and what the status pill says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desk import Desk
from desktop import theme
from desktop.sync_status import Phase, Status
from desktop.topbar import TopBar, status_words
from sync.domain.calendar import instant
from world import World


@pytest.fixture
def desk(qapp: QApplication, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(World(tmp_path), tmp_path)
    made.sit("head3")
    yield made
    made.close()


@pytest.fixture
def bar(desk: Desk) -> TopBar:
    made = TopBar(desk.context)
    layout = desk.host.layout()
    assert layout is not None
    layout.addWidget(made)
    desk.host.resize(1190, 300)
    desk.host.show()
    desk.host.activateWindow()
    made.set_heading("今日", "11月23日 星期一")
    made.focus_search()
    desk.settle()
    return made


def type_in(bar: TopBar, desk: Desk, qtbot: QtBot, text: str) -> list[str]:
    qtbot.keyClicks(bar.search, text)
    desk.settle()
    return [f"{found.place} {found.who}" for found in bar.search.results]


@pytest.mark.parametrize("typed", ["3-1-201", "yf", "yangf", "2325", "201"])
def test_a_household_is_found_in_any_spelling(bar: TopBar, desk: Desk, qtbot: QtBot, typed: str) -> None:
    assert "3-1-201 杨帆" in type_in(bar, desk, qtbot, typed)


def test_enter_opens_the_household(bar: TopBar, desk: Desk, qtbot: QtBot) -> None:
    type_in(bar, desk, qtbot, "3-1-201")
    qtbot.keyClick(bar.search, Qt.Key.Key_Return)
    assert desk.went == [("households", {"household_id": desk.world.id("b3:201")})]
    assert bar.search.text() == ""


def test_nobody_is_found_in_another_building(bar: TopBar, desk: Desk, qtbot: QtBot) -> None:
    assert type_in(bar, desk, qtbot, "1-1-201") == []


def test_escape_empties_the_field_and_unlocking_too(bar: TopBar, desk: Desk, qtbot: QtBot) -> None:
    type_in(bar, desk, qtbot, "yf")
    qtbot.keyClick(bar.search, Qt.Key.Key_Escape)
    assert bar.search.text() == ""
    type_in(bar, desk, qtbot, "yf")
    bar.clear()
    assert (bar.search.text(), bar.search.results) == ("", ())


LAST = instant("2026-11-22 17:42")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status(), "都已存在本机"),
        (Status(phase=Phase.IDLE), "都已存在本机 · 都传完了 · 还没同步过"),
        (Status(phase=Phase.IDLE, last_success_at=LAST), "都已存在本机 · 都传完了 · 上次同步 昨天 17:42"),
        (
            Status(phase=Phase.WAITING, unsent=3, last_success_at=LAST),
            "都已存在本机 · 3 条等有网再传 · 上次同步 昨天 17:42",
        ),
        (
            Status(phase=Phase.TROUBLE, unsent=1, refused=2, to_decide=1, last_success_at=LAST),
            "都已存在本机 · 1 条等有网再传 · 上次同步 昨天 17:42",
        ),
        (
            Status(phase=Phase.PAUSED, last_success_at=instant("2026-11-23 08:31")),
            "都已存在本机 · 都传完了 · 上次同步 今天 08:31",
        ),
        (
            Status(phase=Phase.SYNCING, unsent=5, to_send=9, sent=4, last_success_at=LAST),
            "正在传 4 / 9 · 待传 5 · 上次同步 昨天 17:42",
        ),
        (
            Status(phase=Phase.SYNCING, to_receive=9, last_success_at=LAST),
            "正在收别人办的事 · 都传完了 · 上次同步 昨天 17:42",
        ),
        (
            Status(phase=Phase.SYNCING, unsent=2, received=1840, to_receive=3120, last_success_at=LAST),
            "正在收 58% · 待传 2 · 上次同步 昨天 17:42",
        ),
    ],
)
def test_the_pill_says_what_waits_and_the_last_success_in_every_state(
    bar: TopBar, desk: Desk, status: Status, words: str
) -> None:
    assert status_words(status, now=desk.context.now()) == words
    desk.hub.sync_state.emit(status)
    assert bar.status.accessibleName() == bar.status.toolTip() == words


@pytest.mark.parametrize(
    ("status", "words", "brief"),
    [
        (Status(phase=Phase.IDLE, unsent=1), "", ""),
        (Status(phase=Phase.WAITING, unsent=3, refused=1), "1 条要改一下再传，内容没丢", "1 条要改"),
        (Status(phase=Phase.SYNCING, to_decide=2), "2 处请您定一下，两份都留着", "2 处要定"),
        (Status(phase=Phase.IDLE, handed=1), "1 条是同事交给您的", "1 条交来"),
        (
            Status(phase=Phase.IDLE, refused=1, handed=3),
            "1 条要改一下再传，内容没丢 · 3 条是同事交给您的",
            "1 条要改 · 3 条交来",
        ),
    ],
)
def test_what_asks_for_a_person_has_a_pill_of_its_own(
    bar: TopBar, desk: Desk, status: Status, words: str, brief: str
) -> None:
    desk.hub.sync_state.emit(status)
    assert (bar.attention.words, bar.attention.accessibleName(), bar.attention.isVisible()) == (
        brief,
        words,
        bool(words),
    )


def test_the_pill_leads_to_sync_and_the_menu_is_asked_for(bar: TopBar, desk: Desk, qtbot: QtBot) -> None:
    bar.status.click()
    assert desk.went == [("sync", {})]
    bar.set_narrow(True)
    with qtbot.waitSignal(bar.menu_asked) as asked:
        bar.menu.click()
    assert isinstance(asked.args[0], QPoint)


def test_large_letters_leave_room_for_what_waits_and_the_last_success(
    bar: TopBar, desk: Desk, qapp: QApplication
) -> None:
    theme.apply(qapp, theme.load(percent=200))
    bar.set_narrow(True)
    bar.retranslate()
    desk.settle()
    desk.host.resize(1366, 600)
    desk.settle()
    much = Status(phase=Phase.WAITING, unsent=1234, refused=1, to_decide=2, handed=3, last_success_at=LAST)
    for status, waits, asks in (
        (Status(phase=Phase.OFF), "都已存好", ""),
        (Status(phase=Phase.WAITING, unsent=12), "待传 12 · 还没同步过", ""),
        (
            Status(phase=Phase.IDLE, last_success_at=instant("2026-11-23 08:31"), to_decide=1),
            "都传完了 · 上次 08:31",
            "1 处要定",
        ),
        (much, "待传 1,234 · 上次 11-22", "6 件请看"),
        (Status(phase=Phase.SYNCING, last_success_at=instant("2025-12-31 08:00")), "都传完了 · 上次 2025-12-31", ""),
    ):
        desk.hub.sync_state.emit(status)
        assert (bar.status.words, bar.attention.words) == (waits, asks)
        assert bar.minimumSizeHint().width() <= bar.width() <= 1366
    bar.set_heading("三色需求图，很长的名字", "")
    desk.hub.sync_state.emit(much)
    assert bar.minimumSizeHint().width() <= bar.width() <= 1366
    theme.apply(qapp, theme.load(percent=100))
    bar.set_narrow(False)
    bar.set_heading("今日", "11月23日 星期一")
    desk.hub.sync_state.emit(much)
    assert bar.status.words == "都已存在本机 · 1,234 条等有网再传 · 上次同步 昨天 17:42"
    desk.settle()
    desk.host.resize(950, 600)  # a smaller window is not held open by many words
    desk.settle()
    assert bar.width() <= 950
    assert (bar.status.words, bar.attention.words) == ("待传 1,234 · 上次 11-22", "6 件请看")
