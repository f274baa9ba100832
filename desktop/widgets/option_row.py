"""One of a few, or several of a few, as a row of buttons with digits on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen, QShortcut
from PySide6.QtWidgets import QGridLayout, QLayout, QPushButton, QSizePolicy, QWidget

from desktop import theme
from desktop.widgets.flow import FlowLayout


@dataclass(frozen=True, slots=True)
class Option:
    """A choice: what is stored and what is shown; ``digit`` is the key that picks it, "" for none."""

    value: str
    text: str
    digit: str = ""


def numbered(options: Sequence[Option]) -> tuple[Option, ...]:
    """The same options with the digits 1, 2, 3 … on them."""
    return tuple(Option(option.value, option.text, str(place)) for place, option in enumerate(options, start=1))


class ChoiceButton(QPushButton):
    """A checkable button with the chip of its digit."""

    def __init__(self, option: Option, parent: QWidget | None = None) -> None:
        super().__init__(option.text.replace("&", "&&"), parent)
        self.option = option
        self._hint: QSize | None = None  # asked for hundreds of times while a page is laid out
        self.setProperty("role", "choice")
        if option.digit:
            self.setProperty("chip", "true")
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setAccessibleName(option.text)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        if self._hint is None:
            self._hint = self._measure()
        return self._hint

    def changeEvent(self, event: QEvent) -> None:
        self._hint = None  # other letters, another look
        super().changeEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Polish, QEvent.Type.PolishRequest):
            self._hint = None  # measured before the style sheet was known
        return super().event(event)

    def _measure(self) -> QSize:
        look = theme.current()
        hint = super().sizeHint()
        # A chosen option is bold; room for it is kept, so that the row does not jump.
        bold = QFontMetrics(look.font(bold=True)).horizontalAdvance(self.text())
        width = max(hint.width(), hint.width() + bold - self.fontMetrics().horizontalAdvance(self.text()))
        return QSize(width, max(hint.height(), look.px(theme.CONTROL_HEIGHT)))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
            event.ignore()  # the row walks, Qt's own buttons would jump anywhere in the window
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.option.digit:
            return
        look = theme.current()
        px = look.px
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chip = QRectF(self.width() - px(10) - px(22), (self.height() - px(20)) / 2, px(22), px(20))
        painter.setPen(QPen(QColor(look.colours.line), 1))
        painter.setBrush(QColor(look.colours.card))
        painter.drawRoundedRect(chip.adjusted(0.5, 0.5, -0.5, -0.5), px(4), px(4))
        painter.setPen(QColor(look.colours.ink_2))
        painter.setFont(look.font(theme.HINT_SIZE))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, self.option.digit)


class OptionRow(QWidget):
    """Buttons of which one (or, with ``multiple``, several) can be chosen.

    Digits pick while the focus is not in a text field; arrows walk; Space picks. ``columns`` makes a grid.
    """

    changed = Signal()

    def __init__(
        self,
        options: Sequence[Option],
        *,
        name: str,
        multiple: bool = False,
        columns: int = 0,
        may_be_empty: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._multiple = multiple
        self._may_be_empty = may_be_empty
        self._columns = columns
        self._buttons: list[ChoiceButton] = []
        self._shortcuts: list[QShortcut] = []
        self._box: QLayout = QGridLayout() if columns else FlowLayout()
        self._box.setContentsMargins(0, 0, 0, 0)
        if columns:
            self._box.setSpacing(theme.current().px(theme.GAP_S))
        self.setLayout(self._box)
        self.set_options(options)

    def set_options(self, options: Sequence[Option]) -> None:
        """Show other options; what was chosen stays chosen where it still exists."""
        kept = self.values()
        for old in self._buttons:
            self._box.removeWidget(old)
            old.deleteLater()
        for shortcut in self._shortcuts:
            shortcut.deleteLater()
        self._buttons, self._shortcuts = [], []
        for place, option in enumerate(options):
            made = ChoiceButton(option, self)
            made.clicked.connect(lambda _=False, b=made: self._on_clicked(b))
            if isinstance(self._box, QGridLayout):
                self._box.addWidget(made, place // self._columns, place % self._columns)
            else:
                self._box.addWidget(made)
            self._buttons.append(made)
            if option.digit:
                shortcut = QShortcut(QKeySequence(option.digit), self)
                shortcut.activated.connect(lambda b=made: self._pick(b))
                self._shortcuts.append(shortcut)
        if self._buttons:
            self.setFocusProxy(self._buttons[0])
        self.set_values(kept)

    def values(self) -> tuple[str, ...]:
        """What is chosen, in the order shown."""
        return tuple(made.option.value for made in self._buttons if made.isChecked())

    def value(self) -> str:
        """The one that is chosen, "" for none."""
        return next(iter(self.values()), "")

    def set_value(self, value: str) -> None:
        """Choose one without telling anybody; an unknown value chooses none."""
        self.set_values((value,))

    def set_values(self, values: Sequence[str]) -> None:
        """Choose several without telling anybody."""
        for made in self._buttons:
            made.setChecked(made.option.value in values)

    def set_enabled(self, value: str, enabled: bool) -> None:
        """Allow or forbid one option."""
        for made in self._buttons:
            if made.option.value == value:
                made.setEnabled(enabled)

    def button_of(self, value: str) -> ChoiceButton:
        """The button of an option, for tests and for the focus."""
        return next(made for made in self._buttons if made.option.value == value)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Down: self._columns or 1,
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Up: -(self._columns or 1),
        }.get(Qt.Key(event.key()), 0)
        places = [place for place, made in enumerate(self._buttons) if made.hasFocus()]
        if not step or not places:
            super().keyPressEvent(event)
            return
        target = places[0] + step
        if 0 <= target < len(self._buttons):
            self._buttons[target].setFocus(Qt.FocusReason.TabFocusReason)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._box.invalidate()

    def _pick(self, made: ChoiceButton) -> None:
        if made.isEnabled() and made.isVisible():
            made.click()

    def _on_clicked(self, made: ChoiceButton) -> None:
        if not self._multiple:
            if not made.isChecked() and not self._may_be_empty:
                made.setChecked(True)
            for other in self._buttons:
                if other is not made:
                    other.setChecked(False)
        self.changed.emit()
