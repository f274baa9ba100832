"""One session with the server: greet, push what waits, pull what is new, compare; cut at any point, it is run again.

The session knows no thread: ``call`` runs a function with the store wherever the store lives, in small pieces, so that
saving goes on meanwhile, and ``beside`` makes a request wherever that does not keep it waiting.
"""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from sync.client.ahead import AtOnce
from sync.client.api import APP, Api
from sync.client.checking import Checking, Result
from sync.client.greeting import Greeted, Greeting
from sync.client.means import Call, Means
from sync.client.meter import Meter, Progress
from sync.client.pulling import Needed, Pulling
from sync.client.pushing import Pushing
from sync.errors import Refused, SyncError
from sync.store import merging, retrying
from sync.store.state import Round
from sync.store.store import Store, Touched

__all__ = ["Call", "Outcome", "Progress", "Session"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a session did; ``refused`` are operations that now wait for a person. ``stopped``: asked to end early.

    ``verified``: every stream was compared with what the server says, and holds just that.
    """

    pushed: int = 0
    pulled: int = 0
    refused: int = 0
    conflicts: int = 0
    stopped: bool = False
    verified: bool = False


class Session:
    """Built for one run. ``wall`` is this PC's clock in ms, ``stop`` is asked between two pieces of work.

    ``first`` are the streams that people wait for, in order of need: they are received before the others. A function
    is asked for them again and again: on a new PC the store learns on the way whose streams these are.

    With a thread as ``beside`` the next page travels while one is taken in; by itself it does so before.
    """

    def __init__(
        self,
        call: Call,
        api: Api,
        *,
        wall: Callable[[], int],
        first: Needed = (),
        on_progress: Callable[[Progress], None] = lambda _: None,
        on_touched: Callable[[Touched], None] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
        tick: Callable[[], float] = time.monotonic,
        beside: Executor | None = None,
    ) -> None:
        self._meter = Meter(on_progress, tick=tick)
        self._means = Means(call, api, wall, stop, self._meter, on_touched, beside or AtOnce())
        self._greeting = Greeting(self._means)
        self._pushing = Pushing(self._means, self._greeting)
        self._pulling = Pulling(self._means, first=first)
        self._checking = Checking(self._means, self._pulling)

    def run(self) -> Outcome:
        """One whole round; what was done before an error stays done.

        Raises Offline, Refused, ServerTrouble; nothing unsent is ever lost by it.
        """
        meter = self._meter
        try:
            result = self._round()
        except SyncError:
            self._note(Result.CUT)
            raise
        self._note(result)
        return Outcome(
            meter.pushed,
            meter.pulled,
            meter.refused,
            meter.conflicts,
            stopped=result is Result.CUT,
            verified=result in (Result.VERIFIED, Result.HEALED),
        )

    def _round(self) -> Result:
        greeted = self._greeting.greet()
        self._means.tell(self._means.call(lambda store: retrying.try_again(store, app=APP)))
        try:
            return self._exchange(greeted)
        except Refused as refusal:
            if refusal.code != "epoch":
                raise
        # The server was restored, or noticed that it had been, between two of our requests.
        return self._exchange(self._greeting.greet())

    def _exchange(self, greeted: Greeted) -> Result:
        giving = bool(self._means.state().healing)  # then the list of streams has not been taken in yet
        self._pushing.run(greeted.limits)
        ask = giving or self._meter.pushed > 0
        heads = self._pulling.run(greeted.heads, limits=greeted.limits, even_if_level=ask)
        if self._means.stop():
            return Result.CUT
        return self._checking.run(heads, greeted)

    def _note(self, result: Result) -> None:
        line = (self._meter.pushed, self._meter.pulled, result.value)

        def write(store: Store) -> None:
            if result not in (Result.CUT, Result.DIFFERS):
                merging.in_step(store, verified=result is not Result.OK)
            if line[0] or line[1] or result in (Result.HEALED, Result.DIFFERS):
                store.note_round(Round(store.now(), *line))

        if result is not Result.CUT:
            self._means.call(write)
        elif line[0] or line[1]:
            self._means.note(write)
