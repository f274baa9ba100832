"""One dispute on the right: heading, steps across the top, facts, the words, what has happened so far."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import short_day, tr
from desktop.pages.disputes.files import DisputeFiles
from desktop.widgets.buttons import button
from desktop.widgets.card import Box, clear, fact
from desktop.widgets.flow import FlowLayout
from desktop.widgets.labels import label, set_text
from desktop.widgets.step_track import StepTrack
from desktop.widgets.sync_line import SyncLine
from desktop.widgets.timeline import Timeline, TimelineEntry
from desktop.words.disputes import (
    METHODS,
    RISKS,
    SIGNS,
    due_words,
    heading,
    path,
    state_words,
    step_words,
    word,
)
from sync.domain.calendar import day_of
from sync.domain.categories import Categories, DisputeCategory
from sync.domain.dispute_flow import court_days
from sync.errors import RuleError
from sync.store.disputes import DisputeCard

_AFTER_REGISTERING = frozenset({"registered", "not_accepted", "transferred", "closed"})
_ONE_MONTH = frozenset({"accepted", "mediating", "suspended"})
_SAID_BY_THE_TRACK = frozenset({"noticed", "settled_on_spot", "followed_up", "archived", "registered", "accepted"})
_AGREED = frozenset({"agreed_written", "agreed_oral"})


class DisputeView(QWidget):
    """Shows a card or, of a case of others, one line; emits what is to be taken back or put right."""

    undo_asked = Signal(str, str)  # the ids of the dispute and of a step
    amend_asked = Signal()
    decision_asked = Signal()  # two versions, or something to be put right

    def __init__(self, categories: Categories[DisputeCategory], *, me: Callable[[], str], files: DisputeFiles) -> None:
        super().__init__()
        self.files = files
        self._me = me
        self._card: DisputeCard | None = None
        self._has: dict[QWidget, bool] = {}
        self._categories = categories
        px = theme.current().px
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(px(theme.GAP_M))
        self.heading = label("", "head", wrap=True)
        self.track = StepTrack(tr("Steps of the dispute"))
        self.one_line = label("", wrap=True)
        self._facts = QWidget()
        self._facts_row = FlowLayout(self._facts, gap=theme.GAP_L)
        self.sync_line = SyncLine()
        self.sync_line.asked.connect(self.decision_asked)
        self.words_box = Box("box")
        self.words = label("", wrap=True, copyable=True)
        self.words_box.body.addWidget(self.words)
        self.amend = button("", role="link", on_click=self.amend_asked.emit)
        self.timeline = Timeline()
        self._undo = QWidget()
        self._undo_box = QVBoxLayout(self._undo)
        self._undo_box.setContentsMargins(0, 0, 0, 0)
        for part in (
            self.heading,
            self.sync_line,
            self.track,
            self.one_line,
            self._facts,
            self.words_box,
            files,
            self.timeline,
        ):
            box.addWidget(part)
        box.addWidget(self._undo)
        self.words_box.body.addWidget(self.amend, 0, Qt.AlignmentFlag.AlignLeft)

    def show_card(self, card: DisputeCard, *, today: str) -> None:
        """Show this dispute; nothing of the one before stays."""
        row = card.row
        self.heading.setText(heading(row))
        self.sync_line.show_state(row.sync)
        steps, place = path(row, was_registered=self._was_registered(card))
        self.track.set_steps(steps, place)
        full = not row.is_state_only
        self._card = card
        line = tr("{state}. Nothing is asked of you; you will hear the result.")
        set_text(self.one_line, "" if full else line.format(state=state_words(row, today=today)))
        self._show_facts(card, today=today)
        self.words.setText(card.summary or tr("No more words were noted."))
        self.amend.setVisible(card.may_amend)
        self.amend.set_words(tr("Put it right"))
        # The first step alone says nothing that does not stand above it.
        entries = [
            TimelineEntry(
                f"{short_day(day_of(step.at), today=today)} {step_words(step)}", text=step.note, note=step.by_name
            )
            for step in card.steps
        ]
        self.timeline.set_entries(entries)
        is_undoable = any(step.is_undoable for step in card.steps)
        self._has = {self.files: True, self.timeline: len(entries) > 1, self._undo: is_undoable}
        self.files.show_for(card)
        clear(self._undo_box)
        for step in [step for step in card.steps[::-1] if step.is_undoable]:
            text = tr("Change back: {step}").format(step=step_words(step))
            made = button(text, role="link", on_click=partial(self.undo_asked.emit, row.dispute_id, step.event_id))
            self._undo_box.addWidget(made, 0, Qt.AlignmentFlag.AlignLeft)
        self.make_room(for_fields=False, is_narrow=False)

    def make_room(self, *, for_fields: bool, is_narrow: bool) -> None:
        """While fields are open below, what has happened waits; where there is little room, all but the heading."""
        full = self._card is not None and not self._card.row.is_state_only
        for part in (self.files, self.timeline, self._undo):
            part.setVisible(full and not for_fields and bool(self._has[part]))
        for part in (self.track, self._facts, self.words_box):
            part.setVisible(full and not (for_fields and is_narrow))

    def _show_facts(self, card: DisputeCard, *, today: str) -> None:
        clear(self._facts_row)
        row = card.row
        month = ""
        if card.due_on and row.state in _ONE_MONTH:
            month = f"{short_day(card.due_on, today=today)}（{due_words(row, today=today)}）"
        court = ""
        if row.state in _AGREED:
            court = short_day(court_days(row.state_since)[-1], today=today)
        is_plain = row.state in _SAID_BY_THE_TRACK and not row.is_handed_over
        facts = (
            (tr("One side"), row.side, True),
            (tr("Other side"), row.other_side, True),
            (tr("Category"), self._category(row.category), False),
            (tr("Noticed on which day"), short_day(row.noticed_on, today=today) if row.noticed_on else "", False),
            (tr("State"), "" if is_plain else state_words(row, today=today), False),
            (tr("How serious"), word(RISKS, row.risk) if row.risk in ("red", "yellow") else "", False),
            (tr("Signs"), tr(", ", "list").join(word(SIGNS, sign) for sign in card.risk_signs), False),
            (tr("Mediators (both sides agree)"), tr(", ", "list").join(filter(None, card.mediators)), False),
            (tr("One month from acceptance"), month, True),
            (tr("To the court together by"), court, False),
            (tr("How it was settled"), word(METHODS, card.method) if card.result else "", False),
            (tr("What they agreed on"), card.result, False),
            (
                tr("To be called again on"),
                short_day(card.follow_up_on, today=today) if card.follow_up_on else "",
                False,
            ),
            (tr("Noticed by"), "" if row.noticed_by == self._me() else row.noticed_by_name, False),
        )
        for name, value, bold in facts:
            if value:
                block, shown = fact(name, value, bold=bold)
                shown.setWordWrap(len(value) > 24)
                if len(value) > 24:
                    block.setMinimumWidth(theme.current().px(360))
                self._facts_row.addWidget(block)

    def _category(self, code: str) -> str:
        try:
            return self._categories[code].label if code else ""
        except RuleError:
            return code

    def _was_registered(self, card: DisputeCard) -> bool:
        if card.accepted_on or card.row.state in _AFTER_REGISTERING:
            return True
        return any(step.to_state in _AFTER_REGISTERING for step in card.steps)
