"""Bytes of attached files outlive what can go wrong: a server killed or restored, rights that end, a deletion."""

import asyncio
import os
from pathlib import Path

import pytest

from ground import Ground
from pictures import CHECKSUM, PICTURE, attach, fetched, kept, move, part_of
from servers import Device, Server
from stations import Station
from sync.domain.calendar import DAY
from sync.store import blobs
from sync.store.blobs import Way

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # files know no engine


def test_a_server_stopped_before_the_whole_had_its_name_finishes_it(
    server: Server, first: Station, second: Station
) -> None:
    made = attach(server, first)
    part_of(server).write_bytes(PICTURE)  # every piece came, and nobody was told
    assert move(first) == 1
    assert kept(server) == {CHECKSUM: PICTURE}
    assert not part_of(server).exists()
    assert fetched(second, made) == PICTURE


@pytest.mark.parametrize("found", [bytes(len(PICTURE)), bytes(len(PICTURE) + 1)], ids=["bent", "too long"])
def test_what_a_stopped_server_left_is_checked_before_anybody_is_told_that_it_is_there(
    server: Server, first: Station, second: Station, found: bytes
) -> None:
    made = attach(server, first)
    part_of(server).write_bytes(found)
    assert move(first) == 0
    assert [transfer.way for transfer in blobs.waiting(first.store.db)] == [Way.UP]
    assert kept(server) == {}
    assert move(first) == 1
    assert fetched(second, made) == PICTURE


def test_what_is_here_whole_leaves_nothing_unfinished_beside_it(server: Server, first: Station) -> None:
    attach(server, first)
    assert move(first) == 1
    first.store.db.conn.execute("UPDATE blob SET way = 'up'")
    asked = len(first.line.asked)
    assert move(first) == 1
    assert len(first.line.asked) == asked + 1
    assert not part_of(server).exists()


def age(server: Server, *, days: int) -> None:
    """The server's files came so many days before what its clock says."""
    at = server.clock() / 1000 - days * 86_400
    for path in (server.service.settings.data / "blobs").glob("*/??/*"):
        os.utime(path, (at, at))


def test_after_a_restore_a_file_comes_back_from_a_pc_that_has_it(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    ground = Ground(server, secretary, tmp_path)
    backup = ground.copy()
    made = attach(server, first)
    move(first)
    for path in part_of(server).parent.iterdir():
        path.unlink()
    ground.restore(backup)
    first.sync()
    assert move(first) == 1
    assert fetched(second, made) == PICTURE


def test_who_only_fetched_a_file_gives_it_back_too(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    ground = Ground(server, secretary, tmp_path)
    backup = ground.copy()
    made = attach(server, first)
    move(first)
    assert fetched(second, made) == PICTURE
    for path in part_of(server).parent.iterdir():
        path.unlink()
    ground.restore(backup)
    second.sync()
    assert move(second) == 1
    assert kept(server) == {CHECKSUM: PICTURE}


def test_files_are_not_swept_while_their_records_may_come_back(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    ground = Ground(server, secretary, tmp_path)
    backup = ground.copy()
    made = attach(server, first)
    move(first)
    ground.restore(backup)  # its files stayed: they are only added
    server.clock.now += 59 * DAY
    age(server, days=58)
    assert asyncio.run(server.service.sweep_blobs()) == 0
    first.sync()
    assert fetched(second, made) == PICTURE
    ground.restore(backup)
    server.clock.now += 60 * DAY
    age(server, days=58)
    assert asyncio.run(server.service.sweep_blobs()) == 1  # nobody brought it back
