"""Bytes of attached files outlive what can go wrong: a server killed or restored, rights that end, a deletion."""

import pytest

from pictures import CHECKSUM, PICTURE, attach, fetched, kept, move, part_of
from servers import Server
from stations import Station
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
