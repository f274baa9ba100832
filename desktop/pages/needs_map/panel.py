"""The household beside the façade: why this colour, what is open, and the one thing to do next."""

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from desktop import theme
from desktop.i18n import short_day, tr
from desktop.pages.needs_map.reading import PanelReading
from desktop.pages.needs_map.reasons import colour_character, household_reasons
from desktop.widgets.buttons import button
from desktop.widgets.card import Box, Card, clear
from desktop.widgets.labels import label
from desktop.widgets.state_badge import StateBadge
from desktop.words.demands import EVALUATIONS, MOVES, badge_of, due_words, step_words, word
from sync.domain.calendar import day_of
from sync.domain.colour_rules import RuleSet
from sync.store.demand_rows import DemandRow
from sync.store.demands import DemandCard

_BOXES = {"red": "alarm-box", "yellow": "warn-box", "green": "good-box"}
_STEPS_SHOWN = 4


class HouseholdPanel(Card):
    """Shows a ``PanelReading``; what is pressed comes out as signals."""

    step_asked = Signal(str, str)  # demand id, move
    demand_asked = Signal(str)
    household_asked = Signal(str)
    visit_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        holder = QWidget()
        self._box = QVBoxLayout(holder)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(theme.current().px(theme.GAP_M))
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.viewport().setAutoFillBackground(False)
        scroll.setWidget(holder)
        holder.setAutoFillBackground(False)  # the scroll area has just switched it on
        self.add(scroll, stretch=1)
        self._buttons = QVBoxLayout()
        self._buttons.setSpacing(theme.current().px(theme.GAP_S))
        self.add(self._buttons)
        self.show_nothing("")

    def show_nothing(self, text: str) -> None:
        """No household is chosen, or it can't be read."""
        self.set_title("")
        clear(self._box)
        clear(self._buttons)
        if text:
            self._box.addWidget(label(text, "secondary", wrap=True))
        self._box.addStretch(1)

    def show_reading(self, reading: PanelReading, *, now: int, rules: RuleSet) -> None:
        """Fill the panel."""
        self.set_title(reading.place)
        clear(self._box)
        clear(self._buttons)
        why = reading.why
        box = Box(_BOXES.get(why.coloured.colour.value, "calm-box"))
        box.setObjectName("why")
        box.body.addWidget(
            label(tr("Why “{character}”").format(character=colour_character(why.coloured.colour, rules)), "strong")
        )
        sentences = household_reasons(why, now=now, rules=rules)
        for sentence in sentences:
            box.body.addWidget(label(sentence, wrap=True))
        box.setAccessibleName(" ".join(sentences))
        self._box.addWidget(box)
        for card in reading.cards:
            self._add_open(card, now=now)
        for row in reading.done:
            self._add_done(row, now=now)
        self._box.addStretch(1)
        self._add_actions(reading)

    def focus_first(self) -> None:
        """Go to the first button, which is the blue one."""
        if self._buttons.count() and (first := self._buttons.itemAt(0).widget()) is not None:
            first.setFocus()

    def _add_open(self, card: DemandCard, *, now: int) -> None:
        tone, character = badge_of(card.row)
        today = day_of(now)
        self._add_head(tone, character, card.row)
        lines = [f"{short_day(day_of(step.at), today=today)} {step_words(step)}" for step in card.steps[-_STEPS_SHOWN:]]
        due = due_words(card.row, now=now)
        self._lines([*lines, due] if due else lines)

    def _add_done(self, row: DemandRow, *, now: int) -> None:
        today = day_of(now)
        self._add_head("done", badge_of(row)[1], row)
        parts = [tr("raised {day}").format(day=short_day(day_of(row.reported_at), today=today))]
        if row.resolved_at:
            parts.append(tr("done {day}").format(day=short_day(day_of(row.resolved_at), today=today)))
        if row.evaluation:
            parts.append(word(EVALUATIONS, row.evaluation))
        self._lines([" · ".join(parts)])

    def _lines(self, texts: list[str]) -> None:
        """Quiet lines close together under a head."""
        box = QVBoxLayout()
        box.setSpacing(theme.current().px(2))
        for text in texts:
            box.addWidget(label(text, "secondary", wrap=True))
        self._box.addLayout(box)

    def _add_head(self, tone: str, character: str, row: DemandRow) -> None:
        line = QHBoxLayout()
        line.setSpacing(theme.current().px(theme.GAP_S))
        line.addWidget(StateBadge(tone, character=character))
        title = button(row.title, role="link", on_click=partial(self.demand_asked.emit, row.demand_id))
        line.addWidget(title)
        line.addStretch(1)
        self._box.addLayout(line)

    def _add_actions(self, reading: PanelReading) -> None:
        household_id = reading.why.household_id
        due = next((card for card in reading.cards if card.next_move), None)
        if due is not None:
            text, ask = word(MOVES, due.next_move), partial(self.step_asked.emit, due.row.demand_id, due.next_move)
        else:
            text, ask = tr("Record a visit"), partial(self.visit_asked.emit, household_id)
        first = button(text, role="primary", on_click=ask)
        first.setObjectName("next")
        second = button(
            tr("Open the household"), role="second", on_click=partial(self.household_asked.emit, household_id)
        )
        second.setObjectName("household")
        self._buttons.addWidget(first)
        self._buttons.addWidget(second)
