"""Text on the screen in the few sizes there are."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy

from desktop import theme


def label(text: str = "", role: str = "", *, wrap: bool = False, copyable: bool = False, tone: str = "") -> QLabel:
    """A text; ``role`` is one of title, head, big, strong, secondary, hint, error, alarm, field, pill, pill-alarm, key.

    ``tone`` (red, yellow, green, grey) colours the letters in the readable shade of a state.
    """
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    if tone:
        made.setProperty("tone", tone)
    if wrap:
        made.setWordWrap(True)
        made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
    if copyable:
        made.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    if role.startswith("pill") or role == "key":
        made.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
    return made


def line() -> QFrame:
    """A hairline between rows."""
    made = QFrame()
    made.setProperty("role", "line")
    return made


def set_text(shown: QLabel, text: str) -> None:
    """Write a text and hide the label when there is none."""
    shown.setText(text)
    shown.setVisible(bool(text))


def set_tone(shown: QLabel, tone: str) -> None:
    """Change the state shade of a label that may already be on the screen."""
    theme.set_role(shown, tone, name="tone")
