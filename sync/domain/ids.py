"""Identifiers made on the device: UUIDv7 text, ordered by time; and names derived from other ids."""

import secrets
import threading
import uuid
from collections.abc import Callable

IdSource = Callable[[int], str]  # time in ms → a new id; tests hand in a predictable one

_COUNTER_BITS = 12
_NAMESPACE = uuid.UUID("8f6b7c3e-6d1a-5e0b-9b1e-7a6d6f6f7273")


def new_id(now_ms: int) -> str:
    """A random UUIDv7 (RFC 9562) of the given time in ms since 1970; negative times count as 0."""
    return _uuid7(max(0, now_ms), secrets.randbits(_COUNTER_BITS))


class RisingIds:
    """An id source whose ids rise within one millisecond too, so that what was made later sorts later.

    The first twelve random bits count (RFC 9562, 6.2, method 1); when they run out, the next millisecond is borrowed.
    Any thread may call it. A clock that was set back begins anew at its own time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = self._stamp = -1
        self._counter = 0

    def __call__(self, now_ms: int) -> str:
        asked = max(0, now_ms)
        with self._lock:
            if self._asked <= asked <= self._stamp:
                self._counter += 1
                if self._counter >> _COUNTER_BITS:
                    self._stamp, self._counter = self._stamp + 1, 0
            else:
                # A random beginning in the lower half: hard to guess, and 2048 ids are left at least.
                self._asked = self._stamp = asked
                self._counter = secrets.randbits(_COUNTER_BITS - 1)
            return _uuid7(self._stamp, self._counter)


def _uuid7(stamp: int, counter: int) -> str:
    value = (stamp & ((1 << 48) - 1)) << 80 | 0x7 << 76 | counter << 64 | 0x2 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def derived_id(*parts: str) -> str:
    """The same parts give the same id on every device and on the server (UUIDv5)."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


def new_replica() -> int:
    """A random 63-bit number, never 0: the name of one life of a database."""
    return secrets.randbits(63) or 1
