"""The pinned bar under a demand: the next step in blue, the others beside it, or Save while fields are open."""

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from desktop.i18n import tr
from desktop.pages.demands.step_form import StepForm
from desktop.widgets.buttons import ActionButton, button
from desktop.widgets.pinned_bar import PinnedBar
from desktop.words.demands import MOVES, word
from sync.domain.demand_correction import CORRECT
from sync.store.demands import DemandCard

_SHOWN = 3  # beside the blue one; the others wait behind "more"


class StepBar(PinnedBar):
    """Filled anew with every state of the demand; exactly one of its buttons is blue, if any step is the viewer's."""

    step_asked = Signal(str)  # the name of a move
    household_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[ActionButton] = []

    def show_steps(self, card: DemandCard, form: StepForm | None) -> None:
        """The steps of a demand, or the buttons of the fields that are open."""
        for old in self._shown:
            old.hide()
            old.deleteLater()
        self._shown = []
        if form is not None:
            self._shown += [self.add(form.save), self.add(form.aside)]
        else:
            self._add_moves(card)
            if card.may_correct:
                self._add_move(CORRECT, text=tr("Put right"))
        if card.row.household_id:
            ask = partial(self.household_asked.emit, card.row.household_id)
            self._shown.append(self.add(button(tr("Open the household"), role="second", on_click=ask)))
        self.set_hint(tr("Kept while you type; a power cut loses nothing") if form is not None else "")

    def focus_first(self) -> None:
        """Put the keyboard on the first button: the blue one, where there is one."""
        self._shown[0].show()  # a hidden one takes no focus
        self._shown[0].setFocus()

    def button_of(self, move: str) -> ActionButton | None:
        """The button of a step, for tests and for the tour; None when it is not in the bar."""
        return next((shown for shown in self._shown if shown.objectName() == f"move_{move}"), None)

    def _add_moves(self, card: DemandCard) -> None:
        others = [move for move in MOVES if move in card.moves and move != card.next_move]
        if card.next_move:
            self._add_move(card.next_move, role="primary")
        for move in others[:_SHOWN]:
            self._add_move(move)
        if len(others) > _SHOWN:
            more = button(tr("More …"))
            more.setObjectName("more_moves")
            menu = QMenu(more)
            for move in others[_SHOWN:]:
                action = QAction(word(MOVES, move), menu)
                action.triggered.connect(lambda _=False, name=move: self.step_asked.emit(name))
                menu.addAction(action)
            more.setMenu(menu)
            self._shown.append(self.add(more))

    def _add_move(self, move: str, *, text: str = "", role: str = "") -> None:
        made = button(text or word(MOVES, move), role=role, on_click=partial(self.step_asked.emit, move))
        made.setObjectName(f"move_{move}")
        self._shown.append(self.add(made))
