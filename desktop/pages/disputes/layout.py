"""The page's two halves: list and dispute side by side, or one at a time where there is little room."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop import theme
from desktop.widgets.card import Card
from desktop.widgets.flow import PageScroll

_BOTH_FROM: Final = 720  # effective pixels of the page's own width
_LIST: Final = 360
_LIST_NARROWER: Final = 300
_WIDE: Final = 1000


class FittingScroll(PageScroll):
    """As high as its content while there is room for it; else it scrolls and what stands below it stays in sight."""

    def __init__(self, content: QWidget) -> None:
        super().__init__(content)
        # It lies in a card and shows the card's surface.
        for part in (self, content):
            part.setObjectName("")
        for surface in (content, self.viewport()):
            surface.setAutoFillBackground(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self._high = 0
        content.installEventFilter(self)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._follow)

    def sizeHint(self) -> QSize:
        return QSize(self.widget().sizeHint().width(), self._high)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(200), min(self._high, theme.current().px(90)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().eventFilter(watched, event)

    def _follow(self, _: QWidget | None, now: QWidget | None) -> None:
        if now is not None and self.isVisible() and self.widget().isAncestorOf(now):
            self._show_row(now)

    def _show_row(self, field: QWidget) -> None:
        """Show a field with what stands around it, such as the sentence below it that says what is wrong."""
        shown, most = field, self.viewport().height() - 2 * theme.current().px(theme.GAP_L)
        while (around := shown.parentWidget()) is not None and around is not self.widget():
            if around.sizeHint().height() > most:
                break
            shown = around
        self.show_widget(shown)

    def _fit(self) -> None:
        layout = self.widget().layout()
        if layout is None:
            return
        high = layout.totalHeightForWidth(self.viewport().width()) if layout.hasHeightForWidth() else -1
        high = max(high, layout.totalMinimumSize().height())
        if high != self._high:
            self._high = high
            self.widget().setMinimumHeight(high)
            self.updateGeometry()
            self._follow(None, QApplication.focusWidget())


class Halves(QWidget):
    """``show_right`` and ``show_left`` matter only where one half is shown at a time."""

    mode_changed = Signal()
    back_asked = Signal()  # Esc, where it leads to the list and not yet off the page

    def __init__(self, left: QWidget, right: QWidget) -> None:
        super().__init__()
        self._left, self._right = left, right
        self._on_right = False
        self.is_narrow = False
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.current().px(theme.GAP_L))
        row.addWidget(left)
        row.addWidget(right, 1)

    def show_right(self) -> None:
        """Go to the dispute."""
        self._on_right = True
        self._arrange()

    def show_left(self) -> None:
        """Go back to the list."""
        self._on_right = False
        self._arrange()

    @property
    def shows_right_only(self) -> bool:
        """Whether the list is hidden behind the dispute."""
        return self.is_narrow and self._on_right

    def event(self, event: QEvent) -> bool:
        is_override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape and self.shows_right_only:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.shows_right_only:
            self.back_asked.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        look = theme.current()
        effective = self.width() / look.scale
        narrow = effective < _BOTH_FROM
        self._left.setVisible(not narrow or not self._on_right)
        self._right.setVisible(not narrow or self._on_right)
        if narrow:
            self._left.setMinimumWidth(0)
            self._left.setMaximumWidth(16_777_215)
        else:
            self._left.setFixedWidth(look.px(_LIST if effective >= _WIDE else _LIST_NARROWER))
        if narrow != self.is_narrow:
            self.is_narrow = narrow
            self.mode_changed.emit()


def stacked(content: QWidget, *parts: QWidget) -> QVBoxLayout:
    """The parts of the dispute's own half from the top; fields that are opened come between them."""
    px = theme.current().px
    box = QVBoxLayout(content)
    box.setContentsMargins(0, 0, px(4), 0)
    box.setSpacing(px(theme.GAP_M))
    for part in parts:
        box.addWidget(part)
    box.addStretch(1)
    return box


def list_card(shelf: QWidget, found: QWidget, new: QWidget) -> Card:
    """The left half: which list, the list, a new note."""
    card = Card()
    card.add(shelf)
    card.add(found, stretch=1)
    card.add(new)
    return card


def detail_card(back: QWidget, content: QWidget, bar: QWidget, danger: QWidget) -> Card:
    """The right half: what scrolls, and below it what never scrolls away."""
    card = Card()
    card.body.addWidget(back, 0, Qt.AlignmentFlag.AlignLeft)
    card.add(FittingScroll(content))
    card.add(bar)
    card.add(danger)
    card.fill()
    return card
