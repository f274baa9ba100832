"""What sort of matter it is: category, its signs, how urgent; rows that forms at the door and at the counter share."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.widgets.flow import FlowLayout
from desktop.widgets.form import Form
from desktop.widgets.option_row import Option, OptionRow
from desktop.words.demands import URGENCIES
from sync.domain.categories import DemandCategories
from sync.domain.demands import DemandIntent, urgency_of


class MatterRows(QObject):
    """Adds its rows to a form; the urgency follows the category and the ticked signs until it is chosen.

    No category is chosen to begin with: one that stands there by itself would be saved for something else.
    """

    changed = Signal()

    def __init__(self, form: Form, categories: DemandCategories) -> None:
        super().__init__(form)
        self._form = form
        self._categories = categories
        self._chosen_urgency = ""
        self._is_filling = False
        self._shown = ""  # the category whose signs are shown
        self.category = QComboBox()
        self.category.setPlaceholderText(tr("Please choose"))
        for entry in categories.category:
            self.category.addItem(f"{entry.code} {entry.label}", entry.code)
        self.category.setMaxVisibleItems(17)
        self._signs = QWidget()
        self.sign_box = FlowLayout(self._signs)
        self.urgency = OptionRow([Option(value, tr(text)) for value, text in URGENCIES.items()], name=tr("How urgent"))
        self.danger = QCheckBox(tr("Danger to life"))
        urgency_row = QHBoxLayout()
        urgency_row.setSpacing(theme.current().px(theme.GAP_M))
        urgency_row.addWidget(self.urgency, 1)
        urgency_row.addWidget(self.danger)
        form.add("category", tr("Category"), self.category)
        form.add("signs", tr("Is it so?"), self._signs)
        form.add("urgency", tr("How urgent"), urgency_row, focus=self.urgency)
        self.category.currentIndexChanged.connect(self._on_category)
        self.urgency.changed.connect(self._on_urgency)
        self.danger.toggled.connect(self._on_sign)
        self._on_category()

    def code(self) -> str:
        """The chosen category; '' while none is chosen."""
        return str(self.category.currentData() or "")

    def is_chosen(self) -> bool:
        """Whether a category is chosen; if not, that is said beside the field."""
        if not self.code():
            self._form.set_error("category", tr("Please choose one of the categories offered"))
        return bool(self.code())

    def ticked(self) -> tuple[str, ...]:
        """The signs that are ticked."""
        return tuple(str(box.property("sign")) for box in self._boxes() if box.isChecked())

    @property
    def chosen_urgency(self) -> str:
        """The urgency that a person chose; '' while it follows from the category."""
        return self._chosen_urgency

    def load(
        self, *, category: str = "", urgency: str = "", signs: tuple[str, ...] = (), life_safety: bool = False
    ) -> None:
        """Show this without telling anybody; no category is none chosen, no urgency the category's."""
        self._is_filling = True
        self.category.setCurrentIndex(self.category.findData(category))
        self._on_category()
        for box in self._boxes():
            box.setChecked(box.property("sign") in signs)
        self.danger.setChecked(life_safety)
        self._chosen_urgency = urgency
        self._show_urgency()
        self._is_filling = False

    def _boxes(self) -> list[QCheckBox]:
        items = [self.sign_box.itemAt(place) for place in range(self.sign_box.count())]
        widgets = [item.widget() for item in items if item is not None]
        return [widget for widget in widgets if isinstance(widget, QCheckBox)]

    def _on_category(self) -> None:
        while self.sign_box.count():
            item = self.sign_box.takeAt(0)
            if item is not None and (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        code = self.code()
        signs = self._categories[code].signs if code else ()
        for sign in signs:
            box = QCheckBox(sign.label)
            box.setProperty("sign", sign.code)
            box.toggled.connect(self._on_sign)
            self.sign_box.addWidget(box)
        self._form.set_visible("signs", bool(signs))
        if self._shown:
            self._chosen_urgency = ""  # it was chosen for the other category
        self._shown = code
        self._show_urgency()
        self._tell()

    def _on_sign(self) -> None:
        self._show_urgency()
        self._tell()

    def _on_urgency(self) -> None:
        self._chosen_urgency = self.urgency.value()
        self._tell()

    def _show_urgency(self) -> None:
        if not self.code():
            self.urgency.set_value("urgent" if self.danger.isChecked() else self._chosen_urgency)
            return
        shown = DemandIntent(
            category=self.code(),
            title="",
            urgency=self._chosen_urgency,
            signs=self.ticked(),
            life_safety=self.danger.isChecked(),
        )
        self.urgency.set_value(urgency_of(shown, categories=self._categories).urgency)

    def _tell(self) -> None:
        if not self._is_filling:
            self.changed.emit()
