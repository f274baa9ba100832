"""The tile with the brand's character and the program's name beside it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop import icons, theme
from desktop.i18n import tr
from desktop.widgets.labels import label


class Logo(QWidget):
    """Small in the sidebar; with a ``subtitle`` (community and station) larger on the unlock page.

    ``title`` and ``picture`` are a community's own, in place of the program's name and tile.
    """

    def __init__(self, *, subtitle: str = "", title: str = "", picture: QPixmap | None = None) -> None:
        super().__init__()
        look = theme.current()
        row = QHBoxLayout(self)
        row.setContentsMargins(look.px(4), 0, 0, 0)
        row.setSpacing(look.px(10))
        side = 52 if subtitle else 32
        tile = QLabel()
        if picture is None:
            tile.setPixmap(icons.logo(tr("Q", note="logo"), look=look, side=side))
        else:
            tile.setPixmap(_fitted(picture, look.px(side)))
        row.addWidget(tile)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(title or tr("Qiaomen"), "title", wrap=bool(title)))
        if subtitle:
            words.addWidget(label(subtitle, "secondary", wrap=bool(title)))
        row.addLayout(words, 1 if title else 0)
        if not title:
            row.addStretch(1)


def _fitted(picture: QPixmap, height: int) -> QPixmap:
    """As high as the tile and at most three times as wide, sharp on fine screens as well."""
    size = picture.size().scaled(3 * height * 2, height * 2, Qt.AspectRatioMode.KeepAspectRatio)
    made = picture.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    made.setDevicePixelRatio(2.0)
    return made
