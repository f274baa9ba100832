"""The few fields that a step of a dispute needs, opened in place; what is entered becomes a DisputeMove."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget

from desktop.i18n import tr
from desktop.pages.disputes.fields_box import FieldsBox
from desktop.texts import sentence
from desktop.widgets.date_field import DateField
from desktop.widgets.option_row import Option, OptionRow
from desktop.widgets.text_area import TextArea
from desktop.words.disputes import METHODS, MOVES, ON_THE_SPOT, RISKS, word
from sync.domain.categories import Categories, DisputeCategory
from sync.domain.dispute_flow import MOVES as STEPS
from sync.domain.dispute_moves import DisputeMove
from sync.errors import RuleError
from sync.store.demands import Choice

# The fields of each step in the order of the form; a step that is not named here is made at one click.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "settle_on_spot": ("result", "method"),
    "settle_registered": ("result", "method"),
    "hand_over": ("note",),
    "ask_for_help": ("handed_to", "note"),
    "dismiss": ("note",),
    "follow_up": ("note",),
    "take_over": ("note",),
    "register": ("risk", "category", "note"),
    "answer_help": ("note",),
    "transfer": ("handed_to", "note"),
    "transfer_case": ("handed_to", "note"),
    "escalate_case": ("handed_to", "note"),
    "return_to_case": ("note",),
    "accept": ("mediator_ids", "parties_agreed"),
    "change_mediator": ("mediator_ids", "parties_agreed"),
    "not_accept": ("note",),
    "hold_session": ("note",),
    "extend": ("due_on", "note", "parties_agreed"),
    "suspend": ("note",),
    "refuse": ("note",),
    "fail": ("note", "ways_told"),
    "agree_in_writing": ("result", "due_on"),
    "agree_orally": ("result", "due_on"),
    "confirm_in_court": ("note",),
    "breach": ("note",),
    "urge": ("note",),
    "follow_up_case": ("note",),
    "follow_up_breach": ("note", "ways_told"),
    "note": ("note",),
    "note_case": ("note",),
    "close": ("note",),
    "close_case": ("note",),
    "archive_case": ("dossier_complete",),
    "reopen": ("note",),
}
_REMARKS: Final = frozenset({"hand_over", "register", "note", "note_case"})
_CALLS: Final = frozenset({"follow_up", "follow_up_case", "follow_up_breach"})
_TICKS: Final = ("parties_agreed", "ways_told", "dossier_complete")
_TEXT_LIMIT: Final = 2000


class StepForm(FieldsBox):
    """The fields of one step. ``values`` are plain texts by field, so that a draft is easily kept."""

    def __init__(
        self,
        move: str,
        *,
        categories: Categories[DisputeCategory],
        mediators: Sequence[Choice],
        today: Callable[[], date],
        known: Mapping[str, str],
    ) -> None:
        super().__init__("calm-box", word(MOVES, move))
        self.move_name = move
        self._categories = categories
        self._mediators = mediators
        self._today = today
        self._fields: dict[str, QWidget] = {}
        for name in FIELDS[move]:
            self._add(name)
        self.set_values(known)

    def values(self) -> dict[str, str]:
        """What stands in the fields, as texts; lists are joined by commas, a tick is 'yes'."""
        return {name: _value(widget) for name, widget in self._fields.items()}

    def set_values(self, values: Mapping[str, str]) -> None:
        """Put a draft back; what is not named stays."""
        for name, text in values.items():
            if name in self._fields:
                _set_value(self._fields[name], text)

    def intent(self) -> DisputeMove:
        """What was entered."""
        values = self.values()
        chosen = tuple(filter(None, values.pop("mediator_ids", "").split(",")))
        entered: dict[str, Any] = {name: text == "yes" if name in _TICKS else text for name, text in values.items()}
        return DisputeMove(**entered, mediator_ids=chosen)

    def is_ready(self) -> bool:
        """Whether nothing is missing and the day can be; else it is said beside the field, before anything is asked."""
        self.form.clear_errors()
        needs = next(step.needs for step in STEPS if step.name == self.move_name)
        given = self.intent().given()
        missing = next((name for name in needs if name in self._fields and name not in given), "")
        if missing:
            self.form.set_error(missing, sentence(RuleError(missing, "required")))
            return False
        due = self._fields.get("due_on")
        if isinstance(due, DateField) and (due.problem() or due.value() < self._today().isoformat()):
            self.form.set_error("due_on", due.problem() or sentence(RuleError("due_on", "past_date")))
            return False
        return True

    def field(self, name: str) -> QWidget:
        """The widget of a field, for tests and for the tour."""
        return self._fields[name]

    def focus_first(self) -> None:
        """Go to the first field that is empty."""
        empty = [widget for widget in self._fields.values() if not _value(widget)]
        next(iter([*empty, *self._fields.values()])).setFocus(Qt.FocusReason.OtherFocusReason)

    def _add(self, name: str) -> None:
        text = self._label(name)
        made = self._make(name, text)
        self._fields[name] = made
        if isinstance(made, QCheckBox):
            self.form.add(name, "", made)
            made.setAccessibleName(text)
        else:
            self.form.add(name, text, made)

    def _label(self, name: str) -> str:
        note = tr("Reason")
        if self.move_name in _REMARKS:
            note = tr("Note")
        elif self.move_name in _CALLS:
            note = tr("How is it now")
        elif self.move_name == "hold_session":
            note = tr("Who came, what was said")
        elif self.move_name == "ask_for_help":
            note = tr("What help")
        due = tr("Until which day") if self.move_name == "extend" else tr("To be kept by")
        return {
            "note": note,
            "result": tr("What they agreed on"),
            "method": tr("How it was settled"),
            "handed_to": tr("Whom to ask") if self.move_name == "ask_for_help" else tr("To which body"),
            "risk": tr("How serious"),
            "category": tr("Category"),
            "due_on": due,
            "mediator_ids": tr("Mediators"),
            "parties_agreed": tr("Both sides agree to it"),
            "ways_told": tr("They were told of arbitration, the authorities and the court"),
            "dossier_complete": tr("The file is complete"),
        }[name]

    def _make(self, name: str, text: str) -> QWidget:
        made: QWidget
        if name in ("note", "result"):
            area = TextArea(name=text, limit=_TEXT_LIMIT, rows=2)
            area.changed.connect(self.changed)
            return area
        if name == "due_on":
            day = DateField(name=text, today=self._today, may_be_future=True)
            day.changed.connect(self.changed)
            return day
        if name == "handed_to":
            line = QLineEdit()
            line.textEdited.connect(lambda _: self.changed.emit())
            return line
        if name == "category":
            combo = QComboBox()
            for category in self._categories.category:
                combo.addItem(category.label, category.code)
            combo.currentIndexChanged.connect(lambda _: self.changed.emit())
            return combo
        if name in _TICKS:
            tick = QCheckBox(text)
            tick.toggled.connect(lambda _: self.changed.emit())
            return tick
        if name == "mediator_ids":
            made = OptionRow([Option(m.id, m.name) for m in self._mediators], name=text, multiple=True)
        elif name == "risk":
            made = OptionRow([Option(risk, word(RISKS, risk)) for risk in RISKS], name=text)
        else:
            made = OptionRow([Option(m, word(METHODS, m)) for m in ON_THE_SPOT], name=text, may_be_empty=True)
        made.changed.connect(self.changed)
        return made


def _value(widget: QWidget) -> str:
    if isinstance(widget, TextArea):
        return widget.text()
    if isinstance(widget, DateField):
        return widget.value() or widget.text().strip()
    if isinstance(widget, QLineEdit):
        return widget.text().strip()
    if isinstance(widget, QCheckBox):
        return "yes" if widget.isChecked() else ""
    if isinstance(widget, OptionRow):
        return ",".join(widget.values())
    assert isinstance(widget, QComboBox)
    return str(widget.currentData() or "")


def _set_value(widget: QWidget, text: str) -> None:
    if isinstance(widget, TextArea):
        widget.set_text(text)
    elif isinstance(widget, QLineEdit):
        widget.setText(text)
    elif isinstance(widget, QCheckBox):
        widget.setChecked(text == "yes")
    elif isinstance(widget, OptionRow):
        widget.set_values(tuple(text.split(",")))
    elif isinstance(widget, QComboBox):
        widget.setCurrentIndex(max(0, widget.findData(text)))
