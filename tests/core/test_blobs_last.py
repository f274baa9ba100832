"""Bytes of attached files outlive what can go wrong: a server killed or restored, rights that end, a deletion."""

import asyncio
import os
from pathlib import Path

import pytest

from ground import Ground
from machines import write_grant
from pictures import CHECKSUM, PICTURE, ask, attach, fetched, kept, move, part_of, read
from servers import Device, Server, patch
from stations import Station
from sync.domain.calendar import DAY
from sync.domain.conflicts import LOST
from sync.store import blobs, conflicts, quarantine
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
        os.utime(path, (at, at), follow_symlinks=False)


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


def test_files_that_no_record_names_any_more_are_removed(server: Server, first: Station) -> None:
    sweep = server.service.sweep_blobs
    part_of(server).with_name("led-astray").symlink_to("nowhere")  # gone when it is looked at
    part_of(server).write_bytes(PICTURE[:9])
    age(server, days=1)
    assert asyncio.run(sweep()) == 0  # it may be younger than the line is slow
    age(server, days=3)
    assert asyncio.run(sweep()) == 1
    made = attach(server, first)
    move(first)
    age(server, days=3)
    assert asyncio.run(sweep()) == 0
    blobs.remove(first.store, first.account, made)
    first.sync()
    server.clock.now += 29 * DAY
    assert asyncio.run(sweep()) == 0  # it may be brought back
    server.clock.now += DAY
    assert asyncio.run(sweep()) == 1
    assert kept(server) == {}


def test_a_deleted_file_that_is_brought_back_has_its_bytes(server: Server, first: Station, second: Station) -> None:
    made = attach(server, second)
    move(second)
    first.sync()
    second.save([patch("attachment", made, name="改名")])
    blobs.remove(first.store, first.account, made)  # neither has seen the other
    for station in (second, first):
        station.sync()
        move(station)
    server.clock.now += 3 * DAY
    age(server, days=3)
    assert asyncio.run(server.service.sweep_blobs()) == 0
    second.sync()
    assert read(second, made) is None
    (found,) = conflicts.open_conflicts(second.store.db, second.store.viewer(second.account))
    conflicts.settle(second.store, second.account, found.conflict_id, LOST)
    second.sync()
    assert read(second, made) == PICTURE
    assert fetched(first, made) == PICTURE


def end_post(ground: Ground, station: Station) -> None:
    """Whoever works at this PC may read nothing any more."""
    for row in ground.rows().values():
        if row.kind == "grant" and row.values["account_id"] == station.account:
            write_grant(ground, row.id, "2020-01-01")


def test_whoever_added_a_file_brings_it_even_when_the_post_has_ended(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    ground = Ground(server, secretary, tmp_path)
    made = attach(server, second)
    end_post(ground, second)
    second.sync()
    assert second.rows("attachment") == []
    assert move(second) == 1
    assert second.store.db.conn.execute("SELECT count(*) FROM blob").fetchone() == (0,)  # there is nothing left of it
    assert fetched(first, made) == PICTURE
    query = f"record={made}&offset=0"
    assert ask(server, second, "GET", query=query).status_code == 404  # to bring is not to read


def test_a_file_deleted_before_its_bytes_came_is_taken_until_it_is_a_stub(
    server: Server, first: Station, second: Station
) -> None:
    made = attach(server, second)
    first.sync()
    blobs.want(first.store, first.account, made)
    blobs.remove(first.store, first.account, made)
    first.sync()
    assert move(second) == 1
    assert move(first) == 0
    server.clock.now += 30 * DAY
    assert ask(server, second, "PUT", query=f"record={made}&offset=0").status_code == 404


def test_bytes_of_what_was_refused_and_thrown_away_go_too(
    server: Server, secretary: Device, second: Station, tmp_path: Path
) -> None:
    ground = Ground(server, secretary, tmp_path)
    end_post(ground, second)
    attach(server, second)
    move(second)
    (line,) = second.store.db.conn.execute("SELECT op FROM quarantine").fetchall()
    assert second.store.db.conn.execute("SELECT count(*) FROM blob").fetchone() == (1,)
    quarantine.dismiss(second.store, line[0])
    move(second)
    assert second.store.db.conn.execute("SELECT count(*) FROM blob").fetchone() == (0,)


def test_after_a_restore_bytes_wait_for_their_record_to_be_given_back(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    ground = Ground(server, secretary, tmp_path)
    backup = ground.copy()
    made = attach(server, second)
    first.sync()
    ground.restore(backup)
    end_post(ground, second)
    second.store.db.conn.execute("DELETE FROM attachment")
    second.sync()
    move(second)
    assert made not in ground.rows()
    first.sync()
    move(second)
    assert fetched(first, made) == PICTURE
