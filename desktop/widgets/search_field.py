"""The field that finds a household from anywhere: results below as one types, arrows and Enter to choose."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.i18n import tr
from desktop.widgets.labels import label, set_text
from desktop.widgets.state_badge import paint_badge, state_character

_ROW: Final = int(Qt.ItemDataRole.UserRole)
_MAX_ROWS: Final = 8

AnyIndex = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A household found: where it is, who lives there, and its colour when the viewer may see it."""

    household_id: str
    place: str
    who: str = ""
    note: str = ""
    tone: str = ""


class SearchField(QLineEdit):
    """``typed`` asks the page to search; it answers with ``set_results`` for the same text.

    Input methods are off here: rooms, initials and phone tails are typed with plain keys.
    """

    typed = Signal(str)  # the trimmed text, at every keystroke
    chosen = Signal(str)  # household id

    def __init__(self, *, name: str, placeholder: str = "", key: str = "Ctrl+K", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = key
        self._popup: ResultList | None = None
        self.setProperty("role", "search")
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.textEdited.connect(self._on_edited)
        if key:
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.activated.connect(self._on_key)

    @property
    def results(self) -> tuple[SearchResult, ...]:
        """What is offered now."""
        return self._popup.results if self._popup is not None and self._popup.isVisible() else ()

    def set_results(self, text: str, results: Sequence[SearchResult]) -> None:
        """Offer what was found for ``text``; an answer to an older text is passed over."""
        if text != self.text().strip() or not text or not self.hasFocus():
            return
        popup = self._list()
        popup.show_results(results)
        self._place(popup)

    def clear_search(self) -> None:
        """Empty the field and take the list away."""
        self.clear()
        self._hide()

    def sizeHint(self) -> QSize:
        px = theme.current().px
        return QSize(px(380), px(theme.CONTROL_HEIGHT - 2))

    def minimumSizeHint(self) -> QSize:
        px = theme.current().px
        return QSize(px(170), px(theme.CONTROL_HEIGHT - 2))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        popup = self._popup if self._popup is not None and self._popup.isVisible() else None
        if key == Qt.Key.Key_Escape and (self.text() or popup is not None):
            self.clear_search()
        elif popup is not None and key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            popup.walk(1 if key == Qt.Key.Key_Down else -1)
            self.setAccessibleDescription(popup.said())
        elif popup is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            popup.take()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move) and self._popup is not None:
            self._hide()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.text() or self.hasFocus() or not self._key:
            return
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        wide = look.px(58)
        chip = QRectF(self.width() - wide - look.px(10), (self.height() - look.px(20)) / 2, wide, look.px(20))
        painter.setPen(QColor(look.colours.line))
        painter.setBrush(QColor(look.colours.card))
        painter.drawRoundedRect(chip, look.px(4), look.px(4))
        painter.setPen(QColor(look.colours.ink_2))
        painter.setFont(look.font(theme.HINT_SIZE))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, self._key.replace("+", " "))

    def _on_key(self) -> None:
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    def _on_edited(self, text: str) -> None:
        if text.strip():
            self.typed.emit(text.strip())
        else:
            self._hide()

    def _on_taken(self, household_id: str) -> None:
        self.clear_search()
        self.chosen.emit(household_id)

    def _list(self) -> "ResultList":
        if self._popup is None:
            self._popup = ResultList(self.window())
            self._popup.taken.connect(self._on_taken)
            self.window().installEventFilter(self)
        return self._popup

    def _place(self, popup: "ResultList") -> None:
        px = theme.current().px
        corner = self.mapTo(self.window(), QPoint(0, self.height() + px(4)))
        popup.setFixedWidth(max(self.width(), px(380)))
        popup.move(corner)
        popup.show()
        popup.raise_()

    def _hide(self) -> None:
        if self._popup is not None:
            self._popup.hide()


class ResultList(QFrame):
    """The list under the field; it never takes the focus, so typing goes on."""

    taken = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "popup")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.results: tuple[SearchResult, ...] = ()
        px = theme.current().px
        box = QVBoxLayout(self)
        box.setContentsMargins(px(6), px(6), px(6), px(6))
        self._rows = QListWidget()
        self._rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._rows.setAccessibleName(tr("Households found"))
        self._rows.setItemDelegate(_ResultPainter(self._rows))
        self._rows.setUniformItemSizes(True)
        self._rows.setMouseTracking(True)
        self._rows.itemClicked.connect(lambda _: self.take())
        self._none = label("", "secondary", wrap=True)
        box.addWidget(self._rows)
        box.addWidget(self._none)
        self.hide()

    def show_results(self, results: Sequence[SearchResult]) -> None:
        """Fill the list; the first is chosen."""
        self.results = tuple(results)
        self._rows.clear()
        for result in self.results:
            item = QListWidgetItem(" ".join(part for part in (result.place, result.who, result.note) if part))
            item.setData(_ROW, result)
            self._rows.addItem(item)
        self._rows.setCurrentRow(0)
        self._rows.setVisible(bool(self.results))
        set_text(self._none, "" if self.results else tr("Nothing found. Try a room such as 3-2-501, or initials"))
        row = theme.current().px(theme.ROW_HEIGHT)
        self._rows.setFixedHeight(min(len(self.results), _MAX_ROWS) * row + 2)
        self.adjustSize()

    def walk(self, step: int) -> None:
        """Go up or down, round the ends."""
        if self.results:
            self._rows.setCurrentRow((self._rows.currentRow() + step) % len(self.results))

    def said(self) -> str:
        """The chosen line, for a screen reader."""
        item = self._rows.currentItem()
        return item.text() if self.results else ""

    def take(self) -> None:
        """Choose the current line."""
        if self.results:
            self.taken.emit(self.results[max(0, self._rows.currentRow())].household_id)


class _ResultPainter(QStyledItemDelegate):
    """Badge, place, who; the note at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        px = theme.current().px
        return QSize(px(200), px(theme.ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        result: SearchResult = index.data(_ROW)
        look = theme.current()
        px = look.px
        rect = option.rect  # type: ignore[attr-defined]
        state = option.state  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(look.colours.accent_soft))
            painter.drawRoundedRect(rect, px(6), px(6))
        left = rect.left() + px(8)
        if result.tone:
            badge = QRectF(left, rect.center().y() - px(12), px(24), px(24))
            paint_badge(
                painter, badge, tone=result.tone, character=state_character(result.tone), look=look, scale=look.scale
            )
            left += px(36)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(look.colours.ink))
        painter.setFont(look.font(bold=True))
        used = painter.boundingRect(QRectF(left, rect.top(), rect.width(), rect.height()), middle, result.place)
        painter.drawText(used, middle, result.place)
        painter.setFont(look.font())
        after = used.right() + px(12)
        painter.drawText(QRectF(after, rect.top(), rect.right() - after, rect.height()), middle, result.who)
        painter.setFont(look.font(theme.HINT_SIZE))
        painter.setPen(QColor(look.colours.ink_2))
        note = QRectF(rect.left(), rect.top(), rect.width() - px(10), rect.height())
        painter.drawText(note, middle | Qt.AlignmentFlag.AlignRight, result.note)
        painter.restore()
