"""The plan and the façade as cards with their table twins, their reasons and the matters of the common parts."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QStackedWidget, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.pages.needs_map.legend import PublicMatters
from desktop.pages.needs_map.plan_table import PlanTable
from desktop.pages.needs_map.reasons import area_reasons, colour_character
from desktop.pages.needs_map.shapes import facade, tiles
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, clear
from desktop.widgets.compound_plan import CompoundPlan
from desktop.widgets.facade import Facade
from desktop.widgets.facade_model import FacadeSnapshot
from desktop.widgets.facade_table import FacadeTable
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label, line, set_text
from desktop.widgets.state_badge import StateBadge
from sync.domain.colour_rules import Colour, RuleSet
from sync.domain.colours import AreaCounts, Coloured
from sync.store.needs_map import BuildingSnapshot, CompoundSnapshot, MapPlace

_TONES = {Colour.RED: "red", Colour.YELLOW: "yellow", Colour.GREEN: "green"}


class PlanCard(Card):
    """The compound from above: tiles or a table, the totals, and which compound."""

    current_changed = Signal(str)
    activated = Signal(str)
    compound_chosen = Signal(str)
    demand_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__(tr("Compound plan"), hint=tr("choose a building"))
        self.compounds = QComboBox()
        self.compounds.currentIndexChanged.connect(
            lambda _: self.compound_chosen.emit(str(self.compounds.currentData() or ""))
        )
        self.add(self.compounds)
        self._stack = QStackedWidget()
        self.plan = CompoundPlan(tr("Compound plan"))
        self.table = PlanTable()
        self._stack.addWidget(self.plan)
        self._stack.addWidget(self.table)
        self.add(self._stack, stretch=1)
        self._public = PublicMatters()
        self.add(self._public)
        self.add(line())
        totals = QWidget()
        self._totals = FlowLayout(totals, gap=theme.GAP_S)
        self.add(totals)
        self._why = label("", "secondary", wrap=True)
        self.add(self._why)
        self._public.asked.connect(self.demand_asked)
        self.plan.current_changed.connect(self.current_changed)
        self.plan.activated.connect(self.activated)
        self.enter = button("", role="primary", on_click=lambda: self.activated.emit(self.plan.current))
        self.enter.hide()
        self.add_action(self.enter)
        self.table.current_changed.connect(self.plan.set_current)
        self.table.activated.connect(self.activated)

    def retranslate(self) -> None:
        """Write the card's own texts anew."""
        self.set_title(tr("Compound plan"))
        self.set_hint(tr("choose a building"))
        self.plan.setAccessibleName(tr("Compound plan"))

    def clear(self) -> None:
        """Show nothing."""
        self.plan.set_tiles(())
        self.table.show_compound(None)
        self._public.show_demands((), now=0, rules=RuleSet())
        clear(self._totals)

    def show_compound(
        self, compound: CompoundSnapshot, places: Sequence[MapPlace], *, rules: RuleSet, now: int
    ) -> None:
        """Fill the card; the chooser shows only where there is a choice."""
        self.compounds.blockSignals(True)
        self.compounds.clear()
        self.compounds.setAccessibleName(tr("Compound"))
        for place in places:
            self.compounds.addItem(place.name, place.compound_id)
        self.compounds.setCurrentIndex(max(0, self.compounds.findData(compound.compound_id)))
        self.compounds.setVisible(len(places) > 1)
        self.compounds.blockSignals(False)
        self.plan.blockSignals(True)
        self.plan.set_tiles(tiles(compound))
        self.plan.blockSignals(False)
        self.table.show_compound(compound)
        self._public.show_demands(compound.public, now=now, rules=rules)
        self._show_totals(compound.counts, rules=rules)
        set_text(self._why, _why(compound.coloured, _buildings(compound), rules=rules))

    def set_current(self, building_id: str) -> None:
        """Move the ring without telling."""
        self.plan.blockSignals(True)
        self.plan.set_current(building_id)
        self.plan.blockSignals(False)
        self.table.set_current(building_id)

    def set_enter(self, shown: bool, building: str) -> None:
        """Where the façade does not stand beside the plan, a button leads to the building with the ring."""
        self.enter.set_words(tr("Look at {room}").format(room=building))
        self.enter.setVisible(shown and bool(building))

    def set_table(self, is_table: bool) -> None:
        """Show the table twin, or the tiles."""
        self._stack.setCurrentWidget(self.table if is_table else self.plan)

    def focus_plan(self) -> None:
        """Put the keyboard on what is shown."""
        self._stack.currentWidget().setFocus()

    def _show_totals(self, counts: AreaCounts, *, rules: RuleSet) -> None:
        clear(self._totals)
        self._totals.addWidget(label(tr("{n} households").format(n=counts.total)))
        numbers = (counts.red, counts.yellow, counts.green, counts.grey, counts.blank)
        colours = (Colour.RED, Colour.YELLOW, Colour.GREEN, Colour.GREY, Colour.BLANK)
        for colour, number in zip(colours, numbers, strict=True):
            text = f"{colour_character(colour, rules)} {number}"
            tone = _TONES.get(colour, "")
            self._totals.addWidget(label(text, "strong" if tone else "", tone=tone))


class FacadeCard(Card):
    """A building from the front: façade or table, why it has its colour, and its common parts."""

    current_changed = Signal(str)
    activated = Signal(str)
    demand_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._building = ""
        self._badge = StateBadge("green")
        self.add_beside_title(self._badge)
        self._nothing = label("", "secondary", wrap=True)
        self.add(self._nothing)
        self.begin = button("", role="primary")
        self.begin.hide()
        self.body.addWidget(self.begin, 0, Qt.AlignmentFlag.AlignLeft)
        self._why = label("", "secondary", wrap=True)
        self.add(self._why)
        self._stack = QStackedWidget()
        self.facade = Facade()
        self.table = FacadeTable()
        self._stack.addWidget(self.facade)
        self._stack.addWidget(self.table)
        self.add(self._stack, stretch=1)
        self._public = PublicMatters()
        self.add(self._public)
        self.enter = button("", role="primary", on_click=lambda: self.activated.emit(self.current))
        self.enter.hide()
        self.add_action(self.enter)
        self._air = QWidget()
        self.add(self._air, stretch=1)
        self.facade.current_changed.connect(self._on_facade)
        self.facade.activated.connect(self.activated)
        self.table.current_changed.connect(self.facade.set_current)
        self.table.activated.connect(self.activated)
        self._public.asked.connect(self.demand_asked)
        self.show_nothing(tr("One moment …"))

    @property
    def current(self) -> str:
        """The household with the ring."""
        return self.facade.current

    @property
    def building(self) -> str:
        """The name of the building shown, "" before there is one."""
        return self._building

    def set_current(self, household_id: str) -> None:
        """Move the ring without telling."""
        self.facade.blockSignals(True)
        self.facade.set_current(household_id)
        self.facade.blockSignals(False)
        self.table.set_current(household_id)

    def clear(self) -> None:
        """Show nothing."""
        self.facade.set_snapshot(FacadeSnapshot.empty())
        self.table.set_snapshot(FacadeSnapshot.empty())
        self.show_nothing("")

    def show_nothing(self, text: str, *, begin: str = "") -> None:
        """Words in place of a building: loading, empty, failed; ``begin`` names the button that leads on."""
        set_text(self._nothing, text)
        self.begin.set_words(begin)
        self.begin.setVisible(bool(begin))
        self._air.show()
        set_text(self._why, "")
        self.set_title("")
        self._badge.hide()
        self._stack.hide()
        self._public.hide()

    def show_building(self, building: BuildingSnapshot, *, rules: RuleSet, now: int) -> None:
        """Fill the card; the ring stays on its household."""
        set_text(self._nothing, "")
        self.begin.hide()
        self._air.hide()
        self._stack.show()
        snapshot = facade(building, rules)
        self._building = building.name
        self.set_title(snapshot.title)
        self.set_hint(tr("arrows walk, Enter opens"))
        self._badge.set_state(
            building.coloured.colour.value, character=colour_character(building.coloured.colour, rules)
        )
        self._badge.show()
        self.facade.blockSignals(True)
        self.facade.set_snapshot(snapshot)
        self.facade.blockSignals(False)
        self.table.set_snapshot(snapshot)
        self.table.set_current(self.facade.current)
        set_text(self._why, _why(building.coloured, building.counts, rules=rules))
        self._public.show_demands(building.public, now=now, rules=rules)

    def set_table(self, is_table: bool) -> None:
        """Show the table twin, or the façade."""
        self._stack.setCurrentWidget(self.table if is_table else self.facade)

    def set_enter(self, shown: bool) -> None:
        """Where the household does not stand beside the façade, a button leads to the one with the ring."""
        room = next((cell.room for cell in self.facade.snapshot.cells if cell.household_id == self.current), "")
        self.enter.set_words(tr("Look at {room}").format(room=room))
        self.enter.setVisible(shown and bool(room))

    def focus_facade(self) -> None:
        """Put the keyboard on what is shown."""
        self._stack.currentWidget().setFocus()

    def _on_facade(self, household_id: str) -> None:
        self.table.set_current(household_id)
        self.current_changed.emit(household_id)


def _why(coloured: Coloured, counts: AreaCounts, *, rules: RuleSet) -> str:
    if coloured.colour is Colour.NONE:
        return ""
    reasons = area_reasons(coloured, counts)
    return tr("Why “{character}”: {reasons}").format(
        character=colour_character(coloured.colour, rules), reasons=reasons
    )


def _buildings(compound: CompoundSnapshot) -> AreaCounts:
    """How many buildings have which colour: what the compound's reasons speak of."""
    shown = [tile.coloured.colour for tile in compound.tiles]
    return AreaCounts(*(shown.count(colour) for colour in list(Colour)[:5]))
