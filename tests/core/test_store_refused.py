"""Refused operations as work items: what they are about and where, for the one who made them and the station."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sync import wire
from sync.domain.operations import Operation, new, patch
from sync.store import drafts, outbox, refused
from sync.store.outbox import Refusal, Reply
from world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def refuse(world: World, name: str, operations: Sequence[Operation], code: str = "invalid") -> None:
    world.save(name, operations)
    batch = outbox.take_batch(world.store, lambda ops, number: wire.encode_operations(ops).__repr__().encode())
    assert batch is not None
    outbox.settle(world.store, Reply(batch.number, tuple(Refusal(place, code) for place in range(batch.count))))


def items(world: World, name: str) -> tuple[refused.Item, ...]:
    return refused.items(world.store.db, world.viewer(name))


def visit(world: World, note: str) -> Operation:
    return new(
        "visit",
        world.ids(world.clock()),
        household_id=world.id("b3:201"),
        building_id=world.id("b3"),
        visited_on="2026-11-23",
        visitor_ids=[world.as_("head3")],
        note=note,
        recorded_by=world.as_("head3"),
    )


def test_a_new_record_names_its_household_and_what_was_typed(world: World) -> None:
    refuse(world, "head3", [visit(world, "暖气不热")])
    (mine,) = items(world, "head3")
    assert (mine.kind, mine.household_id, mine.record_id) == ("visit", world.id("b3:201"), "")
    assert "暖气不热" in dict(mine.content).values()
    (seen,) = items(world, "grid")
    assert seen.content == ()  # what was typed is its author's
    assert items(world, "head1") == ()


def test_a_change_finds_its_household_through_the_record(world: World) -> None:
    saved = visit(world, "第一次")
    world.save("head3", [saved])
    batch = outbox.take_batch(world.store, lambda ops, number: b"first")
    assert batch is not None
    outbox.settle(world.store, Reply(batch.number))
    refuse(world, "head3", [patch("visit", saved.id, note="第二次")])
    (item,) = items(world, "head3")
    assert (item.household_id, item.record_id) == (world.id("b3:201"), saved.id)
    assert item.place


def test_a_household_is_its_own_place_and_a_building_has_none(world: World) -> None:
    refuse(world, "staff", [patch("household", world.id("b3:201"), contact_phone="13800001111")])
    world.clock.forward(minutes=1)
    refuse(world, "staff", [patch("building", world.id("b3"), property_company="益民物业")])
    building, household = items(world, "staff")
    assert (household.household_id, household.record_id) == (world.id("b3:201"), world.id("b3:201"))
    assert "138****1111" in dict(household.content).values()
    assert (building.household_id, building.place) == ("", "")


def test_a_record_that_is_gone_leads_nowhere(world: World) -> None:
    saved = visit(world, "第一次")
    world.save("head3", [saved])
    world.clock.forward(minutes=1)
    world.save("head3", [patch("visit", saved.id, note="第二次")])
    batch = outbox.take_batch(world.store, lambda ops, number: b"both")
    assert batch is not None
    outbox.settle(world.store, Reply(batch.number, (Refusal(0, "invalid"), Refusal(1, "unknown_record"))))
    change = next(item for item in items(world, "head3") if item.code == "unknown_record")
    assert (change.household_id, change.record_id, change.place) == ("", "", "")


def refuse_one(world: World, name: str, operations: Sequence[Operation], *refusals: Refusal) -> None:
    """The server takes all but these."""
    world.save(name, operations)
    batch = outbox.take_batch(world.store, lambda ops, number: b"some")
    assert batch is not None
    outbox.settle(world.store, Reply(batch.number, refusals))


def demand(world: World, **fields: object) -> Operation:
    values = {
        "building_id": world.id("b3"),
        "compound_id": world.id("compound"),
        "household_id": world.id("b3:201"),
        "scope_id": world.id("b3:201"),
        "title": "楼道灯",
        "reported_at": world.clock(),
        "recorded_by": world.id("staff"),
        **fields,
    }
    return new("demand", world.ids(world.clock()), **values)


def test_what_was_saved_at_once_is_one_piece_of_work(world: World) -> None:
    made = demand(world)
    world.store.seed([made])
    event = new("demand_event", world.ids(world.clock()), demand_id=made.id, at=world.clock(), move="dispatch")
    step = patch("demand", made.id, state="dispatched", partner_id=world.id("property"))
    refuse_one(
        world, "staff", [event, step], Refusal(0, "parent_missing"), Refusal(1, "invalid", "partner_id", "顺达物业")
    )
    (item,) = items(world, "staff")
    assert (item.kind, item.code, item.field, item.text) == ("demand", "invalid", "partner_id", "顺达物业")
    assert (item.title, len(item.ops), len(item.operations)) == ("楼道灯", 2, 2)
    assert refused.count(world.store.db) == 1
    (seen,) = items(world, "grid")
    assert (seen.is_mine, seen.operations) == (False, ())
    assert refused.retry(world.store, item.ops)
    assert items(world, "staff") == ()
    assert outbox.pending_counts(world.store.db).waiting == 2


def test_a_deed_can_be_put_aside_exported_and_given_up(world: World) -> None:
    refuse(world, "head3", [visit(world, "暖气不热")])
    (item,) = items(world, "head3")
    refused.put_aside(world.store, item.ops)
    assert refused.count(world.store.db) == 0
    (aside,) = items(world, "head3")
    assert aside.is_aside
    refused.put_aside(world.store, item.ops, aside=False)
    assert not items(world, "head3")[0].is_aside
    assert "暖气不热" in refused.export(world.store.db, world.viewer("head3"), item).decode()
    assert refused.export(world.store.db, world.viewer("head1"), item) == b"[]"
    refused.dismiss(world.store, item.ops)
    assert items(world, "head3") == ()


def test_what_stands_in_a_form_again_leaves_when_the_form_is_saved(world: World) -> None:
    refuse(world, "head3", [visit(world, "暖气不热")])
    (item,) = items(world, "head3")
    me, key = world.id("head3"), world.id("b3:201")
    drafts.keep(world.store, me, "visits", key, b"{}")
    refused.bind(world.store, item.ops, me, "visits", key)
    assert refused.is_bound(world.store.db, item.ops, me, "visits", key)
    assert not refused.is_bound(world.store.db, item.ops, me, "visits", "other")
    drafts.drop(world.store, me, "visits", key)  # thrown away: it is work again
    assert not refused.is_bound(world.store.db, item.ops, me, "visits", key)
    assert len(items(world, "head3")) == 1
    refused.bind(world.store, item.ops, me, "visits", key)
    drafts.finish(world.store, me, "visits", key)
    assert items(world, "head3") == ()
    assert not refused.is_bound(world.store.db, item.ops, me, "visits", key)
