"""One of several panels at a time; the ones behind take no room, so that a short one does not scroll."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.widgets.flow import PageScroll


class Panels(QWidget):
    """As high as what it shows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.current: QWidget | None = None
        self._panels: list[QWidget] = []
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)

    def add(self, panel: QWidget) -> None:
        """One more panel; the first is shown. Add them when the page stands: moving a full panel styles it anew."""
        self._panels.append(panel)
        panel.setVisible(False)
        self._box.addWidget(panel)
        if self.current is None:
            self.show_panel(panel)

    def show_panel(self, shown: QWidget) -> None:
        """Show a panel from its top."""
        self.current = shown
        for panel in self._panels:
            panel.setVisible(panel is shown)
        scroll = scroll_of(self)
        if scroll is not None:
            scroll.verticalScrollBar().setValue(0)


def scroll_of(widget: QWidget) -> PageScroll | None:
    """The scrolling part of the page that a widget is in."""
    above = widget.parentWidget()
    while above is not None and not isinstance(above, PageScroll):
        above = above.parentWidget()
    return above
