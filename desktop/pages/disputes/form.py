"""The note of a dispute: both sides, what sort, which day, one line, more words, signs of danger."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from desktop.i18n import tr
from desktop.pages.disputes.fields_box import FieldsBox
from desktop.pages.disputes.sides import SideField
from desktop.widgets.date_field import DateField
from desktop.widgets.option_row import Option, OptionRow, numbered
from desktop.widgets.text_area import TextArea
from desktop.words.disputes import SIGNS, word
from sync.domain.categories import Categories, DisputeCategory
from sync.domain.dispute_flow import RED_SIGNS
from sync.domain.disputes import NoticeIntent
from sync.store.disputes import DisputeCard, Sides

_SUMMARY_LIMIT: Final = 2000


class NoticeForm(FieldsBox):
    """``values`` are plain texts by field, so that a draft is easily kept. Errors stand beside their fields."""

    side_typed = Signal(object, str)  # the side field, what was typed
    danger_changed = Signal(bool)

    def __init__(
        self, categories: Categories[DisputeCategory], offered: Sequence[str], *, today: Callable[[], date]
    ) -> None:
        super().__init__("box")
        self._today = today
        self.place = SideField(name=tr("One side"), placeholder=tr("3-2-501, a name, or a place such as: corridor"))
        self.other_party = SideField(name=tr("Other side"), placeholder=tr("May stay empty"))
        choices = [Option(code, categories[code].label) for code in offered]
        self.category: OptionRow | QComboBox
        if len(offered) < len(categories.category):  # few enough to stand side by side
            self.category = OptionRow(numbered(choices), name=tr("Category"))
            self.category.changed.connect(self.changed)
        else:
            self.category = QComboBox()
            for choice in choices:
                self.category.addItem(choice.text, choice.value)
            self.category.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.noticed_on = DateField(name=tr("Noticed on which day"), today=today)
        self.summary_line = QLineEdit()
        self.summary_line.setPlaceholderText(tr("In one line, such as: dripping laundry"))
        self.summary = TextArea(
            name=tr("What happened"),
            limit=_SUMMARY_LIMIT,
            placeholder=tr("What you saw and heard; no need for names"),
        )
        self.signs = OptionRow(
            [Option(sign, word(SIGNS, sign)) for sign in SIGNS],
            name=tr("Any of these?"),
            multiple=True,
            may_be_empty=True,
        )
        for name, text, field in (
            ("place", tr("One side"), self.place),
            ("other_party", tr("Other side"), self.other_party),
            ("title", tr("What is it about"), self.summary_line),
            ("category", tr("Category"), self.category),
            ("noticed_on", tr("Noticed on which day"), self.noticed_on),
            ("summary", tr("What happened"), self.summary),
            ("risk_signs", tr("Any of these?"), self.signs),
        ):
            self.form.add(name, text, field)
        self._connect()

    def values(self) -> dict[str, str]:
        """What stands in the fields, as texts; lists are joined by commas."""
        return {
            "place": self.place.text(),
            "household_id": self.place.household_id,
            "other_party": self.other_party.text(),
            "other_household_id": self.other_party.household_id,
            "category": self._category(),
            "noticed_on": self.noticed_on.text(),
            "title": self.summary_line.text(),
            "summary": self.summary.edit.toPlainText(),
            "risk_signs": ",".join(self.signs.values()),
        }

    def set_values(self, values: Mapping[str, str]) -> None:
        """Put a draft or a known note into the fields; what is not named stays."""
        if "place" in values:
            self.place.set_side(values["place"], values.get("household_id", ""))
        if "other_party" in values:
            self.other_party.set_side(values["other_party"], values.get("other_household_id", ""))
        if "category" in values:
            self._set_category(values["category"])
        if "noticed_on" in values:
            self.noticed_on.setText(values["noticed_on"])
        self.summary_line.setText(values.get("title", self.summary_line.text()))
        self.summary.set_text(values.get("summary", self.summary.text()))
        if "risk_signs" in values:
            self.signs.set_values(tuple(values["risk_signs"].split(",")))
        self._tell_danger()

    def begin(self, title: str, card: DisputeCard | None = None) -> None:
        """Empty fields with today's day, or those of a note that is to be put right."""
        self.head.setText(title)
        self._set_category("02")
        if card is None:
            self.noticed_on.set_value(self._today().isoformat())
            return
        row = card.row
        self.noticed_on.set_value(row.noticed_on)
        self.set_values(
            {
                "place": row.side if row.household_id else card.place,
                "household_id": row.household_id or "",
                "other_party": row.other_side or card.other_party,
                "other_household_id": card.other_household_id or "",
                "category": row.category,
                "title": row.title,
                "summary": card.summary,
                "risk_signs": ",".join(card.risk_signs),
            }
        )

    def intent(self) -> NoticeIntent:
        """What was entered; a day that is none stays as typed, for the rule to refuse."""
        return NoticeIntent(
            title=self.summary_line.text().strip(),
            category=self._category(),
            summary=self.summary.text(),
            noticed_on=self.noticed_on.value() or self.noticed_on.text().strip(),
            place=self.place.text().strip(),
            other_party=self.other_party.text().strip(),
            risk_signs=self.signs.values(),
        )

    def sides(self) -> Sides:
        """The households chosen from the lists."""
        return Sides(
            household_id=self.place.household_id or None, other_household_id=self.other_party.household_id or None
        )

    def is_ready(self) -> bool:
        """Whether what can be seen from here is right; else it is said beside the field."""
        self.form.clear_errors()
        if not self.summary.is_within_limit:
            self.form.set_error("summary", tr("This is too long; nothing was cut off"))
            return False
        if problem := self.noticed_on.problem():
            self.form.set_error("noticed_on", problem)
            return False
        return True

    def is_dangerous(self) -> bool:
        """Whether a sign of danger is ticked."""
        return not RED_SIGNS.isdisjoint(self.signs.values())

    def focus_first(self) -> None:
        """Go to the first field that is empty."""
        first: QWidget = self.summary
        for field in (self.summary_line, self.place):
            first = first if field.text() else field
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _connect(self) -> None:
        for side in (self.place, self.other_party):
            side.edited.connect(self.changed)
            side.typed.connect(lambda text, field=side: self.side_typed.emit(field, text))
        self.noticed_on.changed.connect(self.changed)
        self.summary_line.textEdited.connect(lambda _: self.changed.emit())
        self.summary.changed.connect(self.changed)
        self.signs.changed.connect(self.changed)
        self.signs.changed.connect(self._tell_danger)

    def _tell_danger(self) -> None:
        self.danger_changed.emit(self.is_dangerous())

    def _category(self) -> str:
        if isinstance(self.category, OptionRow):
            return self.category.value()
        return str(self.category.currentData())

    def _set_category(self, code: str) -> None:
        if isinstance(self.category, OptionRow):
            self.category.set_value(code)
        else:
            self.category.setCurrentIndex(max(0, self.category.findData(code)))
