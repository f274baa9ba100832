"""The form of a household: what is known of it and of its people, in place, with a draft at every keystroke."""

from functools import partial

import msgspec
from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import tr
from desktop.pages.households.reading import Opened
from desktop.pages.households.resident_box import MaskedEdit, ResidentBox, starred
from desktop.texts import sentence
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, clear
from desktop.widgets.flow import PageScroll
from desktop.widgets.form import Form
from desktop.widgets.labels import label
from desktop.widgets.pinned_bar import PinnedBar
from desktop.words.households import OCCUPANCIES, RESIDENCES
from sync.domain.catalogue import KINDS
from sync.domain.households import CardIntent, HouseholdIntent, ResidentIntent
from sync.errors import RuleError

_FIELDS = KINDS["household"].fields
_DRAFT_MS = 400


class CardForm(QWidget):
    """``submitted`` with a ``CardIntent``; ``drafted`` with its bytes; ``left`` when it is put away, draft kept."""

    submitted = Signal(object)
    drafted = Signal(bytes)
    dropped = Signal()
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._opened: Opened | None = None
        self._today = ""
        self.is_touched = False  # something was typed that is not saved
        self.people: list[ResidentBox] = []
        self.household = Card()
        self.form = Form()
        self.occupancy, self.residence, self.cluster = QComboBox(), QComboBox(), QComboBox()
        self.contact, self.emergency = QLineEdit(), QLineEdit()
        self.phone, self.emergency_phone = MaskedEdit(), MaskedEdit()
        self._restored = label("", "hint", wrap=True)
        self.household.add(self._restored)
        self.household.add(self.form)
        self.residents = Card()
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.current().px(theme.GAP_M))
        self.residents.add(self._list)
        self.add_person = button("", on_click=self._on_add)
        self.residents.add(self.add_person)
        body = QWidget()
        box = QVBoxLayout(body)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme.current().px(18))
        box.addWidget(self.household)
        box.addWidget(self.residents)
        box.addStretch(1)
        self.area = PageScroll(body)
        self.bar = PinnedBar()
        self.save = self.bar.add(button(tr("Save"), role="primary", key="Ctrl+S", on_click=self._on_save))
        self.later = self.bar.add(button(tr("Put it aside (the draft is kept)"), on_click=self.leave))
        self.drop = self.bar.add(button(tr("Leave as it was"), on_click=self.dropped.emit))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.area, 1)
        outer.addWidget(self.bar)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DRAFT_MS)
        self._timer.timeout.connect(self._draft)
        self._rows()
        self.retranslate()

    def retranslate(self) -> None:
        """The texts outside of the fields."""
        self.household.set_title(tr("The household"))
        self.household.set_hint(tr("fields with * are needed"))
        self.residents.set_title(tr("At home"))
        self.residents.set_hint(tr("who moved out stays in the record as not living here"))
        self.add_person.set_words(tr("Add a person"))
        self.save.set_words(tr("Save"))
        self.later.set_words(tr("Put it aside (the draft is kept)"))
        self.drop.set_words(tr("Leave as it was"))

    def begin(self, opened: Opened, *, today: str) -> None:
        """Show a household, with what was typed earlier and not saved."""
        self._opened, self._today = opened, today
        kept = _read(opened.draft.body) if opened.draft is not None else None
        self.is_touched = kept is not None
        card = opened.card
        self.form.clear_errors()
        self.phone.show_masked(card.contact_phone)
        self.emergency_phone.show_masked(card.emergency_phone)
        self.cluster.clear()
        self.cluster.addItem(tr("none"), "")
        for choice in opened.clusters:
            self.cluster.addItem(choice.name, choice.id)
        stands = HouseholdIntent(
            occupancy=card.occupancy,
            residence_status=card.residence_status,
            contact_name=card.contact_name,
            emergency_contact=card.emergency_contact,
            cluster_id=card.cluster_id or "",
        )
        self._show(kept.household if kept is not None else stands)
        people = [
            ResidentIntent(
                resident_id=person.resident_id,
                name=person.name,
                sex=person.sex,
                birth_year=person.birth_year,
                relation=person.relation,
                is_householder=person.is_householder,
                lives_here=person.lives_here,
            )
            for person in card.residents
        ]
        if kept is not None:
            typed = {intent.resident_id: intent for intent in kept.residents if intent.resident_id}
            people = [typed.get(person.resident_id, person) for person in people]
            people += [intent for intent in kept.residents if not intent.resident_id]
        clear(self._list)
        self.people = []
        for intent in people:
            self._add(intent)
        self._restored.setText(tr("What you typed last time and did not save is here again.") if kept else "")
        self._restored.setVisible(kept is not None)
        self.contact.setFocus(Qt.FocusReason.OtherFocusReason)

    def intent(self) -> CardIntent:
        """What stands in the form."""
        return CardIntent(
            household=HouseholdIntent(
                occupancy=str(self.occupancy.currentData() or ""),
                residence_status=str(self.residence.currentData() or ""),
                contact_name=self.contact.text().strip(),
                contact_phone=self.phone.value(),
                emergency_contact=self.emergency.text().strip(),
                emergency_phone=self.emergency_phone.value(),
                cluster_id=str(self.cluster.currentData() or ""),
            ),
            residents=tuple(person.intent() for person in self.people),
        )

    def show_error(self, error: RuleError) -> bool:
        """Say what is wrong beside its field and go there; False when it belongs to no field of this form."""
        parts = error.field.split("/")
        if len(parts) == 3 and int(parts[1]) < len(self.people):
            box = self.people[int(parts[1])]
            self.area.show_widget(box)
            return box.form.set_error(parts[2], sentence(error))
        return self.form.set_error(error.field, sentence(error))

    def show_wrong(self, field: str, text: str) -> None:
        """Say beside a field what the server said of it; one of a person is 'residents/<id>/<field>'."""
        parts = field.split("/")
        if len(parts) < 3:
            self.form.set_error(field, text)
            return
        box = next((person for person in self.people[::-1] if person.resident_id == parts[1]), None)
        if box is not None:
            QTimer.singleShot(0, box, lambda: self.area.show_widget(box))
            box.form.set_error(parts[2], text)

    def leave(self) -> None:
        """Put the form away; what was typed is kept as a draft."""
        self.keep()
        self.left.emit()

    def keep(self) -> None:
        """Write a draft that is due at once."""
        if self._timer.isActive():
            self._timer.stop()
            self._draft()

    def keep_now(self) -> None:
        """What could not be saved is kept as a draft."""
        self._timer.stop()
        self._draft()

    def forget(self) -> None:
        """Nothing personal stays in the fields."""
        self._timer.stop()
        self._opened = None
        clear(self._list)
        self.people = []
        for edit in (self.contact, self.emergency, self.phone, self.emergency_phone):
            edit.clear()

    def event(self, event: QEvent) -> bool:
        # Esc puts the form away, not the page.
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def _rows(self) -> None:
        for table, box in ((OCCUPANCIES, self.occupancy), (RESIDENCES, self.residence)):
            for code, text in table.items():
                box.addItem(tr(text), code)
        for name, text, field in (
            ("contact_name", tr(_FIELDS["contact_name"].label), self.contact),
            ("contact_phone", tr(_FIELDS["contact_phone"].label), self.phone),
            ("occupancy", starred(tr(_FIELDS["occupancy"].label)), self.occupancy),
            ("residence_status", tr(_FIELDS["residence_status"].label), self.residence),
            ("emergency_contact", tr(_FIELDS["emergency_contact"].label), self.emergency),
            ("emergency_phone", tr(_FIELDS["emergency_phone"].label), self.emergency_phone),
            ("cluster_id", tr(_FIELDS["cluster_id"].label), self.cluster),
        ):
            self.form.add(name, text, field)
        for edit in (self.contact, self.phone, self.emergency, self.emergency_phone):
            edit.textEdited.connect(self._on_changed)
        for chosen in (self.occupancy, self.residence, self.cluster):
            chosen.activated.connect(self._on_changed)

    def _show(self, intent: HouseholdIntent) -> None:
        self.contact.setText(intent.contact_name or "")
        self.emergency.setText(intent.emergency_contact or "")
        self.phone.show_draft(intent.contact_phone)
        self.emergency_phone.show_draft(intent.emergency_phone)
        for box, value in (
            (self.occupancy, intent.occupancy),
            (self.residence, intent.residence_status),
            (self.cluster, intent.cluster_id),
        ):
            box.setCurrentIndex(max(0, box.findData(value)))

    def _add(self, intent: ResidentIntent) -> ResidentBox:
        known = self._opened.card.residents if self._opened is not None else ()
        masked = next((person.phone for person in known if person.resident_id == intent.resident_id), "")
        box = ResidentBox(intent, masked=masked if intent.resident_id else "", today=self._today)
        box.changed.connect(self._on_changed)
        self.people.append(box)
        self._list.addWidget(box)
        return box

    def _on_add(self) -> None:
        box = self._add(ResidentIntent())
        QTimer.singleShot(0, box, partial(self._go_to, box))
        self._on_changed()

    def _go_to(self, box: ResidentBox) -> None:
        self.area.show_widget(box)
        box.name.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_changed(self) -> None:
        self.is_touched = True
        self.form.clear_errors()
        for person in self.people:
            person.form.clear_errors()
        self._timer.start()

    def _draft(self) -> None:
        if self._opened is not None:
            self.drafted.emit(msgspec.json.encode(self.intent()))

    def _on_save(self) -> None:
        self._timer.stop()
        self.form.clear_errors()
        for person in self.people:
            person.form.clear_errors()
        self.submitted.emit(self.intent())


def _read(body: bytes) -> CardIntent | None:
    try:
        return msgspec.json.decode(body, type=CardIntent)
    except msgspec.DecodeError:
        return None  # of another version of the program: the file's own values are shown
