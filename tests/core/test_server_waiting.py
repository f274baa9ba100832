"""Rows given back that cannot be placed yet burden no push that does not concern them, and none is forgotten."""

import pytest
from sqlalchemy import Connection, text

from returned import asked_back, begin_anew, greet, state, written
from servers import START, Device, Server, new
from sync.domain.calendar import day_of
from sync.domain.clock import hlc_of
from sync.domain.ids import new_id
from sync.domain.merge import Row
from sync.server.storage import waiting
from sync.server.storage.waiting import Waiting

FEW = 3


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many are looked at in one push."""
    monkeypatch.setattr(waiting, "LOOKED_AT", FEW)


def left(server: Server) -> int:
    """How many rows wait."""
    count: int = written(
        server, lambda c: c.execute(text("SELECT count(*) FROM record WHERE stream LIKE 'waiting:%'")).scalar_one()
    )
    return count


def due(server: Server) -> set[str]:
    """What the next push would look at."""

    def read(connection: Connection) -> set[str]:
        today = day_of(server.clock.now)
        return Waiting(connection, server.community, today=today).unlooked(anew=False)

    found: set[str] = written(server, read)
    return found


def lost(server: Server, device: Device, kind: str, count: int, **values: object) -> list[Row]:
    """Rows that only this device holds, given back."""
    fields = new(kind, new_id(START), **values).fields
    rows = [Row(new_id(START), kind, "", fields, (hlc_of(START), device.replica)) for _ in range(count)]
    assert len(asked_back(device, rows)) == count
    device.accepted(*(state(row) for row in rows))
    return rows


def steps(server: Server, device: Device, count: int) -> list[Row]:
    """Steps of a demand that nobody brings back."""
    return lost(server, device, "demand_event", count, demand_id=new_id(START), by=device.author, move="note")


def visits(server: Server, device: Device, building: str, count: int) -> list[Row]:
    """Visits of a building."""
    place = {"household_id": server.places[f"{building}-101"], "building_id": server.places[building]}
    return lost(server, device, "visit", count, **place, visited_on="2026-11-23")


def anew(server: Server, *devices: Device) -> None:
    server.clock.now += 60_000
    begin_anew(server)
    for device in devices:
        greet(device)


def test_what_waits_for_others_is_looked_at_once(server: Server, head: Device, staff: Device) -> None:
    anew(server, head, staff)
    visits(server, head, "b2", 2 * FEW)  # which the head may not read
    steps(server, head, 2 * FEW)
    assert left(server) == 4 * FEW
    for _ in range(3):
        staff.accepted(server.visit("b1-101"))
    assert due(server) == set()
    staff.accepted(server.visit("b1-101"))
    assert left(server) == 4 * FEW


def test_when_rights_change_all_are_let_in_though_they_are_many(
    server: Server, secretary: Device, head: Device, staff: Device
) -> None:
    anew(server, head, staff, secretary)
    steps(server, head, 2 * FEW)  # in front of the others, and stay
    mine = visits(server, head, "b2", 2 * FEW)
    staff.accepted(*(server.visit("b1-101") for _ in range(2)))
    for _ in range(3):
        staff.accepted(server.visit("b1-101"))
    assert due(server) == set()
    grant = {"account_id": head.author, "role": "building_head", "scope_kind": "building"}
    values = {**grant, "scope_id": server.places["b2"], "valid_from": "2026-01-01"}
    lost(server, secretary, "grant", 1, **values)
    for _ in range(3):
        staff.accepted(server.visit("b1-101"))
    assert left(server) == 2 * FEW
    staff.pull()
    assert {row.id for row in mine} <= staff.rows.keys()
    assert due(server) == set()


def test_children_are_let_in_with_their_parent_however_many_others_wait(
    server: Server, head: Device, staff: Device
) -> None:
    anew(server, head, staff)
    steps(server, staff, 2 * FEW)
    for _ in range(3):
        staff.accepted(server.visit("b1-101"))
    demand = Row(
        new_id(START),
        "demand",
        "",
        {
            "building_id": server.places["b1"],
            "compound_id": server.places["compound"],
            "scope": "building",
            "scope_id": server.places["b1"],
            "title": "灯",
        },
        (hlc_of(START), staff.replica),
    )
    event = {"demand_id": demand.id, "by": staff.author, "move": "note"}
    children = lost(server, staff, "demand_event", 2 * FEW, **event)
    file = {"record_kind": "demand_event", "record_id": children[0].id, "sha256": "0" * 64, "size": 1}
    (below,) = lost(server, staff, "attachment", 1, **file, media_type="image/png")
    assert left(server) == 4 * FEW + 1
    assert asked_back(staff, [demand]) == [demand.id]
    staff.accepted(state(demand))
    assert left(server) == 2 * FEW
    staff.pull()
    assert {below.id, *(child.id for child in children)} <= staff.rows.keys()
