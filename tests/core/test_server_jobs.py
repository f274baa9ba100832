"""What the server writes by itself as time goes by, on both engines."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from servers import Device, Server, ServerClock, new, patch, running
from sync.domain.calendar import DAY, instant
from sync.domain.ids import new_id
from sync.server import jobs
from sync.server.runner import Raced
from sync.server.storage import archiving

START = instant("2026-11-23 09:00")
LATER = instant("2026-12-09 00:00")  # the sixteenth day after


@pytest.fixture
def staff(server: Server, secretary: Device) -> Device:
    return server.person(secretary, "station_staff", "compound", "compound")


def told(server: Server, staff: Device, **fields: Any) -> str:
    """A demand of which the resident was told on the first day."""
    made = new(
        "demand",
        new_id(server.clock.now),
        compound_id=server.places["compound"],
        building_id=server.places["b1"],
        scope="building",
        scope_id=server.places["b1"],
        title="楼道灯不亮",
        category="03",
        reported_at=START,
        recorded_by=staff.author,
        **{"state": "replied", "replied_on": "2026-11-23", "reply_mode": "phone", **fields},
    )
    staff.accepted(made)
    return made.id


def filed(server: Server) -> int:
    """How many the job files now."""
    http = server.http
    assert isinstance(http, TestClient)
    return http.blocking_portal.call(server.service.file_unanswered)


def test_who_was_told_and_could_not_be_asked_is_filed_on_the_sixteenth_day(server: Server, staff: Device) -> None:
    waiting = told(server, staff)
    others = [
        told(server, staff, evaluation="dissatisfied"),
        told(server, staff, replied_on="2026-11-24"),
        told(server, staff, state="resolved"),
    ]
    gone = told(server, staff)
    staff.pull()
    staff.accepted(patch("demand", gone, deleted=True))
    server.clock.now = LATER - 1
    assert filed(server) == 0
    server.clock.now = LATER
    assert filed(server) == 1
    assert filed(server) == 0
    staff.pull()
    demand = staff.rows[waiting].values
    assert (demand["state"], demand["state_before"], demand["evaluation"]) == ("archived", "replied", "not_reached")
    (step,) = staff.of_kind("demand_event")
    told_of = (step.values["demand_id"], step.values["move"], step.values["from_state"], step.values["to_state"])
    assert told_of == (waiting, "auto_archive", "replied", "archived")
    assert (step.values["at"], step.values["by"], step.stream) == (LATER, "", staff.rows[waiting].stream)
    assert [staff.rows[other].values["state"] for other in others] == ["replied", "replied", "resolved"]


def test_one_that_was_asked_meanwhile_is_left_alone(server: Server, staff: Device) -> None:
    waiting = told(server, staff)
    staff.pull()
    staff.accepted(patch("demand", waiting, evaluation="satisfied", state="evaluated", state_before="replied"))
    who = server.service.identity
    assert (
        server.service._runner.write_now(
            lambda c: archiving.archive(c, who.community, [waiting], replica=who.replica, now=LATER)
        )
        == 0
    )


@pytest.mark.parametrize("every_s", [86_400, 0.01], ids=["at the start", "again"])
def test_the_server_does_it_by_itself(database: str, tmp_path: Path, every_s: float) -> None:
    clock = ServerClock()
    with running(tmp_path / "server", database=database, clock=clock, jobs_every_s=every_s) as server:
        secretary = server.enrol(server.first_code())
        server.furnish(secretary)
        staff = server.person(secretary, "station_staff", "compound", "compound")
        waiting = told(server, staff)
        clock.now = LATER + DAY
        if every_s < 1:
            until_filed(server, staff, waiting)
            return
    with running(tmp_path / "server", database=database, clock=clock) as server:
        staff.http = server.http
        until_filed(server, staff, waiting)


def until_filed(server: Server, staff: Device, demand_id: str) -> None:
    for _ in range(500):
        staff.pull()
        # A row that the job changes while it is pulled comes with the next pull.
        row = staff.rows.get(demand_id)
        if row is not None and row.values["state"] == "archived":
            return
    raise AssertionError("not filed")


def test_a_job_that_fails_is_tried_again_and_ends_with_the_server() -> None:
    asked = 0
    often = asyncio.Event()

    async def job() -> int:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise Raced
        if asked == 3:
            often.set()
        return 0

    async def story() -> None:
        async with jobs.running(job, every_s=0):
            await often.wait()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(story())
