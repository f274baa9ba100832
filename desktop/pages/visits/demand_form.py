"""The few fields of a demand, opened inside the visit; what is entered becomes an intent, nothing is saved here."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.pages.visits.choices import URGENCIES, options
from desktop.widgets.buttons import button
from desktop.widgets.card import Box
from desktop.widgets.flow import FlowLayout
from desktop.widgets.form import Form
from desktop.widgets.option_row import OptionRow
from sync.domain.demand_categories import Categories
from sync.domain.demands import DemandIntent, urgency_of

TITLE_LIMIT = 100


class DemandForm(Box):
    """Category, one line, urgency. Enter takes it over, Esc throws it away; the urgency follows the category."""

    done = Signal(object)  # DemandIntent
    cancelled = Signal()
    changed = Signal()

    def __init__(self, categories: Categories, parent: QWidget | None = None) -> None:
        super().__init__("calm-box", parent=parent)
        self._categories = categories
        self._chosen_urgency = ""
        self.form = Form()
        self.title = QLineEdit()
        self.title.setPlaceholderText(tr("In one line, such as: no heating, 15 degrees indoors"))
        self.category = QComboBox()
        for entry in categories.category:
            self.category.addItem(f"{entry.code} {entry.label}", entry.code)
        self.category.setMaxVisibleItems(17)
        self._signs = QWidget()
        self._sign_box = FlowLayout(self._signs)
        self.urgency = OptionRow(options(URGENCIES), name=tr("How urgent"))
        self.urgency.setMinimumHeight(theme.current().px(theme.CONTROL_HEIGHT + 4))
        self.danger = QCheckBox(tr("Danger to life"))
        urgency_row = QHBoxLayout()
        urgency_row.setSpacing(theme.current().px(theme.GAP_M))
        urgency_row.addWidget(self.urgency, 1)
        urgency_row.addWidget(self.danger)
        self.form.add("title", tr("What matter"), self.title)
        self.form.add("category", tr("Category"), self.category)
        self.form.add("signs", tr("Is it so?"), self._signs)
        self.form.add("urgency", tr("How urgent"), urgency_row, focus=self.urgency)
        actions = QHBoxLayout()
        actions.setSpacing(theme.current().px(theme.GAP_S))
        self.take = button(tr("Put it on the list"), role="second", on_click=self._finish)
        self.drop = button(tr("Leave it out"), on_click=self.cancelled.emit)
        actions.addStretch(1)
        actions.addWidget(self.take)
        actions.addWidget(self.drop)
        self.body.addWidget(self.form)
        self.body.addLayout(actions)
        self.category.currentIndexChanged.connect(self._on_category)
        self.urgency.changed.connect(self._on_urgency)
        self.danger.toggled.connect(self._on_danger)
        self.title.textEdited.connect(lambda _: self.changed.emit())
        self.title.returnPressed.connect(self._finish)
        self._on_category()

    def begin(self, *, title: str = "", category: str = "") -> None:
        """Empty the form (or start from a line already written) and go to its first field."""
        self.form.clear_errors()
        self.title.setText(title[:TITLE_LIMIT])
        self.category.setCurrentIndex(max(0, self.category.findData(category)))
        self.danger.setChecked(False)
        self._chosen_urgency = ""
        self._on_category()
        (self.category if title else self.title).setFocus(Qt.FocusReason.OtherFocusReason)

    def intent(self) -> DemandIntent:
        """What stands in the form."""
        return DemandIntent(
            category=str(self.category.currentData()),
            title=self.title.text().strip(),
            urgency=self._chosen_urgency,
            signs=self._ticked(),
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
        else:
            self.done.emit(intent)

    def _on_category(self) -> None:
        entry = self._categories[str(self.category.currentData())]
        while self._sign_box.count():
            item = self._sign_box.takeAt(0)
            if item is not None and (old := item.widget()) is not None:
                old.deleteLater()
        for sign in entry.signs:
            box = QCheckBox(sign.label)
            box.setProperty("sign", sign.code)
            box.toggled.connect(self._show_urgency)
            self._sign_box.addWidget(box)
        self.form.set_visible("signs", bool(entry.signs))
        self._chosen_urgency = ""
        self._show_urgency()
        self.changed.emit()

    def _on_urgency(self) -> None:
        self._chosen_urgency = self.urgency.value()
        self.changed.emit()

    def _on_danger(self) -> None:
        self._show_urgency()
        self.changed.emit()

    def _ticked(self) -> tuple[str, ...]:
        boxes = [self._sign_box.itemAt(place) for place in range(self._sign_box.count())]
        widgets = [item.widget() for item in boxes if item is not None]
        return tuple(str(w.property("sign")) for w in widgets if isinstance(w, QCheckBox) and w.isChecked())

    def _show_urgency(self) -> None:
        found = urgency_of(self.intent(), categories=self._categories)
        self.urgency.set_value(found.urgency)


def _is_ours(event: QKeyEvent) -> bool:
    has_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
    return event.key() == Qt.Key.Key_Escape or (event.text().isdigit() and not has_ctrl)
