"""The steps of a case across the top: done ones filled, the present one blue, the ones to come outlined."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop import theme
from desktop.i18n import tr


class StepTrack(QWidget):
    """Pills joined by lines; says the present step to a screen reader."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps: tuple[str, ...] = ()
        self._current = 0
        self._name = name
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_steps(self, steps: Sequence[str], current: int) -> None:
        """Show these steps; ``current`` is the place of the present one."""
        self._steps, self._current = tuple(steps), current
        now = self._steps[current] if 0 <= current < len(self._steps) else ""
        self.setAccessibleName(self._name)
        self.setAccessibleDescription(tr("Now: {step}").format(step=now))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        look = theme.current()
        return QSize(sum(self._widths()) + look.px(16) * len(self._steps), look.px(34))

    def minimumSizeHint(self) -> QSize:
        return QSize(sum(self._widths()), self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.current()
        colours = look.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        widths = self._widths()
        free = max(0, self.width() - sum(widths) - 2) / max(1, len(widths) - 1)
        left = 1.0
        for place, (text, width) in enumerate(zip(self._steps, widths, strict=True)):
            pill = QRectF(left, 1, width, self.height() - 2)
            is_now, is_done = place == self._current, place < self._current
            painter.setPen(QPen(QColor(colours.accent if is_now else colours.pill if is_done else colours.line), 1))
            painter.setBrush(QColor(colours.accent if is_now else colours.pill if is_done else colours.card))
            painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
            painter.setPen(QColor(colours.on_accent if is_now else colours.ink if is_done else colours.ink_2))
            painter.setFont(look.font(theme.SECONDARY_SIZE, bold=is_now))
            painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)
            if place < len(widths) - 1:
                painter.setPen(QPen(QColor(colours.line_strong), 1))
                middle, air = self.height() // 2, look.px(8)
                painter.drawLine(round(pill.right()) + air, middle, round(pill.right() + free) - air, middle)
            left += width + free

    def _widths(self) -> list[int]:
        look = theme.current()
        letters = QFontMetrics(look.font(theme.SECONDARY_SIZE, bold=True))
        return [letters.horizontalAdvance(text) + look.px(34) for text in self._steps]
