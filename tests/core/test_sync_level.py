"""A greeting of a PC that has everything: the list of streams is named by its digest and not told twice."""

import pytest
from sqlalchemy import Connection, text

from servers import Device, Server
from stations import Station, visit
from sync import wire
from sync.server.storage.replicas import SEEN_EVERY_MS
from sync.store import portions, schema, verifying


def test_a_list_that_is_known_is_not_told_again(server: Server, secretary: Device) -> None:
    def greeted(level: str) -> wire.HelloReply:
        message = wire.Hello(
            device=secretary.replica, schema=wire.SCHEMA, app="test", time=secretary.clock.now, level=level
        )
        return secretary.ask("hello", message, wire.HelloReply)

    told = greeted("").streams
    assert told
    again = greeted(wire.digest_heads(reversed(told)))
    assert again.is_level
    assert again.streams == []
    other = greeted(wire.digest_heads(told[1:]))
    assert not other.is_level
    assert other.streams == told


def test_a_pc_in_step_asks_once_and_little_is_said(server: Server, first: Station, second: Station) -> None:
    first.sync()
    del first.line.asked[:]
    outcome = first.sync()
    assert outcome.verified
    assert first.line.asked == ["hello"]
    second.save([visit(server, second)])
    second.sync()
    assert first.sync().pulled == 1
    assert first.rows("visit") == second.rows("visit")


def test_streams_are_compared_a_few_at_a_time(
    server: Server, first: Station, second: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(verifying.compare.__kwdefaults__, "most_rows", 1)
    counted: list[int] = []
    count = verifying.tally
    monkeypatch.setattr(verifying, "tally", lambda db, streams: (counted.append(len(streams)), count(db, streams))[1])
    second.save([visit(server, second)])
    assert second.sync().verified
    counted.clear()
    outcome = first.sync(stop=lambda: bool(counted))
    assert (outcome.stopped, outcome.verified, len(counted)) == (True, False, 1)
    assert first.sync().verified
    told = first.store.db.execute("SELECT count(*) FROM cursor").fetchone()[0]
    assert len(counted) >= 2
    assert max(counted) < told
    held = first.rows("visit")
    (lost,) = first.store.db.execute("SELECT id FROM visit").fetchone()
    schema.remove(first.store.db, "visit", [lost])
    assert first.sync().verified  # each stream that differs is mended, whichever portion it is in
    assert first.rows("visit") == held


def test_a_pull_folds_the_log_in(
    server: Server, first: Station, second: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    first.sync()
    second.save([visit(server, second), visit(server, second)])
    second.sync()
    monkeypatch.setattr(portions, "FOLDED_AFTER", 2)
    folded: list[int] = []
    fold = portions.fold
    monkeypatch.setattr(portions, "fold", lambda store: (folded.append(1), fold(store))[1])
    assert first.sync().pulled == 2
    assert folded == [1]
    assert first.rows("visit") == second.rows("visit")


def test_a_replica_that_says_nothing_new_is_noted_once_an_hour(server: Server, secretary: Device) -> None:
    def noted() -> tuple[object, ...]:
        def read(connection: Connection) -> tuple[object, ...]:
            found = connection.execute(
                text("SELECT seen_at, app, schema FROM replica WHERE id = :id"), {"id": secretary.replica}
            )
            return tuple(found.one())

        return server.service._runner.write_now(read)

    def greeted(app: str) -> wire.HelloReply:
        message = wire.Hello(device=secretary.replica, schema=wire.SCHEMA, app=app, time=secretary.clock.now)
        return secretary.ask("hello", message, wire.HelloReply)

    began = secretary.clock.now
    told = greeted("1.0")
    assert noted() == (began, "1.0", wire.SCHEMA)
    secretary.clock.now += SEEN_EVERY_MS - 1
    again = greeted("1.0")
    assert noted() == (began, "1.0", wire.SCHEMA)
    assert (again.streams, again.batch, again.epoch) == (told.streams, told.batch, told.epoch)
    greeted("1.1")
    assert noted() == (secretary.clock.now, "1.1", wire.SCHEMA)
    secretary.clock.now += SEEN_EVERY_MS
    greeted("1.1")
    assert noted()[0] == secretary.clock.now
