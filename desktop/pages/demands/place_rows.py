"""Where a matter is: a household found by search, or a unit, a building, the whole compound; rows of a form."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import tr
from desktop.widgets.buttons import button
from desktop.widgets.form import Form
from desktop.widgets.labels import label
from desktop.widgets.option_row import Option, OptionRow
from desktop.widgets.search_field import SearchField, SearchResult
from desktop.words.demands import SCOPES, word
from sync.domain.address import room_label
from sync.store import demand_places, search, visits
from sync.store.demand_places import PlaceChoices
from sync.store.store import Reader
from sync.store.visits import HouseholdHeader

_HITS = 8
_ROWS = ("home", "building_id", "unit_id", "compound_id")
# Which rows each scope asks for.
_ASKED = {
    "household": ("home",),
    "unit": ("building_id", "unit_id"),
    "building": ("building_id",),
    "compound": ("compound_id",),
}


@dataclass(frozen=True, slots=True)
class _Found:
    choices: PlaceChoices
    home: HouseholdHeader | None


class PlaceRows(QObject):
    """Adds its rows to a form. What can be chosen is read by ``load``; where there is one choice only, it is made."""

    changed = Signal()
    loaded = Signal()  # what was asked for by ``load`` is shown

    def __init__(self, form: Form, context: Context) -> None:
        super().__init__(form)
        self._form = form
        self._context = context
        self._choices = PlaceChoices((), ())
        self._home_id = ""
        self._wanted = ""  # the place that is to be shown, while it is read
        self._is_filling = False
        options = [Option(value, word(SCOPES, value)) for value in SCOPES]
        self.scope = OptionRow(options, name=tr("Where it is"))
        self.scope.set_value("household")
        self.search = SearchField(name=tr("Find a household"), placeholder=tr("3-2-501 · Zhang · zs · 6621"), key="")
        self._home = label("", "strong")
        self._other = button(tr("Another one"), role="link", on_click=self._ask_home)
        self.building, self.unit, self.compound = QComboBox(), QComboBox(), QComboBox()
        form.add("scope", tr("Where it is"), self.scope)
        form.add("home", tr("Which household"), self._home_row(), focus=self.search)
        form.add("building_id", tr("Building"), self.building)
        form.add("unit_id", tr("Unit"), self.unit)
        form.add("compound_id", tr("Compound"), self.compound)
        self.scope.changed.connect(self._on_scope)
        self.search.typed.connect(self._find)
        self.search.chosen.connect(self.choose_home)
        self.building.currentIndexChanged.connect(self._on_building)
        self.unit.currentIndexChanged.connect(self._tell)
        self.compound.currentIndexChanged.connect(self._tell)
        self._on_scope()

    def scope_id(self) -> str:
        """The id of the place that is chosen; '' while none is."""
        if self._wanted:
            return self._wanted
        if self.scope.value() == "household":
            return self._home_id
        chosen = {"unit": self.unit, "building": self.building, "compound": self.compound}[self.scope.value()]
        return str(chosen.currentData() or "")

    def row(self) -> str:
        """The row in which a missing place is missed."""
        asked = _ASKED[self.scope.value()]
        return next((name for name in asked if name == "building_id" and not self.building.currentData()), asked[-1])

    def load(self, scope: str, scope_id: str) -> None:
        """Show a place ('' for none) and read what else there is; nobody is told."""
        self._is_filling = True
        self.scope.set_value(scope)
        self._on_scope()
        self._show_home(None)
        self._wanted = scope_id
        self._is_filling = False
        if not self._context.session.is_open:
            return  # the screen was emptied when the person left
        viewer = self._context.session.viewer

        def read(reader: Reader) -> _Found:
            home = visits.header(reader.db, viewer, scope_id) if scope == "household" and scope_id else None
            return _Found(demand_places.choices(reader.db, viewer), home)

        self._context.tasks.read(self, read, lambda found: self._fill(found, scope, scope_id), key="places")

    def choose_home(self, household_id: str) -> None:
        """Take a household that was found."""
        viewer = self._context.session.viewer
        self._context.tasks.read(
            self, lambda reader: visits.header(reader.db, viewer, household_id), self._on_home, key="home"
        )

    # ------------------------------------------------------------------------------------------- inside

    def _home_row(self) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.current().px(theme.GAP_M))
        row.addWidget(self.search)
        row.addWidget(self._home)
        row.addWidget(self._other)
        row.addStretch(1)
        return holder

    def _fill(self, found: _Found, scope: str, scope_id: str) -> None:
        self._is_filling = True
        self._wanted = ""
        self._choices = found.choices
        several = len({row.compound for row in found.choices.buildings}) > 1
        self.building.clear()
        self.building.addItem(tr("Please choose"), "")
        for row in found.choices.buildings:
            self.building.addItem(f"{row.compound} {row.name}" if several else row.name, row.building_id)
        self.compound.clear()
        self.compound.addItem(tr("Please choose"), "")
        for place in found.choices.compounds:
            self.compound.addItem(place.name, place.compound_id)
        in_building = scope_id if scope == "building" else ""
        for row in found.choices.buildings:
            if scope == "unit" and scope_id in {unit.unit_id for unit in row.units}:
                in_building = row.building_id
        _choose(self.building, in_building)
        self._on_building()
        _choose(self.unit, scope_id if scope == "unit" else "")
        _choose(self.compound, scope_id if scope == "compound" else "")
        self._show_home(found.home)
        self._is_filling = False
        self.loaded.emit()

    def _on_scope(self) -> None:
        self._wanted = ""
        asked = _ASKED[self.scope.value()]
        for name in _ROWS:
            self._form.set_visible(name, name in asked)
        self._tell()

    def _on_building(self) -> None:
        was_filling, self._is_filling = self._is_filling, True
        chosen = self.building.currentData()
        units = next((row.units for row in self._choices.buildings if row.building_id == chosen), ())
        self.unit.clear()
        self.unit.addItem(tr("Please choose"), "")
        for unit in units:
            self.unit.addItem(unit.label, unit.unit_id)
        _choose(self.unit, "")
        self._is_filling = was_filling
        self._tell()

    def _find(self, typed: str) -> None:
        viewer = self._context.session.viewer

        def read(reader: Reader) -> list[SearchResult]:
            return [
                SearchResult(hit.household_id, room_label(hit.building, hit.unit, hit.room_no), hit.name)
                for hit in search.find(reader.db, viewer, typed, limit=_HITS)
            ]

        self._context.tasks.read(self, read, lambda found: self.search.set_results(typed, found), key="search")

    def _on_home(self, header: HouseholdHeader | None) -> None:
        self._show_home(header)
        self._tell()

    def _show_home(self, header: HouseholdHeader | None) -> None:
        self._home_id = header.household_id if header else ""
        self._home.setText(f"{header.label} {header.contact_name}".strip() if header else "")
        for part in (self._home, self._other):
            part.setVisible(header is not None)
        self.search.setVisible(header is None)
        self.search.clear_search()

    def _ask_home(self) -> None:
        self._show_home(None)
        self.search.setFocus()
        self._tell()

    def _tell(self) -> None:
        if not self._is_filling:
            self.changed.emit()


def _choose(combo: QComboBox, value: str) -> None:
    """The entry with this value; without one the only entry there is, else none."""
    if not value and combo.count() == 2:
        combo.setCurrentIndex(1)
    else:
        combo.setCurrentIndex(max(0, combo.findData(value)))
