"""The way back: to the page one left, and after a restart to the form that was begun."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from desktop import last_place
from desktop.context import Context
from desktop.last_place import LastPlace
from desktop.window import Window

if TYPE_CHECKING:
    from sync.store.drafts import Draft

HOME: tuple[str, dict[str, Any]] = ("today", {})


@dataclass(frozen=True, slots=True)
class _Left:
    """Where somebody was when the screen was hidden."""

    account_id: str
    page: str
    target: dict[str, Any]


class Returning(QObject):
    """Remembers where the person is; the small file behind it holds a page's name and ids, nothing that was typed."""

    def __init__(self, context: Context, window: Window) -> None:
        super().__init__()
        self._context = context
        self._window = window
        self._filing = threading.Lock()  # the file is written by whichever net thread is free
        self._left: _Left | None = None
        self._before = last_place.read(context.paths.state_file)  # of the run before this one
        self.account_id = self._before.account_id if self._before else ""  # who was here last
        window.page_shown.connect(self._keep)

    def note_leaving(self) -> None:
        """The screen is about to be hidden."""
        place = self._window.place
        self.account_id = self._context.session.account_id
        if place is not None:
            self._left = _Left(self.account_id, *place)

    def go_on(self) -> None:
        """Somebody unlocked: back to the page this person left, else 今日, or the form begun before a restart."""
        self.account_id = self._context.session.account_id
        left, before = self._left, self._before
        self._left = self._before = None
        if left is not None and left.account_id == self.account_id:
            self._window.navigate(left.page, **left.target)
            return
        self._window.navigate(HOME[0])
        if left is None and before is not None and before.account_id == self.account_id:
            self._resume(before)

    def _resume(self, before: LastPlace) -> None:
        from sync.store import drafts

        viewer = self._context.session.viewer

        def found(begun: tuple[Draft, ...]) -> None:
            if self._window.place == HOME and any(draft.page == before.page for draft in begun):
                self._window.navigate(before.page, **before.target)

        self._context.tasks.read(self, lambda reader: drafts.begun(reader.db, viewer), found)

    def _keep(self) -> None:
        place, session = self._window.place, self._context.session
        if place is None or not session.is_open:
            return
        name, target = place
        kept = LastPlace(account_id=session.account_id, page=name, target=last_place.plain(target))
        path, lock = self._context.paths.state_file, self._filing

        def keep() -> None:
            with lock:
                last_place.keep(path, kept)

        self._context.tasks.net(None, keep)
