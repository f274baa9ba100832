"""The few fields of a demand, opened inside the visit; what is entered becomes an intent, nothing is saved here."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.widgets.buttons import button
from desktop.widgets.card import Box
from desktop.widgets.form import Form
from desktop.widgets.matter_rows import MatterRows
from sync.domain.categories import DemandCategories
from sync.domain.demands import DemandIntent

TITLE_LIMIT = 100


class DemandForm(Box):
    """Category, one line, urgency. Enter takes it over, Esc throws it away; the urgency follows the category."""

    done = Signal(object)  # DemandIntent
    cancelled = Signal()
    changed = Signal()

    def __init__(self, categories: DemandCategories, parent: QWidget | None = None) -> None:
        super().__init__("calm-box", parent=parent)
        self.form = Form()
        self.title = QLineEdit()
        self.title.setPlaceholderText(tr("In one line, such as: no heating, 15 degrees indoors"))
        self.form.add("title", tr("What matter"), self.title)
        self._matter = MatterRows(self.form, categories)
        self.category, self.urgency, self.danger = self._matter.category, self._matter.urgency, self._matter.danger
        self._sign_box = self._matter.sign_box
        actions = QHBoxLayout()
        actions.setSpacing(theme.current().px(theme.GAP_S))
        self.take = button(tr("Put it on the list"), role="second", on_click=self._finish)
        self.drop = button(tr("Leave it out"), on_click=self.cancelled.emit)
        actions.addStretch(1)
        actions.addWidget(self.take)
        actions.addWidget(self.drop)
        self.body.addWidget(self.form)
        self.body.addLayout(actions)
        self._matter.changed.connect(self.changed)
        self.title.textEdited.connect(lambda _: self.changed.emit())
        self.title.returnPressed.connect(self._finish)

    def begin(self, *, title: str = "", category: str = "") -> None:
        """Empty the form (or start from a line already written) and go to its first field."""
        self.form.clear_errors()
        self.title.setText(title[:TITLE_LIMIT])
        self._matter.load(category=category)
        (self.category if title else self.title).setFocus(Qt.FocusReason.OtherFocusReason)

    def intent(self) -> DemandIntent:
        """What stands in the form."""
        return DemandIntent(
            category=self._matter.code(),
            title=self.title.text().strip(),
            urgency=self._matter.chosen_urgency,
            signs=self._matter.ticked(),
            life_safety=self.danger.isChecked(),
        )

    def event(self, event: QEvent) -> bool:
        # In here Esc closes the fields and not the page, and digits look up a category and not an outcome.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_ours(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def _finish(self) -> None:
        self.form.clear_errors()
        intent = self.intent()
        if not intent.title:
            self.form.set_error("title", tr("Write in a few words what it is about"))
        elif len(intent.title) > TITLE_LIMIT:
            self.form.set_error("title", tr("One line of {limit} characters at most").format(limit=TITLE_LIMIT))
        elif self._matter.is_chosen():
            self.done.emit(intent)


def _is_ours(event: QKeyEvent) -> bool:
    has_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
    return event.key() == Qt.Key.Key_Escape or (event.text().isdigit() and not has_ctrl)
