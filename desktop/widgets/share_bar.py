"""The bar that shares a building out among its colours."""

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.theme import Theme


@dataclass(frozen=True, slots=True)
class Counts:
    """Households by colour."""

    red: int = 0
    yellow: int = 0
    green: int = 0
    grey: int = 0
    blank: int = 0

    @property
    def total(self) -> int:
        """All households, the empty ones too."""
        return self.red + self.yellow + self.green + self.grey + self.blank


def counts_words(counts: Counts) -> str:
    """The four numbers in words, as under a building of the plan."""
    return tr("{red} urgent, {yellow} shared, {green} settled, {grey} not met").format(
        red=counts.red, yellow=counts.yellow, green=counts.green, grey=counts.grey
    )


def paint_shares(painter: QPainter, rect: QRectF, counts: Counts, look: Theme) -> None:
    """Draw the bar with round ends; a colour with few households still shows."""
    colours = look.colours
    parts = (
        (counts.red, colours.red),
        (counts.yellow, colours.amber),
        (counts.green, colours.green),
        (counts.grey, colours.grey_share),
    )
    total = sum(count for count, _ in parts)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    shape = QPainterPath()
    shape.addRoundedRect(rect, rect.height() / 2, rect.height() / 2)
    painter.setClipPath(shape)
    painter.fillRect(rect, QColor(colours.grey_share if total else colours.track))
    left = rect.left()
    least = rect.height()
    shown = [(max(least, rect.width() * count / total), colour) for count, colour in parts if count]
    over = sum(width for width, _ in shown) / rect.width() if shown else 1.0
    for width, colour in shown:
        share = width / over
        painter.fillRect(QRectF(left, rect.top(), share + 0.5, rect.height()), QColor(colour))
        left += share
    painter.restore()


class ShareBar(QWidget):
    """The bar as a widget; it says its numbers to a screen reader."""

    def __init__(self, counts: Counts | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._counts = Counts()
        self.set_counts(counts or Counts())

    def set_counts(self, counts: Counts) -> None:
        """Show other numbers."""
        self._counts = counts
        self.setAccessibleName(counts_words(counts))
        self.setToolTip(counts_words(counts))
        self.update()

    def sizeHint(self) -> QSize:
        look = theme.current()
        return QSize(look.px(160), look.px(12))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        paint_shares(painter, QRectF(self.rect()), self._counts, theme.current())
