"""What every part of a session works with: the store, the server, the clock, and whoever is to be told."""

from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sync.client.api import Api
from sync.client.meter import Meter
from sync.errors import StoreError
from sync.store.state import SyncState
from sync.store.store import Store, Touched

T = TypeVar("T")

MENDS_A_SESSION = 2  # of each sort; what does not end is told


class Call(Protocol):
    """Runs a function with the store where the store lives, and waits for its result."""

    def __call__(self, fn: Callable[[Store], T], /) -> T: ...


@dataclass(frozen=True, slots=True)
class Means:
    """``wall`` is this PC's clock in ms, ``stop`` is asked between two pieces of work.

    ``beside`` makes a request while the session goes on.
    """

    call: Call
    api: Api
    wall: Callable[[], int]
    stop: Callable[[], bool]
    meter: Meter
    on_touched: Callable[[Touched], None]
    beside: Executor

    def state(self) -> SyncState:
        """What the file knows about itself now."""
        return self.call(lambda store: store.state)

    def note(self, fn: Callable[[Store], object]) -> None:
        """Write down what is good to know and no more: a file that is closing, or full, goes without."""
        with suppress(StoreError):
            self.call(fn)

    def tell(self, touched: Touched) -> None:
        """Say how far it is, and what has changed on the way."""
        self.meter.tell()
        if touched:
            self.on_touched(touched)
