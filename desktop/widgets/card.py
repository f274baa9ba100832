"""The white card that everything on a page sits in, and the small frames within it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.widgets.labels import label, set_text


class Card(QFrame):
    """A frame with a head, a hint beside it, actions on the right and a body below.

    ``tone="alarm"`` draws the red outline of the cards that say to report first.
    """

    def __init__(self, title: str = "", *, hint: str = "", tone: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card-alarm" if tone == "alarm" else "card")
        px = theme.current().px
        outer = QVBoxLayout(self)
        outer.setContentsMargins(px(20), px(18), px(20), px(18))
        outer.setSpacing(px(theme.GAP_M))
        self._head = QWidget()
        row = QHBoxLayout(self._head)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(px(10))
        self.title_label = label(title, "alarm" if tone == "alarm" else "head")
        self.hint_label = label(hint, "hint")
        row.addWidget(self.title_label)
        row.addWidget(self.hint_label)
        row.addStretch(1)
        self._actions = row
        self.body = QVBoxLayout()
        self.body.setSpacing(px(theme.GAP_S))
        outer.addWidget(self._head)
        outer.addLayout(self.body, 1)
        self.set_title(title)
        self.set_hint(hint)

    def set_title(self, text: str) -> None:
        """Name the card; the name is also what a screen reader says."""
        set_text(self.title_label, text)
        self.setAccessibleName(text)
        self._show_head()

    def set_hint(self, text: str) -> None:
        """The grey words beside the head."""
        set_text(self.hint_label, text)
        self._show_head()

    def add(self, item: QWidget | QLayout, *, stretch: int = 0) -> None:
        """Put a widget or a layout at the end of the body."""
        if isinstance(item, QWidget):
            self.body.addWidget(item, stretch)
        else:
            self.body.addLayout(item, stretch)

    def add_beside_title(self, widget: QWidget) -> None:
        """Put a badge or a pill between the hint and the free space."""
        self._actions.insertWidget(2, widget)
        self._show_head()

    def add_action(self, widget: QWidget) -> None:
        """Put a button at the right end of the head."""
        self._actions.addWidget(widget)
        self._show_head()

    def fill(self) -> None:
        """Keep the body's rows at the top when the card is higher than they are."""
        self.body.addStretch(1)

    def _show_head(self) -> None:
        has_more = self._actions.count() > 3
        shown = has_more or bool(self.title_label.text()) or bool(self.hint_label.text())
        self._head.setVisible(shown)


class Box(QFrame):
    """A small frame within a card: "box" (outlined), or filled: "alarm-box", "warn-box", "good-box", "calm-box"."""

    def __init__(self, role: str = "box", *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", role)
        px = theme.current().px
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(px(14), px(10), px(14), px(10))
        self.body.setSpacing(px(4))


def fact(name: str, value: str, *, bold: bool = False) -> tuple[QWidget, QLabel]:
    """A grey name above its value, as on the household card; returns the block and the value's label."""
    block = QWidget()
    box = QVBoxLayout(block)
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(theme.current().px(2))
    shown = label(value, "strong" if bold else "", wrap=True)
    box.addWidget(label(name, "secondary"))
    box.addWidget(shown)
    shown.setAccessibleName(f"{name} {value}")
    return block, shown


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and let it go, to fill it anew."""
    while layout.count():
        item = layout.takeAt(0)
        for part in (item.widget(), item.layout()):
            if isinstance(part, QLayout):
                clear(part)
            elif isinstance(part, QWidget):
                _keep_keyboard(part)
                part.hide()
                part.deleteLater()


def _keep_keyboard(going: QWidget) -> None:
    """Before a widget goes: hiding it, Qt would hand the keyboard to the next one and scroll the page there."""
    focused, stays = QApplication.focusWidget(), going.parentWidget()
    if focused is not None and stays is not None and (focused is going or going.isAncestorOf(focused)):
        stays.setFocus(Qt.FocusReason.OtherFocusReason)
