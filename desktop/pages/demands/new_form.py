"""The form for a matter that was not raised at the door: where, what, how urgent, from whom, answered or not."""

from collections.abc import Callable, Mapping
from datetime import date

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.demands.place_rows import PlaceRows
from desktop.widgets.date_field import DateField
from desktop.widgets.form import Form
from desktop.widgets.matter_rows import MatterRows
from desktop.widgets.option_row import Option, OptionRow
from desktop.widgets.text_area import TextArea
from desktop.words.demands import SORTS, SOURCES, word
from sync.domain.demands import ANONYMOUS, DemandIntent

_TEXT_LIMIT = 2000
_MOST_AFFECTED = 9999
# Everything but a visit; the last of them is seen by oneself, so nobody raised it.
OFFERED_SOURCES = ("station", "phone", "reception_day", "board", "meeting", "hotline", "superior", "patrol")


class NewDemandForm(QWidget):
    """``changed`` at every alteration by a person; ``values`` are plain texts by field, as a draft keeps them."""

    changed = Signal()

    def __init__(self, context: Context, *, today: Callable[[], date]) -> None:
        super().__init__()
        self._today = today
        self._is_filling = False
        self.form = Form()
        self.places = PlaceRows(self.form, context)
        self.title = QLineEdit()
        self.title.setPlaceholderText(tr("In one line, such as: no heating, 15 degrees indoors"))
        self.form.add("title", tr("What matter"), self.title)
        self.matter = MatterRows(self.form, context.rules.demand_categories)
        self.source, self.sort = QComboBox(), OptionRow(_options(SORTS), name=tr("Sort"))
        for value in OFFERED_SOURCES:
            self.source.addItem(word(SOURCES, value), value)
        self.raised_by, self.anonymous = QLineEdit(), QCheckBox(tr("Wants no name"))
        self.raised_by.setPlaceholderText(tr("May stay empty"))
        self.raised_on = DateField(name=tr("Raised on"), today=today)
        self.affected = QSpinBox()
        self.affected.setRange(1, _MOST_AFFECTED)
        self.affected.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)  # typed, or Up and Down
        self.affected.setFixedWidth(theme.current().px(120))
        self.details = TextArea(name=tr("Details"), limit=_TEXT_LIMIT, rows=2)
        self.is_answered = QCheckBox(tr("Answered at once, nothing is left to do"))
        self.answer = TextArea(name=tr("What was answered"), limit=_TEXT_LIMIT, rows=2)
        self._lay_out()
        self._connect()

    # ------------------------------------------------------------------------------------------- filling

    def begin(self, values: Mapping[str, str]) -> None:
        """Show these texts; what is missing is as in an empty form. Nobody is told."""
        self._is_filling = True
        self.form.clear_errors()
        self.title.setText(values.get("title", ""))
        self.matter.load(
            category=values.get("category", ""),
            urgency=values.get("urgency", ""),
            signs=tuple(filter(None, values.get("signs", "").split(","))),
            life_safety=bool(values.get("danger")),
        )
        self.source.setCurrentIndex(max(0, self.source.findData(values.get("source", ""))))
        self.sort.set_value(values.get("sort", "need"))
        self.raised_by.setText(values.get("raised_by", ""))
        self.anonymous.setChecked(bool(values.get("anonymous")))
        self.raised_on.set_value(values.get("raised_on", "") or self._today().isoformat())
        affected = values.get("affected", "")
        self.affected.setValue(int(affected) if affected.isdecimal() else 1)
        self.details.set_text(values.get("details", ""))
        self.is_answered.setChecked(bool(values.get("is_answered")))
        self.answer.set_text(values.get("answer", ""))
        self.places.load(values.get("scope", "household"), values.get("scope_id", ""))
        self._show_rows()
        self._is_filling = False

    def focus_first(self) -> None:
        """Go where something is missing first: the household to be found, or the line that says what it is."""
        is_asked = self.places.scope.value() == "household" and not self.places.scope_id()
        first: QWidget = self.places.search if is_asked else self.title
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    # ------------------------------------------------------------------------------------------- reading

    def values(self) -> dict[str, str]:
        """What stands in the form."""
        return {
            "scope": self.places.scope.value(),
            "scope_id": self.places.scope_id(),
            "title": self.title.text().strip(),
            "category": self.matter.code(),
            "urgency": self.matter.chosen_urgency,
            "signs": ",".join(self.matter.ticked()),
            "danger": _flag(self.matter.danger),
            "source": str(self.source.currentData()),
            "sort": self.sort.value(),
            "raised_by": self.raised_by.text().strip(),
            "anonymous": _flag(self.anonymous),
            "raised_on": self.raised_on.value(),
            "affected": str(self.affected.value()),
            "details": self.details.text(),
            "is_answered": _flag(self.is_answered),
            "answer": self.answer.text(),
        }

    def is_begun(self) -> bool:
        """Whether something was written that would be a pity to lose."""
        return any(part.text().strip() for part in (self.title, self.details, self.answer, self.raised_by))

    def intent(self) -> DemandIntent:
        """What was entered; the place is named by ``places.scope_id()``."""
        values = self.values()
        names_nobody = values["scope"] == "compound"
        return DemandIntent(
            category=values["category"],
            title=values["title"],
            demand_kind=values["sort"],
            scope=values["scope"],
            details=values["details"],
            source=values["source"],
            raised_by="" if names_nobody else ANONYMOUS if values["anonymous"] else values["raised_by"],
            raised_on=values["raised_on"],
            affected_count=1 if values["scope"] == "household" else self.affected.value(),
            urgency=values["urgency"],
            signs=self.matter.ticked(),
            life_safety=bool(values["danger"]),
            answer=values["answer"] if values["is_answered"] else "",
        )

    def is_ready(self) -> bool:
        """Whether it can be handed to the verb; else the first gap is shown beside its field."""
        self.form.clear_errors()
        if not self.places.scope_id():
            self.show_error("scope", tr("Which building or household? Please choose"))
        elif not self.title.text().strip():
            self.form.set_error("title", tr("Write in a few words what it is about"))
        elif not self.matter.is_chosen():
            return False
        elif problem := self.raised_on.problem():
            self.form.set_error("raised_on", problem)
        elif self.is_answered.isChecked() and not self.answer.text():
            self.form.set_error("answer", tr("What was answered? In a few words"))
        else:
            return True
        return False

    def show_error(self, field: str, text: str) -> bool:
        """Say beside the field what is wrong; False when it is none of ours."""
        field = {"scope": self.places.row(), "scope_id": self.places.row(), "result": "answer"}.get(field, field)
        return self.form.set_error(field, text)

    # ------------------------------------------------------------------------------------------- inside

    def _lay_out(self) -> None:
        who = QHBoxLayout()
        who.setSpacing(theme.current().px(theme.GAP_M))
        who.addWidget(self.raised_by, 1)
        who.addWidget(self.anonymous)
        answered = QVBoxLayout()
        answered.setSpacing(theme.current().px(theme.GAP_S))
        answered.addWidget(self.is_answered)
        answered.addWidget(self.answer)
        self.form.add("source", tr("How it came"), self.source)
        self.form.add("raised_by", tr("Raised by"), who, focus=self.raised_by)
        self.form.add("details", tr("Details"), self.details)
        self.form.add("answer", tr("On the spot"), answered, focus=self.answer)
        self.form.add("demand_kind", tr("Sort"), self.sort)
        self.form.add("affected_count", tr("Households concerned"), self.affected)
        self.form.add("raised_on", tr("Raised on"), self.raised_on)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.form)

    def _connect(self) -> None:
        for line in (self.title, self.raised_by):
            line.textEdited.connect(self._tell)
        for part in (self.matter, self.sort, self.raised_on, self.details, self.answer, self.places):
            part.changed.connect(self._tell)
        self.source.currentIndexChanged.connect(self._tell)
        self.affected.valueChanged.connect(self._tell)
        self.places.changed.connect(self._show_rows)
        for box in (self.anonymous, self.is_answered):
            box.toggled.connect(self._show_rows)
            box.toggled.connect(self._tell)

    def _show_rows(self) -> None:
        scope = self.places.scope.value()
        self.form.set_visible("affected_count", scope != "household")
        self.form.set_visible("raised_by", scope != "compound")
        self.raised_by.setEnabled(not self.anonymous.isChecked())
        self.answer.setVisible(self.is_answered.isChecked())

    def _tell(self) -> None:
        if not self._is_filling:
            self.changed.emit()


def _flag(box: QCheckBox) -> str:
    return "1" if box.isChecked() else ""


def _options(table: Mapping[str, str]) -> list[Option]:
    return [Option(value, word(table, value)) for value in table]
