"""Pages of a pull: rows as the server has them, unsent work on top, streams that come and go."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest

from sync.domain.catalogue import KINDS
from sync.domain.clock import hlc_of
from sync.domain.merge import Row
from sync.domain.operations import Operation, new, patch
from sync.errors import StoreError
from sync.store import drafts, merging, outbox, portions, schema, search, unsent
from sync.store.leaving import Exit
from sync.store.merging import Page
from sync.store.outbox import Refusal, Reply
from sync.store.replicas import learn_offset, recognised, rename_replica
from sync.store.writer import Touched
from world import World

SERVER = 5


def encode(operations: Sequence[Operation], number: int) -> bytes:
    return msgspec.json.encode([number, *operations])


def answer(world: World, *refused: Refusal) -> None:
    batch = outbox.take_batch(world.store, encode)
    assert batch is not None
    outbox.settle(world.store, Reply(batch.number, refused))


def pulled(world: World, kind: str, record_id: str, /, *, stream: str = "", minute: int = 0, **values: object) -> Row:
    """A row as the server would send it."""
    clock = (hlc_of(world.clock() + minute * 60_000), SERVER)
    return Row(record_id, kind, stream or f"building:{world.id('b3')}", KINDS[kind].complete(values), clock)


def demand_row(world: World, record_id: str = "d", *, minute: int = 0, **values: object) -> Row:
    given = {"building_id": world.id("b3"), "compound_id": world.id("compound"), "title": "漏水", **values}
    return pulled(world, "demand", record_id, minute=minute, **given)


def stored(world: World, kind: str, record_id: str) -> Row:
    row = schema.load_one(world.store.db, kind, record_id)
    assert row is not None
    return row


def taken(world: World, page: Page) -> Touched:
    """Take in a page, portion by portion."""
    return frozenset().union(*(merging.apply_portion(world.store, portion) for portion in portions.cut(page)))


def all_streams(world: World) -> frozenset[str]:
    return frozenset(row[0] for row in world.store.db.execute("SELECT id FROM stream"))


def test_pulled_rows_replace_what_was_there(world: World) -> None:
    row = demand_row(world)
    page = Page(rows=(row,), streams=all_streams(world), cursors={row.stream: 7, "unknown": 3})
    assert taken(world, page) == {("demand", "d")}
    assert stored(world, "demand", "d") == row
    assert merging.cursors(world.store)[row.stream] == 7
    assert "unknown" not in merging.cursors(world.store)
    later = demand_row(world, minute=1, title="屋顶漏水", aliases="of a newer server")
    taken(world, Page(rows=(later,)))
    assert stored(world, "demand", "d").values["title"] == "屋顶漏水"


def test_a_field_that_an_older_server_does_not_know_comes_with_its_default(world: World) -> None:
    row = demand_row(world)
    taken(world, Page(rows=(replace(row, values={"title": "漏水", "building_id": world.id("b3")}),)))
    found = stored(world, "demand", "d").values
    assert found["title"] == "漏水"
    assert found["state"] == KINDS["demand"].defaults["state"]
    assert found.keys() == KINDS["demand"].defaults.keys()


def test_kinds_of_a_newer_server_are_left_out(world: World) -> None:
    row = demand_row(world)
    assert taken(world, Page(rows=(replace(row, kind="of_tomorrow"),))) == frozenset()


def test_large_pages_come_in_portions_with_the_cursors_last(world: World) -> None:
    rows = tuple(demand_row(world, f"d{at}") for at in range(450))
    page = Page(rows=rows, cursors={rows[0].stream: 450}, exits=(Exit("s", "x", (1, 1)),))
    cut = list(portions.cut(page))
    assert [len(portion.rows) for portion in cut] == [200, 200, 50]
    assert [bool(portion.cursors) for portion in cut] == [False, False, True]
    assert list(portions.cut(Page())) == [Page()]
    assert len(taken(world, page)) == 450


def test_what_is_found_and_known_of_a_household_follows_what_is_pulled(world: World) -> None:
    there = stored(world, "household", world.id("b3:201"))
    named = replace(there, values={**there.values, "contact_name": "司马光", "room_no": "909"})
    visit = pulled(
        world, "visit", "v", household_id=there.id, building_id=world.id("b3"), visited_on="2026-11-20", outcome="met"
    )
    taken(world, Page(rows=(named, visit)))
    viewer = world.viewer("head3")
    assert [hit.household_id for hit in search.find(world.store.db, viewer, "simaguang")] == [there.id]
    assert {hit.name for hit in search.find(world.store.db, viewer, "909")} == {"司马光", "杨帆"}
    found = world.store.db.execute("SELECT last_contact_on FROM household_contact WHERE household_id = ?", (there.id,))
    assert found.fetchone() == ("2026-11-20",)


def test_unsent_work_lies_over_what_is_pulled(world: World) -> None:
    taken(world, Page(rows=(demand_row(world),)))
    world.clock.forward(minutes=10)
    world.save("head3", [patch("demand", "d", title="mine")])
    theirs = demand_row(world, title="theirs", details="seen")
    theirs = replace(theirs, clock=(theirs.clock[0] - 1, SERVER))
    taken(world, Page(rows=(theirs,)))
    row = stored(world, "demand", "d")
    assert (row.values["title"], row.values["details"]) == ("mine", "seen")
    # Refused now, it gives way to what the server has, not to what was there when it was made.
    answer(world, Refusal(0, "invalid"))
    assert stored(world, "demand", "d") == theirs


def test_unsent_work_with_the_smaller_clock_does_not_show(world: World) -> None:
    taken(world, Page(rows=(demand_row(world),)))
    world.clock.forward(minutes=1)
    world.save("head3", [patch("demand", "d", title="mine")])
    theirs = demand_row(world, minute=30, title="theirs")
    taken(world, Page(rows=(theirs,)))
    assert stored(world, "demand", "d") == theirs
    answer(world, Refusal(0, "invalid"))
    assert stored(world, "demand", "d") == theirs


def test_a_pulled_row_that_holds_our_own_work_changes_nothing(world: World) -> None:
    world.save(
        "head3",
        [new("demand", "d", building_id=world.id("b3"), compound_id=world.id("compound"), title="mine")],
    )
    row = stored(world, "demand", "d")
    taken(world, Page(rows=(row,)))
    assert stored(world, "demand", "d") == row
    assert outbox.pending_counts(world.store.db).waiting == 1


def test_a_move_made_here_holds_over_a_pulled_row(world: World) -> None:
    values = {"compound_id": world.id("compound"), "noticed_by": world.as_("head3"), "title": "噪音"}
    stream = f"compound:{world.id('compound')}:disputes:{world.as_('head3')}"
    row = pulled(world, "dispute", "x", stream=stream, **values)
    taken(world, Page(rows=(row,)))
    me = world.as_("mediator")
    world.clock.forward(minutes=1)
    world.save("mediator", [patch("dispute", "x", accepted_on="2026-11-23", mediator_ids=(me,))])
    taken(world, Page(rows=(replace(row, values={**row.values, "summary": "夜里"}),)))
    assert stored(world, "dispute", "x").stream == "case:x"
    assert stored(world, "dispute", "x").values["summary"] == "夜里"


def test_the_clock_has_seen_what_was_pulled(world: World) -> None:
    row = demand_row(world, minute=4)
    taken(world, Page(rows=(row,)))
    world.save("head3", [patch("demand", "d", title="mine")])
    assert stored(world, "demand", "d").values["title"] == "mine"
    assert world.store.clock.last > row.clock[0]


def test_a_row_that_left_is_dropped_unless_it_came_back(world: World) -> None:
    home = f"building:{world.id('b3')}"
    taken(world, Page(rows=(demand_row(world), demand_row(world, "e"))))
    clock = stored(world, "demand", "d").clock
    stale = Exit(home, "d", clock)
    elsewhere = Exit("building:b1", "e", (clock[0] + 1, SERVER))
    taken(world, Page(exits=(stale, elsewhere, Exit(home, "unknown", clock))))
    assert stored(world, "demand", "d")
    assert stored(world, "demand", "e")
    gone = taken(world, Page(exits=(Exit(home, "d", (clock[0] + 1, SERVER)),)))
    assert gone == {("demand", "d")}
    assert schema.load_one(world.store.db, "demand", "d") is None
    assert world.store.db["leaving"].count == 0


def test_a_row_with_unsent_work_leaves_when_that_is_answered(world: World) -> None:
    home = f"building:{world.id('b3')}"
    taken(world, Page(rows=(demand_row(world),)))
    clock = stored(world, "demand", "d").clock
    world.save("head3", [patch("demand", "d", title="mine")])
    taken(world, Page(exits=(Exit(home, "d", (clock[0] + 1, SERVER)),)))
    assert stored(world, "demand", "d")
    answer(world)
    assert schema.load_one(world.store.db, "demand", "d") is None


def test_what_belongs_to_a_record_leaves_with_it(world: World) -> None:
    home = f"building:{world.id('b3')}"
    event = pulled(world, "demand_event", "e", demand_id="d")
    orphan = pulled(world, "demand_event", "o", demand_id="not received")
    note = pulled(world, "conflict", "c", record_kind="demand", record_id="d")
    taken(world, Page(rows=(demand_row(world), event, orphan, note)))
    clock = stored(world, "demand", "d").clock
    stays = Exit(home, "e", clock)
    taken(world, Page(exits=(stays,)))
    assert stored(world, "demand_event", "e")
    moved = (clock[0] + 1, SERVER)
    leaving = tuple(Exit(home, name, moved) for name in ("e", "o", "c"))
    gone = taken(world, Page(exits=leaving))
    assert gone == {("demand_event", "e"), ("demand_event", "o"), ("conflict", "c")}


def test_streams_come_and_go_by_the_servers_list(world: World) -> None:
    everything = all_streams(world)
    taken(world, Page(streams=everything))
    home = f"building:{world.id('b3')}"
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="新名")])
    touched = taken(world, Page(streams=everything - {home} | {"building:new"}))
    assert ("household", world.id("b3:202")) in touched
    assert schema.load_one(world.store.db, "household", world.id("b3:202")) is None
    assert stored(world, "household", world.id("b3:201")).values["contact_name"] == "新名"
    assert search.find(world.store.db, world.viewer("secretary"), "许志强") == ()
    assert merging.cursors(world.store)["building:new"] == 0
    answer(world, Refusal(0, "out_of_scope"))
    taken(world, Page(streams=everything - {home} | {"building:new"}))
    assert schema.load_one(world.store.db, "household", world.id("b3:201")) is None
    assert home not in all_streams(world)
    assert outbox.pending_counts(world.store.db).quarantined == 1


def test_what_may_be_written_but_not_read_goes_with_the_list_after_it_was_sent(world: World) -> None:
    mine = Page(streams=world.viewer("head3").streams)
    taken(world, mine)
    world.save(
        "head3",
        [new("care_suggestion", "c", household_id=world.id("b3:201"), building_id=world.id("b3"), note="独居")],
    )
    assert stored(world, "care_suggestion", "c")
    answer(world)
    assert stored(world, "care_suggestion", "c")  # the list at hand is older than the batch
    taken(world, mine)
    assert schema.load_one(world.store.db, "care_suggestion", "c") is None


def test_downloading_everything_again_drops_only_what_is_not_met(world: World) -> None:
    taken(world, Page(streams=all_streams(world)))
    world.save("head3", [patch("household", world.id("b3:301"), contact_name="新名")])
    drafts.keep(world.store, world.as_("head3"), "visits", "", b"begun")
    merging.begin_sweep(world.store)
    merging.begin_sweep(world.store)  # interrupted and begun again
    assert set(merging.cursors(world.store).values()) == {0}
    assert world.store.state.sweeping
    kept = stored(world, "household", world.id("b3:201"))
    taken(world, Page(rows=(kept,)))
    touched = merging.end_sweep(world.store)
    assert ("household", world.id("b3:202")) in touched
    left = {row[0] for row in world.store.db.execute("SELECT id FROM household")}
    assert left == {kept.id, world.id("b3:301")}
    assert not world.store.state.sweeping
    assert outbox.pending_counts(world.store.db).waiting == 1
    assert world.store.db["draft"].count == 1


def test_a_sweep_ends_in_portions_and_only_while_all_is_met(world: World) -> None:
    home = f"building:{world.id('b3')}"
    taken(world, Page(streams=all_streams(world)))
    merging.begin_sweep(world.store)
    households = [row[0] for row in world.store.db.execute("SELECT id FROM household ORDER BY id")]
    kept = stored(world, "household", households[-1])
    taken(world, Page(rows=(kept,)))
    heads = dict.fromkeys(merging.cursors(world.store), 0)
    place: merging.Place | None = merging.Place(list(schema.TABLES).index("household"))
    gone: set[str] = set()
    for _ in range(2):
        assert place is not None
        touched, place = merging.sweep_some(world.store, place, heads=heads, most=2)
        gone |= {record_id for kind, record_id in touched if kind == "household"}
    assert gone == set(households[:4])
    merging.begin_sweep(world.store)
    taken(world, Page(cursors={home: 3}))
    assert place is not None
    assert merging.sweep_some(world.store, place, heads={**heads, home: 5}, most=2) == (frozenset(), None)
    left = {row[0] for row in world.store.db.execute("SELECT id FROM household")}
    assert left == set(households[4:])
    assert world.store.state.sweeping


def test_what_an_earlier_sweep_had_met_counts_no_more(world: World) -> None:
    home = f"building:{world.id('b3')}"
    taken(world, Page(streams=all_streams(world)))
    kept = [stored(world, "household", world.id(f"b3:{room}")) for room in ("201", "202")]
    merging.begin_sweep(world.store)
    taken(world, Page(rows=tuple(kept)))
    place: merging.Place | None = merging.Place()
    while place is not None and world.store.state.sweeping:  # it is over, and its end was interrupted
        place = merging.sweep_some(world.store, place)[1]
    merging.begin_sweep(world.store, [home])
    taken(world, Page(rows=tuple(kept[:1])))
    merging.end_sweep(world.store)
    assert {row[0] for row in world.store.db.execute("SELECT id FROM household")} == {kept[0].id}


def test_one_stream_alone_can_be_downloaded_again(world: World) -> None:
    home = f"building:{world.id('b3')}"
    taken(world, Page(streams=all_streams(world), cursors={home: 5, f"building:{world.id('b1')}": 6}))
    merging.begin_sweep(world.store, [home])
    assert merging.cursors(world.store)[home] == 0
    merging.end_sweep(world.store)
    left = {row[0] for row in world.store.db.execute("SELECT building_id FROM household")}
    assert left == {world.id("b1"), world.id("b2")}


def test_a_clone_sends_under_a_new_name(world: World) -> None:
    taken(world, Page(rows=(demand_row(world),)))
    world.clock.forward(minutes=1)
    world.save("head3", [patch("demand", "d", title="sent")])
    answer(world)
    world.save("head3", [patch("demand", "d", title="one"), patch("demand", "d", title="two", details="x")])
    accepted = stored(world, "demand", "d").clock_of("urgency")
    assert outbox.take_batch(world.store, encode) is not None
    name = rename_replica(world.store, replica=4242)
    assert (name, world.store.replica, world.store.state.batch) == (4242, 4242, 0)
    assert outbox.batch_log(world.store.db) == ()
    one, two = unsent.lines(world.store.db)
    assert {one.operation.device, two.operation.device} == {4242}
    assert one.operation.prev["title"][1] == 77  # what was accepted keeps its name
    assert two.operation.prev["title"] == one.operation.clock
    row = stored(world, "demand", "d")
    assert row.clock_of("title") == two.operation.clock
    assert row.clock_of("urgency") == accepted
    batch = outbox.take_batch(world.store, encode)
    assert batch is not None
    assert batch.number == 1
    assert rename_replica(world.store) == world.store.replica


def test_a_learnt_offset_corrects_the_clock_from_then_on(world: World) -> None:
    before = world.store.now()
    learn_offset(world.store, 3 * 60_000)
    assert world.store.now() == before + 3 * 60_000
    assert world.reopen().now() == before + 3 * 60_000


def test_unsent_work_made_under_a_wrong_clock_is_shifted_in_order(world: World) -> None:
    taken(world, Page(rows=(demand_row(world),)))
    seen = stored(world, "demand", "d").clock
    world.clock.forward(days=365)  # the PC's clock is a year ahead
    world.save("head3", [patch("demand", "d", title="one"), patch("demand", "d", title="two")])
    outbox.take_batch(world.store, encode)
    world.save("head3", [patch("demand", "d", title="three")])
    year = 365 * 24 * 3600 * 1000
    learn_offset(world.store, -year)
    flown, also, later = unsent.lines(world.store.db)
    assert flown.operation.hlc > hlc_of(world.clock()) - 5  # in flight: the same bytes are sent again
    outbox.give_back(world.store)  # the server has answered that the clock is wrong
    learn_offset(world.store, 0)
    learn_offset(world.store, -year)
    lines = unsent.lines(world.store.db)
    clocks = [line.operation.hlc for line in lines]
    assert clocks == sorted(set(clocks))
    assert seen[0] < clocks[0]
    assert lines[1].operation.prev["title"] == lines[0].operation.clock
    assert lines[2].operation.prev["title"] == lines[1].operation.clock
    assert also.op == lines[1].op
    assert later.op == lines[2].op
    assert stored(world, "demand", "d").clock_of("title") == lines[2].operation.clock
    world.save("head3", [patch("demand", "d", title="four")])
    assert unsent.lines(world.store.db)[-1].operation.hlc > clocks[-1]


def test_a_clock_far_behind_is_corrected_too(world: World) -> None:
    world.clock.forward(days=-100)
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="新名")])
    learn_offset(world.store, 100 * 24 * 3600 * 1000)
    (line,) = unsent.lines(world.store.db)
    assert line.operation.hlc >= hlc_of(world.store.now())


def test_a_file_that_finds_itself_elsewhere_takes_a_new_name(world: World) -> None:
    name = world.store.replica
    assert recognised(world.store, "a.b.c.d") is world.store
    recognised(world.store, "a.-.c.d")  # what cannot be read says nothing
    assert (world.store.replica, world.store.state.fingerprint) == (name, "a.b.c.d")
    recognised(world.store, "a.b.x.d")
    assert world.store.replica != name
    assert world.store.state.fingerprint == "a.b.x.d"
    name = world.store.replica
    world.store.set_state(fingerprint="as an earlier program had it")
    recognised(world.store, "-.b.x.d")
    recognised(world.store, "z.b.x.d")
    assert (world.store.replica, world.store.state.fingerprint) == (name, "z.b.x.d")


def test_a_file_that_cannot_be_written_is_not_left_open(world: World) -> None:
    world.store.db.conn.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError):
        recognised(world.store, "a.b.c.d")
    with pytest.raises(Exception, match="closed"):
        world.store.db.conn.execute("SELECT 1")
