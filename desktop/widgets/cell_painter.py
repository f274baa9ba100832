"""How all tables paint a cell, so that they look alike and the chosen row can always be seen."""

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from desktop import theme
from desktop.widgets.paged_model import BADGE_ROLE, PagedModel
from desktop.widgets.state_badge import paint_badge

AnyIndex = QModelIndex | QPersistentModelIndex
_LEAST_COLUMN: Final = 60


class CellPainter(QStyledItemDelegate):
    """Text with a hairline below; a badge where the column has one; a bar at the chosen row of the table in focus."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(theme.current().px(_LEAST_COLUMN), theme.current().px(theme.ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        look = theme.current()
        px = look.px
        rect = option.rect  # type: ignore[attr-defined]  # public fields are missing in the binding's stubs
        state = option.state  # type: ignore[attr-defined]  # as above
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(look.colours.accent_soft))
            table = self.parent()
            if isinstance(table, QTableView) and table.hasFocus() and index.column() == 0:
                painter.fillRect(QRect(rect.topLeft(), QSize(px(4), rect.height())), QColor(look.colours.accent))
        painter.setPen(QColor(look.colours.line))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        text = str(index.data() or "")
        tone = index.data(BADGE_ROLE)
        if tone:
            wide = px(46) if tone == "done" else px(26)
            badge = QRectF(rect.left() + px(8), rect.center().y() - px(13), wide, px(26))
            paint_badge(painter, badge, tone=str(tone), character=text, look=look, scale=look.scale)
        else:
            model = index.model()
            is_bold = isinstance(model, PagedModel) and model.columns[index.column()].is_bold
            area = rect.adjusted(px(8), 0, -px(8), 0)
            painter.setFont(look.font(bold=is_bold))
            painter.setPen(QColor(look.colours.ink))
            elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
            align = index.data(Qt.ItemDataRole.TextAlignmentRole) or Qt.AlignmentFlag.AlignVCenter
            painter.drawText(area, align, elided)
        painter.restore()
