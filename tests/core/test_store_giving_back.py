"""After a restore of the server: rows are offered without unsent work, wanted ones go out first, nothing is lost."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from sync.domain.checks import row_check
from sync.domain.merge import Row
from sync.domain.operations import DELETED, Operation, new, patch
from sync.store import giving_back, merging, outbox, quarantine, schema, unsent
from sync.store.merging import Page
from sync.store.outbox import Limits, Refusal, Reply
from sync.store.replicas import learn_offset, put_clocks_right, rename_replica
from sync.store.writer import Key
from world import World

_bytes = msgspec.json.encode


def encode(operations: Sequence[Operation], number: int) -> bytes:
    return _bytes([number, *operations])


def asked(world: World, *, most: int = 7, wanted: Sequence[str] = ()) -> dict[Key, int]:
    """All questions, answered: record → check; ``wanted`` are the ids asked for."""
    found: dict[Key, int] = {}
    while (question := giving_back.ask(world.store, most=most)) is not None:
        ids = [record_id for _, record_id in question.keys]
        assert len(ids) <= most
        assert found.keys().isdisjoint(question.keys)
        found |= dict(zip(question.keys, question.checks, strict=True))
        giving_back.answer(world.store, question, [at for at, record_id in enumerate(ids) if record_id in wanted])
    giving_back.begin_giving(world.store)
    return found


def all_rows(world: World) -> dict[Key, Row]:
    rows: dict[Key, Row] = {}
    for kind in schema.TABLES:
        ids = [line[0] for line in world.store.db.conn.execute(f'SELECT id FROM "{kind}"')]
        rows |= {(kind, record_id): row for record_id, row in schema.load(world.store.db, kind, ids).items()}
    return rows


def check(row: Row) -> int:
    return row_check(row.id, row.clock, row.clocks)


def test_every_row_is_offered_once_without_its_unsent_work(world: World) -> None:
    before = all_rows(world)
    home = world.id("b3:201")
    world.save(
        "head3",
        [patch("household", home, contact_name="一"), patch("household", world.id("b3:202"), contact_name="二")],
    )
    world.save("head3", [patch("household", home, contact_name="二", contact_phone="13800000001")])
    made = new("demand", "d", building_id=world.id("b3"), compound_id=world.id("compound"), title="漏水")
    world.save("head3", [made])
    giving_back.begin(world.store, epoch="second", batch=0)
    assert asked(world) == {key: check(row) for key, row in before.items()}
    shown = schema.load_one(world.store.db, "household", home)
    assert shown is not None
    assert shown.values["contact_name"] == "二"


def test_asking_goes_on_after_a_break_where_it_was(world: World) -> None:
    giving_back.begin(world.store, epoch="second", batch=0)
    first = giving_back.ask(world.store, most=5)
    assert first is not None
    giving_back.answer(world.store, first, [0, 4, 5, 99])
    world.reopen()
    assert world.store.state.healing == giving_back.ASKING
    second = giving_back.ask(world.store, most=5)
    assert second is not None
    assert set(first.keys).isdisjoint(second.keys)
    assert world.store.db["giving"].count == 2


def test_what_is_wanted_goes_out_block_by_block_before_all_else(world: World) -> None:
    rows = all_rows(world)
    homes = [world.id(f"b3:{floor}0{door}") for floor in (1, 2, 3) for door in (1, 2)]
    world.save("head3", [patch("household", homes[0], contact_name="新名")])
    giving_back.begin(world.store, epoch="second", batch=3)
    assert world.store.state.batch == 3
    asked(world, wanted=homes)
    sent: list[Operation] = []
    while world.store.state.healing:
        count = giving_back.queue(world.store, most=4)
        assert giving_back.queue(world.store, most=4) == count  # not before these are answered
        batch = outbox.take_batch(world.store, encode, limits=Limits(operations=count or 9))
        assert batch is not None
        sent += [line.operation for line in unsent.lines(world.store.db)][: batch.count]
        outbox.settle(world.store, Reply(batch.number))
        world.reopen()
    assert [one.action for one in sent] == ["state"] * 6 + ["patch"]
    assert {one.id for one in sent[:6]} == set(homes)
    for one in sent[:6]:
        row = rows["household", one.id]
        assert (one.clock, one.clocks, one.author) == (row.clock, row.clocks, "")
        assert one.fields == {**row.values, "deleted": False}
    assert outbox.pending_counts(world.store.db).unsent == 0


def test_until_all_is_given_back_nothing_pulled_is_taken_in(world: World) -> None:
    home = world.id("b3:201")
    before = all_rows(world)
    older = before["household", home]
    world.save("head3", [patch("household", home, contact_name="新名")])
    giving_back.begin(world.store, epoch="second", batch=0)
    assert merging.apply_portion(world.store, Page(rows=(older,), streams=frozenset())) == frozenset()
    assert len(all_rows(world)) == len(before)
    asked(world)
    assert giving_back.queue(world.store, most=4) == 0
    assert world.store.state.healing == giving_back.DONE
    assert merging.apply_portion(world.store, Page(rows=(older,))) == {("household", home)}


def test_a_second_restore_begins_again(world: World) -> None:
    homes = [world.id("b3:201"), world.id("b3:202")]
    giving_back.begin(world.store, epoch="second", batch=0)
    asked(world, wanted=homes)
    assert giving_back.queue(world.store, most=1) == 1
    assert outbox.take_batch(world.store, encode) is not None
    giving_back.begin(world.store, epoch="third", batch=0)
    assert unsent.lines(world.store.db) == []
    assert world.store.db["giving"].count == world.store.db["inflight"].count == 0
    assert set(asked(world)) == set(all_rows(world))


def test_a_row_the_server_will_not_have_back_waits_for_a_person(world: World) -> None:
    home = world.id("b3:201")
    row = all_rows(world)["household", home]
    for epoch in ("second", "third"):
        giving_back.begin(world.store, epoch=epoch, batch=0)
        asked(world, wanted=[home])
        giving_back.queue(world.store, most=4)
        batch = outbox.take_batch(world.store, encode)
        assert batch is not None
        outbox.settle(world.store, Reply(batch.number, (Refusal(0, "out_of_scope"),)))
    assert all_rows(world)["household", home] == row
    refused = quarantine.quarantined(world.store.db, world.viewer("head3"))
    assert [(one.code, one.operation.action) for one in refused] == [("out_of_scope", "state")] * 2
    assert len({one.op for one in refused}) == 2


def refused_state(world: World, record_id: str) -> int:
    """A row of this file that a restored server asked for and then would not have; its number in the quarantine."""
    giving_back.begin(world.store, epoch="second", batch=0)
    asked(world, wanted=[record_id])
    giving_back.queue(world.store, most=4)
    batch = outbox.take_batch(world.store, encode)
    assert batch is not None
    outbox.settle(world.store, Reply(batch.number, (Refusal(0, "invalid"),)))
    (one,) = quarantine.quarantined(world.store.db, world.viewer("head3"))
    return one.op


def test_a_row_the_server_would_not_have_is_sent_again_as_own_work(world: World) -> None:
    home, me = world.id("b3:201"), world.as_("head3")
    row = all_rows(world)["household", home]
    op = refused_state(world, home)
    schema.remove(world.store.db, "household", [home])  # the restored server has none
    quarantine.retry(world.store, op)
    assert len(quarantine.quarantined(world.store.db, world.viewer("head3"))) == 1  # nobody has said so
    assert quarantine.retry(world.store, op, author=me) >= {("household", home)}
    (line,) = unsent.lines(world.store.db)
    sent = line.operation
    assert (sent.action, sent.author, sent.device, sent.clocks) == ("new", me, world.store.replica, {})
    assert all_rows(world)["household", home].values == row.values
    assert outbox.pending_counts(world.store.db).quarantined == 0


def test_what_is_missing_in_a_row_that_is_here_is_written_into_it(world: World) -> None:
    home, me = world.id("b3:201"), world.as_("head3")
    world.save("head3", [patch("household", home, contact_phone="13800000001")])
    batch = outbox.take_batch(world.store, encode)
    assert batch is not None
    outbox.settle(world.store, Reply(batch.number))
    row = all_rows(world)["household", home]
    op = refused_state(world, home)
    # What the restored server has, without the number.
    schema.put(world.store.db, [replace(row, values={**row.values, "contact_phone": "", "building_id": "elsewhere"})])
    quarantine.retry(world.store, op, author=me)
    (line,) = unsent.lines(world.store.db)
    assert line.operation.action == "patch"
    assert line.operation.fields == {"contact_phone": "13800000001"}
    assert line.operation.prev == {"contact_phone": row.clock_of("contact_phone"), DELETED: row.clock_of(DELETED)}


def test_a_row_that_is_here_as_it_was_need_not_be_sent(world: World) -> None:
    op = refused_state(world, world.id("b3:201"))
    assert quarantine.retry(world.store, op, author=world.as_("head3")) == frozenset()
    assert outbox.pending_counts(world.store.db).quarantined == 0
    assert unsent.lines(world.store.db) == []


def test_a_row_that_went_meanwhile_is_not_given_back(world: World) -> None:
    home = world.id("b3:201")
    giving_back.begin(world.store, epoch="second", batch=0)
    asked(world, wanted=[home])
    schema.remove(world.store.db, "household", [home])
    assert giving_back.queue(world.store, most=1) == 0
    assert world.store.state.healing == giving_back.DONE


def test_rows_given_back_keep_the_clocks_of_those_who_wrote_them(world: World) -> None:
    home = world.id("b3:201")
    row = all_rows(world)["household", home]
    giving_back.begin(world.store, epoch="second", batch=0)
    asked(world, wanted=[home])
    giving_back.queue(world.store, most=1)
    learn_offset(world.store, -400 * 86_400_000)
    put_clocks_right(world.store, -400 * 86_400_000)
    (line,) = unsent.lines(world.store.db)
    assert line.operation.clock == row.clock
    assert all_rows(world)["household", home] == row


def test_under_a_new_name_everything_is_offered_anew(world: World) -> None:
    home = world.id("b3:201")
    giving_back.begin(world.store, epoch="second", batch=0)
    asked(world, wanted=[home, world.id("b3:202")])
    giving_back.queue(world.store, most=1)
    rename_replica(world.store)
    assert unsent.lines(world.store.db) == []
    assert world.store.db["giving"].count == 0
    assert set(asked(world)) == set(all_rows(world))
