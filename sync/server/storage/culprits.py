"""When the database will not take what validation let through: find the operations, leave them out, keep the rest."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

T = TypeVar("T")
Attempt = Callable[[frozenset[int]], T]  # places to leave out → the outcome, written


def without_culprits(connection: Connection, count: int, attempt: Attempt[T]) -> T:
    """The outcome of ``attempt`` without the operations, of ``count``, that make the database refuse."""
    poison: frozenset[int] = frozenset()
    while True:
        try:
            return _tried(connection, attempt, poison)
        except (DataError, IntegrityError):
            if len(poison) == count:
                raise
            poison |= {_culprit(connection, count, attempt, poison)}


def _culprit(connection: Connection, count: int, attempt: Attempt[T], poison: frozenset[int]) -> int:
    """The first operation with which the database refuses: by halves, everything tried is undone."""
    low, high = 0, count - 1  # the shortest refused beginning ends between these places
    while low < high:
        middle = (low + high) // 2
        outside = frozenset(range(middle + 1, count))
        savepoint = connection.begin_nested()
        try:
            attempt(poison | outside)
            low = middle + 1
        except (DataError, IntegrityError):
            high = middle
        finally:
            savepoint.rollback()
    return low


def _tried(connection: Connection, attempt: Attempt[T], poison: frozenset[int]) -> T:
    with connection.begin_nested():
        return attempt(poison)
