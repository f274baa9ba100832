"""Buttons: one blue one a page, its key written on it, every one at least as high as a thumb."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from desktop import theme


class ActionButton(QPushButton):
    """A button that shows its key and reacts to it while it can be seen."""

    def __init__(self, text: str, *, role: str = "", key: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        if role:
            self.setProperty("role", role)
        self._words = text
        self._key = key
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        if key:
            self._shortcut = QShortcut(QKeySequence(key), self)
            self._shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            self._shortcut.activated.connect(self._on_key)
        self.set_words(text)

    def set_words(self, text: str) -> None:
        """Change what the button says; the key stays."""
        self._words = text
        shown = f"{text}　{self._key.replace('+', ' ')}" if self._key else text
        self.setText(shown.replace("&", "&&"))
        self.setAccessibleName(text)

    @property
    def words(self) -> str:
        """What the button says, without its key."""
        return self._words

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        if self.property("role") not in ("link", "nav", "status", "person"):
            hint.setHeight(max(hint.height(), theme.current().px(theme.CONTROL_HEIGHT)))
        return hint

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.updateGeometry()

    def _on_key(self) -> None:
        if self.isEnabled() and self.isVisible():
            self.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.click()


def button(text: str, *, role: str = "", key: str = "", on_click: Callable[[], object] | None = None) -> ActionButton:
    """A button; ``role`` is "" (quiet), primary (one a page), second, danger, link, nav, status or person."""
    made = ActionButton(text, role=role, key=key)
    if on_click is not None:
        made.clicked.connect(lambda: on_click())
    return made
