"""What the visits page shows before a household is chosen: find one, go on with a draft, take today's entries back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.visits import choices
from desktop.pages.visits.drafting import DRAFT_PAGE
from desktop.widgets.ask import Question
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, clear
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label, line, set_text
from desktop.widgets.search_field import SearchField, SearchResult
from desktop.words.sync import RECORD_STATES, short_state
from sync.domain.address import room_label
from sync.domain.calendar import CHINA, day_of
from sync.store import drafts, search, staff, visits
from sync.store.store import Reader
from sync.store.visits import TodayEntry


@dataclass(frozen=True, slots=True)
class BegunVisit:
    """A draft that was left: the household and how it is written."""

    household_id: str
    label: str


@dataclass(frozen=True, slots=True)
class _Begin:
    """What is read, at once."""

    entries: tuple[TodayEntry, ...]
    begun: tuple[BegunVisit, ...]
    phone: str


class StartPanel(Card):
    """Signals name the household or visit that was chosen."""

    household_chosen = Signal(str)
    undo_asked = Signal(str)  # visit id
    change_asked = Signal(str, str)  # household id, visit id
    batch_asked = Signal()
    print_asked = Signal()

    phone_read = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(tr("Whom did you visit?"), hint=tr("room, name, initials or last digits"), parent=parent)
        self._context = context
        self.search = SearchField(name=tr("Find a household"), placeholder=tr("3-2-501 · Zhang · zs · 6621"), key="")
        self.search.typed.connect(self._find)
        self.search.chosen.connect(self.household_chosen.emit)
        self.add(self.search)
        row = FlowLayout(gap=theme.GAP_M)
        self.batch_button = button(tr("Key in a whole building"), role="primary", on_click=self.batch_asked.emit)
        self.print_button = button(tr("Print door sheets"), role="second", on_click=self.print_asked.emit)
        row.addWidget(self.batch_button)
        row.addWidget(self.print_button)
        self.add(row)
        self._drafts = QVBoxLayout()
        self._drafts.setSpacing(theme.current().px(theme.GAP_S))
        self.add(self._drafts)
        self._today_head = label("", "secondary")
        self.add(self._today_head)
        self._today = QVBoxLayout()
        self._today.setSpacing(theme.current().px(6))
        self.add(self._today)
        self.fill()

    def reload(self) -> None:
        """Read drafts and today's entries."""
        viewer, today = self._context.session.viewer, day_of(self._context.now())

        def read(reader: Reader) -> _Begin:
            begun = []
            for draft in drafts.begun(reader.db, viewer):
                header = visits.header(reader.db, viewer, draft.key) if draft.page == DRAFT_PAGE else None
                if header is not None:
                    begun.append(BegunVisit(header.household_id, header.label))
            entries = visits.today_entries(reader.db, viewer, today=today)
            return _Begin(entries, tuple(begun), staff.community(reader.db, viewer).emergency_phone)

        self._context.tasks.read(self, read, self._show, key="start")

    def forget(self) -> None:
        """Leave nothing on the screen for the next person."""
        self.search.clear_search()
        self.show_today(())
        self.show_drafts(())

    def show_drafts(self, drafts: Sequence[BegunVisit]) -> None:
        """Offer to go on with what was left half-filled."""
        clear(self._drafts)
        for begun in drafts:
            row = QHBoxLayout()
            row.setSpacing(theme.current().px(theme.GAP_M))
            row.addWidget(label(tr("{room} was left half-filled; every word is kept").format(room=begun.label)), 1)
            on = button(
                tr("Go on writing"),
                role="second",
                on_click=partial(self.household_chosen.emit, begun.household_id),
            )
            off = button(
                tr("Throw it away"),
                on_click=partial(self._drop, begun.household_id),
            )
            row.addWidget(on)
            row.addWidget(off)
            self._drafts.addLayout(row)

    def show_today(self, entries: Sequence[TodayEntry]) -> None:
        """What was recorded today, newest first."""
        clear(self._today)
        set_text(
            self._today_head,
            tr("Recorded today: {n} (can be changed back today)").format(n=len(entries))
            if entries
            else tr("Nothing recorded today yet. Each visit you note stands here and can be taken back today."),
        )
        for entry in entries:
            row = QHBoxLayout()
            row.setSpacing(theme.current().px(theme.GAP_M))
            row.addWidget(label(entry.label, "strong"))
            said = [choices.words(choices.OUTCOMES, entry.outcome)]
            if entry.demands:
                said.append(tr("{n} matters", n=entry.demands).format(n=entry.demands))
            row.addWidget(label(" · ".join(said)), 1)
            saved = tr("{time} saved").format(time=_clock(entry.recorded_at))
            state = tr(RECORD_STATES["sent"]) if entry.sync == "sent" else short_state(entry.sync)
            row.addWidget(label(" · ".join(filter(None, (saved, state))), "secondary"))
            change = button(
                tr("Put right"),
                on_click=partial(self.change_asked.emit, entry.household_id, entry.visit_id),
            )
            back = button(tr("Change back"), on_click=partial(self.undo_asked.emit, entry.visit_id))
            back.setAccessibleName(tr("Change back {room}").format(room=entry.label))
            row.addWidget(change)
            row.addWidget(back)
            self._today.addWidget(line())
            self._today.addLayout(row)

    def _show(self, found: _Begin) -> None:
        self.show_drafts(found.begun)
        self.show_today(found.entries)
        self.phone_read.emit(found.phone)

    def _drop(self, household_id: str) -> None:
        account_id = self._context.session.account_id
        question = Question(
            title=tr("Throw away what was begun?"),
            advice=tr("What was typed for this visit is then gone; what is saved stays."),
            yes=tr("Throw it away"),
            is_danger=True,
        )
        self._context.ask.confirm(
            self,
            question,
            lambda: self._context.tasks.write(
                self,
                lambda store: drafts.drop(store, account_id, DRAFT_PAGE, household_id),
                lambda _: self.reload(),
            ),
        )

    def _find(self, typed: str) -> None:
        viewer = self._context.session.viewer

        def read(reader: Reader) -> Sequence[SearchResult]:
            return [
                SearchResult(hit.household_id, room_label(hit.building, hit.unit, hit.room_no), hit.name)
                for hit in search.find(reader.db, viewer, typed, limit=8)
            ]

        self._context.tasks.read(self, read, lambda found: self.search.set_results(typed, found), key="search")


def _clock(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).astimezone(CHINA).strftime("%H:%M")
