"""The threads under the three lanes: a priority queue, its workers, and the way home to the UI thread."""

import itertools
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import PriorityQueue
from typing import Any, Final, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from sync.errors import StoreError

T = TypeVar("T")

OPEN: Final = -1
SHUT: Final = 1000
STOP: Final = 1001
WATCH_MS: Final = 50


@dataclass(slots=True)
class Job:
    """One piece of work; ``token`` finds the asker again, who stays on the UI thread."""

    fn: Callable[..., Any]
    token: int
    void: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    token: int
    result: Any = None
    error: Exception | None = None


class Return(QObject):
    """The one bridge home: a queued signal without a load, so nothing is freed on the wrong thread.

    While something is expected a slow timer looks too: on a busy PC a ring from a thread of Python's was seen to
    get lost (PySide6 6.8.3, about one in some ten thousand), and an answer must not wait for the next one.
    """

    ready = Signal()

    def __init__(self, deliver: Callable[[], None]) -> None:
        super().__init__()
        self._deliver = deliver
        self._is_silent = False
        self._lock = threading.Lock()
        self.ready.connect(self._on_ready, Qt.ConnectionType.QueuedConnection)
        self._watch = QTimer(self)
        self._watch.setInterval(WATCH_MS)
        self._watch.timeout.connect(self._on_ready)

    def ring(self) -> None:
        """From any thread: an answer has come."""
        with self._lock:
            if not self._is_silent:
                self.ready.emit()

    def silence(self) -> None:
        """The end: a thread that is left behind in a request must not touch this object, which will soon be gone."""
        with self._lock:
            self._is_silent = True

    def expect(self) -> None:
        """Something was handed out: look from time to time until it is home."""
        if not self._watch.isActive():
            self._watch.start()

    def rest(self) -> None:
        """All is home."""
        self._watch.stop()

    @Slot()
    def _on_ready(self) -> None:
        self._deliver()


class Lane:
    """A priority queue, its threads and the one object they work with."""

    def __init__(
        self,
        name: str,
        *,
        threads: int,
        outcome: Callable[[Job, Any], Answer],
        answers: deque[Answer],
        ring: Callable[[], None],
    ) -> None:
        self.subject: Any = None
        self._outcome = outcome
        self._answers = answers
        self._ring = ring
        self._numbers = itertools.count()
        self._queue: PriorityQueue[tuple[int, int, Job | None]] = PriorityQueue()
        self.threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self.threads:
            thread.start()

    def put(self, job: Job | None, *, priority: int) -> None:
        self._queue.put((priority, next(self._numbers), job))

    def stop(self) -> None:
        for _ in self.threads:
            self.put(None, priority=STOP)

    def void(self) -> None:
        """Pass over what has not begun."""
        with self._queue.mutex:
            for _, _, job in self._queue.queue:
                if job is not None:
                    job.void = True

    def is_current(self) -> bool:
        return threading.current_thread() in self.threads

    def _run(self) -> None:
        while True:
            job = self._queue.get()[2]
            if job is None:
                return
            answer = self._outcome(job, self.subject)
            # From here on only the UI thread may hold the last name for the job and its answer: what they
            # close over can be a widget, and a widget must not be freed on this thread.
            del job
            if answer.token == 0:
                continue
            self._answers.append(answer)
            del answer
            self._ring()


class Waiting:
    """A function handed to the write lane by a net thread that waits for the outcome."""

    __slots__ = ("_fn", "_outcome", "answer", "done")

    def __init__(self, fn: Callable[[Any], Any], *, outcome: Callable[[Job, Any], Answer]) -> None:
        self._fn = fn
        self._outcome = outcome
        self.done = threading.Event()
        self.answer = Answer(token=0)

    def __call__(self, subject: Any) -> None:
        self.answer = self._outcome(Job(fn=self._fn, token=0), subject)
        self.done.set()


def opening(lane: Lane, factory: Callable[[], object]) -> Callable[[Any], None]:
    """Work that gives the lane its object."""

    def on_lane(_: Any) -> None:
        lane.subject = factory()

    return on_lane


def shutting(lane: Lane, closer: Callable[[Any], object]) -> Callable[[Any], None]:
    """Work that takes the lane's object away and closes it."""

    def on_lane(subject: Any) -> None:
        lane.subject = None
        if subject is not None:
            closer(subject)

    return on_lane


def with_store(fn: Callable[[Any], T]) -> Callable[[Any], T]:
    """Work that needs the lane's object; without one it fails with ``not_open``."""

    def on_lane(subject: Any) -> T:
        if subject is None:
            raise StoreError("not_open")
        return fn(subject)

    return on_lane
