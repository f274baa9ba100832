"""The cards beside the façade: the door at hand with its keys, doors that do not open, the sheet's code."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.pages.visits import choices
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, clear
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label, set_text
from desktop.widgets.option_row import OptionRow
from sync.store.visits import BatchDoor, HardDoor

_HARD_SHOWN = 2


class EscapeLine(QLineEdit):
    """A line whose Esc goes back to the façade and not to the page before; input methods are off for codes."""

    escaped = Signal()

    def __init__(self, *, name: str, plain: bool = False) -> None:
        super().__init__()
        self.setAccessibleName(name)
        if plain:
            self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)

    def event(self, event: QEvent) -> bool:
        is_key = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_key and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        else:
            super().keyPressEvent(event)


class DoorCard(Card):
    """The door with the ring: its six outcomes, a line to add, and the field that jumps to a room."""

    picked = Signal(str)  # an outcome
    noted = Signal(str, bool)  # a line for this door, told today
    jumped = Signal(str)  # a room as typed
    left = Signal()  # back to the façade

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.outcomes = OptionRow(
            choices.options(choices.KEY_OUTCOMES, digits=True), name=tr("Outcome"), columns=2, may_be_empty=True
        )
        for outcome in choices.OUTCOMES:  # the common case is the blue button of this page
            theme.set_role(self.outcomes.button_of(outcome), "primary" if outcome == "met" else "second")
        self.add(self.outcomes)
        self.note = EscapeLine(name=tr("One line for this door"))
        self.note.setPlaceholderText(tr("One line, then Enter"))
        self.note.hide()
        self.add(self.note)
        self.told = QCheckBox(tr("Told today what is noted and why"))
        self.told.hide()
        self.add(self.told)
        for keys in (
            ((("0",), tr("a line")), (("+",), tr("a matter"))),
            (((tr("Backspace"),), tr("change back")), (("↑↓←→",), tr("another door"))),
        ):
            row = FlowLayout(gap=theme.GAP_M)
            for chips, words in keys:
                row.addWidget(_key_words(chips, words))
            self.add(row)
        jump = QHBoxLayout()
        jump.setSpacing(theme.current().px(theme.GAP_S))
        jump.addWidget(_key_words(("/",), tr("to room")))
        self.jump = EscapeLine(name=tr("Straight to room"), plain=True)
        self.jump.setPlaceholderText("502")
        self.jump.setMaximumWidth(theme.current().px(90))
        jump.addWidget(self.jump)
        jump.addWidget(label(tr("Enter", "key"), "key"))
        jump.addStretch(1)
        self.add(jump)
        self.setToolTip(tr("The number pad works, too"))
        self._wrong = label("", "error", wrap=True)
        set_text(self._wrong, "")
        self.add(self._wrong)
        self.outcomes.changed.connect(lambda: self.picked.emit(self.outcomes.value()))
        self.note.returnPressed.connect(self._on_note)
        self.jump.returnPressed.connect(lambda: self.jumped.emit(self.jump.text()))
        for line in (self.note, self.jump):
            line.escaped.connect(self._on_escape)

    def show_door(self, door: BatchDoor | None, *, outcome: str, note: str) -> None:
        """Another door has the ring."""
        self.set_title(door.label if door else "")
        said = [tr("A visit is due")] if door and door.is_due else []
        if note:
            said.append(note)
        self.set_hint(" · ".join(said))
        self.outcomes.set_value(outcome)
        set_text(self._wrong, "")

    def ask_note(self, note: str, *, is_told: bool) -> None:
        """Open the line for this door; who was not told yet what is noted can be ticked off."""
        self.note.setText(note)
        self.note.show()
        self.told.setChecked(False)
        self.told.setVisible(not is_told)
        self.note.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def ask_jump(self) -> None:
        """Go to the field for a room."""
        self.jump.clear()
        self.jump.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def complain(self, text: str) -> None:
        """Say what is wrong with what was typed."""
        set_text(self._wrong, text)

    def _on_note(self) -> None:
        text = self.note.text().strip()
        self._hide_note()
        self.noted.emit(text, self.told.isChecked())

    def _hide_note(self) -> None:
        self.note.hide()
        self.told.hide()

    def _on_escape(self) -> None:
        self._hide_note()
        self.jump.clear()
        set_text(self._wrong, "")
        self.left.emit()


class HardCard(Card):
    """Doors that stayed shut in three bands, and what else can be tried."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Doors that do not open"), parent=parent)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(theme.current().px(4))
        self.add(self._rows)
        self.fill()

    def show_doors(self, doors: Sequence[HardDoor]) -> None:
        """Show these; without any the card is not there."""
        clear(self._rows)
        self.setVisible(bool(doors))
        for door in doors[:_HARD_SHOWN]:
            bands = choices.joined(choices.BANDS, [band for band in choices.BANDS if band in door.bands])
            line = QHBoxLayout()
            line.setSpacing(theme.current().px(theme.GAP_M))
            line.addWidget(label(door.label))
            line.addWidget(label(tr("nobody in: {bands}").format(bands=bands), wrap=True), 1)
            self._rows.addLayout(line)
        if len(doors) > _HARD_SHOWN:
            self._rows.addWidget(label(tr("and {n} more").format(n=len(doors) - _HARD_SHOWN), "secondary"))
        if doors:
            self._rows.addWidget(label(tr("Telephone · leave a card · try a weekend"), "secondary", wrap=True))


class SheetCard(Card):
    """Where the code of the paper is typed."""

    entered = Signal(str)
    cleared = Signal()
    print_asked = Signal()
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Door sheet number"), hint=tr("top right on the sheet"), parent=parent)
        self.code = EscapeLine(name=tr("Door sheet number"), plain=True)
        self.code.setPlaceholderText("3X-20K7")
        self._code = ""  # of the sheet that is being keyed in
        row = QHBoxLayout()
        row.setSpacing(theme.current().px(theme.GAP_S))
        row.addWidget(self.code, 1)
        self.whole = button(tr("Whole building"), on_click=self.cleared.emit)
        self.whole.hide()
        row.addWidget(self.whole)
        self.print_button = button(tr("Print more"), on_click=self.print_asked.emit)
        row.addWidget(self.print_button)
        self.add(row)
        self._said = label(tr("Type it to begin at that sheet's first door"), "secondary", wrap=True)
        self.add(self._said)
        self._wrong = label("", "error", wrap=True)
        set_text(self._wrong, "")
        self.add(self._wrong)
        self.fill()
        self.code.returnPressed.connect(lambda: self.entered.emit(self.code.text()))
        self.code.textEdited.connect(lambda _: set_text(self._wrong, ""))
        self.code.escaped.connect(self._on_escape)

    def show_sheet(self, code: str, doors: int) -> None:
        """A sheet is being keyed in; '' means the whole building."""
        set_text(self._wrong, "")
        self._code = code
        self.code.setText(code)
        self.whole.setVisible(bool(code))
        self.print_button.setVisible(not code)
        self._said.setText(
            tr("{n} doors, in the order of the sheet").format(n=doors)
            if code
            else tr("Type it to begin at that sheet's first door")
        )

    def complain(self, text: str) -> None:
        """Say what is wrong with the code."""
        set_text(self._wrong, text)
        self.code.selectAll()

    def _on_escape(self) -> None:
        if self._wrong.text():
            self.code.setText(self._code)
            set_text(self._wrong, "")
        self.left.emit()


def _key_words(chips: Sequence[str], words: str) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.current().px(5))
    for chip in chips:
        row.addWidget(label(chip, "key"))
    row.addWidget(label(words))
    return holder
