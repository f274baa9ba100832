"""The list on the left: a building, one of its entrances, its doors."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout

from desktop import theme
from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.households.columns import door_columns
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from desktop.widgets.paged_model import PagedModel
from desktop.widgets.record_table import RecordTable
from sync.store import households
from sync.store.households import BuildingRow, DoorRow
from sync.store.store import Reader


class DoorList(Card):
    """``chosen`` as one walks the doors, ``activated`` by Enter, ``clicked`` too; ``building_asked`` for a new one."""

    chosen = Signal(str)
    activated = Signal(str)
    clicked = Signal(str)
    building_asked = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._buildings: tuple[BuildingRow, ...] = ()
        self.model: PagedModel[Reader, DoorRow] = PagedModel(context.tasks, door_columns(), self)
        self.building, self.unit = QComboBox(), QComboBox()
        self.table = RecordTable(tr("Doors"))
        self.table.horizontalHeader().hide()
        self.table.show_model(self.model)
        self.new_building = button("", on_click=self.building_asked.emit)
        row = QHBoxLayout()
        row.setSpacing(theme.current().px(theme.GAP_S))
        row.addWidget(self.building, 1)
        row.addWidget(self.unit, 1)
        self.add(row)
        self.add(self.table, stretch=1)
        self.add(self.new_building)
        self.building.activated.connect(self._on_building)
        self.unit.activated.connect(lambda _: self.load(""))
        self.table.current_id_changed.connect(self.chosen)
        self.table.activated_id.connect(self.activated)
        self.table.clicked.connect(lambda _: self.clicked.emit(self.table.current_id()))
        self.retranslate()

    @property
    def building_id(self) -> str:
        """The building whose doors are shown, '' for none."""
        return str(self.building.currentData() or "")

    def retranslate(self) -> None:
        """Every text again."""
        self.building.setAccessibleName(tr("Building"))
        self.unit.setAccessibleName(tr("Unit"))
        self.table.set_empty_text(tr("No households here yet. The station adds a building with its doors."))
        self.new_building.set_words(tr("New building"))
        self.model.set_columns(door_columns())

    def show_buildings(self, buildings: Sequence[BuildingRow], *, building_id: str, household_id: str) -> None:
        """Offer these buildings and show the doors of one; the entrance chosen stays while the building does."""
        before, unit_id = self.building_id, str(self.unit.currentData() or "")
        self._buildings = tuple(buildings)
        self.building.clear()
        for row in buildings:
            self.building.addItem(row.name, row.building_id)
        self.building.setCurrentIndex(max(0, self.building.findData(building_id or before)))
        self.building.setVisible(bool(buildings))
        self._fill_units(unit_id if self.building_id == before else "")
        self.load(household_id)

    def load(self, household_id: str) -> None:
        """Ask for the doors; a household named is chosen among them, whichever entrance it has."""
        account, building_id = self._context.session.account_id, self.building_id
        unit_id = str(self.unit.currentData() or "")
        rules, now = self._context.rules, self._context.now
        self.model.load(
            ids=lambda reader: households.door_ids(reader.db, reader.viewer(account), building_id, unit_id=unit_id),
            rows=lambda reader, ids: households.door_rows(
                reader.db, reader.viewer(account), ids, rules=rules, now=now()
            ),
        )
        if household_id:
            self.table.select_id(household_id)

    def show_unit(self, unit_id: str | None) -> None:
        """When only one entrance is shown and the household has another, show all of them."""
        shown = self.unit.currentData()
        if shown and shown != unit_id:
            self.unit.setCurrentIndex(0)
            self.load("")

    def focus_doors(self) -> None:
        """Go to the list."""
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_building(self) -> None:
        self._fill_units("")
        self.load("")

    def _fill_units(self, chosen: str) -> None:
        row = next((row for row in self._buildings if row.building_id == self.building_id), None)
        units = row.units if row is not None else ()
        self.unit.clear()
        self.unit.addItem(tr("all units"), "")
        for unit in units:
            self.unit.addItem(unit.label or tr("no units"), unit.unit_id)
        self.unit.setCurrentIndex(max(0, self.unit.findData(chosen)))
        self.unit.setVisible(len(units) > 1)
