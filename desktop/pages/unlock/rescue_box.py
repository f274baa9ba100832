"""What can be done when a file of this PC is damaged: what is kept, and a button for each way out."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop import theme
from desktop.i18n import short_day, tr
from desktop.rescue import Offer
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Box
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label

SHOWN = 3  # copies offered; who needs an older one asks for help


class RescueBox(Box):
    """``copy_wanted`` with the day of a copy of the records, ``keys_wanted`` of a key file, ``over_wanted``."""

    copy_wanted = Signal(str)
    keys_wanted = Signal(str)
    over_wanted = Signal()

    def __init__(self, offer: Offer, *, today: str) -> None:
        super().__init__("warn-box")
        said = words(offer.error)
        self.body.addWidget(label(said.title, "strong", wrap=True))
        self.body.addWidget(label(_advice(offer), wrap=True))
        holder = QWidget()
        row = FlowLayout(holder, gap=theme.GAP_S)
        self.buttons = []
        wanted = self.keys_wanted if offer.is_for_keys else self.copy_wanted
        for place, day in enumerate(offer.days[: 1 if offer.is_for_keys else SHOWN]):
            text = tr("Use the key file of {day}") if offer.is_for_keys else tr("Open the copy of {day}")
            made = button(text.format(day=short_day(day, today=today)), role="" if place else "second")
            made.clicked.connect(lambda _=False, day=day: wanted.emit(day))
            self.buttons.append(made)
        over = button(tr("Set this PC up again"), on_click=self.over_wanted.emit)
        self.buttons.append(over)
        for made in self.buttons:
            row.addWidget(made)
        self.body.addWidget(holder)


def _advice(offer: Offer) -> str:
    if offer.is_for_keys:
        return (
            tr("Your records are not affected. A copy of the key file is there; PINs are as they were on that day.")
            if offer.days
            else tr(
                "No copy of the key file is there, so nobody can open the records on this PC. Set the PC up again: "
                "all that was synced comes back, and the old files are kept aside."
            )
        )
    return (
        tr(
            "The damaged file is kept beside it. What was synced since then comes back by itself; "
            "only what was noted after the copy and never synced is missing."
        )
        if offer.days
        else tr(
            "There is no copy yet. Set the PC up again: all that was synced comes back, "
            "and the damaged file is kept aside."
        )
    )
