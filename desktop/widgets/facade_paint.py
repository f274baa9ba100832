"""The one function that paints a façade: on the screen, on paper and into a test's image."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final, Self

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from desktop.theme import HINT_SIZE, SECONDARY_SIZE, Paint, Theme
from desktop.widgets.facade_model import FacadeCell, FacadeSnapshot

_CHARACTER: Final = 17
_GAP: Final = 5
_UNIT_GAP: Final = 15
_MAX_WIDTH: Final = 112
_MAX_HEIGHT: Final = 57
_MIN_HEIGHT: Final = 39
_MIN_WIDTH: Final = 36
_ROOM_AIR: Final = 6
_RADIUS: Final = 5
_PRINTED_BORDERS: Final = {"red": 3.0, "yellow": 1.8}  # without colour, the thickness tells the urgent doors


@dataclass(frozen=True, slots=True)
class FacadeGeometry:
    """Where everything is, in device-independent pixels from the top left of the unscrolled façade.

    ``left`` is the strip of floor labels, ``bottom`` the strip of unit labels; both stay while doors scroll.
    """

    scale: float
    left: int
    bottom: int
    xs: tuple[int, ...]
    ys: tuple[int, ...]
    cell: QSize
    unit_spans: tuple[tuple[int, int], ...]
    width: int
    height: int
    is_short: bool = False  # rooms are written without their staircase

    @classmethod
    def fit(cls, snapshot: FacadeSnapshot, *, size: QSize, look: Theme, scale: float, shrink: bool = False) -> Self:
        """Use the room there is; doors never become too small to read unless ``shrink`` (paper) says so.

        Where the rooms in full would not all fit side by side, they are written short.
        """
        columns = sum(unit.columns for unit in snapshot.units)
        small = QFontMetricsF(look.painted_font(HINT_SIZE, scale=scale))
        floors = max((small.horizontalAdvance(floor) for floor in snapshot.floors), default=0.0)
        left = round(floors + 14 * scale) if snapshot.floors else 0
        bottom = round(small.height() + 12 * scale) if snapshot.units else 0
        gaps = _GAP * scale * max(0, columns - len(snapshot.units)) + _UNIT_GAP * scale * max(
            0, len(snapshot.units) - 1
        )
        ring = 4 * scale
        wide = (size.width() - left - gaps - 2 * ring) / max(1, columns)
        least = max(_widest(snapshot, small, is_short=False) + _ROOM_AIR * scale, _MIN_WIDTH * scale)
        is_short = wide < least and not shrink
        if is_short:
            least = max(_widest(snapshot, small, is_short=True) + _ROOM_AIR * scale, _MIN_WIDTH * scale)
        high = (size.height() - bottom - 2 * ring) / max(1, len(snapshot.floors)) - _GAP * scale
        if shrink:
            cell_width, cell_height = min(wide, _MAX_WIDTH * scale), min(high, _MAX_HEIGHT * scale)
        else:
            cell_width = min(max(wide, least), max(_MAX_WIDTH * scale, least))
            cell_height = min(max(high, _MIN_HEIGHT * scale), _MAX_HEIGHT * scale)
        cell = QSize(max(4, int(cell_width)), max(4, int(cell_height)))
        xs: list[int] = []
        spans: list[tuple[int, int]] = []
        x = left + ring
        for unit in snapshot.units:
            start = x
            for _ in range(unit.columns):
                xs.append(round(x))
                x += cell.width() + _GAP * scale
            spans.append((round(start), round(x - _GAP * scale)))
            x += (_UNIT_GAP - _GAP) * scale
        ys = tuple(round(ring + row * (cell.height() + _GAP * scale)) for row in range(len(snapshot.floors)))
        lettering = scale if not shrink else scale * min(1.0, cell_width / least, cell_height / (_MIN_HEIGHT * scale))
        return cls(
            scale=lettering,
            left=left,
            bottom=bottom,
            xs=tuple(xs),
            ys=ys,
            cell=cell,
            unit_spans=tuple(spans),
            width=round((spans[-1][1] if spans else left) + ring),
            height=round((ys[-1] + cell.height() if ys else 0) + ring) + bottom,
            is_short=is_short,
        )

    def rect(self, cell: FacadeCell) -> QRect:
        """Where a door is."""
        return QRect(QPoint(self.xs[cell.column], self.ys[cell.row]), self.cell)

    def place_at(self, point: QPoint) -> tuple[int, int] | None:
        """(row, column) under a point, None between doors."""
        column = bisect_right(self.xs, point.x()) - 1
        row = bisect_right(self.ys, point.y()) - 1
        if column < 0 or row < 0:
            return None
        inside = QRect(QPoint(self.xs[column], self.ys[row]), self.cell).contains(point)
        return (row, column) if inside else None


def paint_facade(
    painter: QPainter,
    snapshot: FacadeSnapshot,
    rect: QRect,
    look: Theme,
    *,
    geometry: FacadeGeometry | None = None,
    scale: float = 0.0,
    offset: QPoint | None = None,
    current: str = "",
    has_focus: bool = False,
    monochrome: bool = False,
) -> None:
    """Paint the building into ``rect``.

    Without a ``geometry`` the whole building is shrunk into it (paper; ``scale`` is then device pixels per
    design pixel). ``offset`` is how far the doors are scrolled, ``current`` the household with the ring.
    """
    if geometry is None:
        geometry = FacadeGeometry.fit(snapshot, size=rect.size(), look=look, scale=scale or look.scale, shrink=True)
    shift = offset or QPoint(0, 0)
    doors = QRect(
        rect.left() + geometry.left, rect.top(), rect.width() - geometry.left, rect.height() - geometry.bottom
    )
    painter.save()
    painter.setClipRect(doors)
    painter.translate(rect.topLeft() - shift)
    seen = QRect(doors.topLeft() - rect.topLeft() + shift, doors.size())
    visible = [cell for cell in snapshot.cells if geometry.rect(cell).intersects(seen)]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint_surfaces(painter, visible, geometry, look, monochrome=monochrome)
    _paint_letters(painter, visible, geometry, look, monochrome=monochrome)
    ringed = next((cell for cell in visible if cell.household_id == current), None)
    if ringed is not None:
        _paint_ring(painter, geometry.rect(ringed), geometry, look, has_focus=has_focus)
    painter.restore()
    _paint_labels(painter, snapshot, rect, geometry, look, shift=shift, monochrome=monochrome)


def cell_paint(cell: FacadeCell, look: Theme, *, monochrome: bool = False) -> Paint:
    """How a door is filled and lettered; dimmed doors are white, on black-and-white paper all are."""
    paint = look.cell(cell.tone)
    if monochrome:
        border = "" if cell.tone in ("blank", "vacant") else look.colours.ink
        return Paint(fill=look.colours.card, text=look.colours.ink, border=border, dashed=paint.dashed)
    if cell.dim:
        return Paint(fill=look.colours.card, text=look.colours.ink_3, border=look.colours.line, dashed=False)
    return paint


def _batches(cells: list[FacadeCell]) -> list[tuple[str, list[FacadeCell]]]:
    """The doors by look: (tone, doors)."""
    held: dict[tuple[str, bool], list[FacadeCell]] = {}
    for cell in cells:
        held.setdefault((cell.tone, cell.dim), []).append(cell)
    return [(tone, batch) for (tone, _), batch in held.items()]


def _paint_surfaces(
    painter: QPainter, cells: list[FacadeCell], geometry: FacadeGeometry, look: Theme, *, monochrome: bool
) -> None:
    """A batch a look: pen and brush once, then its doors (one path of them all costs four times as much)."""

    radius = _RADIUS * geometry.scale
    for tone, batch in _batches(cells):
        paint = cell_paint(batch[0], look, monochrome=monochrome)
        width = geometry.scale * (_PRINTED_BORDERS.get(tone, 1.0) if monochrome else 1.0)
        inset = width / 2 if paint.border else 0.0
        painter.setBrush(QColor(paint.fill))
        if paint.border:
            pen = QPen(QColor(paint.border), width)
            if paint.dashed:
                pen.setDashPattern([3.0, 2.5])
            painter.setPen(pen)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
        for cell in batch:
            outline = QRectF(geometry.rect(cell)).adjusted(inset, inset, -inset, -inset)
            painter.drawRoundedRect(outline, radius, radius)


def _paint_letters(
    painter: QPainter, cells: list[FacadeCell], geometry: FacadeGeometry, look: Theme, *, monochrome: bool
) -> None:
    """Characters, then room numbers, a pen a look; set by baseline, because laying out a rectangle costs far more."""
    high, wide = geometry.cell.height(), geometry.cell.width()
    large = look.painted_font(_CHARACTER, scale=geometry.scale, bold=True)
    small = look.painted_font(HINT_SIZE, scale=geometry.scale)
    room = _short_room if geometry.is_short else _room
    for font, part, middle in ((large, _character, 0.335), (small, room, 0.755)):
        metrics = QFontMetricsF(font)
        down = high * middle + (metrics.ascent() - metrics.descent()) / 2
        widths: dict[str, float] = {}
        painter.setFont(font)
        for _, batch in _batches(cells):
            painter.setPen(QColor(cell_paint(batch[0], look, monochrome=monochrome).text))
            for cell in batch:
                text = part(cell)
                if text not in widths:
                    widths[text] = metrics.horizontalAdvance(text)
                x = geometry.xs[cell.column] + (wide - widths[text]) / 2
                painter.drawText(QPointF(x, geometry.ys[cell.row] + down), text)


def _character(cell: FacadeCell) -> str:
    return cell.character


def _room(cell: FacadeCell) -> str:
    return cell.room


def _short_room(cell: FacadeCell) -> str:
    return cell.short or cell.room


def _widest(snapshot: FacadeSnapshot, metrics: QFontMetricsF, *, is_short: bool) -> float:
    texts = {_short_room(cell) if is_short else cell.room for cell in snapshot.cells}
    return max(map(metrics.horizontalAdvance, texts), default=0.0)


def _paint_ring(painter: QPainter, rect: QRect, geometry: FacadeGeometry, look: Theme, *, has_focus: bool) -> None:
    width = max(2.0, 2.6 * geometry.scale) if has_focus else max(1.6, 2.0 * geometry.scale)
    outset = 2.2 * geometry.scale
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(look.colours.card), width))
    painter.drawRoundedRect(QRectF(rect).adjusted(0, 0, 0, 0), 5 * geometry.scale, 5 * geometry.scale)
    painter.setPen(QPen(QColor(look.colours.accent), width))
    ring = QRectF(rect).adjusted(-outset, -outset, outset, outset)
    painter.drawRoundedRect(ring, 7 * geometry.scale, 7 * geometry.scale)


def _paint_labels(
    painter: QPainter,
    snapshot: FacadeSnapshot,
    rect: QRect,
    geometry: FacadeGeometry,
    look: Theme,
    *,
    shift: QPoint,
    monochrome: bool,
) -> None:
    painter.save()
    painter.setPen(QColor(look.colours.ink if monochrome else look.colours.ink_2))
    painter.setFont(look.painted_font(HINT_SIZE, scale=geometry.scale))
    painter.setClipRect(QRect(rect.topLeft(), QSize(geometry.left, rect.height() - geometry.bottom)))
    for row, text in enumerate(snapshot.floors):
        top = rect.top() + geometry.ys[row] - shift.y()
        area = QRectF(QPointF(rect.left(), top), geometry.cell.toSizeF()).toRect()
        area.setWidth(geometry.left - round(6 * geometry.scale))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
    under = min(rect.bottom() + 1 - geometry.bottom, rect.top() + geometry.height - geometry.bottom)
    strip = QRect(rect.left() + geometry.left, under, rect.width() - geometry.left, geometry.bottom)
    painter.setClipRect(strip)
    painter.setFont(look.painted_font(SECONDARY_SIZE, scale=geometry.scale))
    for unit, (start, end) in zip(snapshot.units, geometry.unit_spans, strict=True):
        area = QRect(rect.left() + start - shift.x(), under, end - start, geometry.bottom)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, unit.label)
    painter.restore()
