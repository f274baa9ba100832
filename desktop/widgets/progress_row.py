"""Long work on the page: n of m, the time left, and a Cancel that cancels."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import number, tr
from desktop.widgets.buttons import button
from desktop.widgets.labels import label


class ProgressRow(QWidget):
    """The page stays usable under it."""

    cancelled = Signal()

    def __init__(self, *, cancel_text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        px = theme.current().px
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(px(6))
        row = QHBoxLayout()
        self._text = label("", wrap=True)
        self._left = label("", "secondary")
        self.cancel_button = button(cancel_text or tr("Cancel"), on_click=self.cancelled.emit)
        row.addWidget(self._text, 1)
        row.addWidget(self._left)
        row.addWidget(self.cancel_button)
        outer.addLayout(row)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        outer.addWidget(self._bar)

    def set_progress(self, text: str, *, done: int, total: int, seconds_left: float | None = None) -> None:
        """``total`` 0 means that nobody knows yet: the bar then only moves."""
        shown = f"{text} {number(done)} / {number(total)}" if total else text
        self._text.setText(shown)
        self._left.setText(_time_words(seconds_left) if seconds_left is not None else "")
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        self._bar.setAccessibleName(shown)


def _time_words(seconds: float) -> str:
    if seconds < 60:
        return tr("about {n} s left").format(n=max(1, round(seconds)))
    return tr("about {n} min left").format(n=round(seconds / 60))
