"""When a batch fails on what validation let through: find the operations, leave them out, keep the rest."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from sync.domain.ids import new_id
from sync.errors import RuleError
from sync.server.logs import log_failure
from sync.server.settings import wall_ms

# What one operation can set off: the database refuses a value, or a rule of ours stumbles over it. Without this one
# operation would keep all others of its PC waiting for ever.
FAILURES = (DataError, IntegrityError, RuleError, ArithmeticError, AssertionError, LookupError, TypeError, ValueError)

T = TypeVar("T")
Attempt = Callable[[frozenset[int]], T]  # places to leave out → the outcome, written


def without_culprits(connection: Connection, count: int, attempt: Attempt[T]) -> T:
    """The outcome of ``attempt`` without the operations, of ``count``, that make it fail; each is in the log."""
    poison: frozenset[int] = frozenset()
    while True:
        try:
            return _tried(connection, attempt, poison)
        except FAILURES as error:
            if len(poison) == count:
                raise
            log_failure(new_id(wall_ms()), error)
            poison |= {_culprit(connection, count, attempt, poison)}


def _culprit(connection: Connection, count: int, attempt: Attempt[T], poison: frozenset[int]) -> int:
    """The first operation with which it fails: by halves, everything tried is undone."""
    low, high = 0, count - 1  # the shortest refused beginning ends between these places
    while low < high:
        middle = (low + high) // 2
        outside = frozenset(range(middle + 1, count))
        savepoint = connection.begin_nested()
        try:
            attempt(poison | outside)
            low = middle + 1
        except FAILURES:
            high = middle
        finally:
            savepoint.rollback()
    return low


def _tried(connection: Connection, attempt: Attempt[T], poison: frozenset[int]) -> T:
    with connection.begin_nested():
        return attempt(poison)
