"""Every role against every sort of record and stream: what is written, what is refused, what is read."""

import pytest
from sqlalchemy import text

from servers import START, Device, Server, new, patch
from sync import wire
from sync.domain.ids import new_id
from sync.domain.operations import Operation

ROLES = {
    "building_head": ("building", "b1"),
    "cluster_leader": ("building", "b1"),
    "grid_worker": ("grid", "grid"),
    "station_staff": ("compound", "compound"),
    "mediator": ("compound", "compound"),
    "branch_secretary": ("compound", "compound"),
    "community_secretary": ("community", ""),
    "property_manager": ("compound", "compound"),
    "auditor": ("community", ""),
}
# (role, what, where) that is accepted; everything else of the matrix is refused.
OWN = {"b1"}
GRID = {"b1", "b2"}
ALL = {"b1", "b2", "far"}
WRITES = {
    "building_head": {"visit": OWN, "resident": OWN, "care_suggestion": OWN},
    "grid_worker": {"visit": GRID, "resident": GRID, "care_suggestion": GRID, "care_pairing": GRID, "unit": GRID},
    "station_staff": {"visit": GRID, "resident": GRID, "care_suggestion": GRID, "care_pairing": GRID, "unit": GRID},
    "branch_secretary": {"visit": GRID, "resident": GRID, "care_suggestion": GRID, "unit": GRID},
    "community_secretary": {"visit": ALL, "resident": ALL, "care_suggestion": ALL, "unit": ALL, "compound": ALL},
}


def records(server: Server, author: Device, building: str) -> dict[str, Operation]:
    household = {"household_id": server.places[f"{building}-101"], "building_id": server.places[building]}
    return {
        "visit": new("visit", new_id(START), **household, visited_on="2026-11-23"),
        "resident": new("resident", new_id(START), **household, name="张三"),
        "care_suggestion": new("care_suggestion", new_id(START), **household, note="独居"),
        "care_pairing": new("care_pairing", new_id(START), **household, responsible_id=author.author),
        "unit": new("unit", new_id(START), building_id=server.places[building], label="2"),
        "compound": new("compound", new_id(START), name="x"),
        "account": new("account", new_id(START), name="x"),
        "grant": new("grant", new_id(START), account_id=author.author, role="community_secretary"),
        "conflict": Operation(
            kind="conflict",
            id=new_id(START),
            action="new",
            fields={"record_kind": "household", "record_id": household["household_id"]},
        ),
        "dispute_status": new("dispute_status", new_id(START), compound_id=server.places["compound"]),
    }


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_may_write(server: Server, secretary: Device, role: str) -> None:
    scope_kind, scope = ROLES[role]
    device = server.person(secretary, role, scope_kind, scope or server.community)
    wanted = WRITES.get(role, {})
    for building in ("b1", "b2", "far"):
        made = records(server, device, building)
        codes = {at: code for at, code, _ in device.refused(*made.values())}
        accepted = {kind for at, kind in enumerate(made) if at not in codes}
        assert accepted == {kind for kind, buildings in wanted.items() if building in buildings}, building
        assert set(codes.values()) <= {"out_of_scope", "read_only"}


READS = {
    "building_head": ({"community", "building:b1", "compound:compound"}, False),
    "cluster_leader": ({"community", "building:b1"}, False),
    "grid_worker": ({"community", "building:b1", "building:b2", "building:b1:care", "compound:compound"}, True),
    "station_staff": ({"community", "building:b1", "building:b2", "building:b1:care", "compound:compound"}, True),
    "mediator": ({"community", "compound:compound"}, True),
    "branch_secretary": ({"community", "building:b1", "building:b2", "building:b1:care", "compound:compound"}, True),
    "community_secretary": (
        {"community", "building:b1", "building:far", "building:far:care", "compound:compound"},
        True,
    ),
    "property_manager": ({"community"}, False),
    "auditor": ({"community"}, False),
}


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_may_read(server: Server, secretary: Device, role: str) -> None:
    grid = server.person(secretary, "grid_worker", "grid", "grid")
    made = records(server, grid, "b1")
    household, building = server.places["b1-101"], server.places["b1"]
    dispute = new(
        "dispute",
        new_id(START),
        compound_id=server.places["compound"],
        title="噪音",
        noticed_on="2026-11-23",
        noticed_by=grid.author,
    )
    grid.accepted(made["visit"], made["care_pairing"], dispute)
    scope_kind, scope = ROLES[role]
    device = server.person(secretary, role, scope_kind, scope or server.community)
    device.pull()
    names = {f"building:{server.places[b]}": f"building:{b}" for b in ("b1", "b2", "b3", "far")}
    names |= {f"{stream}:care": f"{name}:care" for stream, name in names.items()}
    names |= {f"compound:{server.places['compound']}": "compound:compound"}
    names |= {f"community:{server.community}": "community"}
    readable = {names.get(stream, stream) for stream in device.cursors}
    wanted, sees_disputes = READS[role]
    assert wanted <= readable
    buildings = {stream for stream in readable if stream.startswith("building:")}
    assert ("building:b1" in wanted) == ("building:b1" in buildings)
    assert ("building:far" in wanted) == ("building:far" in buildings)
    assert ("building:b1:care" in wanted or "building:far:care" in wanted) == any(
        s.endswith(":care") for s in buildings
    )
    assert (dispute.id in device.rows) == sees_disputes
    assert (household in device.rows) == (f"building:{building}" in device.cursors)
    assert (made["care_pairing"].id in device.rows) == (f"building:{building}:care" in device.cursors)


def test_a_stream_asked_for_without_the_right_stays_empty(server: Server, secretary: Device) -> None:
    head = server.person(secretary, "building_head", "building", "b1")
    head.hello()
    head.cursors = {f"building:{server.places['b2']}": 0, f"building:{server.places['b1']}:care": 0}
    reply = head.page()
    assert reply.tables == []
    assert f"building:{server.places['b2']}" not in {stream.id for stream in reply.streams}


def test_a_revoked_installation_is_told_so(server: Server, secretary: Device) -> None:
    head = server.person(secretary, "building_head", "building", "b1")
    server.service._runner.write_now(
        lambda c: c.execute(text("UPDATE installation SET revoked_at = 1 WHERE id = :id"), {"id": head.installation})
    )
    answer = head.send("hello", b"{}")
    assert (answer.status_code, answer.json()["code"]) == (403, "revoked")


def test_rights_begin_and_end_with_the_day(server: Server, secretary: Device) -> None:
    account = new_id(START)
    wish = wire.GrantWish(
        role="building_head", scope_kind="building", scope_id=server.places["b1"], valid_to="2026-11-24"
    )
    message = wire.AddPerson(by=secretary.author, account=account, name="临时", grants=[wish])
    head = server.enrol(secretary.ask("people", message, wire.AddPersonReply).code)
    head.accepted(server.visit("b1-101"))
    head.pull()
    server.clock.now += 2 * 24 * 3600 * 1000
    assert head.refused(server.visit("b1-102")) == [(0, "out_of_scope", "")]
    head.pull()
    assert head.rows == {}


def test_another_grid_changes_who_reads(server: Server, secretary: Device) -> None:
    grid = server.person(secretary, "grid_worker", "grid", "grid")
    grid.pull()
    assert server.places["b3-101"] in grid.rows
    secretary.pull()
    server.clock.now += 1000
    secretary.accepted(patch("building", server.places["b3"], grid_id=None))
    grid.pull()
    assert server.places["b3-101"] not in grid.rows
    assert grid.refused(server.visit("b3-101")) == [(0, "out_of_scope", "")]
