"""Several batches in flight at once: answered in order, refused piece by piece, bytes never changed, nothing lost."""

import random
from collections.abc import Sequence

import msgspec
import pytest

from sync.domain.operations import Operation, new, patch
from sync.store import merging, outbox, quarantine, replicas, schema, unsent
from sync.store.merging import Page
from sync.store.outbox import Batch, Limits, Refusal, Reply
from world import World

ONE = Limits(operations=1)


def encode(operations: Sequence[Operation], number: int) -> bytes:
    return msgspec.json.encode([number, *operations])


def series(world: World, *, limits: Limits = ONE, most: int = 12) -> tuple[Batch, ...]:
    return outbox.take_series(world.store, encode, limits=limits, most=most)


def answer(world: World, number: int, *refused: tuple[int, str], **ranges: tuple[int, int]) -> None:
    outbox.settle(world.store, Reply(number, tuple(Refusal(*one) for one in refused), ranges))


def demand(world: World, **fields: object) -> Operation:
    return new(
        "demand",
        world.ids(world.clock()),
        building_id=world.id("b3"),
        compound_id=world.id("compound"),
        household_id=world.id("b3:201"),
        **{"title": "漏水", **fields},
    )


def row(world: World, operation: Operation) -> schema.Row:
    found = schema.load_one(world.store.db, operation.kind, operation.id)
    assert found is not None
    return found


def accepted(world: World) -> Operation:
    """A demand that the server has."""
    made = demand(world)
    world.save("head3", [made])
    (batch,) = series(world)
    answer(world, batch.number)
    return made


def change(world: World, made: Operation, **fields: object) -> None:
    world.save("staff", [patch("demand", made.id, **fields)])


def test_the_whole_outbox_leaves_in_a_row(world: World) -> None:
    assert series(world) == ()
    world.save("head3", [demand(world), demand(world), demand(world)])
    batches = series(world, limits=Limits(operations=2))
    assert [(batch.number, batch.count) for batch in batches] == [(1, 2), (2, 1)]
    assert outbox.in_flight(world.store.db) == batches
    pending = outbox.pending_counts(world.store.db)
    assert (pending.waiting, pending.in_flight) == (0, 3)
    world.save("head3", [demand(world)])
    world.reopen()
    assert series(world)[:2] == batches  # the same bytes again
    assert [batch.number for batch in series(world)] == [1, 2, 3]
    assert series(world, most=1) == batches[:1]


def test_no_more_batches_leave_than_fit(world: World) -> None:
    world.save("head3", [demand(world), demand(world), demand(world)])
    assert len(series(world, most=2)) == 2
    assert outbox.pending_counts(world.store.db).waiting == 1


def test_a_line_sends_the_lowest_and_answers_come_in_order(world: World) -> None:
    world.save("head3", [demand(world), demand(world)])
    first, second = series(world)
    assert outbox.take_batch(world.store, encode) == first
    answer(world, second.number)  # too early: ignored
    assert outbox.in_flight(world.store.db) == (first, second)
    answer(world, first.number)
    assert outbox.take_batch(world.store, encode) == second
    answer(world, first.number)  # once more: ignored
    answer(world, second.number)
    assert outbox.take_batch(world.store, encode) is None
    assert world.store.state.batch == 2
    assert [number for number, _ in outbox.batch_log(world.store.db)] == [2, 1]


def test_a_refusal_is_shown_at_once_when_its_record_has_nothing_else_in_flight(world: World) -> None:
    refused, other = demand(world), demand(world)
    world.save("head3", [refused, other])
    series(world)
    answer(world, 1, (0, "invalid"))
    assert schema.load_one(world.store.db, "demand", refused.id) is None
    assert outbox.pending_counts(world.store.db).quarantined == 1
    answer(world, 2)
    assert outbox.pending_counts(world.store.db).unsent == 0


def test_later_bytes_in_flight_are_not_touched_by_an_earlier_refusal(world: World) -> None:
    """The later batch may be at the centre already: it names the refused version, which is the truth there."""
    made = accepted(world)
    base = row(world, made)
    change(world, made, title="refused", details="refused")
    change(world, made, title="kept")
    _, second = series(world)
    lines = unsent.lines(world.store.db)
    answer(world, 2, (0, "invalid"))
    assert outbox.in_flight(world.store.db) == (second,)
    assert unsent.lines(world.store.db) == lines  # both: the refused one waits for the answer to what stands on it
    assert outbox.pending_counts(world.store.db).in_flight == 2
    answer(world, 3)
    found = row(world, made)
    assert found.values["title"] == "kept"
    assert found.clock_of("title") == lines[1].operation.clock
    assert (found.values["details"], found.clock_of("details")) == (base.values["details"], base.clock)
    assert outbox.pending_counts(world.store.db).quarantined == 1
    assert outbox.pending_counts(world.store.db).unsent == 0


def test_refusals_of_a_record_are_undone_together_newest_first(world: World) -> None:
    made = accepted(world)
    base = row(world, made)
    for title in "abc":
        change(world, made, title=title)
    series(world)
    for number in (2, 3, 4):
        assert outbox.pending_counts(world.store.db).quarantined == 0
        answer(world, number, (0, "invalid"))
    assert row(world, made) == base
    assert outbox.pending_counts(world.store.db).quarantined == 3


def test_a_refused_new_takes_along_what_was_refused_for_want_of_it(world: World) -> None:
    made = demand(world)
    world.save("head3", [made])
    change(world, made, title="b")
    series(world)
    change(world, made, title="c")  # in no batch yet
    answer(world, 1, (0, "server_error"))
    assert outbox.pending_counts(world.store.db).quarantined == 0
    answer(world, 2, (0, "unknown_record"))
    assert schema.load_one(world.store.db, "demand", made.id) is None
    codes = [one.code for one in quarantine.quarantined(world.store.db, world.viewer("staff"))]
    assert codes == ["unknown_record", "unknown_record", "server_error"]
    assert outbox.pending_counts(world.store.db).unsent == 0


def test_a_clock_behind_is_stamped_anew_when_nothing_of_its_record_flies(world: World) -> None:
    made = accepted(world)
    change(world, made, title="a")
    change(world, made, details="b")
    series(world)
    sent = unsent.lines(world.store.db)
    answer(world, 2, (0, "clock_behind"))
    assert unsent.lines(world.store.db) == sent
    answer(world, 3)
    (again,) = unsent.lines(world.store.db)
    assert again.operation.fields == {"title": "a"}
    assert again.operation.hlc > sent[1].operation.hlc
    assert row(world, made).clock_of("details") == sent[1].operation.clock
    assert [batch.number for batch in series(world)] == [4]


def test_what_is_put_back_is_sent_again_with_what_was_refused(world: World) -> None:
    """A mend clears all that flies, and with it the refusals that waited: the server will refuse these again."""
    made = accepted(world)
    change(world, made, title="a")
    change(world, made, title="b")
    series(world)
    answer(world, 2, (0, "invalid"))
    replicas.rename_replica(world.store)
    assert [batch.number for batch in series(world)] == [1, 2]
    answer(world, 1, (0, "invalid"))
    answer(world, 2)
    assert row(world, made).values["title"] == "b"
    assert outbox.pending_counts(world.store.db).quarantined == 1


def test_one_batch_set_aside_puts_the_later_ones_back(world: World) -> None:
    unreadable, other = demand(world), demand(world)
    world.save("head3", [unreadable, other])
    series(world)
    assert outbox.set_aside(world.store, "invalid") == {("demand", unreadable.id)}
    assert outbox.in_flight(world.store.db) == ()
    (batch,) = series(world)
    assert (batch.number, batch.count) == (1, 1)


def test_a_series_steps_over_its_own_rows_until_something_is_refused(world: World) -> None:
    stream = f"building:{world.id('b3')}"
    merging.apply_portion(world.store, Page(streams=world.viewer("secretary").streams, cursors={stream: 41}))
    made = demand(world)
    world.save("head3", [made, demand(world)])
    change(world, made, title="b")
    world.save("head3", [demand(world)])
    series(world)
    answer(world, 1, **{stream: (42, 42)})
    assert merging.cursors(world.store)[stream] == 42
    answer(world, 2, (0, "invalid"))
    answer(world, 3, **{stream: (43, 43)})
    assert merging.cursors(world.store)[stream] == 43
    answer(world, 4, **{stream: (45, 45)})  # somebody wrote between
    assert merging.cursors(world.store)[stream] == 43


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_refused_each_field_shows_the_newest_that_was_not(world: World, seed: int) -> None:
    dice = random.Random(seed)
    records = [accepted(world), accepted(world)]
    written: dict[int, Operation] = {}
    refused: set[int] = set()
    for _ in range(25):
        made = dice.choice(records)
        names = dice.sample(("title", "details", "result"), dice.randint(1, 3))
        change(world, made, **{name: f"{dice.random():.6f}" for name in names})
        line = unsent.lines(world.store.db)[-1]
        written[line.op] = line.operation
        if dice.random() < 0.4:
            series(world, limits=Limits(operations=dice.randint(1, 3)))
        flying = outbox.in_flight(world.store.db)
        if flying and dice.random() < 0.6:
            operations = msgspec.json.decode(flying[0].body)[1:]
            clocks = [(one["hlc"], one["device"]) for one in operations]
            sent = [op for clock in clocks for op, one in written.items() if one.clock == clock]
            out = [at for at in range(len(sent)) if dice.random() < 0.5]
            refused |= {sent[at] for at in out}
            before = {batch.number: batch.body for batch in flying[1:]}
            answer(world, flying[0].number, *((at, "invalid") for at in out))
            assert {batch.number: batch.body for batch in outbox.in_flight(world.store.db)} == before
    for batch in series(world):
        answer(world, batch.number)
    for made in records:
        found = row(world, made)
        own = [one for op, one in written.items() if one.id == made.id and op not in refused]
        for name in ("title", "details"):
            last = [one.fields[name] for one in own if name in one.fields]
            assert found.values[name] == (last[-1] if last else {"title": "漏水", "details": ""}[name])
    pending = outbox.pending_counts(world.store.db)
    assert (pending.unsent, pending.quarantined) == (0, len(refused))
