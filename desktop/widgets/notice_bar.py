"""The bar over a page that says what happened, what was kept and what to do; technical words are folded away."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.widgets.buttons import button
from desktop.widgets.labels import label, set_text

LEAVES_AFTER_MS: Final = 8000

_ROLES: Final = {
    Tone.CALM: "calm-box",
    Tone.GOOD: "good-box",
    Tone.WARN: "warn-box",
    Tone.ALARM: "alarm-box",
}
_NEWS: Final = (Tone.CALM, Tone.GOOD)


class NoticeBar(QFrame):
    """Shows one notice at a time; a later one takes its place. Good and calm news leaves by itself."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._action: Callable[[], None] | None = None
        self._notice: Notice | None = None
        self._is_fresh = False  # shown in this turn of the event loop
        px = theme.current().px
        outer = QVBoxLayout(self)
        outer.setContentsMargins(px(16), px(8), px(12), px(8))
        outer.setSpacing(px(6))
        row = QHBoxLayout()
        row.setSpacing(px(theme.GAP_M))
        words = QVBoxLayout()
        words.setSpacing(px(2))
        self._title = label("", "strong", wrap=True)
        self._advice = label("", wrap=True)
        words.addWidget(self._title)
        words.addWidget(self._advice)
        row.addLayout(words, 1)
        self._do = button("", role="second", on_click=self._on_action)
        self._fold = button("", role="link", on_click=self._on_fold)
        self._close = button("", on_click=self.clear)
        self._close.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click on it does not take the keyboard from the work
        for made in (self._fold, self._do, self._close):
            row.addWidget(made, 0, Qt.AlignmentFlag.AlignVCenter)
        outer.addLayout(row)
        self._details_row = QWidget()
        details = QHBoxLayout(self._details_row)
        details.setContentsMargins(0, 0, 0, 0)
        self._details = label("", "hint", wrap=True, copyable=True)
        self._copy = button("", on_click=self._on_copy)
        details.addWidget(self._details, 1)
        details.addWidget(self._copy)
        outer.addWidget(self._details_row)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.clear)
        self._retranslate()
        self.hide()

    @property
    def notice(self) -> Notice | None:
        """What is shown now."""
        return self._notice

    def show_notice(self, notice: Notice) -> None:
        """Show it and say it to a screen reader; the focus stays where it is."""
        self._notice = notice
        self._action = notice.action
        theme.set_role(self, _ROLES[notice.tone])
        self._title.setText(notice.title)
        set_text(self._advice, notice.advice)
        self._do.set_words(notice.action_text)
        self._do.setVisible(notice.action is not None)
        self._details.setText(notice.details)
        self._details.setAccessibleName(tr("Technical details"))
        self._fold.setVisible(bool(notice.details))
        self._details_row.hide()
        self.setAccessibleName(notice.title)
        self.setAccessibleDescription(notice.advice)
        self.show()
        self._is_fresh = True
        QTimer.singleShot(0, self, self._settle)
        self._timer.stop()
        if notice.tone in _NEWS and notice.action is None:
            self._timer.start(LEAVES_AFTER_MS)

    def turn_page(self) -> None:
        """Another page is opened: good and calm news goes, unless it was what led there."""
        if self._notice is not None and self._notice.tone in _NEWS and not self._is_fresh:
            self.clear()

    def clear(self) -> None:
        """Take the notice away."""
        self._timer.stop()
        self._notice = None
        self.hide()
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self._fold.set_words(tr("Technical details"))
        self._close.set_words(tr("All right"))
        self._copy.set_words(tr("Copy"))

    def _settle(self) -> None:
        self._is_fresh = False

    def _on_action(self) -> None:
        action = self._action
        self.clear()
        if action is not None:
            action()

    def _on_fold(self) -> None:
        self._details_row.setVisible(not self._details_row.isVisible())

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._details.text())
