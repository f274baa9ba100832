"""The feed: pages, order of need, exits, and that no reader ever misses a row while others write."""

import threading
import time

from servers import START, Device, Server, new, patch
from sync import wire
from sync.domain.ids import new_id


def test_pages_are_cut_and_go_on_where_they_stopped(server: Server, secretary: Device) -> None:
    head = server.person(secretary, "building_head", "building", "b1")
    visits = [server.visit("b1-101") for _ in range(23)]
    made = {visit.id for visit in visits}
    head.accepted(*visits)
    reader = head.clone()
    reader.hello()
    reader.page()
    asked = reader.pull(limit=5)
    assert asked >= 6
    assert {row.id for row in reader.of_kind("visit")} == made
    assert reader.pull() == 1  # nothing new: one request


def test_streams_come_in_the_order_asked_for(server: Server, secretary: Device) -> None:
    secretary.pull()
    wanted = [f"building:{server.places[b]}" for b in ("b3", "b1", "b2")]
    reader = secretary.clone()
    reader.hello()
    message = wire.Pull(device=reader.replica, epoch=reader.epoch, schema=1, streams=dict.fromkeys(wanted, 0), limit=3)
    reply = reader.ask("pull", message, wire.PullReply)
    assert reply.more
    assert [table.stream for table in reply.tables] == wanted[:2]
    assert set(reply.cursors) == set(wanted[:2])


def test_a_row_that_changes_while_others_page_is_met_again(server: Server, secretary: Device) -> None:
    head = server.person(secretary, "building_head", "building", "b1")
    visits = [server.visit("b1-101") for _ in range(6)]
    head.accepted(*visits)
    reader = head.clone()
    reader.pull()
    reader.cursors = dict.fromkeys(reader.cursors, 0)
    reader.rows = {}
    reader.page(limit=4)
    head.pull()
    server.clock.now += 1000
    head.accepted(patch("visit", visits[-1].id, note="changed"), patch("visit", visits[0].id, note="changed too"))
    reader.pull()
    assert reader.rows[visits[0].id].values["note"] == "changed too"
    assert len(reader.of_kind("visit")) == 6


def test_leaving_a_stream_is_told_once_and_coming_back_brings_it_back(server: Server, secretary: Device) -> None:
    staff = server.person(secretary, "station_staff", "compound", "compound")
    one = server.person(secretary, "building_head", "building", "b1")
    two = server.person(secretary, "building_head", "building", "b2")
    place = {"building_id": server.places["b1"], "compound_id": server.places["compound"], "household_id": None}
    demand = new("demand", new_id(START), **place, scope="building", scope_id=server.places["b1"], title="灯坏了")
    staff.accepted(demand)
    for device in (staff, one, two):
        device.pull()
    for there, here, gone in (("b2", two, one), ("b1", one, two)):
        server.clock.now += 1000
        staff.pull()
        moved = {**place, "building_id": server.places[there], "scope": "building", "scope_id": server.places[there]}
        staff.accepted(patch("demand", demand.id, **moved))
        one.pull()
        two.pull()
        assert demand.id in here.rows
        assert demand.id not in gone.rows


def test_no_row_is_skipped_while_others_write(server: Server, secretary: Device) -> None:
    writers = [server.person(secretary, "building_head", "building", "b1") for _ in range(4)]
    reader = server.person(secretary, "building_head", "building", "b1")
    reader.pull()
    ends = time.monotonic() + 2.0
    made: list[set[str]] = [set() for _ in writers]
    failures: list[BaseException] = []

    def write(device: Device, mine: set[str]) -> None:
        try:
            while time.monotonic() < ends:
                visits = [server.visit("b1-101") for _ in range(3)]
                device.accepted(*visits)
                mine.update(visit.id for visit in visits)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=write, args=pair) for pair in zip(writers, made, strict=True)]
    for thread in threads:
        thread.start()
    # The reader keeps its cursors from page to page: a row that appears behind them would never be met.
    while any(thread.is_alive() for thread in threads):
        reader.page(limit=50)
    for thread in threads:
        thread.join()
    assert failures == []
    reader.pull()
    written = set[str]().union(*made)
    assert len(written) > 20
    assert written - {row.id for row in reader.of_kind("visit")} == set()
