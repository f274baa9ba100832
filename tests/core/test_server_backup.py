"""Backups of a server that serves, and the way back: all or nothing, another epoch, and the PCs give back the rest."""

import os
import tarfile
from argparse import Namespace
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, create_engine, text

from servers import Device, Server, ServerClock, running
from stations import Station, visit
from sync.domain.calendar import DAY
from sync.errors import StoreError
from sync.server import backup, backup_command, copies, postgresql
from sync.server.__main__ import main
from sync.server.settings import Settings
from sync.server.storage import epochs

NewDatabase = Callable[[], str]


@pytest.fixture
def another(database: str, request: pytest.FixtureRequest) -> NewDatabase:
    """Gives further empty databases of the same engine."""
    if not database:
        return lambda: ""
    made: NewDatabase = request.getfixturevalue("postgresql").new_database
    return made


def read(settings: Settings, query: str) -> list[tuple[object, ...]]:
    """What stands in a database that no server holds."""
    url = settings.database or f"sqlite+pysqlite:///{settings.data / 'server.db'}"
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        engine.dispose()


RECORDS = "SELECT kind, id, stream, seq, hlc, dev, clocks, deleted, fields FROM record ORDER BY id"
STREAMS = "SELECT id, seq, floor, rows, sum FROM stream ORDER BY id"


def epoch_of(server: Server) -> str:
    """Which life of the data this is."""
    return server.service._runner.write_now(epochs.current).id


def test_what_is_backed_up_comes_back_as_it_was(database: str, tmp_path: Path, another: NewDatabase) -> None:
    first, second = tmp_path / "first", Settings(tmp_path / "second", another())
    settings = Settings(first, database)
    with running(first, database=database) as server:
        server.furnish(server.enrol(server.first_code()))
        before = epoch_of(server)
        made = backup.make(settings, tmp_path / "one.qmbackup")
    assert made.path.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["one.qmbackup"]
    done = backup.restore(second, made.path)
    assert done.aside == ""
    assert read(second, RECORDS) == read(settings, RECORDS)
    assert read(second, STREAMS) == read(settings, STREAMS)
    with running(second.data, database=second.database) as server:
        now = server.service._runner.write_now(epochs.current)
        assert (now.id, now.parent) == (done.epoch, before)
        assert server.http.get("/readyz").json() == {"ready": True}
        assert copies.age_s(first) is not None


def test_a_backup_under_writes_is_of_one_moment(database: str, tmp_path: Path, another: NewDatabase) -> None:
    with running(tmp_path / "first", database=database) as server:
        secretary = server.enrol(server.first_code())
        server.furnish(secretary)
        devices = [secretary.clone() for _ in range(4)]
        for device in devices:
            device.hello()
        stop: list[bool] = []

        def write(device: Device) -> int:
            pushed = 0
            while not stop:
                device.accepted(*(server.visit("b1-101") for _ in range(10)))
                pushed += 10
            return pushed

        with ThreadPoolExecutor(4) as pool:
            pushed = [pool.submit(write, device) for device in devices]
            made = []
            try:
                for number in range(3):
                    made.append(backup.make(Settings(tmp_path / "first", database), tmp_path / f"{number}.qmbackup"))
            finally:
                stop.append(True)  # a backup that failed must not leave them writing for ever
            total = sum(count.result() for count in pushed)
    counts = []
    for one in made[::2]:
        into = Settings(tmp_path / one.path.stem, another())
        backup.restore(into, one.path)
        ((visits,),) = read(into, "SELECT count(*) FROM record WHERE kind = 'visit'")
        counts.append(visits)
        # Each batch is there whole, with the positions and the number that were given to it.
        assert int(str(visits)) % 10 == 0
        tallies = "SELECT count(*) FROM stream s WHERE s.seq < (SELECT max(r.seq) FROM record r WHERE r.stream = s.id)"
        assert read(into, tallies) == [(0,)]
        batches = "SELECT sum(batch) FROM replica WHERE batch > 0"
        assert read(into, batches) == [(int(str(visits)) // 10 + 1,)]
    assert counts == sorted(counts)
    assert int(str(counts[-1])) <= total


def test_after_a_restore_the_pcs_give_back_what_is_missing(database: str, tmp_path: Path, another: NewDatabase) -> None:
    settings, clock = Settings(tmp_path / "server", database), ServerClock()
    with running(settings.data, database=database, clock=clock) as server:
        secretary = server.enrol(server.first_code())
        server.furnish(secretary)
        places = server.places
        code = server.invite(secretary, "grid_worker", "compound", "compound", name="张磊")
        station = Station.enrolled(server, tmp_path, code)
        station.sync()
        kept = visit(server, station)
        station.save([kept])
        station.sync()
        clock.now += 60_000
        made = backup.make(settings, tmp_path / "one.qmbackup")
        lost = visit(server, station)
        station.save([lost])
        station.sync()
        epoch = station.store.state.epoch
    clock.now += 60_000
    backup.restore(Settings(settings.data, database, wall=clock), made.path)
    with running(settings.data, database=database, clock=clock) as server:
        server.places = places
        unsent = visit(server, station)
        station.save([unsent])
        station.line.server = server.http
        for _ in range(3):
            outcome = station.sync()
        assert station.store.state.epoch != epoch
        assert outcome.refused == 0
        fresh = Station.enrolled(
            server, tmp_path, server.invite(_again(secretary, server), "grid_worker", "compound", "compound"), name="b"
        )
        fresh.sync()
        assert {row[0] for row in fresh.rows("visit")} == {row[0] for row in station.rows("visit")}
        assert {kept.id, lost.id, unsent.id} <= {str(value) for row in fresh.rows("visit") for value in row}
        fresh.store.close()
        station.store.close()


def _again(device: Device, server: Server) -> Device:
    """The same PC on another run of the server."""
    device.http, device.epoch = server.http, ""
    return device


@pytest.fixture
def saved(database: str, tmp_path: Path) -> tuple[Settings, Path]:
    """A stopped server's settings, and a backup made of it before its community got its places."""
    settings = Settings(tmp_path / "server", database)
    with running(settings.data, database=database) as server:
        secretary = server.enrol(server.first_code())
        _blob(settings.data, b"picture")
        made = backup.make(settings, tmp_path / "one.qmbackup")
        server.furnish(secretary)
        _blob(settings.data, b"another")
    assert made.blobs == 1
    return settings, made.path


def _blob(data: Path, content: bytes) -> Path:
    name = sha256(content).hexdigest()
    path = data / "blobs" / "01a205ea-be80-73ac-89d2-e64ab519e0aa" / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.with_name(f"{name}.part").write_bytes(b"still arriving")
    return path


def test_what_is_replaced_is_kept_beside_it(saved: tuple[Settings, Path]) -> None:
    settings, path = saved
    before = read(settings, RECORDS)
    lost = _blob(settings.data, b"picture")
    lost.unlink()
    done = backup.restore(settings, path)
    assert len(read(settings, RECORDS)) < len(before)
    if settings.embedded:
        assert read(Settings(Path(done.aside)), RECORDS) == before
        assert sorted(path.name for path in Path(done.aside).iterdir()) == ["server.db"]
    else:
        assert read(settings, RECORDS.replace("record", f'"{done.aside}".record')) == before
        # The next backup leaves it out.
        again = backup.make(settings, path.with_name("two.qmbackup"))
        assert again.size < path.stat().st_size * 1.2
    assert lost.read_bytes() == b"picture"
    assert _blob(settings.data, b"another").exists()
    again_done = backup.restore(settings, path)
    assert again_done.epoch != done.epoch
    assert [entry for entry in settings.data.iterdir() if entry.name.startswith(".")] == []


def test_a_damaged_backup_is_refused_and_nothing_is_changed(saved: tuple[Settings, Path]) -> None:
    settings, path = saved
    whole = path.read_bytes()
    before = read(settings, RECORDS), read(settings, "SELECT key, value FROM meta ORDER BY key")
    with tarfile.open(path) as tar:
        database, blob = tar.getmembers()[1:]
    middle, end = database.offset_data + database.size // 2, database.offset_data + database.size
    flips = (
        5,
        514,
        600,
        database.offset + 5,
        database.offset_data,
        middle,
        end - 1,
        blob.offset + 5,
        blob.offset_data + 3,
    )
    for at in flips:
        _refused(settings, path, whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
    for at in (0, 100, 600, database.offset, middle, end, blob.offset, blob.offset_data + 2):
        _refused(settings, path, whole[:at])
    _refused(settings, path, b"SQLite format 3\0" + bytes(5000))
    with pytest.raises(StoreError, match="backup_missing"):
        backup.restore(settings, path.with_name("none"))
    assert (read(settings, RECORDS), read(settings, "SELECT key, value FROM meta ORDER BY key")) == before
    path.write_bytes(whole)
    backup.restore(settings, path)


def _refused(settings: Settings, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match="backup_damaged"):
        backup.restore(settings, path)


def test_a_failure_on_the_way_changes_nothing(saved: tuple[Settings, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    settings, path = saved
    before = read(settings, RECORDS)

    def fails(connection: Connection, *, now: int, not_before: int) -> None:
        raise StoreError("disk_full")

    def cut(path: Path, target: Path) -> None:
        raise OSError("cut")

    with monkeypatch.context() as patched:
        patched.setattr(epochs, "begin_anew", fails)
        with pytest.raises(StoreError, match="disk_full"):
            backup.restore(settings, path)
    assert read(settings, RECORDS) == before
    if settings.embedded:
        # Ended at the very last moment: what was there is still in its place, and kept beside it as well.
        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", cut)
            with pytest.raises(OSError, match="cut"):
                backup.restore(settings, path)
        assert read(settings, RECORDS) == before
    with running(settings.data, database=settings.database) as server:
        assert server.http.get("/readyz").json() == {"ready": True}


def test_a_machine_whose_clock_is_old_is_told_so(tmp_path: Path) -> None:
    clock = ServerClock()
    with running(tmp_path / "first", clock=clock) as server:
        before = epoch_of(server)
    clock.now += 4000 * DAY  # the backup is of a time that this machine's own clock has yet to reach
    made = backup.make(Settings(tmp_path / "first", wall=clock), tmp_path / "one.qmbackup")
    said: list[str] = []
    given = Namespace(data=tmp_path / "second", database="", source=made.path)
    assert backup_command.run_restore(given, said.append) == 0
    assert "CLOCK IS WRONG" in said[1]
    with running(tmp_path / "second") as server:
        now = server.service._runner.write_now(epochs.current)
        assert (now.since, now.parent) == (clock.now, before)
        assert now.id > before


def test_while_a_server_runs_nothing_is_restored(saved: tuple[Settings, Path]) -> None:
    settings, path = saved
    with running(settings.data, database=settings.database) as server:
        assert server.http.get("/readyz").status_code == 200
        with pytest.raises(StoreError) as caught:
            backup.restore(settings, path)
        assert caught.value.code == ("in_use" if settings.embedded else "database_in_use")
        assert server.http.get("/readyz").status_code == 200
    backup.restore(settings, path)


def _rewritten(path: Path, **changed: object) -> Path:
    """The same backup with other words in its manifest."""
    to = path.with_name("changed.qmbackup")
    with copies.reading(path) as copy:
        copy.take_database(path.with_name("database"))
        manifest = msgspec.structs.replace(copy.manifest, **changed, blobs=0)
    with tarfile.open(to, "w") as tar:
        path.with_name("manifest").write_bytes(copies.with_checksum(manifest))
        tar.add(path.with_name("manifest"), "manifest.json")
        tar.add(path.with_name("database"), "database")
    return to


def test_a_newer_backup_or_one_of_the_other_engine_is_refused(saved: tuple[Settings, Path]) -> None:
    settings, path = saved
    for changed, code in (
        ({"format": 2}, "backup_newer"),
        ({"revision": "9999"}, "backup_newer"),
        ({"engine": "postgresql" if settings.embedded else "sqlite"}, "backup_other_engine"),
    ):
        with pytest.raises(StoreError, match=code):
            backup.restore(settings, _rewritten(path, **changed))
    backup.restore(settings, _rewritten(path))


def test_names_in_a_backup_lead_nowhere_else(saved: tuple[Settings, Path]) -> None:
    settings, path = saved
    content = b"evil"
    name = sha256(content).hexdigest()
    for evil in (f"blobs/../{name[:2]}/{name}", f"blobs/x/../{name}", f"blobs/x/{name[:2]}/../{name}", "blobs/x/y"):
        with copies.reading(path) as copy:
            copy.take_database(path.with_name("database"))
            manifest = msgspec.structs.replace(copy.manifest, blobs=1)
        path.with_name("manifest").write_bytes(copies.with_checksum(manifest))
        path.with_name("evil").write_bytes(content)
        to = path.with_name("evil.qmbackup")
        with tarfile.open(to, "w") as tar:
            tar.add(path.with_name("manifest"), "manifest.json")
            tar.add(path.with_name("database"), "database")
            tar.add(path.with_name("evil"), evil)
        with pytest.raises(StoreError, match="backup_damaged"):
            backup.restore(settings, to)


def test_a_folder_keeps_the_latest(tmp_path: Path) -> None:
    clock = ServerClock()
    settings = Settings(tmp_path / "server", wall=clock)
    with running(settings.data):
        folder = tmp_path / "backups"
        folder.mkdir()
        (folder / "note.txt").write_text("mine")
        made = []
        for _ in range(4):
            clock.now += 86_400_000
            made.append(backup.make(settings, folder, keep=2))
    assert [one.gone for one in made] == [0, 0, 1, 1]
    names = sorted(path.name for path in folder.iterdir())
    assert names == [made[2].path.name, made[3].path.name, "note.txt"]
    assert names[0].startswith("20261126-")


def test_a_damaged_database_is_not_backed_up(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "server")
    with running(settings.data) as server:
        server.furnish(server.enrol(server.first_code()))
        good = backup.make(settings, tmp_path / "one.qmbackup")
    content = bytearray((settings.data / "server.db").read_bytes())
    for page in range(3, len(content) // 4096):
        content[page * 4096 : page * 4096 + 16] = bytes(range(16))
    (settings.data / "server.db").write_bytes(content)
    size = good.path.stat().st_size
    with pytest.raises(StoreError, match="damaged"):
        backup.make(settings, good.path)
    assert good.path.stat().st_size == size
    # And the good one still takes its place.
    done = backup.restore(settings, good.path)
    assert (Path(done.aside) / "server.db").read_bytes() == content
    with running(settings.data) as server:
        assert server.http.get("/readyz").json() == {"ready": True}


def test_the_commands(saved: tuple[Settings, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings, _ = saved
    where = ["--data", str(settings.data), "--database", settings.database]
    assert main(["backup", *where, "--to", str(tmp_path / "two.qmbackup")]) == 0
    assert "2 attached files" in capsys.readouterr().out
    assert main(["restore", *where, "--from", str(tmp_path / "two.qmbackup")]) == 0
    said = capsys.readouterr().out
    assert "What was there before is kept in" in said
    assert "every PC gives back" in said
    assert main(["restore", *where, "--from", str(tmp_path / "none")]) == 1
    assert "There is no backup" in capsys.readouterr().err
    assert main(["backup", *where, "--to", str(tmp_path / "no" / "folder")]) == 1
    assert "could not be written" in capsys.readouterr().out
    assert main(["backup", *where, "--to", str(tmp_path), "--keep", "0"]) == 1
    with running(settings.data, database=settings.database) as server:
        assert server.http.get("/readyz").status_code == 200
        assert main(["restore", *where, "--from", str(tmp_path / "two.qmbackup")]) == 1
    if settings.embedded:
        assert "Another server" in capsys.readouterr().err
        assert main(["backup", "--data", str(tmp_path / "nothing"), "--to", str(tmp_path / "x")]) == 1
        assert "There are no data" in capsys.readouterr().err


def test_a_program_that_is_missing_is_named(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = request.getfixturevalue("postgresql").new_database()
    with running(tmp_path, database=url):
        monkeypatch.setattr(postgresql, "_PACKAGED", str(tmp_path / "none"))
        monkeypatch.setenv("PATH", str(tmp_path))
        assert main(["backup", "--data", str(tmp_path), "--database", url, "--to", str(tmp_path / "x")]) == 1
        assert "pg_dump was not found: install the package postgresql-client" in capsys.readouterr().err
        monkeypatch.undo()
        monkeypatch.setenv("PATH", "/nowhere")
        assert Path(postgresql.find_program("pg_dump")).exists()
        # One that cannot do it says why.
        fake = tmp_path / "pg_dump"
        fake.write_text("#!/bin/sh\necho 'server version mismatch' >&2\nexit 1\n")
        fake.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
        assert main(["backup", "--data", str(tmp_path), "--database", url, "--to", str(tmp_path / "x")]) == 1
        assert "pg_dump could not do it: server version mismatch" in capsys.readouterr().err
