"""Whole rounds of the real client with the real server: verified, healed, cut, restored, in order of need."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from ground import Copy, Ground
from servers import Device, Server
from stations import Station, demand, visit
from sync import wire
from sync.client.api import Api
from sync.client.session import Progress, Session
from sync.domain.operations import delete, patch
from sync.errors import Offline, Refused, StoreError
from sync.server.storage import epochs
from sync.store import giving_back, merging, outbox, verifying
from sync.store.state import history
from sync.store.store import Store


@pytest.fixture
def database() -> str:
    """SQLite: these rounds are about the client; what the server does to its rows is tested on both engines."""
    return ""


@pytest.fixture
def ground(server: Server, secretary: Device, tmp_path: Path) -> Ground:
    """The server's tables at hand, to be put back."""
    return Ground(server, secretary, tmp_path)


def restored(ground: Ground, copy: Copy) -> None:
    """The server's data are put back from a backup, as its command does it."""
    ground.put_back(copy)
    ground.write(lambda connection: epochs.begin_anew(connection, now=ground.clock()))


def results(station: Station) -> list[str]:
    return [line.result for line in history(station.store.db)]


def notes(station: Station) -> list[str]:
    return [row[0] for row in station.store.db.conn.execute("SELECT note FROM visit WHERE deleted = 0 ORDER BY note")]


def home_of(server: Server, building: str = "b1") -> str:
    return f"building:{server.places[building]}"


# ---------------------------------------------------------------------------------------------------- verified


def test_a_round_is_verified_when_every_stream_agrees(server: Server, first: Station, second: Station) -> None:
    first.save([visit(server, first), demand(server, first)])
    assert first.sync().verified
    assert first.sync().verified
    outcome = second.sync()
    assert (outcome.verified, results(second)[0]) == (True, "verified")
    assert second.store.state.verified_at == second.store.state.synced_at == server.clock()
    second.save([delete("visit", second.rows("visit")[0][0])])  # type: ignore[arg-type]
    assert second.sync().verified
    assert first.sync().verified


def test_nothing_to_do_is_one_request_and_no_look_at_the_rows(
    server: Server, first: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    first.sync()
    monkeypatch.setattr(verifying, "tally", lambda db, streams: pytest.fail("counted again"))
    first.line.asked.clear()
    assert first.sync().verified
    assert first.line.asked == ["hello"]
    assert server.community


@pytest.mark.parametrize(
    "harm", ["DELETE FROM visit", "UPDATE visit SET row_check = 7", "UPDATE visit SET deleted = 1"]
)
def test_what_differs_is_read_anew_and_logged_without_contents(
    server: Server, first: Station, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    first.save([visit(server, first, note="听到的话")])
    first.sync()
    before = first.rows("visit")
    first.store.db.conn.execute(harm)
    first.store.db.conn.execute("DELETE FROM verified")
    outcome = first.sync()
    assert (outcome.verified, results(first)[0]) == (True, "healed")
    assert first.rows("visit") == before
    (line,) = [record.getMessage() for record in caplog.records if record.name == "sync.client.checking"]
    assert home_of(server) in line
    assert "听到的话" not in line


def test_a_pause_while_it_heals_is_told_as_cut_and_the_next_round_ends_it(server: Server, first: Station) -> None:
    first.save([visit(server, first, note=str(n)) for n in range(3)])
    first.sync()
    first.store.db.conn.execute("DELETE FROM visit")
    first.store.db.conn.execute("DELETE FROM verified")
    told = len(results(first))
    outcome = first.sync(stop=lambda: bool(merging.swept_streams(first.store)))
    assert (outcome.stopped, outcome.verified) == (True, False)
    assert results(first)[: len(results(first)) - told] in ([], ["cut"])
    assert first.sync().verified
    assert notes(first) == ["0", "1", "2"]


def test_a_row_too_many_goes(server: Server, first: Station) -> None:
    first.save([visit(server, first, note="one"), visit(server, first, note="two")])
    first.sync()
    copied = first.rows("visit")[0]
    first.store.db.conn.execute(f"INSERT INTO visit VALUES ({', '.join('?' * len(copied))})", ("ghost", *copied[1:]))
    first.store.db.conn.execute("DELETE FROM verified")
    assert first.sync().verified
    assert notes(first) == ["one", "two"]


def test_what_goes_on_to_differ_is_never_called_verified(server: Server, ground: Ground, first: Station) -> None:
    first.save([visit(server, first)])
    first.sync()
    at = first.store.state.synced_at

    def harm(connection: Connection) -> None:
        connection.execute(text('UPDATE stream SET "sum" = "sum" + 1 WHERE id = :id'), {"id": home_of(server)})

    ground.write(harm)
    server.clock.now += 60_000
    outcome = first.sync()
    assert (outcome.verified, results(first)[0]) == (False, "differs")
    assert first.store.state.synced_at == at
    assert first.line.asked.count("pull") < 5  # it does not go on for ever


def test_what_is_saved_meanwhile_is_not_compared(server: Server, first: Station) -> None:
    first.sync()
    saved: list[object] = []

    def save_once() -> bool:
        if not saved and "pull" in first.line.asked:
            saved.append(first.save([visit(server, first)]))
        return False

    first.save([demand(server, first)])
    first.line.asked.clear()
    outcome = first.sync(stop=save_once)
    assert (outcome.verified, results(first)[0]) == (False, "ok")
    assert first.sync().verified


# ---------------------------------------------------------------------------------------------------- cut


def test_a_round_that_was_cut_is_noted_and_goes_on(server: Server, first: Station, second: Station) -> None:
    first.save([visit(server, first, note=str(number)) for number in range(3)])
    first.sync()
    second.store.set_state(page_most=1)
    before = len(history(second.store.db))
    second.line.mishaps = ["no_line"]
    with pytest.raises(Offline):
        second.sync()
    assert len(history(second.store.db)) == before  # nothing was done
    second.line.mishaps = ["", "", "timeout"]
    with pytest.raises(Offline):
        second.sync()
    assert results(second)[0] == "cut"
    done = len(second.rows("visit"))
    assert done == 1
    outcome = second.sync()
    assert (outcome.pulled, outcome.verified) == (2, True)


def test_asked_to_stop_it_is_cut(server: Server, first: Station, second: Station) -> None:
    first.save([visit(server, first), demand(server, first)])
    asked: list[int] = []

    def soon() -> bool:
        asked.append(1)
        return len(asked) > 1

    outcome = first.sync(stop=soon)
    assert (outcome.stopped, outcome.verified, results(first)[0]) == (True, False, "cut")
    assert first.sync().verified
    assert second.sync().verified


def test_a_file_that_closes_meanwhile_loses_only_the_note(server: Server, first: Station) -> None:
    first.save([visit(server, first)])
    asked: list[int] = []

    def closing() -> bool:
        asked.append(1)
        return len(asked) > 1

    def call(fn: Callable[[Store], Any], /) -> Any:
        if len(asked) > 2:
            raise StoreError("not_open")
        return fn(first.store)

    with first.line.client() as http:
        outcome = Session(call, first.api(http), wall=first.clock, stop=closing).run()
    assert (outcome.pushed, outcome.stopped) == (1, True)
    assert results(first)[0] != "cut"


# ---------------------------------------------------------------------------------------------------- sizes


def test_a_size_that_was_refused_is_remembered(server: Server, first: Station) -> None:
    first.save([visit(server, first) for _ in range(8)])
    first.line.mishaps = ["", "status 413", "status 413"]
    first.sync()
    assert first.store.state.batch_most == 3  # four were too many
    first.save([visit(server, first) for _ in range(9)])
    first.line.asked.clear()
    assert first.sync().pushed == 9
    assert first.store.state.batch_most == 12  # it grows again
    assert first.sync().pushed == 0


def test_after_a_timeout_the_next_ones_are_smaller(server: Server, first: Station, second: Station) -> None:
    first.save([visit(server, first) for _ in range(6)])
    first.line.mishaps = ["", "timeout"]
    with pytest.raises(Offline):
        first.sync()
    assert first.store.state.batch_most == 3
    assert first.sync().pushed == 6  # what was sent is sent again as it was
    second.line.mishaps = ["", "timeout"]
    with pytest.raises(Offline):
        second.sync()
    assert second.store.state.page_most == 1000
    assert second.sync().verified


# ---------------------------------------------------------------------------------------------------- order of need


def test_the_streams_needed_first_come_first(server: Server, first: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    first.save([visit(server, first, f"{name}-101") for name in ("b1", "b2", "b3")])
    first.sync()
    merging.begin_sweep(first.store)
    first.store.set_state(page_most=1)
    wanted = [home_of(server, "b3"), home_of(server, "b1")]
    asked: list[list[str]] = []
    pull = Api.pull

    def listening(api: Api, message: wire.Pull) -> wire.PullReply:
        asked.append(list(message.streams))
        return pull(api, message)

    monkeypatch.setattr(Api, "pull", listening)
    seen: list[tuple[bool, bool]] = []

    def look(progress: Progress) -> None:
        at = merging.cursors(first.store)
        seen.append((progress.usable, all(at[stream] for stream in wanted)))

    with first.line.client() as http:
        session = Session(lambda fn: fn(first.store), first.api(http), wall=first.clock, first=wanted, on_progress=look)
        assert session.run().verified
    assert asked[0][0].startswith("community:")
    assert asked[0][1:3] == wanted
    assert home_of(server, "b2") in asked[-1]  # what is here is not asked for again
    assert not set(asked[-1]) & {wanted[0], asked[0][0]}
    assert [is_usable for is_usable, _ in seen] == sorted(is_usable for is_usable, _ in seen)
    assert (True, False) not in seen
    assert seen[-1] == (True, True)


# ---------------------------------------------------------------------------------------------------- floors


def test_below_the_floor_a_stream_is_read_anew(server: Server, ground: Ground, first: Station, second: Station) -> None:
    kept, gone = visit(server, first, note="stays"), visit(server, first, note="goes")
    first.save([kept, gone])
    first.sync()
    second.sync()
    assert len(second.rows("visit")) == 2
    position = merging.cursors(second.store)[home_of(server)]

    def forget(connection: Connection) -> None:
        """The row was deleted and is purged, long after the second PC was last here."""
        row = connection.execute(text("SELECT seq FROM record WHERE id = :id"), {"id": gone.id}).one()
        connection.execute(text("DELETE FROM record WHERE id = :id"), {"id": gone.id})
        connection.execute(
            text(
                'UPDATE stream SET floor = :floor, seq = :floor + 1, "rows" = "rows" - 1, "sum" = "sum" - :check'
                " WHERE id = :id"
            ),
            {"floor": position + row.seq, "check": check, "id": home_of(server)},
        )

    (check,) = first.store.db.conn.execute("SELECT row_check FROM visit WHERE id = ?", (gone.id,)).fetchone()
    ground.write(forget)
    for station in (first, second):
        station.sync()
        assert notes(station) == ["stays"]
        assert station.sync().verified
        assert not station.store.state.sweeping
        results = {line[0] for line in station.store.db.conn.execute("SELECT result FROM sync_history")}
        assert results == {"verified"}, "the floor says it; nobody has to compare"


def test_everything_is_downloaded_again_at_a_persons_wish(server: Server, first: Station) -> None:
    first.save([visit(server, first, note="one")])
    first.sync()
    first.save([visit(server, first, note="two")])
    merging.begin_sweep(first.store)
    first.line.mishaps = ["", "", "", "no_line"]
    first.store.set_state(page_most=5)
    with pytest.raises(Offline):
        first.sync()
    assert first.store.state.sweeping
    assert first.sync().verified
    assert not first.store.state.sweeping
    assert notes(first) == ["one", "two"]


# ---------------------------------------------------------------------------------------------------- another epoch


def _lose_a_day(ground: Ground, first: Station, second: Station) -> None:
    """The server is put back to a moment before both PCs' work, which it had acknowledged."""
    server = ground.server
    first.save([visit(server, first, note="before")])
    first.sync()
    second.sync()
    copy = ground.copy()
    second.save([visit(server, second, note="second's")])
    second.sync()
    first.save([visit(server, first, note="first's"), patch("household", server.places["b1-101"], contact_name="新名")])
    first.sync()
    restored(ground, copy)


@pytest.mark.parametrize("breaks", [(), ("digests",), ("push",), ("digests", "push"), ("pull",)])
def test_a_restored_server_gets_everything_back_whatever_breaks(
    ground: Ground, first: Station, second: Station, breaks: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_back, "ROWS_ASKED", 4)
    _lose_a_day(ground, first, second)
    first.save([visit(ground.server, first, note="unsent")])
    name = first.store.replica
    for way in breaks:
        _break_at(first, way)
        with pytest.raises(Offline):
            first.sync()
    assert first.sync().verified
    assert second.sync().verified
    assert first.sync().verified
    assert notes(first) == notes(second) == ["before", "first's", "second's", "unsent"]
    assert first.store.replica != name  # a copy of the file may have sent under it in the life that is lost
    assert first.store.state.healing == 0
    assert outbox.pending_counts(first.store.db).quarantined == 0
    names = first.store.db.conn.execute("SELECT contact_name FROM household WHERE contact_name <> ''").fetchall()
    assert names == [("新名",)]


def _break_at(station: Station, way: str) -> None:
    """The second request of this sort gets no answer."""
    line = station.line
    asked = line.asked
    asked.clear()

    class Breaking(list[str]):
        def __bool__(self) -> bool:
            return asked.count(way) == 1 + (way == "digests") and asked[-1] == way and not self.done

        done = False

        def pop(self, _: object = 0) -> str:
            self.done = True
            return "reply_lost"

    line.mishaps = Breaking()


def test_a_second_restore_in_the_middle_of_giving_back(
    ground: Ground, first: Station, second: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ground.server
    empty = ground.copy()
    _lose_a_day(ground, first, second)
    _break_at(first, "push")
    with pytest.raises(Offline):
        first.sync()
    assert first.store.state.healing == giving_back.GIVING
    restored(ground, empty)
    for _ in range(2):
        for station in (first, second):
            station.line.mishaps = []
            station.sync()
    assert first.sync().verified
    assert second.sync().verified
    assert notes(first) == notes(second) == ["before", "first's", "second's"]
    assert server.community


def test_restored_once_more_while_it_is_asked(ground: Ground, first: Station, second: Station) -> None:
    _lose_a_day(ground, first, second)
    first.line.mishaps = ["", "problem 409 epoch"]
    assert first.sync().verified
    first.store.set_state(healing=giving_back.ASKING)
    first.line.mishaps = ["", "problem 409 epoch"] * 4
    with pytest.raises(Refused, match="epoch"):
        first.sync()
    first.line.mishaps = ["", "problem 403 revoked"]
    with pytest.raises(Refused, match="revoked"):
        first.sync()
    first.line.mishaps = []
    assert first.sync().verified


def test_restored_between_two_requests(ground: Ground, first: Station, second: Station) -> None:
    _lose_a_day(ground, first, second)
    first.sync()
    second.save([visit(ground.server, second, note="later")])
    second.line.mishaps = ["", "", "problem 409 epoch"]
    assert second.sync().verified
    first.line.mishaps = ["", "problem 403 revoked"]
    with pytest.raises(Refused, match="revoked"):
        first.sync()
    assert first.sync().verified
    assert notes(first) == notes(second)


def test_a_new_name_in_the_middle_of_giving_back(ground: Ground, first: Station, second: Station) -> None:
    _lose_a_day(ground, first, second)
    name = first.store.replica
    first.line.mishaps = ["", "", "", "problem 409 forked"]  # two greetings, the question, and then the batch
    assert first.sync().verified
    assert first.store.replica != name
    second.sync()
    assert notes(second) == ["before", "first's", "second's"]


def test_asked_to_stop_while_it_is_asked(ground: Ground, first: Station, second: Station) -> None:
    _lose_a_day(ground, first, second)
    assert first.sync(stop=lambda: True).stopped
    assert first.store.state.healing == giving_back.ASKING
    assert first.sync().verified


def test_a_batch_the_restored_server_has_and_whose_reply_was_lost(
    ground: Ground, first: Station, second: Station
) -> None:
    server = ground.server
    name = first.store.replica
    first.save([visit(server, first, note="one")])
    first.line.mishaps = ["", "reply_lost"]
    with pytest.raises(Offline):
        first.sync()
    restored(ground, ground.copy())
    assert first.sync().verified
    assert first.store.replica == name
    second.sync()
    assert notes(first) == notes(second) == ["one"]


def test_a_server_put_back_without_a_word_notices_by_itself(ground: Ground, first: Station, second: Station) -> None:
    server = ground.server
    copy = ground.copy()
    first.save([visit(server, first, note="one")])
    first.sync()
    epoch = first.store.state.epoch
    ground.put_back(copy)
    for station in (first, second, first):
        station.sync()
    assert first.store.state.epoch != epoch
    assert notes(first) == notes(second) == ["one"]


def test_a_newer_server_tells_what_came_in(server: Server, first: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    first.store.set_state(served=1)
    first.line.asked.clear()
    assert first.sync().verified
    assert "pull" in first.line.asked
    assert first.store.state.served == wire.SCHEMA
    tell: Callable[..., wire.HelloReply] = type(server.service._answers).greet

    def newer(*given: object, **named: object) -> wire.HelloReply:
        reply = tell(*given, **named)
        return wire.HelloReply(**{**{f: getattr(reply, f) for f in reply.__struct_fields__}, "schema": (1, 99)})

    monkeypatch.setattr(type(server.service._answers), "greet", newer)
    first.store.db.conn.execute("DELETE FROM verified")
    first.sync()
    assert first.store.state.served == wire.SCHEMA


# ---------------------------------------------------------------------------------------------------- put back twice


def test_a_server_put_back_twice_in_an_hour_gets_everything_back(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    ground = Ground(server, secretary, tmp_path)
    for said in ("first", "second"):
        first.sync()
        copy = ground.copy()
        server.clock.now += 600_000
        first.save([visit(server, first, note=said)])
        first.sync()
        ground.put_back(copy)  # nobody says so; the second time the server does not begin another life so soon
    epoch = ground.epoch()
    first.save([visit(server, first, note="unsent")])
    first.sync()
    assert ground.epoch() == epoch
    assert notes(first) == ["first", "second", "unsent"]
    second.sync()
    assert notes(second) == ["first", "second", "unsent"]
    assert first.store.state.healing == 0
