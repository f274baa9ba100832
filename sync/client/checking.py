"""The end of a full round: what is here is compared with what the server says, and a stream that differs is mended."""

import logging
from collections.abc import Sequence
from enum import StrEnum
from functools import partial

from sync import wire
from sync.client.greeting import Greeted
from sync.client.means import Means
from sync.client.pulling import Pulling
from sync.store import merging, verifying
from sync.store.verifying import Comparison, Head

_log = logging.getLogger(__name__)


class Result(StrEnum):
    """How a round ended, as the history of syncs keeps it."""

    VERIFIED = "verified"  # every stream holds what the server has
    HEALED = "healed"  # one did not, was downloaded again, and does now
    DIFFERS = "differs"  # one does not
    OK = "ok"  # in step; work saved meanwhile kept a stream from being compared
    CUT = "cut"  # broken off; the next round goes on from there


class Checking:
    """Compares, and downloads a stream that differs again, once."""

    def __init__(self, means: Means, pulling: Pulling) -> None:
        self._means = means
        self._pulling = pulling

    def run(self, heads: Sequence[wire.StreamHead], greeted: Greeted) -> Result:
        """End what was downloaded anew, then compare every stream; heal what differs."""
        self._end_sweep(heads)
        found = self._compare(heads, greeted)
        if found.waiting:
            return Result.CUT
        if not found.differing:
            return Result.VERIFIED if found.is_verified else Result.OK
        streams = [difference.stream for difference in found.differing]
        self._means.call(lambda store: merging.begin_sweep(store, streams))
        heads = self._pulling.run(heads, limits=greeted.limits, even_if_level=True)
        self._end_sweep(heads)
        again = self._compare(heads, greeted)
        if again.is_verified:
            return Result.HEALED
        if self._means.stop():
            return Result.CUT  # what was not met yet is no difference
        return Result.DIFFERS if again.differing else Result.OK

    def _compare(self, heads: Sequence[wire.StreamHead], greeted: Greeted) -> Comparison:
        told = [Head(head.id, head.head, head.floor, head.rows, head.sum) for head in heads]
        all_told = not greeted.is_newer

        def look(heads: Sequence[Head]) -> Comparison:
            return self._means.call(lambda store: verifying.compare(store, heads, all_told=all_told))

        found = look(told)
        while found.waiting and not self._means.stop():
            found = found.and_then(look(found.waiting))
        for difference in found.differing:
            _log.warning(
                "a stream differs: %s, rows here %d, there %d, sums %s",
                *(difference.stream, difference.here[0], difference.there[0]),
                "equal" if difference.here[1] == difference.there[1] else "unequal",
            )
        return found

    def _end_sweep(self, heads: Sequence[wire.StreamHead]) -> None:
        """What is downloaded again is complete when each of its streams stands at its head."""
        head_of = {head.id: head.head for head in heads}
        place = merging.Place() if self._means.call(lambda store: merging.is_met(store, head_of)) else None
        while place is not None:
            touched, place = self._means.call(partial(merging.sweep_some, place=place, heads=head_of))
            self._means.tell(touched)
