"""Holes that rules of sync once had, each as the shortest story that fell into it, and pitfalls with their answers."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import invariants
from ground import Ground, grounds, in_memory
from histories import YEAR, Story
from machines import write_grant
from servers import Device, Server
from stations import Station, demand, visit
from sync.domain.ids import new_id
from sync.domain.operations import Operation, new, patch
from sync.store import merging, unsent
from sync.store.store import Store
from witness import written
from world import KEY, rules


def _ground(server: Server, secretary: Device, folder: Path) -> Ground:
    return Ground(server, secretary, folder)


def _rests(*stations: Station) -> None:
    """Sync until nothing moves; then all say that they are verified."""
    for _ in range(8):
        outcomes = [station.sync() for station in stations]
        if not any(outcome.pushed or outcome.pulled or outcome.refused for outcome in outcomes):
            assert all(outcome.verified for outcome in outcomes)
            return
    raise AssertionError(f"never at rest: {outcomes}")


def _value(station: Station, kind: str, record_id: str, field: str) -> Any:
    (found,) = station.store.db.conn.execute(f"SELECT {field} FROM {kind} WHERE id = ?", (record_id,)).fetchone()
    return found


def _moved_to(server: Server, record_id: str, home: str) -> Operation:
    places = server.places
    building = places[home.partition("-")[0]]
    return patch("demand", record_id, building_id=building, household_id=places[home], scope_id=places[home])


def _spoil(station: Station, op: int) -> None:
    """Make an operation that waits one which the server refuses."""
    (line,) = unsent.lines(station.store.db, "op = ?", (op,))
    fields = {**line.operation.fields, "deleted": "spoilt"}
    body = msgspec.json.encode(msgspec.structs.replace(line.operation, fields=fields))
    station.store.db.conn.execute("UPDATE outbox SET body = ? WHERE op = ?", (body, op))


def _clone(station: Station, path: Path) -> Station:
    """A disk image of the PC, opened on a second one."""
    station.store.close()
    shutil.copy(station.store.path, path)
    original = station.store.path
    station.store = Store.open(original, KEY, rules=rules(), wall=station.clock)
    copy = Store.open(path, KEY, rules=rules(), wall=station.clock)
    return Station(station.line, station.clock, copy, station.key, station.account)


def _history(ground: Ground, record_id: str) -> list[str]:
    return sorted(line.fields for line in ground.table("history") if line.id == record_id)


# ------------------------------------------------------------------------------------------------ the eight holes


def test_nothing_is_stepped_over_in_the_stream_a_row_was_moved_into(
    server: Server, first: Station, second: Station
) -> None:
    made = demand(server, first, "b1-101")
    first.save([made])
    _rests(first, second)
    second.save([patch("demand", made.id, details="下午又漏了")])
    second.sync()
    first.save([_moved_to(server, made.id, "b2-101")])
    first.sync()
    _rests(first, second)
    assert _value(first, "demand", made.id, "details") == "下午又漏了"


def test_own_fresh_rows_outlive_a_sweep(server: Server, first: Station) -> None:
    place = {"building_id": None, "household_id": None, "scope": "compound", "scope_id": server.places["compound"]}
    made = demand(server, first, **place)  # the first row that its stream ever had
    first.save([made])
    merging.begin_sweep(first.store)
    first.sync()
    _rests(first)
    assert [row[0] for row in first.rows("demand")] == [made.id]


def test_a_second_restore_loses_nothing_either(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    ground = _ground(server, secretary, tmp_path)
    backup = ground.copy()
    mine, theirs = visit(server, first, note="mine"), visit(server, second, "b1-102", note="theirs")
    first.save([mine])
    first.sync()
    ground.restore(backup)
    second.save([theirs])
    second.sync()  # positions of the second life reach those of the first
    server.clock.now += 1
    ground.restore(backup)
    _rests(first, second)
    rows = ground.rows()
    assert {mine.id, theirs.id} <= rows.keys()
    assert {row[0] for row in first.rows("visit")} == {row[0] for row in second.rows("visit")} == {mine.id, theirs.id}


def test_after_a_restore_two_clones_never_write_under_one_clock(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    ground = _ground(server, secretary, tmp_path)
    made = visit(server, first, note="before")
    first.save([made])
    _rests(first, second)
    twin = _clone(first, tmp_path / "twin.db")
    assert twin.store.replica == first.store.replica
    first.save([patch("visit", made.id, note="one")])
    first.sync()
    ground.restore(ground.copy())
    twin.save([patch("visit", made.id, note="two")])  # the same clock, to the last bit
    _rests(first, twin, second)
    assert twin.store.replica != first.store.replica
    conflicts = [row for row in ground.rows().values() if row.kind == "conflict"]
    words = [str(row.values["kept"]) + str(row.values["lost"]) for row in conflicts]
    assert any("one" in both and "two" in both for both in words)
    twin.store.close()


@pytest.mark.parametrize("refused", [True, False])
def test_what_is_given_back_holds_nothing_unsent_or_refused(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path, *, refused: bool
) -> None:
    ground = _ground(server, secretary, tmp_path)
    home = server.places["b1-101"]
    backup = ground.copy()
    first.save([patch("household", home, contact_name="曾明")])
    _rests(first, second)
    first.save([patch("household", home, contact_name="曾小明")])
    if refused:
        _spoil(first, unsent.lines(first.store.db)[-1].op)
    ground.restore(backup)
    _rests(first, second)
    shown = "曾明" if refused else "曾小明"
    assert (
        _value(first, "household", home, "contact_name") == _value(second, "household", home, "contact_name") == shown
    )
    given = [fields for fields in _history(ground, home) if "曾明" in fields]
    assert given, "the accepted name was given back with its own clock"
    waiting = first.store.db.conn.execute("SELECT count(*) FROM quarantine").fetchone()[0]
    assert waiting == int(refused)


def test_two_refused_edits_of_one_field_leave_what_was_there_before(server: Server, first: Station) -> None:
    home = server.places["b1-101"]
    first.save([patch("household", home, contact_name="曾明")])
    first.sync()
    for name in ("一", "二"):
        first.save([patch("household", home, contact_name=name)])
    for line in unsent.lines(first.store.db):
        _spoil(first, line.op)
    assert first.sync().refused == 2
    assert _value(first, "household", home, "contact_name") == "曾明"
    _rests(first)


def test_a_row_that_left_while_it_was_worked_on_leaves_no_ghost(
    server: Server, first: Station, second: Station
) -> None:
    made = demand(server, first, "b1-101")
    first.save([made])
    _rests(first, second)
    second.save([patch("demand", made.id, details="下午又漏了")])  # the head of the first building, offline
    first.save([_moved_to(server, made.id, "b2-101")])
    first.save([_moved_to(server, made.id, "b3-101")])
    first.sync()
    assert second.sync().refused == 1
    _rests(first, second)
    assert second.rows("demand") == []
    ((code, body),) = second.store.db.conn.execute("SELECT code, body FROM quarantine").fetchall()
    assert code == "out_of_scope"
    assert "下午又漏了" in body.decode()


def test_giving_back_doubles_no_line_of_the_history(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    ground = _ground(server, secretary, tmp_path)
    made = visit(server, first, note="one")
    first.save([made])
    backup = ground.copy()
    first.line.mishaps = ["", "reply_lost"]
    with pytest.raises(Exception, match="no_line"):
        first.sync()
    second.sync()
    taken = ground.copy()
    for copy in (backup, taken):  # the work is in one life, and in the other only with whoever holds the row
        server.clock.now += 1
        ground.restore(copy)
        _rests(first, second)
        found = [fields for fields in _history(ground, made.id) if '"one"' in fields]
        keys = {(line.hlc, line.dev) for line in ground.table("history") if line.id == made.id}
        assert len(keys) == len(_history(ground, made.id))
        assert found
    assert _value(second, "visit", made.id, "note") == "one"


# ------------------------------------------------------------------------------------------------ found by the machines


def test_who_loses_the_last_post_keeps_nothing(story: Story) -> None:
    pc = story.pcs[0]
    for row in story.ground.rows().values():
        if row.kind == "grant" and row.values["account_id"] in pc.accounts:
            write_grant(story.ground, row.id, "2020-01-01")
    story.quiet()
    assert [name for name in ("household", "visit", "resident", "account") if story.known(pc, name)] == []


def test_after_a_restore_one_epoch_begins_and_no_more(
    server: Server, secretary: Device, first: Station, tmp_path: Path
) -> None:
    ground = _ground(server, secretary, tmp_path)
    first.save([visit(server, first, note="one")])
    first.sync()
    backup = ground.copy()
    first.save([visit(server, first, note="two")])
    first.sync()
    ground.restore(backup)
    epoch = ground.epoch()
    _rests(first)
    assert ground.epoch() == epoch


def test_a_server_put_back_behind_everybodys_back_is_noticed_and_given_back(story: Story) -> None:
    here, heads, office = story.pcs
    known = story.known(office, "demand")
    for pc in (here, heads):
        story.save(pc, pc.accounts[0], [_resident(story)])
        assert story.sync(pc) is not None
    story.save(here, here.accounts[0], [patch("demand", known[0], details=story.mark())])
    assert story.sync(here) is not None
    epoch = story.ground.epoch()
    story.restore(told=False)
    story.save(office, office.accounts[0], [patch("demand", known[0], title=story.mark()), _resident(story)])
    assert story.sync(office) is not None  # was never ahead: nothing is noticed yet
    assert story.ground.epoch() == epoch
    story.quiet()
    invariants.hold(story)
    assert story.ground.epoch() != epoch
    assert {promise.id for promise in story.promises} <= story.ground.rows().keys()


def test_who_lost_every_post_keeps_nothing_of_another_life_either(story: Story) -> None:
    here, heads, _ = story.pcs
    (grant,) = (
        row.id
        for row in story.ground.rows().values()
        if row.kind == "grant" and row.values["account_id"] in here.accounts
    )
    write_grant(story.ground, grant, "2020-01-01")
    story.keep_backup()
    write_grant(story.ground, grant, None)
    assert story.sync(heads) is not None
    places = story.ground.server.places
    story.save(here, here.accounts[0], [patch("household", places["b1-101"], contact_name=story.mark())])
    story.restore(told=True)  # into a life in which the post has ended
    assert story.sync(here) is not None
    invariants.only_what_may_be_read(here)
    assert story.known(here, "household") == []
    story.quiet()
    invariants.hold(story)


def test_a_copy_whose_clock_was_put_right_overwrites_nothing_unseen(story: Story) -> None:
    here, there, _ = story.pcs
    story.jump(here, 10 * YEAR)
    made = _resident(story)
    story.save(here, here.accounts[0], [made])
    twin = story.clone(here)
    story.jump(here, 0)
    story.jump(twin, 0)
    for pc in (here, there):
        assert story.sync(pc) is not None
    story.ground.clock.now += 60_000
    story.save(there, there.accounts[0], [patch("resident", made.id, name=story.mark())])
    assert story.sync(there) is not None
    story.ground.clock.now += 60_000
    story.quiet()  # the twin brings the same record, stamped later than the colleague's correction
    invariants.hold(story)
    assert any(row.kind == "conflict" for row in story.ground.rows().values())
    assert twin.store.replica != here.store.replica


def test_what_follows_a_demand_that_was_moved_elsewhere_is_pulled_by_its_own_maker(story: Story) -> None:
    here, _, office = story.pcs
    places = story.ground.server.places
    known = next(
        one for one in story.known(here, "demand") if story.value(here, "demand", one)["building_id"] == places["b1"]
    )
    moved = {"building_id": places["b2"], "household_id": places["b2-101"], "scope_id": places["b2-101"]}
    story.save(office, office.accounts[0], [patch("demand", known, **moved)])
    assert story.sync(office) is not None
    words = {"demand_id": known, "building_id": places["b1"], "title": story.mark()}
    story.save(here, here.accounts[0], [new("demand_detail", new_id(story.ground.clock()), **words)])
    story.quiet()
    invariants.hold(story)


# ------------------------------------------------------------------------------------------------ pitfalls


@pytest.fixture
def story(database: str) -> Iterator[Story]:
    """A grid worker's PC, one of two heads, one of the office; on both engines."""
    with in_memory() as folder, grounds(folder, database=database) as ground:
        (folder / "story").mkdir()
        story = Story.begun(ground, folder / "story")
        yield story
        story.close()


def _resident(story: Story) -> Operation:
    places = story.ground.server.places
    home = {"household_id": places["b1-101"], "building_id": places["b1"]}
    return new("resident", new_id(story.ground.clock()), **home, name=story.mark())


def test_a_server_that_stops_in_the_middle_of_a_batch_has_taken_none_of_it(story: Story) -> None:
    pc = story.pcs[0]
    stopped = 0
    for statement in range(0, 40, 2):
        story.save(pc, pc.accounts[0], [_resident(story)])
        before = story.ground.copy()
        story.sync(pc, ["", f"server_dies {statement}"])
        changed = [name for name, rows in written(story.ground.copy()).items() if rows != written(before)[name]]
        if "record" in changed:
            assert {"record", "history", "stream", "replica"} <= set(changed)
        else:
            assert changed == []
            stopped += 1
    assert stopped > 2
    story.quiet()
    invariants.hold(story)


def test_a_batch_that_comes_twice_is_answered_alike_and_changes_nothing(story: Story) -> None:
    pc = story.pcs[0]
    home = story.ground.server.places["b1-101"]
    story.save(pc, pc.accounts[0], [_resident(story), patch("household", home, contact_name=story.mark())])
    story.spoil(pc, 1)
    assert story.sync(pc, ["", "repeat"]) is not None
    assert story.witness.broken == []
    story.quiet()
    invariants.hold(story)


def test_a_power_cut_before_any_statement_of_a_save_or_a_sync_loses_nothing(story: Story) -> None:
    pc = story.pcs[0]
    for statement in (*range(10), *range(10, 90, 10)):
        story.power_cut(pc, statement, lambda: story.save(pc, pc.accounts[0], [_resident(story)]))
        invariants.whole_on_the_disk(pc)
        story.power_cut(pc, statement, lambda: story.sync(pc))
        invariants.whole_on_the_disk(pc)
    story.quiet()
    invariants.hold(story)


def test_a_full_disk_takes_nothing_that_was_saved(story: Story) -> None:
    pc = story.pcs[0]
    met = 0
    for room in range(4):

        def doing() -> None:
            for _ in range(30):
                story.save(pc, pc.accounts[0], [_resident(story) for _ in range(5)])

        met += story.full_disk(pc, room, doing)
    assert met
    story.quiet()
    invariants.hold(story)


def test_the_same_room_entered_at_two_places_is_two_records_to_look_at(story: Story) -> None:
    building = story.ground.server.places["b1"]
    for pc in story.pcs[:2]:
        fields = {"building_id": building, "room_no": "999", "contact_name": story.mark()}
        story.save(pc, pc.accounts[0], [new("household", new_id(story.ground.clock()), **fields)])
    story.quiet()
    invariants.hold(story)
    assert sum(row.values.get("room_no") == "999" for row in story.ground.rows().values()) == 2


def test_a_clock_ten_years_wrong_stops_nobody_and_wins_nothing(story: Story) -> None:
    here, there = story.pcs[:2]
    home = story.ground.server.places["b1-101"]
    for ahead_ms in (10 * YEAR, -10 * YEAR):
        story.jump(here, ahead_ms)
        story.save(here, here.accounts[0], [patch("household", home, contact_name=story.mark())])
        assert story.sync(here) is not None
        assert story.sync(there) is not None
        story.ground.clock.now += 60_000
        last = story.mark()
        story.save(there, there.accounts[0], [patch("household", home, contact_name=last)])
        story.quiet()
        invariants.hold(story)
        assert story.ground.rows()[home].values["contact_name"] == last
