"""Rows for the floors that differ: other rooms, shops, floors that are left out."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QSpinBox, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.widgets.buttons import button
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label
from desktop.words.households import OCCUPANCIES, word
from sync.domain.building_plan import MOST_BELOW, MOST_FLOORS, MOST_ROOMS, FloorRule

_AS_USUAL = -1
_USES = ("", "non_residential", "vacant")


class FloorRuleRow(QWidget):
    """One span of floors of one entrance or all."""

    changed = Signal()
    removed = Signal()

    def __init__(self, units: tuple[str, ...]) -> None:
        super().__init__()
        row = FlowLayout(self)
        self.first, self.last, self.rooms = QSpinBox(), QSpinBox(), QSpinBox()
        for spin, name in ((self.first, tr("from floor")), (self.last, tr("to floor"))):
            spin.setRange(-MOST_BELOW, MOST_FLOORS)
            spin.setValue(1)
            spin.setAccessibleName(name)
            named = label(name, "field")
            named.setMinimumHeight(theme.current().px(theme.CONTROL_HEIGHT))
            row.addWidget(named)
            row.addWidget(spin)
        self.unit = QComboBox()
        self.unit.setAccessibleName(tr("Unit"))
        self.set_units(units)
        self.rooms.setRange(_AS_USUAL, MOST_ROOMS)
        self.rooms.setValue(_AS_USUAL)
        self.rooms.setSpecialValueText(tr("rooms as usual"))
        self.rooms.setSuffix(" " + tr("rooms"))
        self.rooms.setAccessibleName(tr("Rooms on a floor"))
        self.use = QComboBox()
        self.use.setAccessibleName(tr("Use"))
        for code in _USES:
            self.use.addItem(word(OCCUPANCIES, code) if code else tr("homes"), code)
        drop = button(tr("Take away"), on_click=self.removed.emit)
        for widget in (self.unit, self.rooms, self.use, drop):
            row.addWidget(widget)
        for spin in (self.first, self.last, self.rooms):
            spin.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
            spin.valueChanged.connect(self.changed)
        for box in (self.unit, self.use):
            box.activated.connect(self.changed)

    def set_units(self, units: tuple[str, ...]) -> None:
        """Offer these entrances."""
        chosen = self.unit.currentData()
        self.unit.clear()
        self.unit.addItem(tr("all units"), "")
        for unit in units:
            if unit:
                self.unit.addItem(unit, unit)
        self.unit.setCurrentIndex(max(0, self.unit.findData(chosen)))

    def rule(self) -> FloorRule:
        """What the row says."""
        return FloorRule(
            first=self.first.value(),
            last=self.last.value(),
            unit=str(self.unit.currentData() or ""),
            rooms=None if self.rooms.value() == _AS_USUAL else self.rooms.value(),
            occupancy=str(self.use.currentData() or ""),
        )


class FloorRules(QWidget):
    """The rows with a button for another one."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[FloorRuleRow] = []
        self._units: tuple[str, ...] = ("",)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(theme.current().px(theme.GAP_S))
        self.add_rule = button(tr("Some floors differ"), on_click=self._on_add)
        self._box.addWidget(self.add_rule)

    def set_units(self, units: tuple[str, ...]) -> None:
        """Other entrances to choose from."""
        self._units = units
        for row in self.rows:
            row.set_units(units)

    def rules(self) -> tuple[FloorRule, ...]:
        """All rows, in order; a later one overrides an earlier one."""
        return tuple(row.rule() for row in self.rows)

    def empty(self) -> None:
        """Take all rows away."""
        for row in list(self.rows):
            self._remove(row)

    def _on_add(self) -> None:
        row = FloorRuleRow(self._units)
        row.changed.connect(self.changed)
        row.removed.connect(lambda: self._remove(row))
        self.rows.append(row)
        self._box.insertWidget(len(self.rows) - 1, row)
        row.first.setFocus()
        self.changed.emit()

    def _remove(self, row: FloorRuleRow) -> None:
        self.rows.remove(row)
        self._box.removeWidget(row)
        row.hide()
        row.deleteLater()
        self.changed.emit()
