"""The program's own small drawings, coloured by the theme; they always stand beside a word."""

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktop.paths import resources
from desktop.theme import Theme

_SCALES = (1.0, 2.0)


def icon(name: str, *, look: Theme) -> QIcon:
    """A drawing of ``resources/icons`` in quiet ink, in the action colour where the button is chosen."""
    source = (resources() / "icons" / f"{name}.svg").read_text("utf-8")
    made = QIcon()
    side = look.px(20)
    for colour, state in ((look.colours.ink_2, QIcon.State.Off), (look.colours.accent, QIcon.State.On)):
        renderer = QSvgRenderer(QByteArray(source.replace("currentColor", colour).encode()))
        for ratio in _SCALES:
            picture = _blank(QSize(side, side), ratio)
            painter = QPainter(picture)
            renderer.render(painter, QRectF(0, 0, side, side))
            painter.end()
            made.addPixmap(picture, QIcon.Mode.Normal, state)
    return made


def logo(character: str, *, look: Theme, side: int = 32) -> QPixmap:
    """The tile with the brand's character; ``side`` in design pixels."""
    length = look.px(side)
    picture = _blank(QSize(length, length), 2.0)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(look.colours.brand))
    painter.drawRoundedRect(QRectF(0, 0, length, length), length * 0.24, length * 0.24)
    painter.setPen(QColor(look.colours.on_brand))
    painter.setFont(look.painted_font(side * 0.54, scale=length / side, bold=True))
    painter.drawText(QRectF(0, 0, length, length), Qt.AlignmentFlag.AlignCenter, character)
    painter.end()
    return picture


def picture(content: bytes, *, most: int = 512) -> QPixmap | None:
    """A picture that came with the community, at most so many pixels wide and high; None when it is none."""
    made = QPixmap()
    if not content or not made.loadFromData(content):
        return None
    if max(made.width(), made.height()) <= most:
        return made
    kept = Qt.AspectRatioMode.KeepAspectRatio
    return made.scaled(most, most, kept, Qt.TransformationMode.SmoothTransformation)


def _blank(size: QSize, ratio: float) -> QPixmap:
    picture = QPixmap(size * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    return picture
