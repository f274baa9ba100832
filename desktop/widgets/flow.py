"""Layouts that give way: buttons that wrap, and columns that stack when the letters grow or the window shrinks."""

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QLayout,
    QLayoutItem,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
    QWidgetItem,
)

from desktop import theme

WIDE_FROM = 1100  # effective pixels: below, side cards go under the main one
TWO_FROM = 750  # effective pixels: below, everything is one column


class FlowLayout(QLayout):
    """Left to right, then the next line; the height follows the width."""

    def __init__(self, parent: QWidget | None = None, *, gap: int = theme.GAP_S) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self._heights: dict[int, int] = {}  # width → height, until something changes
        self.setContentsMargins(0, 0, 0, 0)

    def addWidget(self, widget: QWidget, /) -> None:  # noqa: N802  Qt calls it so
        # Items that C++ makes are freed behind our back, and another one at the same address comes back as the dead
        # one; an item made here tells us when it goes.
        self.addChildWidget(widget)
        self.addItem(QWidgetItem(widget))
        self.invalidate()

    def removeWidget(self, widget: QWidget, /) -> None:  # noqa: N802  Qt calls it so
        self._items = [item for item in self._items if item.widget() is not widget]
        self.invalidate()

    def addItem(self, item: QLayoutItem, /) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int, /) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int, /) -> QLayoutItem | None:  # type: ignore[override]  # Qt wants None at the end
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int, /) -> int:
        if width not in self._heights:
            self._heights[width] = self._arrange(QRect(0, 0, width, 0), move=False)
        return self._heights[width]

    def invalidate(self) -> None:
        self._heights.clear()
        super().invalidate()

    def setGeometry(self, rect: QRect, /) -> None:
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def sizeHint(self) -> QSize:
        gap = theme.current().px(self._gap)
        hints = [item.sizeHint() for item in self._items if not item.isEmpty()]
        width = sum(hint.width() for hint in hints) + gap * max(0, len(hints) - 1)
        return QSize(width, max((hint.height() for hint in hints), default=0))

    def minimumSize(self) -> QSize:
        sizes = [item.minimumSize() for item in self._items if not item.isEmpty()]
        return QSize(
            max((size.width() for size in sizes), default=0), max((size.height() for size in sizes), default=0)
        )

    def _arrange(self, rect: QRect, *, move: bool) -> int:
        gap = theme.current().px(self._gap)
        x, y, row_height = rect.x(), rect.y(), 0
        for item in self._items:
            if item.isEmpty():
                continue
            hint = item.sizeHint()
            width = min(hint.width(), rect.width()) if rect.width() else hint.width()
            if x + width > rect.right() + 1 and row_height:
                x, y, row_height = rect.x(), y + row_height + gap, 0
            if move:
                item.setGeometry(QRect(QPoint(x, y), QSize(width, hint.height())))
            x += width + gap
            row_height = max(row_height, hint.height())
        return y + row_height - rect.y()


class PageScroll(QScrollArea):
    """A page's content with a vertical scroll bar when it does not fit; never a horizontal one."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if type(content) is QWidget:  # a card keeps its own surface
            content.setObjectName("scroll_body")
        self.setWidget(content)

    def show_widget(self, widget: QWidget) -> None:
        """Scroll so that a widget can be seen with a little air around it."""
        air = theme.current().px(theme.GAP_L)
        self.ensureWidgetVisible(widget, air, air)


class ResponsiveColumns(QWidget):
    """A main part with side cards: beside it in a wide window, below it in a narrower one, one column in the last.

    ``side_width`` is in design pixels. In the stacked forms everything scrolls together; the page's pinned bar
    stays outside of this widget.
    """

    def __init__(
        self, main: QWidget, sides: list[QWidget], *, side_width: int = 330, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._sides = sides
        self._side_width = side_width
        self._mode = ""
        # From the outside in: whatever gets another parent is dressed anew with all that is in it.
        self._body = QWidget()
        self._scroll = PageScroll(self._body, self)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._scroll)
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._body)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._column = QWidget()
        self._side_box = QBoxLayout(QBoxLayout.Direction.TopToBottom, self._column)
        self._side_box.setContentsMargins(0, 0, 0, 0)
        self._box.addWidget(main, 1)
        self._box.addWidget(self._column)
        for side in sides:
            self._side_box.addWidget(side)
        self._side_box.addStretch(1)
        main.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._arrange()

    def show_widget(self, widget: QWidget) -> None:
        """Scroll so that a widget can be seen."""
        self._scroll.show_widget(widget)

    @property
    def mode(self) -> str:
        """``wide``, ``stacked`` or ``single``."""
        return self._mode

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._mode = ""
            self._arrange()

    def _arrange(self) -> None:
        current = theme.current()
        effective = self.window().width() / current.scale
        mode = "wide" if effective >= WIDE_FROM else "stacked" if effective >= TWO_FROM else "single"
        if mode == self._mode:
            return
        self._mode = mode
        gap = current.px(theme.GAP_L)
        direction = QBoxLayout.Direction
        self._box.setSpacing(gap)
        self._side_box.setSpacing(gap)
        is_wide = mode == "wide"
        self._box.setDirection(direction.LeftToRight if is_wide else direction.TopToBottom)
        self._side_box.setDirection(direction.LeftToRight if mode == "stacked" else direction.TopToBottom)
        self._side_box.setStretch(self._side_box.count() - 1, 0 if mode == "stacked" else 1)
        for position in range(len(self._sides)):
            self._side_box.setStretch(position, 1 if mode == "stacked" else 0)
        if is_wide:
            self._column.setFixedWidth(current.px(self._side_width))
        else:
            self._column.setMinimumWidth(0)
            self._column.setMaximumWidth(16_777_215)
