"""Every stream's rows and the sum of their checks, as the server counts them, are those of its records."""

import random
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from servers import START, Device, Server, delete, new, patch, running
from sync import wire
from sync.domain.checks import row_check
from sync.domain.ids import new_id
from sync.server.storage.records import COLUMNS, row_of


def written(server: Server, function: Any) -> Any:
    """What a storage function answers."""
    return server.service._runner.write_now(function)


def counted_anew(connection: Connection) -> dict[str, tuple[int, int]]:
    """The tallies of all streams, from the records."""
    tallies: dict[str, tuple[int, int]] = {}
    for row in map(row_of, connection.execute(text(f"SELECT {COLUMNS} FROM record"))):
        rows, total = tallies.get(row.stream, (0, 0))
        if not row.deleted:
            tallies[row.stream] = (rows + 1, total + row_check(row.id, row.clock, row.clocks))
    return tallies


def kept(connection: Connection) -> dict[str, tuple[int, int]]:
    """The tallies of all streams with a row, as they are kept."""
    found = connection.execute(text('SELECT id, "rows" AS n, "sum" AS total FROM stream'))
    return {row.id: (row.n, row.total) for row in found if (row.n, row.total) != (0, 0)}


def is_counted_right(server: Server) -> bool:
    return bool(written(server, lambda c: counted_anew(c) == kept(c)))


def demand_at(server: Server, building: str) -> dict[str, Any]:
    return {"building_id": server.places[building], "scope": "building", "scope_id": server.places[building]}


def test_a_busy_history_is_counted_right(server: Server, secretary: Device) -> None:
    chance = random.Random(7)
    staff = server.person(secretary, "station_staff", "compound", "compound")
    other = server.person(secretary, "station_staff", "compound", "compound")
    demands: list[str] = []
    visits: list[str] = []
    for _ in range(25):
        server.clock.now += 1000
        device = chance.choice([staff, other])
        if chance.random() < 0.5:
            device.pull()
        wishes = []
        for _ in range(chance.randrange(1, 12)):
            building = chance.choice(["b1", "b2", "b3"])
            known = [one for one in (demands if chance.random() < 0.6 else visits) if one in device.rows]
            if known and chance.random() < 0.6:
                chosen = chance.choice(known)
                kind = device.rows[chosen].kind
                if chance.random() < 0.2:
                    wishes.append(delete(kind, chosen))
                elif kind == "demand" and chance.random() < 0.5:
                    wishes.append(patch(kind, chosen, household_id=None, **demand_at(server, building)))
                else:
                    field = "title" if kind == "demand" else "note"
                    wishes.append(patch(kind, chosen, **{field: str(chance.random())}))
            elif chance.random() < 0.5:
                made = server.visit(f"{building}-101")
                visits.append(made.id)
                wishes.append(made)
            else:
                place = {"compound_id": server.places["compound"], **demand_at(server, building)}
                made = new("demand", new_id(server.clock.now), title="灯", recorded_by=device.author, **place)
                demands.append(made.id)
                step = new("demand_event", new_id(server.clock.now), demand_id=made.id, by=device.author, move="note")
                wishes += [made, step]
        device.push(*wishes)
    assert is_counted_right(server)
    other.pull()
    for head in other.hello().streams:
        mine = [row for row in other.rows.values() if row.stream == head.id and not row.deleted]
        assert head.rows == len(mine)
        assert head.sum == sum(row_check(row.id, row.clock, row.clocks) for row in mine)
    assert any(row.deleted for row in other.rows.values())
    assert len({other.rows[demand].stream for demand in demands if demand in other.rows}) > 1


def test_writers_at_once_are_counted_right(server: Server, secretary: Device) -> None:
    devices = [server.person(secretary, "station_staff", "compound", "compound") for _ in range(4)]
    place = {"compound_id": server.places["compound"], "household_id": None}
    shared = [new("demand", new_id(START), title="灯", **place, **demand_at(server, "b1")) for _ in range(6)]
    devices[0].accepted(*shared)
    for device in devices:
        device.pull()
    failures: list[BaseException] = []

    def write(device: Device, seed: int) -> None:
        chance = random.Random(seed)
        try:
            for _ in range(8):
                to = demand_at(server, chance.choice(["b1", "b2", "b3"]))
                moved = patch("demand", chance.choice(shared).id, household_id=None, **to)
                device.accepted(moved, server.visit(f"{chance.choice(['b1', 'b2'])}-101"))
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=write, args=(device, seed)) for seed, device in enumerate(devices)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert is_counted_right(server)


def test_an_older_client_is_told_nothing(server: Server, secretary: Device) -> None:
    assert any(head.rows and head.sum for head in secretary.hello().streams)
    secretary.pull()
    older = wire.Hello(device=secretary.replica, schema=1, app="", time=0)
    assert {(head.rows, head.sum) for head in secretary.ask("hello", older, wire.HelloReply).streams} == {(0, 0)}
    page = wire.Pull(device=secretary.replica, epoch=secretary.epoch, schema=1, streams={})
    assert {(head.rows, head.sum) for head in secretary.ask("pull", page, wire.PullReply).streams} == {(0, 0)}


@pytest.mark.parametrize("example", ["", "small"])
def test_what_was_written_before_is_counted_at_the_upgrade(database: str, tmp_path: Path, example: str) -> None:
    folder = tmp_path / "server"
    with running(folder, database=database, example=example) as server:
        assert is_counted_right(server)
        before = written(server, kept)
        written(server, _as_before)
    with running(folder, database=database) as server:
        assert written(server, kept) == before
        assert is_counted_right(server)


def _as_before(connection: Connection) -> None:
    """The shape of the database as version 0001 left it."""
    for line in (
        'ALTER TABLE stream DROP COLUMN "rows"',
        'ALTER TABLE stream DROP COLUMN "sum"',
        "ALTER TABLE history DROP COLUMN given_by",
        "ALTER TABLE record DROP COLUMN author",
        "ALTER TABLE record DROP COLUMN at",
        "DROP INDEX record_deleted",
        "DROP TABLE wanted",
        "DROP TABLE answered",
        "DROP TABLE tried",
        "UPDATE alembic_version SET version_num = '0001'",
    ):
        connection.execute(text(line))
