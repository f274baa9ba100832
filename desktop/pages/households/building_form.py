"""A new building: floors, entrances and rooms, what is irregular, and the doors as they will be."""

import re

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QSpinBox, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import number, tr
from desktop.pages.households.area_field import AreaField
from desktop.pages.households.floor_rules import FloorRules
from desktop.pages.households.resident_box import starred
from desktop.texts import sentence
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from desktop.widgets.facade import Facade
from desktop.widgets.facade_model import FacadeRoom, FacadeSnapshot
from desktop.widgets.flow import ResponsiveColumns
from desktop.widgets.form import Form
from desktop.widgets.labels import label, set_text
from desktop.widgets.pinned_bar import PinnedBar
from desktop.words.households import OCCUPANCIES, word
from sync.domain.building_plan import (
    MOST_BELOW,
    MOST_FLOORS,
    MOST_ROOMS,
    MOST_UNITS,
    BuildingIntent,
    Duplex,
    PlannedDoor,
    layout,
    unit_labels,
)
from sync.errors import RuleError
from sync.store.households import BuildingChoices

_PREVIEW_MS = 150
_PARTS = re.compile(r"[\s,，、;；]+")


class BuildingForm(QWidget):
    """``submitted`` with a ``BuildingIntent``; ``left`` when it is put away."""

    submitted = Signal(object)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        px = theme.current().px
        self.form = Form()
        self.name = QLineEdit()
        self.compound = AreaField(name=tr("Compound"), new_name=tr("Name of the new compound"))
        self.grid = AreaField(name=tr("Grid"), new_name=tr("Name of the new grid"))
        self.floors, self.units, self.rooms, self.below, self.rooms_below = (QSpinBox() for _ in range(5))
        self._ordinary: list[tuple[QSpinBox, int]] = []
        for spin, least, most, value in (
            (self.floors, 1, MOST_FLOORS, 6),
            (self.units, 0, MOST_UNITS, 2),
            (self.rooms, 1, MOST_ROOMS, 2),
            (self.below, 0, MOST_BELOW, 0),
            (self.rooms_below, 0, MOST_ROOMS, 0),
        ):
            spin.setRange(least, most)
            spin.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)  # typed, or Up and Down
            spin.setFixedWidth(px(120))
            spin.setValue(value)
            self._ordinary.append((spin, value))
        self.units.setSpecialValueText(tr("no units"))
        self.rules = FloorRules()
        self.missing, self.duplexes = QLineEdit(), QLineEdit()
        # From the outside in: whatever gets another parent is dressed anew with all that is in it.
        inner = QWidget()
        self.bar = PinnedBar()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(inner, 1)
        outer.addWidget(self.bar)
        box = QVBoxLayout(inner)
        gap = px(theme.GAP_XL)
        box.setContentsMargins(gap, px(24), gap, px(12))
        self.main, self.preview = Card(), Card()
        self.columns = ResponsiveColumns(self.main, [self.preview], side_width=470, parent=inner)
        box.addWidget(self.columns)
        self.main.add(self.form)
        self.main.fill()
        self.facade = Facade()
        self.facade.setMinimumHeight(px(320))
        self._wrong = label("", "error", wrap=True)
        self.preview.add(self._wrong)
        self.preview.add(self.facade, stretch=1)
        self.save = self.bar.add(button("", role="primary", key="Ctrl+S", on_click=self._on_save))
        self.leave = self.bar.add(button("", on_click=self.left.emit))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PREVIEW_MS)
        self._timer.timeout.connect(self.show_preview)
        self._rows()
        self.retranslate()

    def retranslate(self) -> None:
        """The texts outside of the fields."""
        self.main.set_title(tr("New building"))
        self.main.set_hint(tr("fields with * are needed"))
        self.preview.set_title(tr("The doors"))
        self.save.set_words(tr("Make the building"))
        self.leave.set_words(tr("Put aside"))

    def begin(self, choices: BuildingChoices) -> None:
        """Offer compounds and grids; what was typed before and never made is still there."""
        self.compound.begin(choices.compounds, none="", may_add=choices.may_add)
        self.grid.begin(choices.grids, none=tr("none"), may_add=choices.may_add)
        self.form.set_visible("compound_id", choices.may_add or len(choices.compounds) > 1)
        self.form.clear_errors()
        self.name.setFocus(Qt.FocusReason.OtherFocusReason)
        self.show_preview()

    def empty(self) -> None:
        """The building is made: begin the next one with an ordinary house."""
        for edit in (self.name, self.missing, self.duplexes):
            edit.clear()
        for spin, value in self._ordinary:
            spin.setValue(value)
        for area in (self.compound, self.grid):
            area.empty()
        self.rules.empty()

    def intent(self) -> BuildingIntent:
        """What stands in the form."""
        return BuildingIntent(
            compound_id=self.compound.chosen(),
            name=self.name.text().strip(),
            floors_above=self.floors.value(),
            rooms=self.rooms.value(),
            units=unit_labels(self.units.value()),
            floors_below=self.below.value(),
            rooms_below=self.rooms_below.value(),
            floors=self.rules.rules(),
            missing=_parts(self.missing),
            duplexes=tuple(Duplex(room) for room in _parts(self.duplexes)),
            grid_id=self.grid.chosen(),
            new_compound=self.compound.new_name(),
            new_grid=self.grid.new_name(),
        )

    def show_preview(self) -> None:
        """Paint the doors, or say why there can be none like that."""
        intent = self.intent()
        try:
            doors = layout(intent)
        except RuleError as error:
            set_text(self._wrong, sentence(error))
            self.preview.set_hint("")
            return
        set_text(self._wrong, "")
        self.preview.set_hint(tr("{n} doors").format(n=number(len(doors))))
        title = tr("The doors of {building}").format(building=intent.name or tr("the new building"))
        self.facade.set_snapshot(FacadeSnapshot.arrange(title, [_room(door, intent.units) for door in doors]))

    def show_error(self, error: RuleError) -> bool:
        """Say what is wrong beside its field; False when it belongs to none."""
        field = {"new_compound": "compound_id", "new_grid": "grid_id"}.get(error.field, error.field)
        return self.form.set_error(field, sentence(error))

    def event(self, event: QEvent) -> bool:
        # Esc puts the form away, not the page.
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _rows(self) -> None:
        self.name.setPlaceholderText(tr("such as 8号楼"))
        self.compound.line.setPlaceholderText(tr("such as 幸福里小区"))
        self.grid.line.setPlaceholderText(tr("such as 第一网格"))
        self.missing.setPlaceholderText(tr("such as 2-401, 101至104"))
        self.duplexes.setPlaceholderText(tr("such as 1-601, 2-601"))
        rows: tuple[tuple[str, str, QWidget], ...] = (
            ("name", starred(tr("Building")), self.name),
            ("compound_id", starred(tr("Compound")), self.compound),
            ("grid_id", tr("Grid"), self.grid),
            ("floors_above", starred(tr("Floors above ground")), self.floors),
            ("units", starred(tr("Units (entrances)")), self.units),
            ("rooms", starred(tr("Rooms on a floor of a unit")), self.rooms),
            ("floors_below", tr("Floors below ground"), self.below),
            ("rooms_below", tr("Rooms on a floor below ground"), self.rooms_below),
            ("floors", tr("Floors that differ"), self.rules),
            ("missing", tr("Rooms that are not there"), self.missing),
            ("duplexes", tr("Homes over two floors"), self.duplexes),
        )
        for name, text, field in rows:
            self.form.add(name, text, field, focus=self.rules.add_rule if name == "floors" else None)
        for edit in (self.name, self.missing, self.duplexes):
            edit.textEdited.connect(self._on_changed)
        for spin in (self.floors, self.rooms, self.below, self.rooms_below):
            spin.valueChanged.connect(self._on_changed)
        self.units.valueChanged.connect(self._on_units)
        self.rules.changed.connect(self._on_changed)
        self.rules.set_units(unit_labels(self.units.value()))

    def _on_units(self) -> None:
        self.rules.set_units(unit_labels(self.units.value()))
        self._on_changed()

    def _on_changed(self) -> None:
        self.form.clear_errors()
        self._timer.start()

    def _on_save(self) -> None:
        self.form.clear_errors()
        intent = self.intent()
        if self.compound.is_new() and not intent.new_compound:
            self.form.set_error("compound_id", tr("What is the compound called?"))
        elif self.grid.is_new() and not intent.new_grid:
            self.form.set_error("grid_id", tr("What is the grid called?"))
        else:
            self.submitted.emit(intent)


def _parts(edit: QLineEdit) -> tuple[str, ...]:
    return tuple(part for part in _PARTS.split(edit.text()) if part)


def _room(door: PlannedDoor, units: tuple[str, ...]) -> FacadeRoom:
    use = word(OCCUPANCIES, door.occupancy) if door.occupancy != "unknown" else ""
    tall = tr("{n} floors high").format(n=door.span) if door.span > 1 else ""
    return FacadeRoom(
        household_id=f"{door.unit}/{door.room_no}",
        unit=door.unit,
        unit_label=units[door.unit],
        floor=door.floor,
        room=door.room_no,
        tone="blank" if use else "appointment" if tall else "open",
        character=tr("S", note="shop badge") if use else tr("D", note="duplex badge") if tall else "",
        words=" · ".join(part for part in (use, tall) if part) or tr("home"),
        slot=f"{door.slot:03}",
    )
