"""The small square with a state's character: colour never stands alone."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.theme import Theme

_SIDE = 26
_LETTER = 15


def state_character(tone: str) -> str:
    """The one character of a colour of the needs map (red, yellow, green, grey, blank, done)."""
    return {
        "red": tr("U", note="badge"),
        "yellow": tr("C", note="badge"),
        "green": tr("S", note="badge"),
        "grey": tr("N", note="badge"),
        "blank": tr("V", note="badge"),
        "done": tr("Done", note="badge"),
    }.get(tone, "")


def state_words(tone: str) -> str:
    """The legend's words for a colour of the needs map."""
    return {
        "red": tr("To be done at once, or overdue"),
        "yellow": tr("Several have to work together"),
        "green": tr("Ordinary, to be evaluated, or met within a year"),
        "grey": tr("Not met within a year"),
        "blank": tr("Empty or not a home"),
        "done": tr("Done"),
    }.get(tone, "")


def paint_badge(painter: QPainter, rect: QRectF, *, tone: str, character: str, look: Theme, scale: float) -> None:
    """Draw a badge into ``rect`` (a delegate's cell, a tile's corner, a widget)."""
    paint = look.badge(tone)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    inner = rect
    if paint.border:
        width = max(1.0, scale)
        pen = QPen(QColor(paint.border), width)
        if paint.dashed:
            pen.setDashPattern([3, 2])
        painter.setPen(pen)
        inner = rect.adjusted(width / 2, width / 2, -width / 2, -width / 2)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
    radius = rect.height() / 2 if tone == "done" else 5 * scale
    painter.setBrush(QColor(paint.fill))
    painter.drawRoundedRect(inner, radius, radius)
    painter.setPen(QColor(paint.text))
    size = 13 if tone == "done" else _LETTER
    painter.setFont(look.painted_font(size, scale=scale, bold=tone != "done"))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, character)
    painter.restore()


class StateBadge(QWidget):
    """A badge with the character of a state; ``character`` replaces it for the quiet ones (a visit, a mediation)."""

    def __init__(self, tone: str, *, character: str = "", words: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._tone = ""
        self._character = ""
        self._words = ""
        self.set_state(tone, character=character, words=words)

    def set_state(self, tone: str, *, character: str = "", words: str = "") -> None:
        """Show another state; ``words`` are what a screen reader and the tooltip say."""
        self._tone, self._character, self._words = tone, character, words
        said = words or state_words(tone)
        self.setAccessibleName(said)
        self.setToolTip(said)
        self.updateGeometry()
        self.update()

    @property
    def tone(self) -> str:
        """The colour's name."""
        return self._tone

    @property
    def character(self) -> str:
        """What is lettered on it."""
        return self._character or state_character(self._tone)

    def sizeHint(self) -> QSize:
        look = theme.current()
        side = look.px(_SIDE)
        return QSize(round(side * 1.75) if len(self.character) > 1 else side, side)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.LanguageChange):
            self.set_state(self._tone, character=self._character, words=self._words)

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.current()
        painter = QPainter(self)
        paint_badge(
            painter, QRectF(self.rect()), tone=self._tone, character=self.character, look=look, scale=look.scale
        )
