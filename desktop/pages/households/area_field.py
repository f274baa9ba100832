"""Which compound or grid a new building belongs to: one of those there are, or a new one with its name."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from sync.store.households import Choice

_NEW = "new"  # no id looks like this


class AreaField(QWidget):
    """A list of names; its last entry opens a line for a new one. Without any name to offer there is the line only."""

    changed = Signal()

    def __init__(self, *, name: str, new_name: str) -> None:
        super().__init__()
        self.box = QComboBox()
        self.box.setAccessibleName(name)
        self.line = QLineEdit()
        self.line.setAccessibleName(new_name)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.current().px(theme.GAP_S))
        column.addWidget(self.box, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.line)
        self.box.activated.connect(self._on_chosen)
        self.line.textEdited.connect(lambda _: self.changed.emit())

    def begin(self, offered: Sequence[Choice], *, none: str, may_add: bool) -> None:
        """Offer these; ``none`` is the entry for none of them, '' when one is needed. What was chosen stays."""
        before = self.box.currentData()
        self.box.clear()
        if none:
            self.box.addItem(none, "")
        for choice in offered:
            self.box.addItem(choice.name, choice.id)
        if may_add:
            self.box.addItem(tr("a new one …"), _NEW)
        ordinary = 1 if none and len(offered) == 1 else 0
        self.box.setCurrentIndex(self.box.findData(before) if before else ordinary)
        if self.box.currentIndex() < 0:
            self.box.setCurrentIndex(ordinary)
        self.box.setVisible(self.box.count() > 1)
        self._show_line()

    def empty(self) -> None:
        """Forget what was chosen and typed."""
        self.box.clear()
        self.line.clear()

    def chosen(self) -> str:
        """The id of the one that is chosen, '' for none or a new one."""
        return "" if self.is_new() else str(self.box.currentData() or "")

    def is_new(self) -> bool:
        """Whether a new one is to be made."""
        return bool(self.box.currentData() == _NEW)

    def new_name(self) -> str:
        """The name of the new one, '' when none is to be made or it has no name yet."""
        return self.line.text().strip() if self.is_new() else ""

    def _on_chosen(self) -> None:
        self._show_line()
        if self.is_new():
            self.line.setFocus(Qt.FocusReason.OtherFocusReason)
        self.changed.emit()

    def _show_line(self) -> None:
        self.line.setVisible(self.is_new())
        self.setFocusProxy(self.line if self.is_new() else self.box)
