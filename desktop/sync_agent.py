"""Runs sync sessions on the net lane while people work, and tells the window how things stand.

Being without a line is a state, not an error: nothing pops up, the count of what waits is always in view.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from desktop.aside import Aside
from desktop.hub import Hub
from desktop.sync_status import Phase, Status
from desktop.tasks import Tasks
from sync.errors import Offline, QiaomenError, Refused, ServerTrouble, SyncError

if TYPE_CHECKING:
    from sync.client.api import HttpClient
    from sync.client.session import Outcome, Progress
    from sync.store.standing import Standing
    from sync.store.store import Reader, Store, Touched
Connect = Callable[[str], "HttpClient"]

# What shows how far its records have come: read again when some of them have gone out or come back.
_PROGRESS = ("sent", "to_send", "received", "to_receive", "seconds_left", "usable")
_BADGED = frozenset((kind, "") for kind in ("household", "visit", "demand", "dispute"))


class SyncAgent(QObject):
    """Lives on the UI thread; a session runs on the net lane and hands its pieces to the write lane.

    ``connect`` opens an HTTP client for a server's address; tests hand in one that talks to a server in process.
    ``account`` says who works here now: what that person needs is received first.
    """

    _rang = Signal()

    def __init__(
        self,
        tasks: Tasks[Store, Reader],
        hub: Hub,
        *,
        now: Callable[[], int],
        connect: Connect | None = None,
        rng: random.Random | None = None,
        account: Callable[[], str] = lambda: "",
    ) -> None:
        super().__init__()
        self._tasks = tasks
        self._hub = hub
        self._now = now
        self._connect = connect
        self._rng = rng or random.Random()
        self._account = account
        self._schedule: Any = None
        self.status = Status()
        self._stop = threading.Event()
        self._is_running = False
        self._from_session = False
        self._again = False
        # What comes by stick must not cross what comes by line: a session ends for it, and goes on afterwards.
        self.aside = Aside(tasks, is_taken=lambda: self._is_running, make_room=self._make_room, after=self._after_aside)
        self._offset = 0  # of this PC's clock, as last seen by the session or read from the file
        self._news: deque[Progress | Touched] = deque()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._begin)
        self._rang.connect(self._hear, Qt.ConnectionType.QueuedConnection)
        hub.touched.connect(self._touched)

    # ------------------------------------------------------------------------------------------- from outside

    @property
    def clock_offset(self) -> int:
        """Milliseconds to add to this PC's clock, as far as the server has taught."""
        return self._offset

    def start(self, *, at_once: bool = False) -> None:
        """The store is open: count what waits, and plan the first session, or begin it at once."""
        if self.status.phase is Phase.PAUSED:
            return
        self._count(then=self._begin if at_once else self._plan_first)

    def stop(self) -> None:
        """End what runs at the next piece; the program is closing."""
        self._stop.set()
        self._timer.stop()

    def sync_now(self) -> None:
        """A person asked for it; a session that was told to stop, and has not yet, goes on."""
        self._timer.stop()
        self._stop.clear()
        if self.status.phase is Phase.PAUSED:
            self._show(phase=Phase.SYNCING if self._is_running else Phase.IDLE)
        self._begin()

    def pause(self) -> None:
        """Stop at the next piece and stay so until ``sync_now``; nothing is lost by it."""
        self._stop.set()
        self._timer.stop()
        self._show(phase=Phase.PAUSED)

    def download_again(self) -> None:
        """Everything is received once more from the server, and compared; what is not sent is not touched."""
        from sync.store import merging

        self.aside.run(
            self,
            lambda: self._tasks.write_wait(merging.begin_sweep),
            lambda _: self.sync_now(),
            lambda error: self._show(phase=Phase.TROUBLE, code=_code_of(error)),
        )

    def recount(self) -> None:
        """What waits or was refused changed by another hand than a save: count again."""
        self._count()

    # ------------------------------------------------------------------------------------------- one session

    def _plan_first(self) -> None:
        if self.status.phase is Phase.OFF or self._is_running or self._timer.isActive():
            return
        self._wait(self._schedule_of().first().in_s)

    def _wait(self, seconds: float) -> None:
        if self.status.phase is not Phase.PAUSED:
            self._timer.start(round(seconds * 1000))

    def _begin(self) -> None:
        if self._is_running or self.aside.is_busy:
            self._again = True
            return
        if self.status.phase is Phase.OFF or not self._tasks.is_open:
            return
        self._is_running = True
        self._stop.clear()
        self._show(phase=Phase.SYNCING, code="", **{name: getattr(Status(), name) for name in _PROGRESS})
        self._tasks.net(self, self._run, self._done, self._failed)

    def _run(self) -> Outcome:
        """On the net lane."""
        from sync.client.api import Api, open_client
        from sync.client.blobs import Transfers
        from sync.client.session import Session

        state = self._tasks.write_wait(lambda store: store.state)
        if not state.installation_id:
            raise Refused("not_enrolled")
        with (self._connect or open_client)(state.server_url) as http, ThreadPoolExecutor(1, "ahead") as beside:
            self._offset = state.clock_offset
            api = Api.of_store(http, state, now_s=lambda: (self._now() + self._offset) // 1000)
            outcome = Session(
                self._call,
                api,
                wall=self._now,
                first=lambda store: _needed(store, self._account()),
                on_progress=self._ring,
                on_touched=self._ring,
                stop=self._is_stopping,
                beside=beside,
            ).run()
            if not outcome.stopped:
                with suppress(SyncError):  # files wait for a better line; the round itself is done
                    Transfers(self._call, api, stop=lambda: self._again or self._is_stopping()).run()
            return outcome

    def _is_stopping(self) -> bool:
        return self._stop.is_set() or self._tasks.stopping.is_set()

    def _call(self, fn: Callable[[Store], Any], /) -> Any:
        def with_offset(store: Store) -> tuple[Any, int]:
            return fn(store), store.state.clock_offset

        result, self._offset = self._tasks.write_wait(with_offset)
        return result

    def _ring(self, news: Progress | Touched) -> None:
        self._news.append(news)
        self._rang.emit()

    def _hear(self) -> None:
        while self._news:
            news = self._news.popleft()
            if isinstance(news, frozenset):
                self._tell(news)
            elif self._is_running:
                if news.sent != self.status.sent:
                    self._count()  # what waits is always told as it is
                self._show(**{name: getattr(news, name) for name in _PROGRESS})

    def _tell(self, touched: Touched) -> None:
        self._from_session = True
        self._hub.touched.emit(touched)
        self._from_session = False

    def _done(self, outcome: Outcome) -> None:
        self._is_running = False
        self._hear()
        if self.status.phase is not Phase.PAUSED:
            self._show(phase=Phase.IDLE)
        if outcome.pushed or outcome.refused:
            self._tell(_BADGED)
        self._count()
        if self.aside.let_in():
            return
        again, self._again = self._again, False
        # One that was cut short, and then asked for again, has work left; one that was told to stop has not.
        self._wait(0.0 if again and not self._is_stopping() else self._schedule_of().after_success().in_s)

    def _failed(self, error: Exception) -> None:
        self._is_running = False
        self._hear()
        self._again = self.aside.let_in()  # after it, it is tried once more
        if self.status.phase is Phase.PAUSED:
            return
        code = _code_of(error)
        if isinstance(error, ServerTrouble) and code == "busy":
            code = "server_busy"  # the file on this PC can be busy, too, and is spoken of in other words
        self._show(phase=Phase.WAITING if isinstance(error, Offline) else Phase.TROUBLE, code=code)
        self._count()
        kind = error if isinstance(error, SyncError) else SyncError(code)
        self._wait(self._schedule_of().after_failure(kind).in_s)

    def _make_room(self) -> None:
        self._again = True
        self._stop.set()

    def _after_aside(self) -> None:
        if self._again and self.status.phase is not Phase.PAUSED:
            self._again = False
            self._begin()

    def _schedule_of(self) -> Any:
        if self._schedule is None:
            from sync.client.schedule import Schedule

            self._schedule = Schedule(rng=self._rng)
        return self._schedule

    # ------------------------------------------------------------------------------------------- how things stand

    def _touched(self, _: Touched) -> None:
        if self._from_session or not self._tasks.is_open:
            return
        self._count()
        if self.status.phase in (Phase.IDLE, Phase.SYNCING) and not self._is_running:
            self._wait(self._schedule_of().after_save().in_s)
        elif self._is_running:
            self._again = True

    def _count(self, then: Callable[[], None] | None = None) -> None:
        def show(counts: Standing) -> None:
            phase = self.status.phase
            if not counts.is_enrolled:
                phase = Phase.OFF
            elif phase is Phase.OFF:
                phase = Phase.IDLE
            self._offset = counts.clock_offset
            told = {name: getattr(counts, name) for name in ("unsent", "refused", "to_decide", "handed")}
            self._show(phase=phase, last_success_at=counts.synced_at, **told)
            if then is not None:
                then()

        def read(reader: Reader) -> Standing:
            from sync.store.standing import standing

            return standing(reader, self._account())

        self._tasks.read(self, read, show, key="counts")

    def _show(self, **changes: Any) -> None:
        status = replace(self.status, **changes)
        if status != self.status:
            self.status = status
            self._hub.sync_state.emit(status)


def _code_of(error: Exception) -> str:
    return error.code if isinstance(error, QiaomenError) else "bug"


def _needed(store: Store, account_id: str) -> tuple[str, ...]:
    return store.viewer(account_id).streams_by_need() if account_id else ()
