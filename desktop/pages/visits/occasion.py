"""On which day and in which band the doors were knocked: today and now, unless yesterday's sheet is keyed in."""

from collections.abc import Callable, Sequence
from datetime import date

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.pages.visits import choices
from desktop.widgets.date_field import DateField
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label, set_text
from desktop.widgets.option_row import OptionRow
from sync.domain.calendar import days_between
from sync.domain.visiting import LATE_AFTER_DAYS


class Occasion(QWidget):
    """Building (when there are several), day, band, and for old sheets the reason why they come so late."""

    changed = Signal()
    building_chosen = Signal(str)
    done = Signal()  # Enter: back to the doors

    def __init__(self, today: Callable[[], date], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._today = today
        px = theme.current().px
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(px(4))
        row = FlowLayout(gap=theme.GAP_M)
        self.building = QComboBox()
        self.building.setAccessibleName(tr("Building"))
        self.building.hide()
        self.day = DateField(name=tr("Which day"), today=today)
        self.day.setFixedWidth(px(170))
        self.band = OptionRow(choices.options(choices.BANDS), name=tr("Time of day"))
        for part in (self.building, self.day, self.band):
            row.addWidget(part)
        outer.addLayout(row)
        self.late = QLineEdit()
        self.late.setPlaceholderText(tr("More than a week ago: why is it noted only now?"))
        self.late.setAccessibleName(tr("Why so late"))
        self.late.hide()
        outer.addWidget(self.late)
        self._wrong = label("", "error", wrap=True)
        set_text(self._wrong, "")
        outer.addWidget(self._wrong)
        self.day.changed.connect(self._on_day)
        self.band.changed.connect(self.changed.emit)
        for line in (self.day, self.late):
            line.returnPressed.connect(self._on_enter)
        self.building.activated.connect(lambda _: self.building_chosen.emit(str(self.building.currentData())))

    def set_buildings(self, buildings: Sequence[tuple[str, str]], current: str) -> None:
        """The buildings to choose from, as (id, name)."""
        self.building.clear()
        for building_id, name in buildings:
            self.building.addItem(name, building_id)
        self.building.setCurrentIndex(self.building.findData(current))
        self.building.setVisible(len(buildings) > 1)

    def set(self, *, day: str, band: str) -> None:
        """Set day and band without telling anybody."""
        self.day.set_value(day)
        self.band.set_value(band)
        self._show()

    def words(self) -> str:
        """'今天上午', '11-22 晚上'."""
        day = self.day.value()
        named = tr("today") if day == self._today().isoformat() else day[5:]
        return tr("{day} {band}", "occasion").format(day=named, band=choices.words(choices.BANDS, self.band.value()))

    def late_reason(self) -> str:
        """Why old doors come only now; '' for those of this week."""
        return "" if self.late.isHidden() else self.late.text().strip()

    def is_ready(self) -> bool:
        """Whether doors may be keyed in; else what is missing is said here, with the focus there."""
        problem = self.day.problem()
        target: QWidget = self.day
        if not problem and not self.late.isHidden() and not self.late.text().strip():
            problem, target = tr("Please say first why it is noted only now"), self.late
        set_text(self._wrong, problem)
        if problem:
            target.setFocus(Qt.FocusReason.OtherFocusReason)
        return not problem

    def _on_enter(self) -> None:
        if self.is_ready():
            self.done.emit()

    def _on_day(self) -> None:
        self._show()
        if self.day.value():
            self.changed.emit()

    def _show(self) -> None:
        day = self.day.value()
        is_late = bool(day) and days_between(day, self._today().isoformat()) > LATE_AFTER_DAYS
        self.late.setVisible(is_late)
        set_text(self._wrong, self.day.problem() if self.day.text() and not day else "")
