"""What was deleted becomes a stub after 30 days and goes after 400, with exits; refusals go after 90."""

from collections import Counter
from typing import Any

import pytest
from litestar.testing import TestClient
from sqlalchemy import text

from servers import START, Device, Server, delete, new, patch
from sync.domain.calendar import DAY
from sync.domain.catalogue import KINDS
from sync.domain.ids import new_id
from sync.domain.merge import Row
from sync.domain.operations import Operation
from sync.domain.stubs import deleted_at, is_stub, stub_values
from sync.server import housekeeping
from sync.server.storage import purging


def purged(server: Server) -> Counter[str]:
    """What the job does now."""
    http, service = server.http, server.service
    assert isinstance(http, TestClient)

    async def job() -> Counter[str]:
        replica = service.identity.replica
        return await housekeeping.purge(service._runner, server.community, replica=replica, now=server.clock.now)

    counts: Counter[str] = http.blocking_portal.call(job)
    return +counts


def asked(server: Server, sql: str, **bound: Any) -> list[Any]:
    """What the database says."""
    found: list[Any] = server.service._runner.write_now(lambda c: c.execute(text(sql), bound).all())
    return found


def floor_of(device: Device, stream: str) -> int:
    return next(head.floor for head in device.hello().streams if head.id == stream)


@pytest.fixture
def head(server: Server, secretary: Device) -> Device:
    return server.person(secretary, "building_head", "building", "b1")


def deleted_visit(server: Server, head: Device, **fields: Any) -> Operation:
    visit = server.visit("b1-101", **fields)
    head.accepted(visit)
    head.pull()
    server.clock.now += 1000
    head.accepted(patch("visit", visit.id, note="said in confidence"))
    head.pull()
    head.accepted(delete("visit", visit.id))
    head.pull()
    return visit


def test_a_deleted_record_is_a_stub_after_thirty_days(server: Server, head: Device) -> None:
    visit = deleted_visit(server, head, outcome="met", recorded_by=head.author)
    kept = server.visit("b1-102", note="kept")
    head.accepted(kept)
    head.pull()
    before = head.hello().streams
    row = head.rows[visit.id]
    server.clock.now = deleted_at(row) + 30 * DAY - 1
    assert purged(server) == {}
    reader = head.clone()
    reader.pull()
    assert reader.rows[visit.id].values["note"] == "said in confidence"
    server.clock.now += 1
    assert purged(server) == {"blanked": 1}
    assert purged(server) == {}
    assert head.hello().streams == before  # no position, no other check
    first = head.clone()
    first.pull()
    assert visit.id not in first.rows  # whoever begins is spared it
    second = head.clone()
    second.hello()
    stream = row.stream
    second.cursors = {stream: 1}
    second.pull()
    stub = second.rows[visit.id]
    assert stub.deleted
    assert (stub.clock, stub.clocks) == (row.clock, row.clocks)
    assert stub.values == stub_values(row)
    assert stub.values["note"] == ""
    assert stub.values["household_id"] == server.places["b1-101"]
    assert second.rows[kept.id].values["note"] == "kept"
    history = asked(server, "SELECT fields FROM history WHERE id = :id", id=visit.id)
    assert [line.fields for line in history] == ["{}"] * 3
    # Who was away for a month and writes on is not lost, and nothing breaks.
    head.rows[visit.id] = row
    head.accepted(patch("visit", visit.id, note="more"))


def test_every_trace_goes_after_four_hundred_days(server: Server, head: Device) -> None:
    visit = deleted_visit(server, head)
    row = head.rows[visit.id]
    head.accepted(server.visit("b1-102"))
    head.pull()
    seq = asked(server, "SELECT seq FROM record WHERE id = :id", id=visit.id)[0].seq
    tallies = [(stream.rows, stream.sum) for stream in head.hello().streams]
    server.clock.now = deleted_at(row) + 400 * DAY
    assert purged(server) == {"blanked": 1}
    assert floor_of(head, row.stream) == seq
    assert purged(server) == {}  # a day between the floor and the end: no page that is under way misses it
    server.clock.now += DAY
    assert purged(server) == {"removed": 1}
    assert floor_of(head, row.stream) == seq
    assert asked(server, "SELECT id FROM record WHERE id = :id", id=visit.id) == []
    assert asked(server, "SELECT id FROM history WHERE id = :id", id=visit.id) == []
    assert [(stream.rows, stream.sum) for stream in head.hello().streams] == tallies
    below = head.clone()
    below.hello()
    below.cursors = {row.stream: 1}
    below.pull()  # served all the same: the client sees that it is below the floor
    assert below.cursors[row.stream] >= seq
    assert head.refused(patch("visit", visit.id, note="x")) == [(0, "unknown_record", "")]


@pytest.mark.parametrize("state", ["settled", "open"])
def test_what_a_settled_conflict_kept_of_a_stub_goes_too(server: Server, head: Device, state: str) -> None:
    household = server.places["b1-102"]
    other = head.clone()
    for device in (head, other):
        device.pull()
    head.accepted(patch("household", household, contact_phone="13800000001"))
    server.clock.now += 1000
    other.accepted(patch("household", household, contact_phone="13900000002"))
    head.pull()
    server.clock.now += 1000
    head.accepted(delete("household", household))
    head.pull()
    conflicts = head.of_kind("conflict")
    assert conflicts
    if state == "settled":
        head.accepted(*(patch("conflict", row.id, state="settled", settled_by=head.author) for row in conflicts))
    server.clock.now += 30 * DAY
    expected = {"blanked": 1, "conflicts": len(conflicts)} if state == "settled" else {"blanked": 1}
    assert purged(server) == expected
    assert purged(server) == {}
    head.pull()
    assert {row.deleted for row in head.of_kind("conflict")} == {state == "settled"}
    server.clock.now += 30 * DAY
    assert purged(server) == ({"blanked": len(conflicts)} if state == "settled" else {})
    if state == "settled":
        kept = asked(server, "SELECT fields FROM record WHERE kind = 'conflict'")
        assert all("13800000001" not in line.fields for line in kept)


def test_exits_go_as_well(server: Server, secretary: Device) -> None:
    staff = server.person(secretary, "station_staff", "compound", "compound")
    place = {"compound_id": server.places["compound"], "household_id": None, "scope": "building"}
    here = {"building_id": server.places["b1"], "scope_id": server.places["b1"]}
    there = {"building_id": server.places["b2"], "scope_id": server.places["b2"]}
    demand = new("demand", new_id(START), **place, **here, title="灯坏了")
    staff.accepted(demand)
    staff.pull()
    server.clock.now += 1000
    moved_at = server.clock.now
    staff.accepted(patch("demand", demand.id, **place, **there))
    (left,) = asked(server, "SELECT stream, seq FROM exit")
    server.clock.now = moved_at + 400 * DAY - 1
    assert purged(server) == {}
    server.clock.now += DAY
    assert purged(server) == {}
    assert floor_of(secretary, left.stream) == left.seq
    server.clock.now += DAY
    assert purged(server) == {"exits": 1}
    assert asked(server, "SELECT * FROM exit") == []


def test_refusals_and_kept_answers_go_and_many_go_in_pieces(
    server: Server, head: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits = [server.visit("b1-101") for _ in range(7)]
    head.accepted(*visits)
    head.pull()
    head.accepted(*(delete("visit", visit.id) for visit in visits))
    head.refused(*(server.visit("b2-101") for _ in range(5)))
    monkeypatch.setattr(purging, "PIECE", 2)
    server.clock.now = START + 30 * DAY + DAY
    assert purged(server) == {"blanked": 7}
    server.clock.now = START + 90 * DAY + DAY
    assert purged(server) == {"refused": 5}
    assert asked(server, "SELECT * FROM refused") == []


def test_the_stub_of_any_record_belongs_where_the_record_did() -> None:
    for kind in KINDS.values():
        values = kind.complete({name: "2026-11-23" if name == "accepted_on" else new_id(START) for name in kind.fields})
        row = Row(new_id(START), kind.name, "", values, (1, 1), deleted=True)
        if not kind.inherits:
            assert kind.stream(row.id, stub_values(row), community="c") == kind.stream(row.id, values, community="c")
        elif kind.parent:
            assert stub_values(row)[kind.parent] == values[kind.parent]
    assert not is_stub(Row("i", "visit", "", {}, (1, 1)), now=START)
