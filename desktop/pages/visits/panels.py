"""One of several panels at a time; the ones behind take no room, so that a short one does not scroll."""

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.widgets.flow import PageScroll


class Panels(QWidget):
    """As high as what it shows."""

    def __init__(self, panels: Sequence[QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels = tuple(panels)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        for panel in self._panels:
            box.addWidget(panel)
        self.current = self._panels[0]
        self.show_panel(self.current)

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
