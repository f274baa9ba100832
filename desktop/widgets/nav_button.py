"""An entry of the sidebar: icon, words, and at its end how much waits behind it."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.widgets.buttons import ActionButton

_MOST_SHOWN = 99


class NavButton(ActionButton):
    """``set_count`` shows a number in a round field; the number is also said to a screen reader."""

    def __init__(self, text: str, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(text, role="nav", parent=parent)
        self._name = name
        self.count = 0
        self.setCheckable(True)
        self.setAutoExclusive(False)
        self.set_count(0)

    def set_count(self, count: int) -> None:
        """Show how many things wait; 0 shows nothing."""
        self.count = count
        said = tr("{entry}, {n} waiting").format(entry=self._name, n=count) if count else self._name
        self.setAccessibleName(said)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.count:
            return
        look = theme.current()
        px = look.px
        text = str(self.count) if self.count <= _MOST_SHOWN else f"{_MOST_SHOWN}+"
        font = look.font(theme.HINT_SIZE, bold=True)
        high = px(20)
        wide = max(high, round(QFontMetricsF(font).horizontalAdvance(text)) + px(12))
        field = QRectF(self.width() - wide - px(10), (self.height() - high) / 2, wide, high)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.colours.count))
        painter.drawRoundedRect(field, high / 2, high / 2)
        painter.setPen(QColor(look.colours.on_count))
        painter.setFont(font)
        painter.drawText(field, Qt.AlignmentFlag.AlignCenter, text)
