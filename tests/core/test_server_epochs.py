"""When another life of the server's data begins by itself, when it does not, and since when it counts."""

from typing import Any

import pytest

from returned import asked_back, backup, begin_anew, give_back, greet, restore, written
from servers import START, Device, Server
from sync import wire
from sync.domain.calendar import DAY
from sync.domain.ids import new_id
from sync.server.storage import epochs

HOUR = 3_600_000


def told(device: Device, **changed: Any) -> wire.HelloReply:
    """A greeting in the device's epoch that says something of one's own."""
    message = {"device": device.replica, "schema": wire.SCHEMA, "app": "test", "time": 0, "epoch": device.epoch}
    return device.ask("hello", wire.Hello(**{**message, **changed}), wire.HelloReply)


def test_a_lead_that_cannot_be_begins_nothing(server: Server, head: Device) -> None:
    head.accepted(server.visit("b1-101"))
    home = f"building:{server.places['b1']}"
    before = head.epoch
    for impossible in (
        {"batches": [(2, "")]},
        {"batches": [(2, "x" * 32)]},
        {"batches": [(10**9, "0" * 32)]},
        {"cursors": {home: 10**9}},
        {"epoch": new_id(server.clock.now + DAY)},
        {"epoch": "zzzz"},
        {"batches": [(1, "0" * 32)], "cursors": {home: 1}},
    ):
        reply = told(head, **impossible)
        assert (reply.epoch, reply.is_anew) == (before, False)


def test_in_six_hours_it_begins_once_and_whoever_is_ahead_gives_back_all_the_same(
    server: Server, head: Device, staff: Device
) -> None:
    kept = backup(server)
    head.accepted(server.visit("b1-101"))
    head.pull()
    restore(server, kept)
    first = greet(head, batch=1)
    assert give_back(head)
    for device in (head, staff):
        greet(device)
        device.pull()
    # Put back once more, to a copy of this very life.
    kept = backup(server)
    server.clock.now += HOUR
    lost = server.visit("b1-102", note="of the hour since")
    head.accepted(lost)
    head.pull()
    restore(server, kept)
    server.clock.now += HOUR
    reply = told(head, batches=[(head.batch, "0" * 32)])
    assert (reply.epoch, reply.is_anew) == (first, True)
    assert told(staff).is_anew is False
    assert written(server, epochs.current).since == server.clock.now
    head.batch = reply.batch
    assert lost.id in give_back(head)
    staff.pull()
    assert staff.rows[lost.id] == head.rows[lost.id]
    assert told(head, batches=[(head.batch, "0" * 32)]).is_anew is False
    # A lie does no more than that, until the six hours are over.
    lie = {"cursors": {f"building:{server.places['b1']}": 10**5}}
    assert (told(head, **lie).epoch, told(head, **lie).is_anew) == (first, True)
    server.clock.now += 6 * HOUR
    assert told(head, **lie).epoch > first


def test_data_from_before_the_present_life_are_noticed(server: Server, head: Device) -> None:
    kept = backup(server)
    server.clock.now += HOUR
    begin_anew(server)
    lost = server.visit("b1-101")
    greet(head)
    head.accepted(lost)
    head.pull()
    restore(server, kept)  # which knows nothing of the life that the device met
    server.clock.now += HOUR
    before = head.epoch
    assert greet(head) > before
    assert written(server, epochs.current).parent
    assert give_back(head) == [lost.id]


@pytest.mark.parametrize("known", ["a device", "the backup"])
def test_a_life_begins_after_all_that_the_data_tell_of(server: Server, head: Device, known: str) -> None:
    server.clock.now += DAY
    head.accepted(server.visit("b1-101"))
    head.pull()
    seen = server.clock.now
    before = written(server, epochs.current)
    old = START - 1000 * DAY
    not_before = seen + HOUR if known == "the backup" else 0
    made = written(server, lambda c: epochs.begin_anew(c, now=old, not_before=not_before))
    assert made.since == max(seen, not_before)
    assert made.id > before.id
    again = written(server, lambda c: epochs.begin_anew(c, now=old))
    assert again.since == made.since
    assert again.id > made.id
    # So what a device holds of a time before the restore is taken, whatever the machine's clock says.
    greet(head)
    assert asked_back(head, head.rows.values()) == []
