"""The tile of a person: the name in bold, the post below."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout

from desktop import theme
from desktop.widgets.buttons import ActionButton
from desktop.widgets.labels import label

HEIGHT = 82
_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


class PersonTile(ActionButton):
    """A button with two lines; ``account`` is whose it is, '' for the tile that shows more people."""

    def __init__(self, name: str, below: str, *, account: str = "") -> None:
        super().__init__("", role="person")
        self.account = account
        px = theme.current().px
        box = QVBoxLayout(self)
        box.setContentsMargins(px(14), px(10), px(14), px(10))
        box.setSpacing(px(2))
        box.addStretch(1)
        for text, role in ((name, "head"), (below, "secondary")):
            line = label(text, role, wrap=True)
            line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            box.addWidget(line)
        box.addStretch(1)
        self.setMinimumHeight(px(HEIGHT))  # the lines wrap, so a hint alone would not be asked
        self.setAccessibleName(f"{name} {below}")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ARROWS:
            event.ignore()  # the page walks over all tiles, Qt's own button would jump anywhere
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        layout = self.layout()
        hint = layout.sizeHint() if layout is not None else super().sizeHint()
        return QSize(hint.width(), max(hint.height(), theme.current().px(HEIGHT)))
