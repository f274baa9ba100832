"""The building from the front: one painted widget with arrow keys and a described current door."""

from typing import Final

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from desktop import theme
from desktop.widgets.facade_model import FacadeCell, FacadeSnapshot
from desktop.widgets.facade_paint import FacadeGeometry, paint_facade

BACKSPACE: Final = "\b"
_PLAIN: Final = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier


class Facade(QAbstractScrollArea):
    """Doors as cells; arrows walk, Home and End go to the ends of a floor, with Ctrl to those of the building.

    With ``set_typing(True)`` plain keys and Backspace come as ``typed`` (the round's marks and room numbers);
    otherwise they go on to the page.
    """

    activated = Signal(str)  # household id: Enter or a double click
    current_changed = Signal(str)  # household id
    typed = Signal(str)  # one character, or BACKSPACE

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._snapshot = FacadeSnapshot.empty()
        self._places: dict[tuple[int, int], FacadeCell] = {}
        self._by_id: dict[str, FacadeCell] = {}
        self._current = ""
        self._typing = False
        self._geometry = self._fit()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAutoFillBackground(False)
        self.horizontalScrollBar().setSingleStep(theme.current().px(40))
        self.verticalScrollBar().setSingleStep(theme.current().px(40))

    @property
    def snapshot(self) -> FacadeSnapshot:
        """What is shown."""
        return self._snapshot

    @property
    def current(self) -> str:
        """The household with the ring, "" when there is none."""
        return self._current

    @property
    def facade_geometry(self) -> FacadeGeometry:
        """Where the doors are, for tests."""
        return self._geometry

    def set_snapshot(self, snapshot: FacadeSnapshot) -> None:
        """Show a building; the ring stays on its household, else goes to the first door without telling."""
        self._snapshot = snapshot
        self._places = {(cell.row, cell.column): cell for cell in snapshot.cells}
        self._by_id = {cell.household_id: cell for cell in snapshot.cells}
        if self._current not in self._by_id:
            self._current = snapshot.cells[0].household_id if snapshot.cells else ""
        self.setAccessibleName(snapshot.title)
        self._describe()
        self._refit()

    def set_current(self, household_id: str) -> None:
        """Move the ring, scroll to it and tell; an unknown household changes nothing."""
        if household_id not in self._by_id or household_id == self._current:
            return
        self._current = household_id
        self._show_current()
        self._describe()
        self.viewport().update()
        self.current_changed.emit(household_id)

    def set_typing(self, on: bool) -> None:
        """Whether plain keys are handed out as ``typed``."""
        self._typing = on

    def cell_rect(self, household_id: str) -> QRect:
        """Where a door is in the viewport now."""
        return self._geometry.rect(self._by_id[household_id]).translated(-self._offset())

    def sizeHint(self) -> QSize:
        look = theme.current()
        wanted = FacadeGeometry.fit(
            self._snapshot, size=QSize(look.px(470), look.px(10_000)), look=look, scale=look.scale
        )
        return QSize(wanted.width + look.px(8), min(wanted.height, look.px(620)))

    def minimumSizeHint(self) -> QSize:
        look = theme.current()
        return QSize(look.px(240), look.px(220))

    # -------------------------------------------------------------------------------------- keys and mouse

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._takes(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        cell = self._by_id.get(self._current)
        if cell is None:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not ctrl:
            self.activated.emit(self._current)
        elif (target := self._target(cell, key, ctrl=ctrl)) is not None:
            self.set_current(target.household_id)
        elif self._takes(event):
            self.typed.emit(BACKSPACE if key == Qt.Key.Key_Backspace else event.text())
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position().toPoint())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.set_current(cell.household_id)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position().toPoint())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.activated.emit(cell.household_id)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            cell = self._cell_at(event.pos())
            QToolTip.showText(event.globalPos(), _said(cell) if cell is not None else "", self)
            return True
        return super().viewportEvent(event)

    def _takes(self, event: QKeyEvent) -> bool:
        if not self._typing or event.modifiers() & ~_PLAIN:
            return False
        return event.key() == Qt.Key.Key_Backspace or (event.text().isprintable() and event.text().strip() != "")

    def _target(self, cell: FacadeCell, key: Qt.Key, *, ctrl: bool) -> FacadeCell | None:
        """The door a key leads to; the same door at an edge, None when the key does not walk."""
        row_cells = [other for other in self._snapshot.cells if other.row == cell.row]
        place = row_cells.index(cell)
        page = max(1, self.viewport().height() // max(1, self._geometry.cell.height()) - 1)
        match key:
            case Qt.Key.Key_Left:
                return row_cells[max(0, place - 1)]
            case Qt.Key.Key_Right:
                return row_cells[min(len(row_cells) - 1, place + 1)]
            case Qt.Key.Key_Home:
                return self._snapshot.cells[0] if ctrl else row_cells[0]
            case Qt.Key.Key_End:
                return self._snapshot.cells[-1] if ctrl else row_cells[-1]
            case Qt.Key.Key_Up:
                return self._vertical(cell, step=-1, rows=1)
            case Qt.Key.Key_Down:
                return self._vertical(cell, step=1, rows=1)
            case Qt.Key.Key_PageUp:
                return self._vertical(cell, step=-1, rows=page)
            case Qt.Key.Key_PageDown:
                return self._vertical(cell, step=1, rows=page)
            case _:
                return None

    def _vertical(self, cell: FacadeCell, *, step: int, rows: int) -> FacadeCell:
        """The door above or below in the same column, else the nearest of that floor."""
        row, found = cell.row, cell
        last = len(self._snapshot.floors) - 1
        for _ in range(rows):
            row += step
            if not 0 <= row <= last:
                break
            same = self._places.get((row, cell.column))
            near = [other for other in self._snapshot.cells if other.row == row]
            found = same or min(near, key=lambda other: abs(other.column - cell.column))
        return found

    # -------------------------------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        paint_facade(
            painter,
            self._snapshot,
            self.viewport().rect(),
            theme.current(),
            geometry=self._geometry,
            offset=self._offset(),
            current=self._current,
            has_focus=self.hasFocus(),
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._refit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._describe()
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange):
            self._refit()

    def _fit(self) -> FacadeGeometry:
        look = theme.current()
        return FacadeGeometry.fit(self._snapshot, size=self.viewport().size(), look=look, scale=look.scale)

    def _refit(self) -> None:
        self._geometry = self._fit()
        doors = self.viewport().size()
        self.horizontalScrollBar().setRange(0, max(0, self._geometry.width - doors.width()))
        self.horizontalScrollBar().setPageStep(doors.width())
        self.verticalScrollBar().setRange(0, max(0, self._geometry.height - doors.height()))
        self.verticalScrollBar().setPageStep(doors.height())
        self._show_current()
        self.updateGeometry()
        self.viewport().update()

    def _offset(self) -> QPoint:
        return QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    def _show_current(self) -> None:
        cell = self._by_id.get(self._current)
        if cell is None:
            return
        rect = self._geometry.rect(cell)
        air = theme.current().px(8)
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        high = self.viewport().height() - self._geometry.bottom
        across.setValue(
            min(
                max(across.value(), rect.right() + air - self.viewport().width()),
                rect.left() - self._geometry.left - air,
            )
        )
        down.setValue(min(max(down.value(), rect.bottom() + air - high), rect.top() - air))

    def _cell_at(self, point: QPoint) -> FacadeCell | None:
        if point.x() < self._geometry.left or point.y() > self.viewport().height() - self._geometry.bottom:
            return None
        place = self._geometry.place_at(point + self._offset())
        return self._places.get(place) if place is not None else None

    def _describe(self) -> None:
        cell = self._by_id.get(self._current)
        self.setAccessibleDescription(_said(cell) if cell is not None else "")
        if self.hasFocus():
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))


def _said(cell: FacadeCell) -> str:
    return f"{cell.room} {cell.words}".strip()
