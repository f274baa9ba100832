"""Operations of earlier programs as the present one would have made them; a step that was shipped is kept for ever.

A PC that comes back after a year brings its unsent work in the form of that year. Its program, updated meanwhile,
brings that work up to date when it opens its file; the server does the same for a program that was not.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sync.domain.operations import Operation

# Of the kinds and their fields; the messages of the protocol bear the same number.
#
# version  what came in
# 1        the first
# 2        attached files
SCHEMA: Final = 2

Step = Callable[[Operation], Operation]


def _to_2(operation: Operation) -> Operation:
    return operation  # a kind came in; what was there before stayed as it was


STEPS: Mapping[int, Step] = {1: _to_2}  # version → the step that leads out of it


def upgrade(operation: Operation, *, since: int, steps: Mapping[int, Step] = STEPS) -> Operation:
    """The operation, made by a program of version ``since``, in the present form; one of the present is left alone.

    One operation stays one operation: replies name them by their place in the batch.
    """
    for version in range(max(1, since), max(steps) + 1):
        operation = steps[version](operation)
    return operation
