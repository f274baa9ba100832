"""The fields with which a demand is put right: what it says, its category and urgency, where it is."""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.demands.place_rows import PlaceRows
from desktop.pages.demands.step_form import StepForm
from desktop.widgets.matter_rows import MatterRows
from sync.domain.demand_correction import CORRECT, CorrectionIntent
from sync.store.demands import DemandCard


class CorrectForm(StepForm):
    """Filled with what the demand says now; the title of a matter of care is empty, its words lie apart."""

    def __init__(self, card: DemandCard, context: Context) -> None:
        super().__init__(CORRECT, tr("Put right"))
        self.title = QLineEdit()
        if card.row.is_sensitive:
            self.title.setPlaceholderText(tr("Empty: what was said stays as it is, kept apart"))
        self.form.add("title", tr("What matter"), self.title)
        self.matter = MatterRows(self.form, context.rules.demand_categories)
        self.places = PlaceRows(self.form, context)
        row = card.row
        self.set_values(
            {
                "title": "" if row.is_sensitive else row.title,
                "category": row.category,
                "urgency": row.urgency,
                "danger": "1" if row.life_safety else "",
                "scope": row.scope,
                "scope_id": card.scope_id,
            }
        )
        self.title.textEdited.connect(lambda _: self.changed.emit())
        self.matter.changed.connect(self.changed)
        self.places.changed.connect(self.changed)

    def values(self) -> dict[str, str]:
        return {
            "title": self.title.text().strip(),
            "category": self.matter.code(),
            "urgency": self.matter.urgency.value(),
            "danger": "1" if self.matter.danger.isChecked() else "",
            "scope": self.places.scope.value(),
            "scope_id": self.places.scope_id(),
        }

    def set_values(self, values: Mapping[str, str]) -> None:
        self.title.setText(values.get("title", ""))
        self.matter.load(
            category=values.get("category", ""),
            urgency=values.get("urgency", ""),
            life_safety=bool(values.get("danger")),
        )
        self.places.load(values.get("scope", "household"), values.get("scope_id", ""))

    def intent(self) -> CorrectionIntent:
        """What was entered; the place is named by ``places.scope_id()``."""
        values = self.values()
        return CorrectionIntent(
            category=values["category"],
            urgency=values["urgency"],
            title=values["title"],
            life_safety=bool(values["danger"]),
            scope=values["scope"],
        )

    def show_error(self, field: str, text: str) -> bool:
        return super().show_error(self.places.row() if field == "scope" else field, text)

    def focus_first(self) -> None:
        self.title.setFocus(Qt.FocusReason.OtherFocusReason)
