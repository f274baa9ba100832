"""What the colours mean, and the matters of the common parts as a line of links."""

from collections.abc import Iterable
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.pages.needs_map.reasons import colour_character, colour_words, demand_reason, demand_title
from desktop.widgets.buttons import button
from desktop.widgets.card import clear
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label
from desktop.widgets.state_badge import StateBadge
from sync.domain.colour_rules import Colour, RuleSet
from sync.store.needs_map import MapDemand


class Legend(QWidget):
    """What the colours mean, from the rule set; the finished ones are off the map."""

    def __init__(self, rules: RuleSet) -> None:
        super().__init__()
        self._rules = rules
        self._flow = FlowLayout(self, gap=theme.GAP_L)
        self.retranslate()

    def retranslate(self) -> None:
        """Write it anew, in the language of the screen."""
        clear(self._flow)
        for entry in self._rules.legend:
            if entry.colour is Colour.NONE:
                continue
            character, words = colour_character(entry.colour, self._rules), colour_words(entry.colour, self._rules)
            holder = QWidget()
            row = FlowLayout(holder)
            row.addWidget(StateBadge(entry.colour.value, character=character, words=words))
            row.addWidget(label(words))
            self._flow.addWidget(holder)


class PublicMatters(QWidget):
    """The demands of the common parts as a line of links, each with its badge."""

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._flow = FlowLayout(self)

    def show_demands(self, demands: Iterable[MapDemand], *, now: int, rules: RuleSet) -> None:
        """Show these; the widget hides when there are none."""
        clear(self._flow)
        shown = list(demands)
        self.setVisible(bool(shown))
        self._flow.addWidget(label(tr("Common parts"), "field"))
        for demand in shown:
            holder = QWidget()
            pair = FlowLayout(holder, gap=4)
            pair.addWidget(StateBadge(demand.coloured.colour.value))
            link = button(demand_title(demand), role="link", on_click=partial(self.asked.emit, demand.demand_id))
            link.setToolTip(demand_reason(demand, now=now, rules=rules))
            pair.addWidget(link)
            self._flow.addWidget(holder)
