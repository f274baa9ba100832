"""Counts wrong one-time codes by address: five in a quarter of an hour, then nothing is tried any more."""

import threading

MOST = 5
WITHIN_MS = 15 * 60 * 1000
_ADDRESSES = 10_000  # remembered at once; a flood of addresses must not fill the memory


class Tries:
    """Failures of the last quarter of an hour by address, in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: dict[str, list[int]] = {}

    def wait_ms(self, address: str, *, now: int) -> int:
        """How long this address has to wait before it may try again; 0 when it need not."""
        with self._lock:
            recent = self._recent(address, now)
            return recent[0] + WITHIN_MS - now if len(recent) >= MOST else 0

    def failed(self, address: str, *, now: int) -> None:
        """Count a wrong code."""
        with self._lock:
            recent = [*self._recent(address, now), now]
            self._failures.pop(address, None)
            self._failures[address] = recent
            while len(self._failures) > _ADDRESSES:
                del self._failures[next(iter(self._failures))]

    def _recent(self, address: str, now: int) -> list[int]:
        return [at for at in self._failures.get(address, ()) if now - at < WITHIN_MS]
