"""What a PC gives back after a restore may not overwrite what is here, unless its people could change it by hand."""

import json

import pytest

from returned import asked_back, backup, begin_anew, give_back, greet, restore, state
from servers import Device, Server, new, patch
from sync.domain.catalogue import KINDS
from sync.domain.clock import hlc_of
from sync.domain.ids import new_id, new_replica
from sync.domain.merge import Row
from sync.domain.operations import Operation

MINUTE = 60_000


def asked(device: Device, row: Row) -> None:
    """The server wants this row of the device, whose check is another one."""
    assert asked_back(device, [Row(row.id, row.kind, row.stream, row.values, (1, 1))]) == [row.id]


def demand_of(server: Server, by: Device) -> str:
    """A demand of the first building; its id."""
    place = {"building_id": server.places["b1"], "compound_id": server.places["compound"], "household_id": None}
    made = new("demand", new_id(server.clock.now), **place, scope="building", scope_id=server.places["b1"], title="灯")
    by.accepted(made)
    return made.id


def conflicts(reader: Device, record_id: str) -> list[tuple[str, str]]:
    """What there is to decide about a record: register and state."""
    reader.pull()
    found = [row.values for row in reader.of_kind("conflict") if row.values["record_id"] == record_id]
    return sorted((values["register"], values["state"]) for values in found)


def forged(row: Row, **fields: object) -> Operation:
    """The row as somebody would like it to have been, a moment before the restore."""
    return state(
        row, fields={**row.values, **fields, "deleted": row.deleted}, hlc=row.largest_clock()[0] + 1, clocks={}
    )


def restored(server: Server, *devices: Device) -> None:
    """Everybody has everything, and the server begins another life with all of it."""
    for device in devices:
        device.pull()
    server.clock.now += MINUTE
    begin_anew(server)
    for device in devices:
        greet(device)


def test_a_reader_overwrites_nothing_that_it_may_not_write(
    server: Server, secretary: Device, head: Device, staff: Device
) -> None:
    visit, demand = server.visit("b1-101", note="真的", recorded_by=staff.author), demand_of(server, staff)
    staff.accepted(visit)
    restored(server, head, staff)
    leader = server.person(secretary, "cluster_leader", "building", "b1")
    leader.pull()
    for device, record_id, fields, kept in (
        (leader, visit.id, {"note": "假的"}, [("note", "open")]),
        (head, visit.id, {"recorded_by": head.author}, [("note", "open")]),
        (head, demand, {"demand_no": "X-1"}, []),
        (head, demand, {"state": "archived", "evaluation": "satisfied"}, [("flow", "open")]),
    ):
        row = device.rows[record_id]
        asked(device, row)
        reply = device.push(forged(row, **fields))
        is_fixed = not fields.keys().isdisjoint({"recorded_by", "demand_no"})
        assert [refusal.code for refusal in reply.refused] == (["read_only"] if is_fixed else [])
        assert len(reply.conflicts) == (0 if is_fixed else 1)
        assert conflicts(staff, record_id) == kept
        assert staff.rows[record_id].values == row.values
    (note,) = [row.values for row in staff.of_kind("conflict") if row.values["record_id"] == visit.id]
    assert json.loads(note["lost"]) == {"note": "假的"}
    # A building may be changed by the station alone, and there is nothing to decide.
    building = head.rows[server.places["b1"]]
    asked(head, building)
    assert [code for _, code, _ in head.refused(forged(building, name="改名"))] == ["read_only"]


@pytest.mark.parametrize("by", ["replica", "time"])
def test_what_cannot_have_been_does_not_win(server: Server, staff: Device, by: str) -> None:
    visit = server.visit("b1-101", note="真的")
    staff.accepted(visit)
    restored(server, staff)
    row = staff.rows[visit.id]
    changed = state(row, fields={**row.values, "note": "假的", "deleted": False}, clocks={})
    asked(staff, row)
    staff.accepted(
        state(row, fields=changed.fields, hlc=row.clock[0] + 1, device=new_replica())
        if by == "replica"
        else state(row, fields=changed.fields, hlc=hlc_of(server.clock.now + MINUTE))
    )
    assert conflicts(staff, visit.id) == [("note", "open")]
    assert staff.rows[visit.id] == row


def test_what_was_told_first_by_who_may_not_is_settled_by_who_may(
    server: Server, secretary: Device, staff: Device
) -> None:
    leader = server.person(secretary, "cluster_leader", "building", "b1")
    demand, visit = demand_of(server, staff), server.visit("b1-101", note="before")
    staff.accepted(visit)
    staff.pull()
    kept = backup(server)
    server.clock.now += MINUTE
    flow = {name: staff.rows[demand].values[name] for name in KINDS["demand"].registers["flow"]}
    flow |= {"state": "accepted", "state_before": flow["state"], "handler_id": staff.author}
    staff.accepted(patch("visit", visit.id, note="after"), patch("demand", demand, **flow))
    for device in (leader, staff):
        device.pull()
    held = {record_id: staff.rows[record_id] for record_id in (demand, visit.id)}
    restore(server, kept)
    server.clock.now += MINUTE
    begin_anew(server)
    greet(leader)
    assert set(give_back(leader)) == {demand, visit.id}
    assert conflicts(leader, demand) == [("flow", "open")]
    assert conflicts(leader, visit.id) == [("note", "open")]
    assert leader.rows[visit.id].values["note"] == "before"
    greet(staff)
    assert set(give_back(staff, rows=held)) == {demand, visit.id}
    for record_id, register in ((demand, "flow"), (visit.id, "note")):
        assert conflicts(staff, record_id) == [(register, "settled")]
        assert staff.rows[record_id] == held[record_id]
