"""Report first, write down afterwards: the card with the numbers to call, and the few fields of the report."""

from collections.abc import Callable
from datetime import date

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.visits.choices import REPORTED_TO, options
from desktop.pages.visits.notices import say_failed, say_reported
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from desktop.widgets.date_field import DateField
from desktop.widgets.form import Form
from desktop.widgets.labels import label
from desktop.widgets.option_row import OptionRow
from desktop.widgets.text_area import TextArea
from sync.domain.calendar import day_of, parse_day
from sync.domain.protection import ReportIntent
from sync.errors import RuleError
from sync.store import visits

_LIMIT = 2000


class HarmCard(Card):
    """Stands beside every visit; the numbers first, the writing second."""

    def __init__(self, on_report: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(tr("Saw a child harmed?"), tone="alarm", parent=parent)
        px = theme.current().px
        row = QHBoxLayout()
        row.setSpacing(px(theme.GAP_S))
        row.addWidget(label(tr("Report first, write it down afterwards:")))
        row.addWidget(label("110", "strong"))
        row.addStretch(1)
        self.add(row)
        self.phone = label("", copyable=True, wrap=True)
        self.add(self.phone)
        self.report_button = button(tr("Write a report"), on_click=on_report)
        left = QHBoxLayout()
        left.addWidget(self.report_button)
        left.addStretch(1)
        self.add(left)

    def set_phone(self, phone: str) -> None:
        """The community's own number."""
        self.phone.setText(tr("Community {phone}").format(phone=phone) if phone else "")
        self.phone.setVisible(bool(phone))


class ReportForm(Card):
    """Facts only. What is saved here goes to the community secretary alone and can't be read again on this PC."""

    def __init__(self, context: Context, *, on_back: Callable[[], object]) -> None:
        super().__init__(tr("Report of harm"), hint=tr("call 110 first; only the secretary reads this"), tone="alarm")
        self._context = context
        self._on_back = on_back
        self._place: tuple[str | None, str | None] = (None, None)
        self.form = Form()
        self.day = DateField(name=tr("Seen on"), today=self._date)
        self.facts = TextArea(
            name=tr("What was seen"), limit=_LIMIT, rows=4, placeholder=tr("Facts only: what you saw and heard")
        )
        self.reported_to = OptionRow(options(REPORTED_TO), name=tr("Reported to"))
        self.receipt = QLineEdit()
        self.receipt.setPlaceholderText(tr("Number of the call or name of the officer, if any"))
        self.form.add("seen_on", tr("Seen on"), self.day)
        self.form.add("facts", tr("What was seen"), self.facts)
        self.form.add("reported_to", tr("Reported to"), self.reported_to)
        self.form.add("receipt", tr("Receipt"), self.receipt)
        self.add(self.form)
        row = QHBoxLayout()
        row.setSpacing(theme.current().px(theme.GAP_M))
        self.save = button(tr("Save the report"), role="primary", key="Ctrl+S", on_click=self._save)
        row.addWidget(self.save)
        row.addWidget(button(tr("Back to the visit"), on_click=on_back))
        row.addStretch(1)
        self.add(row)
        self.fill()

    def begin(self, *, building_id: str | None, household_id: str | None) -> None:
        """An empty report; one that was begun and not saved is still there, with its place."""
        self.form.clear_errors()
        if not self.facts.text():
            self.empty()
            self._place = (building_id, household_id)
        self.facts.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def empty(self) -> None:
        """Leave nothing in the fields: it was saved, or the person left."""
        self._place = (None, None)
        self.day.set_value(self._date().isoformat())
        self.facts.set_text("")
        self.reported_to.set_value("not_yet")
        self.receipt.clear()

    def intent(self, *, now: int) -> ReportIntent:
        """What stands in the form; reported means reported by now."""
        told = self.reported_to.value() != "not_yet"
        building_id, household_id = self._place
        return ReportIntent(
            seen_on=self.day.value(),
            facts=self.facts.text(),
            reported_to=self.reported_to.value(),
            reported_at=now if told else None,
            receipt=self.receipt.text(),
            building_id=building_id,
            household_id=household_id,
        )

    def is_ready(self) -> bool:
        """Whether day and facts are there; else that is said beside them."""
        self.form.clear_errors()
        if problem := self.day.problem():
            self.form.set_error("seen_on", problem)
        elif not self.facts.text():
            self.form.set_error("facts", tr("Write down what you saw, in your own words"))
        else:
            return True
        return False

    def _date(self) -> date:
        return parse_day(day_of(self._context.now()))

    def _save(self) -> None:
        if not self.save.isEnabled() or not self.is_ready():
            return
        self.save.setEnabled(False)  # pressed twice is saved once
        account_id, intent = self._context.session.account_id, self.intent(now=self._context.now())
        self._context.tasks.write(
            self, lambda store: visits.report(store, account_id, intent), self._saved, self._failed
        )

    def _saved(self, _: object) -> None:
        self.save.setEnabled(True)
        self.empty()
        say_reported(self._context)
        self._on_back()

    def _failed(self, error: Exception) -> None:
        self.save.setEnabled(True)
        if not (isinstance(error, RuleError) and self.form.set_error(error.field, words(error).title)):
            say_failed(self._context, error)
