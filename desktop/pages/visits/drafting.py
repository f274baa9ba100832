"""Keeps the half-filled form while it is typed, and brings it back to the very field after a crash."""

from collections.abc import Callable

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.visits.form import VisitDraft, VisitForm
from desktop.texts import words
from sync.domain.visit_facts import VisitIntent
from sync.errors import StoreError
from sync.store import drafts
from sync.store.store import Store

DRAFT_PAGE = "visits"
PAUSE_MS = 400  # of typing, before the draft is kept


class Drafting(QObject):
    """After each pause the form goes to the write lane; a form that was emptied again leaves no draft."""

    settled = Signal()  # a draft was written or dropped

    def __init__(self, context: Context, form: VisitForm, *, said: Callable[[str], object]) -> None:
        super().__init__(form)
        self._context = context
        self._form = form
        self._said = said
        self._account_id = ""
        self._key = ""
        self._fresh: VisitIntent | None = None
        self._is_dirty = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self.keep_now)

    def begin(self, account_id: str, key: str) -> None:
        """The form has just been filled afresh for this household (or visit)."""
        self._account_id, self._key = account_id, key
        self._fresh = self._form.intent()
        self.pause()

    def restore(self, draft: drafts.Draft) -> bool:
        """Show a draft; one of another version of the program is passed over: better empty than half."""
        try:
            kept = msgspec.json.decode(draft.body, type=VisitDraft)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return False
        self._form.restore(kept)
        return True

    def touch(self) -> None:
        """Something was typed; it is kept after a pause."""
        if self._key:
            self._is_dirty = True
            self._timer.start()

    def pause(self) -> None:
        """It is being saved: nothing to keep for now."""
        self._timer.stop()
        self._is_dirty = False

    def end(self) -> None:
        """The form is not shown any more."""
        self.pause()
        self._key = ""

    def keep_now(self) -> None:
        """Keep what was typed up to the last letter."""
        if not self._is_dirty:
            return
        self.pause()
        account_id, key, draft = self._account_id, self._key, self._form.draft()
        tasks = self._context.tasks
        if draft.pending is None and draft.intent == self._fresh:
            tasks.write(self, lambda store: drafts.drop(store, account_id, DRAFT_PAGE, key), self._kept, self._failed)
            return
        body = msgspec.json.encode(draft)
        tasks.write(self, lambda store: drafts.keep(store, account_id, DRAFT_PAGE, key, body), self._kept, self._failed)

    @staticmethod
    def drop_after_save(store: Store, account_id: str, key: str) -> None:
        """On the write lane: the visit is on disk; a draft too many does no harm, a visit twice would."""
        try:
            drafts.finish(store, account_id, DRAFT_PAGE, key)
        except StoreError:
            pass

    def _kept(self, _: object) -> None:
        self.settled.emit()
        self._said(tr("Kept as you type; a power cut costs nothing"))

    def _failed(self, error: Exception) -> None:
        self._is_dirty = True  # tried again with the next letter, and when the page is left
        self._said(tr("The draft is on the screen only: {reason}").format(reason=words(error).title))
