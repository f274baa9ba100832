"""Work with the centre that must not run beside a sync session: by stick, or a download of everything begun anew."""

from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject

from desktop.tasks import Tasks

T = TypeVar("T")


class Aside:
    """Lets in one after the other, each when no session runs; lives on the UI thread.

    ``is_taken`` says whether a session runs, ``make_room`` asks it to end, ``after`` is told when nobody else waits.
    """

    def __init__(
        self,
        tasks: Tasks[Any, Any],
        *,
        is_taken: Callable[[], bool],
        make_room: Callable[[], object],
        after: Callable[[], object],
    ) -> None:
        self._tasks = tasks
        self._is_taken = is_taken
        self._make_room = make_room
        self._after = after
        self._waiting: deque[Callable[[], None]] = deque()
        self.is_busy = False

    def run(
        self,
        owner: QObject,
        work: Callable[[], T],
        then: Callable[[T], object],
        fail: Callable[[Exception], object],
    ) -> None:
        """Run ``work`` on the net lane as soon as it may; ``then`` or ``fail`` follow unless ``owner`` is gone."""

        def home(tell: Callable[[Any], object]) -> Callable[[Any], None]:
            def take(answer: Any) -> None:
                self.is_busy = False
                if shiboken6.isValid(owner):
                    tell(answer)
                if not self._is_taken() and not self.let_in():
                    self._after()

            return take

        # No owner for the lanes: that the work has ended has to be heard even when whoever asked for it is gone.
        self._waiting.append(lambda: self._tasks.net(None, work, home(then), home(fail)))
        if self._is_taken():
            self._make_room()
        else:
            self.let_in()

    def let_in(self) -> bool:
        """Nobody runs: begin the next that waits, if there is one; whether somebody is in now."""
        if self._waiting and not self.is_busy:
            self.is_busy = True
            self._waiting.popleft()()
        return self.is_busy
