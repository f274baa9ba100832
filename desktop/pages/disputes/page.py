"""Small disputes: the list on the left, one of them on the right with the one thing to do next."""

from collections.abc import Mapping
from typing import Any, ClassVar

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.pages.disputes.actions import DangerBox, StepBar
from desktop.pages.disputes.columns import DisputeList, columns, make_model, shelf_options, shelves_for
from desktop.pages.disputes.detail import DisputeView
from desktop.pages.disputes.fields_box import FieldsBox
from desktop.pages.disputes.files import DisputeFiles
from desktop.pages.disputes.layout import Halves, detail_card, list_card, stacked
from desktop.pages.disputes.steps import StepForm
from desktop.pages.disputes.writing import Writing
from desktop.pages.page import Page
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.labels import label, set_text
from desktop.widgets.option_row import OptionRow
from desktop.words.disputes import LESSON
from sync.domain.calendar import day_of
from sync.errors import QiaomenError
from sync.store import disputes, staff
from sync.store.disputes import DisputeCard
from sync.store.store import Reader


class DisputesPage(Page):
    """``open(dispute_id=…, move='follow_up')`` shows one; ``open(new=True, household_id=…)`` begins a note."""

    name: ClassVar[str] = "disputes"
    listens = frozenset({"dispute", "dispute_event", "dispute_status", "attachment", "conflict"})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._card: DisputeCard | None = None
        self._wanted_move, self._wants_bar = "", False
        self._counts: Mapping[str, int] = {}
        self.model = make_model(context.tasks, self, today=self._today)
        self.list = DisputeList(self.model, today=self._today)
        self.view = DisputeView(
            context.rules.dispute_categories, me=lambda: context.session.account_id, files=DisputeFiles(context)
        )
        self.bar = StepBar()
        self.danger = DangerBox()
        self.shelf = OptionRow((), name=tr("Which ones"))
        self.new = button("", key="Ctrl+M", on_click=lambda: self.writing.begin_notice())
        self.back = button("", role="link", on_click=self._go_to_list)
        self._nothing = label("", "secondary", wrap=True)
        self.writing = Writing(context, self)
        self._outer = QVBoxLayout(self)
        content = QWidget()
        self._content_box = stacked(content, self.view, self._nothing)
        self.halves = Halves(
            list_card(self.shelf, self.list, self.new), detail_card(self.back, content, self.bar, self.danger)
        )
        self._outer.addWidget(self.halves)
        self._connect()
        self._fit()
        self._show_nothing()
        self.retranslate()

    def title(self) -> str:
        return tr("Small disputes") if self._shelves()[0] == "mine" else tr("Disputes")

    @property
    def card(self) -> DisputeCard | None:
        """What is shown on the right."""
        return self._card

    @property
    def form(self) -> FieldsBox | None:
        """The fields that are open now."""
        return self.writing.form

    def open(self, **target: Any) -> None:
        self._show_counts(self._counts)
        self._wanted_move = str(target.get("move", ""))
        self.note_wrong(target)
        dispute_id = str(target.get("dispute_id", ""))
        if dispute_id:
            self.writing.keep_if_waiting()
            self.writing.close()
            self.list.choose(dispute_id)
            self.halves.show_right()
        super().open()
        if target.get("new"):
            self.writing.begin_notice(household_id=str(target.get("household_id", "")))
        elif not dispute_id:
            self.list.setFocus()

    def reload(self) -> None:
        me, shelf, tasks = self.context.session.account_id, self.shelf.value(), self.context.tasks

        # Rights are read anew each time: who accepts a case may read it from that moment on.
        def ids(reader: Reader) -> tuple[str, ...]:
            return disputes.listed(reader.db, reader.viewer(me), shelf=shelf)

        def counts(reader: Reader) -> tuple[Mapping[str, int], staff.CommunityRow]:
            viewer = reader.viewer(me)
            return disputes.counts(reader.db, viewer), staff.community(reader.db, viewer)

        self.model.load(ids=ids, rows=lambda reader, ids: disputes.by_ids(reader.db, reader.viewer(me), ids))
        tasks.read(self, counts, lambda found: self._show_frame(*found), self._failed, key="counts")
        if self.list.wanted:
            self._read_card(self.list.wanted)

    def leave(self) -> None:
        self.writing.keep_if_waiting()

    def forget(self) -> None:
        self.writing.close()
        self.list.choose("")
        self.shelf.set_value("")
        self._show_nothing()
        self.model.load(ids=lambda _: (), rows=lambda _, ids: ())

    def retranslate(self) -> None:
        self.model.set_columns(columns(self._today))
        self.new.set_words(tr("Note a new one"))
        self.back.set_words(tr("Back to the list"))
        self.list.setAccessibleName(tr("Disputes"))
        self.danger.retranslate()
        self._show_counts(self._counts)
        if self._card is not None and self.form is None:
            self._show(self._card)

    def begin(self, move: str) -> None:
        """Make a step of the dispute shown, or open its fields."""
        if self._card is not None:
            self.writing.begin_step(self._card, move)

    # ------------------------------------------------------------------------------------------- wiring

    def _connect(self) -> None:
        self.shelf.changed.connect(self._on_shelf)
        self.list.shown.connect(self._on_shown)
        self.list.opened.connect(self._on_opened)
        self.halves.back_asked.connect(self._go_to_list)
        self.model.loaded.connect(self._on_loaded)
        self.view.undo_asked.connect(self.writing.take_back)
        self.view.amend_asked.connect(lambda: self.writing.begin_notice(self._card))
        self.view.decision_asked.connect(lambda: self.context.navigate("sync", record_id=self.list.wanted))
        self.bar.step_asked.connect(self.begin)
        self.halves.mode_changed.connect(self._fit)
        self.writing.opened.connect(self._on_form)
        self.writing.ready.connect(lambda: self.show_wrong(self.form.show_error) if self.form else None)
        self.writing.closed.connect(self._on_form_gone)
        self.writing.put_aside.connect(self._on_put_aside)
        self.writing.saved.connect(self._on_saved)
        self.writing.failed.connect(self._failed)
        self.writing.danger.connect(self.danger.set_danger)

    def _fit(self) -> None:
        """Another width: one half or both, and margins to match."""
        narrow, px = self.halves.is_narrow, theme.current().px
        self.back.setVisible(narrow)
        wide, high = (px(theme.GAP_S), px(theme.GAP_S)) if narrow else (px(theme.GAP_XL), px(24))
        self._outer.setContentsMargins(wide, high, wide, high)
        if self.form is not None:
            self.view.make_room(for_fields=True, is_narrow=narrow)

    # ------------------------------------------------------------------------------------------- fields

    def _on_form(self) -> None:
        form = self.form
        if form is None:
            return
        self._content_box.insertWidget(1, form)
        self.view.setVisible(isinstance(form, StepForm))
        self.view.make_room(for_fields=True, is_narrow=self.halves.is_narrow)
        self._nothing.hide()
        self.bar.show_form(form)
        self._paint_new()
        self.halves.show_right()

    def _on_form_gone(self) -> None:
        self.bar.clear()
        if self._card is not None:
            self._show(self._card)
        else:
            self._show_nothing()

    def _on_put_aside(self) -> None:
        if self._card is None:
            self.halves.show_left()
        self.list.setFocus()

    def _on_saved(self, dispute_id: str, step: str, undoable: bool) -> None:
        self.list.choose(dispute_id)
        self._wants_bar = True
        self._read_card(dispute_id)
        advice = tr("It can be changed back today.") if undoable else ""
        self.context.hub.notice.emit(Notice(tr("Saved: {step}").format(step=step), advice, Tone.GOOD))

    def _show(self, card: DisputeCard) -> None:
        self._card = card
        self._nothing.hide()
        self.view.show()
        self.view.show_card(card, today=self._today())
        self.danger.set_danger(card.row.risk == "red" and not card.row.is_state_only)
        self.bar.show_steps(card)
        self._paint_new()

    def _show_nothing(self, text: str = "") -> None:
        self._card = None
        self.view.hide()
        self.bar.clear()
        self.danger.set_danger(False)
        set_text(self._nothing, text or tr(LESSON))
        self._paint_new()

    def _paint_new(self) -> None:
        """Exactly one blue button: noting a new one, unless something shown has a next step."""
        theme.set_role(self.new, "second" if self.form or self.bar.primary else "primary")

    def _read_card(self, dispute_id: str) -> None:
        me, calendar, now = self.context.session.account_id, self.context.rules.calendar, self.context.now()

        def read(reader: Reader) -> DisputeCard | None:
            return disputes.card(reader.db, reader.viewer(me), dispute_id, calendar=calendar, now=now)

        self.context.tasks.read(self, read, self._on_card, self._failed, key="card")

    def _on_card(self, card: DisputeCard | None) -> None:
        if self.form is not None:
            self._card = card or self._card
        elif card is None:
            self.list.choose("")
            self._show_nothing(tr("This one is not in the list any more."))
        else:
            self._show(card)
            if self._wants_bar:  # the keyboard goes to the next thing to do, not wherever Qt leaves it
                self._wants_bar = False
                (self.bar.primary or self.list).setFocus()
            wanted, self._wanted_move = self._wanted_move, ""
            if wanted in card.moves:
                self.begin(wanted)
            elif wanted == "amend" and card.may_amend:
                self.writing.begin_notice(card)

    def _on_shown(self, dispute_id: str) -> None:
        if self.form is not None and (self._card is None or self._card.row.dispute_id != dispute_id):
            self.writing.keep_now()
            self.writing.close()
        self._read_card(dispute_id)

    def _on_loaded(self, count: int) -> None:
        if self.list.wanted or self.form is not None:
            return
        if count and not self.halves.is_narrow:
            self.list.choose(self.model.id_at(0))
        elif not count:
            self._show_nothing()

    def _on_opened(self, _: str) -> None:
        self.halves.show_right()
        if self.halves.is_narrow:
            self._wants_bar = True
            (self.bar.primary or self.back).setFocus()

    def _on_shelf(self) -> None:
        self.list.choose("")
        self._show_nothing()
        self._show_counts(self._counts)
        self.reload()

    def _show_counts(self, counts: Mapping[str, int]) -> None:
        self._counts = counts
        shelves = self._shelves()
        chosen = self.shelf.value() if self.shelf.value() in shelves else shelves[0]
        self.shelf.set_options(shelf_options(shelves, counts))
        self.shelf.set_value(chosen)
        self.list.set_empty_text(tr("Nothing on file yet.") if chosen == "finished" else tr("Nothing open here."))

    def _show_frame(self, counts: Mapping[str, int], community: staff.CommunityRow) -> None:
        self._show_counts(counts)
        self.danger.set_phone(community.emergency_phone)

    def _go_to_list(self) -> None:
        if self.form is not None:
            self.writing.aside()
        self.halves.show_left()
        self.list.setFocus()

    def _shelves(self) -> tuple[str, ...]:
        session = self.context.session
        return shelves_for(session.viewer if session.is_open else None)

    def _failed(self, error: Exception) -> None:
        said, tone = words(error), Tone.WARN if isinstance(error, QiaomenError) else Tone.ALARM
        self.context.hub.notice.emit(Notice(said.title, said.advice, tone, details=said.details))

    def _today(self) -> str:
        return day_of(self.context.now())
