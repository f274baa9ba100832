"""One demand: what it is, what has happened, and the one thing to do next."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.pages.demands.actions import StepBar
from desktop.pages.demands.correct_form import CorrectForm
from desktop.pages.demands.drafting import Drafting, texts_of
from desktop.pages.demands.facts import DemandFactsCard, steps_of
from desktop.pages.demands.form import FIELDS, MoveForm
from desktop.pages.demands.step_form import StepForm
from desktop.pages.page import Page, Touched
from desktop.texts import sentence, words
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, clear
from desktop.widgets.flow import ResponsiveColumns
from desktop.widgets.labels import label
from desktop.widgets.timeline import Timeline
from desktop.words.demands import MOVES, step_words, word
from sync.domain.calendar import day_of
from sync.domain.demand_correction import CORRECT
from sync.domain.demand_moves import MoveIntent
from sync.errors import QiaomenError, RuleError
from sync.store import demands, drafts
from sync.store.demands import DemandCard, Targets, Words
from sync.store.drafts import Draft
from sync.store.store import Reader, Store

_DRAFT_PAGE = "demand"


class DemandPage(Page):
    """``open(demand_id=…, move='reply')`` shows a demand and, if asked, the fields of a step."""

    name: ClassVar[str] = "demand"
    listens: ClassVar[frozenset[str]] = frozenset({"demand", "demand_event", "demand_detail", "conflict"})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._demand_id = ""
        self._wanted_move, self._is_saved = "", False
        self._card: DemandCard | None = None
        self._form: StepForm | None = None
        self._drafting = Drafting(context, _DRAFT_PAGE, failed=self._failed, parent=self)
        self._lay_out()

    def title(self) -> str:
        return tr("One matter")

    def hint(self) -> str:
        return self._card.row.number if self._card is not None else ""

    @property
    def card(self) -> DemandCard | None:
        """What is shown; None while loading and when there is nothing to show."""
        return self._card

    @property
    def form(self) -> StepForm | None:
        """The fields that are open now."""
        return self._form

    def open(self, **target: Any) -> None:
        demand_id = str(target.get("demand_id", self._demand_id))
        if demand_id != self._demand_id:
            self._close_form()
            self._show_nothing(tr("One moment …"))
        self._demand_id = demand_id
        self._wanted_move = str(target.get("move", ""))
        self.note_wrong(target)
        super().open()

    def reload(self) -> None:
        viewer, demand_id = self.context.session.viewer, self._demand_id
        rules, now = self.context.rules, self.context.now()

        def read(reader: Reader) -> DemandCard | None:
            return demands.card(reader.db, viewer, demand_id, rules=rules, now=now)

        self.context.tasks.read(self, read, self._show, self._failed, key="card")

    def leave(self) -> None:
        self._drafting.keep_pending()

    def forget(self) -> None:
        self._close_form()
        self._demand_id, self._card = "", None
        self._show_nothing("")

    def retranslate(self) -> None:
        self._history.set_title(tr("What has happened"))
        if self._card is not None:
            self._show(self._card)

    # ------------------------------------------------------------------------------------------- steps

    def begin(self, move: str) -> None:
        """Make a step that needs nothing at once; open the fields of one that does, or those that put it right."""
        if move not in FIELDS and move != CORRECT:
            self._send(move, MoveIntent())
            return
        viewer, demand_id = self.context.session.viewer, self._demand_id
        rules = self.context.rules

        def read(reader: Reader) -> tuple[Targets, Draft | None]:
            found = demands.targets(reader.db, viewer, demand_id, rules=rules)
            return found, drafts.find(reader.db, viewer, _DRAFT_PAGE, f"{demand_id}:{move}")

        self.context.tasks.read(self, read, lambda found: self._open_form(move, *found), self._failed, key="form")

    def _open_form(self, move: str, targets: Targets, draft: Draft | None) -> None:
        if self._card is None:
            return
        self._close_form()
        if move == CORRECT:
            self._form = CorrectForm(self._card, self.context)
        else:
            self._form = MoveForm(move, targets, today=self._today)
        if draft is not None:
            self._form.set_values(texts_of(draft))
        self._drafting.begin(f"{self._demand_id}:{move}", self._form.values)
        self._form.changed.connect(self._drafting.touch)
        self._form.saved.connect(self._save)
        self._form.cancelled.connect(self._put_aside)
        self._main_box.insertWidget(0, self._form)
        self._show_actions()
        self._form.focus_first()
        self.show_wrong(self._form.show_error)

    def _save(self) -> None:
        form = self._form
        if isinstance(form, MoveForm):
            self._send(form.move_name, form.intent())
        elif isinstance(form, CorrectForm):
            self._send_correction(form)

    def _send(self, move: str, intent: MoveIntent) -> None:
        me, demand_id, rules = self.context.session.account_id, self._demand_id, self.context.rules
        self._write(move, lambda store: demands.step(store, me, demand_id, move, intent, rules=rules))

    def _send_correction(self, form: CorrectForm) -> None:
        me, demand_id, rules = self.context.session.account_id, self._demand_id, self.context.rules
        intent, scope_id = form.intent(), form.places.scope_id()
        self._write(
            CORRECT, lambda store: demands.put_right(store, me, demand_id, intent, scope_id=scope_id, rules=rules)
        )

    def _write(self, move: str, work: Callable[[Store], Touched]) -> None:
        me, key = self.context.session.account_id, f"{self._demand_id}:{move}"
        self._drafting.pause()
        if self._form is not None:
            self._form.save.setEnabled(False)

        def write(store: Store) -> Touched:
            touched = work(store)
            drafts.finish(store, me, _DRAFT_PAGE, key)
            return touched

        self.context.tasks.write(self, write, lambda touched: self._saved(move, touched), self._refused)

    def _saved(self, move: str, touched: Touched) -> None:
        self._close_form()
        self._is_saved = True  # the keyboard goes to the next step, once that is shown
        if move == CORRECT:
            self._show_actions()
            said = tr("Put right; what it was before stands in the steps") if touched else tr("Nothing was different")
            self.context.hub.notice.emit(Notice(said, tone=Tone.GOOD if touched else Tone.CALM))
            return
        self.context.hub.notice.emit(
            Notice(tr("Saved: {step}").format(step=word(MOVES, move)), tr("It can be changed back today."), Tone.GOOD)
        )

    def _refused(self, error: Exception) -> None:
        """A rule said no: beside its field when the form has it; everything typed stays."""
        if self._form is not None:
            self._form.save.setEnabled(True)
            if isinstance(error, RuleError) and self._form.show_error(error.field, sentence(error)):
                return
            self._drafting.keep_now()
        self._failed(error)

    def _take_back(self, event_id: str) -> None:
        me, demand_id = self.context.session.account_id, self._demand_id
        self.context.tasks.write(
            self, lambda store: demands.take_back(store, me, demand_id, event_id), fail=self._failed
        )

    def _put_aside(self) -> None:
        self._drafting.keep_now()
        self._close_form()
        self._show_actions()

    def _close_form(self) -> None:
        self._drafting.end()
        if self._form is not None:
            self._main_box.removeWidget(self._form)
            self._form.hide()
            self._form.deleteLater()
            self._form = None

    # ------------------------------------------------------------------------------------------- showing

    def _lay_out(self) -> None:
        px = theme.current().px
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        main = QWidget()
        self._main_box = QVBoxLayout(main)
        self._main_box.setContentsMargins(0, 0, 0, 0)
        self._main_box.setSpacing(px(theme.GAP_L))
        self.facts = DemandFactsCard(self.context.rules)
        self.facts.words_asked.connect(self._read_words)
        self.facts.decision_asked.connect(lambda: self.context.navigate("sync", record_id=self._demand_id))
        self._main_box.addWidget(self.facts)
        self._main_box.addStretch(1)
        self._history = Card(tr("What has happened"))
        self.timeline = Timeline()
        self._history.add(self.timeline)
        self._undo_box = QVBoxLayout()
        self._history.add(self._undo_box)
        holder = QWidget()
        inner = QVBoxLayout(holder)
        inner.setContentsMargins(px(theme.GAP_XL), px(24), px(theme.GAP_XL), px(24))
        inner.addWidget(ResponsiveColumns(main, [self._history], side_width=360))
        outer.addWidget(holder, 1)
        self._nothing = label("", "secondary", wrap=True)
        self._main_box.insertWidget(0, self._nothing)
        self.bar = StepBar()
        self.bar.step_asked.connect(self.begin)
        self.bar.household_asked.connect(lambda h: self.context.navigate("households", household_id=h))
        outer.addWidget(self.bar)

    def _show_nothing(self, text: str) -> None:
        self._nothing.setText(text)
        self._nothing.setVisible(bool(text))
        for part in (self.facts, self._history, self.bar):
            part.hide()

    def _show(self, card: DemandCard | None) -> None:
        self._card = card
        self.heading_changed.emit()
        if card is None:
            self._close_form()
            self._show_nothing(tr("This matter is not on this PC any more, or it is not yours to read."))
            return
        self._nothing.hide()
        for part in (self.facts, self._history, self.bar):
            part.show()
        now = self.context.now()
        self.facts.show_card(card, now=now)
        self.timeline.set_entries(steps_of(card, now=now))
        clear(self._undo_box)
        for step in card.steps[::-1]:
            if step.is_undoable:
                text = tr("Change back: {step}").format(step=step_words(step))
                link = button(text, role="link", on_click=partial(self._take_back, step.event_id))
                self._undo_box.addWidget(link, 0, Qt.AlignmentFlag.AlignLeft)
        self._show_actions()
        offered = (*card.moves, CORRECT) if card.may_correct else card.moves
        if self._wanted_move in offered and self._form is None:
            self.begin(self._wanted_move)
        elif self._is_saved and self.bar.isVisible():
            self.bar.focus_first()
        self._wanted_move, self._is_saved = "", False

    def _show_actions(self) -> None:
        if self._card is not None:
            self.bar.show_steps(self._card, self._form)

    def _read_words(self) -> None:
        me, demand_id = self.context.session.account_id, self._demand_id
        self.context.tasks.write(
            self, lambda store: demands.read_words(store, me, demand_id), self._show_words, self._failed
        )

    def _show_words(self, said: Words) -> None:
        if self._card is not None:
            self.facts.show_words(said, self._card.steps)

    def _failed(self, error: Exception) -> None:
        said = words(error)
        tone = Tone.WARN if isinstance(error, QiaomenError) else Tone.ALARM
        self.context.hub.notice.emit(Notice(said.title, said.advice, tone, details=said.details))
        if self._card is None:
            self._show_nothing(said.title)

    def _today(self) -> date:
        return date.fromisoformat(day_of(self.context.now()))
