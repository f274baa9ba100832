"""The window: keys that work on every page, the way back, the menu of narrow windows, where news are shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from desktop import focus, theme
from desktop.hub import Notice, Tone
from desktop.navigation import entries_for, page_names
from programs import Clock, Program, furnish
from world import World

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def program(qapp: QApplication, tmp_path: Path) -> Iterator[Program]:
    clock = Clock()
    furnish(tmp_path / "home", clock=clock)
    made = Program(tmp_path / "home", clock=clock)
    made.unlock("head3")
    yield made
    made.close()


def page(program: Program) -> str:
    """The page on the screen."""
    assert program.window.place is not None
    return program.window.place[0]


def test_keys_work_on_every_page(program: Program) -> None:
    program.key(Qt.Key.Key_N, ctrl=True)
    assert page(program) == "visits"
    program.key(Qt.Key.Key_F1)
    assert page(program) == "help"
    program.key(Qt.Key.Key_K, ctrl=True)
    assert program.window.topbar.search.hasFocus()


def test_escape_goes_back_page_by_page(program: Program) -> None:
    for name in ("households", "settings", "sync"):
        program.go(name)
    for name in ("settings", "households", "today", "today"):
        QTest.keyClick(program.window, Qt.Key.Key_Escape)
        program.settle()
        assert page(program) == name


def test_good_news_goes_with_the_page(program: Program) -> None:
    notices, hub = program.window.notices, program.app.hub
    hub.notice.emit(Notice("存好了", tone=Tone.GOOD))
    program.window.navigate("households")
    assert notices.isVisible()  # what was saved led to this page
    program.settle()
    program.go("settings")
    assert not notices.isVisible()
    hub.notice.emit(Notice("没传上去", tone=Tone.WARN))
    program.settle()
    program.go("households")
    assert notices.isVisible()


def test_a_mediator_sees_only_what_the_rights_fill(tmp_path: Path) -> None:
    world = World(tmp_path)
    pages = {name: [entry.page for entry, _ in entries_for(world.viewer(name))] for name in ("mediator", "head3")}
    world.close()
    assert pages["mediator"] == ["today", "disputes"]
    assert len(pages["head3"]) == 6


def test_the_sidebar_follows_the_role_and_marks_the_page(program: Program) -> None:
    viewer = program.app.context.session.viewer
    texts = [text for _, text in entries_for(viewer)]
    assert len(texts) == 6
    program.press("需求图")
    assert page(program) == "needs_map"
    marked = [button.text() for button in program.window.sidebar.findChildren(QPushButton) if button.isChecked()]
    assert marked == ["需求图"]


def test_every_page_can_be_opened_by_its_name(program: Program) -> None:
    for name in page_names():
        program.go(name)
        assert page(program) == name
        current = program.window.current
        assert current is not None
        assert current.title()


def test_the_sidebar_has_the_colour_of_cards(program: Program) -> None:
    sidebar = program.window.sidebar
    picture = sidebar.grab().toImage()
    at = picture.pixelColor(picture.width() // 2, picture.height() - 120)
    assert at.name() == theme.current().colours.card
    assert program.window.palette().color(QPalette.ColorRole.Window).name() == theme.current().colours.bg


def test_a_narrow_window_has_a_menu(program: Program) -> None:
    program.window.resize(700, 600)
    program.settle()
    assert not program.window.sidebar.isVisible()
    program.press("菜单")
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    action = next(action for action in menu.actions() if action.text() == "设置")
    action.trigger()
    menu.close()
    program.settle()
    assert page(program) == "settings"


def test_news_are_shown_where_one_looks_and_go_with_the_person(program: Program) -> None:
    program.app.hub.notice.emit(Notice("王大妈的事办好了", action_text="看", action=lambda: None))
    assert program.window.notices.isVisible()
    program.app.leave()
    program.settle()
    assert "王大妈" not in program.said()
    program.app.hub.notice.emit(Notice("磁盘快满了"))
    assert program.window.gate_notices.isVisible()


def test_nobody_navigates_behind_the_gate(program: Program) -> None:
    program.app.leave()
    program.settle()
    program.window.navigate("households")
    assert program.window.current is None
    QTest.keyClick(program.window, Qt.Key.Key_N, CTRL)
    assert program.window.gate is not None


def test_a_page_without_a_field_takes_the_keys_itself(qapp: QApplication) -> None:
    host = QWidget()
    box = QVBoxLayout(host)
    other, empty, full = QPushButton("other"), QWidget(), QWidget()
    inner = QVBoxLayout(full)
    first, second = QLineEdit(), QLineEdit()
    second.setAccessibleName("second")
    inner.addWidget(first)
    inner.addWidget(second)
    for part in (other, empty, full):
        box.addWidget(part)
    host.show()
    host.activateWindow()
    assert QTest.qWaitForWindowActive(host)
    other.setFocus()
    focus.enter(empty)
    assert empty.hasFocus()
    focus.enter(full)
    assert first.hasFocus()
    second.setFocus()
    focus.enter(full)
    assert second.hasFocus()  # where the page put it itself
    assert focus.place_in(full) == "second"
    assert focus.place_in(empty) == ""
    first.setFocus()
    focus.go_back(full, "second")
    assert second.hasFocus()
    focus.go_back(full, "gone")
    assert second.hasFocus()
    host.close()
