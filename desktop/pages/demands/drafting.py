"""Keeps the texts of an open form while they are typed, so that a half-filled one is offered again."""

from collections.abc import Callable, Mapping

import msgspec
from PySide6.QtCore import QObject, QTimer

from desktop.context import Context
from sync.store import drafts
from sync.store.drafts import Draft

KEEP_AFTER_MS = 500  # of a pause in typing

Values = Mapping[str, str]


class Drafting(QObject):
    """One form at a time; ``failed`` is told when a draft could not be kept."""

    def __init__(self, context: Context, page: str, *, failed: Callable[[Exception], None], parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._page = page
        self._failed = failed
        self._account_id = ""
        self._key = ""
        self._values: Callable[[], Values] = dict
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(KEEP_AFTER_MS)
        self._timer.timeout.connect(self.keep_now)

    def begin(self, key: str, values: Callable[[], Values]) -> None:
        """A form is open: ``values`` gives its texts by field."""
        self.end()
        self._account_id = self._context.session.account_id
        self._key, self._values = key, values

    def touch(self) -> None:
        """Something was typed; it is kept after a pause."""
        if self._key:
            self._timer.start()

    def pause(self) -> None:
        """It is being saved: nothing to keep for now."""
        self._timer.stop()

    def end(self) -> None:
        """The form is closed."""
        self._timer.stop()
        self._key = ""

    def keep_pending(self) -> None:
        """The page is left: keep what was typed since the last pause."""
        if self._timer.isActive():
            self.keep_now()

    def keep_now(self) -> None:
        """Keep the form as it stands."""
        self._timer.stop()
        if not self._key:
            return
        me, page, key = self._account_id, self._page, self._key
        body = msgspec.json.encode(self._values())
        self._context.tasks.write(self, lambda store: drafts.keep(store, me, page, key, body), fail=self._failed)


def texts_of(draft: Draft) -> Values:
    """The texts of a draft; none when another version of the program wrote it: better empty than half."""
    try:
        return msgspec.json.decode(draft.body, type=dict[str, str])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return {}
