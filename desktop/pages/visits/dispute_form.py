"""The sign of a dispute, noted with a visit: one line and its sort; the rest is done under Disputes."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit

from desktop import theme
from desktop.i18n import tr
from desktop.pages.visits.choices import DISPUTE_SORTS, options
from desktop.widgets.buttons import button
from desktop.widgets.card import Box
from desktop.widgets.form import Form
from desktop.widgets.labels import label
from desktop.widgets.option_row import OptionRow
from sync.domain.disputes import NoticeIntent

_TITLE_LIMIT = 100


class DisputeForm(Box):
    """Hidden until opened; an empty line means that there is no dispute to note."""

    changed = Signal()
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__("warn-box")
        self.form = Form()
        self.title = QLineEdit()
        self.title.setPlaceholderText(tr("In one line, such as: quarrel over water from upstairs"))
        self.category = OptionRow(options(DISPUTE_SORTS), name=tr("Sort of dispute"))
        self.form.add("title", tr("What is it about"), self.title)
        self.form.add("category", tr("Sort of dispute"), self.category)
        row = QHBoxLayout()
        row.setSpacing(theme.current().px(theme.GAP_M))
        row.addWidget(label(tr("Goes with this visit; go on with it under Disputes."), "hint", wrap=True), 1)
        row.addWidget(button(tr("Leave it out"), on_click=self._leave_out))
        self.body.addWidget(self.form)
        self.body.addLayout(row)
        self.title.textEdited.connect(lambda _: self.changed.emit())
        self.category.changed.connect(self.changed.emit)
        self._is_open = False

    def begin(self) -> None:
        """Open the fields and go to the first."""
        if not self._is_open:
            self.load(NoticeIntent(title=""))
        self.title.setFocus(Qt.FocusReason.OtherFocusReason)

    def load(self, intent: NoticeIntent | None) -> None:
        """Show an intent; none closes the fields."""
        self._is_open = intent is not None
        self.form.clear_errors()
        self.title.setText(intent.title if intent else "")
        self.category.set_value(intent.category if intent else "02")

    def intent(self) -> NoticeIntent | None:
        """What stands here, or None when it was not opened."""
        if not self._is_open:
            return None
        return NoticeIntent(title=self.title.text().strip(), category=self.category.value())

    def is_ready(self) -> bool:
        """Whether the line is there and short enough; else that is said beside it."""
        self.form.clear_errors()
        words = self.title.text().strip()
        if self._is_open and not words:
            self.form.set_error("title", tr("Write in a few words what it is about"))
        elif len(words) > _TITLE_LIMIT:
            self.form.set_error("title", tr("One line of {limit} characters at most").format(limit=_TITLE_LIMIT))
        else:
            return True
        return False

    def event(self, event: QEvent) -> bool:
        # Esc closes these fields, not the page.
        is_key = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_key and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._leave_out()
        else:
            super().keyPressEvent(event)

    def _leave_out(self) -> None:
        self.load(None)
        self.cancelled.emit()
