"""The compound as tiles, one a building: name, colour, shares and numbers; arrows walk, Enter opens the façade."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from desktop import theme
from desktop.theme import Theme
from desktop.widgets.share_bar import Counts, counts_words, paint_shares
from desktop.widgets.state_badge import paint_badge, state_character, state_words

_TILE_WIDTH: Final = 130
_TILE_HEIGHT: Final = 78
_GAP: Final = 8


@dataclass(frozen=True, slots=True)
class BuildingTile:
    """A building on the plan; ``tone`` is its colour by the rules of the needs map."""

    building_id: str
    name: str
    tone: str
    counts: Counts


class CompoundPlan(QAbstractScrollArea):
    """Painted tiles in as many columns as fit; one of them is current."""

    activated = Signal(str)  # building id: Enter or a double click
    current_changed = Signal(str)  # building id

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles: tuple[BuildingTile, ...] = ()
        self._rects: tuple[QRect, ...] = ()
        self._columns = 1
        self._current = 0
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @property
    def current(self) -> str:
        """The building with the ring, "" when there is none."""
        return self._tiles[self._current].building_id if self._tiles else ""

    def set_tiles(self, tiles: tuple[BuildingTile, ...]) -> None:
        """Show these buildings; the current one stays where it still exists."""
        kept = self.current
        self._tiles = tiles
        places = [place for place, tile in enumerate(tiles) if tile.building_id == kept]
        self._current = places[0] if places else 0
        self._arrange()
        self._describe()

    def set_current(self, building_id: str) -> None:
        """Move the ring and tell; an unknown building changes nothing."""
        for place, tile in enumerate(self._tiles):
            if tile.building_id == building_id:
                self._go(place)

    def tile_rect(self, building_id: str) -> QRect:
        """Where a tile is in the viewport now."""
        place = next(place for place, tile in enumerate(self._tiles) if tile.building_id == building_id)
        return self._rects[place].translated(0, -self.verticalScrollBar().value())

    def sizeHint(self) -> QSize:
        px = theme.current().px
        rows = (len(self._tiles) + 1) // 2
        return QSize(px(2 * _TILE_WIDTH + 3 * _GAP), min(px(rows * (_TILE_HEIGHT + _GAP) + _GAP), px(560)))

    def minimumSizeHint(self) -> QSize:
        px = theme.current().px
        return QSize(px(_TILE_WIDTH + 2 * _GAP), px(_TILE_HEIGHT + 2 * _GAP))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = len(self._tiles) - 1
        key = Qt.Key(event.key())
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self._columns,
            Qt.Key.Key_Down: self._columns,
            Qt.Key.Key_Home: -self._current,
            Qt.Key.Key_End: last - self._current,
        }
        if not self._tiles:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.activated.emit(self.current)
        elif key in steps:
            target = self._current + steps[key]
            self._go(
                target if 0 <= target <= last else min(max(target, 0), last) if abs(steps[key]) == 1 else self._current
            )
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._place_at(event.position().toPoint())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go(place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._place_at(event.position().toPoint()) is not None:
            self.activated.emit(self.current)

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.current()
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shift = QPoint(0, self.verticalScrollBar().value())
        for place, (tile, rect) in enumerate(zip(self._tiles, self._rects, strict=True)):
            shown = rect.translated(-shift)
            if shown.intersects(event.rect()):
                is_current = place == self._current
                _paint_tile(painter, tile, shown, look, is_current=is_current, has_focus=self.hasFocus())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange):
            self._arrange()

    def _go(self, place: int) -> None:
        if place == self._current:
            return
        self._current = place
        self._describe()
        rect, bar = self._rects[place], self.verticalScrollBar()
        bar.setValue(min(max(bar.value(), rect.bottom() + 4 - self.viewport().height()), rect.top() - 4))
        self.viewport().update()
        self.current_changed.emit(self.current)

    def _place_at(self, point: QPoint) -> int | None:
        moved = point + QPoint(0, self.verticalScrollBar().value())
        return next((place for place, rect in enumerate(self._rects) if rect.contains(moved)), None)

    def _arrange(self) -> None:
        px = theme.current().px
        gap, edge = px(_GAP), px(3)
        inner = self.viewport().width() - 2 * edge
        self._columns = max(1, (inner + gap) // (px(_TILE_WIDTH) + gap))
        width = (inner - gap * (self._columns - 1)) // self._columns
        high = px(_TILE_HEIGHT)
        rects = []
        for place in range(len(self._tiles)):
            row, column = divmod(place, self._columns)
            alone = place == len(self._tiles) - 1 and column == 0 and self._columns == 2
            rects.append(
                QRect(edge + column * (width + gap), edge + row * (high + gap), inner if alone else width, high)
            )
        self._rects = tuple(rects)
        bottom = rects[-1].bottom() + edge if rects else 0
        self.verticalScrollBar().setRange(0, max(0, bottom - self.viewport().height()))
        self.verticalScrollBar().setPageStep(self.viewport().height())
        self.verticalScrollBar().setSingleStep(high // 2)
        self.updateGeometry()
        self.viewport().update()

    def _describe(self) -> None:
        if self._tiles:
            tile = self._tiles[self._current]
            said = f"{tile.name} {state_words(tile.tone)} {counts_words(tile.counts)}"
            self.setAccessibleDescription(said)
            if self.hasFocus():
                QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))


def _paint_tile(
    painter: QPainter, tile: BuildingTile, rect: QRect, look: Theme, *, is_current: bool, has_focus: bool
) -> None:
    px, colours = look.px, look.colours
    border = colours.accent if is_current else colours.line_strong
    painter.setPen(QPen(QColor(border), px(3) if is_current and has_focus else px(2) if is_current else 1))
    painter.setBrush(QColor(colours.accent_soft if is_current else colours.tile))
    painter.drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -1), px(6), px(6))
    badge = QRectF(rect.right() - px(10) - px(24), rect.top() + px(9), px(24), px(24))
    paint_badge(painter, badge, tone=tile.tone, character=state_character(tile.tone), look=look, scale=look.scale)
    painter.setPen(QColor(colours.ink))
    painter.setFont(look.font(bold=True))
    name = QRectF(rect.left() + px(11), rect.top() + px(8), badge.left() - rect.left() - px(15), px(26))
    painter.drawText(name, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, tile.name)
    bar = QRectF(rect.left() + px(11), rect.top() + px(40), rect.width() - px(22), px(8))
    paint_shares(painter, bar, tile.counts, look)
    painter.setPen(QColor(colours.ink_2))
    painter.setFont(look.font(theme.HINT_SIZE))
    numbers = QRectF(rect.left() + px(9), rect.top() + px(51), rect.width() - px(12), px(22))
    painter.drawText(numbers, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, counts_words(tile.counts))
