"""The card of a household: who, where, by when to call; what is masked is shown when asked for, and that is noted."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import short_day, tr
from desktop.widgets.buttons import ActionButton, button
from desktop.widgets.card import Box, Card, clear
from desktop.widgets.labels import label, set_text
from desktop.widgets.state_badge import state_character
from desktop.widgets.sync_line import SyncLine
from desktop.widgets.text_area import TextArea
from desktop.words.households import NOTICE_WAYS, OCCUPANCIES, RESIDENCES, day_words, word
from sync.domain.calendar import days_between
from sync.domain.catalogue import KINDS
from sync.store.households import HouseholdCard

_NEAR = 30  # days; a visit further off is named by its day
_COLUMN, _COLUMNS = 175, 4  # design pixels a fact takes at least, facts in a row
_NOTE_LIMIT = KINDS["care_suggestion"].fields["note"].limit


class FactsCard(Card):
    """Signals ask the page; the card itself knows no store."""

    reveal_asked = Signal(str)  # contact_phone or emergency_phone
    edit_asked = Signal()
    visit_asked = Signal()
    notice_asked = Signal()
    hint_given = Signal(str)  # the words to the station
    decision_asked = Signal()  # two versions, or something to be put right

    def __init__(self) -> None:
        super().__init__()
        self._card: HouseholdCard | None = None
        self._today = ""
        self._shown: dict[str, str] = {}  # numbers asked for, by field
        self._pill = label("", "pill")
        self.add_beside_title(self._pill)
        self.edit = button("", key="Ctrl+E", on_click=self.edit_asked.emit)
        self.visit = button("", role="primary", on_click=self.visit_asked.emit)
        self.add_action(self.edit)
        self.add_action(self.visit)
        self.sync_line = SyncLine()
        self.sync_line.asked.connect(self.decision_asked)
        self.add(self.sync_line)
        self._facts = QWidget()
        self._grid = QGridLayout(self._facts)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.current().px(theme.GAP_M))
        self._grid.setVerticalSpacing(theme.current().px(14))
        self._blocks: list[QWidget] = []
        self.add(self._facts)
        self.hint_box = HintBox()
        self.hint_box.given.connect(self.hint_given)
        self.hint_box.hide()
        self.add(self.hint_box)
        self.retranslate()

    def retranslate(self) -> None:
        """Every text again."""
        self.edit.set_words(tr("Change"))
        self.visit.set_words(tr("Record visit"))
        self.hint_box.retranslate()
        if self._card is not None:
            self.show_card(self._card, today=self._today)

    def show_card(self, card: HouseholdCard, *, today: str) -> None:
        """Fill the card; a number shown before is masked again for another household."""
        if self._card is None or self._card.household_id != card.household_id:
            self._shown = {}
            self.hint_box.close_box()
        self._card, self._today = card, today
        self.set_title(f"{card.label} {card.contact_name}".strip())
        count = f" {card.open_demands}" if card.open_demands else ""
        set_text(self._pill, f"{state_character(card.tone)}{count}")
        theme.set_role(self._pill, "pill-alarm" if card.tone == "red" else "pill")
        self.sync_line.show_state(card.sync)
        self.edit.setVisible(card.may_edit)
        self.visit.setVisible(card.may_edit)
        self._fill(card)

    def show_number(self, field: str, number: str) -> None:
        """The number that was asked for, in full, as long as this household is shown."""
        if self._card is not None:
            self._shown[field] = number
            self._fill(self._card)

    def _fill(self, card: HouseholdCard) -> None:
        clear(self._grid)
        self._blocks = []
        self._add(tr("Phone"), self._phone("contact_phone", card.contact_phone, who=""))
        lives = tr("{n} people").format(n=card.living) if card.living else ""
        parts = [word(OCCUPANCIES, card.occupancy)]
        parts += [word(RESIDENCES, card.residence_status)] if card.residence_status != "unknown" else []
        self._add(tr("Living"), label(" · ".join(part for part in (*parts, lives) if part), wrap=True))
        self._add(tr("Group leader"), label(card.cluster_leader or "—", wrap=True))
        self._add(tr("Visits"), self._visits(card))
        who = card.emergency_contact
        self._add(tr("Emergency contact"), self._phone("emergency_phone", card.emergency_phone, who=who))
        self._add(tr("Notice given"), self._notice(card))
        if card.may_edit and not card.may_care:
            ask = button(tr("Somebody should look in here? Tell the station"), on_click=self.hint_box.open_box)
            self._blocks.append(ask)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Four facts in a row where there is room, one below the other where there is none."""
        columns = min(_COLUMNS, max(1, self._facts.width() // theme.current().px(_COLUMN)))
        while self._grid.count():
            self._grid.takeAt(0)
        for place, block in enumerate(self._blocks):
            wide = columns - place % columns if isinstance(block, ActionButton) else 1
            side = Qt.AlignmentFlag.AlignLeft if isinstance(block, ActionButton) else Qt.AlignmentFlag(0)
            self._grid.addWidget(block, place // columns, place % columns, 1, wide, side)
        for column in range(_COLUMNS):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    def _add(self, name: str, value: QWidget) -> None:
        block = QWidget()
        box = QVBoxLayout(block)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme.current().px(2))
        box.addWidget(label(name, "secondary"))
        box.addWidget(value)
        box.addStretch(1)
        self._blocks.append(block)

    def _phone(self, field: str, masked: str, *, who: str) -> QWidget:
        holder = QWidget()
        box = QVBoxLayout(holder) if who else QHBoxLayout(holder)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme.current().px(theme.GAP_S))
        if who:
            box.addWidget(label(who, wrap=True))
        row = QHBoxLayout()
        row.setSpacing(theme.current().px(theme.GAP_S))
        shown = self._shown.get(field, "")
        row.addWidget(label(shown or masked or "—", copyable=bool(shown)))
        if masked and not shown:
            show = button(tr("Show"), role="link", on_click=lambda: self.reveal_asked.emit(field))
            show.setToolTip(tr("That you looked is noted"))
            show.setAccessibleDescription(tr("That you looked is noted"))
            row.addWidget(show)
        row.addStretch(1)
        box.addLayout(row)
        return holder

    def _visits(self, card: HouseholdCard) -> QWidget:
        last = short_day(card.last_visit_on, today=self._today) if card.last_visit_on else ""
        said = tr("last {day}").format(day=last) if last else tr("no visit yet")
        if not card.is_home:
            return label(said, wrap=True)
        due = tr("Visit due")
        if not card.is_due and card.due_on is not None:
            is_near = days_between(self._today, card.due_on) <= _NEAR
            day = short_day(card.due_on, today=self._today)
            due = day_words(card.due_on, today=self._today) if is_near else tr("next {day}").format(day=day)
        return label(f"{due} · {said}", "strong" if card.is_due else "", wrap=True)

    def _notice(self, card: HouseholdCard) -> QWidget:
        if card.told_on:
            return label(f"{card.told_on} {word(NOTICE_WAYS, card.told_way)}", wrap=True)
        if not card.may_edit:
            return label(tr("not told yet"))
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        told = button(tr("told today"), role="link", on_click=self.notice_asked.emit)
        told.setToolTip(tr("What is kept, why, and that they may see and correct it"))
        row.addWidget(label(tr("not told yet")))
        row.addWidget(told)
        row.addStretch(1)
        return holder


class HintBox(Box):
    """A few words to the station; once sent they can't be read back here."""

    given = Signal(str)

    def __init__(self) -> None:
        super().__init__("calm-box")
        self._title = label("", "strong", wrap=True)
        self._advice = label("", "secondary", wrap=True)
        self.words = TextArea(name=tr("What you noticed"), limit=_NOTE_LIMIT, rows=2)
        self.send = button("", role="second", on_click=self._on_send)
        self.leave = button("", on_click=self.close_box)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.send)
        row.addWidget(self.leave)
        for part in (self._title, self._advice, self.words):
            self.body.addWidget(part)
        self.body.addLayout(row)
        self.retranslate()

    def retranslate(self) -> None:
        """Every text again."""
        self._title.setText(tr("What did you notice?"))
        self._advice.setText(tr("Only the station reads it, to see who can help. Here it will not be shown again."))
        self.send.set_words(tr("Tell the station"))
        self.leave.set_words(tr("Leave it out"))

    def open_box(self) -> None:
        """Show the fields and go to the first."""
        self.show()
        self.words.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_box(self) -> None:
        """Take it away with what was typed."""
        self.words.set_text("")
        self.hide()

    def _on_send(self) -> None:
        if self.words.text() and self.words.is_within_limit:
            self.given.emit(self.words.text())
        else:
            self.words.setFocus(Qt.FocusReason.OtherFocusReason)
