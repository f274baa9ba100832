"""How far each record has come, for many records at once: here, on its way, sent, refused, two versions."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.domain.operations import Operation, new, patch
from sync.store import conflicts, deciding, outbox, record_states, refused
from sync.store.record_states import RecordState
from sync.store.standing import standing
from world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A PC that is joined to a server."""
    made = World(tmp_path)
    made.store.set_state(installation_id="pc")
    yield made
    made.close()


def state(world: World, kind: str, record_id: str, *, name: str = "staff") -> str:
    return record_states.states(world.store.db, world.viewer(name), kind, [record_id])[record_id]


def send(world: World) -> int:
    batch = outbox.take_batch(world.store, lambda ops, number: b"some")
    assert batch is not None
    return batch.number


def phone(world: World, number: str) -> Operation:
    return patch("household", world.id("b3:201"), contact_phone=number)


def test_a_record_goes_from_here_to_the_server(world: World) -> None:
    door = world.id("b3:201")
    assert state(world, "household", door) == RecordState.SENT
    world.save("staff", [phone(world, "13800001111")])
    assert state(world, "household", door) == RecordState.HERE
    number = send(world)
    assert state(world, "household", door) == RecordState.SENDING
    world.clock.forward(minutes=1)
    world.save("staff", [phone(world, "13800002222")])
    assert state(world, "household", door) == RecordState.HERE  # the later change has not gone yet
    outbox.settle(world.store, outbox.Reply(number))
    assert state(world, "household", door) == RecordState.HERE
    outbox.settle(world.store, outbox.Reply(send(world)))
    assert state(world, "household", door) == RecordState.SENT


def test_what_was_refused_is_seen_by_its_author_and_its_readers(world: World) -> None:
    world.save("staff", [phone(world, "13800001111")])
    outbox.settle(world.store, outbox.Reply(send(world), (outbox.Refusal(0, "invalid"),)))
    door = world.id("b3:201")
    assert state(world, "household", door) == state(world, "household", door, name="head3") == RecordState.REFUSED
    assert state(world, "household", door, name="head1") == RecordState.SENT
    (item,) = refused.items(world.store.db, world.viewer("staff"))
    refused.dismiss(world.store, item.ops)
    assert state(world, "household", door) == RecordState.SENT


def conflict(world: World, kind: str, record_id: str, register: str) -> str:
    conflict_id = world.ids(world.clock())
    values = {
        "record_kind": kind,
        "record_id": record_id,
        "register": register,
        "kept": json.dumps({register: "1"}),
        "lost": json.dumps({register: "2"}),
    }
    world.store.seed([Operation(kind="conflict", id=conflict_id, action="new", fields=values)])
    return conflict_id


def test_two_versions_of_a_part_are_the_records_own(world: World) -> None:
    conflict_id = conflict(world, "resident", world.id("b3:201:resident"), "phone")
    door = world.id("b3:201")
    assert state(world, "household", door) == RecordState.CONFLICT
    assert state(world, "household", door, name="mediator") == RecordState.SENT  # nothing to decide there
    conflicts.settle(world.store, world.id("staff"), conflict_id, "kept")
    assert state(world, "household", door) == RecordState.HERE
    assert not deciding.is_for(world.store.db, world.viewer("staff"), world.id("nothing"))


def test_steps_belong_to_their_matter(world: World) -> None:
    made = new(
        "demand",
        world.ids(world.clock()),
        building_id=world.id("b3"),
        compound_id=world.id("compound"),
        household_id=world.id("b3:201"),
        scope_id=world.id("b3:201"),
        title="漏水",
        reported_at=world.clock(),
        recorded_by=world.id("staff"),
    )
    world.store.seed([made])
    event = new("demand_event", world.ids(world.clock()), demand_id=made.id, at=1, move="note", by=world.id("staff"))
    world.save("staff", [event])
    assert state(world, "demand", made.id) == RecordState.HERE


@pytest.mark.parametrize("kind", ["visit", "resident"])
def test_what_was_made_for_a_household_shows_on_it_also_when_it_is_refused(world: World, kind: str) -> None:
    door = world.id("b3:201")
    place = {"household_id": door, "building_id": world.id("b3")}
    fields = {
        "visit": {"visited_on": "2026-11-23", "visitor_ids": [world.id("staff")], "recorded_by": world.id("staff")},
        "resident": {"name": "王芳"},
    }
    made = new(kind, world.ids(world.clock()), **place, **fields[kind])
    world.save("staff", [made])
    assert state(world, "household", door) == RecordState.HERE
    assert state(world, "household", world.id("b3:202")) == RecordState.SENT
    number = send(world)
    assert state(world, "household", door) == RecordState.SENDING
    outbox.settle(world.store, outbox.Reply(number, (outbox.Refusal(0, "invalid"),)))
    assert world.store.db.conn.execute(f"SELECT 1 FROM {kind} WHERE id = ?", (made.id,)).fetchone() is None
    assert state(world, "household", door) == state(world, "household", door, name="head3") == RecordState.REFUSED
    assert state(world, "household", door, name="head1") == RecordState.SENT
    (item,) = refused.items(world.store.db, world.viewer("staff"))
    refused.dismiss(world.store, item.ops)
    assert state(world, "household", door) == RecordState.SENT


def test_two_versions_of_a_visit_show_on_its_household(world: World) -> None:
    door = world.id("b3:201")
    place = {"household_id": door, "building_id": world.id("b3"), "visited_on": "2026-11-23"}
    made = new(
        "visit", world.ids(world.clock()), **place, visitor_ids=[world.id("staff")], recorded_by=world.id("staff")
    )
    world.store.seed([made])
    assert state(world, "household", door) == RecordState.SENT
    conflict(world, "visit", made.id, "note")
    assert state(world, "household", door) == RecordState.CONFLICT


def test_without_a_server_there_is_nothing_to_tell(world: World) -> None:
    viewer = world.viewer("staff")
    assert record_states.states(world.store.db, viewer, "household", []) == {}
    world.store.set_state(installation_id="")
    assert record_states.states(world.store.db, viewer, "household", [world.id("b3:201")]) == {}


def test_many_records_cost_as_many_statements_as_one(world: World) -> None:
    viewer = world.viewer("staff")
    asked: list[str] = []
    ids = [row[0] for row in world.store.db.conn.execute("SELECT id FROM household")]
    world.store.db.conn.set_trace_callback(asked.append)
    record_states.states(world.store.db, viewer, "household", ids[:1])
    one = len(asked)
    asked.clear()
    record_states.states(world.store.db, viewer, "household", ids)
    world.store.db.conn.set_trace_callback(None)
    assert len(asked) == one


def test_how_the_pc_stands_is_told_in_a_few_numbers(world: World) -> None:
    world.save("staff", [phone(world, "13800001111")])
    reader = world.reader()
    now = standing(reader, world.id("staff"))
    assert (now.unsent, now.refused, now.to_decide) == (1, 0, 0)
    assert (now.synced_at, now.clock_offset, now.is_enrolled) == (0, 0, True)
    outbox.settle(world.store, outbox.Reply(send(world), (outbox.Refusal(0, "invalid"),)))
    assert (standing(reader, world.id("staff")).unsent, standing(reader, world.id("staff")).refused) == (0, 1)
    conflict(world, "household", world.id("b3:202"), "contact_phone")
    assert standing(reader, world.id("staff")).to_decide == 1
    assert standing(reader, world.id("head1")).to_decide == standing(reader, "").to_decide == 0
    reader.close()
