"""The rows of 今日: a badge, the place, what it is about, by when, and the one thing to do about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from desktop import theme
from desktop.i18n import short_day, tr
from desktop.widgets.buttons import ActionButton, button
from desktop.widgets.labels import label, set_text
from desktop.widgets.state_badge import StateBadge
from desktop.words import disputes
from desktop.words.demands import MOVES, STATES, STEPS, badge_of, due_words
from desktop.words.households import OUTCOMES, advice_for_bands, visit_day_words, word
from sync.domain.calendar import CHINA, day_of
from sync.store.demand_rows import DemandRow
from sync.store.dispute_rows import DisputeRow
from sync.store.today import Item, StepToday, VisitDue
from sync.store.visits import TodayEntry

_NARROW = 620  # effective pixels of a row: below, the day goes under the words
_PLACE, _DUE, _ACTION = 96, 112, 104


@dataclass(frozen=True, slots=True)
class RowWords:
    """A row in words; ``is_urgent`` draws its button in the action colour, ``target`` is what the button opens."""

    tone: str
    character: str
    badge_words: str
    place: str
    title: str
    note: str
    due: str
    action: str
    page: str
    target: Mapping[str, Any]
    is_urgent: bool = False


def words_of(item: Item, *, now: int) -> RowWords:
    """What the row of an item says."""
    if isinstance(item, DemandRow):
        return _demand(item, now=now)
    if isinstance(item, VisitDue):
        return _visit(item, today=day_of(now))
    return _dispute(item, today=day_of(now))


def _demand(row: DemandRow, *, now: int) -> RowWords:
    today = day_of(now)
    is_untold = row.state == "resolved"
    is_unhappy = row.state == "replied" and row.evaluation == "dissatisfied"
    who = row.partner_name or row.handler_name
    if is_untold:
        said = tr("{title} · solved, resident not told yet").format(title=row.title)
    elif is_unhappy:
        said = tr("{title} · the resident is not satisfied").format(title=row.title)
    else:
        said = f"{row.title} · {word(STATES, row.state)}"
    notes = [tr("raised {day}").format(day=short_day(day_of(row.reported_at), today=today))]
    if row.resolved_at and is_untold:
        solved = short_day(day_of(row.resolved_at), today=today)
        notes.append(tr("{who} solved it {day}").format(who=who, day=solved).strip())
    elif who:
        notes.append(who)
    tone, character = badge_of(row)
    return RowWords(
        tone=tone,
        character=character,
        badge_words="",
        place=row.place,
        title=said,
        note=" · ".join(notes),
        due=due_words(row, now=now),
        action=tr(MOVES["reply"]) if is_untold else tr("Look"),
        page="demand",
        target={"demand_id": row.demand_id, "move": "reply"} if is_untold else {"demand_id": row.demand_id},
        is_urgent=is_untold,
    )


def _visit(visit: VisitDue, *, today: str) -> RowWords:
    title = tr("Visit due")
    if visit.is_agreed:
        title = tr("Visit agreed")
    elif visit.tried:
        title = tr("Visit due · knocked {n} times, nobody in").format(n=visit.tried)
    note = advice_for_bands(visit.bands)
    if not note:
        last = visit.last_contact_on
        note = tr("last {day}").format(day=short_day(last, today=today)) if last else tr("not met yet")
    return RowWords(
        tone="quiet",
        character=tr("V", note="visit badge"),
        badge_words=tr("Visit"),
        place=visit.place,
        title=title,
        note=note,
        due=visit_day_words(visit.due_on, today=today),
        action=tr("Record visit"),
        page="visits",
        target={"household_id": visit.household_id},
        is_urgent=True,
    )


def _dispute(row: DisputeRow, *, today: str) -> RowWords:
    state = disputes.state_words(row, today=today)
    return RowWords(
        tone="quiet",
        character=tr("M", note="dispute badge"),
        badge_words=tr("Dispute"),
        place=row.side,
        title=f"{row.title} · {state}",
        note=tr("Nothing to do for you; you will be told the result") if row.is_state_only else row.other_side,
        due="—" if row.is_state_only else disputes.due_words(row, today=today) or "—",
        action=tr("Look"),
        page="disputes",
        target={"dispute_id": row.dispute_id},
    )


def words_of_entry(entry: TodayEntry, *, tone: str = "") -> RowWords:
    """A visit recorded today, with the button that takes it back."""
    found = tr("{n} demands").format(n=entry.demands) if entry.demands else tr("no new demand")
    saved = tr("saved {time}").format(time=_clock(entry.recorded_at))
    return RowWords(
        tone=tone or "quiet",
        character="" if tone else tr("V", note="visit badge"),
        badge_words="",
        place=entry.label,
        title=tr("Visit · {outcome}").format(outcome=word(OUTCOMES, entry.outcome)),
        note=f"{found} · {saved}",
        due="",
        action=tr("Change back"),
        page="households",
        target={"household_id": entry.household_id},
    )


def words_of_step(step: StepToday) -> RowWords:
    """A step of a demand made today, with the button that takes it back."""
    return RowWords(
        tone="quiet",
        character=tr("D", note="step badge"),
        badge_words=tr("Demand"),
        place=step.place,
        title=f"{step.title} · {word(STEPS, step.move)}",
        note=tr("saved {time}").format(time=_clock(step.at)),
        due="",
        action=tr("Change back"),
        page="demand",
        target={"demand_id": step.demand_id},
    )


def _clock(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, CHINA).strftime("%H:%M")


class TodayRow(QWidget):
    """One row; in a narrow column the day stands under the words. ``subject`` is what the button acts on."""

    def __init__(self, words: RowWords, on_click: Callable[[], object], *, subject: object = None) -> None:
        super().__init__()
        self.words = words
        self.subject = subject
        self._is_narrow: bool | None = None
        px = theme.current().px
        self._badge = StateBadge(words.tone, character=words.character, words=words.badge_words)
        self._place = label(words.place, "strong", wrap=True)
        self._place.setFixedWidth(px(_PLACE))
        self._title = label(words.title, wrap=True)
        self._note = label(words.note, "secondary", wrap=True)
        self._due = label(words.due, "secondary")
        self.action: ActionButton = button(words.action, role="second" if words.is_urgent else "", on_click=on_click)
        self.action.setMinimumWidth(px(_ACTION))
        self.action.setAccessibleName(f"{words.action} {words.place} {words.title} {words.due}".strip())
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, px(9), 0, px(9))
        self._grid.setHorizontalSpacing(px(14))
        self._grid.setVerticalSpacing(px(1))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._arrange(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(self.width() / theme.current().scale < _NARROW)

    def _arrange(self, narrow: bool) -> None:
        if narrow == self._is_narrow:
            return
        self._is_narrow = narrow
        while self._grid.count():
            self._grid.takeAt(0)
        top, middle = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignVCenter
        self._grid.setColumnStretch(1 if narrow else 2, 1)
        self._grid.setColumnStretch(2 if narrow else 1, 0)
        if narrow:
            self._place.setMinimumWidth(0)
            self._place.setMaximumWidth(16_777_215)
            self._due.setMinimumWidth(0)
            self._due.setMaximumWidth(16_777_215)
            for row, shown in enumerate((self._place, self._title, self._note, self._due)):
                self._grid.addWidget(shown, row, 1)
            self._grid.addWidget(self._badge, 0, 0, 4, 1, top)
            self._grid.addWidget(self.action, 0, 2, 4, 1, middle)
        else:
            px = theme.current().px
            self._place.setFixedWidth(px(_PLACE))
            self._due.setFixedWidth(px(_DUE))
            self._grid.addWidget(self._badge, 0, 0, 2, 1, middle)
            self._grid.addWidget(self._place, 0, 1, 2, 1, middle)
            self._grid.addWidget(self._title, 0, 2)
            self._grid.addWidget(self._note, 1, 2)
            self._grid.addWidget(self._due, 0, 3, 2, 1, middle)
            self._grid.addWidget(self.action, 0, 4, 2, 1, middle)
        self._due.setVisible(bool(self.words.due) or not narrow)
        set_text(self._note, self.words.note)
