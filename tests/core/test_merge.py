"""The merge: the same end in whatever order, nobody overwritten in silence."""

from itertools import permutations

import hypothesis.strategies as st
from hypothesis import given, settings

from sync.domain.catalogue import KINDS
from sync.domain.merge import Row, merge
from sync.domain.operations import DELETED, Operation, new, patch

DEMAND = KINDS["demand"]
BASE = Operation(kind="demand", id="d", action="new", fields={"title": "漏水", "state": "collected"}, hlc=10, device=1)


def stamped(hlc: int, device: int, prev: dict[str, tuple[int, int]] | None = None, **fields: object) -> Operation:
    return Operation(
        kind="demand", id="d", action="patch", fields=dict(fields), hlc=hlc, device=device, prev=prev or {}
    )


def made(*operations: Operation) -> Row:
    row: Row | None = None
    for operation in (BASE, *operations):
        row = merge(row, operation, DEMAND).row
    assert row is not None
    return row


def test_a_new_row_has_one_clock_and_the_defaults() -> None:
    row = made()
    assert (row.clock, row.clocks, row.deleted) == ((10, 1), {}, False)
    assert row.values["urgency"] == "routine"
    assert row.largest_clock() == (10, 1)


def test_a_patch_changes_its_register_only() -> None:
    row = made(stamped(11, 2, {"title": (10, 1)}, title="屋顶漏水"))
    assert row.values["title"] == "屋顶漏水"
    assert row.clocks == {"title": (11, 2)}
    assert row.clock_of("flow") == (10, 1)


def test_a_group_is_one_register() -> None:
    row = made(stamped(11, 2, {"flow": (10, 1)}, state="accepted", handler_id="a"))
    assert row.clocks == {"flow": (11, 2)}
    assert row.register(DEMAND, "flow")["handler_id"] == "a"


def test_patching_nothing_is_refused() -> None:
    assert merge(None, patch("demand", "x", title="y"), DEMAND).refused == "unknown_record"


def test_the_same_operation_twice_changes_nothing() -> None:
    once = made(stamped(11, 2, {"title": (10, 1)}, title="a"))
    again = merge(once, stamped(11, 2, {"title": (10, 1)}, title="a"), DEMAND)
    assert (again.row, again.changed) == (once, ())


def test_a_clock_behind_what_its_author_saw_is_refused() -> None:
    merged = merge(made(), stamped(9, 2, {"title": (10, 1)}, title="a"), DEMAND)
    assert merged.refused == "clock_behind"
    assert merged.row == made()


def test_two_who_did_not_see_each_other_clash_whoever_comes_first() -> None:
    early = stamped(11, 2, {"title": (10, 1)}, title="a")
    late = stamped(12, 3, {"title": (10, 1)}, title="b")
    for first, second, kept, lost in ((early, late, "b", "a"), (late, early, "b", "a")):
        merged = merge(made(first), second, DEMAND)
        (clash,) = merged.clashes
        assert merged.row is not None
        assert merged.row.values["title"] == "b"
        assert (clash.register, clash.kept["title"], clash.lost["title"]) == ("title", kept, lost)
        assert (clash.kept_clock, clash.lost_clock) == ((12, 3), (11, 2))


def test_equal_values_never_clash_and_neither_do_fields_where_the_newest_wins() -> None:
    equal = merge(
        made(stamped(11, 2, {"title": (10, 1)}, title="a")), stamped(12, 3, {"title": (10, 1)}, title="a"), DEMAND
    )
    assert not equal.clashes
    auto = merge(
        made(stamped(11, 2, {"raised_by": (10, 1)}, raised_by="a")),
        stamped(12, 3, {"raised_by": (10, 1)}, raised_by="b"),
        DEMAND,
    )
    assert not auto.clashes
    assert auto.row is not None
    assert auto.row.values["raised_by"] == "b"


def test_deletion_is_a_register_for_review() -> None:
    gone = made(stamped(11, 2, {DELETED: (10, 1)}, deleted=True))
    assert gone.deleted
    assert gone.register(DEMAND, DELETED) == {DELETED: True}
    merged = merge(gone, stamped(12, 3, {DELETED: (10, 1)}, deleted=False), DEMAND)
    assert [clash.register for clash in merged.clashes] == [DELETED]
    assert merged.row is not None
    assert not merged.row.deleted


def test_a_new_met_again_under_another_name_is_no_conflict() -> None:
    fields = new("demand", "d", title="漏水").fields
    again = Operation(kind="demand", id="d", action="new", fields=fields, hlc=10, device=9)
    assert not merge(made(), again, DEMAND).clashes
    patched = merge(made(), stamped(12, 2, {"title": made().clock}, title="不漏了"), DEMAND).row
    merged = merge(patched, again, DEMAND)
    assert not merged.clashes
    assert merged.row is not None
    assert merged.row.values["title"] == "不漏了"


def test_a_new_met_again_later_than_what_was_written_over_it_is_one() -> None:
    fields = new("demand", "d", title="漏水").fields
    again = Operation(kind="demand", id="d", action="new", fields=fields, hlc=20, device=9)
    patched = merge(made(), stamped(12, 2, {"title": made().clock}, title="不漏了"), DEMAND).row
    (clash,) = merge(patched, again, DEMAND).clashes
    assert (clash.register, clash.kept, clash.lost) == ("title", {"title": "漏水"}, {"title": "不漏了"})


def test_a_field_of_a_newer_program_is_left_alone() -> None:
    assert merge(made(), stamped(11, 2, {}, of_tomorrow=1), DEMAND).row == made()


def test_giving_a_row_back_takes_the_larger_clock_of_each_register() -> None:
    state = Operation(
        kind="demand",
        id="d",
        action="state",
        fields={"title": "old", "details": "kept", "deleted": False},
        hlc=10,
        device=1,
        clocks={"details": (15, 2), "title": (9, 2)},
    )
    healed = merge(made(), state, DEMAND)
    assert healed.changed == ("details",)
    assert healed.row is not None
    assert healed.row.values["title"] == "漏水"
    assert healed.row.clocks == {"details": (15, 2)}
    assert merge(healed.row, state, DEMAND).changed == ()
    lost = merge(None, state, DEMAND).row
    assert lost is not None
    assert lost.clock_of("details") == (15, 2)


REGISTERS = ("title", "flow", "raised_by", DELETED)
FIELD = {"title": "title", "flow": "result", "raised_by": "raised_by", DELETED: DELETED}


@st.composite
def writings(draw: st.DrawFn) -> list[Operation]:
    """Patches by three people, each of whom saw some earlier version of what is changed."""
    count = draw(st.integers(1, 5))
    versions = {register: [(10, 1)] for register in REGISTERS}
    found = []
    for at in range(count):
        clock = (11 + at, draw(st.integers(1, 3)))
        touched = draw(st.sets(st.sampled_from(REGISTERS), min_size=1))
        prev = {register: draw(st.sampled_from(versions[register])) for register in sorted(touched)}
        fields = {
            FIELD[register]: draw(st.booleans()) if register == DELETED else draw(st.sampled_from("abc"))
            for register in sorted(touched)
        }
        found.append(stamped(*clock, prev, **fields))
        for register in touched:
            versions[register].append(clock)
    return found


@given(writings())
@settings(max_examples=60, deadline=None)
def test_any_order_ends_the_same_with_the_largest_clock_in_each_register(operations: list[Operation]) -> None:
    ends = [made(*order) for order in permutations(operations)]
    assert all(end == ends[0] for end in ends)
    for register in REGISTERS:
        last = max((o for o in operations if FIELD[register] in o.fields), key=lambda o: o.clock, default=None)
        if last is not None:
            assert ends[0].clock_of(register) == last.clock
            assert ends[0].register(DEMAND, register)[FIELD[register]] == last.fields[FIELD[register]]


@given(writings())
@settings(max_examples=60, deadline=None)
def test_each_write_is_final_or_was_seen_or_is_named_in_a_clash(operations: list[Operation]) -> None:
    row, clashes = made(), []
    for operation in operations:
        merged = merge(row, operation, DEMAND)
        assert merged.row is not None
        row = merged.row
        clashes += [(clash.register, clash.lost_clock) for clash in merged.clashes]
    for operation in operations:
        for register in ("title", "flow"):
            if FIELD[register] not in operation.fields or row.clock_of(register) == operation.clock:
                continue
            seen = any(other.prev.get(register) == operation.clock for other in operations)
            same = any(
                other.fields.get(FIELD[register]) == operation.fields[FIELD[register]] and other.clock > operation.clock
                for other in operations
            )
            assert seen or same or (register, operation.clock) in clashes
