"""Listens to the UI thread: how long it heard nothing, by the clock and by what the program itself was busy for."""

import time

from PySide6.QtCore import Qt, QTimer

TICK_MS = 2


class Probe:
    """A timer that should tick every two milliseconds; the longest time between two ticks is the gap."""

    def __init__(self) -> None:
        self._last = self._now()
        self._longest_busy = 0
        self._longest = 0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def stop(self) -> tuple[float, float]:
        """The longest gap in ms, less the interval itself: what this program was busy for, and by the clock."""
        self._tick()
        self._timer.stop()
        busy, wall = (max(0.0, gap / 1e6 - TICK_MS) for gap in (self._longest_busy, self._longest))
        return round(busy, 1), round(wall, 1)

    @staticmethod
    def _now() -> tuple[int, int]:
        return time.process_time_ns(), time.perf_counter_ns()

    def _tick(self) -> None:
        now = self._now()
        busy, wall = now[0] - self._last[0], now[1] - self._last[1]
        self._longest_busy = max(self._longest_busy, min(busy, wall))
        self._longest = max(self._longest, wall)
        self._last = now
