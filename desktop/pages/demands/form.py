"""The few fields that a step needs, opened in place on the card; what is entered becomes an intent."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from desktop.i18n import tr
from desktop.pages.demands.step_form import StepForm
from desktop.widgets.date_field import DateField
from desktop.widgets.option_row import Option, OptionRow, numbered
from desktop.widgets.text_area import TextArea
from desktop.words.demands import CLOSE_KINDS, EVALUATIONS, LEVELS, MOVES, REPLY_MODES, word
from sync.domain.demand_moves import MoveIntent
from sync.store.demands import Choice, Targets

# The fields of each step, in the order of the form; a step that is not named here is made at one click.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "answer_on_spot": ("result",),
    "note": ("note",),
    "withdraw": ("note",),
    "withdraw_for_resident": ("note",),
    "recall": ("note",),
    "return": ("note",),
    "reopen": ("note",),
    "archive_dissatisfied": ("note",),
    "reject": ("note", "go_to"),
    "merge": ("merged_into_id", "note"),
    "dispatch": ("target", "note"),
    "assign": ("handler_id", "note"),
    "suspend": ("waiting_for", "note", "review_on"),
    "schedule": ("note", "review_on"),
    "review": ("review_on", "note"),
    "escalate": ("level", "partner_id", "note"),
    "resolve": ("result", "close_kind"),
    "reply": ("reply_mode", "replied_on", "note"),
    "evaluate": ("evaluation", "note"),
}
# Steps whose note is the reason itself, not a remark.
_REASONED: Final = frozenset(FIELDS) - {"note", "merge", "dispatch", "assign", "review", "reply", "evaluate"}
_ABOVE: Final = {level: LEVELS[level] for level in ("community", "subdistrict", "district")}
_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "close_kind": CLOSE_KINDS,
    "reply_mode": REPLY_MODES,
    "evaluation": EVALUATIONS,
    "level": _ABOVE,
}
_LINE_LIMIT: Final = 200
_TEXT_LIMIT: Final = 2000


class MoveForm(StepForm):
    """The fields of one step of the flow; what is entered becomes a ``MoveIntent``."""

    def __init__(self, move: str, targets: Targets, *, today: Callable[[], date]) -> None:
        super().__init__(move, word(MOVES, move))
        self._targets = targets
        self._today = today
        self._fields: dict[str, QWidget] = {}
        for name in FIELDS[move]:
            self._add(name)

    def values(self) -> dict[str, str]:
        return {name: _value(widget) for name, widget in self._fields.items()}

    def set_values(self, values: Mapping[str, str]) -> None:
        for name, text in values.items():
            if name in self._fields:
                _set_value(self._fields[name], text)

    def intent(self) -> MoveIntent:
        """What was entered."""
        values = self.values()
        target = values.pop("target", "")
        sort, _, record_id = target.partition(":")
        if record_id:
            values["partner_id" if sort == "partner" else "handler_id"] = record_id
        return MoveIntent(**values)

    def show_error(self, field: str, text: str) -> bool:
        place = "target" if field in ("partner_id", "handler_id") and "target" in self._fields else field
        return super().show_error(place, text)

    def field(self, name: str) -> QWidget:
        """The widget of a field, for tests and for the tour."""
        return self._fields[name]

    def focus_first(self) -> None:
        next(iter(self._fields.values())).setFocus(Qt.FocusReason.OtherFocusReason)

    def _add(self, name: str) -> None:
        text = self._label(name)
        made = self._make(name, text)
        self._fields[name] = made
        self.form.add(name, text, made)

    def _label(self, name: str) -> str:
        return {
            "result": tr("What was done"),
            "note": tr("Reason") if self.move_name in _REASONED else tr("Note"),
            "go_to": tr("Where to go instead"),
            "waiting_for": tr("Waiting for whom"),
            "review_on": tr("Look again on"),
            "replied_on": tr("Which day"),
            "reply_mode": tr("How"),
            "close_kind": tr("How closed"),
            "evaluation": tr("Evaluation"),
            "level": tr("To which level"),
            "target": tr("To whom"),
            "handler_id": tr("To whom"),
            "partner_id": tr("To which body"),
            "merged_into_id": tr("Into which one"),
        }[name]

    def _make(self, name: str, text: str) -> QWidget:
        if name in _OPTIONS:
            options = [Option(value, tr(shown)) for value, shown in _OPTIONS[name].items()]
            row = OptionRow(numbered(options), name=text)
            row.changed.connect(self.changed)
            return row
        if name in ("replied_on", "review_on"):
            day = DateField(name=text, today=self._today, may_be_future=name == "review_on")
            day.set_value(self._today().isoformat() if name == "replied_on" else "")
            day.changed.connect(self.changed)
            return day
        if name in ("target", "handler_id", "partner_id", "merged_into_id"):
            combo = QComboBox()
            combo.addItem(tr("Please choose"), "")
            for value, shown in self._choices(name):
                combo.addItem(shown, value)
            combo.currentIndexChanged.connect(lambda _: self.changed.emit())
            return combo
        if name in ("go_to", "waiting_for"):
            line = QLineEdit()
            line.setMaxLength(_LINE_LIMIT)
            line.textEdited.connect(lambda _: self.changed.emit())
            return line
        area = TextArea(name=text, limit=_TEXT_LIMIT, rows=2)
        area.changed.connect(self.changed)
        return area

    def _choices(self, name: str) -> list[tuple[str, str]]:
        def plain(choices: tuple[Choice, ...]) -> list[tuple[str, str]]:
            return [(choice.id, choice.name) for choice in choices]

        if name == "merged_into_id":
            return plain(self._targets.demands)
        if name == "handler_id":
            return plain(self._targets.people)
        if name == "partner_id":
            return plain(self._targets.partners)
        partners = [(f"partner:{choice.id}", choice.name) for choice in self._targets.partners]
        people = [(f"handler:{choice.id}", choice.name) for choice in self._targets.people]
        return [*partners, *people]


def _value(widget: QWidget) -> str:
    if isinstance(widget, OptionRow | DateField):
        return widget.value()
    if isinstance(widget, QComboBox):
        return str(widget.currentData() or "")
    if isinstance(widget, TextArea | QLineEdit):
        return widget.text().strip()
    raise TypeError(type(widget).__name__)


def _set_value(widget: QWidget, text: str) -> None:
    if isinstance(widget, OptionRow | DateField):
        widget.set_value(text)
    elif isinstance(widget, QComboBox):
        widget.setCurrentIndex(max(0, widget.findData(text)))
    elif isinstance(widget, TextArea):
        widget.set_text(text)
    elif isinstance(widget, QLineEdit):
        widget.setText(text)
