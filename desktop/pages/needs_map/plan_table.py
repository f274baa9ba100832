"""The plan's twin: the same buildings as a table, for a screen reader and for those who prefer lists."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from desktop import theme
from desktop.i18n import tr
from sync.domain.colour_rules import Colour, RuleSet
from sync.store.needs_map import CompoundSnapshot


class PlanTable(QTableWidget):
    """The plan's twin: a building a row, with its colour and its numbers."""

    current_changed = Signal(str)
    activated = Signal(str)  # hides Qt's own signal of an index, on purpose

    def __init__(self) -> None:
        super().__init__(0, 7)
        self._ids: list[str] = []
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setMinimumSectionSize(1)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.currentCellChanged.connect(self._on_current)
        self.cellActivated.connect(lambda row, _: self.activated.emit(self._ids[row]))

    def show_compound(self, compound: CompoundSnapshot | None) -> None:
        """Show the buildings of a compound, or nothing."""
        self.blockSignals(True)
        self.setAccessibleName(tr("Compound plan"))
        shown = compound.tiles if compound is not None else ()
        self._ids = [tile.building_id for tile in shown]
        rules = RuleSet()
        characters = [rules.entry(colour).character for colour in list(Colour)[:5]]
        self.setHorizontalHeaderLabels([tr("Building"), tr("Colour"), *characters])
        self.setRowCount(len(shown))
        for row, tile in enumerate(shown):
            counts = tile.counts
            numbers = (counts.red, counts.yellow, counts.green, counts.grey, counts.blank)
            texts = [tile.name, rules.entry(tile.coloured.colour).character, *(str(number) for number in numbers)]
            for column, text in enumerate(texts):
                cell = QTableWidgetItem(text)
                cell.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                self.setItem(row, column, cell)
            self.setRowHeight(row, theme.current().px(theme.ROW_HEIGHT))
        self.blockSignals(False)

    def set_current(self, building_id: str) -> None:
        """Choose a row without telling."""
        if building_id in self._ids:
            self.blockSignals(True)
            self.setCurrentCell(self._ids.index(building_id), 0)
            self.blockSignals(False)

    def _on_current(self, row: int, _column: int, _before: int, _before_column: int) -> None:
        if 0 <= row < len(self._ids):
            self.current_changed.emit(self._ids[row])
