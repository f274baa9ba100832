"""What a file holds is compared with what the server says; what differs, or was left out for us, is read anew."""

from dataclasses import replace

import msgspec
import pytest

from sync.domain import upgrades
from sync.domain.catalogue import KINDS
from sync.domain.checks import row_check
from sync.domain.clock import hlc_of
from sync.domain.merge import Row
from sync.domain.operations import Operation, delete, new, patch
from sync.store import merging, outbox, quarantine, retrying, schema, served, unsent, upgrading, verifying
from sync.store.database import converted, immediate
from sync.store.merging import Page
from sync.store.outbox import Refusal, Reply
from sync.store.verifying import Difference, Head
from world import World

SERVER = 5
_bytes = msgspec.json.encode


@pytest.fixture
def home(world: World) -> str:
    """The stream of the third building, which stands at 5 of the others' 0."""
    stream = f"building:{world.id('b3')}"
    streams = frozenset(row[0] for row in world.store.db.execute("SELECT id FROM stream"))
    merging.apply_portion(world.store, Page(streams=streams, cursors={stream: 5}))
    return stream


def head(world: World, stream: str, at: int = 5) -> Head:
    """What a server that holds the same would say."""
    rows, checks = verifying.tally(world.store.db, [stream])[stream]
    return Head(stream, at, 0, rows, checks)


def pulled(world: World, record_id: str = "d", *, minute: int = 0, **values: object) -> Row:
    """A demand of the third building as the server has it."""
    given = {"building_id": world.id("b3"), "compound_id": world.id("compound"), "title": "漏水", **values}
    clock = (hlc_of(world.clock() + minute * 60_000), SERVER)
    return Row(record_id, "demand", f"building:{world.id('b3')}", KINDS["demand"].complete(given), clock)


def answer(world: World, *refused: Refusal) -> None:
    batch = outbox.take_batch(world.store, lambda operations, number: _bytes([number, *operations]))
    assert batch is not None
    outbox.settle(world.store, Reply(batch.number, refused))


# ---------------------------------------------------------------------------------------------------- tallies


def test_a_tally_is_the_sum_of_the_checks_of_living_rows(world: World, home: str) -> None:
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="新名")])
    world.save("head3", [delete("household", world.id("b3:202"))])
    rows = []
    for kind in KINDS:
        ids = [line[0] for line in world.store.db.conn.execute(f'SELECT id FROM "{kind}"')]
        rows += [row for row in schema.load(world.store.db, kind, ids).values() if row.stream == home]
    living = [row for row in rows if not row.deleted]
    assert len(living) == len(rows) - 1
    checks = sum(row_check(row.id, row.clock, row.clocks) for row in living)
    assert verifying.tally(world.store.db, [home, "unknown"]) == {home: (len(living), checks), "unknown": (0, 0)}


def test_tallies_are_taken_from_the_index_alone(world: World) -> None:
    plan = world.store.db.execute(
        "EXPLAIN QUERY PLAN SELECT stream, count(*), sum(row_check) FROM visit WHERE deleted = 0"
        " AND stream IN (SELECT value FROM json_each('[]')) GROUP BY stream"
    ).fetchall()
    assert "COVERING INDEX visit_by_check" in str(plan)


def test_an_older_file_gets_its_checks(world: World) -> None:
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="新名")])
    db = world.store.db
    before = db.execute("SELECT id, row_check FROM household ORDER BY id").fetchall()
    with immediate(db):
        db.conn.execute("DROP INDEX household_by_check")
        db.conn.execute("ALTER TABLE household DROP COLUMN row_check")
        db.conn.execute("UPDATE sync_state SET value = 'earlier' WHERE key = 'catalogue'")
    db = world.reopen().db
    assert db.execute("SELECT id, row_check FROM household ORDER BY id").fetchall() == before


# ---------------------------------------------------------------------------------------------------- comparing


def test_a_stream_that_is_alike_is_not_counted_again_until_it_is_touched(
    world: World, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [head(world, home)]
    counted: list[list[str]] = []
    count = verifying.tally
    monkeypatch.setattr(verifying, "tally", lambda db, streams: (counted.append(list(streams)), count(db, streams))[1])
    assert verifying.compare(world.store, told).is_verified
    assert verifying.compare(world.store, told).is_verified
    assert counted == [[home]]
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="新名")])
    answer(world, Refusal(0, "invalid"))
    assert verifying.compare(world.store, told).is_verified
    assert counted == [[home], [home]]


def test_what_differs_is_named_by_counts(world: World, home: str) -> None:
    told = head(world, home)
    more = replace(told, rows=told.rows + 1)
    other = replace(told, sum=told.sum + 1)
    for wrong in (more, other):
        found = verifying.compare(world.store, [wrong])
        assert found.differing == (Difference(home, (told.rows, told.sum), (wrong.rows, wrong.sum)),)
        assert not found.is_verified


def test_many_rows_are_counted_in_portions(world: World, home: str) -> None:
    told = [head(world, home), head(world, f"building:{world.id('b1')}", 0), head(world, "community:c", 0)]
    assert min(told[0].rows, told[1].rows) > 1
    first = verifying.compare(world.store, told, most_rows=1)
    assert (first.waiting, first.differing, first.is_verified) == (tuple(told[1:2]), (), False)
    assert verifying.compare(world.store, told, most_rows=10_000).waiting == ()
    wrong = replace(told[1], sum=told[1].sum + 1)
    found = verifying.compare(world.store, [replace(told[0], rows=0), wrong], most_rows=1)
    again = found.and_then(verifying.compare(world.store, found.waiting, most_rows=1))
    assert [one.stream for one in again.differing] == [told[0].stream, wrong.stream]
    assert not again.waiting


def test_streams_at_work_or_behind_or_not_told_of_are_left_out(world: World, home: str) -> None:
    told = head(world, home)
    behind = replace(told, head=6)
    assert verifying.compare(world.store, [behind]).left_out == 1
    newer = replace(told, rows=0, sum=0)
    found = verifying.compare(world.store, [newer], all_told=False)
    assert (found.left_out, found.differing, found.is_verified) == (1, (), False)
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="新名")])
    assert verifying.compare(world.store, [told]).left_out == 1
    assert verifying.compare(world.store, []).is_verified


def test_a_move_that_is_not_sent_leaves_out_all(world: World, home: str) -> None:
    merging.apply_portion(world.store, Page(rows=(pulled(world),)))
    told = head(world, home)
    world.clock.forward(minutes=1)
    elsewhere = world.id("b1")
    place = {"building_id": elsewhere, "household_id": world.id("b1:201"), "scope_id": world.id("b1:201")}
    world.save("secretary", [patch("demand", "d", **place)])
    assert verifying.compare(world.store, [told]) == verifying.Comparison(left_out=1)


# ---------------------------------------------------------------------------------------------------- reading anew


def test_below_a_floor_a_stream_begins_anew_once(world: World, home: str) -> None:
    assert merging.mind_floors(world.store, {home: 0}) == frozenset()
    assert merging.mind_floors(world.store, {home: 5, "unknown": 9}) == frozenset()
    assert merging.cursors(world.store)[home] == 5
    assert merging.mind_floors(world.store, {home: 6}) == {home}
    assert merging.cursors(world.store)[home] == 0
    assert merging.swept_streams(world.store) == {home}
    assert merging.mind_floors(world.store, {home: 6}) == frozenset()
    merging.apply_portion(world.store, Page(cursors={home: 3}))
    assert merging.mind_floors(world.store, {home: 6}) == frozenset()  # on its way since that floor was told
    assert merging.mind_floors(world.store, {home: 7}) == {home}


def test_a_page_that_was_under_way_moves_no_stream_begun_anew(world: World, home: str) -> None:
    asked = dict(merging.cursors(world.store))
    merging.begin_sweep(world.store)
    merging.apply_portion(world.store, Page(cursors={home: 9}, asked=asked))
    assert merging.cursors(world.store)[home] == 0
    merging.apply_portion(world.store, Page(cursors={home: 9}, asked={}))
    assert merging.cursors(world.store)[home] == 9


def test_a_sweep_goes_on_after_a_break_and_keeps_what_it_met(world: World, home: str) -> None:
    merging.apply_portion(world.store, Page(rows=(pulled(world), pulled(world, "e"))))
    merging.begin_sweep(world.store, [home])
    merging.apply_portion(world.store, Page(rows=(pulled(world),)))
    world.reopen()
    assert merging.swept_streams(world.store) == {home}
    touched = merging.end_sweep(world.store)
    assert ("demand", "e") in touched
    assert ("demand", "d") not in touched
    assert merging.swept_streams(world.store) == frozenset()
    assert world.store.db["met"].count == 0


def test_a_stream_lost_while_it_is_swept_is_swept_no_longer(world: World, home: str) -> None:
    merging.begin_sweep(world.store)
    streams = frozenset(merging.cursors(world.store)) - {home}
    merging.apply_portion(world.store, Page(streams=streams))
    assert merging.swept_streams(world.store) == streams


def test_what_came_in_with_a_version_is_read_anew(world: World, home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = frozenset(merging.cursors(world.store))
    assert served.mind_served(world.store, 1) == frozenset()  # a new file: there is nothing to miss
    assert served.mind_served(world.store, 1) == frozenset()
    assert served.mind_served(world.store, 2) == everything  # a kind that came in may lie anywhere
    assert merging.swept_streams(world.store) == everything
    merging.end_sweep(world.store)
    demand = KINDS["demand"]
    wider = {**demand.fields, "title": replace(demand.fields["title"], since=3)}
    monkeypatch.setattr(served, "KINDS", {"demand": replace(demand, fields=wider)})
    merging.apply_portion(world.store, Page(rows=(pulled(world),)))
    assert served.mind_served(world.store, 3) == {home}
    assert served.mind_served(world.store, 1) == frozenset()
    assert world.store.state.served == 1


# ---------------------------------------------------------------------------------------------------- earlier programs


def _louder(operation: Operation) -> Operation:
    fields = {name: f"{value}!" if name == "title" else value for name, value in operation.fields.items()}
    return msgspec.structs.replace(operation, fields=fields)


def test_unsent_and_refused_work_of_an_earlier_program_is_upgraded(world: World) -> None:
    place = {"building_id": world.id("b3"), "compound_id": world.id("compound")}
    world.save("head3", [new("demand", "d", **place, title="a")])
    answer(world)
    world.save("head3", [patch("demand", "d", title="b")])
    answer(world, Refusal(0, "server_error"))
    world.save("head3", [patch("demand", "d", title="c")])
    steps = {**upgrades.STEPS, upgrades.SCHEMA: _louder}
    with immediate(world.store.db):
        assert upgrading.upgrade_unsent(world.store.db, steps=steps) == 2
    with immediate(world.store.db):
        assert upgrading.upgrade_unsent(world.store.db, steps=steps) == 0
    (line,) = unsent.lines(world.store.db)
    assert line.operation.fields == {"title": "c!"}
    assert line.replaced["title"][0] == {"title": "a!"}
    (refused,) = quarantine.quarantined(world.store.db, world.viewer("head3"))
    assert refused.operation.fields == {"title": "b!"}


def test_opening_a_file_of_an_earlier_program_upgrades_its_work(world: World) -> None:
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="新名")])
    db = world.store.db
    with immediate(db):
        db.conn.execute("UPDATE outbox SET schema = 1")
        db.conn.execute("UPDATE sync_state SET value = 'earlier' WHERE key = 'catalogue'")
    db = world.reopen().db
    with converted():
        assert db.conn.execute("SELECT schema FROM outbox").fetchall() == [(upgrades.SCHEMA,)]


# ---------------------------------------------------------------------------------------------------- refusals


def test_a_refused_record_that_another_has_made_too_falls_back_to_theirs(world: World, home: str) -> None:
    place = {"building_id": world.id("b3"), "compound_id": world.id("compound")}
    world.clock.forward(minutes=5)
    world.save("head3", [new("demand", "d", **place, title="mine", details="also mine")])
    theirs = pulled(world, minute=-3, title="theirs")
    merging.apply_portion(world.store, Page(rows=(theirs,)))
    shown = schema.load_one(world.store.db, "demand", "d")
    assert shown is not None
    assert shown.values["title"] == "mine"
    world.clock.forward(minutes=1)
    world.save("head3", [patch("demand", "d", title="later")])
    answer(world, Refusal(0, "invalid"), Refusal(1, "invalid"))
    assert schema.load_one(world.store.db, "demand", "d") == theirs
    assert outbox.pending_counts(world.store.db).quarantined == 2
    assert home == theirs.stream


def test_what_stands_on_such_a_record_stays_when_only_the_first_is_refused(world: World, home: str) -> None:
    place = {"building_id": world.id("b3"), "compound_id": world.id("compound")}
    world.clock.forward(minutes=5)
    world.save("head3", [new("demand", "d", **place, title="mine")])
    merging.apply_portion(world.store, Page(rows=(pulled(world, minute=-3, title="theirs"),)))
    world.clock.forward(minutes=1)
    world.save("head3", [patch("demand", "d", title="later")])
    answer(world, Refusal(0, "invalid"))
    shown = schema.load_one(world.store.db, "demand", "d")
    assert shown is not None
    assert shown.values["title"] == "later"
    assert outbox.pending_counts(world.store.db).quarantined == 1
    assert home == shown.stream


@pytest.mark.parametrize(
    ("code", "hours", "app", "goes"),
    [
        ("server_error", 23, "1", False),
        ("server_error", 24, "1", True),
        ("server_error", 0, "2", True),
        ("invalid", 48, "2", False),
    ],
)
def test_what_only_the_server_broke_is_tried_again_daily_and_after_an_update(
    world: World, code: str, hours: int, app: str, *, goes: bool
) -> None:
    retrying.try_again(world.store, app="1")
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="新名")])
    answer(world, Refusal(0, code))
    world.clock.forward(minutes=hours * 60)
    touched = retrying.try_again(world.store, app=app)
    assert bool(touched) is goes
    assert outbox.pending_counts(world.store.db).waiting == int(goes)
    assert world.store.state.app == app


def test_work_put_aside_is_let_be(world: World) -> None:
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="新名")])
    answer(world, Refusal(0, "server_error"))
    with immediate(world.store.db):
        world.store.db.conn.execute("UPDATE quarantine SET state = 'aside'")
    assert retrying.try_again(world.store, app="2") == frozenset()
