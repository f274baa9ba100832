"""Six digits as big dots; works with the numeric pad also when Num Lock is off."""

import unicodedata
from typing import Final

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHideEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QStyle, QStyleOptionFrame, QWidget

from desktop import theme

PIN_LENGTH: Final = 6

# What the numeric pad sends while Num Lock is off.
_UNLOCKED_PAD: Final = {
    Qt.Key.Key_Insert: "0",
    Qt.Key.Key_End: "1",
    Qt.Key.Key_Down: "2",
    Qt.Key.Key_PageDown: "3",
    Qt.Key.Key_Left: "4",
    Qt.Key.Key_Clear: "5",
    Qt.Key.Key_Right: "6",
    Qt.Key.Key_Home: "7",
    Qt.Key.Key_Up: "8",
    Qt.Key.Key_PageUp: "9",
}


class PinField(QLineEdit):
    """Takes digits only, of any width; no copying, no undo; forgets itself when it is hidden."""

    completed = Signal(str)  # the six digits, as the sixth is typed

    def __init__(self, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "pin")
        self.setAccessibleName(name)
        self.setEchoMode(QLineEdit.EchoMode.NoEcho)
        self.setMaxLength(PIN_LENGTH)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setInputMethodHints(
            Qt.InputMethodHint.ImhHiddenText
            | Qt.InputMethodHint.ImhDigitsOnly
            | Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
        )
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.textChanged.connect(lambda: self.update())

    def sizeHint(self) -> QSize:
        px = theme.current().px
        return QSize(px(258), px(50))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_pad = bool(event.modifiers() & Qt.KeyboardModifier.KeypadModifier)
        digit = _UNLOCKED_PAD.get(Qt.Key(event.key()), "") if is_pad else ""
        digit = digit or _digit(event.text())
        key = Qt.Key(event.key())
        if digit:
            if len(self.text()) < PIN_LENGTH:
                self.setText(self.text() + digit)
                if len(self.text()) == PIN_LENGTH:
                    self.completed.emit(self.text())
        elif key == Qt.Key.Key_Backspace:
            self.setText(self.text()[:-1])
        elif key == Qt.Key.Key_Delete:
            self.clear()
        elif event.text() and event.text().isprintable():
            event.accept()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self.clear()
        super().hideEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.current()
        px = look.px
        painter = QPainter(self)
        frame = QStyleOptionFrame()
        self.initStyleOption(frame)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_PanelLineEdit, frame, painter, self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side, step = px(22), px(37)
        top = (self.height() - side) / 2
        for place in range(PIN_LENGTH):
            spot = QRectF(px(18) + place * step, top, side, side)
            if place < len(self.text()):
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(look.colours.ink))
                painter.drawEllipse(spot)
            else:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(look.colours.line))
                painter.drawEllipse(spot.adjusted(side * 0.36, side * 0.36, -side * 0.36, -side * 0.36))


def _digit(text: str) -> str:
    """One ASCII digit for a digit of any width, "" for anything else."""
    plain = unicodedata.normalize("NFKC", text)
    return plain if len(plain) == 1 and plain in "0123456789" else ""
