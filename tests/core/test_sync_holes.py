"""Holes that rules of sync once had, each as the shortest story that fell into it, and pitfalls with their answers."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import invariants
from ground import Ground, grounds, in_memory
from histories import YEAR, Story, as_program
from machines import write_grant
from servers import Device, Server
from stations import Station, demand, visit
from sticks import Stick
from sync import wire
from sync.domain.ids import new_id
from sync.domain.operations import Operation, delete, new, patch
from sync.errors import Offline
from sync.store import merging, outbox, unsent
from sync.store.store import Store
from witness import written
from world import KEY, rules

_RESULTS = "SELECT result FROM sync_history"


def _ground(server: Server, secretary: Device, folder: Path) -> Ground:
    return Ground(server, secretary, folder)


def _rests(*stations: Station) -> None:
    """Sync until nothing moves; then all say that they are verified, and that no comparing had to mend anything."""
    for _ in range(8):
        outcomes = [station.sync() for station in stations]
        if not any(outcome.pushed or outcome.pulled or outcome.refused for outcome in outcomes):
            assert all(outcome.verified for outcome in outcomes)
            found = [line[0] for one in stations for line in one.store.db.conn.execute(_RESULTS)]
            assert not {"healed", "differs"} & {*found}, found
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


@pytest.mark.parametrize("cut", [True, False])
def test_own_fresh_rows_outlive_a_sweep(server: Server, first: Station, *, cut: bool) -> None:
    place = {"building_id": None, "household_id": None, "scope": "compound", "scope_id": server.places["compound"]}
    made = demand(server, first, **place)  # the first row that its stream ever had
    merging.begin_sweep(first.store)
    if cut:  # all was downloaded, and the session asked to stop before it ended the sweep
        first.line.asked.clear()
        assert first.sync(stop=lambda: "pull" in first.line.asked).stopped
        assert first.store.state.sweeping
    first.save([made])
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


def test_after_a_restore_a_batch_in_flight_is_known_by_its_bytes_and_not_by_its_number(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    ground = _ground(server, secretary, tmp_path)
    made = visit(server, first, note="before")
    first.save([made])
    _rests(first, second)
    twin = _clone(first, tmp_path / "twin.db")
    first.save([patch("visit", made.id, note="one")])
    twin.save([patch("visit", made.id, note="two")])  # the same clock, to the last bit
    twin.line.mishaps += ["", "no_line"]  # greeted, and then its batch is lost on the way
    with pytest.raises(Offline):
        twin.sync()
    (flying,) = outbox.in_flight(twin.store.db)
    first.sync()  # with a batch of that very number
    assert outbox.batch_log(first.store.db)[0][0] == flying.number
    ground.restore(ground.copy())
    _rests(twin, first, second)
    assert twin.store.replica != first.store.replica
    conflicts = [row for row in ground.rows().values() if row.kind == "conflict"]
    words = [str(row.values["kept"]) + str(row.values["lost"]) for row in conflicts]
    assert any("one" in both and "two" in both for both in words)
    twin.store.close()


def test_a_clone_that_never_sent_takes_no_clock_of_a_life_that_is_lost(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    ground = _ground(server, secretary, tmp_path)
    made = visit(server, second, note="before")
    second.save([made])
    _rests(second, first)
    backup = ground.copy()
    twin = _clone(first, tmp_path / "twin.db")
    first.save([patch("visit", made.id, note="one")])
    twin.save([patch("visit", made.id, note="two")])  # the same clock, to the last bit
    first.sync()  # the server has never heard of a batch of theirs before, nor will it have after the restore
    ground.restore(backup)
    _rests(first, twin, second)
    assert _value(first, "visit", made.id, "note") == _value(second, "visit", made.id, "note")
    assert _value(twin, "visit", made.id, "note") == _value(second, "visit", made.id, "note")
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


@pytest.mark.parametrize("told", ["before", "afterwards"])
def test_a_row_that_left_while_it_was_worked_on_leaves_no_ghost(
    server: Server, first: Station, second: Station, tmp_path: Path, told: str
) -> None:
    made = demand(server, first, "b1-101")
    first.save([made])
    _rests(first, second)
    second.save([patch("demand", made.id, details="下午又漏了")])  # the head of the first building, offline
    first.save([_moved_to(server, made.id, "b2-101")])
    first.save([_moved_to(server, made.id, "b3-101")])
    first.sync()
    if told == "before":  # by stick, while the work still waits for its answer
        stick = Stick(tmp_path / "stick", server)
        stick.import_(second, stick.centre(_empty_bundle(stick, second))[0])
        assert [row[0] for row in second.rows("demand")] == [made.id]
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


def test_a_row_that_unsent_work_held_is_no_ghost_when_the_post_comes_back(story: Story) -> None:
    here, _, office = story.pcs
    (grant,) = (
        row.id
        for row in story.ground.rows().values()
        if row.kind == "grant" and row.values["account_id"] in here.accounts
    )
    known = story.known(here, "resident")[0]
    story.save(here, here.accounts[0], [patch("resident", known, name=story.mark())])
    write_grant(story.ground, grant, "2020-01-01")
    assert story.sync(here) is not None  # refused, after the list of streams had come
    story.save(office, office.accounts[0], [delete("resident", known)])
    assert story.sync(office) is not None
    story.months_pass(31)  # who reads the stream from its beginning is not told of the deletion any more
    write_grant(story.ground, grant, None)
    story.quiet()
    invariants.hold(story)
    assert known not in story.known(here, "resident")


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
        home = patch("household", story.ground.server.places["b1-101"], contact_phone=f"138000000{statement:02}")
        story.save(pc, pc.accounts[0], [_resident(story), home])
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


# ------------------------------------------------------------------------------------------- a batch no line carries


def _never_carried(station: Station, *mishaps: str) -> None:
    for mishap in mishaps:
        station.line.mishaps[:] = ["", mishap]  # the greeting goes through
        with pytest.raises(Offline):
            station.sync()


def _many(server: Server, station: Station, count: int = 8) -> list[Operation]:
    made = [visit(server, station, note=f"第{number}户") for number in range(count)]
    station.save(made)
    return made


def test_a_batch_that_no_line_carries_is_given_up_and_cut_smaller(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    made = _many(server, first)
    _never_carried(first, "late", "late")
    first.line.asked.clear()
    outcome = first.sync()
    assert outcome.verified
    assert (outcome.pushed, outcome.refused) == (8, 0)
    assert [name for name in first.line.asked if name in ("push", "withdraw")] == ["withdraw", "push", "push", "push"]
    before = written(_ground(server, secretary, tmp_path).copy())
    # What was cut off arrives after all: nobody waits for the answer, and nothing changes.
    answers = [wire.decode(late().content, type_=wire.PushReply) for late in first.line.late]
    assert [(answer.batch, answer.void) for answer in answers] == [(1, 1), (1, 1)]
    assert written(_ground(server, secretary, tmp_path).copy()) == before
    _rests(first, second)
    assert {row[0] for row in second.rows("visit")} == {one.id for one in made}
    assert first.store.state.cuts == 0


def test_a_batch_that_came_all_the_same_is_not_given_up(server: Server, first: Station, second: Station) -> None:
    made = _many(server, first)
    _spoil(first, 3)
    _never_carried(first, "reply_lost", "late")
    outcome = first.sync()
    assert "withdraw" in first.line.asked
    assert (outcome.pushed, outcome.refused) == (7, 1)
    _rests(first, second)
    assert {row[0] for row in second.rows("visit")} == {row[0] for row in first.rows("visit")}
    assert len(second.rows("visit")) == len(made) - 1


@pytest.mark.parametrize("mishap", ["late", "reply_lost"])
def test_giving_up_may_itself_be_cut_off_and_come_late(
    server: Server, first: Station, second: Station, mishap: str
) -> None:
    made = _many(server, first)
    _never_carried(first, "late", "late", mishap)
    first.save([visit(server, first, note="后来")])
    assert first.sync().pushed == len(made) + 1
    assert {late().status_code for late in first.line.late} == {200}
    _rests(first, second)
    assert len(second.rows("visit")) == len(made) + 1


def test_giving_up_and_what_was_given_up_may_arrive_in_any_order(server: Server, first: Station) -> None:
    _many(server, first)
    _never_carried(first, "late", "late", "late")  # the batch twice, then that it is given up
    batch, _, given_up = first.line.late
    assert wire.decode(batch().content, type_=wire.PushReply).void == 0
    told = wire.decode(given_up().content, type_=wire.PushReply)
    assert (told.void, len(told.ranges)) == (0, 1)
    assert first.sync().pushed == 8
    assert wire.decode(given_up().content, type_=wire.PushReply) == told


def test_a_copy_of_a_pc_that_gave_up_a_batch_doubles_nothing(
    server: Server, secretary: Device, first: Station, tmp_path: Path
) -> None:
    made = _many(server, first)
    _never_carried(first, "late", "late")
    clone = _clone(first, tmp_path / "clone.db")
    assert first.sync().pushed == 8
    clone.store.set_state(cuts=0)  # it sends the very batch that was given up
    clone.sync()
    _rests(first, clone)
    assert {row[0] for row in first.rows("visit")} == {row[0] for row in clone.rows("visit")}
    assert len(first.rows("visit")) == len(made)
    clone.store.close()


def test_after_a_restore_a_batch_given_up_is_known_by_its_digest(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    ground = _ground(server, secretary, tmp_path)
    made = _many(server, first)
    _never_carried(first, "late", "late", "reply_lost")
    backup = ground.copy()
    name = first.store.replica
    ground.restore(backup)
    _rests(first, second)
    assert first.store.replica == name
    assert {row[0] for row in second.rows("visit")} == {one.id for one in made}


def test_to_a_server_that_takes_nothing_back_the_same_bytes_go_for_ever(server: Server, first: Station) -> None:
    _many(server, first)
    _never_carried(first, "late", "late")
    with as_program(1):
        _never_carried(first, "late")
    assert "withdraw" not in first.line.asked


# -------------------------------------------------------------------------------------- made by two, refused to one


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # what is undone is the PC's
@pytest.mark.parametrize("mine_is_later", [True, False])
@pytest.mark.parametrize("then_patched", [True, False])
@pytest.mark.parametrize("one_by_one", [True, False])
def test_a_refused_new_leaves_what_a_colleague_made_under_the_same_id(
    server: Server,
    first: Station,
    second: Station,
    tmp_path: Path,
    mine_is_later: bool,
    then_patched: bool,
    one_by_one: bool,
) -> None:
    """Ids that follow from others (of a step's words, of a care day) are the same wherever they are made."""
    stick = Stick(tmp_path / "stick", server)
    theirs = visit(server, second, note="同事", contact_person="王芳")
    mine = new("visit", theirs.id, **{**theirs.fields, "note": "自己", "visitor_ids": [first.account]})
    mine = msgspec.structs.replace(mine, fields={**mine.fields, "recorded_by": first.account})
    if not mine_is_later:
        first.save([mine])
        server.clock.now += 60_000
    second.save([theirs])
    _rests(second)
    if mine_is_later:
        server.clock.now += 60_000
        first.save([mine])
    if then_patched:
        server.clock.now += 60_000
        first.save([patch("visit", mine.id, note="自己再改")])
    # The colleague's row comes by stick while one's own waits; then the server refuses one's own.
    (op,) = first.store.db.conn.execute("SELECT min(op) FROM outbox").fetchone()
    answer, _ = stick.centre(_empty_bundle(stick, first))
    stick.import_(first, answer)
    assert _value(first, "visit", mine.id, "contact_person") == "王芳"
    _spoil(first, op)
    if one_by_one:
        first.store.set_state(batch_most=1)
    first.sync()
    _rests(first, second)
    assert first.rows("visit") == second.rows("visit")
    assert _value(first, "visit", mine.id, "note") == ("自己再改" if then_patched else "同事")
    kept = first.store.db.conn.execute("SELECT body FROM quarantine").fetchall()
    assert len(kept) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # what is undone is the PC's
def test_two_refusals_in_turn_leave_what_a_colleague_wrote_meanwhile(
    server: Server, first: Station, second: Station, tmp_path: Path
) -> None:
    stick = Stick(tmp_path / "stick", server)
    made = visit(server, first, note="起初")
    first.save([made])
    _rests(first, second)
    first.save([patch("visit", made.id, note="一")])
    server.clock.now += 60_000
    second.save([patch("visit", made.id, note="同事")])
    second.sync()
    answer, _ = stick.centre(_empty_bundle(stick, first))
    server.clock.now += 60_000
    first.save([patch("visit", made.id, note="二")])
    stick.import_(first, answer)
    for (op,) in first.store.db.conn.execute("SELECT op FROM outbox").fetchall():
        _spoil(first, op)
    first.store.set_state(batch_most=1)
    outcome = first.sync()
    assert (outcome.refused, outcome.pulled, outcome.verified) == (2, 0, True)
    assert _value(first, "visit", made.id, "note") == "同事"
    assert first.rows("visit") == second.rows("visit")


def _empty_bundle(stick: Stick, station: Station) -> Path:
    """A bundle that was made before anything was saved here."""
    waiting = station.store.db.conn.execute("SELECT * FROM outbox").fetchall()
    with station.store.write():
        station.store.db.conn.execute("DELETE FROM outbox")
    path = stick.export(station)
    with station.store.write():
        marks = ", ".join("?" * len(waiting[0]))
        station.store.db.conn.executemany(f"INSERT INTO outbox VALUES ({marks})", waiting)
    return path
