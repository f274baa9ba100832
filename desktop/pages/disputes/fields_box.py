"""The frame of fields opened in place: Save and put aside, Esc puts aside, errors stand beside their fields."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent

from desktop import theme
from desktop.i18n import tr
from desktop.widgets.buttons import button
from desktop.widgets.card import Box
from desktop.widgets.form import Form
from desktop.widgets.labels import label

# Where an error of the record finds its field.
_PLACES: Final = {"household_id": "place", "other_household_id": "other_party", "other_party_name": "other_party"}


class FieldsBox(Box):
    """The page puts ``save`` and ``aside`` into its pinned bar."""

    changed = Signal()
    saved = Signal()
    cancelled = Signal()

    def __init__(self, role: str, title: str = "") -> None:
        super().__init__(role)
        self.body.setSpacing(theme.current().px(theme.GAP_M))
        self.head = label(title, "head", wrap=True)
        self.body.addWidget(self.head)
        self.form = Form()
        self.body.addWidget(self.form)
        self.save = button(tr("Save"), role="primary", key="Ctrl+S", on_click=self.saved.emit)
        self.aside = button(tr("Put aside (the draft is kept)"), on_click=self.cancelled.emit)

    def values(self) -> dict[str, str]:
        """What stands in the fields, as texts by field: what a draft keeps."""
        return {}

    def set_values(self, values: Mapping[str, str]) -> None:
        """Put a draft back; what is not named stays."""

    def focus_first(self) -> None:
        """Go to the first field that is empty."""

    def is_ready(self) -> bool:
        """Whether what can be seen from here is right; else it is said beside the field."""
        self.form.clear_errors()
        return True

    def show_error(self, field: str, text: str) -> bool:
        """Say beside the field what is wrong; False when this form has no such field."""
        self.form.clear_errors()
        return self.form.set_error(_PLACES.get(field, field), text)

    def event(self, event: QEvent) -> bool:
        # Esc closes these fields, not the page.
        is_override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)
