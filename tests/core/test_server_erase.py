"""Legal erasure: what is kept of a household goes at once on the server, and on every PC with its next sync."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from servers import Server, delete, new, patch, running
from stations import Station, demand, visit
from sync.domain.ids import new_id
from sync.domain.operations import Operation
from sync.server.__main__ import main
from sync.server.storage import schema as tables
from sync.store import blobs

PHONE, NAME, WORDS = "13812345678", "陈秀英", "said in confidence"
PICTURE = b"\xff\xd8\xff" + b"the door of 101"


def told_on_the_server(data: Path, database: str) -> str:
    """Everything in the server's database."""
    engine = create_engine(database or f"sqlite+pysqlite:///{data / 'server.db'}")
    try:
        with engine.connect() as connection:
            return repr([connection.execute(text(f'SELECT * FROM "{name}"')).all() for name in tables.metadata.tables])
    finally:
        engine.dispose()


def told_on(station: Station) -> str:
    """Everything in a PC's file but what is typed there and not sent."""
    conn = station.store.db.conn
    names = [row[0] for row in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return repr([conn.execute(f'SELECT * FROM "{name}"').fetchall() for name in names if name != "outbox"])


def household(server: Server, station: Station) -> list[Operation]:
    """What is noted of one door over time."""
    home, building = server.places["b1-101"], server.places["b1"]
    person = new("resident", new_id(station.clock()), household_id=home, building_id=building, name=NAME, phone=PHONE)
    wish = demand(server, station, title=WORDS)
    return [person, visit(server, station, note=WORDS), wish]


def files_of(data: Path) -> list[Path]:
    return [path for path in data.glob("blobs/*/??/*") if path.is_file()]


def carry_file(server: Server, station: Station, data: Path) -> None:
    """A picture of the door, its bytes on the server too."""
    blobs.add(
        station.store,
        station.account,
        record_kind="household",
        record_id=server.places["b1-101"],
        data=PICTURE,
        name="门.jpg",
    )
    station.sync()
    (transfer,) = blobs.waiting(station.store.db)
    folder = data / "blobs" / server.community / transfer.sha256[:2]
    folder.mkdir(parents=True)
    (folder / transfer.sha256).write_bytes(PICTURE)
    blobs.done(station.store, transfer.sha256)


def erase(data: Path, database: str, record: str, *more: str) -> int:
    return main(["erase", "--data", str(data), "--database", database, "--record", record, *more])


def test_a_household_goes_with_all_that_belongs_to_it(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "server"
    with running(data, database=database) as server:
        secretary = server.enrol(server.first_code())
        server.furnish(secretary)
        pcs = [
            Station.enrolled(server, tmp_path, server.invite(secretary, "grid_worker", "compound", "compound"), name=n)
            for n in ("first", "second")
        ]
        first, second = pcs
        first.sync()
        home = server.places["b1-101"]
        made = household(server, first)
        first.save(made)
        carry_file(server, first, data)
        second.sync()
        first.save([patch("resident", made[0].id, phone="13900000001"), patch("household", home, contact_phone=PHONE)])
        second.save([patch("resident", made[0].id, phone="13900000002"), delete("visit", made[1].id)])
        first.sync()
        second.sync()
        other = visit(server, first, "b1-102", note="of next door")
        first.save([other])
        first.sync()
        late = server.clock.now
        if not database:
            assert erase(data, database, home) == 1
            assert "stop it" in capsys.readouterr().err
    assert erase(data, database, home) == 0
    assert "Would go for good: 1 attachment, 1 conflict, 1 demand, 1 household, 1 resident, 1 visit; 1 files" in (
        capsys.readouterr().out
    )
    assert PHONE in told_on_the_server(data, database)
    assert erase(data, database, home, "--yes") == 0
    assert "1 files" in capsys.readouterr().out
    assert_gone(told_on_the_server(data, database))
    assert files_of(data) == []
    for file in data.glob("server.db*"):  # nor in pages of the file that are free
        assert_gone(file.read_bytes().decode("utf-8", "replace"))
    with running(data, database=database) as again:
        again.clock.now = late + 60_000
        for station in pcs:
            station.line.server, station.clock = again.http, again.clock
            station.store._wall = again.clock
            assert station.sync().verified
            assert_gone(told_on(station))
            assert "of next door" in told_on(station)
            blobs.drop_unnamed(station.store)
            assert station.store.db.conn.execute("SELECT count(*) FROM blob_piece").fetchone() == (0,)
            station.store.close()


def assert_gone(said: str) -> None:
    for words in (PHONE, NAME, WORDS, "13900000001", "13900000002"):
        assert words not in said


def test_places_posts_and_what_is_not_there_are_not_erased(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert erase(tmp_path, "", "x", "--yes") == 1
    assert "There are no data" in capsys.readouterr().err
    with running(tmp_path, database=database) as server:
        secretary = server.enrol(server.first_code())
        server.furnish(secretary)
        ids: Sequence[str] = (server.places["b1"], secretary.author, new_id(server.clock.now))
    for record_id in ids:
        assert erase(tmp_path, database, record_id, "--yes") == 1
    assert capsys.readouterr().out.count("no record of this id") == 3
