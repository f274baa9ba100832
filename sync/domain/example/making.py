"""What all parts of the example share: a seeded source of chance, ids that are the same in every run, and its days."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal, TypeVar

from sync.domain.calendar import HOUR, WEEKDAYS_ONLY, WorkCalendar, add_days, add_months, parse_day, start_of_day

Size = Literal["small", "station", "stress"]
SIZES: tuple[Size, ...] = ("small", "station", "stress")
TODAY = "2026-11-23"  # a Monday; the day of all pictures and tests
SEED = 20261123
HISTORY_DAYS = 1095  # three years
_FOUNDED_BEFORE = 60  # days between the first row and the first visit
_ALPHABET_BITS = 74  # random bits of a UUIDv7

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the history with what is asked of it again and again."""

    text: str
    start: int
    is_weekend: bool
    next_half_year: str


def uuid7(ms: int, bits: int) -> str:
    """The UUIDv7 text of a time in ms and 74 given bits."""
    high, low = bits >> 62, bits & ((1 << 62) - 1)
    value = f"{(ms << 80) | (7 << 76) | (high << 64) | (2 << 62) | low:032x}"
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def named_id(size: Size, name: str, *, ms: int) -> str:
    """The id of a named thing of the example: the same whenever it is asked for."""
    digest = hashlib.blake2b(f"{size}/{name}".encode(), digest_size=10).digest()
    return uuid7(ms, int.from_bytes(digest) >> (80 - _ALPHABET_BITS))


@dataclass(slots=True)
class Maker:
    """Chance and time of one run; the same size, day and seed give the same community."""

    size: Size
    today: str = TODAY
    seed: int = SEED
    calendar: WorkCalendar = WEEKDAYS_ONLY
    chance: Random = field(init=False)
    days: tuple[Day, ...] = field(init=False)  # from the first day of the history to today

    def __post_init__(self) -> None:
        self.chance = Random(f"{self.size}/{self.seed}")
        texts = [add_days(self.today, n - HISTORY_DAYS) for n in range(HISTORY_DAYS + 1)]
        self.days = tuple(
            Day(text, start_of_day(text), parse_day(text).weekday() >= 5, add_months(text, 6)) for text in texts
        )

    @property
    def last(self) -> int:
        """The position of today among the days."""
        return HISTORY_DAYS

    def day(self, ago: int) -> Day:
        """The day so many days ago."""
        return self.days[HISTORY_DAYS - ago]

    def at(self, ago: int, hour: float = 9.5) -> int:
        """The instant of an hour so many days ago, in ms."""
        return self.days[HISTORY_DAYS - ago].start + int(hour * HOUR)

    def id(self, ms: int) -> str:
        """A new id of that time."""
        return uuid7(ms, self.chance.getrandbits(_ALPHABET_BITS))

    def named(self, name: str, order: int = 0) -> str:
        """The id of a named place or person; ``order`` (ms) keeps ids in the order of their making."""
        return named_id(self.size, name, ms=founded_at() + order)

    def pick(self, choices: Sequence[T]) -> T:
        """One of them, each as likely."""
        return choices[int(self.chance.random() * len(choices))]


def founded_at() -> int:
    """When places and people were entered, in ms: fixed, so that their ids do not depend on the day of the run."""
    return start_of_day(add_days(TODAY, -HISTORY_DAYS - _FOUNDED_BEFORE))


def spread(total: int, weights: Sequence[float], chance: Random) -> list[int]:
    """``total`` handed out by weight, to the last one: whole numbers, remainders by lot."""
    whole = sum(weights)
    shares = [total * weight / whole for weight in weights]
    given = [int(share) for share in shares]
    able = [n for n, weight in enumerate(weights) if weight > 0]
    for n in chance.sample(able, total - sum(given)) if total - sum(given) <= len(able) else able:
        given[n] += 1
    given[able[0]] += total - sum(given)
    return given
