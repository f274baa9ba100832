"""Hybrid logical clock: 64-bit integer, milliseconds since 1970 shifted left 16 plus a counter.

A clock value is compared together with the replica that made it: ``Clock = (hlc, replica)``.
"""

from dataclasses import dataclass

Clock = tuple[int, int]

SHIFT = 16
ZERO: Clock = (0, 0)
FUTURE_LIMIT_MS = 5 * 60 * 1000  # a value further ahead of the server's time is answered ``clock``


def hlc_of(ms: int) -> int:
    """The smallest clock value of the given wall time."""
    return ms << SHIFT


def ms_of(hlc: int) -> int:
    """The wall time inside a clock value, in ms since 1970."""
    return hlc >> SHIFT


@dataclass(slots=True)
class HybridClock:
    """The clock of one replica: always forwards, never behind what it has seen.

    ``offset_ms`` is what a greeting taught us to add to this PC's wall clock.
    """

    last: int = 0
    seen: int = 0
    offset_ms: int = 0

    def next(self, wall_ms: int, *, after: int = 0) -> int:
        """The next value: max(last + 1, corrected wall time, largest seen + 1), and behind ``after``."""
        self.last = max(self.last + 1, hlc_of(max(0, wall_ms + self.offset_ms)), self.seen + 1, after + 1)
        return self.last

    def observe(self, hlc: int) -> None:
        """Remember a value met in somebody else's work."""
        self.seen = max(self.seen, hlc)
