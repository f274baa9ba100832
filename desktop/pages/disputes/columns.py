"""How a dispute stands in the list: heading, state below it, and a pill with the day that presses."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.tasks import Tasks
from desktop.widgets.option_row import Option
from desktop.widgets.paged_model import ROW_ROLE, Column, PagedModel
from desktop.words.disputes import due_words, heading, state_words
from sync.domain.flow import MEDIATOR
from sync.domain.roles import STATION_ROLES, Viewer
from sync.store.dispute_rows import DisputeRow
from sync.store.store import Reader, Store

AnyIndex = QModelIndex | QPersistentModelIndex
Disputes = PagedModel[Reader, DisputeRow]
_ROW: Final = 74
_AIR: Final = 12


def make_model(tasks: Tasks[Store, Reader], parent: QWidget, *, today: Callable[[], str]) -> Disputes:
    """The model behind the list: ids first, rows as they are looked at."""
    model: Disputes = PagedModel(tasks, (), parent)
    model.set_columns(columns(today))
    return model


def columns(today: Callable[[], str]) -> tuple[Column[DisputeRow], ...]:
    """One column, whose text is what a screen reader says of a row."""

    def said(row: DisputeRow) -> str:
        parts = (heading(row), state_words(row, today=today()), due_words(row, today=today()))
        return tr(", ", "list").join(part for part in parts if part)

    return (Column(tr("Disputes"), said),)


def shelves_for(viewer: Viewer | None) -> tuple[str, ...]:
    """The lists this person looks at, the first one first."""
    if viewer is None or not viewer.has_any(STATION_ROLES | MEDIATOR):
        return ("mine", "finished")
    return ("cases", "open", "finished") if viewer.has_any(MEDIATOR) else ("open", "mine", "finished")


def shelf_options(shelves: Sequence[str], counts: Mapping[str, int]) -> tuple[Option, ...]:
    """The lists as choices, each with how many disputes it holds."""
    names = {
        "mine": tr("Noticed by me: {n}"),
        "open": tr("Open: {n}"),
        "cases": tr("Mediated by me: {n}"),
        "finished": tr("On file: {n}"),
    }
    return tuple(Option(shelf, names[shelf].format(n=counts.get(shelf, 0))) for shelf in shelves)


class DisputeList(QListView):
    """Two lines a row; moving through it shows the row, Enter and a click open it."""

    shown = Signal(str)  # the row one stands on
    opened = Signal(str)

    def __init__(self, model: Disputes, *, today: Callable[[], str]) -> None:
        super().__init__()
        self._disputes = model
        self._wanted = ""
        self._empty = ""
        self.setModel(model)
        self.setItemDelegate(_RowPainter(self, today))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.selectionModel().currentChanged.connect(self._on_current)
        self.clicked.connect(lambda index: self.opened.emit(self._disputes.id_at(index.row())))
        model.loaded.connect(self._on_loaded)

    @property
    def wanted(self) -> str:
        """The dispute that is chosen, or will be as soon as the list has it."""
        return self._wanted

    def choose(self, dispute_id: str) -> None:
        """Stand on this dispute, now or as soon as the list has it; '' stands nowhere."""
        self._wanted = dispute_id
        self._stand()

    def set_empty_text(self, text: str) -> None:
        """What an empty list teaches."""
        self._empty = text
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._disputes.rowCount():
            if not self.currentIndex().isValid():
                self.setCurrentIndex(self._disputes.index(0, 0))
            self.opened.emit(self._disputes.id_at(self.currentIndex().row()))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._empty and not self._disputes.rowCount():
            look = theme.current()
            painter = QPainter(self.viewport())
            painter.setPen(QColor(look.colours.ink_2))
            painter.setFont(look.font())
            area = self.viewport().rect().adjusted(look.px(4), look.px(8), -look.px(4), 0)
            painter.drawText(area, Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap, self._empty)

    def _on_current(self, now: QModelIndex, _: QModelIndex) -> None:
        if now.isValid():
            self._wanted = self._disputes.id_at(now.row())
            self.shown.emit(self._wanted)

    def _on_loaded(self, _: int) -> None:
        self._stand()
        self.viewport().update()

    def _stand(self) -> None:
        row = self._disputes.row_of(self._wanted) if self._wanted else -1
        if row < 0:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
            return
        index = self._disputes.index(row, 0)
        self.setCurrentIndex(index)
        self.scrollTo(index)


class _RowPainter(QStyledItemDelegate):
    """Heading, state, pill; the chosen row is filled, with a bar while the list has the focus."""

    def __init__(self, parent: QListView, today: Callable[[], str]) -> None:
        super().__init__(parent)
        self._today = today

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        px = theme.current().px
        return QSize(px(120), px(_ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        look = theme.current()
        px, colours = look.px, look.colours
        rect = QRectF(option.rect)  # type: ignore[attr-defined]  # public fields are missing in the binding's stubs
        state = option.state  # type: ignore[attr-defined]  # as above
        row = index.data(ROW_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(colours.accent_soft))
            painter.drawRoundedRect(rect, px(8), px(8))
            view = self.parent()
            if isinstance(view, QListView) and view.hasFocus():
                painter.setBrush(QColor(colours.accent))
                painter.drawRoundedRect(QRectF(rect.left(), rect.top(), px(4), rect.height()), px(2), px(2))
        inner = rect.adjusted(px(_AIR), px(8), -px(_AIR), -px(8))
        if isinstance(row, DisputeRow):
            self._paint_row(painter, inner, row)
        else:
            painter.setPen(QColor(colours.ink_2))
            painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter, str(index.data() or ""))
        painter.restore()

    def _paint_row(self, painter: QPainter, inner: QRectF, row: DisputeRow) -> None:
        look, today = theme.current(), self._today()
        px, colours = look.px, look.colours
        pill = due_words(row, today=today)
        title = heading(row).replace("　", " ")
        half = inner.height() / 2
        first = below = inner.width()
        if pill:
            painter.setFont(look.font(theme.HINT_SIZE))
            wide = painter.fontMetrics().horizontalAdvance(pill) + px(20)
            high = painter.fontMetrics().height() + px(6)
            painter.setFont(look.font(bold=True))
            below = inner.width() - wide - px(8)
            fits = painter.fontMetrics().horizontalAdvance(title) <= below
            # Rooms and matter are read in full: the pill goes beside the state where there is no room.
            middle_y = inner.center().y() if fits else inner.top() + half * 1.5
            first = below if fits else first
            box = QRectF(inner.right() - wide, middle_y - high / 2, wide, high)
            painter.setFont(look.font(theme.HINT_SIZE))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.pill))
            painter.drawRoundedRect(box, high / 2, high / 2)
            painter.setPen(QColor(colours.ink))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, pill)
        middle = Qt.AlignmentFlag.AlignVCenter
        for font, colour, text, top, width in (
            (look.font(bold=True), colours.ink, title, inner.top(), first),
            (look.font(theme.SECONDARY_SIZE), colours.ink_2, state_words(row, today=today), inner.top() + half, below),
        ):
            painter.setFont(font)
            painter.setPen(QColor(colour))
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(width))
            painter.drawText(QRectF(inner.left(), top, width, half), middle, shown)
