"""When to sync next: spread at random so that stations do not all call at once, later after each failure."""

import random
from dataclasses import dataclass

from sync.client.api import backoff_s
from sync.errors import ServerTrouble, SyncError

EVERY_S = 15 * 60  # the routine session
SOON_S = 5.0  # after a save, so that a run of saves goes in one batch
WINDOW_S = 30.0  # the window in which the first session of the day starts, until the server announces one


@dataclass(frozen=True, slots=True)
class Due:
    """How long to wait, in seconds, and why: routine, saved, retry or asked."""

    in_s: float
    why: str


class Schedule:
    """A pure calculator; who holds the timer asks it. ``window_s`` is what the server announced."""

    def __init__(self, *, rng: random.Random | None = None, window_s: float = WINDOW_S) -> None:
        self._rng = rng or random.Random()
        self.window_s = window_s
        self._failures = 0
        self._asked_s = 0.0  # the server's own wish, while failures go on

    def first(self) -> Due:
        """After unlocking: anywhere within the window."""
        return Due(self._rng.uniform(0.0, self.window_s), "routine")

    def after_success(self) -> Due:
        """The routine pause, a fifth more or less."""
        self._failures, self._asked_s = 0, 0.0
        return Due(EVERY_S * self._rng.uniform(0.8, 1.2), "routine")

    def after_failure(self, error: SyncError) -> Due:
        """Longer each time, never giving up; the server's own Retry-After is honoured, spread by half."""
        self._failures += 1
        self._asked_s = float(error.params.get("retry_after_s", 0.0)) if isinstance(error, ServerTrouble) else 0.0
        return self._retry()

    def after_save(self) -> Due:
        """Soon after something was saved; while the line is away, the pause of the last failure goes on."""
        if self._failures:
            return self._retry()
        return Due(SOON_S * self._rng.uniform(0.6, 1.4), "saved")

    def _retry(self) -> Due:
        pause = backoff_s(self._failures, rng=self._rng)
        return Due(max(pause, self._asked_s * self._rng.uniform(1.0, 1.5)), "retry")
