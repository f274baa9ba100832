"""What is being entered about a dispute: the fields, their draft, saving, and what is wrong beside the field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.disputes.fields_box import FieldsBox
from desktop.pages.disputes.form import NoticeForm
from desktop.pages.disputes.sides import SideField
from desktop.pages.disputes.steps import FIELDS, StepForm
from desktop.pages.page import Touched
from desktop.texts import sentence
from desktop.widgets.ask import Question
from desktop.widgets.search_field import SearchResult
from desktop.words.disputes import MOVES, STEPS, word
from sync.domain.calendar import day_of
from sync.domain.dispute_moves import DisputeMove
from sync.domain.dispute_undo import UNDOABLE
from sync.domain.disputes import offered_categories
from sync.errors import RuleError
from sync.store import disputes, drafts, search
from sync.store.demand_rows import place_name
from sync.store.demands import Choice
from sync.store.disputes import DisputeCard, Noted
from sync.store.store import Reader, Store

_KEEP_AFTER_MS: Final = 500
_DRAFT_PAGE: Final = "disputes"
_NEW: Final = "new"
_HITS: Final = 8


@dataclass(frozen=True, slots=True)
class _Begun:
    """What is read before fields are opened."""

    draft: Mapping[str, str]
    mediators: tuple[Choice, ...] = ()
    room: str = ""


class Writing(QObject):
    """At most one set of fields is open at a time; the page shows ``form`` where it wants it."""

    opened = Signal()
    ready = Signal()  # it has the keyboard
    closed = Signal()  # nothing is open any more
    put_aside = Signal()  # the person left the fields; their draft is kept
    saved = Signal(str, str, bool)  # the dispute, what was saved, whether it can be taken back
    failed = Signal(object)  # an error that no field can show
    danger = Signal(bool)

    def __init__(self, context: Context, page: QWidget) -> None:
        super().__init__(page)
        self._context = context
        self._page = page
        self._key = ""
        self.form: FieldsBox | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_KEEP_AFTER_MS)
        self._pause.timeout.connect(self.keep_now)

    def begin_notice(self, known: DisputeCard | None = None, *, household_id: str = "") -> None:
        """Open the fields of a new note, or of a known one to put it right; a draft is offered again."""
        viewer, key = self._context.session.viewer, _NEW
        if known is not None:
            key = f"{known.row.dispute_id}:amend"

        def read(reader: Reader) -> _Begun:
            room = disputes.room_of(reader.db, viewer, household_id) if household_id else ""
            return _Begun(_texts(drafts.find(reader.db, viewer, _DRAFT_PAGE, key)), room=room)

        def arrived(begun: _Begun) -> None:
            categories = self._context.rules.dispute_categories
            form = NoticeForm(categories, offered_categories(viewer, categories), today=self._today)
            form.side_typed.connect(self._find_side)
            form.danger_changed.connect(self.danger)
            form.begin(tr("Put it right") if known is not None else tr("A dispute noticed"), known)
            form.set_values(begun.draft)
            if begun.room:
                form.place.set_side(begun.room, household_id)
            form.saved.connect(lambda: self._save_notice(form, known))
            self._open(form, key)

        self._context.tasks.read(self._page, read, arrived, self.failed.emit, key="form")

    def begin_step(self, card: DisputeCard, move: str) -> None:
        """Make a step that needs nothing at once; open the fields of one that does."""
        viewer, dispute_id = self._context.session.viewer, card.row.dispute_id
        key = f"{dispute_id}:{move}"
        if move not in FIELDS:
            self._ask(move, lambda: self._send(dispute_id, move, DisputeMove(), key))
            return

        def read(reader: Reader) -> _Begun:
            people = disputes.mediators(reader.db, viewer, dispute_id)
            return _Begun(_texts(drafts.find(reader.db, viewer, _DRAFT_PAGE, key)), mediators=people)

        def arrived(begun: _Begun) -> None:
            known = {
                "risk": card.row.risk,
                "category": card.row.category,
                "mediator_ids": viewer.account_id,
                "handed_to": tr("The party branch") if move == "ask_for_help" else "",
            }
            form = StepForm(
                move,
                categories=self._context.rules.dispute_categories,
                mediators=begun.mediators,
                today=self._today,
                known={**known, **begun.draft},
            )

            def save() -> None:
                if form.is_ready():  # what is missing is said before anything is asked
                    self._ask(move, lambda: self._send(dispute_id, move, form.intent(), key))

            form.saved.connect(save)
            self._open(form, key)

        self._context.tasks.read(self._page, read, arrived, self.failed.emit, key="form")

    def take_back(self, dispute_id: str, event_id: str) -> None:
        """Undo an own step of today."""
        me, say = self._context.session.account_id, tr("Changed back")
        self._context.tasks.write(
            self._page,
            lambda store: disputes.take_back(store, me, dispute_id, event_id),
            lambda _: self.saved.emit(dispute_id, say, False),
            self.failed.emit,
        )

    def aside(self) -> None:
        """Leave the fields; what is in them is offered again next time."""
        self.keep_now()
        self.close()
        self.put_aside.emit()

    def close(self) -> None:
        """Take the fields away."""
        self._pause.stop()
        form, self.form = self.form, None
        if form is not None:
            form.hide()
            form.setParent(None)
            form.deleteLater()
            self.closed.emit()

    def keep_now(self) -> None:
        """Keep the draft at once."""
        self._pause.stop()
        if self.form is None:
            return
        me, key, body = self._context.session.account_id, self._key, msgspec.json.encode(self.form.values())
        self._context.tasks.write(
            self._page, lambda store: drafts.keep(store, me, _DRAFT_PAGE, key, body), fail=self.failed.emit
        )

    def keep_if_waiting(self) -> None:
        """Keep what was typed since the last time, when the page is left."""
        if self._pause.isActive():
            self.keep_now()

    # ------------------------------------------------------------------------------------------- inside

    def _open(self, form: FieldsBox, key: str) -> None:
        self.close()
        self.form, self._key = form, key
        form.changed.connect(self._pause.start)
        form.cancelled.connect(self.aside)
        self.opened.emit()
        form.focus_first()
        self.ready.emit()

    def _save_notice(self, form: NoticeForm, known: DisputeCard | None) -> None:
        if not form.is_ready():
            return
        me, intent, sides, key = self._context.session.account_id, form.intent(), form.sides(), self._key
        self._pause.stop()
        form.save.setEnabled(False)

        def write(store: Store) -> Noted:
            if known is None:
                noted = disputes.record(store, me, intent, sides)
            else:
                dispute_id = known.row.dispute_id
                noted = Noted(disputes.change(store, me, dispute_id, intent, sides), dispute_id)
            drafts.finish(store, me, _DRAFT_PAGE, key)
            return noted

        def done(noted: Noted) -> None:
            self.close()
            self.saved.emit(noted.dispute_id, tr("A dispute noticed"), known is None)

        self._context.tasks.write(self._page, write, done, self._refused)

    def _ask(self, move: str, then: Callable[[], object]) -> None:
        """Only what can't be undone asks first."""
        if move in UNDOABLE:
            then()
            return
        name = word(MOVES, move)
        question = Question(name, tr("This can't be changed back afterwards."), yes=name)
        self._context.ask.confirm(self._page, question, then)

    def _send(self, dispute_id: str, move: str, intent: DisputeMove, key: str) -> None:
        me = self._context.session.account_id
        self._pause.stop()
        if self.form is not None:
            self.form.save.setEnabled(False)

        def write(store: Store) -> Touched:
            touched = disputes.step(store, me, dispute_id, move, intent)
            drafts.finish(store, me, _DRAFT_PAGE, key)
            return touched

        def done(_: Touched) -> None:
            self.close()
            self.saved.emit(dispute_id, word(STEPS, move), move in UNDOABLE)

        self._context.tasks.write(self._page, write, done, self._refused)

    def _refused(self, error: Exception) -> None:
        """A rule said no: beside its field when the form has it; everything typed stays."""
        if self.form is not None:
            self.form.save.setEnabled(True)
            if isinstance(error, RuleError) and self.form.show_error(error.field, sentence(error)):
                return
            self.keep_now()
        self.failed.emit(error)

    def _find_side(self, field: SideField, text: str) -> None:
        viewer = self._context.session.viewer

        def found(hits: tuple[search.Hit, ...]) -> None:
            if self.form is None:
                return
            shown: dict[str, SearchResult] = {}
            for hit in hits:
                room = place_name("household", "", hit.building, hit.unit, hit.room_no)
                shown.setdefault(hit.household_id, SearchResult(hit.household_id, room, hit.name))
            field.set_results(text, tuple(shown.values()))

        self._context.tasks.read(
            self._page,
            lambda reader: search.find(reader.db, viewer, text, limit=_HITS),
            found,
            self.failed.emit,
            key="side",
        )

    def _today(self) -> date:
        return date.fromisoformat(day_of(self._context.now()))


def _texts(draft: drafts.Draft | None) -> dict[str, str]:
    """A draft's fields; one that another version of the program wrote is passed over."""
    try:
        return msgspec.json.decode(draft.body, type=dict[str, str]) if draft is not None else {}
    except (msgspec.DecodeError, msgspec.ValidationError):
        return {}
