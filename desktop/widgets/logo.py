"""The tile with the brand's character and the program's name beside it."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop import icons, theme
from desktop.i18n import tr
from desktop.widgets.labels import label


class Logo(QWidget):
    """Small in the sidebar; with a ``subtitle`` (community and station) larger on the unlock page."""

    def __init__(self, *, subtitle: str = "") -> None:
        super().__init__()
        look = theme.current()
        row = QHBoxLayout(self)
        row.setContentsMargins(look.px(4), 0, 0, 0)
        row.setSpacing(look.px(10))
        tile = QLabel()
        tile.setPixmap(icons.logo(tr("Q", note="logo"), look=look, side=52 if subtitle else 32))
        row.addWidget(tile)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(tr("Qiaomen"), "title"))
        if subtitle:
            words.addWidget(label(subtitle, "secondary"))
        row.addLayout(words)
        row.addStretch(1)
