"""The bar of actions under a form: it never scrolls away."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop import theme
from desktop.widgets.buttons import ActionButton
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label, set_text


class PinnedBar(QFrame):
    """Actions from the left, the most wanted first; a quiet sentence at the right end."""

    def __init__(self, *, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "pinned")
        px = theme.current().px
        row = QHBoxLayout(self)
        row.setContentsMargins(px(20), px(12), px(20), px(12))
        row.setSpacing(px(theme.GAP_M))
        holder = QWidget()
        self._flow = FlowLayout(holder, gap=theme.GAP_M)
        row.addWidget(holder, 1)
        self._hint = label(hint, "secondary")
        row.addWidget(self._hint)
        set_text(self._hint, hint)

    def add(self, action: ActionButton) -> ActionButton:
        """Put an action after the others and hand it back."""
        self._flow.addWidget(action)
        return action

    def set_hint(self, text: str) -> None:
        """The sentence at the right end,."""
        set_text(self._hint, text)
