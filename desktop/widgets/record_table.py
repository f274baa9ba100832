"""The table of records: high rows, one row chosen, Enter opens it, a sentence when it is empty."""

from typing import Any

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableView,
    QWidget,
)

from desktop import theme
from desktop.widgets.cell_painter import CellPainter
from desktop.widgets.paged_model import PagedModel

AnyIndex = QModelIndex | QPersistentModelIndex


class RecordTable(QTableView):
    """Shows a ``PagedModel``. A click on a sortable head asks for the order; sorting itself is the query's."""

    activated_id = Signal(str)  # Enter or a double click
    current_id_changed = Signal(str)
    sort_requested = Signal(str, bool)  # the column's sort name, descending

    def __init__(self, name: str, *, empty: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._empty = empty
        self._sort = ""
        self._descending = False
        self._wanted = ""
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionsClickable(True)
        self.horizontalHeader().sectionClicked.connect(self._on_head)
        self.setItemDelegate(CellPainter(self))
        self.doubleClicked.connect(lambda index: self.activated_id.emit(self._id(index)))
        self._fit_rows()

    def show_model(self, model: PagedModel[Any, Any]) -> None:
        """Show a model and lay out its columns."""
        self.setModel(model)
        model.loaded.connect(self._on_loaded)
        self.selectionModel().currentRowChanged.connect(self._on_current)
        self._fit_columns()

    def set_empty_text(self, text: str) -> None:
        """What an empty table teaches: what will be here and how to make the first one."""
        self._empty = text
        self.viewport().update()

    def current_id(self) -> str:
        """The chosen record, "" for none."""
        return self._id(self.currentIndex())

    def select_id(self, record_id: str) -> None:
        """Choose a record and scroll to it, now or as soon as the ids are there."""
        self._wanted = record_id
        self._select_wanted()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current_id():
            self.activated_id.emit(self.current_id())
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_rows()
            self._fit_columns()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        model = self.model()
        if self._empty and not (isinstance(model, PagedModel) and model.rowCount()):
            look = theme.current()
            painter = QPainter(self.viewport())
            painter.setPen(QColor(look.colours.ink_2))
            painter.setFont(look.font())
            area = self.viewport().rect().adjusted(look.px(24), look.px(24), -look.px(24), -look.px(24))
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
            painter.drawText(area, flags, self._empty)

    def _id(self, index: AnyIndex) -> str:
        model = self.model()
        return model.id_at(index.row()) if isinstance(model, PagedModel) and index.isValid() else ""

    def _fit_rows(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.current().px(theme.ROW_HEIGHT))
        self.horizontalHeader().setMinimumHeight(theme.current().px(38))

    def _fit_columns(self) -> None:
        model, px = self.model(), theme.current().px
        if not isinstance(model, PagedModel):
            return
        header = self.horizontalHeader()
        header.setMinimumSectionSize(px(36))
        for place, column in enumerate(model.columns):
            stretches = column.width == 0
            mode = QHeaderView.ResizeMode.Stretch if stretches else QHeaderView.ResizeMode.Interactive
            header.setSectionResizeMode(place, mode)
            if not stretches:
                self.setColumnWidth(place, px(column.width))

    def _on_head(self, place: int) -> None:
        model = self.model()
        if not isinstance(model, PagedModel) or not model.columns[place].sort:
            return
        sort = model.columns[place].sort
        self._descending = not self._descending if sort == self._sort else False
        self._sort = sort
        order = Qt.SortOrder.DescendingOrder if self._descending else Qt.SortOrder.AscendingOrder
        self.horizontalHeader().setSortIndicatorShown(True)
        self.horizontalHeader().setSortIndicator(place, order)
        self.sort_requested.emit(sort, self._descending)

    def _on_loaded(self, count: int) -> None:
        self._select_wanted()
        self.viewport().update()

    def _on_current(self, now: QModelIndex, before: QModelIndex) -> None:
        if now.isValid():
            self._wanted = self._id(now)
            self.current_id_changed.emit(self._wanted)

    def _select_wanted(self) -> None:
        model = self.model()
        row = model.row_of(self._wanted) if isinstance(model, PagedModel) and self._wanted else -1
        if row < 0 or not isinstance(model, PagedModel):
            return
        index = model.index(row, 0)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.selectionModel().setCurrentIndex(index, flags)
        self.scrollTo(index)
