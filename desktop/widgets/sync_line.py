"""On the card of a record: how far it has come, and where to go when a person has to do something about it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.widgets.buttons import button
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label
from desktop.words.sync import RECORD_STATES

_ASKING = frozenset({"conflict", "refused"})


class SyncLine(QWidget):
    """Hidden where there is nothing to tell; ``asked`` when the person wants to see to it."""

    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        row = FlowLayout(self, gap=theme.GAP_S)
        self.words = label("", "hint")
        self.go = button("", role="link", on_click=self.asked.emit)
        row.addWidget(self.words)
        row.addWidget(self.go)
        self.hide()

    def show_state(self, state: str) -> None:
        """A state of the store's record states; '' where there is no server."""
        text = tr(RECORD_STATES[state]) if state in RECORD_STATES else ""
        asks = state in _ASKING
        self.setVisible(bool(text))
        self.words.setVisible(not asks)
        self.go.setVisible(asks)
        self.words.setText(text)
        self.go.set_words(text)
