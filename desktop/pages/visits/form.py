"""One visit's form: filled from a draft or afresh, read as an intent, every error beside its field."""

import msgspec
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QWidget

from desktop.i18n import short_day, tr
from desktop.pages.visits import choices
from desktop.pages.visits.fields import VisitFields, scroll_to
from sync.domain.calendar import days_between
from sync.domain.categories import DemandCategories
from sync.domain.demands import DemandIntent
from sync.domain.visit_facts import VisitIntent
from sync.domain.visiting import LATE_AFTER_DAYS
from sync.store.visits import HouseholdHeader


class VisitDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A half-filled form as it is kept: the fields, a demand not yet taken over, and where the cursor stood."""

    intent: VisitIntent
    pending: DemandIntent | None = None
    focus: str = ""
    cursor: int = 0


class VisitForm(VisitFields):
    """One household's visit. ``changed`` at every alteration by the person, never when it is filled."""

    changed = Signal()

    def __init__(self, categories: DemandCategories, parent: QWidget | None = None) -> None:
        super().__init__(categories, parent)
        self._household_id = ""
        self._visitors: tuple[str, ...] = ()
        self._told = False
        self._is_filling = False
        self._connect()

    # ------------------------------------------------------------------------------------------- filling

    def begin(
        self, header: HouseholdHeader, *, today: str, band: str, round_name: str, keep: VisitIntent | None = None
    ) -> None:
        """An empty form for a household; ``keep`` hands on the day and the reasons of the one before."""
        self._household_id, self._today = header.household_id, today
        self._told = header.told_on is not None
        self.set_title(f"{header.label} {header.contact_name}".strip())
        self.set_hint(_last_words(header, today))
        self.reasons.set_options(choices.reason_options(round_name))
        is_due = header.due_on is not None and header.due_on <= today
        reasons = (*(("due",) if is_due else ()), *(("campaign",) if round_name else ()))
        fresh = VisitIntent(
            household_id=header.household_id,
            visited_on=keep.visited_on if keep else today,
            time_band=keep.time_band if keep else band,
            contact_mode=keep.contact_mode if keep else "door",
            outcome="",
            reasons=reasons,
        )
        self.told_line.setText(
            tr("{day} told: what is noted serves only to help this household (once each)").format(
                day=short_day(header.told_on, today=today)
            )
            if header.told_on
            else ""
        )
        self.told_stack.setCurrentIndex(0 if self._told else 1)
        self.load(fresh)
        self.outcome.setFocus(Qt.FocusReason.OtherFocusReason)

    def load(self, intent: VisitIntent) -> None:
        """Show an intent (a fresh one, a draft's, or that of a visit to put right)."""
        self._is_filling = True
        self._visitors = intent.visitor_ids
        self.form.clear_errors()
        self.day.set_value(intent.visited_on)
        self.band.set_value(intent.time_band)
        self.mode.set_value(intent.contact_mode)
        self.outcome.set_value(intent.outcome)
        self.reasons.set_values(intent.reasons)
        self.appointment.set_value(intent.appointment_on or "")
        self.person.setText(intent.contact_person)
        self.late.setText(intent.late_reason)
        self.note.set_text(intent.note)
        self.changes.set_values(intent.change_flags)
        self.told_box.setChecked(intent.notice_given)
        self.demands.set_intents(intent.demands)
        self.demand_form.hide()
        self.dispute.load(intent.dispute)
        self.form.set_visible("dispute", intent.dispute is not None)
        self.form.set_visible("change_flags", bool(intent.change_flags))
        self.form.set_visible("contact_person", bool(intent.contact_person))
        self._show_rows()
        self._is_filling = False

    def clear(self) -> None:
        """Leave nothing in the fields; a form that was never begun has nothing in them."""
        if not self._today:
            return
        self._household_id = ""
        self.set_title("")
        self.set_hint("")
        self.load(VisitIntent(household_id="", visited_on=self._today))

    def restore(self, draft: VisitDraft) -> None:
        """Show a draft and go to the very field in which it was left."""
        self.load(draft.intent)
        if draft.pending is not None:
            self.add_demand(title=draft.pending.title, category=draft.pending.category)
            return
        target = self._places().get(draft.focus)
        if target is not None:
            # After the page has been shown: a hidden widget takes no focus.
            QTimer.singleShot(0, target, lambda: target.setFocus(Qt.FocusReason.OtherFocusReason))
        if draft.focus == "note":
            cursor = self.note.edit.textCursor()
            cursor.setPosition(min(draft.cursor, len(self.note.edit.toPlainText())))
            self.note.edit.setTextCursor(cursor)

    # ------------------------------------------------------------------------------------------- reading

    def intent(self) -> VisitIntent:
        """What stands in the form."""
        is_late = self._is_late()
        return VisitIntent(
            household_id=self._household_id,
            visited_on=self.day.value(),
            time_band=self.band.value(),
            contact_mode=self.mode.value(),
            outcome=self.outcome.value(),
            visitor_ids=self._visitors,
            reasons=self.reasons.values(),
            contact_person=self.person.text(),
            note=self.note.text(),
            change_flags=self.changes.values(),
            appointment_on=self.appointment.value() or None,
            notice_given=self.told_box.isChecked() and not self._told,
            late_reason=self.late.text() if is_late else "",
            demands=self.demands.intents(),
            dispute=self.dispute.intent(),
        )

    def draft(self) -> VisitDraft:
        """The form as a draft."""
        focused = QApplication.focusWidget()
        focus = next((name for name, place in self._places().items() if _holds(place, focused)), "")
        pending = None
        if not self.demand_form.isHidden() and self.demand_form.title.text().strip():
            pending = self.demand_form.intent()
        cursor = self.note.edit.textCursor().position()
        return VisitDraft(intent=self.intent(), pending=pending, focus=focus, cursor=cursor)

    def is_ready(self) -> bool:
        """Whether it can be handed to the verb; else the first gap is shown beside its field."""
        self.form.clear_errors()
        if not self.demand_form.isHidden() and not self._take_pending():
            return False
        if problem := self.day.problem():
            self.form.set_error("visited_on", problem)
        elif not self.outcome.value():
            self.form.set_error("outcome", tr("What happened at the door? Press 1 to 6"))
        elif not self.note.is_within_limit:
            self.note.edit.setFocus(Qt.FocusReason.OtherFocusReason)  # the field itself says by how much
            scroll_to(self.note)
        elif self.appointment.text().strip() and (problem := self.appointment.problem()):
            self.form.set_error("appointment_on", problem)
        else:
            return self.dispute.is_ready()
        return False

    def show_error(self, field: str, words: str) -> bool:
        """Say what is wrong at its field; False when it is none of ours."""
        if field in ("title", "category", "urgency", "summary") and self.demand_form.isHidden():
            field = "demands"
        known = self.form.set_error(field, words)
        if known and field in ("contact_person", "late_reason", "change_flags"):
            self.form.set_visible(field, True)
        return known

    # ------------------------------------------------------------------------------------------- actions

    def report_note(self) -> None:
        """Make a demand of what was said, for the station to see."""
        self.add_demand(title=self.note.text().replace("\n", " "))

    # ------------------------------------------------------------------------------------------- inside

    def _connect(self) -> None:
        for row in (self.band, self.mode, self.reasons, self.changes):
            row.changed.connect(self._tell)
        self.outcome.changed.connect(self._on_outcome)
        for field in (self.day, self.appointment):
            field.changed.connect(self._on_day)
        for line in (self.person, self.late):
            line.textEdited.connect(self._tell)
        self.note.changed.connect(self._tell)
        self.note.changed.connect(lambda: self.form.set_error("note", ""))
        self.late.textEdited.connect(lambda _: self.form.set_error("late_reason", ""))
        self.person.textEdited.connect(lambda _: self.form.set_error("contact_person", ""))
        self.told_box.toggled.connect(lambda _: self.form.set_error("notice_given", ""))
        self.told_box.toggled.connect(self._tell)
        self.demands.changed.connect(self._tell)
        self.demand_form.changed.connect(self._tell)
        self.demand_form.done.connect(self._on_demand)
        self.demand_form.cancelled.connect(self._on_demand_dropped)
        self.dispute.changed.connect(self._tell)
        self.dispute_button.clicked.connect(self._tell)
        self.dispute.cancelled.connect(self._on_dispute_dropped)

    def _tell(self) -> None:
        if not self._is_filling:
            self.changed.emit()

    def _on_outcome(self) -> None:
        self._show_rows()
        self.form.set_error("outcome", "")
        if self.outcome.value() == "by_appointment":
            self.appointment.setFocus(Qt.FocusReason.OtherFocusReason)
        self._tell()

    def _on_day(self) -> None:
        self._show_rows()
        self.form.set_error("visited_on", "")
        self.form.set_error("appointment_on", "")
        self._tell()

    def _show_rows(self) -> None:
        agreed = self.outcome.value() == "by_appointment" or bool(self.appointment.text())
        self.form.set_visible("appointment_on", agreed)
        self.form.set_visible("late_reason", self._is_late())

    def _is_late(self) -> bool:
        day = self.day.value()
        return bool(day) and days_between(day, self._today) > LATE_AFTER_DAYS

    def _take_pending(self) -> bool:
        if not self.demand_form.title.text().strip():
            self.demand_form.hide()
            return True
        self.demand_form.take.click()
        return self.demand_form.isHidden()

    def _on_demand(self, intent: DemandIntent) -> None:
        self.demand_form.hide()
        self.demands.add(intent)
        self.form.set_error("demands", "")
        self.add_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_demand_dropped(self) -> None:
        self.demand_form.hide()
        self.add_button.setFocus(Qt.FocusReason.OtherFocusReason)
        self._tell()

    def _on_dispute_dropped(self) -> None:
        self.form.set_visible("dispute", False)
        self.dispute_button.setFocus(Qt.FocusReason.OtherFocusReason)
        self._tell()


def _holds(place: QWidget, focused: QWidget | None) -> bool:
    return focused is not None and (place is focused or place.isAncestorOf(focused))


def _last_words(header: HouseholdHeader, today: str) -> str:
    if not header.last_visit_on:
        return tr("No visit noted yet")
    return tr("Last {day}: {outcome}").format(
        day=short_day(header.last_visit_on, today=today), outcome=choices.words(choices.OUTCOMES, header.last_outcome)
    )
