"""What opens above the façade: the preview of filling the rest, and the few fields of a matter that was raised."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.pages.visits.demand_form import DemandForm
from desktop.widgets.buttons import button
from desktop.widgets.card import Box
from desktop.widgets.labels import label, set_text
from sync.domain.categories import DemandCategories
from sync.domain.demands import DemandIntent
from sync.store.visits import BatchDoor


class FillPanel(Box):
    """Says how many doors would be filled; the façade shows which. Enter fills, Esc leaves it."""

    accepted = Signal()
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__("calm-box")
        row = QHBoxLayout()
        row.setSpacing(theme.current().px(theme.GAP_M))
        self._said = label("", wrap=True)
        row.addWidget(self._said, 1)
        self.yes = button(tr("Note them all"), role="second", on_click=self._accept)
        self.no = button(tr("Leave it"), on_click=self._cancel)
        self.yes.setAutoDefault(True)
        row.addWidget(self.yes)
        row.addWidget(self.no)
        self.body.addLayout(row)
        self.hide()

    def begin(self, doors: int, *, empty: int) -> None:
        """Ask before anything is written."""
        said = tr("{n} doors would be noted as “nobody in”; look at the front of the building.").format(n=doors)
        if empty:
            said += tr(" {n} empty ones are passed over.").format(n=empty)
        self._said.setText(said)
        self.show()
        self.yes.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent) -> bool:
        is_key = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_key and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._cancel()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.yes.hasFocus():
            self._accept()
        else:
            super().keyPressEvent(event)

    def _accept(self) -> None:
        self.hide()
        self.accepted.emit()

    def _cancel(self) -> None:
        self.hide()
        self.cancelled.emit()


class MatterPanel(QWidget):
    """A matter raised at the door with the ring; saved at once, the door counts as met."""

    done = Signal(object, bool)  # DemandIntent, told today
    cancelled = Signal()

    def __init__(self, categories: DemandCategories) -> None:
        super().__init__()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme.current().px(4))
        self._room = label("", "strong")
        self.told = QCheckBox(tr("Told today: what is noted serves only to help this household (once each)"))
        self._wrong = label("", "error", wrap=True)
        set_text(self._wrong, "")
        self.form = DemandForm(categories)
        for part in (self._room, self.form, self.told, self._wrong):
            box.addWidget(part)
        self.form.done.connect(self._on_done)
        self.form.cancelled.connect(self._on_cancelled)
        self._must_tell = False
        self.hide()

    def begin(self, door: BatchDoor) -> None:
        """Open the fields for a door."""
        self._must_tell = not door.is_told
        self._room.setText(tr("Raised at {room}").format(room=door.label))
        self.told.setChecked(False)
        self.told.setVisible(self._must_tell)
        set_text(self._wrong, "")
        self.show()
        self.form.begin()

    def show_error(self, field: str, text: str) -> bool:
        """Say what is wrong at its field."""
        if field == "notice_given":
            set_text(self._wrong, text)
            self.told.setFocus(Qt.FocusReason.OtherFocusReason)
            return True
        return self.form.form.set_error(field, text)

    def _on_done(self, intent: DemandIntent) -> None:
        if self._must_tell and not self.told.isChecked():
            self.show_error("notice_given", tr("Has the household been told what the notes are for? Please tick it"))
            return
        self.hide()
        self.done.emit(intent, self.told.isChecked())

    def _on_cancelled(self) -> None:
        self.hide()
        self.cancelled.emit()
