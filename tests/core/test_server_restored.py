"""A server restored from its backup: it notices, begins another epoch, and gets back what its devices hold."""

import logging
import random
from string import ascii_uppercase
from typing import Any

import pytest
from sqlalchemy import text

from returned import asked_back, backup, begin_anew, give_back, greet, restore, state, written
from servers import START, Device, Server, delete, new, patch
from sync import wire
from sync.domain.calendar import DAY
from sync.domain.catalogue import KINDS
from sync.domain.clock import FUTURE_LIMIT_MS, hlc_of
from sync.domain.ids import new_id
from sync.domain.merge import Row
from sync.domain.operations import DELETED
from sync.server.storage import epochs
from sync.server.storage.replicas import tag_of

MINUTE = 60_000


@pytest.mark.parametrize("by", ["batch", "cursor"])
def test_a_device_that_is_ahead_makes_the_server_begin_anew_once(
    server: Server, head: Device, staff: Device, caplog: pytest.LogCaptureFixture, by: str
) -> None:
    kept = backup(server)
    before = head.epoch
    for device in (head, staff):
        device.accepted(server.visit("b1-101"))
    assert greet(head, batch=1) == before
    head.pull()
    staff.pull()
    assert greet(head, batch=1) == before  # nobody is ahead
    restore(server, kept)
    caplog.set_level(logging.INFO, "sync.server")
    if by == "batch":
        head.cursors = {}
    fresh = greet(head, batch=1 if by == "batch" else 0)
    assert fresh != before
    (alarm,) = [line.numbers for line in caplog.records if line.msg == "alarm"]
    assert alarm["installation"] == head.installation
    assert alarm["epoch"] == fresh
    assert greet(staff, batch=1) == fresh  # it brings the old epoch: told, and no third one begun
    assert greet(head, batch=head.batch) == fresh
    assert greet(staff, batch=staff.batch) == fresh
    found = written(server, epochs.current)
    assert (found.id, found.parent, found.since) == (fresh, before, server.clock.now)


def test_of_several_that_notice_at_once_the_first_begins(server: Server, secretary: Device) -> None:
    before = written(server, epochs.current)
    assert before.parent == ""
    first = written(server, lambda c: epochs.begin_anew(c, now=START, after=before.id))
    assert written(server, lambda c: epochs.begin_anew(c, now=START, after=before.id)) == first
    assert first.parent == before.id


def test_what_was_lost_comes_back_as_it_was(server: Server, head: Device, staff: Device) -> None:
    old = server.visit("b1-101", note="before")
    head.accepted(old)
    head.pull()
    staff.pull()
    kept = backup(server)
    server.clock.now += 60_000
    lost = [server.visit("b1-101", note="lost"), server.visit("b1-102")]
    head.accepted(*lost, patch("visit", old.id, note="changed since"))
    head.pull()
    server.clock.now += 60_000
    head.accepted(patch("visit", lost[0].id, outcome="met"), delete("visit", lost[1].id))
    head.pull()
    held = dict(head.rows)
    restore(server, kept)
    server.clock.now += 60_000
    begin_anew(server)
    assert head.send("push", head.body([])).json()["code"] == "epoch"
    greet(head)
    greet(staff)
    assert asked_back(staff, staff.rows.values()) == []
    assert sorted(give_back(head)) == sorted([*(visit.id for visit in lost), old.id])
    assert give_back(head) == []
    for reader in (head, staff):
        reader.rows = {}
        reader.pull()
        assert {row.id: row for row in reader.of_kind("visit")} == {
            row.id: row for row in held.values() if row.kind == "visit"
        }
    entries = written(
        server,
        lambda c: c.execute(
            text("SELECT hlc, dev, author, given_by FROM history WHERE id = :id ORDER BY hlc"), {"id": lost[0].id}
        ).all(),
    )
    assert [tuple(entry) for entry in entries] == [
        (*clock, "", head.installation) for clock in sorted({held[lost[0].id].clock_of(r) for r in ("note", "outcome")})
    ]


def test_nothing_is_wanted_unless_the_server_was_restored(server: Server, head: Device) -> None:
    unknown = Row(new_id(START), "visit", "", {}, (1, 1))
    assert asked_back(head, [unknown]) == []
    assert head.refused(state(unknown)) == [(0, "invalid", "")]
    begin_anew(server)
    greet(head)
    assert asked_back(head, [unknown]) == [unknown.id]


def test_digests_that_cannot_be_are_refused(server: Server, head: Device, staff: Device) -> None:
    begin_anew(server)
    greet(head)

    def answer(**changed: Any) -> tuple[int, str]:
        told: dict[str, Any] = {"device": head.replica, "epoch": head.epoch, "schema": 2, "id": [], "check": []}
        reply = head.send("digests", wire.encode(wire.Digests(**{**told, **changed})))
        return reply.status_code, reply.json().get("code", "")

    assert answer() == (200, "")
    assert answer(id=["not a record \0"], check=[1]) == (200, "")
    assert answer(epoch="another") == (409, "epoch")
    assert answer(id=["a"]) == (422, "invalid")
    assert answer(device=staff.replica) == (409, "forked")
    assert answer(device=7) == (409, "forked")


def lost_visit(server: Server, head: Device, **fields: Any) -> Row:
    """A visit that only this device holds; the server was restored, and asks for it."""
    kept = backup(server)
    visit = server.visit("b1-101", **fields)
    head.accepted(visit)
    head.pull()
    restore(server, kept)
    begin_anew(server)
    greet(head)
    assert asked_back(head, head.rows.values()) == [visit.id]
    return head.rows[visit.id]


def test_only_what_was_asked_for_is_taken_and_once(server: Server, head: Device) -> None:
    row = lost_visit(server, head)
    other = Row(new_id(START), "visit", row.stream, row.values, row.clock)
    assert head.refused(state(other), state(row)) == [(0, "invalid", "")]
    assert head.refused(state(row, clocks={"note": (row.clock[0] + 1, 1)})) == [(0, "invalid", "")]
    twin = head.clone()
    twin.hello()
    assert twin.refused(state(row)) == [(0, "invalid", "")]


def test_a_batch_of_returns_again_gets_the_same_answer(server: Server, head: Device) -> None:
    row = lost_visit(server, head)
    body = head.body([state(row)])
    first = head.send("push", body)
    assert first.status_code == 200
    assert head.send("push", body).content == first.content


def test_a_clock_of_a_time_after_the_restore_never_wins(server: Server, head: Device) -> None:
    row = lost_visit(server, head, note="true")
    late = (hlc_of(server.clock.now + FUTURE_LIMIT_MS) + 1, row.clock[1])
    server.clock.now += DAY
    for crafted in (
        state(row, hlc=late[0]),
        state(row, hlc=2**63 - 1),
    ):
        assert head.refused(crafted) == [(0, "invalid", "")]
        assert asked_back(head, [row]) == [row.id]
    clocks = {"note": late, "outcome": (2**70, 1), "nobody's": (1, 1), "visited_on": (1, -1)}
    crafted = state(row, fields={**row.values, "note": "crafted", "mood": "good"}, clocks=clocks)
    head.accepted(crafted)
    head.pull()
    here = head.rows[row.id]
    assert here.values["note"] == ""
    assert "mood" not in here.values
    assert here.clocks == {"note": (0, 0), "outcome": (0, 0), "visited_on": (0, 0), "deleted": (0, 0)}
    # Whoever holds the true ones still gives them back.
    head.rows[row.id] = row
    assert give_back(head) == [row.id]
    head.pull()
    assert head.rows[row.id].values["note"] == "true"
    assert head.rows[row.id].clock_of("note") == row.clock


def test_of_a_row_with_bad_values_the_good_ones_are_taken(server: Server, head: Device) -> None:
    row = lost_visit(server, head, note="good", outcome="met")
    bad = {"outcome": "cheerful", "visited_on": "2026-02-31", "time_band": "morning\0", "recorded_by": "no id"}
    assert head.refused(state(row, fields={**row.values, **bad}), new("shoe", new_id(START))) == [(1, "schema", "")]
    head.pull()
    here = head.rows[row.id]
    assert (here.values["note"], here.values["outcome"]) == ("good", KINDS["visit"].defaults["outcome"])
    assert here.clock_of("note") == row.clock
    assert here.clock_of("outcome") == (0, 0)


def test_the_larger_clock_wins_register_by_register(server: Server, head: Device, staff: Device) -> None:
    visit = server.visit("b1-101", note="first")
    head.accepted(visit)
    for device in (head, staff):
        device.pull()
    kept = backup(server)
    server.clock.now += 1000
    head.accepted(patch("visit", visit.id, note="lost by the server"))
    head.pull()
    restore(server, kept)
    begin_anew(server)
    server.clock.now += 1000
    greet(staff)
    staff.accepted(patch("visit", visit.id, outcome="met"))
    greet(head)
    assert give_back(head) == [visit.id]
    staff.pull()
    here = staff.rows[visit.id]
    assert (here.values["note"], here.values["outcome"]) == ("lost by the server", "met")
    # An old state changes nothing, and takes no position.
    heads = head.hello().streams
    old = Row(visit.id, "visit", here.stream, {**here.values, "note": "older"}, here.clock)
    assert asked_back(head, [old]) == [visit.id]
    head.accepted(state(old))
    assert head.hello().streams == heads


def test_only_what_may_be_read_is_given_back(server: Server, secretary: Device, head: Device, staff: Device) -> None:
    elsewhere = server.visit("b2-101", note="theirs")
    staff.accepted(elsewhere)
    staff.pull()
    begin_anew(server)
    greet(head)
    row = staff.rows[elsewhere.id]
    changed = Row(row.id, row.kind, row.stream, {**row.values, "note": "mine"}, row.clock, {"note": (5, 5)})
    assert asked_back(head, [changed]) == []
    assert head.refused(state(changed)) == [(0, "invalid", "")]
    # A row of a building of one's own cannot be sent to another's either, nor one of another kind take its place.
    mine = server.visit("b1-101")
    head.accepted(mine)
    head.pull()
    here = head.rows[mine.id]
    away = {"household_id": server.places["b2-101"], "building_id": server.places["b2"]}
    later = dict.fromkeys(("household_id", "building_id", "place"), (here.clock[0], here.clock[1] + 1))
    moved = Row(here.id, here.kind, here.stream, {**here.values, **away}, here.clock, later)
    assert asked_back(head, [moved]) == [mine.id]
    assert head.refused(state(moved)) == [(0, "out_of_scope", "")]
    assert asked_back(head, [moved]) == [mine.id]
    resident = Row(here.id, "resident", here.stream, {"household_id": server.places["b1-101"]}, here.clock)
    assert head.refused(state(resident)) == [(0, "invalid", "id")]


def test_nobody_grants_himself_what_was_lost(server: Server, secretary: Device, head: Device) -> None:
    secretary.pull()
    kept = backup(server)
    server.person(secretary, "grid_worker", "grid", "grid")
    secretary.pull()
    grants = [row for row in secretary.rows.values() if row.kind in ("grant", "account")]
    restore(server, kept)
    begin_anew(server)
    greet(head)
    greet(secretary)
    claim = Row(
        new_id(START),
        "grant",
        "",
        {
            "account_id": head.author,
            "role": "community_secretary",
            "scope_kind": "community",
            "scope_id": server.community,
        },
        (hlc_of(START), 1),
    )
    assert asked_back(head, [claim]) == [claim.id]
    assert head.refused(state(claim)) == [(0, "read_only", "")]
    assert len(give_back(secretary, rows={row.id: row for row in grants})) == 2


def test_children_and_their_parents_come_in_any_order(server: Server, secretary: Device, staff: Device) -> None:
    kept = backup(server)
    place = {"building_id": server.places["b1"], "compound_id": server.places["compound"], "household_id": None}
    demand = new("demand", new_id(START), **place, scope="building", scope_id=server.places["b1"], title="灯坏了")
    step = new("demand_event", new_id(START), demand_id=demand.id, by=staff.author, move="note")
    staff.accepted(demand, step)
    staff.pull()
    held = dict(staff.rows)
    assert held[demand.id].values["demand_no"]
    restore(server, kept)
    begin_anew(server)
    greet(staff)
    assert set(asked_back(staff, held.values())) == {demand.id, step.id}
    staff.accepted(state(held[step.id]))
    staff.rows = {}
    staff.pull()
    assert step.id not in staff.rows
    staff.accepted(state(held[demand.id]))
    staff.pull()
    assert staff.rows[demand.id] == held[demand.id]  # with its number
    assert staff.rows[step.id] == held[step.id]
    # In one batch the order does not matter at all.
    restore(server, kept)
    begin_anew(server)
    greet(staff)
    asked_back(staff, held.values())
    staff.accepted(state(held[step.id]), state(held[demand.id]))
    staff.rows = {}
    staff.pull()
    assert {demand.id, step.id} <= staff.rows.keys()


def test_who_pushes_meanwhile_decides_nothing_for_what_waits(server: Server, head: Device, staff: Device) -> None:
    kept = backup(server)
    place = {"building_id": server.places["b2"], "compound_id": server.places["compound"], "household_id": None}
    demand = new("demand", new_id(START), **place, scope="building", scope_id=server.places["b2"], title="灯坏了")
    step = new("demand_event", new_id(START), demand_id=demand.id, by=staff.author, move="note")
    staff.accepted(demand, step)
    staff.pull()
    held = dict(staff.rows)
    restore(server, kept)
    begin_anew(server)
    for device in (staff, head):
        greet(device)
    # The head may not read that building: what the head gives of it waits, and goes no further.
    claim = Row(new_id(START), "demand_event", "", {**held[step.id].values, "note": "claimed"}, held[step.id].clock)
    assert asked_back(head, [claim]) == [claim.id]
    head.accepted(state(claim))
    assert set(asked_back(staff, held.values())) == {demand.id, step.id}
    staff.accepted(state(held[step.id]))
    head.accepted(server.visit("b1-101"))
    staff.accepted(state(held[demand.id]))
    staff.rows = {}
    staff.pull()
    assert staff.rows[step.id] == held[step.id]
    assert claim.id not in staff.rows


def test_rows_of_a_building_that_was_lost_wait_for_it(server: Server, secretary: Device, staff: Device) -> None:
    kept = backup(server)
    building, household = new_id(START), new_id(START)
    secretary.accepted(
        new("building", building, compound_id=server.places["compound"], grid_id=server.places["grid"], name="b9"),
        new("household", household, building_id=building, room_no="101", slot=1),
    )
    secretary.pull()
    staff.pull()
    assert household in staff.rows
    held = dict(staff.rows)
    restore(server, kept)
    begin_anew(server)
    greet(staff)
    greet(secretary)
    head = server.person(secretary, "building_head", "building", "b1")
    greet(head)
    assert set(asked_back(head, [held[household], held[building]])) == {building, household}
    assert head.refused(state(held[household]), state(held[building])) == [(1, "read_only", "")]
    secretary.pull()
    assert household not in secretary.rows or secretary.rows[household].clock != held[household].clock
    assert set(give_back(staff, rows={one: held[one] for one in (building, household)})) == {building, household}
    staff.rows = {}
    staff.pull()
    assert staff.rows[household] == held[household]
    assert staff.rows[building] == held[building]


def test_what_the_server_wrote_itself_comes_back_too(server: Server, head: Device, staff: Device) -> None:
    household = server.places["b1-101"]
    for device in (head, staff):
        device.pull()
    kept = backup(server)
    head.accepted(patch("household", household, contact_phone="13800000001"))
    server.clock.now += 1000
    staff.accepted(patch("household", household, contact_phone="13900000002"))
    head.pull()
    conflicts = head.of_kind("conflict")
    assert conflicts
    held = dict(head.rows)
    restore(server, kept)
    begin_anew(server)
    greet(head)
    assert {household, *(row.id for row in conflicts)} <= set(give_back(head, rows=held))
    head.rows = {}
    head.pull()
    assert [row for row in head.rows.values() if row.kind == "conflict"] == conflicts
    assert head.rows[household] == held[household]


def test_a_move_that_was_lost_is_made_again(server: Server, secretary: Device, staff: Device) -> None:
    place = {"compound_id": server.places["compound"], "household_id": None, "scope": "building"}
    here = {"building_id": server.places["b1"], "scope_id": server.places["b1"]}
    there = {"building_id": server.places["b2"], "scope_id": server.places["b2"]}
    demand = new("demand", new_id(START), **place, **here, title="灯坏了")
    step = new("demand_event", new_id(START), demand_id=demand.id, by=staff.author, move="note")
    staff.accepted(demand, step)
    one = server.person(secretary, "building_head", "building", "b1")
    two = server.person(secretary, "building_head", "building", "b2")
    for device in (staff, one, two):
        device.pull()
    kept = backup(server)
    server.clock.now += 1000
    staff.accepted(patch("demand", demand.id, **place, **there))
    staff.pull()
    held = dict(staff.rows)
    restore(server, kept)
    begin_anew(server)
    for device in (staff, one, two):
        greet(device)
    assert demand.id in one.rows
    assert set(give_back(staff)) >= {demand.id}
    for device in (staff, one, two):
        device.pull()
    assert staff.rows[demand.id] == held[demand.id]
    assert {demand.id, step.id} <= two.rows.keys()
    assert not {demand.id, step.id} & one.rows.keys()


def test_nothing_comes_back_that_was_purged_everywhere(server: Server, head: Device) -> None:
    row = lost_visit(server, head)
    deleted = Row(row.id, row.kind, row.stream, row.values, row.clock, row.clocks, deleted=True)
    server.clock.now += 401 * DAY
    heads = head.hello().streams
    head.accepted(state(deleted))
    assert head.hello().streams == heads
    assert asked_back(head, [row]) == [row.id]


def test_the_epoch_is_read_from_the_database_each_time(server: Server, head: Device) -> None:
    made = begin_anew(server)
    assert head.hello().epoch == made.id
    assert head.accepted(server.visit("b1-101")).refused == []


def test_numbers_of_lost_demands_are_not_given_again(server: Server, staff: Device) -> None:
    def made() -> str:
        place = {"building_id": server.places["b1"], "compound_id": server.places["compound"], "household_id": None}
        demand = new(
            "demand", new_id(START), **place, scope="building", scope_id=server.places["b1"], title=f"灯{new_id(START)}"
        )
        staff.accepted(demand)
        staff.pull()
        number: str = staff.rows[demand.id].values["demand_no"]
        return number

    kept = backup(server)
    given = [made(), made()]
    for _ in range(2):  # the same backup twice on one day
        held = dict(staff.rows)
        server.clock.now += MINUTE
        restore(server, kept)
        begin_anew(server)
        greet(staff)
        given += [made(), made()]
        give_back(staff, rows=held)
        staff.pull()
        assert sorted(row.values["demand_no"] for row in staff.of_kind("demand")) == sorted(given)
    assert [int(number[13:]) for number in given] == [1, 2, 71001, 71002, 72001, 72002]
    assert len(set(given)) == 6
    server.clock.now += DAY
    assert made()[13:] == "001"


def test_no_two_replicas_number_alike() -> None:
    tags = [tag_of(count) for count in range(60_000)]
    assert tags[:2] + tags[31:33] + tags[1023:1026] == ["00", "01", "0Z", "10", "ZZ", "00A", "01A"]
    assert len(set(tags)) == len(tags)
    # Whatever the serial, its digits begin where the characters end: no two pairs make one number.
    assert all(not tag[2:].strip(ascii_uppercase) for tag in tags)
    serials = (1, 10, 999, 1000, 10_001, 1_449_999)
    numbers = {f"{tag}{serial:03}" for tag in tags[:3_000] for serial in serials}
    assert len(numbers) == 3_000 * len(serials)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_held_by_anybody_is_there_again(
    server: Server, secretary: Device, head: Device, staff: Device, seed: int
) -> None:
    chance = random.Random(seed)
    other = server.person(secretary, "building_head", "building", "b2")
    devices = [head, staff, other, secretary]
    work(server, devices, chance, rounds=6)
    kept = backup(server)
    work(server, devices, chance, rounds=10)
    held = [dict(device.rows) for device in devices]
    restore(server, kept)
    server.clock.now += 1000
    begin_anew(server)
    for device in devices:
        greet(device)
    waiting = [
        (device, record_id, rows)
        for device, rows in zip(devices, held, strict=True)
        for record_id in asked_back(device, rows.values())
    ]
    chance.shuffle(waiting)
    while waiting:
        device = chance.choice(waiting)[0]
        some = [one for one in waiting if one[0] is device][: chance.randrange(1, 9)]
        waiting = [one for one in waiting if one not in some]
        device.accepted(*(state(rows[record_id]) for _, record_id, rows in some))
        if chance.random() < 0.2:
            device.accepted(server.visit("b2-101" if device is other else "b1-101"))
    reader = secretary.clone()
    reader.pull()
    for rows in held:
        for row in rows.values():
            if row.stream not in reader.cursors:
                continue
            here = reader.rows[row.id]
            for register in KINDS[row.kind].registers:
                assert here.clock_of(register) >= row.clock_of(register)
                if here.clock_of(register) == row.clock_of(register):
                    assert here.register(KINDS[row.kind], register) == row.register(KINDS[row.kind], register)
    found = written(server, lambda c: c.execute(text("SELECT id FROM record WHERE stream LIKE 'waiting:%'")).all())
    assert found == []


def work(server: Server, devices: list[Device], chance: random.Random, *, rounds: int) -> None:
    """Visits, demands with steps and moves between buildings, changes and deletions, by everybody."""
    for _ in range(rounds):
        server.clock.now += 1000
        device = chance.choice(devices)
        device.pull()
        own = "b2" if device is devices[2] else "b1"
        place = {"compound_id": server.places["compound"], "household_id": None, "scope": "building"}
        there = server.places[chance.choice(["b1", "b2", "b3"]) if device in (devices[1], devices[3]) else own]
        at = {**place, "building_id": there, "scope_id": there}
        demand = new("demand", new_id(server.clock.now), title="灯", recorded_by=device.author, **at)
        step = new("demand_event", new_id(server.clock.now), demand_id=demand.id, by=device.author, move="note")
        wishes = [server.visit(f"{own}-101", note="a"), server.visit(f"{own}-102"), demand, step]
        for row in chance.sample(sorted(device.rows.values(), key=lambda row: row.id), min(6, len(device.rows))):
            if row.kind == "visit":
                wishes.append(patch("visit", row.id, note=str(chance.random())))
            elif row.kind == "demand":
                wishes.append(patch("demand", row.id, **(at if chance.random() < 0.5 else {DELETED: True})))
            elif row.kind == "household":
                wishes.append(patch("household", row.id, contact_phone=str(chance.randrange(10**10))))
        device.push(*wishes)
        chance.choice(devices).pull()
    for device in devices:
        device.pull()
