"""One pushed batch: exactly once, refused one by one, merged by field, in gapless positions."""

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from servers import START, Device, Server, delete, new, patch
from sync import wire
from sync.domain.ids import derived_id, new_id
from sync.domain.operations import Operation
from sync.server.storage.culprits import without_culprits


def head_of(server: Server, secretary: Device, building: str = "b1") -> Device:
    return server.person(secretary, "building_head", "building", building)


def test_visits_pushed_are_pulled_by_another_device(server: Server, secretary: Device) -> None:
    head = head_of(server, secretary)
    reply = head.accepted(server.visit("b1-101", outcome="met", note="一切都好 𬱖"))
    stream = f"building:{server.places['b1']}"
    first, last = reply.ranges[stream]
    assert first == last
    other = head.clone()
    other.pull()
    (row,) = other.of_kind("visit")
    assert row.values["note"] == "一切都好 𬱖"
    assert row.stream == stream
    assert row.values["time_band"] == "morning"  # a default of the kind
    assert len(other.of_kind("household")) == 2


def test_the_same_batch_again_gets_the_same_bytes_and_changes_nothing(server: Server, secretary: Device) -> None:
    head = head_of(server, secretary)
    head.hello()
    body = head.body([head.stamped(server.visit("b1-101")), head.stamped(server.visit("b2-101"))])
    first = head.send("push", body)
    assert [refusal.op for refusal in wire.decode(first.content, type_=wire.PushReply).refused] == [1]
    heads = head.hello().streams
    again = head.send("push", wire.compress(body, encoding="zstd"), encoding="zstd")
    assert again.content == first.content
    assert head.hello().streams == heads
    assert head.hello().digest == wire.digest_batch(body)


def test_another_batch_under_the_same_number_is_a_fork(server: Server, secretary: Device) -> None:
    head = head_of(server, secretary)
    head.accepted(server.visit("b1-101"))
    head.batch -= 1
    answer = head.send("push", head.body([head.stamped(server.visit("b1-102"))]))
    assert (answer.status_code, answer.json()["code"]) == (409, "forked")
    head.batch = 7
    assert head.send("push", head.body([])).json()["code"] == "forked"


def test_a_replica_of_another_installation_is_a_fork(server: Server, secretary: Device) -> None:
    head, thief = head_of(server, secretary), head_of(server, secretary)
    head.hello()
    thief.hello()
    thief.replica = head.replica
    message = wire.Hello(device=head.replica, schema=1, app="", time=0)
    assert thief.send("hello", wire.encode(message)).json()["code"] == "forked"
    assert thief.send("push", thief.body([])).json()["code"] == "forked"


def test_another_epoch_is_told(server: Server, secretary: Device) -> None:
    secretary.epoch = "before-the-restore"
    answer = secretary.send("push", secretary.body([]))
    assert (answer.status_code, answer.json()["code"]) == (409, "epoch")
    message = wire.Pull(device=secretary.replica, epoch="x", schema=1, streams={})
    assert secretary.send("pull", wire.encode(message)).json()["code"] == "epoch"


def test_a_clock_far_ahead_is_answered_before_anything_is_applied(server: Server, secretary: Device) -> None:
    head = head_of(server, secretary)
    head.hello()
    early, late = head.stamped(server.visit("b1-101")), head.stamped(server.visit("b1-102"))
    late = msgspec.structs.replace(late, hlc=late.hlc + (6 * 60_000 << 16))
    answer = head.send("push", head.body([early, late]))
    assert answer.status_code == 409
    assert answer.json() == {"code": "clock", "params": {"time": START}}
    head.pull()
    assert head.of_kind("visit") == []


def test_refused_operations_leave_the_others_applied(server: Server, secretary: Device) -> None:
    head = head_of(server, secretary)
    places = server.places
    lost = new_id(START)
    good = [server.visit("b1-101"), server.visit("b1-102")]
    bad = [
        (server.visit("b2-101"), "out_of_scope", ""),
        (server.visit("b1-101", outcome="cheerful"), "invalid", "outcome"),
        (server.visit("b1-101", note="好" * 2001), "too_large", "note"),
        (server.visit("b1-101", building_id=places["b2"]), "invalid", "building_id"),
        (server.visit("b1-101", household_id=lost), "parent_missing", "household_id"),
        (server.visit("b1-101", mood="good"), "schema", "mood"),
        (server.visit("b1-101", note="a\0b"), "bad_text", "note"),
        (server.visit("b1-101", note="e\u0301"), "bad_text", "note"),
        (server.visit("b1-101", visitor_ids=[head.author, "e\u0301"]), "bad_text", "visitor_ids"),
        (server.visit("b1-101", reasons=["好" * 200] * 500), "too_large", ""),
        (new("shoe", new_id(START), size=44), "schema", ""),
        (new("visit", "not-a-uuid", household_id=places["b1-101"]), "invalid", "id"),
        (patch("visit", lost, note="x"), "unknown_record", ""),
        (new("account", new_id(START), name="me"), "read_only", "name"),
        (new("building", new_id(START), compound_id=places["compound"], name="x"), "read_only", ""),
        (new("demand_event", new_id(START), demand_id=lost), "parent_missing", "demand_id"),
        (Operation(kind="visit", id=new_id(START), action="state", fields={}), "invalid", ""),
    ]
    mixed = [good[0], *(operation for operation, _, _ in bad), good[1]]
    expected = [(at, code, field) for at, (_, code, field) in enumerate(bad, 1)]
    assert head.refused(*mixed) == expected
    head.pull()
    assert {row.id for row in head.of_kind("visit")} == {visit.id for visit in good}


def test_an_operation_has_256_kib_at_the_most(server: Server, secretary: Device) -> None:
    head = head_of(server, secretary)
    head.hello()
    bare = head.stamped(server.visit("b1-101", reasons=[], note=""))
    around = len(msgspec.json.encode(bare))

    def with_size(size: int) -> Operation:
        items, rest = divmod(size - around + 1, 153)  # 150 letters, two quotes and a comma
        fields = {**bare.fields, "reasons": ["x" * 150] * items, "note": "x" * rest}
        visit = msgspec.structs.replace(bare, id=new_id(START), fields=fields)
        assert len(msgspec.json.encode(visit)) == size
        return visit

    limit = wire.LIMITS.operation_bytes
    small, whole, more = server.visit("b1-102"), with_size(limit), with_size(limit + 1)
    assert head.refused(small, more, whole) == [(1, "too_large", "")]
    many = {f"register{n}": (1, 1) for n in range(20_000)}
    head.pull()
    change = head.stamped(patch("visit", small.id, note="x"))
    assert head.refused(msgspec.structs.replace(change, prev={**change.prev, **many})) == [(0, "too_large", "")]
    head.pull()
    assert {row.id for row in head.of_kind("visit")} == {small.id, whole.id}
    assert head.rows[small.id].values["note"] == ""


def test_an_operation_for_somebody_elses_account_is_refused(server: Server, secretary: Device) -> None:
    head, other = head_of(server, secretary), head_of(server, secretary, "b2")
    assert head.refused(server.visit("b1-101"), author=other.author) == [(0, "out_of_scope", "")]
    # The secretary may write there, but does not work at the head's PC.
    assert head.refused(server.visit("b1-101"), author=secretary.author) == [(0, "out_of_scope", "")]
    assert head.refused(server.visit("b2-101"), author=secretary.author) == [(0, "out_of_scope", "")]
    assert secretary.pull()
    assert secretary.of_kind("visit") == []


def test_a_record_is_moved_only_to_where_its_author_may_write(server: Server, secretary: Device) -> None:
    head = head_of(server, secretary)
    made = demand_at(server, "b1-101")
    head.accepted(made)
    head.pull()
    place = {"building_id": server.places["b2"], "household_id": server.places["b2-101"]}
    moved = patch("demand", made.id, **place, scope_id=server.places["b2-101"])
    assert head.refused(moved) == [(0, "out_of_scope", "")]
    place = {"building_id": server.places["b1"], "household_id": server.places["b1-102"]}
    head.accepted(patch("demand", made.id, **place, scope_id=server.places["b1-102"]))
    secretary.pull()
    (row,) = secretary.of_kind("demand")
    assert row.stream == f"building:{server.places['b1']}"


def test_a_write_past_the_positions_is_noticed(server: Server, secretary: Device) -> None:
    """Every test with a server asks it of all that the server writes: see tests/support/servers.py."""
    secretary.accepted(server.visit("b1-101"))
    with pytest.raises(AssertionError, match="past its positions"):
        server.service._runner.write_now(lambda c: c.execute(text("UPDATE record SET deleted = deleted")))


def test_patches_merge_by_field_and_say_who_lost(server: Server, secretary: Device) -> None:
    one, two = head_of(server, secretary), head_of(server, secretary)
    household = server.places["b1-101"]
    one.pull()
    two.pull()
    one.accepted(patch("household", household, contact_phone="13800000001"))
    server.clock.now += 1000
    reply = two.push(
        patch("household", household, contact_phone="13900000002"), patch("household", household, contact_name="张三")
    )
    assert [(conflict.op, conflict.register) for conflict in reply.conflicts] == [(0, "contact_phone")]
    assert reply.refused == []
    one.pull()
    row = one.rows[household]
    assert (row.values["contact_phone"], row.values["contact_name"]) == ("13900000002", "张三")
    (conflict,) = one.of_kind("conflict")
    values = conflict.values
    assert conflict.stream == f"building:{server.places['b1']}"
    assert (values["kept"], values["lost"]) == ('{"contact_phone":"13900000002"}', '{"contact_phone":"13800000001"}')
    assert (values["kept_by"], values["lost_by"]) == (two.author, one.author)
    assert one.refused(patch("conflict", conflict.id, state="settled", settled_by=one.author)) == []


def test_an_older_write_that_comes_late_loses_and_is_kept(server: Server, secretary: Device) -> None:
    one, two = head_of(server, secretary), head_of(server, secretary)
    household = server.places["b1-101"]
    one.pull()
    two.pull()
    early = two.stamped(patch("household", household, contact_phone="1"))
    server.clock.now += 1000
    one.accepted(patch("household", household, contact_phone="2"))
    reply = two.accepted(early)
    assert [conflict.register for conflict in reply.conflicts] == ["contact_phone"]
    one.pull()
    assert one.rows[household].values["contact_phone"] == "2"
    (conflict,) = one.of_kind("conflict")
    assert conflict.values["lost_by"] == two.author


def test_what_was_seen_is_replaced_without_conflict(server: Server, secretary: Device) -> None:
    one, two = head_of(server, secretary), head_of(server, secretary)
    household = server.places["b1-101"]
    one.pull()
    one.accepted(patch("household", household, contact_phone="1"))
    server.clock.now += 1000
    two.pull()
    assert two.accepted(patch("household", household, contact_phone="2")).conflicts == []


def test_deleting_marks_and_keeps(server: Server, secretary: Device) -> None:
    head = head_of(server, secretary)
    visit = server.visit("b1-101", note="x")
    head.accepted(visit)
    head.pull()
    server.clock.now += 1
    head.accepted(delete("visit", visit.id))
    head.pull()
    assert head.rows[visit.id].deleted
    assert head.rows[visit.id].values["note"] == "x"


def test_fields_fixed_at_creation_or_by_the_server_are_not_patched(server: Server, secretary: Device) -> None:
    head = head_of(server, secretary)
    visit = server.visit("b1-101")
    demand = demand_at(server, "b1-101")
    head.accepted(visit, demand)
    head.pull()
    server.clock.now += 1
    assert head.refused(
        patch("visit", visit.id, household_id=server.places["b1-102"]),
        patch("demand", demand.id, demand_no="1"),
        patch("visit", visit.id, household_id=server.places["b1-101"], note="same"),
    ) == [(0, "read_only", "household_id"), (1, "read_only", "demand_no")]


def test_positions_are_gapless_and_the_servers_own_come_last(server: Server, secretary: Device) -> None:
    head = head_of(server, secretary)
    stream = f"building:{server.places['b1']}"
    before = {s.id: s.head for s in head.hello().streams}[stream]
    reply = head.accepted(demand_at(server, "b1-101"), server.visit("b1-101"), server.visit("b1-102"))
    # The demand got its number from the server: the device steps over the visits only.
    assert reply.ranges == {stream: (before + 1, before + 2)}
    after = {s.id: s.head for s in head.hello().streams}[stream]
    assert after == before + 3


def test_a_demand_gets_its_number(server: Server, secretary: Device) -> None:
    head = head_of(server, secretary)
    head.accepted(demand_at(server, "b1-101"), demand_at(server, "b1-102"))
    head.pull()
    numbers = sorted(row.values["demand_no"] for row in head.of_kind("demand"))
    assert [number[:11] for number in numbers] == ["01720261123"] * 2
    assert [number[13:] for number in numbers] == ["001", "002"]
    server.clock.now += 1000
    head.accepted(demand_at(server, "b1-102"))
    head.pull()
    assert max(row.values["demand_no"] for row in head.of_kind("demand")).endswith("003")


def test_children_follow_a_demand_to_another_building(server: Server, secretary: Device) -> None:
    staff = server.person(secretary, "station_staff", "compound", "compound")
    head = head_of(server, secretary)
    demand = demand_at(server, "b1-101")
    event = new("demand_event", new_id(START), demand_id=demand.id, at=START, by=staff.author, move="create")
    detail = new("demand_detail", new_id(START), demand_id=demand.id, building_id=server.places["b1"], title="细节")
    staff.accepted(demand, event, detail)
    staff.pull()
    head.pull()
    assert {demand.id, event.id} <= head.rows.keys()
    server.clock.now += 1000
    place = {
        "building_id": server.places["b2"],
        "compound_id": server.places["compound"],
        "household_id": server.places["b2-101"],
        "scope": "household",
        "scope_id": server.places["b2-101"],
    }
    reply = staff.accepted(patch("demand", demand.id, **place))
    assert reply.ranges == {}  # new in that stream: it may hold what the device never saw
    staff.pull()
    head.pull()
    there = f"building:{server.places['b2']}"
    assert [staff.rows[one.id].stream for one in (demand, event, detail)] == [there, there, f"{there}:care"]
    assert staff.rows[detail.id].values["building_id"] == server.places["b2"]
    assert not {demand.id, event.id} & head.rows.keys()
    late = new("demand_detail", new_id(START), demand_id=demand.id, building_id=server.places["b1"], title="离线写的")
    staff.accepted(late)
    staff.pull()
    assert staff.rows[late.id].stream == f"{there}:care"


def test_places_made_in_the_same_batch_count(server: Server, secretary: Device) -> None:
    compound, building, household = (new_id(START) for _ in range(3))
    secretary.accepted(
        new("compound", compound, name="新区"),
        new("building", building, compound_id=compound, name="1号楼"),
        new("household", household, building_id=building, room_no="101"),
        new("visit", new_id(START), household_id=household, building_id=building, visited_on="2026-11-23"),
    )
    secretary.pull()
    assert len(secretary.of_kind("visit")) == 1


def test_care_visits_fall_due_without_a_reason(server: Server, secretary: Device) -> None:
    grid = server.person(secretary, "grid_worker", "grid", "grid")
    head = head_of(server, secretary)
    pairing = new(
        "care_pairing",
        new_id(START),
        household_id=server.places["b1-101"],
        building_id=server.places["b1"],
        level="A",
        responsible_id=grid.author,
        since="2026-11-20",
    )
    grid.accepted(pairing)
    head.pull()
    due = derived_id("care_due", server.places["b1-101"])
    assert head.rows[due].values["due_on"] == "2026-11-20"
    assert head.of_kind("care_pairing") == []
    server.clock.now += 1000
    head.accepted(server.visit("b1-101", outcome="met"))
    head.pull()
    assert head.rows[due].values["due_on"] == "2026-11-30"
    server.clock.now += 1000
    grid.pull()
    grid.accepted(patch("care_pairing", pairing.id, until="2026-11-22"))
    head.pull()
    assert head.rows[due].values["due_on"] is None


def test_an_accepted_dispute_leaves_its_noticer_with_the_state_only(server: Server, secretary: Device) -> None:
    head = head_of(server, secretary)
    staff = server.person(secretary, "station_staff", "compound", "compound")
    mediator = server.person(secretary, "mediator", "compound", "compound")
    dispute = new(
        "dispute",
        new_id(START),
        compound_id=server.places["compound"],
        title="楼道堆物",
        noticed_on="2026-11-23",
        noticed_by=head.author,
        category="02",
    )
    head.accepted(dispute)
    staff.pull()
    server.clock.now += 1000
    staff.accepted(patch("dispute", dispute.id, state="registered", handler_id=None, state_before="noticed"))
    mediator.pull()
    server.clock.now += 1000
    mediator.accepted(
        patch(
            "dispute",
            dispute.id,
            state="accepted",
            state_before="registered",
            mediator_ids=[mediator.author],
            accepted_on="2026-11-23",
            due_on="2026-12-23",
        )
    )
    for device in (head, staff, mediator):
        device.pull()
    assert dispute.id not in head.rows
    assert dispute.id not in staff.rows
    assert mediator.rows[dispute.id].stream == f"case:{dispute.id}"
    (status,) = head.of_kind("dispute_status")
    assert (status.values["state"], status.values["due_on"]) == ("accepted", "2026-12-23")
    server.clock.now += 1000
    mediator.accepted(
        patch("dispute", dispute.id, state="mediating", state_before="accepted"),
        new("dispute_event", new_id(START), dispute_id=dispute.id, at=START, by=mediator.author, move="begin"),
    )
    head.pull()
    assert head.of_kind("dispute_status")[0].values["state"] == "mediating"
    assert head.of_kind("dispute_event") == []


def test_what_the_database_refuses_is_found_by_halves() -> None:
    bad = {3, 6}

    def attempt(poison: frozenset[int]) -> frozenset[int]:
        if bad - poison:
            raise IntegrityError("insert", {}, Exception("no"))
        return poison

    assert without_culprits(_Undoable(), 8, attempt) == frozenset(bad)  # type: ignore[arg-type]


class _Undoable:
    """As much of a connection as savepoints need."""

    def begin_nested(self) -> "_Undoable":
        return self

    def __enter__(self) -> "_Undoable":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def rollback(self) -> None:
        return None


def demand_at(server: Server, household: str, **fields: object) -> Operation:
    building = household.partition("-")[0]
    values = {
        "building_id": server.places[building],
        "compound_id": server.places["compound"],
        "household_id": server.places[household],
        "scope": "household",
        "scope_id": server.places[household],
        "category": "01",
        "title": "漏水",
        "reported_at": START,
        **fields,
    }
    return new("demand", new_id(START), **values)
