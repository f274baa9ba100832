"""The matters raised in a visit that is not saved yet: badge, category, line, and by when they are answered."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.pages.visits.choices import TONES
from desktop.widgets.buttons import button
from desktop.widgets.card import Box, clear
from desktop.widgets.labels import label
from desktop.widgets.state_badge import StateBadge
from sync.domain.categories import DemandCategories
from sync.domain.categories import label as category_label
from sync.domain.demands import DemandIntent, urgency_of


class DemandList(QWidget):
    """Boxes one below the other, each with a way to take it off again."""

    changed = Signal()

    def __init__(self, categories: DemandCategories, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._categories = categories
        self._intents: tuple[DemandIntent, ...] = ()
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(theme.current().px(theme.GAP_S))
        self.hide()

    def intents(self) -> tuple[DemandIntent, ...]:
        """What is on the list."""
        return self._intents

    def set_intents(self, intents: Sequence[DemandIntent]) -> None:
        """Show these, without telling anybody."""
        self._intents = tuple(intents)
        clear(self._box)
        for intent in self._intents:
            self._box.addWidget(self._row(intent))
        self.setVisible(bool(self._intents))

    def add(self, intent: DemandIntent) -> None:
        """Put one more on the list."""
        self.set_intents((*self._intents, intent))
        self.changed.emit()

    def remove(self, intent: DemandIntent) -> None:
        """Take one off."""
        self.set_intents([other for other in self._intents if other is not intent])
        self.changed.emit()

    def _row(self, intent: DemandIntent) -> QWidget:
        px = theme.current().px
        found = urgency_of(intent, categories=self._categories)
        box = Box()
        row = QHBoxLayout()
        row.setSpacing(px(theme.GAP_M))
        name = category_label(self._categories, intent.category)
        row.addWidget(StateBadge(TONES[found.urgency]))
        row.addWidget(label(name, "strong"))
        row.addWidget(label(intent.title, wrap=True), 1)
        row.addWidget(label(due_words(found.urgency), "secondary"))
        off = button(tr("Take off"), role="link", on_click=lambda: self.remove(intent))
        off.setAccessibleName(tr("Take off: {matter}").format(matter=intent.title))
        row.addWidget(off)
        box.body.addLayout(row)
        box.setAccessibleName(f"{name} {intent.title}")
        return box


def due_words(urgency: str) -> str:
    """By when a matter of this urgency is answered and settled."""
    return {
        "urgent": tr("answer in 24 hours · settled in 3 days"),
        "coordinated": tr("answer in 1 working day · settled in 5"),
    }.get(urgency, tr("answer in 3 working days · settled in 15"))
