"""Who is let in: a bounded queue in front of the work, a time to come back for the others, one push a replica."""

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sync.server import metrics
from sync.server.problems import ProtocolError

WORK = "work"
GREETING = "greeting"  # with places of its own: it is cheap, and whoever greets learns how long to wait

MOST_S = 300.0  # nobody is sent away for longer; clients themselves wait five minutes at most
_FIRST_INTERVAL_S = 0.005  # what a request took on two cores, until the first ones were counted
_WEIGHT = 0.1  # of the latest answer in the mean
_RECENT_S = 10.0
_REQUESTS_A_ROUND = 4  # a greeting, a batch, two pages
_AGAIN_S = 5

_DEVICE_MS = 5  # processor time of a round of 50 records up and 200 down
_HEADROOM = 4
_LEAST_WINDOW_S = 30


def sync_window_s(installations: int, *, cores: int) -> int:
    """Seconds over which so many PCs are to spread their rounds: a quarter of the cores' time, and 30 s at least."""
    return max(_LEAST_WINDOW_S, math.ceil(_HEADROOM * installations * _DEVICE_MS / 1000 / cores))


class Admission:
    """Counts the requests that this process has whole and not answered; above ``limit`` a lane takes no more.

    Who is refused is told to come back after the queue's own time plus a random part of a spread. That begins with
    ``spread_s`` and grows with the number of those who were refused lately, since all of them come again.
    """

    def __init__(
        self,
        *,
        limit: int,
        spread_s: float,
        rng: random.Random | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._spread_s = spread_s
        self._rng = rng or random.Random()
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._waiting = {WORK: 0, GREETING: 0}
        self._interval_s = _FIRST_INTERVAL_S  # between two answers while somebody waits: service time / workers
        self._since = 0.0  # the last answer, or the arrival that ended the quiet
        self._refused = 0.0  # fades with _RECENT_S
        self._refused_at = 0.0
        self._pushing: set[tuple[str, int]] = set()

    @property
    def waiting(self) -> int:
        """Requests taken and not answered yet."""
        return sum(self._waiting.values())

    def ask(self, lane: str) -> None:
        """Raises ProtocolError 429 as ``place`` does, while it would: before the body is read. No place is taken."""
        with self._lock:
            self._mind_limit(lane)

    @contextmanager
    def place(self, lane: str) -> Iterator[None]:
        """Hold a place in the queue. Raises ProtocolError 429 ``busy`` (``retry_after_s``) at once when it is full."""
        with self._lock:
            self._mind_limit(lane)
            if not self.waiting:
                self._since = self._monotonic()
            self._waiting[lane] += 1
        metrics.waiting.labels(lane).inc()
        try:
            yield
        finally:
            metrics.waiting.labels(lane).dec()
            with self._lock:
                self._waiting[lane] -= 1
                now = self._monotonic()
                self._interval_s += _WEIGHT * (now - self._since - self._interval_s)
                self._since = now

    @contextmanager
    def turn(self, community: str, replica: int) -> Iterator[None]:
        """One push of a replica at a time in this process. Raises ProtocolError 429 while another is under way.

        Another process asks the database, which locks the replica's row.
        """
        key = (community, replica)
        with self._lock:
            if key in self._pushing:
                raise ProtocolError(429, "busy", retry_after_s=_AGAIN_S)
            self._pushing.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._pushing.discard(key)

    def _mind_limit(self, lane: str) -> None:
        if self._waiting[lane] >= self._limit:
            raise ProtocolError(429, "busy", retry_after_s=self._retry_after_s())

    def _retry_after_s(self) -> int:
        now = self._monotonic()
        self._refused = self._refused * math.exp((self._refused_at - now) / _RECENT_S) + 1
        self._refused_at = now
        spread = max(self._spread_s, self._refused * _REQUESTS_A_ROUND * self._interval_s)
        pause = self.waiting * self._interval_s + self._rng.uniform(0.0, spread)
        return max(1, math.ceil(min(MOST_S, pause)))
