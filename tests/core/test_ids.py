"""Identifiers: ordered by time, unlike each other, the same everywhere where they are derived."""

import uuid

from sync.domain.ids import derived_id, new_id, new_replica


def test_an_id_is_a_uuid_of_version_7_with_its_time() -> None:
    made = uuid.UUID(new_id(1_763_000_000_000))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == 1_763_000_000_000


def test_ids_sort_by_time_and_differ() -> None:
    assert new_id(1000) < new_id(1001)
    assert len({new_id(5) for _ in range(1000)}) == 1000


def test_a_time_before_1970_counts_as_0() -> None:
    assert uuid.UUID(new_id(-5)).int >> 80 == 0


def test_derived_ids_are_the_same_everywhere() -> None:
    assert derived_id("care_due", "h") == derived_id("care_due", "h")
    assert derived_id("a", "bc") != derived_id("ab", "c")


def test_a_replica_has_63_bits_and_is_never_0() -> None:
    made = {new_replica() for _ in range(100)}
    assert len(made) == 100
    assert all(0 < name < 2**63 for name in made)
