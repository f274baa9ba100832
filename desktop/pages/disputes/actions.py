"""What can be done with a dispute now, the next step in blue; and the box that says to call 110 first."""

from functools import partial
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.pages.disputes.fields_box import FieldsBox
from desktop.widgets.buttons import ActionButton, button
from desktop.widgets.card import Box
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label, set_text
from desktop.words.disputes import MOVES, word
from sync.store.disputes import DisputeCard

_SHOWN: Final = 2  # beside the blue one; the others wait behind "more"
_ALWAYS: Final = frozenset({"refuse", "fail"})  # a side that declines stops it: never hidden in a menu
_OUTLINED: Final = frozenset({"hand_over", "agree_in_writing", "accept", "transfer"})


class StepBar(QWidget):
    """Filled anew with every state of the dispute; at most one of its buttons is blue."""

    step_asked = Signal(str)  # the name of a move

    def __init__(self) -> None:
        super().__init__()
        self._flow = FlowLayout(self, gap=theme.GAP_M)
        self._shown: list[QWidget] = []

    @property
    def primary(self) -> QWidget | None:
        """The page's blue button, when it is one of these."""
        return next((shown for shown in self._shown if shown.property("role") == "primary"), None)

    def show_steps(self, card: DisputeCard) -> None:
        """The steps this viewer may make."""
        self.clear()
        others = [move for move in MOVES if move in card.moves and move != card.next_move]
        if card.next_move:
            self._add_move(card.next_move, role="primary")
        shown = [move for place, move in enumerate(others) if place < _SHOWN or move in _ALWAYS]
        for move in shown:
            self._add_move(move, role="second" if move in _OUTLINED else "")
        if len(others) > len(shown):
            more = button(tr("More …"))
            more.setObjectName("more_moves")
            menu = QMenu(more)
            for move in (move for move in others if move not in shown):
                action = QAction(word(MOVES, move), menu)
                action.triggered.connect(lambda _=False, name=move: self.step_asked.emit(name))
                menu.addAction(action)
            more.setMenu(menu)
            self._add(more)

    def show_form(self, form: FieldsBox) -> None:
        """The buttons of the fields that are open."""
        self.clear()
        for made in (form.save, form.aside):
            self._add(made)

    def clear(self) -> None:
        """No button at all."""
        for old in self._shown:
            self._flow.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._shown = []
        self.hide()

    def button_of(self, move: str) -> ActionButton | None:
        """The button of a step, for tests and for the tour; None when it is not in the bar."""
        found = next((shown for shown in self._shown if shown.objectName() == f"move_{move}"), None)
        return found if isinstance(found, ActionButton) else None

    def _add_move(self, move: str, *, role: str) -> None:
        made = button(word(MOVES, move), role=role, on_click=partial(self.step_asked.emit, move))
        made.setObjectName(f"move_{move}")
        self._add(made)

    def _add(self, made: ActionButton) -> None:
        self._flow.addWidget(made)
        made.show()
        self._shown.append(made)
        self.show()


class DangerBox(Box):
    """Always to be seen; speaks louder when there is danger."""

    def __init__(self) -> None:
        super().__init__("alarm-box")
        self._is_danger = False
        self._phone = ""
        row = QWidget()
        flow = FlowLayout(row, gap=theme.GAP_S)
        self._question = label("")
        self._answer = label("", "strong")
        self._more = label("", wrap=True)
        flow.addWidget(self._question)
        flow.addWidget(self._answer)
        column = QVBoxLayout()
        column.addWidget(row)
        column.addWidget(self._more)
        self.body.addLayout(column)
        self.retranslate()

    @property
    def is_danger(self) -> bool:
        """Whether it speaks of danger that is there."""
        return self._is_danger

    def set_danger(self, is_danger: bool) -> None:
        """Say that there is danger, or only what to do if there were."""
        self._is_danger = is_danger
        self.retranslate()

    def set_phone(self, phone: str) -> None:
        """The community's number for emergencies."""
        self._phone = phone
        self.retranslate()

    def retranslate(self) -> None:
        """Write the texts anew."""
        theme.set_role(self._answer, "alarm" if self._is_danger else "strong")
        if self._is_danger:
            self._question.setText(tr("There is danger:"))
            self._answer.setText(tr("call 110 and report first, note it afterwards."))
            more = tr("Tell the police and the community within two hours.")
            phone = tr("The community's phone: {phone}").format(phone=self._phone) if self._phone else ""
            set_text(self._more, f"{more} {phone}".strip())
        else:
            self._question.setText(tr("Somebody hits, threatens, is hurt?"))
            self._answer.setText(tr("Call 110 first, note it afterwards."))
            set_text(self._more, "")
        self.setAccessibleName(f"{self._question.text()} {self._answer.text()} {self._more.text()}".strip())
