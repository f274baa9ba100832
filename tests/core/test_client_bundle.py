"""Sync by stick between real stations and the real server: nothing lost, nothing doubled, whatever is carried when."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from ground import Ground
from postgresql import PostgreSQL
from servers import Device, Server
from stations import Station, demand, visit
from sticks import Stick
from sync import wire
from sync.client import bundle
from sync.domain.calendar import DAY, HOUR
from sync.domain.catalogue import KINDS
from sync.domain.operations import patch
from sync.errors import BundleError, Offline
from sync.keys.signatures import KeyPair
from sync.server.storage import epochs
from sync.server.storage.batch import Batch
from sync.store import giving_back, merging, outbox, portions, replicas
from sync.store import stick as remembered
from sync.wire.bundle import read_file, unpack

BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """SQLite; PostgreSQL for those tests that ask for both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield ""
        return
    postgresql: PostgreSQL = request.getfixturevalue("postgresql")
    with postgresql.lent_database() as url:
        yield url


@pytest.fixture
def stick(tmp_path: Path, server: Server) -> Stick:
    return Stick(tmp_path / "stick", server)


@pytest.fixture
def other(server: Server, secretary: Device, tmp_path: Path) -> Iterator[Station]:
    """A second grid worker's PC, in step."""
    code = server.invite(secretary, "grid_worker", "compound", "compound", name="李敏")
    station = Station.enrolled(server, tmp_path, code, name="other")
    station.sync()
    yield station
    station.store.close()


def unsent(station: Station) -> int:
    return outbox.pending_counts(station.store.db).unsent


def same(*stations: Station) -> bool:
    """Whether they hold the same rows of what they both read, values and clocks alike."""
    return all(
        len({tuple(station.rows(kind)) for station in stations}) == 1 for kind in ("visit", "demand", "household")
    )


@BOTH
def test_without_a_line_work_goes_there_and_colleagues_work_comes_back(
    server: Server, first: Station, other: Station, stick: Stick
) -> None:
    first.sync()
    ours, theirs = visit(server, first), visit(server, other, "b2-101")
    first.save([ours])
    other.save([theirs])
    other.sync()
    path, told = stick.export_told(first)
    assert (told.number, told.operations, told.left) == (1, 1, 0)
    assert told.size == path.stat().st_size
    assert remembered.carried(first.store.db).count == 1
    assert unsent(first) == 1
    answer, report = stick.centre(path)
    assert (report.batches, report.accepted, report.refused, report.problem) == (1, 1, {}, "")
    brought = stick.import_(first, answer)
    assert (brought.accepted, brought.refused, brought.received, brought.carried, brought.note) == (1, 0, 1, 0, "")
    assert unsent(first) == 0
    assert first.store.state.verified_at == first.store.now()
    other.sync()
    assert same(first, other)
    assert {row[0] for row in first.rows("visit")} == {ours.id, theirs.id}
    outcome = first.sync()
    assert (outcome.pushed, outcome.pulled) == (0, 0)


def test_refusals_come_back_by_stick_too(server: Server, first: Station, stick: Stick) -> None:
    made = demand(server, first)
    first.save([made])
    first.sync()
    first.save([patch("demand", made.id, title="漏水很急", state="archived")])
    first.save([visit(server, first)])
    answer, report = stick.centre(stick.export(first))
    assert report.accepted == 1
    assert report.refused == {"not_allowed": 1}
    brought = stick.import_(first, answer)
    assert (brought.accepted, brought.refused, brought.carried) == (1, 1, 0)
    assert outbox.pending_counts(first.store.db).quarantined == 1
    (row,) = first.store.db.conn.execute("SELECT title FROM demand").fetchall()
    assert row[0] == "墙面漏水"


@BOTH
def test_everything_may_come_twice_late_and_out_of_order(server: Server, first: Station, stick: Stick) -> None:
    first.save([visit(server, first)])
    one = stick.export(first)
    first.save([visit(server, first), visit(server, first)])
    two = stick.export(first)
    assert remembered.carried(first.store.db).count == 3
    answer_two, report = stick.centre(two)  # holds the first one's batch too
    assert (report.batches, report.repeated, report.accepted) == (2, 0, 3)
    answer_one, report = stick.centre(one)
    assert (report.batches, report.repeated, report.accepted) == (1, 1, 1)
    answer_again, report = stick.centre(two)
    assert (report.batches, report.repeated) == (2, 2)
    first.save([visit(server, first)])
    brought = stick.import_(first, answer_one)
    assert (brought.accepted, brought.carried) == (1, 2)
    brought = stick.import_(first, answer_two)
    assert (brought.accepted, brought.carried, brought.note) == (2, 0, "")
    for answer in (answer_one, answer_two, answer_again):
        brought = stick.import_(first, answer)
        assert (brought.accepted, brought.received, brought.note) == (0, 0, "")
    assert unsent(first) == 1  # what was done since
    assert first.sync().pushed == 1
    assert len(first.rows("visit")) == 4


@BOTH
def test_what_a_line_did_meanwhile_is_not_done_again(
    server: Server, first: Station, other: Station, stick: Stick
) -> None:
    first.sync()
    first.save([visit(server, first)])
    path = stick.export(first)
    other.save([visit(server, other)])
    other.sync()
    answer, _ = stick.centre(path)
    other.save([visit(server, other)])
    other.sync()
    outcome = first.sync()  # the line is there again: the very same batch, answered as at the centre
    assert (outcome.pushed, unsent(first)) == (1, 0)
    assert remembered.carried(first.store.db).count == 0
    brought = stick.import_(first, answer)
    assert (brought.accepted, brought.received, brought.note) == (0, 0, "bundle_older")
    assert same(first, other)
    assert len(first.rows("visit")) == 3


def test_a_batch_that_went_by_line_comes_back_from_the_centre_as_known(
    server: Server, first: Station, stick: Stick
) -> None:
    first.save([visit(server, first)])
    path = stick.export(first)
    first.sync()
    first.save([visit(server, first)])
    first.sync()
    _, report = stick.centre(path)
    # Its answer was not kept, for later batches came by line: told as forked, and nobody waits for it any more.
    assert report.accepted == 0
    assert first.sync().pushed == 0
    assert len(first.rows("visit")) == 2


def test_an_answer_lost_on_the_line_is_not_buried_by_a_bundle(server: Server, first: Station, stick: Stick) -> None:
    stick.limits = outbox.Limits(operations=1)
    first.save([visit(server, first)])
    first.line.mishaps[:] = ["", "reply_lost"]
    with pytest.raises(Offline):
        first.sync()
    early = stick.export(first)  # what the centre has by line already
    first.save([visit(server, first)])
    stick.centre(stick.export(first))  # the same, and one batch more
    name = first.store.replica
    answer, report = stick.centre(early)
    assert (report.repeated, report.accepted, report.problem) == (1, 1, "")
    assert stick.import_(first, answer).accepted == 1
    assert first.sync().pushed == 1
    assert first.store.replica == name
    assert len(first.rows("visit")) == 2


def test_a_lost_stick_is_only_made_again(server: Server, first: Station, stick: Stick) -> None:
    first.save([visit(server, first)])
    stick.export(first)
    brought = stick.round(first)
    assert (brought.accepted, brought.carried) == (1, 0)


def test_nothing_waiting_still_fetches(server: Server, first: Station, other: Station, stick: Stick) -> None:
    first.sync()
    other.save([visit(server, other)])
    other.sync()
    path, told = stick.export_told(first)
    assert told.operations == 0
    assert remembered.carried(first.store.db).at == 0
    brought = stick.import_(first, stick.centre(path)[0])
    assert (brought.received, brought.note) == (1, "")


# --------------------------------------------------------------------------------------------- refused files


def code_of(stick: Stick, station: Station, path: Path) -> str:
    before = (unsent(station), station.rows("visit"), merging.cursors(station.store))
    with pytest.raises(BundleError) as caught:
        stick.import_(station, path)
    assert (unsent(station), station.rows("visit"), merging.cursors(station.store)) == before
    return caught.value.code


def rewritten(path: Path, content: bytes) -> Path:
    made = path.with_name(f"bent-{path.name}")
    made.write_bytes(content)
    return made


def test_files_that_are_not_for_us_change_nothing(
    server: Server, first: Station, other: Station, stick: Stick, tmp_path: Path
) -> None:
    first.save([visit(server, first)])
    up = stick.export(first)
    answer, _ = stick.centre(up)
    content = read_file(answer)
    assert code_of(stick, first, up) == "bundle_wrong_way"
    assert code_of(stick, other, answer) == "bundle_other_pc"
    assert code_of(stick, first, rewritten(answer, b"holiday photos")) == "bundle_not_one"
    assert code_of(stick, first, rewritten(answer, content[: len(content) // 2])) == "bundle_damaged"
    assert code_of(stick, first, rewritten(answer, content[:200] + b"x" + content[201:])) == "bundle_damaged"
    assert code_of(stick, first, rewritten(answer, content[:-64] + bytes(64))) == "bundle_forged"
    stranger = KeyPair.generate().sign(content[:-64])
    assert code_of(stick, first, rewritten(answer, content[:-64] + stranger)) == "bundle_forged"
    assert code_of(stick, first, rewritten(answer, content[:15] + b"\x00\x02" + content[17:])) == "bundle_newer"
    assert code_of(stick, first, tmp_path / "gone.qmb") == "bundle_unreadable"
    first.store.set_state(community_id="another")
    assert code_of(stick, first, answer) == "bundle_other_community"
    first.store.set_state(community_id=server.community)
    with first.store.write():
        remembered.write_stick(first.store.db, sealing_key=bytes(32))
    assert code_of(stick, first, answer) == "bundle_other_centre"
    with first.store.write():
        remembered.write_stick(first.store.db, signing_key=b"")
    assert code_of(stick, first, answer) == "bundle_no_key"
    first.sync()  # a greeting teaches the keys again
    assert stick.import_(first, answer).accepted == 0


def centre_code(stick: Stick, path: Path) -> str:
    with pytest.raises(BundleError) as caught:
        stick.centre(path)
    return caught.value.code


def test_the_centre_takes_only_what_a_known_pc_made_for_it(
    server: Server, first: Station, stick: Stick, tmp_path: Path
) -> None:
    first.save([visit(server, first)])
    up = stick.export(first)
    content = read_file(up)
    answer, _ = stick.centre(up)
    assert centre_code(stick, answer) == "bundle_wrong_way"
    assert centre_code(stick, rewritten(up, content[:-1])) == "bundle_damaged"
    assert centre_code(stick, rewritten(up, content[:-64] + bytes(64))) == "bundle_forged"
    installation = first.store.state.installation_id
    first.store.set_state(installation_id="somebody")
    assert centre_code(stick, stick.export(first)) == "bundle_unknown_pc"
    first.store.set_state(installation_id=installation)
    known = remembered.read_stick(first.store.db).sealing_key
    with first.store.write():
        remembered.write_stick(first.store.db, sealing_key=KeyPair.generate().public)
    assert centre_code(stick, stick.export(first)) == "bundle_other_centre"
    with first.store.write():
        remembered.write_stick(first.store.db, sealing_key=known)
    server.service._runner.write_now(
        lambda c: c.exec_driver_sql(f"UPDATE installation SET revoked_at = 1 WHERE id = '{installation}'")
    )
    assert centre_code(stick, up) == "bundle_revoked"


def test_a_pc_that_never_met_its_centre_writes_nothing(first: Station, stick: Stick) -> None:
    with first.store.write():
        remembered.write_stick(first.store.db, sealing_key=b"", signing_key=b"")
    with pytest.raises(BundleError, match="bundle_no_key"):
        stick.export(first)
    assert list(stick.folder.iterdir()) == []


def test_a_stick_that_is_pulled_out_loses_nothing(server: Server, first: Station, stick: Stick) -> None:
    first.save([visit(server, first)])
    with pytest.raises(BundleError, match="bundle_unwritable"):
        bundle.export(lambda fn: fn(first.store), stick.folder / "gone" / "a.qmb")
    assert remembered.carried(first.store.db).count == 0
    assert first.sync().pushed == 1


# ------------------------------------------------------------------------------------------- what may be amiss


def test_a_restored_centre_asks_for_a_line_once(server: Server, first: Station, stick: Stick) -> None:
    first.save([visit(server, first)])
    path = stick.export(first)
    old, _ = stick.centre(path)
    server.clock.now += HOUR
    server.service._runner.write_now(lambda c: epochs.begin_anew(c, now=server.clock()))
    answer, report = stick.centre(path)
    assert report.problem == "epoch"
    server.clock.now += HOUR
    first.sync()
    rows = first.rows("household")
    assert rows
    assert stick.import_(first, answer).note == "bundle_older"  # the line has told all this already
    assert first.rows("household") == rows
    assert unsent(first) == 0
    assert code_of(stick, first, old) == "bundle_older"
    first.save([visit(server, first)])
    assert stick.round(first).accepted == 1


def test_another_life_met_by_a_line_meanwhile_ends_the_taking_in_and_drops_nothing(
    server: Server, first: Station, other: Station, stick: Stick
) -> None:
    first.save([visit(server, first)])
    first.sync()
    other.save([visit(server, other)])
    other.sync()
    answer, _ = stick.centre(stick.export(first))
    held = {kind: len(first.rows(kind)) for kind in ("visit", "household", "building")}

    def meet(_done: int, _all: int) -> None:
        giving_back.begin(first.store, epoch="another", batch=first.store.state.batch)

    brought = bundle.import_(lambda fn: fn(first.store), answer, wall=first.clock, on_progress=meet)
    assert (brought.received, brought.note) == (1, "bundle_restored")
    assert {kind: len(first.rows(kind)) for kind in held} == held | {"visit": 2}
    assert merging.swept_streams(first.store) == set(merging.cursors(first.store)), "all is still to be met"
    assert first.store.state.healing == giving_back.ASKING


def test_what_is_downloaded_anew_is_not_ended_by_a_file_that_brings_less(
    server: Server, first: Station, other: Station, stick: Stick
) -> None:
    first.save([visit(server, first)])
    first.sync()
    other.save([visit(server, other)])
    other.sync()
    answer, _ = stick.centre(stick.export(first))
    held = len(first.rows("household"))
    brought = bundle.import_(
        lambda fn: fn(first.store),
        answer,
        wall=first.clock,
        on_progress=lambda _done, _all: merging.begin_sweep(first.store),
    )
    assert brought.received == 1
    assert len(first.rows("household")) == held
    assert merging.swept_streams(first.store), "the sweep goes on"
    first.sync()
    assert not merging.swept_streams(first.store)
    assert same(first, other)


def test_a_clock_that_is_ahead_is_put_right_by_the_answer(server: Server, first: Station, stick: Stick) -> None:
    first.store.set_state(clock_offset=300 * DAY)
    first.save([visit(server, first)])
    server.clock.now += HOUR
    answer, report = stick.centre(stick.export(first))
    assert (report.problem, report.accepted) == ("clock", 0)
    server.clock.now += HOUR
    brought = stick.import_(first, answer)
    assert (brought.note, brought.accepted) == ("bundle_clock", 0)
    assert abs(first.store.now() - server.clock()) <= HOUR
    assert stick.import_(first, answer).note == ""  # once more changes nothing
    assert stick.round(first).accepted == 1


def test_a_copy_of_the_pc_takes_another_name(server: Server, first: Station, stick: Stick) -> None:
    first.save([visit(server, first)])
    outbox.take_series(first.store, lambda operations, number: b'{"batch":1,"device":1}', most=1)
    answer, report = stick.centre(stick.export(first))
    assert report.problem == "malformed"
    brought = stick.import_(first, answer)
    assert (brought.note, unsent(first)) == ("bundle_unread", 1)
    outbox.give_back(first.store)
    name = first.store.replica
    state = first.store.state
    path = stick.export(first)
    stick.centre(path)
    # A copy of the disk: the same number, other contents.
    outbox.give_back(first.store)
    first.save([visit(server, first)])
    answer, report = stick.centre(stick.export(first))
    assert report.problem == "forked"
    brought = stick.import_(first, answer)
    assert brought.note == "bundle_forked"
    assert first.store.replica != name
    assert state.batch == first.store.state.batch == 0
    assert stick.import_(first, answer).accepted == 0
    assert stick.round(first).accepted == 2
    assert first.sync().pushed == 0


def test_answers_to_another_life_of_the_file_are_passed_over(server: Server, first: Station, stick: Stick) -> None:
    first.save([visit(server, first)])
    answer, _ = stick.centre(stick.export(first))
    replicas.rename_replica(first.store)
    brought = stick.import_(first, answer)
    assert (brought.accepted, unsent(first)) == (0, 1)
    assert stick.round(first).accepted == 1
    assert len(first.rows("visit")) == 1


def test_what_lies_before_the_bundle_is_asked_for_with_the_next_one(
    server: Server, first: Station, other: Station, stick: Stick
) -> None:
    first.sync()
    other.save([visit(server, other)])
    other.sync()
    first.save([visit(server, first)])
    answer, _ = stick.centre(stick.export(first))
    merging.begin_sweep(first.store)  # somebody asked to download everything anew
    brought = stick.import_(first, answer)
    assert (brought.accepted, brought.received, brought.note) == (1, 0, "bundle_gap")
    brought = stick.round(first)
    assert brought.note == ""
    assert brought.received > 10
    assert not first.store.state.sweeping
    assert same(first, other) is False  # the other has not synced since
    other.sync()
    assert same(first, other)


def test_a_stream_that_differs_begins_anew_with_the_next_bundle(server: Server, first: Station, stick: Stick) -> None:
    first.save([visit(server, first)])
    first.sync()
    first.store.db.conn.execute("DELETE FROM visit")
    first.store.db.conn.execute("DELETE FROM verified")
    first.store.db.conn.commit()
    stick.round(first)
    assert first.store.state.sweeping
    stick.round(first)
    assert len(first.rows("visit")) == 1
    assert not first.store.state.sweeping


def test_rights_lost_meanwhile_are_not_given_back_by_an_old_list(server: Server, second: Station, stick: Stick) -> None:
    second.sync()
    path = stick.export(second)
    server.clock.now += HOUR
    old, _ = stick.centre(path)
    server.clock.now += HOUR
    end_posts(server, second.account)
    second.sync()
    assert second.rows("household") == []
    brought = stick.import_(second, old)
    assert (brought.received, brought.note) == (0, "bundle_older")
    assert second.rows("household") == []


def end_posts(server: Server, account: str) -> None:
    """All posts of a person ended long ago."""

    def write(connection: Connection) -> None:
        found = connection.exec_driver_sql("SELECT id, fields FROM record WHERE kind = 'grant'").all()
        batch = Batch(connection, server.community, replica=server.service.identity.replica, now=server.clock.now)
        for grant_id, fields in found:
            if account in fields:
                batch.load([grant_id], lock=True)
                batch.write(KINDS["grant"], grant_id, {"valid_to": "2020-01-01"})
        batch.finish()

    server.service._runner.write_now(write)


def test_more_than_fits_is_said_on_both_sides(
    server: Server, first: Station, other: Station, stick: Stick, monkeypatch: pytest.MonkeyPatch
) -> None:
    first.sync()
    monkeypatch.setattr("sync.server.bundle._PAGES_BYTES", 1)
    monkeypatch.setattr("sync.server.bundle.LIMITS", msgspec.structs.replace(wire.LIMITS, rows=1))
    monkeypatch.setattr("sync.wire.bundle.MOST_BATCHES", 1)
    other.save([visit(server, other), visit(server, other, "b2-101")])
    other.sync()
    first.save([visit(server, first) for _ in range(3)])
    stick.limits = outbox.Limits(operations=2)
    path, told = stick.export_told(first)
    assert (told.operations, told.left) == (2, 1)
    answer, report = stick.centre(path)
    assert (report.rows, report.more) == (1, True)
    brought = stick.import_(first, answer)
    assert (brought.accepted, brought.received, brought.note) == (2, 1, "bundle_more")
    monkeypatch.undo()
    brought = stick.round(first)
    assert (brought.accepted, brought.note) == (1, "")
    other.sync()
    assert same(first, other)


def test_large_pages_leave_room_for_somebodys_saving(
    server: Server, first: Station, other: Station, stick: Stick, monkeypatch: pytest.MonkeyPatch
) -> None:
    first.sync()
    monkeypatch.setattr(portions, "ROWS_AT_ONCE", 1)
    other.save([visit(server, other), visit(server, other), visit(server, other, "b2-101")])
    other.sync()
    first.touched.clear()
    assert stick.round(first).received == 3
    assert len([touched for touched in first.touched if touched]) == 3
    assert same(first, other)


def test_the_header_holds_ids_and_numbers_only(server: Server, first: Station, stick: Stick) -> None:
    first.save([visit(server, first, note="王阿姨家灯坏了")])
    header = unpack(read_file(stick.export(first))).header
    state = first.store.state
    assert (header.community, header.sender, header.replica) == (
        server.community,
        state.installation_id,
        state.replica,
    )
    assert "王阿姨".encode() not in read_file(stick.folder / "up-0.qmb")


def cut_off(station: Station, *mishaps: str) -> None:
    for mishap in mishaps:
        station.line.mishaps[:] = ["", mishap]
        with pytest.raises(Offline):
            station.sync()


def test_a_bundle_of_what_the_line_gave_up_is_left_aside(
    server: Server, first: Station, other: Station, stick: Stick
) -> None:
    stick.limits = outbox.Limits(operations=2)
    first.save([visit(server, first) for _ in range(4)])
    carried = stick.export(first)
    cut_off(first, "late", "late")
    outcome = first.sync()
    assert ("withdraw" in first.line.asked, outcome.pushed, outcome.verified) == (True, 4, True)
    answer, report = stick.centre(carried)
    assert (report.batches, report.accepted, report.problem) == (1, 0, "withdrawn")
    brought = stick.import_(first, answer)
    assert (brought.accepted, brought.refused, brought.carried) == (0, 0, 0)
    other.sync()
    assert same(first, other)
    assert len(first.rows("visit")) == 4


def test_a_bundle_may_be_the_first_to_say_that_the_line_gave_something_up(
    server: Server, first: Station, other: Station, stick: Stick
) -> None:
    first.save([visit(server, first) for _ in range(4)])
    cut_off(first, "late", "late", "reply_lost")  # given up, and the answer did not come back
    first.save([visit(server, first)])
    brought = stick.round(first)
    assert (brought.accepted, brought.note) == (0, "bundle_withdrawn")
    assert unsent(first) == 5
    assert outbox.in_flight(first.store.db) == ()
    assert stick.round(first).accepted == 5
    other.sync()
    assert same(first, other)


def test_what_the_stick_has_brought_is_not_given_up_by_the_line(server: Server, first: Station, stick: Stick) -> None:
    stick.limits = outbox.Limits(operations=2)
    first.save([visit(server, first) for _ in range(4)])
    stick.centre(stick.export(first))
    cut_off(first, "late", "late")
    first.line.asked.clear()
    assert first.sync().pushed == 4  # the answers, one by one
    assert first.line.asked[:3] == ["hello", "withdraw", "push"]
    assert {late().status_code for late in first.line.late} == {200}


def test_after_enrolment_everything_may_go_by_stick(
    server: Server, secretary: Device, tmp_path: Path, stick: Stick
) -> None:
    """The line went before the first greeting: the first bundle brings all rows, and takes along what was noted."""
    secretary.accepted(server.visit("b1-101"))
    code = server.invite(secretary, "grid_worker", "compound", "compound")
    far = Station.enrolled(server, tmp_path, code, name="far")
    brought = stick.round(far)
    assert (brought.accepted, brought.note) == (0, "")
    assert len(far.rows("visit")) == 1
    far.save([visit(server, far)])
    assert stick.round(far).accepted == 1
    assert far.store.state.verified_at == far.store.now()
    assert set(far.line.asked) == {"enrol"}
    assert far.sync().verified
    far.store.close()


def carried_back(stick: Stick, station: Station) -> list[str]:
    """There and back until the person is told nothing more; what was told on the way."""
    told = []
    for _ in range(9):
        told.append(stick.round(station).note)
        if not told[-1]:
            return told
    raise AssertionError(told)


@BOTH
def test_a_restored_centre_gets_everything_back_by_stick_alone(
    server: Server, secretary: Device, first: Station, other: Station, stick: Stick, tmp_path: Path
) -> None:
    ground = Ground(server, secretary, tmp_path)
    first.save([visit(server, first)])
    first.sync()
    backup = ground.copy()
    first.save([visit(server, first, note="丢了") for _ in range(5)])
    other.save([visit(server, other, "b2-101", note="也丢了")])
    for station in (first, other, first):
        station.sync()
    lost = {row[0] for row in first.rows("visit")}
    first.save([patch("visit", min(lost), note="没传")])
    old = stick.export(first)
    first.save([visit(server, first, note="后来")])
    server.clock.now += HOUR
    ground.restore(backup)
    for station in (first, other):
        station.line.asked.clear()
    late, report = stick.centre(old)
    assert report.problem == "epoch"
    name = first.store.replica
    assert stick.import_(first, late).note == "bundle_restored"
    assert first.store.replica != name
    assert {row[0] for row in first.rows("visit")} > lost
    assert carried_back(stick, first) == ["bundle_restored", ""]
    assert stick.import_(first, late).note in ("", "bundle_older")
    assert carried_back(stick, other) == ["bundle_restored", "bundle_restored", ""]
    assert stick.round(first).note == ""
    assert same(first, other)
    assert {row[0] for row in first.rows("visit")} > lost
    assert outbox.pending_counts(first.store.db).quarantined == unsent(first) == 0
    assert first.store.state.verified_at == first.store.now()
    assert first.line.asked == other.line.asked == []
    outcome = first.sync()
    assert (outcome.verified, outcome.pushed, outcome.pulled) == (True, 0, 0)


def test_what_a_restored_centre_had_taken_already_is_not_sent_under_another_name(
    server: Server, secretary: Device, first: Station, stick: Stick, tmp_path: Path
) -> None:
    ground = Ground(server, secretary, tmp_path)
    first.save([visit(server, first)])
    stick.centre(stick.export(first))  # its answer is lost
    backup = ground.copy()
    server.clock.now += HOUR
    ground.restore(backup)
    name = first.store.replica
    assert carried_back(stick, first) == ["bundle_restored", "bundle_restored", ""]
    assert first.store.replica == name
    assert len({(line.id, line.hlc, line.dev) for line in ground.table("history") if line.kind == "visit"}) == 1
    assert first.sync().verified


def test_a_file_that_answers_twice_or_late_while_rows_are_given_back(
    server: Server, secretary: Device, first: Station, stick: Stick, tmp_path: Path
) -> None:
    ground = Ground(server, secretary, tmp_path)
    backup = ground.copy()
    first.save([visit(server, first) for _ in range(5)])
    first.sync()
    server.clock.now += HOUR
    ground.restore(backup)
    assert stick.round(first).note == "bundle_restored"
    stick.limits = outbox.Limits(operations=2)
    asked = [stick.centre(stick.export(first))[0] for _ in range(2)]
    for answer in (*asked, asked[0]):
        assert stick.import_(first, answer).note == "bundle_restored"
    first.save([visit(server, first)])
    given = [stick.centre(stick.export(first))[0] for _ in range(2)]
    assert stick.import_(first, asked[1]).note == "bundle_restored"
    assert stick.import_(first, given[0]).note == ""
    assert stick.import_(first, given[1]).refused == 0
    assert len(first.rows("visit")) == 6
    assert first.sync().verified
    assert outbox.pending_counts(first.store.db).quarantined == 0


def test_a_line_may_go_on_with_what_a_stick_began_and_the_other_way_round(
    server: Server, secretary: Device, first: Station, stick: Stick, tmp_path: Path
) -> None:
    ground = Ground(server, secretary, tmp_path)
    backup = ground.copy()
    first.save([visit(server, first) for _ in range(5)])
    first.sync()
    server.clock.now += HOUR
    ground.restore(backup)
    first.sync(stop=lambda: True)  # it has met the other life by line, and asked nothing yet
    assert first.store.state.healing == giving_back.ASKING
    assert stick.round(first).note == "bundle_restored"
    assert first.sync().verified
    assert len(first.rows("visit")) == 5


def test_a_centre_restored_without_a_word_is_noticed_by_stick_and_an_empty_pc_has_nothing_to_give(
    server: Server, secretary: Device, tmp_path: Path, stick: Stick
) -> None:
    code = server.invite(secretary, "grid_worker", "compound", "compound")
    far = Station.enrolled(server, tmp_path, code, name="far")
    server.service._runner.write_now(lambda c: epochs.begin_anew(c, now=server.clock() + 1))
    assert stick.round(far).note == "bundle_restored"
    assert stick.round(far).note == ""
    assert far.rows("household")
    assert far.sync().verified
    far.store.close()


def test_a_server_that_tells_no_epoch_at_enrolment_is_greeted_first(
    server: Server, secretary: Device, tmp_path: Path, stick: Stick
) -> None:
    code = server.invite(secretary, "grid_worker", "compound", "compound")
    far = Station.enrolled(server, tmp_path, code, name="far")
    known = far.store.state.epoch
    far.store.set_state(epoch="")  # as a server of the first version leaves it
    with pytest.raises(BundleError, match="bundle_no_key"):
        stick.export(far)
    assert far.sync().verified
    assert far.store.state.epoch == known
    far.store.close()
