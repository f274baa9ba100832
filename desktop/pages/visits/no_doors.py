"""What the pages for knocking say while there is no building to knock in: whose move it is, with one blue button."""

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import tr
from desktop.widgets.buttons import button
from desktop.widgets.labels import label
from sync.domain.roles import STATION_ROLES


class NoDoors(QWidget):
    """The station makes a building; a head is given one by the secretary and receives it with the next sync."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._target = ""
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme.current().px(theme.GAP_M))
        self._said = label("", "secondary", wrap=True)
        self.next = button("", role="primary", on_click=self._on_next)
        row = QHBoxLayout()
        row.addWidget(self.next)
        row.addStretch(1)
        box.addWidget(self._said)
        box.addLayout(row)
        self.hide()

    def begin(self) -> None:
        """Say what comes first for the person at the PC."""
        if self._context.session.viewer.has_any(STATION_ROLES):
            self._target = "households"
            self._said.setText(
                tr(
                    "There are no households here yet. Begin with a building: say how many floors, units and rooms it"
                    " has, and all its doors are there."
                )
            )
            self.next.set_words(tr("New building"))
        else:
            self._target = "sync"
            self._said.setText(
                tr(
                    "No building has been given to you yet. Ask the secretary to give you one; after the next sync its"
                    " households and what is due there stand here."
                )
            )
            self.next.set_words(tr("Sync"))

    def _on_next(self) -> None:
        if self._target == "households":
            self._context.navigate("households", new_building=True)
        else:
            self._context.navigate("sync")
