"""The command at the centre: every file has its line, whatever it is, and nobody comes in by the side door."""

from pathlib import Path

import pytest

from postgresql import PostgreSQL
from servers import Device, Server, ServerClock, running
from stations import Line, Station, visit
from sync import wire
from sync.client import bundle
from sync.errors import BundleError, Offline
from sync.keys.signatures import KeyPair
from sync.server import bundle_caller
from sync.server.__main__ import main
from sync.server.bundle import Report
from sync.server.bundle_caller import hand_in
from sync.server.bundle_command import _told
from sync.server.bundle_door import PATH
from sync.server.settings import wall_ms
from sync.store.store import Store
from world import KEY, rules


def carried(server: Server, folder: Path, *, visits: int = 1) -> Path:
    """The file of a PC that has met the centre once."""
    secretary: Device = server.enrol(server.first_code())
    server.furnish(secretary)
    station = Station.enrolled(
        server, folder, server.invite(secretary, "grid_worker", "compound", "compound"), name="far"
    )
    station.sync()
    station.save([visit(server, station) for _ in range(visits)])
    path = folder / "up.qmb"
    bundle.export(lambda fn: fn(station.store), path)
    station.store.close()
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    status = main(["bundle", *map(str, arguments)])
    return status, capsys.readouterr().out


def test_a_file_is_taken_in_and_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "server"
    with running(data, clock=ServerClock(wall_ms())) as server:
        path = carried(server, tmp_path, visits=3)
    status, line = said(capsys, path, "--out", tmp_path / "down.qmb", "--data", data)
    assert (status, "3 changes accepted" in line, "file 1" in line) == (0, True, True)
    assert (tmp_path / "down.qmb").exists()
    status, line = said(capsys, path, "--out", tmp_path / "gone" / "down.qmb", "--data", data)
    assert (status, "run this once more" in line) == (1, True)
    bent = tmp_path / "bent.qmb"
    bent.write_bytes(path.read_bytes()[:-1])
    status, line = said(capsys, bent, tmp_path / "none.qmb", path, "--out", tmp_path, "--data", data)
    assert status == 1
    assert "it is damaged" in line
    assert "cannot be read from where it lies" in line
    assert "1 of 1 batches were known already" in line
    assert (tmp_path / "up-answer.qmb").exists()


def test_on_postgresql_the_command_works_beside_the_server(
    postgresql: PostgreSQL, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database, data = postgresql.new_database(), tmp_path / "command"
    given = ("--out", tmp_path / "down.qmb", "--data", data, "--database", database)
    status, line = said(capsys, tmp_path / "up.qmb", *given)
    assert (status, "no data in this database" in line) == (1, True)
    with running(tmp_path / "server", database=database, clock=ServerClock(wall_ms())) as server:
        path = carried(server, tmp_path, visits=3)
        assert server.http.post(PATH, content=path.read_bytes()).status_code == 404  # no side door is needed
        status, line = said(capsys, path, *given)
        assert (status, "3 changes accepted" in line) == (0, True)
        status, line = said(capsys, path, *given)
        assert (status, "1 of 1 batches were known already" in line) == (0, True)
        station = reopened(server, tmp_path)
        brought = bundle.import_(lambda fn: fn(station.store), tmp_path / "down.qmb", wall=station.clock)
        assert (brought.accepted, brought.received, brought.carried) == (3, 0, 0)  # its own it steps over
        assert station.sync().verified
        station.store.close()


def test_the_command_leaves_the_first_code_of_a_running_server_alone(
    postgresql: PostgreSQL, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = postgresql.new_database()
    with running(tmp_path / "server", database=database, clock=ServerClock(wall_ms())) as server:
        said(capsys, tmp_path / "none.qmb", "--out", tmp_path / "down.qmb", "--data", tmp_path, "--database", database)
        assert server.try_code(server.first_code()).status_code == 200


def reopened(server: Server, folder: Path) -> Station:
    """The PC that wrote the file, opened again."""
    store = Store.open(folder / "far.db", KEY, rules=rules(), wall=server.clock)
    line = Line(server.http, server.clock)
    return Station(line, server.clock, store, KeyPair(store.state.private_key), account="")


def test_nothing_is_begun_where_there_are_no_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, line = said(capsys, "a.qmb", "--out", tmp_path / "b.qmb", "--data", tmp_path / "empty")
    assert (status, "no data" in line) == (1, True)
    assert not (tmp_path / "empty").exists()


def test_everything_that_can_be_said_is_said_in_words() -> None:
    report = Report(
        installation="pc",
        number=4,
        batches=2,
        repeated=1,
        accepted=12,
        refused={"not_allowed": 2, "invalid": 1},
        conflicts=3,
        rows=40,
        more=True,
        problem="clock",
    )
    line = _told(report)
    for part in ("12 changes", "3 refused (invalid 1, not_allowed 2)", "3 conflicts", "1 of 2", "40 rows", "clock was"):
        assert part in line
    assert "More waits" in line


def test_a_server_that_left_no_address_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "server"
    with running(data, clock=ServerClock(wall_ms())) as server:
        path = carried(server, tmp_path)
        door = data / "server.door"
        assert door.stat().st_mode & 0o077 == 0
        told = door.read_bytes()
        door.unlink()
        status, line = said(capsys, path, "--out", tmp_path / "down.qmb", "--data", data)
        assert (status, "left no address" in line) == (1, True)
        door.write_bytes(told)
        # In this test nobody listens at the address.
        with pytest.raises(Offline, match="no_line"):
            hand_in(data, b"x", server="http://127.0.0.1:9")
    assert not door.exists()


def test_only_who_may_read_the_folder_comes_in(tmp_path: Path) -> None:
    data = tmp_path / "server"
    with running(data, clock=ServerClock(wall_ms())) as server:
        content = carried(server, tmp_path).read_bytes()
        notice = wire.decode((data / "server.door").read_bytes(), type_=dict[str, str])
        let_in = {"authorization": f"Bearer {notice['secret']}"}
        assert server.http.post(PATH, content=b"x").status_code == 403
        assert server.http.post(PATH, content=b"x", headers={"authorization": "Bearer "}).status_code == 403
        assert server.http.post(PATH, content=bytes(100_000)).status_code == 413  # not even read
        answer = server.http.post(PATH, content=b"holiday", headers=let_in)
        assert (answer.status_code, answer.json()["code"]) == (422, "bundle_not_one")
        answer = server.http.post(PATH, content=content, headers=let_in)
        assert answer.status_code == 200
        assert '"accepted":1' in answer.headers["x-bundle-report"]
        assert answer.content.startswith(b"qiaomen bundle\n")


def test_what_the_server_answers_is_understood() -> None:
    code = wire.encode(wire.Problem(code="bundle_damaged"))
    assert isinstance(bundle_caller._refusal(code), BundleError)
    assert isinstance(bundle_caller._refusal(wire.encode(wire.Problem(code="unavailable"))), Offline)
    assert isinstance(bundle_caller._refusal(b"<html>"), Offline)
