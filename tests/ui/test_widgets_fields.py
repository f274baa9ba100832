"""Fields and choices by keyboard alone: options with digits, days as people type them, the PIN, search, forms."""

from collections.abc import Callable
from datetime import date

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from desktop.widgets.date_field import DateField, parse_day
from desktop.widgets.form import Form
from desktop.widgets.option_row import Option, OptionRow, numbered
from desktop.widgets.pin_field import PinField
from desktop.widgets.search_field import SearchField, SearchResult
from desktop.widgets.text_area import TextArea

TODAY = date(2026, 11, 23)
OUTCOMES = tuple(Option(value, value) for value in ("met", "no_answer", "refused"))


Show = Callable[..., QWidget]


@pytest.fixture
def show(qtbot: QtBot) -> Show:
    """Puts widgets into an active window, which lives as long as the test."""
    windows: list[QWidget] = []

    def shown(*widgets: QWidget) -> QWidget:
        window = QWidget()
        windows.append(window)
        box = QVBoxLayout(window)
        for widget in widgets:
            box.addWidget(widget)
        qtbot.addWidget(window)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        return window

    return shown


# ---------------------------------------------------------------------------------------- options


def test_digits_pick_an_option_but_not_while_text_is_typed(qtbot: QtBot, show: Show) -> None:
    row = OptionRow(numbered(OUTCOMES), name="敲门结果")
    note = QLineEdit()
    show(note, row)
    changes: list[str] = []
    row.changed.connect(lambda: changes.append(row.value()))
    row.button_of("met").setFocus()
    qtbot.keyClick(row.button_of("met"), Qt.Key.Key_2)
    qtbot.keyClick(row.button_of("met"), Qt.Key.Key_3, Qt.KeyboardModifier.KeypadModifier)
    assert changes == ["no_answer", "refused"]
    note.setFocus()
    qtbot.keyClick(note, Qt.Key.Key_1)
    assert note.text() == "1"
    assert row.value() == "refused"


def test_arrows_walk_and_space_picks(qtbot: QtBot, show: Show) -> None:
    row = OptionRow(OUTCOMES, name="敲门结果")
    show(row)
    row.button_of("met").setFocus()
    qtbot.keyClick(row.button_of("met"), Qt.Key.Key_Right)
    assert row.button_of("no_answer").hasFocus()
    qtbot.keyClick(row.button_of("no_answer"), Qt.Key.Key_Space)
    assert row.value() == "no_answer"
    qtbot.keyClick(row.button_of("no_answer"), Qt.Key.Key_Space)
    assert row.value() == "no_answer"
    qtbot.keyClick(row.button_of("no_answer"), Qt.Key.Key_Left)
    qtbot.keyClick(row.button_of("met"), Qt.Key.Key_Left)
    assert row.button_of("met").hasFocus()


def test_several_may_be_chosen_and_none_when_it_may_be_empty(qtbot: QtBot, show: Show) -> None:
    several = OptionRow(OUTCOMES, name="为什么去", multiple=True)
    perhaps = OptionRow(OUTCOMES, name="时段", may_be_empty=True, columns=2)
    show(several, perhaps)
    several.button_of("met").click()
    several.button_of("refused").click()
    assert several.values() == ("met", "refused")
    perhaps.set_value("met")
    perhaps.button_of("met").click()
    assert perhaps.value() == ""
    several.set_options(OUTCOMES[:2])
    assert several.values() == ("met",)
    several.set_enabled("no_answer", False)
    assert not several.button_of("no_answer").isEnabled()


# ---------------------------------------------------------------------------------------- days


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-20", "2026-11-20"),
        ("2026/1/2", "2026-01-02"),
        ("20261101", "2026-11-01"),
        ("2026年11月3日", "2026-11-03"),
        ("2026-11-23 今天", "2026-11-23"),
        ("11-20", "2026-11-20"),
        ("11月2日", "2026-11-02"),
        ("1120", "2026-11-20"),
        ("12-31", "2025-12-31"),
        ("今天", "2026-11-23"),
        ("昨天", "2026-11-22"),
        ("前天", "2026-11-21"),
        ("Yesterday", "2026-11-22"),
        ("2-30", None),
        ("2-29", None),
        ("abc", None),
        ("", None),
    ],
)
def test_days_are_read_as_people_write_them(typed: str, meant: str | None) -> None:
    day = parse_day(typed, today=TODAY)
    assert (day.isoformat() if day else None) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("12-01", "2026-12-01"),
        ("11-23", "2026-11-23"),
        ("11-22", "2027-11-22"),
        ("2-30", None),
        ("2026-11-01", "2026-11-01"),
    ],
)
def test_a_day_ahead_is_the_next_of_its_name(qtbot: QtBot, typed: str, meant: str | None) -> None:
    day = parse_day(typed, today=TODAY, ahead=True)
    assert (day.isoformat() if day else None) == meant
    field = DateField(name="约在哪天", today=lambda: TODAY, may_be_future=True)
    qtbot.addWidget(field)
    field.setText(typed)
    assert field.value() == (meant or "")


def test_a_day_to_come_is_refused_in_words(qtbot: QtBot, show: Show) -> None:
    field = DateField(name="哪一天", today=lambda: TODAY)
    other = QLineEdit()
    show(field, other)
    field.setFocus()
    qtbot.keyClicks(field, "2026-11-24")
    assert field.value() == ""
    assert "还没到" in field.problem()
    assert field.property("wrong") == "true"
    field.clear()
    qtbot.keyClicks(field, "1122")
    other.setFocus()
    assert field.text() == "2026-11-22 昨天"
    assert field.problem() == ""
    qtbot.keyClick(field, Qt.Key.Key_Up)
    assert field.value() == "2026-11-23"
    qtbot.keyClick(field, Qt.Key.Key_Up)
    assert field.value() == "2026-11-23"
    qtbot.keyClick(field, Qt.Key.Key_Down)
    assert field.value() == "2026-11-22"


def test_days_may_lie_ahead_or_be_left_out_where_that_is_right(qtbot: QtBot) -> None:
    field = DateField(name="约在哪天", today=lambda: TODAY, may_be_future=True, may_be_empty=True)
    qtbot.addWidget(field)
    assert field.problem() == ""
    field.set_value("2026-12-01")
    assert field.value() == "2026-12-01"
    field.set_value("")
    assert field.value() == ""


# ---------------------------------------------------------------------------------------- text, PIN


def test_nothing_typed_is_cut_off_however_long(qtbot: QtBot) -> None:
    area = TextArea(name="说了什么", limit=2000)
    qtbot.addWidget(area)
    area.show()
    area.set_text("𠮷" * 10_000)
    assert len(area.text()) == 10_000
    assert not area.is_within_limit
    area.set_text("𠮷" * 2000)
    assert area.is_within_limit


def test_tab_leaves_the_text(qtbot: QtBot, show: Show) -> None:
    area = TextArea(name="说了什么", limit=10)
    after = QLineEdit()
    show(area, after)
    area.setFocus()
    qtbot.keyClick(area.edit, Qt.Key.Key_Tab)
    assert after.hasFocus()


def test_the_pin_takes_digits_of_any_keyboard(qtbot: QtBot, show: Show) -> None:
    pin = PinField(name="六位密码")
    show(pin)
    done: list[str] = []
    pin.completed.connect(done.append)
    qtbot.keyClicks(pin, "1a")
    wide = QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, "２")
    QApplication.sendEvent(pin, wide)
    assert pin.text() == "12"
    pad = Qt.KeyboardModifier.KeypadModifier
    for key in (Qt.Key.Key_End, Qt.Key.Key_Clear, Qt.Key.Key_PageUp):
        qtbot.keyClick(pin, key, pad)
    qtbot.keyClick(pin, Qt.Key.Key_Backspace)
    qtbot.keyClick(pin, Qt.Key.Key_7, pad)
    qtbot.keyClick(pin, Qt.Key.Key_8)
    qtbot.keyClick(pin, Qt.Key.Key_9)
    assert done == ["121578"]
    assert pin.text() == "121578"


def test_the_pin_is_forgotten_when_hidden_and_never_copied(qtbot: QtBot, show: Show) -> None:
    pin = PinField(name="六位密码")
    window = show(pin)
    qtbot.keyClicks(pin, "123")
    pin.selectAll()
    pin.copy()
    assert pin.displayText() == ""
    window.hide()
    assert pin.text() == ""


# ---------------------------------------------------------------------------------------- search, form

FOUND = (SearchResult("h1", "3-2-501", "李桂芳", tone="red"), SearchResult("h2", "3-2-502", "周伟"))


def test_search_by_keyboard_alone(qtbot: QtBot, show: Show) -> None:
    field = SearchField(name="找住户")
    other = QLineEdit()
    window = show(other, field)
    window.resize(600, 500)
    typed: list[str] = []
    chosen: list[str] = []
    field.typed.connect(typed.append)
    field.chosen.connect(chosen.append)
    other.setFocus()
    qtbot.keyClick(other, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert field.hasFocus()
    qtbot.keyClicks(field, "3-2")
    assert typed == ["3", "3-", "3-2"]
    field.set_results("3-", FOUND[:1])
    assert field.results == ()
    field.set_results("3-2", FOUND)
    assert field.results == FOUND
    qtbot.keyClick(field, Qt.Key.Key_Down)
    assert "3-2-502" in field.accessibleDescription()
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert chosen == ["h2"]
    assert field.text() == ""
    qtbot.keyClicks(field, "x")
    field.set_results("x", ())
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert chosen == ["h2"]
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == ""
    assert not field.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)


def test_the_list_goes_when_the_focus_goes(qtbot: QtBot, show: Show) -> None:
    field = SearchField(name="找住户")
    other = QLineEdit()
    show(other, field)
    field.setFocus()
    qtbot.keyClicks(field, "3")
    field.set_results("3", FOUND)
    other.setFocus()
    assert field.results == ()


def test_a_rules_error_finds_its_field(qtbot: QtBot, show: Show) -> None:
    form = Form()
    phone = QLineEdit()
    form.add("phone", "电话", phone)
    form.add("name", "姓名", QLineEdit())
    show(form)
    assert phone.accessibleName() == "电话"
    assert form.set_error("phone", "手机号是 11 位")
    assert phone.hasFocus()
    assert form.error_of("phone") == "手机号是 11 位"
    assert phone.accessibleDescription() == "手机号是 11 位"
    assert not form.set_error("nothing", "x")
    form.clear_errors()
    assert form.error_of("phone") == ""
    form.set_visible("name", False)


def test_an_empty_date_asks_nobody_for_today_when_the_language_changes(qtbot: QtBot) -> None:
    asked: list[str] = []

    def today() -> date:
        asked.append("today")
        return TODAY

    field = DateField(name="哪一天", today=today)
    qtbot.addWidget(field)
    asked.clear()
    QApplication.sendEvent(field, QEvent(QEvent.Type.LanguageChange))
    assert asked == []
