"""Settling conflicts: an ordinary change and the conflict's end, by whoever may change the record; both stay."""

import json
from dataclasses import replace
from typing import Any

import pytest

from servers import Server, new
from stations import Station, demand
from sync.domain import conflicts as verb
from sync.domain.fields import Policy
from sync.domain.kinds.notes import Conflict
from sync.domain.operations import Operation, delete, patch
from sync.domain.stubs import stub_values
from sync.errors import AccessError, RuleError
from sync.store import access, conflicts, schema
from sync.store.conflicts import Open
from world import World


def value(world: World, kind: str, record_id: str, field: str) -> Any:
    """What stands in the file."""
    return world.store.db.conn.execute(f'SELECT "{field}" FROM "{kind}" WHERE id = ?', (record_id,)).fetchone()[0]


def put(
    world: World, kind: str, record_id: str, register: str, kept: dict[str, Any], lost: dict[str, Any], **other: object
) -> str:
    """A conflict as the server would have written it."""
    conflict_id = world.ids(world.clock())
    values = {
        "record_kind": kind,
        "record_id": record_id,
        "register": register,
        "kept": json.dumps(kept, ensure_ascii=False),
        "lost": json.dumps(lost, ensure_ascii=False),
        "kept_by": world.id("grid"),
        "lost_by": world.id("head3"),
        "kept_at": world.clock(),
        "lost_at": world.clock() - 60_000,
        **other,
    }
    world.store.seed([Operation(kind="conflict", id=conflict_id, action="new", fields=values)])
    return conflict_id


def phone(world: World, door: str = "b3:201") -> str:
    """Two numbers of one door; the stored one is in use."""
    kept = value(world, "household", world.id(door), "contact_phone")
    return put(
        world,
        "household",
        world.id(door),
        "contact_phone",
        {"contact_phone": kept},
        {"contact_phone": "13700006612"},
    )


def seen(world: World, name: str, *, settled: bool = False) -> tuple[Open, ...]:
    return conflicts.open_conflicts(world.store.db, world.viewer(name), settled=settled)


def settle(world: World, name: str, conflict_id: str, choice: str, **more: Any) -> None:
    conflicts.settle(world.store, world.id(name), conflict_id, choice, **more)


def test_both_numbers_are_masked_and_shown_when_asked_for(world: World) -> None:
    conflict_id = phone(world)
    (one,) = seen(world, "head3")
    assert (one.kind, one.label, one.household_id) == ("household", "Phone", world.id("b3:201"))
    assert one.place.startswith("3-1-201")
    assert (one.kept.by, one.kept.is_mine, one.lost.is_mine) == ("张磊", False, True)
    assert one.lost.cells[0].value == "137****6612"
    assert (one.in_use, one.choices, one.is_masked, one.now) == (verb.KEPT, (verb.KEPT, verb.LOST), True, None)
    assert access.readings(world.store.db, world.viewer("head3")) == ()
    kept, lost, now = conflicts.reveal(world.store, world.id("head3"), conflict_id)
    assert (kept, lost) == (now, "13700006612")
    (look,) = access.readings(world.store.db, world.viewer("head3"))
    assert (look.kind, look.id, look.field) == ("household", world.id("b3:201"), "contact_phone")


@pytest.mark.parametrize(("choice", "number"), [(verb.KEPT, ""), (verb.LOST, "13700006612")])
def test_a_choice_is_an_ordinary_change_and_the_end(world: World, choice: str, number: str) -> None:
    conflict_id, door = phone(world), world.id("b3:201")
    before = value(world, "household", door, "contact_phone")
    settle(world, "head3", conflict_id, choice)
    assert value(world, "household", door, "contact_phone") == (number or before)
    written = world.store.db.conn.execute("SELECT kind, action FROM outbox ORDER BY op").fetchall()
    assert written == [("household", "patch"), ("conflict", "patch")]
    assert seen(world, "head3") == ()
    (done,) = seen(world, "grid", settled=True)
    assert (done.is_settled, done.settled_by) == (True, "王秀兰")
    # The other version is still there, and can be taken after all.
    with pytest.raises(RuleError, match="settled_already"):
        settle(world, "grid", conflict_id, verb.LOST)
    settle(world, "grid", conflict_id, verb.LOST, again=True)
    assert value(world, "household", door, "contact_phone") == "13700006612"


def test_a_head_sees_the_own_building_only_and_a_stranger_settles_nothing(world: World) -> None:
    conflict_id = phone(world)
    assert seen(world, "head1") == seen(world, "mediator") == ()
    assert len(seen(world, "staff")) == 1
    for name in ("head1", "mediator"):
        with pytest.raises(RuleError, match="unknown_record"):
            settle(world, name, conflict_id, verb.LOST)
        with pytest.raises(RuleError, match="unknown_record"):
            conflicts.reveal(world.store, world.id(name), conflict_id)
    with pytest.raises(RuleError, match="unknown_record"):
        settle(world, "staff", world.id("nothing"), verb.LOST)
    with pytest.raises(AccessError):
        world.save("head1", [patch("conflict", conflict_id, state="settled")])


def note(world: World, **more: object) -> str:
    visit = new(
        "visit",
        world.ids(world.clock()),
        household_id=world.id("b3:201"),
        building_id=world.id("b3"),
        visited_on="2026-11-23",
        note="灯坏了",
        recorded_by=world.id("grid"),
    )
    world.store.seed([visit])
    return put(world, "visit", visit.id, "note", {"note": "灯坏了"}, {"note": "水管漏"}, **more)


def test_texts_can_be_written_into_one(world: World) -> None:
    conflict_id = note(world)
    (one,) = seen(world, "grid")
    assert one.choices == (verb.KEPT, verb.LOST, verb.JOINED)
    for text, code in (("  ", "required"), ("长" * 2001, "too_long")):
        with pytest.raises(RuleError, match=code):
            settle(world, "grid", conflict_id, verb.JOINED, text=text)
    settle(world, "grid", conflict_id, verb.JOINED, text=" 灯坏了，水管漏 ")
    assert value(world, "visit", one.record_id, "note") == "灯坏了，水管漏"


def test_what_others_said_at_the_door_is_not_shown_to_a_head(world: World) -> None:
    note(world)
    assert seen(world, "head3") == ()


def test_what_was_written_meanwhile_can_stand(world: World) -> None:
    conflict_id, door = phone(world), world.id("b3:201")
    world.save("grid", [patch("household", door, contact_phone="13911112222")])
    (one,) = seen(world, "grid")
    assert one.now is not None
    assert (one.in_use, one.choices) == (verb.NOW, (verb.KEPT, verb.LOST, verb.NOW))
    assert one.now.cells[0].value == "139****2222"
    settle(world, "grid", conflict_id, verb.NOW)
    assert value(world, "household", door, "contact_phone") == "13911112222"
    with pytest.raises(RuleError, match="unknown_choice"):
        settle(world, "grid", conflict_id, verb.JOINED, again=True)


def test_fields_of_a_group_are_named_one_by_one(world: World) -> None:
    made = new(
        "demand",
        world.ids(world.clock()),
        building_id=world.id("b3"),
        compound_id=world.id("compound"),
        household_id=world.id("b3:201"),
        scope_id=world.id("b3:201"),
        title="漏水",
        reported_at=world.clock(),
        recorded_by=world.id("grid"),
    )
    world.store.seed([made])
    place = {
        "building_id": world.id("b3"),
        "compound_id": world.id("compound"),
        "household_id": world.id("b3:201"),
        "scope": "household",
        "scope_id": world.id("b3:201"),
    }
    other = {**place, "household_id": None, "scope": "building", "scope_id": world.id("b3")}
    put(world, "demand", made.id, "place", place, other)
    (one,) = seen(world, "grid")
    assert [(cell.name, cell.names) for cell in one.kept.cells] == [("household_id", ("3-1-201",)), ("scope", None)]
    assert one.lost.cells[0].names == ()
    settle(world, "grid", one.conflict_id, verb.LOST)
    assert value(world, "demand", made.id, "scope") == "building"


def test_a_step_is_not_chosen_like_a_field(world: World) -> None:
    made = new(
        "dispute",
        world.ids(world.clock()),
        compound_id=world.id("compound"),
        title="噪音",
        noticed_on="2026-11-23",
        noticed_by=world.id("head3"),
    )
    world.store.seed([made])
    flow: dict[str, Any] = {"state": "noticed", "mediator_ids": [], "handler_id": None}
    other = {**flow, "state": "registered", "mediator_ids": [world.id("mediator")], "handler_id": world.id("staff")}
    conflict_id = put(world, "dispute", made.id, "flow", flow, other)
    (one,) = seen(world, "head3")
    assert (one.choices, one.title) == ((verb.SEEN,), "噪音")
    named = {cell.name: cell.names for cell in one.lost.cells}
    assert named == {"state": None, "mediator_ids": ("高志远",), "handler_id": ("刘敏",)}
    settle(world, "head3", conflict_id, verb.SEEN)
    assert value(world, "dispute", made.id, "state") == "noticed"
    assert seen(world, "head3") == ()


def gone(world: World) -> tuple[str, str]:
    """A person whom one deleted while the other changed the phone."""
    person = world.id("b3:201:resident")
    world.store.seed([delete("resident", person)])
    lost = {"phone": "13700006612", "building_id": world.id("b3"), "of_tomorrow": 1}
    return person, put(world, "resident", person, "deleted", {"deleted": True}, lost)


def test_a_deleted_record_comes_back_with_what_was_written(world: World) -> None:
    person, conflict_id = gone(world)
    (one,) = seen(world, "head3")
    assert (one.label, one.kind_label, one.in_use, one.title) == ("Resident", "Resident", verb.KEPT, "杨帆")
    assert [cell.name for cell in one.lost.cells] == ["phone", "building_id"]
    settle(world, "head3", conflict_id, verb.LOST)
    assert value(world, "resident", person, "phone") == "13700006612"
    assert value(world, "resident", person, "deleted") == 0
    (done,) = seen(world, "head3", settled=True)
    assert done.in_use == verb.LOST


def test_a_deleted_record_can_stay_deleted(world: World) -> None:
    person, conflict_id = gone(world)
    settle(world, "head3", conflict_id, verb.KEPT)
    assert value(world, "resident", person, "deleted") == 1
    assert seen(world, "head3") == ()


def test_what_has_been_blanked_cannot_come_back(world: World) -> None:
    person, conflict_id = gone(world)
    row = schema.load_one(world.store.db, "resident", person)
    assert row is not None
    schema.put(world.store.db, [replace(row, values=stub_values(row))])
    (one,) = seen(world, "head3")
    assert one.choices == (verb.KEPT,)
    settle(world, "head3", conflict_id, verb.KEPT)
    assert seen(world, "head3") == ()
    assert world.store.db.conn.execute("SELECT count(*) FROM outbox").fetchone() == (1,)


def test_a_conflict_of_a_blanked_record_or_of_another_program_is_no_trap() -> None:
    note = Conflict(id="c", record_kind="household", record_id="h", register="contact_phone", kept="{", lost="[]")
    facts = verb.ConflictFacts(note, {"contact_phone": "1"}, is_gone=True)
    assert verb.offered(facts) == (verb.SEEN,)
    assert verb.version("{") == verb.version("[]") == {}
    assert verb.in_use(facts) == verb.NOW
    assert Policy.REVIEW  # the only policy that raises conflicts


def test_conflicts_of_unknown_kinds_and_registers_are_left_for_a_newer_program(world: World) -> None:
    put(world, "household", world.id("b3:201"), "moonlight", {}, {})
    world.store.seed([delete("resident", world.id("b3:202:resident"))])
    put(world, "resident", world.id("b3:202:resident"), "name", {"name": "a"}, {"name": "b"})
    assert seen(world, "grid") == ()


def test_two_pcs_meet_and_one_person_settles(server: Server, first: Station, second: Station) -> None:
    made = demand(server, first)
    first.save([made])
    first.sync()
    second.sync()
    server.clock.now += 1000
    first.save([patch("demand", made.id, title="三楼漏水")])
    server.clock.now += 1000
    second.save([patch("demand", made.id, title="楼顶漏水")])
    first.sync()
    assert second.sync().conflicts == 1
    first.sync()
    (one,) = conflicts.open_conflicts(first.store.db, first.store.viewer(first.account))
    assert (one.title, one.kept.by, one.lost.is_mine) == ("楼顶漏水", "王秀兰", True)
    server.clock.now += 1000
    conflicts.settle(first.store, first.account, one.conflict_id, verb.LOST)
    assert first.sync().refused == 0
    assert second.sync().pulled == 2
    (title,) = second.store.db.conn.execute("SELECT title FROM demand").fetchone()
    assert title == "三楼漏水"
    assert conflicts.open_conflicts(second.store.db, second.store.viewer(second.account)) == ()
    with pytest.raises(RuleError, match="settled_already"):
        conflicts.settle(second.store, second.account, one.conflict_id, verb.KEPT)


def test_ones_own_conflicts_are_not_hidden_behind_those_of_others(world: World) -> None:
    mine = phone(world)
    world.clock.forward(days=1)
    visit = world.ids(world.clock())
    fields = {"household_id": world.id("b3:201"), "building_id": world.id("b3"), "recorded_by": world.id("grid")}
    world.store.seed([new("visit", visit, **fields)])
    for number in range(conflicts.SHOWN + 1):  # about what a colleague wrote down, which a head does not see
        put(world, "visit", visit, "note", {"note": "a"}, {"note": f"b{number}"})
    assert [one.conflict_id for one in seen(world, "head3")] == [mine]
    assert conflicts.count(world.store.db, world.viewer("head3")) == 1
    assert conflicts.count(world.store.db, world.viewer("grid")) == conflicts.SHOWN
