"""Stands beside the list while no household is chosen: what to do first, with one blue button."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout

from desktop.i18n import tr
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from desktop.widgets.labels import label


class NothingCard(Card):
    """Three cases: doors to choose from, no building yet for somebody who may make one, none given to a head."""

    visit_asked = Signal()
    building_asked = Signal()
    sync_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._has_doors, self._may_build = True, False
        self._said = label("", "secondary", wrap=True)
        self.next = button("", role="primary", on_click=self._on_next)
        self.add(self._said)
        row = QHBoxLayout()
        row.addWidget(self.next)
        row.addStretch(1)
        self.add(row)
        self.fill()
        self.retranslate()

    def show_case(self, *, has_doors: bool, may_build: bool) -> None:
        """Whether there is a building to be seen, and whether one may be made."""
        self._has_doors, self._may_build = has_doors, may_build
        self.retranslate()

    def retranslate(self) -> None:
        """The texts again."""
        if self._has_doors:
            self._said.setText(tr("Choose a door on the left, or find one with Ctrl K: room, name, initials, phone."))
            self.next.set_words(tr("Record visit"))
        elif self._may_build:
            self._said.setText(
                tr(
                    "There are no households here yet. Begin with a building: say how many floors, units and rooms it"
                    " has, and all its doors are there."
                )
            )
            self.next.set_words(tr("New building"))
        else:
            self._said.setText(
                tr(
                    "No building has been given to you yet. Ask the secretary to give you one; after the next sync its"
                    " households and what is due there stand here."
                )
            )
            self.next.set_words(tr("Sync"))

    def _on_next(self) -> None:
        if self._has_doors:
            self.visit_asked.emit()
        elif self._may_build:
            self.building_asked.emit()
        else:
            self.sync_asked.emit()
