"""The three signals of the whole program: records touched, the state of sync, a word to the person."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject, Signal


class Tone(StrEnum):
    """How a notice looks: calm news, something good, something to do, something that went wrong."""

    CALM = "calm"
    GOOD = "good"
    WARN = "warn"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Notice:
    """One message of the notice bar; the texts are already translated.

    ``details`` is technical (codes and ids), folded away and made to be copied. With ``action`` goes a
    button. A good or calm notice without an action leaves by itself.
    """

    title: str
    advice: str = ""
    tone: Tone = Tone.CALM
    action_text: str = ""
    action: Callable[[], None] | None = None
    details: str = ""


class Hub(QObject):
    """Lives as long as the program; pages connect and filter. A fourth signal needs a decision record."""

    touched = Signal(object)  # frozenset of (kind, id) that a write, a merge or an import altered
    sync_state = Signal(object)  # the sync agent's frozen state
    notice = Signal(object)  # Notice
