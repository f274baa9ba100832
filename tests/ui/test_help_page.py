"""Help opens where one was, scrolls by key, names whom to complain to, and every page has its section."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desk import Desk
from desktop import theme
from desktop.navigation import page_names
from desktop.pages.help.manual import read_manual
from desktop.pages.help.page import HelpPage
from world import World


@pytest.fixture
def desk(tmp_path: Path, qapp: QApplication) -> Iterator[Desk]:
    made = Desk(World(tmp_path), tmp_path)
    made.sit("head3")
    yield made
    made.close()
    assert made.failures == []


def test_every_page_has_its_section() -> None:
    manual = read_manual()
    named = {name for section in manual.sections for name in section.about}
    assert set(page_names()) - {"help"} <= named
    assert "{" not in manual.text
    assert manual.section_about("nowhere") == 0


def test_it_opens_at_the_section_of_the_page_one_came_from(desk: Desk) -> None:
    page = HelpPage(desk.context)
    desk.show(page, about="disputes")
    assert page.title() == "帮助"
    assert page.section_shown() == "小矛盾（调处）"
    assert page.text.textCursor().block().text() == "小矛盾（调处）"
    assert page.text.verticalScrollBar().value() > 0
    assert page.text.hasFocus() or page.text.isAncestorOf(QApplication.focusWidget() or page)
    page.open()
    desk.settle()
    assert page.section_shown() == "开机打开"
    assert page.text.verticalScrollBar().value() == 0


def test_keys_scroll_and_the_contents_jump(desk: Desk) -> None:
    page = HelpPage(desk.context)
    desk.show(page)
    QTest.keyClick(page.text, Qt.Key.Key_PageDown)
    assert page.text.verticalScrollBar().value() > 0
    page.contents.setFocus()
    QTest.keyClick(page.contents, Qt.Key.Key_Down)
    QTest.keyClick(page.contents, Qt.Key.Key_Down)
    assert page.text.textCursor().block().text() == page.section_shown() == "找住户"


def test_it_says_whom_to_complain_to(desk: Desk) -> None:
    page = HelpPage(desk.context)
    desk.show(page)
    assert page.feedback.isVisible()
    assert "010-55550110" in page._call.text()
    assert page.feedback.accessibleName() == "反馈意见、投诉"


def test_letters_grow_with_the_setting(desk: Desk, qapp: QApplication) -> None:
    theme.apply(qapp, theme.load(percent=200))
    page = HelpPage(desk.context)
    desk.show(page, width=1366, height=660, about="sync")
    assert page.text.document().defaultFont().pointSizeF() == pytest.approx(theme.current().points(theme.BASE_SIZE))
    assert page.section_shown() == "没有网怎么办"
