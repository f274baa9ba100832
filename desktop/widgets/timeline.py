"""What happened, one entry below the other, with a line down the side."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.widgets.card import clear
from desktop.widgets.labels import label


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """``title`` begins with the day; ``note`` is the quiet word beside it; ``is_now`` marks the step to come."""

    title: str
    text: str = ""
    note: str = ""
    is_now: bool = False


class Timeline(QWidget):
    """Entries in the order given."""

    def __init__(self, entries: Sequence[TimelineEntry] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)
        self.set_entries(entries)

    def set_entries(self, entries: Sequence[TimelineEntry]) -> None:
        """Show other entries."""
        clear(self._box)
        px = theme.current().px
        for entry in entries:
            frame = QFrame()
            frame.setProperty("role", "entry-now" if entry.is_now else "entry")
            frame.setAccessibleName(" ".join(part for part in (entry.title, entry.note, entry.text) if part))
            inner = QVBoxLayout(frame)
            inner.setContentsMargins(px(15), px(4), 0, px(8))
            inner.setSpacing(px(2))
            head = QHBoxLayout()
            head.setSpacing(px(6))
            head.addWidget(label(entry.title, "strong"))
            if entry.note:
                head.addWidget(label(entry.note))
            head.addStretch(1)
            inner.addLayout(head)
            if entry.text:
                inner.addWidget(label(entry.text, "secondary", wrap=True))
            self._box.addWidget(frame)
