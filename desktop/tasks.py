"""Work off the UI thread in three lanes: write (one thread, the store), read (one), net (two).

No widget is touched on a lane and no object of Qt is created or destroyed there; answers come back through
one long-lived QObject.
"""

import itertools
import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Generic, TypeVar

import shiboken6
from PySide6.QtCore import QCoreApplication, QObject, QThread

from desktop.lanes import OPEN, SHUT, Answer, Job, Lane, Return, Waiting, opening, shutting, with_store
from sync.errors import QiaomenError, StoreError

Touched = frozenset[tuple[str, str]]  # (kind, id)

W = TypeVar("W")  # what the write lane owns: the store
R = TypeVar("R")  # what the read lane owns: a reader
T = TypeVar("T")

log = logging.getLogger(__name__)

NET_THREADS: Final = 2


class Priority(IntEnum):
    """Order within a lane, lowest first: what a person saves goes before what the sync brings."""

    SAVE = 0
    SYNC = 10
    HOUSEKEEPING = 20


@dataclass(slots=True)
class _Asker:
    """Who asked and what to call; lives and dies on the UI thread, with the functions it was given."""

    owner: QObject | None
    then: Callable[[Any], object] | None
    fail: Callable[[Exception], object] | None
    job: Job
    slot: tuple[int, Hashable] | None
    is_write: bool


def _touched_in(result: object) -> Touched | None:
    held = result if isinstance(result, frozenset) else getattr(result, "touched", None)
    return held if isinstance(held, frozenset) and held else None


def _outcome(job: Job, subject: Any) -> Answer:
    if job.void:
        return Answer(token=job.token)
    try:
        return Answer(token=job.token, result=job.fn(subject))
    except QiaomenError as error:
        return Answer(token=job.token, error=error)
    except Exception as error:
        log.error("work failed in %s\n%s", threading.current_thread().name, traceback.format_exc())
        return Answer(token=job.token, error=error)


class Tasks(Generic[W, R]):
    """The lanes. All methods belong to the UI thread except ``write_wait``, which belongs to the net lane.

    ``on_failure`` gets, on the UI thread, every error for which the asker gave no ``fail``. ``on_touched`` gets what
    a write altered, whether or not its asker is still there: a result that is a frozenset of (kind, id), or that
    has one as its ``touched``.
    """

    def __init__(
        self, *, on_failure: Callable[[Exception], object], on_touched: Callable[[Touched], object] | None = None
    ) -> None:
        self.stopping = threading.Event()  # long work on the net lane looks at it and ends early
        self._on_failure = on_failure
        self._on_touched = on_touched
        self._tokens = itertools.count(1)
        self._askers: dict[int, _Asker] = {}
        self._latest: dict[tuple[int, Hashable], int] = {}
        self._answers: deque[Answer] = deque()
        self._waiting: set[Waiting] = set()
        self._waiting_lock = threading.Lock()
        self._is_open = False
        self._return = Return(self._deliver)

        def lane(name: str, *, threads: int) -> Lane:
            home = self._return.ring
            return Lane(name, threads=threads, outcome=_outcome, answers=self._answers, ring=home)

        self._write = lane("write", threads=1)
        self._read = lane("read", threads=1)
        self._net = lane("net", threads=NET_THREADS)

    def start(
        self,
        *,
        open_write: Callable[[], W],
        open_read: Callable[[], R],
        owner: QObject | None = None,
        then: Callable[[None], object] | None = None,
        fail: Callable[[Exception], object] | None = None,
    ) -> None:
        """Open the store on its own threads, the writer first (it migrates); ``then(None)`` when both are."""

        def write_opened(_: object) -> None:
            self._ask(self._read, opening(self._read, open_read), owner, opened, fail, priority=OPEN)

        def opened(_: object) -> None:
            self._is_open = True
            if then is not None:
                then(None)

        self._ask(self._write, opening(self._write, open_write), None, write_opened, fail, priority=OPEN)

    def shut(
        self,
        *,
        close_write: Callable[[W], object],
        close_read: Callable[[R], object],
        then: Callable[[None], object] | None = None,
    ) -> None:
        """Let both lanes finish what they have, then close the reader and after it the writer.

        In this order SQLite folds its side files into the one file. The UI thread does not wait.
        """
        self._is_open = False

        def read_shut(_: object) -> None:
            self._ask(self._write, shutting(self._write, close_write), None, then, None, priority=SHUT)

        self._ask(self._read, shutting(self._read, close_read), None, read_shut, None, priority=SHUT)

    def close(
        self,
        *,
        close_write: Callable[[W], object] | None = None,
        close_read: Callable[[R], object] | None = None,
        net_timeout_s: float = 3.0,
    ) -> None:
        """End of the program: net first, then the reader, then the writer with everything still to be saved.

        Blocks until the last save is on disk; a net thread that hangs in a request is left behind.
        """
        self.stopping.set()
        self._is_open = False
        self._net.void()
        self._net.stop()
        for thread in self._net.threads:
            thread.join(net_timeout_s)
        self._return.silence()
        self._read.void()
        self._finish(self._read, close_read)
        self._finish(self._write, close_write)
        self._release_waiting()
        while self._answers:
            self._deliver_one()

    @property
    def is_open(self) -> bool:
        """Whether both store lanes have their object."""
        return self._is_open

    @property
    def pending(self) -> int:
        """How many answers are still to come; 0 means that all is quiet."""
        return len(self._askers)

    def write(
        self,
        owner: QObject | None,
        fn: Callable[[W], T],
        then: Callable[[T], object] | None = None,
        fail: Callable[[Exception], object] | None = None,
        *,
        priority: Priority = Priority.SAVE,
    ) -> None:
        """Run ``fn(store)`` on the write lane, then ``then(result)`` here unless ``owner`` is gone."""
        self._ask(self._write, with_store(fn), owner, then, fail, priority=priority)

    def read(
        self,
        owner: QObject | None,
        fn: Callable[[R], T],
        then: Callable[[T], object] | None = None,
        fail: Callable[[Exception], object] | None = None,
        *,
        key: Hashable | None = None,
    ) -> None:
        """Run ``fn(reader)`` on the read lane; a later request of the owner with this key voids it."""
        self._ask(self._read, with_store(fn), owner, then, fail, priority=Priority.SAVE, key=key)

    def net(
        self,
        owner: QObject | None,
        fn: Callable[[], T],
        then: Callable[[T], object] | None = None,
        fail: Callable[[Exception], object] | None = None,
    ) -> None:
        """Run ``fn()`` on one of the net threads: requests, key derivation, files, printing."""
        self._ask(self._net, lambda _: fn(), owner, then, fail, priority=Priority.SAVE)

    def write_wait(self, fn: Callable[[W], T], *, priority: Priority = Priority.SYNC) -> T:
        """For work on the net lane: run ``fn(store)`` on the write lane and wait for its result or error.

        Hand over batches of about 200 records, so that a person's save waits for one batch at most.
        """
        if not self._net.is_current():
            raise RuntimeError("write_wait belongs to the net lane; on the UI thread use write()")
        waiting = Waiting(with_store(fn), outcome=_outcome)
        with self._waiting_lock:
            if self.stopping.is_set():
                raise StoreError("not_open")
            self._waiting.add(waiting)
        self._write.put(Job(fn=waiting, token=0), priority=priority)
        waiting.done.wait()
        with self._waiting_lock:
            self._waiting.discard(waiting)
        if waiting.answer.error is not None:
            raise waiting.answer.error
        result: T = waiting.answer.result
        if _touched_in(result):
            self._answers.append(Answer(token=0, result=result))
            self._return.ring()
        return result

    def _ask(
        self,
        lane: Lane,
        fn: Callable[[Any], Any],
        owner: QObject | None,
        then: Callable[[Any], object] | None,
        fail: Callable[[Exception], object] | None,
        *,
        priority: int,
        key: Hashable | None = None,
    ) -> None:
        app = QCoreApplication.instance()
        if app is not None and QThread.currentThread() is not app.thread():
            raise RuntimeError("only the UI thread hands out work; a lane returns plain values")
        job = Job(fn=fn, token=next(self._tokens))
        slot = None if key is None else (id(owner), key)
        if slot is not None:
            earlier = self._askers.get(self._latest.get(slot, 0))
            if earlier is not None:
                earlier.job.void = True
            self._latest[slot] = job.token
        self._askers[job.token] = _Asker(
            owner=owner, then=then, fail=fail, job=job, slot=slot, is_write=lane is self._write
        )
        self._return.expect()
        lane.put(job, priority=priority)

    def _deliver(self) -> None:
        try:
            self._deliver_one()
        finally:
            if not self._askers and not self._answers:
                self._return.rest()

    def _deliver_one(self) -> None:
        """On the UI thread: bring one answer home; each rang once, so a flood leaves room for keys."""
        if not self._answers:
            return
        answer = self._answers.popleft()
        asker = self._askers.pop(answer.token, None)
        touched = _touched_in(answer.result) if asker is None or asker.is_write else None
        if touched and self._on_touched is not None:
            self._on_touched(touched)
        if asker is None:
            return
        if asker.slot is not None and self._latest.get(asker.slot) == answer.token:
            del self._latest[asker.slot]
        if asker.job.void or (asker.owner is not None and not shiboken6.isValid(asker.owner)):
            return
        if answer.error is not None:
            (asker.fail or self._on_failure)(answer.error)
        elif asker.then is not None:
            asker.then(answer.result)

    def _finish(self, lane: Lane, closer: Callable[[Any], object] | None) -> None:
        if closer is not None:
            lane.put(Job(fn=shutting(lane, closer), token=0), priority=SHUT)
        lane.stop()
        for thread in lane.threads:
            thread.join()

    def _release_waiting(self) -> None:
        with self._waiting_lock:
            left, self._waiting = self._waiting, set()
        for waiting in left:
            waiting.answer = Answer(token=0, error=StoreError("not_open"))
            waiting.done.set()
