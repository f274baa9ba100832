"""One side of a dispute: a household that is found while typing, or any place or address in words."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent

from desktop.widgets.search_field import SearchField, SearchResult


class SideField(SearchField):
    """What is chosen from the list stays in the field as a room; what is typed and not chosen stays as it is.

    ``household_id`` is "" for a place in words; a room typed in full is looked up when it is saved.
    """

    edited = Signal()

    def __init__(self, *, name: str, placeholder: str) -> None:
        super().__init__(name=name, placeholder=placeholder, key="")
        self.setProperty("role", "")
        # A corridor or a gate is written in Chinese.
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, True)
        self.household_id = ""
        self._rooms: dict[str, str] = {}
        self.chosen.connect(self._on_chosen)
        self.textEdited.connect(self._on_typed)

    def set_results(self, text: str, results: Sequence[SearchResult]) -> None:
        self._rooms = {result.household_id: result.place for result in results}
        if results:
            super().set_results(text, results)
        else:
            self._hide()

    def set_side(self, text: str, household_id: str = "") -> None:
        """Show a side without telling anybody."""
        self.setText(text)
        self.household_id = household_id

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.results:
            event.ignore()  # leaves the form; the words are kept
        elif event.key() == Qt.Key.Key_Escape:
            self._hide()
        else:
            super().keyPressEvent(event)

    def _on_chosen(self, household_id: str) -> None:
        self.set_side(self._rooms.get(household_id, ""), household_id)
        self.edited.emit()

    def _on_typed(self, _: str) -> None:
        self.household_id = ""
        self.edited.emit()
