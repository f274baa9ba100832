"""The three-colour needs map: plan → façade → household. Arrows walk, Enter goes in, Esc comes out."""

from typing import Any, ClassVar

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout

from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.pages.needs_map.printing import print_facade
from desktop.pages.needs_map.reading import MapReading, PanelReading, Wanted, read_building, read_map, read_panel
from desktop.pages.needs_map.reasons import nothing_here
from desktop.pages.needs_map.view import FACADE, HOUSEHOLD, PLAN, MapView
from desktop.pages.page import Page
from desktop.texts import words
from sync.domain.calendar import day_of
from sync.errors import QiaomenError
from sync.store.needs_map import BuildingSnapshot

_LOOK_AGAIN_MS = 60_000
_STALE_AFTER_MS = 10 * 60_000  # colours age by the hour: what is due within a day changes while one looks


class NeedsMapPage(Page):
    """``open(household_id=…)`` or ``open(building_id=…)`` goes there; otherwise it stays where it was."""

    name: ClassVar[str] = "needs_map"
    listens: ClassVar[frozenset[str]] = frozenset({"demand", "household", "visit", "building", "unit", "compound"})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._wanted = Wanted()
        self._reading: MapReading | None = None
        self._panel_reading: PanelReading | None = None
        self._level = FACADE
        self._begin_at = "households"
        self._wants_focus = False  # after opening, the keyboard goes to the map; never while one works elsewhere
        self._ageing = QTimer(self)
        self._ageing.setInterval(_LOOK_AGAIN_MS)
        self._ageing.timeout.connect(self._age)
        self.view = MapView(context.rules.colours)
        self.plan, self.facade, self.panel = self.view.plan, self.view.facade, self.view.panel
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.view)
        self._connect()
        self.retranslate()

    def title(self) -> str:
        return tr("Three-colour needs map")

    @property
    def level(self) -> int:
        """Where the keyboard stands: PLAN, FACADE or HOUSEHOLD."""
        return self._level

    @property
    def reading(self) -> MapReading | None:
        """What is shown."""
        return self._reading

    @property
    def panel_reading(self) -> PanelReading | None:
        """The household shown beside the façade."""
        return self._panel_reading

    def open(self, **target: Any) -> None:
        if "household_id" in target or "building_id" in target:
            self._wanted = Wanted("", str(target.get("building_id", "")), str(target.get("household_id", "")))
            self._level = FACADE
        self._wants_focus = True
        self._ageing.start()
        super().open()

    def reload(self) -> None:
        viewer, rules, now = self.context.session.viewer, self.context.rules, self.context.now()
        wanted = self._wanted
        self.context.tasks.read(
            self,
            lambda reader: read_map(reader, viewer, wanted, rules=rules, now=now),
            self._show,
            self._failed,
            key="map",
        )

    def leave(self) -> None:
        self._ageing.stop()

    def forget(self) -> None:
        self._wanted, self._reading, self._panel_reading = Wanted(), None, None
        self.plan.clear()
        self.facade.clear()
        self.panel.show_nothing("")

    def retranslate(self) -> None:
        self.view.retranslate(self.context.rules.demand_categories, chosen=self._wanted.category)
        if self._reading is not None:
            self._show(self._reading)

    # ------------------------------------------------------------------------------------------- reading

    def _show(self, reading: MapReading) -> None:
        self._reading = reading
        compound, building = reading.compound, reading.building
        if compound is None or building is None:
            self._show_empty()
            return
        self._wanted = Wanted(compound.compound_id, building.building_id, "", self._wanted.category)
        self.plan.show_compound(compound, reading.places, rules=self.context.rules.colours, now=self.context.now())
        self.plan.set_current(building.building_id)
        self._show_building(building, household_id=reading.household_id)
        if not self._has_plan() and self._level == PLAN:
            self._level = FACADE
        self._arrange()
        if self._wants_focus:
            self._wants_focus = False
            self._focus_level()

    def _show_empty(self) -> None:
        text, begin, self._begin_at = nothing_here(self.context.session.viewer)
        self.facade.show_nothing(text, begin=begin)
        self._arrange()
        if self._wants_focus and self.isVisible():
            self._wants_focus = False
            self.facade.begin.setFocus()

    def _show_building(self, building: BuildingSnapshot, *, household_id: str = "") -> None:
        self.facade.show_building(building, rules=self.context.rules.colours, now=self.context.now())
        if household_id:
            self.facade.set_current(household_id)
        self._read_panel()

    def _read_panel(self) -> None:
        household_id = self.facade.current
        if not household_id:
            self._panel_reading = None
            self.panel.show_nothing(tr("This building has no rooms yet. Add them under Households."))
            return
        viewer, rules, now = self.context.session.viewer, self.context.rules, self.context.now()
        self.context.tasks.read(
            self,
            lambda reader: read_panel(reader, viewer, household_id, rules=rules, now=now),
            self._show_panel,
            self._failed,
            key="panel",
        )

    def _show_panel(self, reading: PanelReading | None) -> None:
        self._panel_reading = reading
        if reading is None:
            self.panel.show_nothing(tr("This household is not on this PC any more."))
            return
        self.panel.show_reading(reading, now=self.context.now(), rules=self.context.rules.colours)
        if self._level == HOUSEHOLD and self.isVisible():
            self.panel.focus_first()

    def _on_building(self, building_id: str) -> None:
        if self._reading is None or not building_id:
            return
        viewer, rules, now = self.context.session.viewer, self.context.rules, self.context.now()
        category = self._wanted.category
        self._wanted = Wanted(self._wanted.compound_id, building_id, "", category)
        self.context.tasks.read(
            self,
            lambda reader: read_building(reader, viewer, building_id, category, rules=rules, now=now),
            self._building_read,
            self._failed,
            key="building",
        )

    def _building_read(self, building: BuildingSnapshot) -> None:
        if self._reading is not None:
            self._reading = MapReading(self._reading.places, self._reading.compound, building, "")
        self._show_building(building)

    def _on_compound(self, compound_id: str) -> None:
        if compound_id and compound_id != self._wanted.compound_id:
            self._wanted = Wanted(compound_id, "", "", self._wanted.category)
            self.reload()

    def _on_category(self) -> None:
        category = str(self.view.category.currentData() or "")
        if category != self._wanted.category and self._reading is not None:
            self._wanted = Wanted(self._wanted.compound_id, self._wanted.building_id, self.facade.current, category)
            self.reload()

    def _age(self) -> None:
        """Read again when the day has changed or what is shown is ten minutes old."""
        building = self._reading.building if self._reading is not None else None
        if building is None or not self.isVisible():
            return
        now = self.context.now()
        if day_of(now) != day_of(building.taken_at) or now - building.taken_at >= _STALE_AFTER_MS:
            self.reload()

    # ------------------------------------------------------------------------------------------- levels

    def go(self, level: int) -> None:
        """Put the keyboard on the plan, the façade or the household."""
        self._level = level
        self._arrange()
        self._focus_level()

    def _focus_level(self) -> None:
        if not self.isVisible():
            return
        if self._level == PLAN:
            self.plan.focus_plan()
        elif self._level == FACADE:
            self.facade.focus_facade()
        else:
            self.panel.focus_first()
        self.view.show_part(self._level)

    def back(self) -> None:
        """One level out: from the household to the façade, from there to the plan."""
        if self._level > self._first_level():
            self.go(self._level - 1)

    def _has_plan(self) -> bool:
        """A head with a single building starts at its façade."""
        reading = self._reading
        return reading is not None and (len(reading.places) > 1 or sum(p.buildings for p in reading.places) > 1)

    def _first_level(self) -> int:
        return PLAN if self._has_plan() else FACADE

    def event(self, event: QEvent) -> bool:
        # Esc goes one level back before it leaves the page.
        is_override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            self._sync_level()
            if self._level > self._first_level():
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.back()
        else:
            super().keyPressEvent(event)

    def _sync_level(self) -> None:
        """The level is where the focus is, whether it came by Enter, Tab or the mouse."""
        focused = QApplication.focusWidget()
        for level, part in ((PLAN, self.plan), (FACADE, self.facade), (HOUSEHOLD, self.panel)):
            if focused is not None and part.isAncestorOf(focused):
                self._level = level

    # ------------------------------------------------------------------------------------------- wiring

    def _connect(self) -> None:
        self.plan.current_changed.connect(self._on_building)
        self.plan.activated.connect(lambda _: self.go(FACADE))
        self.plan.compound_chosen.connect(self._on_compound)
        self.plan.demand_asked.connect(self._open_demand)
        self.facade.current_changed.connect(self._on_household)
        self.facade.activated.connect(lambda _: self.go(HOUSEHOLD))
        self.facade.begin.clicked.connect(lambda: self.context.navigate(self._begin_at))
        self.facade.demand_asked.connect(self._open_demand)
        self.panel.step_asked.connect(
            lambda demand_id, move: self.context.navigate("demand", demand_id=demand_id, move=move)
        )
        self.panel.demand_asked.connect(self._open_demand)
        self.panel.household_asked.connect(lambda h: self.context.navigate("households", household_id=h))
        self.panel.visit_asked.connect(lambda h: self.context.navigate("visits", household_id=h))
        self.view.category.currentIndexChanged.connect(lambda _: self._on_category())
        self.view.back_button.clicked.connect(self.back)
        self.view.table_button.clicked.connect(self._toggle_table)
        self.view.print_button.clicked.connect(self._print)

    def _on_household(self, _: str) -> None:
        self._read_panel()
        self.view.show_enter()

    def _arrange(self) -> None:
        is_empty = self._reading is not None and self._reading.building is None
        self.view.arrange(level=self._level, has_plan=self._has_plan(), is_empty=is_empty)

    def _toggle_table(self) -> None:
        self.view.toggle_table()
        self._focus_level()

    def _print(self) -> None:
        if self._reading is not None and self._reading.building is not None:
            print_facade(self.context, self, self._reading.building)

    def _open_demand(self, demand_id: str) -> None:
        self.context.navigate("demand", demand_id=demand_id)

    def _failed(self, error: Exception) -> None:
        said = words(error)
        tone = Tone.WARN if isinstance(error, QiaomenError) else Tone.ALARM
        self.context.hub.notice.emit(Notice(said.title, said.advice, tone, details=said.details))
        if self._reading is None:
            self.facade.show_nothing(said.title)
