"""Attached files between two PCs and the server: resumable, checked, asked like their records, after all else."""

from pathlib import Path

import pytest

from pictures import CHECKSUM, PICTURE, ask, attach, move, read
from servers import Server, running
from stations import Line, Station, visit
from sync.errors import Offline, Refused, ServerTrouble
from sync.store import blobs
from sync.store.blobs import PIECE, Way

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # files know no engine


def test_a_file_goes_up_from_one_pc_and_comes_down_on_another(server: Server, first: Station, second: Station) -> None:
    made = attach(server, first)
    assert move(first) == 1
    assert blobs.waiting(first.store.db) == ()
    second.sync()
    assert read(second, made) is None  # nobody asked for it yet
    assert move(second) == 0
    blobs.want(second.store, second.account, made)
    assert move(second) == 1
    assert read(second, made) == PICTURE


@on_sqlite
def test_what_was_cut_goes_on_where_it_stood(server: Server, first: Station, second: Station) -> None:
    made = attach(server, first)
    assert move(first, after=2) == 0  # asked, and one piece of three
    sent = len(first.line.asked)
    assert move(first) == 1
    assert len(first.line.asked) - sent == 3  # asked again, and the two that were missing
    second.sync()
    blobs.want(second.store, second.account, made)
    assert move(second, after=1) == 0
    (transfer,) = blobs.waiting(second.store.db)
    assert transfer.have == PIECE
    assert move(second) == 1
    assert read(second, made) == PICTURE


@on_sqlite
def test_a_bad_line_loses_and_doubles_nothing(server: Server, first: Station) -> None:
    made = attach(server, first)
    mishaps = ("no_line", "reply_lost", "timeout", "portal", "status 503", "status 429")
    for mishap in mishaps:  # at the question, then at the first piece
        for place in range(2):
            first.line.mishaps[:] = [""] * place + [mishap]
            with pytest.raises((Offline, ServerTrouble)):
                move(first)
            first.line.mishaps.clear()
    assert move(first) == 1
    # the server has it whole:
    first.store.db.conn.execute("DELETE FROM blob")
    first.store.db.conn.execute("DELETE FROM blob_piece")
    blobs.want(first.store, first.account, made)
    assert move(first) == 1
    assert read(first, made) == PICTURE


@on_sqlite
def test_a_file_that_arrives_bent_is_not_kept(server: Server, first: Station) -> None:
    attach(server, first)
    first.store.db.conn.execute("UPDATE blob_piece SET bytes = zeroblob(length(bytes)) WHERE number = 1")
    assert move(first) == 0
    (transfer,) = blobs.waiting(first.store.db)  # it stays to be sent; what is here is the only copy
    assert transfer.way is Way.UP
    folder = server.service.settings.data / "blobs"
    assert [path.stat().st_size for path in folder.rglob("*") if path.is_file()] == [0]  # all of it is forgotten
    first.store.db.conn.execute("UPDATE blob_piece SET bytes = ? WHERE number = 1", (PICTURE[PIECE : 2 * PIECE],))
    assert move(first) == 1


@on_sqlite
@pytest.mark.parametrize("spoilt", [bytes(len(PICTURE)), PICTURE[:-1]], ids=["bent", "cut short"])
def test_a_file_spoilt_on_the_server_is_never_shown(
    server: Server, first: Station, second: Station, spoilt: bytes
) -> None:
    made = attach(server, first)
    move(first)
    second.sync()
    (path,) = (path for path in (server.service.settings.data / "blobs").rglob("*") if path.is_file())
    path.write_bytes(spoilt)
    blobs.want(second.store, second.account, made)
    assert move(second, after=20) == 0
    assert len(second.line.asked) < 20  # it is not asked for over and over
    assert read(second, made) is None
    path.write_bytes(PICTURE)  # put back from a backup
    assert move(second) == 1
    assert read(second, made) == PICTURE


@on_sqlite
def test_a_file_wanted_before_it_was_sent_waits(server: Server, first: Station, second: Station) -> None:
    made = attach(server, first)
    second.sync()
    blobs.want(second.store, second.account, made)
    assert move(second) == 0
    assert [transfer.way for transfer in blobs.waiting(second.store.db)] == [Way.DOWN]
    move(first)
    assert move(second) == 1


@on_sqlite
def test_two_pcs_may_send_the_same_file(server: Server, first: Station, second: Station) -> None:
    one, other = attach(server, first), attach(server, second)
    move(first, after=2)
    assert move(second) == 1
    assert move(first) == 1
    assert read(first, one) == read(second, other) == PICTURE


@on_sqlite
def test_files_of_other_buildings_are_as_if_they_were_not_there(
    server: Server, first: Station, second: Station
) -> None:
    made = attach(server, first, household="b2-101")  # the second PC is the head's of the first building
    move(first)
    answer = ask(server, second, "GET", query=f"record={made}&offset=0")
    unknown = ask(server, second, "GET", query="record=nothing&offset=0")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_record")
    assert answer.json() == unknown.json()
    assert ask(server, second, "PUT", query=f"record={made}&offset=0", body=b"x").status_code == 404


@on_sqlite
def test_what_belongs_elsewhere_or_is_too_much_is_refused(server: Server, first: Station) -> None:
    made = attach(server, first)
    beyond = ask(server, first, "PUT", query=f"record={made}&offset=5", body=b"x")
    assert (beyond.status_code, beyond.json()) == (409, {"code": "offset", "params": {"have": 0}})
    late = ask(server, first, "PUT", query=f"record={made}&offset={len(PICTURE)}", body=b"x")
    assert late.status_code == 413
    assert ask(server, first, "PUT", query=f"record={made}&offset=0", body=bytes(PIECE + 1)).status_code == 413
    for query in (f"record={made}&offset=-1", f"record={made}&offset=x", f"record={made}&offset={'9' * 30}"):
        assert ask(server, first, "PUT", query=query, body=b"x").status_code == 422
    assert ask(server, first, "GET", query=f"record={made}&offset=0").json()["code"] == "not_yet"


@on_sqlite
def test_nobody_without_a_key_brings_or_fetches(server: Server, first: Station) -> None:
    made = attach(server, first)
    path = f"/sync/v1/blobs/{CHECKSUM}?record={made}&offset=0"
    assert server.http.get(path).status_code == 401
    assert server.http.put(path, content=b"x").status_code == 401


@on_sqlite
def test_a_note_saved_meanwhile_goes_first(server: Server, first: Station) -> None:
    attach(server, first)
    first.save([visit(server, first)])
    assert move(first, after=1) == 0
    assert first.sync().pushed == 1
    assert move(first) == 1


@on_sqlite
def test_when_to_stop_is_asked_before_each_file_and_each_piece(server: Server, first: Station, second: Station) -> None:
    made = attach(server, first)
    assert move(first, after=0) == 0
    assert blobs.waiting(first.store.db)[0].way is Way.UP
    assert move(first) == 1
    second.sync()
    blobs.want(second.store, second.account, made)
    assert move(second, after=0) == 0
    assert blobs.waiting(second.store.db)[0].have == 0


@on_sqlite
def test_a_pc_that_was_shut_out_is_told_so(server: Server, first: Station) -> None:
    attach(server, first)
    first.line.mishaps[:] = ["problem 401 unknown_key"]
    with pytest.raises(Refused) as told:
        move(first)
    assert told.value.code == "unknown_key"
    assert blobs.waiting(first.store.db)[0].way is Way.UP


def test_files_outlive_the_server(tmp_path: Path) -> None:
    with running(tmp_path / "server", community_code="370812001017") as server:
        secretary = server.enrol(server.first_code())
        server.furnish(secretary)
        code = server.invite(secretary, "grid_worker", "compound", "compound")
        station = Station.enrolled(server, tmp_path, code)
        station.sync()
        made = attach(server, station)
        move(station, after=2)
    with running(tmp_path / "server", clock=station.clock) as server:
        station.line = Line(server.http, server.clock)
        assert move(station) == 1
        station.store.db.conn.execute("DELETE FROM blob")
        station.store.db.conn.execute("DELETE FROM blob_piece")
        blobs.want(station.store, station.account, made)
        assert move(station) == 1
        assert read(station, made) == PICTURE
    station.store.close()
