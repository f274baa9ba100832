"""Batches out of the outbox, the reply into it: nothing lost, nothing twice, refusals undone as if never made."""

import random
from collections.abc import Sequence
from hashlib import blake2b

import msgspec
import pytest

from sync.domain.operations import DELETED, Operation, delete, new, patch
from sync.store import merging, outbox, quarantine, schema, unsent
from sync.store.merging import Page
from sync.store.outbox import Batch, Limits, Refusal, Reply
from world import World

B3 = "b3:201"


def encode(operations: Sequence[Operation], number: int) -> bytes:
    return msgspec.json.encode([number, *operations])


def visit(world: World, **fields: object) -> Operation:
    return new(
        "visit",
        world.ids(world.clock()),
        **{
            "household_id": world.id(B3),
            "building_id": world.id("b3"),
            "visited_on": "2026-11-23",
            "visitor_ids": (world.as_("head3"),),
            "recorded_by": world.as_("head3"),
            **fields,
        },
    )


def demand(world: World, **fields: object) -> Operation:
    return new(
        "demand",
        world.ids(world.clock()),
        **{
            "building_id": world.id("b3"),
            "compound_id": world.id("compound"),
            "household_id": world.id(B3),
            "title": "漏水",
            **fields,
        },
    )


def send(world: World) -> Batch:
    batch = outbox.take_batch(world.store, encode)
    assert batch is not None
    return batch


def answer(world: World, *refused: tuple[int, str], **ranges: tuple[int, int]) -> frozenset[tuple[str, str]]:
    """Send what waits, and have it answered."""
    batch = send(world)
    return outbox.settle(world.store, Reply(batch.number, tuple(Refusal(*one) for one in refused), ranges))


def row(world: World, operation: Operation) -> schema.Row | None:
    return schema.load_one(world.store.db, operation.kind, operation.id)


def title(world: World, operation: Operation) -> str:
    found = row(world, operation)
    assert found is not None
    return str(found.values["title"])


def test_nothing_to_send(world: World) -> None:
    assert outbox.take_batch(world.store, encode) is None
    pending = outbox.pending_counts(world.store.db)
    assert (pending.waiting, pending.in_flight, pending.quarantined, pending.oldest_at) == (0, 0, 0, None)


def test_a_batch_is_the_same_bytes_until_it_is_answered(world: World) -> None:
    world.save("head3", [visit(world), visit(world)])
    first = send(world)
    world.clock.forward(minutes=5)
    world.save("head3", [visit(world)])
    world.reopen()
    again = send(world)
    assert again == first
    assert (first.number, first.count) == (1, 2)
    assert first.digest == blake2b(first.body, digest_size=16).digest()
    pending = outbox.pending_counts(world.store.db)
    assert (pending.waiting, pending.in_flight, pending.unsent) == (1, 2, 3)
    assert pending.oldest_at == world.clock() - 5 * 60_000


def test_an_accepted_batch_is_done_with(world: World) -> None:
    world.save("head3", [visit(world)])
    assert answer(world) == frozenset()
    assert world.store.state.batch == 1
    assert outbox.pending_counts(world.store.db).unsent == 0
    world.save("head3", [visit(world)])
    assert send(world).number == 2
    assert [number for number, _ in outbox.batch_log(world.store.db)] == [1]


def test_a_reply_to_another_batch_is_ignored(world: World) -> None:
    assert outbox.settle(world.store, Reply(1)) == frozenset()
    world.save("head3", [visit(world)])
    send(world)
    outbox.settle(world.store, Reply(7))
    assert outbox.pending_counts(world.store.db).in_flight == 1


def test_fifty_batches_are_remembered(world: World) -> None:
    for _ in range(outbox.BATCHES_KEPT + 2):
        world.save("head3", [visit(world)])
        answer(world)
    log = outbox.batch_log(world.store.db)
    assert len(log) == outbox.BATCHES_KEPT
    assert log[0][0] == outbox.BATCHES_KEPT + 2


def test_limits_cut_a_batch(world: World) -> None:
    world.save("head3", [visit(world, note="字" * 1000) for _ in range(5)])
    by_number = outbox.take_batch(world.store, encode, limits=Limits(operations=2))
    assert by_number is not None
    assert by_number.count == 2
    outbox.give_back(world.store)
    by_size = outbox.take_batch(world.store, encode, limits=Limits(size=9000))
    assert by_size is not None
    assert by_size.count == 2
    outbox.give_back(world.store)
    one_at_least = outbox.take_batch(world.store, encode, limits=Limits(size=10))
    assert one_at_least is not None
    assert one_at_least.count == 1


def test_a_batch_given_back_is_sent_under_the_same_number(world: World) -> None:
    world.save("head3", [visit(world)])
    first = send(world)
    outbox.give_back(world.store)
    assert send(world) == first


def test_a_refused_new_is_gone_and_kept_aside(world: World) -> None:
    made, other = visit(world), visit(world, outcome="no_answer", time_band="evening")
    world.save("head3", [made, other])
    touched = answer(world, (0, "invalid"))
    assert touched == {("visit", made.id)}
    assert row(world, made) is None
    assert row(world, other) is not None
    contact = world.store.db.execute("SELECT last_contact_on, last_outcome FROM household_contact").fetchone()
    assert contact == (None, "no_answer")
    (refused,) = quarantine.quarantined(world.store.db, world.viewer("head3"))
    assert (refused.operation.id, refused.code, refused.refused_at) == (made.id, "invalid", world.clock())
    assert quarantine.quarantined(world.store.db, world.viewer("head1")) == ()
    assert outbox.pending_counts(world.store.db).quarantined == 1
    quarantine.dismiss(world.store, refused.op)
    assert outbox.pending_counts(world.store.db).quarantined == 0


def test_a_refused_patch_brings_the_earlier_value_back(world: World) -> None:
    made = demand(world)
    world.save("head3", [made])
    answer(world)
    before = row(world, made)
    world.save(
        "head3", [patch("demand", made.id, title="a", state="withdrawn", urgency="urgent"), delete("demand", made.id)]
    )
    answer(world, (0, "not_allowed"), (1, "not_allowed"))
    assert row(world, made) == before


def test_several_refusals_are_undone_newest_first(world: World) -> None:
    made = demand(world)
    world.save("head3", [made])
    answer(world)
    before = row(world, made)
    for name in "abc":
        world.save("head3", [patch("demand", made.id, title=name)])
    answer(world, (0, "invalid"), (1, "invalid"), (2, "invalid"))
    assert row(world, made) == before


def test_what_stands_on_a_refused_patch_stands_on_what_was_before(world: World) -> None:
    made = demand(world)
    world.save("head3", [made])
    answer(world)
    base = row(world, made)
    assert base is not None
    world.save("head3", [patch("demand", made.id, title="refused", raised_by="x")])
    send(world)
    world.save("head3", [patch("demand", made.id, title="kept")])
    outbox.settle(world.store, Reply(2, (Refusal(0, "invalid"),)))
    assert title(world, made) == "kept"
    found = row(world, made)
    assert found is not None
    assert found.values["raised_by"] == ""
    (line,) = unsent.lines(world.store.db)
    assert line.operation.prev["title"] == base.clock
    assert line.replaced["title"] == ({"title": "漏水"}, base.clock)
    answer(world, (0, "invalid"))
    assert row(world, made) == base


def test_an_edit_after_a_refused_deletion_has_not_seen_it(world: World) -> None:
    made = demand(world)
    world.save("head3", [made])
    answer(world)
    base = row(world, made)
    assert base is not None
    world.save("head3", [delete("demand", made.id)])
    send(world)
    world.save("head3", [patch("demand", made.id, title="kept")])
    outbox.settle(world.store, Reply(2, (Refusal(0, "invalid"),)))
    found = row(world, made)
    assert found is not None
    assert not found.deleted
    (line,) = unsent.lines(world.store.db)
    assert line.operation.prev[DELETED] == base.clock


def test_work_on_a_refused_new_goes_into_quarantine_with_it_and_comes_back_with_it(world: World) -> None:
    made = demand(world)
    event = new("demand_event", "event", demand_id=made.id)
    world.save("head3", [made])
    send(world)
    world.save("head3", [patch("demand", made.id, title="b"), event])
    outbox.settle(world.store, Reply(1, (Refusal(0, "server_error"),)))
    assert row(world, made) is None
    codes = {one.operation.action: one.code for one in quarantine.quarantined(world.store.db, world.viewer("head3"))}
    assert codes == {"new": "server_error", "patch": "unknown_record"}
    answer(world, (0, "parent_missing"))
    first = quarantine.quarantined(world.store.db, world.viewer("head3"))[-1]
    assert quarantine.retry(world.store, first.op) == {("demand", made.id)}
    assert title(world, made) == "漏水"
    # Accepted at last: what waited for it is sent by itself.
    assert answer(world) == {("demand", made.id), ("demand_event", "event")}
    assert title(world, made) == "b"
    assert outbox.pending_counts(world.store.db).quarantined == 0
    assert [line.operation.action for line in unsent.lines(world.store.db)] == ["patch", "new"]
    answer(world)


def test_whatever_record_was_missing_what_names_it_is_tried_again(world: World) -> None:
    household = new("household", "home", building_id=world.id("b3"), room_no="901", floor=9)
    place = {"household_id": "home", "building_id": world.id("b3"), "compound_id": world.id("compound")}
    raised = new("demand", "d", **place, scope_id="home", title="漏水", category="01")
    world.save("head3", [household, raised])
    answer(world, (0, "server_error"), (1, "parent_missing"))
    refused = quarantine.quarantined(world.store.db, world.viewer("head3"))[-1]
    quarantine.retry(world.store, refused.op)
    assert answer(world) == {("demand", "d")}
    assert outbox.pending_counts(world.store.db).quarantined == 0
    answer(world)


def test_what_cannot_be_tried_again_stays_where_it_is(world: World) -> None:
    assert quarantine.retry(world.store, 99) == frozenset()
    made = demand(world)
    world.save("head3", [made, patch("demand", made.id, title="b")])
    answer(world, (0, "invalid"), (1, "unknown_record"))
    second = quarantine.quarantined(world.store.db, world.viewer("head3"))[0]
    assert quarantine.retry(world.store, second.op) == frozenset()
    assert outbox.pending_counts(world.store.db).quarantined == 2


def test_a_refusal_of_nothing_we_sent_is_ignored(world: World) -> None:
    made = visit(world)
    world.save("head3", [made])
    answer(world, (5, "invalid"))
    assert row(world, made) is not None


def test_a_clock_behind_is_stamped_anew_with_all_that_follows(world: World) -> None:
    made = demand(world)
    world.save("head3", [made])
    answer(world)
    world.save("head3", [patch("demand", made.id, title="a"), patch("demand", made.id, title="b")])
    before = [line.operation.hlc for line in unsent.lines(world.store.db)]
    answer(world, (0, "clock_behind"))
    (again,) = unsent.lines(world.store.db)
    assert again.operation.hlc > max(before)
    assert title(world, made) == "b"
    world.save("head3", [patch("demand", made.id, title="c")])
    send(world)
    world.save("head3", [patch("demand", made.id, title="d")])
    outbox.settle(world.store, Reply(3, (Refusal(1, "clock_behind"),)))
    lines = unsent.lines(world.store.db)
    assert [line.operation.fields["title"] for line in lines] == ["c", "d"]
    assert lines[0].operation.hlc < lines[1].operation.hlc
    assert lines[1].operation.prev["title"] == lines[0].operation.clock
    found = row(world, made)
    assert found is not None
    assert found.clock_of("title") == lines[1].operation.clock


def readable(world: World) -> frozenset[str]:
    return world.viewer("secretary").streams


def test_own_rows_are_stepped_over(world: World) -> None:
    stream = f"building:{world.id('b3')}"
    merging.apply_portion(world.store, Page(streams=readable(world), cursors={stream: 41}))
    world.save("head3", [visit(world)])
    answer(world, **{stream: (42, 42)})
    assert merging.cursors(world.store)[stream] == 42
    world.save("head3", [visit(world)])
    answer(world, **{stream: (50, 50)})  # somebody wrote between
    assert merging.cursors(world.store)[stream] == 42
    world.save("head3", [visit(world), visit(world)])
    answer(world, (0, "invalid"), **{stream: (43, 43)})
    assert merging.cursors(world.store)[stream] == 42


def test_nothing_is_stepped_over_after_a_move_or_while_all_is_downloaded_again(world: World) -> None:
    made = new(
        "dispute",
        "d",
        compound_id=world.id("compound"),
        title="噪音",
        noticed_by=world.as_("head3"),
        mediator_ids=(world.as_("mediator"),),
    )
    world.save("head3", [made])
    answer(world)
    world.save("mediator", [patch("dispute", "d", accepted_on="2026-11-23", mediator_ids=(world.as_("mediator"),))])
    case = "case:d"
    merging.apply_portion(world.store, Page(streams=readable(world) | {case}))
    answer(world, **{case: (1, 1)})
    assert merging.cursors(world.store)[case] == 0
    stream = f"building:{world.id('b3')}"
    merging.begin_sweep(world.store)
    world.save("head3", [visit(world)])
    answer(world, **{stream: (1, 1)})
    assert merging.cursors(world.store)[stream] == 0


def test_an_operation_the_server_cannot_read_is_set_aside(world: World) -> None:
    made = visit(world)
    world.save("head3", [made])
    assert outbox.set_aside(world.store, "invalid") == frozenset()
    first = send(world)
    assert outbox.set_aside(world.store, "invalid") == {("visit", made.id)}
    assert row(world, made) is None
    assert world.store.state.batch == 0
    world.save("head3", [visit(world)])
    assert send(world).number == first.number


@pytest.mark.parametrize("seed", range(12))
def test_refusing_some_leaves_the_rows_as_if_they_had_never_been_made(world: World, seed: int) -> None:
    """Any patches in any batches, some refused: each register shows the newest accepted or unsent value."""
    dice = random.Random(seed)
    made = demand(world)
    world.save("head3", [made])
    answer(world)
    base = row(world, made)
    assert base is not None
    kept: list[Operation] = []
    waiting: list[Operation] = []
    for _ in range(12):
        fields = {
            name: f"{dice.random():.6f}" for name in dice.sample(("title", "details", "result"), dice.randint(1, 3))
        }
        world.save("staff", [patch("demand", made.id, **fields)])
        waiting.append(unsent.lines(world.store.db)[-1].operation)
        if dice.random() < 0.4:
            batch = outbox.take_batch(world.store, encode, limits=Limits(operations=dice.randint(1, 4)))
            assert batch is not None
            if dice.random() < 0.5:
                world.save("staff", [patch("demand", made.id, title="late")])
                waiting.append(unsent.lines(world.store.db)[-1].operation)
            refused = {at for at in range(batch.count) if dice.random() < 0.5}
            outbox.settle(world.store, Reply(batch.number, tuple(Refusal(at, "invalid") for at in sorted(refused))))
            kept += [one for at, one in enumerate(waiting[: batch.count]) if at not in refused]
            waiting = waiting[batch.count :]
        found = row(world, made)
        assert found is not None
        for name in ("title", "details", "result"):
            own = [one for one in (*kept, *waiting) if one.fields.get(name) is not None]
            touching = [one for one in own if name != "result" or "result" in one.fields]
            expected = touching[-1].fields[name] if touching else base.values[name]
            assert found.values[name] == expected
    lines = unsent.lines(world.store.db)
    assert [line.operation.id for line in lines] == [made.id] * len(waiting)
    clocks = {base.clock, *(one.clock for one in (*kept, *waiting))}
    for line in lines:
        assert set(line.operation.prev.values()) <= clocks
        assert {clock for _, clock in line.replaced.values()} <= clocks
