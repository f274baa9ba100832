"""New records by the thousand are taken together: with the same outcome as one by one, whatever is among them."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from servers import Device, Server, new, patch
from sync import wire
from sync.domain.ids import new_id
from sync.domain.operations import Operation
from sync.server.batches import taken_apart
from sync.server.storage import fresh, schema
from sync.server.storage.history import EVERY_WRITE
from sync.server.storage.push import Caller, push

TEXTS = ("", "好", 'a "quote"', "back\\slash", "line\nand\ttab", "\u2028𬱖", "\\N", "\\.")


class Undone(Exception):
    """What was done was looked at, and is not to stay."""


@pytest.fixture
def worker(server: Server, secretary: Device) -> Device:
    """Works in one compound; somebody in b1-101 is in care."""
    made = server.person(secretary, "grid_worker", "compound", "compound")
    home = {"household_id": server.places["b1-101"], "building_id": server.places["b1"]}
    resident = new_id(server.clock())
    made.accepted(
        new("resident", resident, **home, name="刘奶奶"),
        new("care_pairing", new_id(server.clock()), **home, resident_id=resident, responsible_id=made.author),
    )
    made.accepted(server.visit("b2-101", note="before"))
    return made


def outcome(server: Server, device: Device, operations: list[Operation]) -> tuple[object, ...]:
    """The answer to a batch and all that is in the database after it; then it is undone."""
    body = device.body(operations)
    caller = Caller(device.community, device.installation, frozenset(device.accounts))
    found: list[object] = []

    def attempt(connection: Connection) -> None:
        batched = taken_apart(wire.decode(body, type_=wire.Push), body)
        found.append(push(connection, server.service._desk, caller, batched, now=server.clock.now))
        for table in (schema.stream, schema.exit_, schema.refused):
            found.append(sorted(map(tuple, connection.execute(select(table)).all())))
        rows = [row._asdict() for row in connection.execute(select(schema.record)).all()]
        # Which of its own rows of one batch stands before which is all the same to a device.
        found.append(sorted((row["stream"], row.pop("seq")) for row in rows))
        found.append(sorted(map(repr, rows)))
        found.append(sorted(map(tuple, connection.execute(text(EVERY_WRITE)).all())))
        raise Undone

    with pytest.raises(Undone):
        server.service._runner.write_now(attempt)
    return tuple(found)


Batch = Callable[[Server, Device, random.Random], list[Operation]]


def plain(server: Server, device: Device, chance: random.Random) -> list[Operation]:
    homes = ["b2-101", "b2-102", "b3-101"]
    return [
        server.visit(
            chance.choice(homes), note=chance.choice(TEXTS), visitor_ids=[device.author], recorded_by=device.author
        )
        for _ in range(40)
    ]


def several_kinds(server: Server, device: Device, chance: random.Random) -> list[Operation]:
    places = server.places
    home = {"household_id": places["b2-101"], "building_id": places["b2"]}
    return [
        new("household", new_id(0), building_id=places["b2"], room_no="301", slot=1),
        *plain(server, device, chance)[:5],
        new("resident", new_id(0), **home, name=chance.choice(TEXTS)),
        new("care_tag", new_id(0), **home, since="2026-11-01"),
        *plain(server, device, chance)[:5],
    ]


def some_refused(server: Server, device: Device, chance: random.Random) -> list[Operation]:
    made = plain(server, device, chance)
    made += [
        server.visit("far-101"),
        server.visit("b2-101", building_id=server.places["b3"]),
        server.visit("b2-101", household_id=new_id(0)),
        server.visit("b2-101", household_id=server.places["b2"]),
        server.visit("b1-101", outcome="met"),
        server.visit("b1-102", outcome="met"),
        new("visit", new_id(0), household_id=server.places["b2-101"]),
    ]
    chance.shuffle(made)
    return made


def another_name(server: Server, device: Device, chance: random.Random) -> list[Operation]:
    return [*plain(server, device, chance), server.visit("b2-101", recorded_by=new_id(0))]


def a_bad_value(server: Server, device: Device, chance: random.Random) -> list[Operation]:
    return [
        *plain(server, device, chance),
        server.visit("b2-101", visited_on="2026-02-30"),
        server.visit("b2-101", note=7),
    ]


def a_retry(server: Server, device: Device, chance: random.Random) -> list[Operation]:
    device.pull()
    there = next(row for row in device.of_kind("visit") if row.values["note"] == "before")
    again = new("visit", there.id, **{**there.values, "note": "again"})
    return [*plain(server, device, chance), again]


def the_same_write(server: Server, device: Device, chance: random.Random) -> list[Operation]:
    device.pull()
    there = next(row for row in device.of_kind("visit") if row.values["note"] == "before")
    (hlc, replica) = there.clock
    again = Operation(
        kind="visit", id=there.id, action="new", fields=there.values, hlc=hlc, device=replica, author=device.author
    )
    return [*plain(server, device, chance), again]


def twice_the_same_id(server: Server, device: Device, chance: random.Random) -> list[Operation]:
    made = plain(server, device, chance)
    return [*made, new("visit", made[0].id, **{**made[0].fields, "note": "twice"})]


def with_their_parents(server: Server, device: Device, chance: random.Random) -> list[Operation]:
    building, home = server.places["b2"], new_id(0)
    door = new("household", home, building_id=building, room_no="302", slot=2)
    inside = [new("visit", new_id(0), household_id=home, building_id=building, visited_on="2026-11-23") for _ in "12"]
    return [inside[0], door, inside[1], *plain(server, device, chance)]


def with_a_change(server: Server, device: Device, chance: random.Random) -> list[Operation]:
    made = plain(server, device, chance)
    return [
        *made,
        patch("household", server.places["b2-101"], contact_name="王阿姨"),
        patch("visit", made[0].id, note="!"),
    ]


def by_somebody_else(server: Server, device: Device, chance: random.Random) -> list[Operation]:
    return [device.stamped(one, author=new_id(0)) for one in plain(server, device, chance)]


@pytest.mark.parametrize(
    "batch",
    [
        plain,
        several_kinds,
        some_refused,
        another_name,
        a_bad_value,
        a_retry,
        the_same_write,
        twice_the_same_id,
        with_their_parents,
        with_a_change,
        by_somebody_else,
    ],
)
def test_together_is_as_one_by_one(
    server: Server, worker: Device, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = batch(server, worker, random.Random(7))
    operations = [one if one.hlc else worker.stamped(one) for one in made]
    taken: list[int] = []
    take = fresh.take

    def counted(*given: Any, **named: Any) -> set[int]:
        done = take(*given, **named)
        taken.append(len(done))
        return done

    monkeypatch.setattr(fresh, "take", counted)
    together = outcome(server, worker, operations)
    assert bool(sum(taken)) is (batch in (plain, several_kinds, some_refused, another_name, a_retry, the_same_write))
    monkeypatch.setattr(fresh, "take", lambda *_given, **_named: set[int]())
    assert together == outcome(server, worker, operations)


def test_a_record_holds_its_first_write_until_there_is_a_second(server: Server, worker: Device) -> None:
    visit = server.visit("b2-101", note="first")
    worker.accepted(visit)

    def writes(connection: Connection) -> tuple[int, list[tuple[Any, ...]]]:
        of_it = {"id": visit.id}
        kept = connection.execute(text("SELECT at FROM record WHERE id = :id"), of_it).scalar_one()
        found = connection.execute(text(f"SELECT author, fields FROM ({EVERY_WRITE}) AS h WHERE id = :id"), of_it)
        return kept, sorted(map(tuple, found.all()))

    kept, ((author, fields),) = server.service._runner.write_now(writes)
    assert (kept, author) == (server.clock.now, worker.author)
    assert '"note":"first"' in fields
    worker.pull()
    worker.accepted(patch("visit", visit.id, note="second"))
    kept, both = server.service._runner.write_now(writes)
    assert kept == 0
    assert {author for author, _ in both} == {worker.author}
    assert ['"note":"first"' in fields for _, fields in both] == [True, False]
