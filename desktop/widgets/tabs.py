"""Tabs with an underline; Left and Right walk them, a number may stand behind the name."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from desktop import theme


class Tabs(QWidget):
    """A row of names over one of several contents."""

    changed = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._titles: list[str] = []
        self._bar = QTabBar()
        self._bar.setAccessibleName(name)
        self._bar.setExpanding(False)
        self._bar.setDrawBase(False)
        self._stack = QStackedWidget()
        rule = QFrame()
        rule.setProperty("role", "line")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self._bar)
        box.addWidget(rule)
        box.addSpacing(theme.current().px(theme.GAP_M))
        box.addWidget(self._stack, 1)
        self.setFocusProxy(self._bar)
        self._bar.currentChanged.connect(self._on_changed)

    def add(self, title: str, content: QWidget) -> int:
        """Put a tab after the others; returns its place."""
        self._titles.append(title)
        self._stack.addWidget(content)
        return self._bar.addTab(title)

    def set_title(self, place: int, title: str, *, count: int | None = None) -> None:
        """Rename a tab, with how many things it holds."""
        self._titles[place] = title
        self._bar.setTabText(place, title if count is None else f"{title} {count}")

    def set_count(self, place: int, count: int | None) -> None:
        """Write how many things a tab holds behind its name."""
        self.set_title(place, self._titles[place], count=count)

    @property
    def current(self) -> int:
        """The place of the tab shown."""
        return self._bar.currentIndex()

    def set_current(self, place: int) -> None:
        """Show a tab."""
        self._bar.setCurrentIndex(place)

    def _on_changed(self, place: int) -> None:
        self._stack.setCurrentIndex(place)
        self.changed.emit(place)
