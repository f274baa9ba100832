"""Identifiers: ordered by time, unlike each other, the same everywhere where they are derived."""

import uuid
from concurrent.futures import ThreadPoolExecutor

from sync.domain.ids import RisingIds, derived_id, new_id, new_replica


def test_an_id_is_a_uuid_of_version_7_with_its_time() -> None:
    made = uuid.UUID(new_id(1_763_000_000_000))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == 1_763_000_000_000


def test_ids_sort_by_time_and_differ() -> None:
    assert new_id(1000) < new_id(1001)
    assert len({new_id(5) for _ in range(1000)}) == 1000


def test_ids_of_one_device_rise_within_a_millisecond() -> None:
    rising = RisingIds()
    made = [rising(1000) for _ in range(9000)]  # more than the counter holds: the next milliseconds are borrowed
    made += [rising(1001) for _ in range(10)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {uuid.UUID(text).version for text in made} == {7}
    assert uuid.UUID(made[0]).int >> 80 == 1000
    assert uuid.UUID(made[-1]).int >> 80 <= 1005
    assert rising(2000) > made[-1]


def test_a_clock_set_back_gives_ids_of_its_own_time() -> None:
    rising = RisingIds()
    rising(5000)
    assert uuid.UUID(rising(4000)).int >> 80 == 4000


def test_ids_of_several_threads_differ() -> None:
    rising = RisingIds()
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(rising, [7] * 4000))
    assert len(set(made)) == 4000


def test_a_time_before_1970_counts_as_0() -> None:
    assert uuid.UUID(new_id(-5)).int >> 80 == 0


def test_derived_ids_are_the_same_everywhere() -> None:
    assert derived_id("care_due", "h") == derived_id("care_due", "h")
    assert derived_id("a", "bc") != derived_id("ab", "c")


def test_a_replica_has_63_bits_and_is_never_0() -> None:
    made = {new_replica() for _ in range(100)}
    assert len(made) == 100
    assert all(0 < name < 2**63 for name in made)
