"""A few lines of free text with a counter and a sentence when it becomes too much; nothing typed is cut off."""

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import number, tr
from desktop.widgets.labels import label

_COUNT_FROM = 0.8  # the counter shows from this share of the limit on


class TextArea(QWidget):
    """Tab leaves it. Characters are counted as people do: a rare character of four bytes is one."""

    changed = Signal()

    def __init__(
        self, *, name: str, limit: int, rows: int = 3, placeholder: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._limit = limit
        self._rows = rows
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme.current().px(2))
        self.edit = QPlainTextEdit()
        self.edit.setTabChangesFocus(True)
        self.edit.setAccessibleName(name)
        self.edit.setPlaceholderText(placeholder)
        box.addWidget(self.edit, 1)
        row = QHBoxLayout()
        self._sentence = label("", "error", wrap=True)
        self._counter = label("", "hint")
        row.addWidget(self._sentence, 1)
        row.addWidget(self._counter)
        box.addLayout(row)
        self.setFocusProxy(self.edit)
        self.edit.textChanged.connect(self._on_changed)
        self.edit.document().documentLayout().documentSizeChanged.connect(lambda _: self._fit())
        self._fit()
        self._show()

    def text(self) -> str:
        """What stands there, without blank ends."""
        return self.edit.toPlainText().strip()

    def set_text(self, text: str) -> None:
        """Put a text there without telling anybody."""
        self.edit.blockSignals(True)
        self.edit.setPlainText(text)
        self.edit.blockSignals(False)
        self._show()

    @property
    def is_within_limit(self) -> bool:
        """Whether it is short enough to be saved."""
        return len(self.text()) <= self._limit

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _on_changed(self) -> None:
        self._show()
        self.changed.emit()

    def _fit(self) -> None:
        """As high as its text, from ``rows`` lines to twice as many; beyond that it scrolls."""
        look = theme.current()
        line = QFontMetrics(look.font()).lineSpacing()
        lines = min(max(round(self.edit.document().size().height()), self._rows), 2 * self._rows)
        self.edit.setFixedHeight(line * lines + look.px(24))

    def _show(self) -> None:
        length = len(self.text())
        over = length - self._limit
        theme.set_role(self.edit, "true" if over > 0 else "false", name="wrong")
        self._counter.setText(f"{number(length)} / {number(self._limit)}")
        self._counter.setVisible(length >= self._limit * _COUNT_FROM)
        sentence = tr("{n} characters too many; everything is still here, please shorten it").format(n=number(over))
        self._sentence.setText(sentence if over > 0 else "")
        self._sentence.setVisible(over > 0)
