"""How far a session is, and how long it will take: counts, and the pace of the last requests, smoothed."""

import time
from collections.abc import Callable
from dataclasses import dataclass

_WEIGHT = 0.4  # of the latest request in the pace


@dataclass(frozen=True, slots=True)
class Progress:
    """Operations sent of all that waited, rows received of about so many.

    ``usable``: the streams that are needed first are here. ``seconds_left`` is None until a pace is known.
    """

    sent: int = 0
    to_send: int = 0
    received: int = 0
    to_receive: int = 0
    usable: bool = False
    seconds_left: float | None = None


class Meter:
    """Counts what a session does; ``tick`` is a clock in seconds that only goes forward."""

    def __init__(self, on_progress: Callable[[Progress], None], *, tick: Callable[[], float] = time.monotonic) -> None:
        self._on_progress = on_progress
        self.tick = tick
        self.pushed = 0
        self.pulled = 0
        self.refused = 0
        self.conflicts = 0
        self.to_send = 0
        self.to_receive = 0
        self.usable = False
        self._seconds_each = {"push": 0.0, "pull": 0.0}  # of one operation, of one row; 0 while unknown

    def pace(self, way: str, *, count: int, seconds: float) -> None:
        """So many operations (``push``) or rows (``pull``) took so long, all their work here included."""
        if count > 0 and seconds > 0:
            each, before = seconds / count, self._seconds_each[way]
            self._seconds_each[way] = each if not before else before + _WEIGHT * (each - before)

    def tell(self) -> None:
        """Say how far it is."""
        to_send, to_receive = max(self.to_send, self.pushed), max(self.to_receive, self.pulled)
        self._on_progress(
            Progress(self.pushed, to_send, self.pulled, to_receive, self.usable, self._left(to_send, to_receive))
        )

    def _left(self, to_send: int, to_receive: int) -> float | None:
        left = 0.0
        for way, count in (("push", to_send - self.pushed), ("pull", to_receive - self.pulled)):
            each = self._seconds_each[way]
            if count and not each:
                return None
            left += count * each
        return left
