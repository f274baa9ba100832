"""What was deleted long ago is blanked in a PC's own file, in small pieces, by the same rule as on the server."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from litestar.testing import TestClient

from servers import Server, delete, new, patch
from stations import Station, visit
from sync.domain.calendar import DAY
from sync.domain.ids import new_id
from sync.domain.merge import Row
from sync.domain.operations import Operation
from sync.domain.stubs import stub_values
from sync.server import housekeeping
from sync.store import blanking, conflicts, giving_back, leaving, merging, schema
from sync.store.blanking import Mark, Piece
from sync.store.state import history

PHONE = "13812345678"


@pytest.fixture
def database() -> str:
    """SQLite: this is about the PC's file."""
    return ""


def pieces(station: Station) -> Iterator[Piece]:
    """The whole job."""
    mark: Mark | None = blanking.START
    while mark is not None:
        piece = blanking.go_on(station.store, mark)
        yield piece
        mark = piece.next


def blank(station: Station) -> set[tuple[str, str]]:
    """The records that the whole job altered."""
    return {key for piece in pieces(station) for key in piece.touched}


def purge(server: Server) -> None:
    """The server's own job."""
    http, service = server.http, server.service
    assert isinstance(http, TestClient)

    async def job() -> None:
        replica = service.identity.replica
        await housekeeping.purge(service._runner, server.community, replica=replica, now=server.clock.now)

    http.blocking_portal.call(job)


def resident(server: Server, station: Station) -> Operation:
    return new(
        "resident",
        new_id(station.clock()),
        household_id=server.places["b1-101"],
        building_id=server.places["b1"],
        name="陈秀英",
        phone=PHONE,
    )


def row_of(station: Station, kind: str, record_id: str) -> Row:
    row = schema.load_one(station.store.db, kind, record_id)
    assert row is not None
    return row


def everything(station: Station) -> str:
    """All that can be read in the file."""
    conn = station.store.db.conn
    tables = [row[0] for row in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return repr([conn.execute(f'SELECT * FROM "{table}"').fetchall() for table in tables])


def gone(server: Server, *stations: Station) -> str:
    """A resident whom everybody has, deleted by the first of them."""
    one = resident(server, stations[0])
    stations[0].save([one])
    for station in stations:
        station.sync()
    server.clock.now += 1000
    stations[0].save([delete("resident", one.id)])
    for station in stations:
        station.sync()
    return one.id


def test_a_deleted_person_is_nowhere_in_the_file_after_thirty_days(
    server: Server, first: Station, second: Station
) -> None:
    who = gone(server, first, second)
    before = row_of(second, "resident", who)
    server.clock.now += 30 * DAY - 1
    second.sync()
    assert blank(second) == set()
    assert row_of(second, "resident", who).values["phone"] == PHONE
    server.clock.now += 1
    second.sync()
    assert blank(second) == {("resident", who)}
    after = row_of(second, "resident", who)
    assert after == replace(before, values=stub_values(before))
    assert after.values["household_id"] == server.places["b1-101"]
    assert PHONE not in everything(second)
    assert blank(second) == set(), "once is enough"
    purge(server)
    lines = len(history(second.store.db))
    second.store.db.conn.execute("DELETE FROM verified")
    assert second.sync().verified
    assert len(history(second.store.db)) == lines, "it is no difference, and nothing was healed"


def test_a_wrong_clock_blanks_nothing_that_others_still_have(server: Server, first: Station, second: Station) -> None:
    who = gone(server, first, second)
    second.store._wall = lambda: server.clock() + 3650 * DAY
    assert blank(second) == set()
    assert row_of(second, "resident", who).values["phone"] == PHONE
    second.store.set_state(server_url="")  # it belongs to no server: its own clock is all there is
    assert blank(second) == {("resident", who)}
    assert schema.load_one(second.store.db, "resident", who) is None


def test_it_is_due_once_a_day(server: Server, first: Station) -> None:
    assert blanking.is_due(first.store)
    blank(first)
    assert not blanking.is_due(first.store)
    server.clock.now += DAY - 1
    assert not blanking.is_due(first.store)
    server.clock.now += 1
    assert blanking.is_due(first.store)
    blank(first)
    server.clock.now -= 5
    assert blanking.is_due(first.store), "the clock was put back"


def test_what_unsent_work_hangs_on_is_let_be(server: Server, first: Station, second: Station) -> None:
    who = gone(server, first, second)
    other = resident(server, second)
    second.save([other])
    second.sync()
    second.save([patch("resident", other.id, name="陈秀芳"), delete("resident", other.id)])
    server.clock.now += 500 * DAY
    second.store.set_state(synced_at=server.clock.now)
    assert blank(second) == {("resident", who)}
    assert row_of(second, "resident", other.id).values["phone"] == PHONE
    second.sync()
    assert row_of(second, "resident", other.id).deleted


def test_every_trace_goes_after_four_hundred_days(server: Server, first: Station, second: Station) -> None:
    who = gone(server, first, second)
    server.clock.now += 400 * DAY - 1
    second.sync()
    blank(second)
    assert row_of(second, "resident", who).deleted
    server.clock.now += 1
    second.sync()
    assert blank(second) == {("resident", who)}
    assert schema.load_one(second.store.db, "resident", who) is None
    assert second.sync().verified
    purge(server)
    server.clock.now += 2 * DAY
    purge(server)
    assert second.sync().verified


def test_nothing_is_blanked_while_a_restored_server_is_given_back_its_rows(
    server: Server, first: Station, second: Station
) -> None:
    who = gone(server, first, second)
    server.clock.now += 40 * DAY
    second.sync()
    giving_back.begin(second.store, epoch="another", batch=0)
    assert blank(second) == set()
    assert row_of(second, "resident", who).values["phone"] == PHONE
    assert blanking.is_due(second.store)


def test_a_piece_is_small_whatever_the_table_holds(
    server: Server, first: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [visit(server, first, note="said in confidence") for _ in range(9)]
    first.save(made)
    first.sync()
    first.save([delete("visit", one.id) for one in made[2:]])
    first.sync()
    server.clock.now += 31 * DAY
    first.sync()
    monkeypatch.setattr(blanking, "_WRITTEN", 3)
    monkeypatch.setattr(blanking, "_LOOKED_AT", 4)
    done = [len(piece.touched) for piece in pieces(first)]
    assert max(done) <= 3
    assert sum(done) == 7
    assert [row[0] for row in first.store.db.conn.execute("SELECT note FROM visit WHERE note <> ''")] == [
        "said in confidence"
    ] * 2


def clash(server: Server, first: Station, second: Station, household: str, *, deletes: bool = False) -> str:
    """Two people change a door's number (or one deletes it) without having seen each other; the conflict's id."""
    first.save([delete("household", household) if deletes else patch("household", household, contact_phone=PHONE)])
    second.save([patch("household", household, contact_phone="13900000000")])
    first.sync()
    server.clock.now += 1000
    second.sync()
    first.sync()
    (found,) = first.store.db.conn.execute(
        "SELECT id FROM conflict WHERE record_id = ? ORDER BY id DESC LIMIT 1", (household,)
    ).fetchone()
    return str(found)


def test_what_conflicts_kept_of_a_stub_goes_with_it(server: Server, first: Station, second: Station) -> None:
    numbers, deletion = server.places["b1-101"], server.places["b1-102"]
    one = clash(server, first, second, numbers)
    first.save([delete("household", numbers)])
    first.sync()
    two = clash(server, first, second, deletion, deletes=True)
    server.clock.now += 31 * DAY
    first.sync()
    changed = blank(first)
    assert {("household", numbers), ("household", deletion), ("conflict", one)} <= changed
    assert ("conflict", two) not in changed, "it asks whether the record is to come back, and with what"
    kept = row_of(first, "conflict", one).values
    assert (kept["kept"], kept["lost"], kept["register"]) == ("", "", "contact_phone")
    assert PHONE not in everything(first)
    viewer = first.store.viewer(first.account)
    (shown,) = conflicts.open_conflicts(first.store.db, viewer)
    assert shown.conflict_id == two
    conflicts.settle(first.store, first.account, two, shown.choices[0])
    first.sync()
    assert blank(first) == {("conflict", two)}
    assert conflicts.open_conflicts(first.store.db, viewer, settled=True) == ()
    assert first.sync().verified


def test_a_stub_that_left_its_stream_goes_like_any_other_row(server: Server, first: Station) -> None:
    conflict = Row("c", "conflict", "building:x", {"record_id": server.places["b1-101"]}, (1, 1), deleted=True)
    whole = replace(conflict, values=stub_values(replace(conflict, values={**conflict.values, "record_kind": "visit"})))
    assert whole.values["record_kind"] == "visit", "where it belongs can still be told"
    with first.store.write():
        schema.put(first.store.db, [replace(conflict, values=stub_values(conflict))])  # as older programs blanked it
        leaving.take_exits(first.store, [leaving.Exit("building:x", "c", (2, 2))])
        leaving.drop_left(first.store)
    assert not merging.swept_streams(first.store)
