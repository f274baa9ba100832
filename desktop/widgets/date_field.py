"""A day, typed as people write it: 2026-11-23, 11-23, 1123, today; never a day to come unless it may be."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop import theme
from desktop.i18n import tr

_FULL: Final = re.compile(r"^(\d{4})[-/.年 ]?(\d{1,2})[-/.月 ]?(\d{1,2})日?$")
_SHORT: Final = re.compile(r"^(\d{1,2})[-/.月 ](\d{1,2})日?$|^(\d{2})(\d{2})$")
_WORDS: Final = {"今天": 0, "昨天": 1, "前天": 2, "today": 0, "yesterday": 1}


def parse_day(text: str, *, today: date, ahead: bool = False) -> date | None:
    """The day that was meant, None when it is none.

    Without a year it is the latest such day up to today; with ``ahead`` the first from today on.
    """
    cleaned = text.strip().casefold()
    for word, days in _WORDS.items():
        if cleaned == word:
            return today - timedelta(days=days)
    cleaned = cleaned.split(" ")[0] if _FULL.match(cleaned.split(" ")[0]) else cleaned
    full = _FULL.match(cleaned)
    if full is not None:
        return _day(int(full[1]), int(full[2]), int(full[3]))
    short = _SHORT.match(cleaned)
    if short is None:
        return None
    month, day = (int(part) for part in short.groups() if part is not None)
    this_year = _day(today.year, month, day)
    if this_year is not None and (this_year >= today if ahead else this_year <= today):
        return this_year
    return _day(today.year + (1 if ahead else -1), month, day) or this_year


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


class DateField(QLineEdit):
    """Up and Down go a day back and forth; what was typed is written out in full when the field is left.

    In a field for a day to come, '12-01' is the next such day; in any other the last one.

    ``today`` is asked each time. ``value()`` is an ISO day or "" while it is wrong; ``problem()`` says why.
    """

    changed = Signal()

    def __init__(
        self,
        *,
        name: str,
        today: Callable[[], date],
        may_be_future: bool = False,
        may_be_empty: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._today = today
        self._may_be_future = may_be_future
        self._may_be_empty = may_be_empty
        self.setAccessibleName(name)
        self.setPlaceholderText(tr("11-23, today, yesterday"))
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, True)
        self.textEdited.connect(self._on_edited)

    def value(self) -> str:
        """The day as YYYY-MM-DD, "" when there is none or it cannot be."""
        day = self._parsed()
        if day is None or (day > self._today() and not self._may_be_future):
            return ""
        return day.isoformat()

    def problem(self) -> str:
        """Why the day cannot be taken, in words; "" when it can."""
        if not self.text().strip():
            return "" if self._may_be_empty else tr("Which day? Type 11-23, today or yesterday")
        day = self._parsed()
        if day is None:
            return tr("This is no day. Type it like 11-23")
        if day > self._today() and not self._may_be_future:
            return tr("This day is still to come; note it when it has happened")
        return ""

    def set_value(self, day: str) -> None:
        """Show an ISO day ("" for none) without telling anybody."""
        self.setText(self._written(date.fromisoformat(day)) if day else "")
        self._mark()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            day = self.value() if self.text() else ""  # an empty field may not know today yet
            self.setPlaceholderText(tr("11-23, today, yesterday"))
            if day:
                self.set_value(day)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.setMinimumWidth(theme.current().px(170))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
        if not step:
            super().keyPressEvent(event)
            return
        day = (self._parsed() or self._today()) + timedelta(days=step)
        if day <= self._today() or self._may_be_future:
            self.setText(self._written(day))
            self._on_edited()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        day = self._parsed()
        if day is not None:
            self.setText(self._written(day))

    def _parsed(self) -> date | None:
        return parse_day(self.text(), today=self._today(), ahead=self._may_be_future)

    def _written(self, day: date) -> str:
        names = {0: tr("today"), 1: tr("yesterday")}
        name = names.get((self._today() - day).days, "")
        return f"{day.isoformat()} {name}".strip()

    def _on_edited(self) -> None:
        self._mark()
        self.changed.emit()

    def _mark(self) -> None:
        wrong = bool(self.problem()) and bool(self.text().strip())
        theme.set_role(self, "true" if wrong else "false", name="wrong")
        self.setToolTip(self.problem() if wrong else "")
