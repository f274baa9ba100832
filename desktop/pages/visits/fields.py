"""The widgets of one visit's form and how they stand: labels, keys, and which row an error belongs to."""

from datetime import date

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QStackedLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.pages.visits import choices
from desktop.pages.visits.demand_form import DemandForm
from desktop.pages.visits.demand_list import DemandList
from desktop.pages.visits.dispute_form import DisputeForm
from desktop.pages.visits.panels import scroll_of
from desktop.widgets.buttons import button
from desktop.widgets.card import Card
from desktop.widgets.date_field import DateField
from desktop.widgets.flow import FlowLayout
from desktop.widgets.form import Form
from desktop.widgets.labels import label
from desktop.widgets.option_row import OptionRow
from desktop.widgets.text_area import TextArea
from sync.domain.calendar import parse_day
from sync.domain.categories import DemandCategories

NOTE_LIMIT = 2000
_PERSON_LIMIT = 50


class VisitFields(Card):
    """All fields in the order of the eye; what they mean is the form's business."""

    def __init__(self, categories: DemandCategories, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._today = ""
        px = theme.current().px
        self.form = Form()
        self.day = DateField(name=tr("Which day"), today=self._date)
        self.day.setMaximumWidth(px(180))
        self.band = OptionRow(choices.options(choices.BANDS), name=tr("Time of day"))
        self.mode = OptionRow(choices.options(choices.MODES), name=tr("In what way"))
        self.reasons = OptionRow((), name=tr("Why"), multiple=True)
        self.outcome = OptionRow(choices.outcome_options(), name=tr("Outcome"))
        self.appointment = DateField(name=tr("Agreed day"), today=self._date, may_be_future=True, may_be_empty=True)
        self.appointment.setMaximumWidth(px(180))
        self.person = QLineEdit()
        self.late = QLineEdit()
        self.note = TextArea(name=tr("What was said"), limit=NOTE_LIMIT, rows=2)
        self.changes = OptionRow(choices.options(choices.CHANGES), name=tr("Changes found"), multiple=True)
        self.told_box = QCheckBox(tr("Told today: what is noted serves only to help this household (once each)"))
        self.told_line = label("", "secondary", wrap=True)
        self.demands = DemandList(categories)
        self.demand_form = DemandForm(categories)
        self.demand_form.hide()
        self.dispute = DisputeForm()
        self._lay_out()

    def add_demand(self, *, title: str = "", category: str = "") -> None:
        """Open the fields of a demand (Ctrl+D)."""
        self.demand_form.show()
        self.demand_form.begin(title=title, category=category)
        scroll_to(self.demand_form, self.demand_form.title)

    def open_dispute(self) -> None:
        """Note a sign of a dispute with this visit."""
        self.form.set_visible("dispute", True)
        self.dispute.begin()
        scroll_to(self.dispute)

    def _lay_out(self) -> None:
        px = theme.current().px
        days = QHBoxLayout()
        days.setSpacing(px(14))
        days.addWidget(self.day)
        days.addWidget(self.band, 1)
        told = QWidget()
        self.told_stack = QStackedLayout(told)
        self.told_stack.addWidget(self.told_line)
        self.told_stack.addWidget(self.told_box)
        asked = QVBoxLayout()
        asked.setSpacing(px(theme.GAP_S))
        asked.addWidget(self.demands)
        asked.addWidget(self.demand_form)
        row = FlowLayout(gap=theme.GAP_M)
        self.add_button = button(tr("＋ Add a matter"), role="second", key="Ctrl+D", on_click=self.add_demand)
        self.dispute_button = button(tr("Saw the start of a dispute"), on_click=self.open_dispute)
        self.change_button = button(tr("Details have changed"), on_click=lambda: self._open("change_flags"))
        self.person_button = button(tr("Who was met"), on_click=lambda: self._open("contact_person"))
        for made in (self.add_button, self.dispute_button, self.change_button, self.person_button):
            row.addWidget(made)
        asked.addLayout(row)
        rows: tuple[tuple[str, str, QWidget | QHBoxLayout | QVBoxLayout, QWidget | None], ...] = (
            ("visited_on", tr("Which day"), days, self.day),
            ("late_reason", tr("Why so late"), self.late, None),
            ("contact_mode", tr("In what way"), self.mode, None),
            ("reasons", tr("Why"), self.reasons, None),
            ("outcome", tr("Outcome"), self.outcome, None),
            ("appointment_on", tr("Agreed day"), self.appointment, None),
            ("note", tr("What was said"), self.note, None),
            ("demands", tr("Asked for"), asked, self.add_button),
            ("contact_person", tr("Who was met"), self.person, None),
            ("change_flags", tr("Changes found"), self.changes, None),
            ("dispute", tr("Start of a dispute"), self.dispute, None),
            ("notice_given", tr("Told"), told, self.told_box),
        )
        for name, text, field, focus in rows:
            self.form.add(name, text, field, focus=focus)
        self.person.setMaxLength(_PERSON_LIMIT)
        self.person.setPlaceholderText(tr("Name, or: the neighbour, a child"))
        self.add(self.form)
        self.fill()

    def _places(self) -> dict[str, QWidget]:
        return {
            "visited_on": self.day,
            "time_band": self.band,
            "contact_mode": self.mode,
            "reasons": self.reasons,
            "outcome": self.outcome,
            "appointment_on": self.appointment,
            "note": self.note.edit,
            "contact_person": self.person,
            "late_reason": self.late,
            "change_flags": self.changes,
            "dispute": self.dispute,
        }

    def _open(self, name: str) -> None:
        self.form.set_visible(name, True)
        self._places()[name].setFocus(Qt.FocusReason.OtherFocusReason)
        scroll_to(self._places()[name])

    def _date(self) -> date:
        return parse_day(self._today)


def scroll_to(*opened: QWidget) -> None:
    """Bring what has just been opened into view, the last of them for certain, once there is room for it."""

    def bring() -> None:
        for widget in opened:
            scroll = scroll_of(widget)
            if scroll is not None:
                scroll.show_widget(widget)

    QTimer.singleShot(0, opened[-1], bring)
