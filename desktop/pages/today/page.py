"""今日: one list of what is due for the person in front of it, what was recorded today, and three cards beside it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QVBoxLayout

from desktop import theme
from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import long_day, number, tr
from desktop.pages.page import Page
from desktop.pages.today.cards import ListCard, ShareCard, show_near, show_untold
from desktop.pages.today.rows import RowWords, TodayRow, words_of, words_of_entry, words_of_step
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, clear
from desktop.widgets.flow import ResponsiveColumns
from desktop.widgets.labels import label, line, set_text
from sync.domain.calendar import day_of
from sync.domain.roles import STATION_ROLES
from sync.store import demands, today, visits
from sync.store.store import Store
from sync.store.today import AreaShare, Board, StepToday
from sync.store.visits import TodayEntry
from sync.store.writer import Touched

_ROWS = 30  # more is not a day's work; the rest is a line with its number
_ENTRIES = 12
_MORE = 20  # visits that one click on the line brings


class TodayPage(Page):
    """Reads the list first, the colours after it; a click is never more than one step from the work itself."""

    name: ClassVar[str] = "today"
    listens: ClassVar[frozenset[str]] = frozenset(
        {"visit", "demand", "demand_event", "dispute", "dispute_status", "care_due", "care_pairing", "household"}
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._board: Board | None = None
        self._begin_at_first = False
        self._more_shown = 0  # visits beyond the first, asked for with the line below the list
        self.rows: list[TodayRow] = []
        self.main = Card()
        self.print_sheet = button("", on_click=lambda: context.navigate("batch", print=True))
        self.record = button("", role="primary", on_click=self._on_record)
        self.main.add_action(self.print_sheet)
        self.main.add_action(self.record)
        self._state = label("", wrap=True)
        self.main.add(self._state)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self.main.add(self._list)
        self._more = button("", role="link", on_click=self._on_more)
        self.main.add(self._more)
        self._recorded = label("", "secondary", wrap=True)
        self.main.add(self._recorded)
        self._entries = QVBoxLayout()
        self._entries.setSpacing(0)
        self.main.add(self._entries)
        self.main.fill()
        self.share = ShareCard()
        self.near = ListCard()
        self.untold = ListCard()
        self.columns = ResponsiveColumns(self.main, [self.share, self.near, self.untold], side_width=345)
        gap = theme.current().px(theme.GAP_XL)
        box = QVBoxLayout(self)
        box.setContentsMargins(gap, theme.current().px(24), gap, theme.current().px(24))
        box.addWidget(self.columns)
        self._more.hide()
        self.retranslate()

    def title(self) -> str:
        return tr("Today")

    def hint(self) -> str:
        return long_day(day_of(self.context.now()))

    def open(self, **target: Any) -> None:
        """The first thing to do has the focus: Enter begins it."""
        self._begin_at_first = True
        self._more_shown = 0
        super().open(**target)

    def reload(self) -> None:
        viewer, rules, now = self.context.session.viewer, self.context.rules, self.context.now()
        read = self.context.tasks.read
        read(
            self,
            lambda reader: today.board(reader.db, viewer, rules=rules, now=now),
            self._show,
            self._failed,
            key="board",
        )
        read(
            self,
            lambda reader: today.shares(reader.db, viewer, rules=rules, now=now),
            self._show_shares,
            key="shares",
        )

    def forget(self) -> None:
        self._board = None
        for box in (self._list, self._entries):
            clear(box)
        self.rows = []
        show_near(self.near, (), 0, today=day_of(self.context.now()), on_click=self._to_household)
        show_untold(self.untold, (), on_click=self._to_demand)

    def retranslate(self) -> None:
        self.main.set_title(tr("To be done today"))
        self.print_sheet.set_words(tr("Print a door sheet"))
        self._name_record()
        if self._board is None:
            set_text(self._state, tr("One moment …"))
            set_text(self._recorded, "")
            self.near.set_title(tr("Visits coming up"))
            self.untold.set_title(tr("Residents not told yet"))
        else:
            self._show(self._board)

    # ------------------------------------------------------------------------------------------- showing

    def _show(self, board: Board) -> None:
        focused = next((place for place, row in enumerate(self.rows) if row.action.hasFocus()), None)
        before = None if focused is None else self.rows[focused].words
        self._board = board
        self._name_record()
        now = self.context.now()
        said = [words_of(item, now=now) for item in (*board.items[:_ROWS], *board.waiting[: self._more_shown])]
        matters = self._fill(
            self._list, [(one, None, partial(self.context.navigate, one.page, **one.target)) for one in said]
        )
        count = len(board.items) + len(board.waiting)
        self.main.set_hint(tr("in order of day, {n} in all").format(n=number(count)) if count else "")
        set_text(self._state, "" if board.items else self._nothing(board))
        self._name_more(board)
        self.rows = [*matters, *self._show_recorded(board)]
        show_near(self.near, board.near, board.near_count, today=board.today, on_click=self._to_household)
        show_untold(self.untold, board.untold, on_click=self._to_demand)
        if before is not None and focused is not None and self.rows:
            same = (row for row in self.rows if (row.words.page, row.words.target) == (before.page, before.target))
            kept = next(same, self.rows[min(focused, len(self.rows) - 1)])  # what was done is gone: the next one
            kept.action.setFocus(Qt.FocusReason.OtherFocusReason)
        if self._begin_at_first and self.rows:
            self.rows[0].action.setFocus(Qt.FocusReason.OtherFocusReason)
        self._begin_at_first = False
        self.heading_changed.emit()

    def _show_recorded(self, board: Board) -> list[TodayRow]:
        steps, entries = board.steps[:_ENTRIES], board.entries[:_ENTRIES]
        rows = self._fill(
            self._entries,
            [
                *((words_of_step(step), step, partial(self._undo_step, step)) for step in steps),
                *((words_of_entry(entry), entry, partial(self._undo_visit, entry)) for entry in entries),
            ],
        )
        recorded = len(board.steps) + len(board.entries)
        said = tr("Recorded today (can be changed back until midnight)")
        if recorded > len(rows):
            said = tr("Recorded today: {n}, the latest here (can be changed back until midnight)").format(
                n=number(recorded)
            )
        set_text(self._recorded, said if recorded else "")
        return rows

    def _fill(
        self, box: QVBoxLayout, wanted: Sequence[tuple[RowWords, object, Callable[[], object]]]
    ) -> list[TodayRow]:
        """The rows of a list. Those that say the same of the same stay: making a dozen anew is felt at each save."""
        widgets = [box.itemAt(place).widget() for place in range(box.count())]
        here = [widget for widget in widgets if isinstance(widget, TodayRow)]
        if [(row.words, row.subject) for row in here] == [(said, subject) for said, subject, _ in wanted]:
            return here
        rows: list[TodayRow] = []
        fresh: list[TodayRow] = []
        for said, subject, on_click in wanted:
            row = next((row for row in here if (row.words, row.subject) == (said, subject)), None)
            if row is None:
                row = TodayRow(said, on_click, subject=subject)
                fresh.append(row)
            else:
                here.remove(row)
                box.removeWidget(row)
            rows.append(row)
        clear(box)
        for row in rows:
            if box.count():
                box.addWidget(line())
            box.addWidget(row)
        for row in fresh:
            row.show()  # not with the next layout: only what is shown keeps the keyboard for a window that wakes up
        return rows

    def _show_shares(self, shares: Sequence[AreaShare]) -> None:
        self.share.setVisible(bool(shares))
        self.share.show_shares(shares)

    def _name_record(self) -> None:
        """The blue button is the next thing to do: as long as there are no doors, that is not a visit."""
        has_homes = self._board is None or self._board.has_homes
        self.print_sheet.setVisible(has_homes)
        if has_homes:
            self.record.set_words(tr("Record visit") + "　Ctrl N")  # the key itself is the window's, on every page
            self.record.setAccessibleName(tr("Record visit"))
        else:
            self.record.set_words(tr("New building") if self._may_build() else tr("Sync"))
            self.record.setAccessibleName(self.record.words)

    def _name_more(self, board: Board) -> None:
        """The line below the list: what there is beyond it."""
        hidden, waiting = len(board.items) - _ROWS, len(board.waiting) - self._more_shown
        if waiting > 0:
            self._more.set_words(tr("{n} more households, see the list").format(n=number(waiting)))
        elif hidden > 0:
            self._more.set_words(tr("{n} more matters").format(n=number(hidden)))
        self._more.setVisible(waiting > 0 or hidden > 0)

    def _may_build(self) -> bool:
        return self.context.session.is_open and self.context.session.viewer.has_any(STATION_ROLES)

    def _nothing(self, board: Board) -> str:
        if not board.has_homes and self._may_build():
            return tr(
                "There are no households here yet. Begin with a building: say how many floors, units and rooms it has,"
                " and all its doors are there."
            )
        if not board.has_homes:
            return tr(
                "No building has been given to you yet. Ask the secretary to give you one; after the next sync its"
                " households and what is due there stand here."
            )
        return tr(
            "Nothing is due today. What residents ask for, visits that are due and disputes to look after will stand"
            " here. Begin with a visit, or print a door sheet and knock."
        )

    def _failed(self, error: Exception) -> None:
        said = words(error)
        set_text(self._state, f"{said.title} {said.advice}".strip())

    # ------------------------------------------------------------------------------------------- doing

    def _to_household(self, household_id: str) -> None:
        self.context.navigate("households", household_id=household_id)

    def _to_demand(self, demand_id: str) -> None:
        self.context.navigate("demand", demand_id=demand_id, move="reply")

    def _on_record(self) -> None:
        if self._board is None or self._board.has_homes:
            self.context.navigate("visits")
        elif self._may_build():
            self.context.navigate("households", new_building=True)
        else:
            self.context.navigate("sync")

    def _on_more(self) -> None:
        if self._board is None or len(self._board.waiting) <= self._more_shown:
            self.context.navigate("demands")
            return
        seen = min(len(self._board.items), _ROWS) + self._more_shown
        self._more_shown += _MORE
        self._show(self._board)
        first = self.rows[seen]
        first.action.setFocus(Qt.FocusReason.OtherFocusReason)
        QTimer.singleShot(0, first, partial(self.columns.show_widget, first))

    def _undo_step(self, step: StepToday) -> None:
        self._undo(lambda store, me: demands.take_back(store, me, step.demand_id, step.event_id))

    def _undo_visit(self, entry: TodayEntry) -> None:
        self._undo(lambda store, me: visits.undo(store, me, entry.visit_id).touched)

    def _undo(self, undo: Callable[[Store, str], Touched]) -> None:
        me = self.context.session.account_id

        def done(_: Touched) -> None:
            self.context.hub.notice.emit(Notice(title=tr("Changed back"), tone=Tone.GOOD))

        def refused(error: Exception) -> None:
            said = words(error)
            self.context.hub.notice.emit(
                Notice(title=said.title, advice=said.advice, tone=Tone.WARN, details=said.details)
            )

        self.context.tasks.write(self, lambda store: undo(store, me), done, refused)
