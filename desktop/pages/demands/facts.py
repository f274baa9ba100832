"""The card with what a demand is: place, title, state, time limits, who has it, what came of it."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import short_day, tr
from desktop.widgets.buttons import button
from desktop.widgets.card import Box, Card, clear, fact
from desktop.widgets.labels import label, set_text
from desktop.widgets.state_badge import StateBadge
from desktop.widgets.sync_line import SyncLine
from desktop.widgets.timeline import TimelineEntry
from desktop.words.demands import (
    CLOSE_KINDS,
    EVALUATIONS,
    LEVELS,
    REPLY_MODES,
    SORTS,
    SOURCES,
    STATES,
    STEPS,
    URGENCIES,
    badge_of,
    due_words,
    is_late,
    step_note,
    step_words,
    word,
)
from sync.domain.calendar import day_of
from sync.domain.categories import label as category_label
from sync.domain.rules import Rules
from sync.store.demands import DemandCard, Step, Words

_COLUMN = 190  # design pixels a fact takes at least


class DemandFactsCard(Card):
    """Shows a ``DemandCard``; ``words_asked`` when somebody with the right wants to read what is kept apart."""

    words_asked = Signal()
    decision_asked = Signal()  # two versions, or something to be put right

    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self._rules = rules
        self._badge = StateBadge("green")
        self.add_beside_title(self._badge)
        self._due = label("", "pill")
        self.add_action(self._due)
        self.sync_line = SyncLine()
        self.sync_line.asked.connect(self.decision_asked)
        self.add(self.sync_line)
        self._said = label("", wrap=True, copyable=True)
        self.add(self._said)
        self._grid_holder = QWidget()
        self._grid = QGridLayout(self._grid_holder)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(theme.current().px(14))
        self.add(self._grid_holder)
        self._result = Box("good-box")
        self._result_text = label("", wrap=True, copyable=True)
        self._result.body.addWidget(label(tr("What was done"), "secondary"))
        self._result.body.addWidget(self._result_text)
        self.add(self._result)
        self._apart = Box("warn-box")
        self._apart_box = QVBoxLayout()
        self._apart.body.addLayout(self._apart_box)
        self.add(self._apart)
        self._blocks: list[QWidget] = []

    def show_card(self, card: DemandCard, *, now: int) -> None:
        """Fill the card."""
        row = card.row
        self.set_title(f"{row.place} {row.title}".strip())
        tone, character = badge_of(row)
        self._badge.set_state(tone, character=character)
        self.sync_line.show_state(row.sync)
        due = due_words(row, now=now)
        set_text(self._due, due)
        theme.set_role(self._due, "pill-alarm" if is_late(row, now=now) else "pill")
        set_text(self._said, card.details)
        self._show_facts(card, now=now)
        self._result.setVisible(bool(card.result))
        self._result_text.setText(card.result)
        self._show_apart(card)

    def show_words(self, said: Words, steps: Sequence[Step]) -> None:
        """The words that are kept apart, after they were asked for."""
        clear(self._apart_box)
        self._apart_box.addWidget(label(said.title, "strong", wrap=True))
        if said.details:
            self._apart_box.addWidget(label(said.details, wrap=True))
        for step in steps:
            if step.event_id in said.by_step:
                text = f"{step_words(step).split(' ')[0]}：{said.by_step[step.event_id]}"
                self._apart_box.addWidget(label(text, wrap=True))

    def _show_apart(self, card: DemandCard) -> None:
        clear(self._apart_box)
        self._apart.setVisible(card.row.is_sensitive or card.may_read_words)
        if card.may_read_words:
            ask = button(tr("Show what it is (this is noted)"), role="second", on_click=self.words_asked.emit)
            ask.setObjectName("show_words")
            self._apart_box.addWidget(label(tr("A matter of care: what was said is kept apart."), wrap=True))
            self._apart_box.addWidget(ask)
        else:
            text = tr("A matter of care: what was said can be read at the station only.")
            self._apart_box.addWidget(label(text, wrap=True))

    def _show_facts(self, card: DemandCard, *, now: int) -> None:
        clear(self._grid)
        self._blocks = [fact(name, value)[0] for name, value in self._facts(card, now=now) if value]
        self._arrange()

    def _facts(self, card: DemandCard, *, now: int) -> list[tuple[str, str]]:
        row, today = card.row, day_of(now)

        def day(at: int | None) -> str:
            return short_day(day_of(at), today=today) if at else ""

        came = " ".join(
            part for part in (day(row.reported_at), word(SOURCES, card.source), row.recorded_by_name) if part
        )
        told = ""
        if row.replied_on:
            told = f"{short_day(row.replied_on, today=today)} {word(REPLY_MODES, card.reply_mode)}"
        affected = tr("{n} households").format(n=card.affected_count) if card.affected_count > 1 else ""
        again = tr("{n} times").format(n=card.reopen_count) if card.reopen_count else ""
        danger = f"{word(URGENCIES, row.urgency)} · {tr('Danger to life')}" if row.life_safety else ""
        sort = f"{category_label(self._rules.demand_categories, row.category)} · {word(SORTS, row.demand_kind)}"
        return [
            (tr("State"), word(STATES, row.state)),
            (tr("How urgent"), danger or word(URGENCIES, row.urgency)),
            (tr("Category"), "" if row.is_sensitive else sort),
            (tr("Raised"), came),
            (tr("Raised by"), card.raised_by),
            (tr("With whom"), " · ".join(part for part in (row.partner_name, row.handler_name) if part)),
            (tr("Handled by level"), word(LEVELS, card.level)),
            (tr("First answer by"), day(card.respond_due_at) if row.state == "collected" else ""),
            (tr("To be solved by"), day(card.resolve_due_at)),
            (tr("How closed"), word(CLOSE_KINDS, row.close_kind) if row.close_kind else ""),
            (tr("Resident told"), told),
            (tr("Evaluation"), word(EVALUATIONS, row.evaluation) if row.evaluation else ""),
            (tr("Concerns"), affected),
            (tr("Raised again"), again),
        ]

    def _arrange(self) -> None:
        columns = max(1, self.width() // theme.current().px(_COLUMN))
        columns = min(4, columns)
        while self._grid.count():
            self._grid.takeAt(0)
        for place, block in enumerate(self._blocks):
            self._grid.addWidget(block, place // columns, place % columns)
        for column in range(4):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]  # handed on as it came
        self._arrange()


def steps_of(card: DemandCard, *, now: int) -> list[TimelineEntry]:
    """What has happened to a demand, and at the end what is due next."""
    today, due = day_of(now), due_words(card.row, now=now)
    done = [
        TimelineEntry(
            f"{short_day(day_of(step.at), today=today)} {word(STEPS, step.move)}",
            text=step_note(step),
            note=step.by_name,
        )
        for step in card.steps
    ]
    return [*done, TimelineEntry(due, is_now=True)] if due else done
