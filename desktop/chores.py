"""What the program does for its file by itself, in small pieces and after everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from desktop.tasks import Priority, Tasks

if TYPE_CHECKING:
    from sync.store.blanking import Mark, Piece
    from sync.store.store import Reader, Store

_LOOK_MS = 60 * 60 * 1000  # how often it is asked whether a day has passed
_BREATH_MS = 100  # between two pieces


class Chores(QObject):
    """Blanks what was deleted long ago, once a day while the file is open; lives on the UI thread."""

    def __init__(self, tasks: Tasks[Store, Reader]) -> None:
        super().__init__()
        self._tasks = tasks
        self._mark: Mark | None = None
        self._clock = QTimer(self)
        self._clock.setInterval(_LOOK_MS)
        self._clock.timeout.connect(self.look)
        self._breath = QTimer(self)
        self._breath.setSingleShot(True)
        self._breath.setInterval(_BREATH_MS)
        self._breath.timeout.connect(self._go_on)

    @property
    def is_at_work(self) -> bool:
        """Whether pieces are still to come."""
        return self._breath.isActive() or self._mark is not None

    def start(self) -> None:
        """The store is open: look now, and every hour."""
        self._clock.start()
        self.look()

    def look(self) -> None:
        """Begin, if it is due and not under way."""

        def first(store: Store) -> Mark | None:
            from sync.store import blanking

            return blanking.START if blanking.is_due(store) else None

        if self._tasks.is_open and not self.is_at_work:
            self._tasks.write(self, first, self._next, self._give_up, priority=Priority.HOUSEKEEPING)

    def _next(self, mark: Mark | None) -> None:
        self._mark = mark
        if mark is not None:
            self._breath.start()

    def _go_on(self) -> None:
        mark = self._mark
        if mark is None or not self._tasks.is_open:
            self._mark = None  # somebody else is at the gate; it begins anew when the file is open again
            return

        def piece(store: Store) -> Piece:
            from sync.store import blanking

            return blanking.go_on(store, mark)

        self._tasks.write(
            self, piece, lambda done: self._next(done.next), self._give_up, priority=Priority.HOUSEKEEPING
        )

    def _give_up(self, _: Exception) -> None:
        self._mark = None  # a full disk or a closed file; in an hour it is tried again
