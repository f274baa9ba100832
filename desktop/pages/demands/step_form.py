"""What all fields have in common that open on the card: Esc puts them aside, Save and aside stand in the pinned bar."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent

from desktop import theme
from desktop.i18n import tr
from desktop.widgets.buttons import button
from desktop.widgets.card import Box
from desktop.widgets.form import Form
from desktop.widgets.labels import label


class StepForm(Box):
    """``move_name`` names the step and its draft; ``values`` are plain texts by field, so a draft is easily kept."""

    changed = Signal()
    saved = Signal()
    cancelled = Signal()

    def __init__(self, move: str, title: str) -> None:
        super().__init__("calm-box")
        self.move_name = move
        self.body.setSpacing(theme.current().px(theme.GAP_M))
        self.body.addWidget(label(title, "head"))
        self.form = Form()
        self.body.addWidget(self.form)
        # They belong to these fields, but stand in the page's pinned bar, where they never scroll away.
        self.save = button(tr("Save"), role="primary", key="Ctrl+S", on_click=self.saved.emit)
        self.aside = button(tr("Put aside (the draft is kept)"), on_click=self.cancelled.emit)

    def values(self) -> dict[str, str]:
        """What stands in the fields, as texts."""
        return {}

    def set_values(self, values: Mapping[str, str]) -> None:
        """Put a draft back."""

    def show_error(self, field: str, text: str) -> bool:
        """Say beside the field what is wrong; False when this form has no such field."""
        self.form.clear_errors()
        return self.form.set_error(field, text)

    def focus_first(self) -> None:
        """Go to the first field."""

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
