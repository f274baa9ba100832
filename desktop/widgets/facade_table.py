"""The façade's twin: the same snapshot as a table, for a screen reader and for those who prefer lists."""

from typing import Final

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.widgets.cell_painter import CellPainter
from desktop.widgets.facade_model import FacadeSnapshot
from desktop.widgets.paged_model import BADGE_ROLE

AnyIndex = QModelIndex | QPersistentModelIndex
_COLUMNS: Final = 4
_STATE: Final = 2


class _DoorModel(QAbstractTableModel):
    def __init__(self) -> None:
        super().__init__()
        self.snapshot = FacadeSnapshot.empty()

    def show(self, snapshot: FacadeSnapshot) -> None:
        self.beginResetModel()
        self.snapshot = snapshot
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self.snapshot.cells)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else _COLUMNS

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return (tr("Floor"), tr("Room"), tr("State"), tr("What is behind it"))[section]

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> str | None:
        if not index.isValid() or role not in (Qt.ItemDataRole.DisplayRole, BADGE_ROLE):
            return None
        cell = self.snapshot.cells[index.row()]
        if role == BADGE_ROLE:
            return cell.tone if index.column() == _STATE and cell.character else None
        return (self.snapshot.floors[cell.row], cell.room, cell.character, cell.words)[index.column()]


class FacadeTable(QTableView):
    """One row a door, in the façade's order; the same signals as the façade."""

    activated = Signal(str)  # hides Qt's own signal of an index, on purpose
    current_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._doors = _DoorModel()
        self.setModel(self._doors)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setItemDelegate(CellPainter(self))
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setHighlightSections(False)
        self.selectionModel().currentRowChanged.connect(self._on_current)
        self.doubleClicked.connect(lambda _: self.activated.emit(self.current))
        self._fit()

    @property
    def current(self) -> str:
        """The household of the chosen row, "" for none."""
        row = self.currentIndex().row()
        cells = self._doors.snapshot.cells
        return cells[row].household_id if 0 <= row < len(cells) else ""

    def set_snapshot(self, snapshot: FacadeSnapshot) -> None:
        """Show a building; the chosen household stays chosen."""
        kept = self.current
        self._doors.show(snapshot)
        self.setAccessibleName(snapshot.title)
        self.set_current(kept)

    def set_current(self, household_id: str) -> None:
        """Choose a door; an unknown one changes nothing."""
        for row, cell in enumerate(self._doors.snapshot.cells):
            if cell.household_id == household_id:
                self.selectRow(row)
                self.setCurrentIndex(self._doors.index(row, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current:
            self.activated.emit(self.current)
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        px = theme.current().px
        self.verticalHeader().setDefaultSectionSize(px(theme.ROW_HEIGHT))
        for place, width in enumerate((80, 100, 80)):
            self.setColumnWidth(place, px(width))

    def _on_current(self, now: QModelIndex, before: QModelIndex) -> None:
        if now.isValid():
            self.current_changed.emit(self.current)
