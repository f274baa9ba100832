"""What all pages have in common: a name, a title, opening with a target, refreshing by what was touched."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QWidget

from desktop.context import Context

Touched = frozenset[tuple[str, str]]


class Page(QWidget):
    """One screen. The window shows ``title()`` and ``hint()`` above it and calls ``open`` each time it is shown.

    ``wrong_field`` and ``wrong`` in a target: the server refused what is shown, there, and why.
    ``listens`` names the kinds whose change makes the page read again; a hidden page remembers and reads when shown.
    """

    name: ClassVar[str] = ""
    listens: ClassVar[frozenset[str]] = frozenset()
    heading_changed = Signal()  # the window asks title() and hint() again

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self._is_stale = True
        self._wrong = ("", "")

    def title(self) -> str:
        """The page's title, translated."""
        raise TypeError(f"{type(self).__name__} has no title")

    def hint(self) -> str:
        """A few words beside the title, or nothing."""
        return ""

    def open(self, **target: Any) -> None:
        """Show what the target names; without one, what the page shows first. Called on the UI thread."""
        self._is_stale = False
        self.reload()

    def note_wrong(self, target: Mapping[str, Any]) -> None:
        """Keep what the server said of a field: it refused what the form will show."""
        self._wrong = (str(target.get("wrong_field") or ""), str(target.get("wrong") or ""))

    def show_wrong(self, show: Callable[[str, str], object]) -> None:
        """The form is open: say it once, beside that field."""
        (field, words), self._wrong = self._wrong, ("", "")
        if field:
            show(field, words)

    def reload(self) -> None:
        """Read again what is shown, on the read lane."""

    def leave(self) -> None:
        """The page is about to be hidden: keep drafts."""

    def forget(self) -> None:
        """The person left (Ctrl+L): nothing personal may stay on the page."""

    def touched(self, touched: Touched) -> None:
        """Records changed somewhere; read again if they are ours."""
        if not any(kind in self.listens for kind, _ in touched):
            return
        if self.isVisible():
            self.reload()
        else:
            self._is_stale = True

    def retranslate(self) -> None:
        """The language changed: set every text again."""

    def changeEvent(self, event: QEvent) -> None:
        """Qt's language event reaches each page by itself."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)
