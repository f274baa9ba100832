"""Operations are made unstamped, with plain values."""

import msgspec

from sync.domain.operations import DELETED, Operation, delete, new, patch


def test_new_and_patch_carry_their_fields() -> None:
    made = new("visit", "v", visitor_ids=("a", "b"), note="x")
    assert (made.action, made.fields) == ("new", {"visitor_ids": ["a", "b"], "note": "x"})
    assert patch("visit", "v", note="y").action == "patch"


def test_a_deletion_is_a_patch_of_a_mark() -> None:
    assert delete("visit", "v").fields == {DELETED: True}


def test_an_operation_survives_being_sent() -> None:
    made = Operation(kind="visit", id="v", action="patch", fields={"note": "x"}, hlc=9, device=2, prev={"note": (8, 1)})
    assert msgspec.json.decode(msgspec.json.encode(made), type=Operation) == made
    assert made.clock == (9, 2)
