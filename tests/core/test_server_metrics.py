"""What the server counts of itself: numbers and codes, nobody's name or id."""

import re
from pathlib import Path

import pytest

from servers import Device, Server, new, patch, running
from sync.domain.ids import new_id
from sync.server import copies, logs

Counted = dict[str, float]


def counted(server: Server) -> Counted:
    """What /metrics says, by name and labels."""
    answer = server.http.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def grown(before: Counted, after: Counted) -> Counted:
    """What has changed."""
    changes = {name: value - before.get(name, 0.0) for name, value in after.items()}
    return {name: change for name, change in changes.items() if change and "_created" not in name}


def test_a_push_is_counted_with_its_refusals_and_conflicts(server: Server, secretary: Device) -> None:
    other = server.person(secretary, "community_secretary", "community", server.community)
    other.pull()
    secretary.pull()
    before = counted(server)
    household = server.places["b1-101"]
    secretary.push(
        new("compound", new_id(secretary.clock.now), name="甲"),
        patch("household", household, contact_phone="13800000001"),
        new("building", new_id(secretary.clock.now), compound_id=new_id(secretary.clock.now), name="乙"),
        new("compound", "no id", name="丙"),
    )
    server.clock.now += 1000
    other.push(patch("household", household, contact_phone="13900000002"))
    other.pull()
    changes = grown(before, counted(server))
    assert changes["qiaomen_pushes_total"] == 2
    assert changes["qiaomen_operations_total"] == 5
    assert changes['qiaomen_refusals_total{code="invalid"}'] == 1
    assert changes['qiaomen_refusals_total{code="parent_missing"}'] == 1
    assert changes["qiaomen_conflicts_total"] == 1
    assert changes["qiaomen_rows_total"] >= 2
    assert changes['qiaomen_requests_total{path="/sync/v1/push",status="200"}'] == 2
    assert changes['qiaomen_service_seconds_count{path="/sync/v1/push"}'] == 2
    assert counted(server)['qiaomen_queue_length{lane="work"}'] == 0
    while counted(server)["qiaomen_connections_in_use"]:  # what the server does by itself at its start
        continue


def test_refused_requests_are_counted_by_code(tmp_path: Path) -> None:
    with running(tmp_path, queue_limit=1) as server:
        before = counted(server)
        assert server.http.post("/sync/v1/push", content=b"{}").status_code == 401
        server.http.post("/sync/v1/people/01a205ea-be80-73ac-89d2-e64ab519e0aa/code", content=b"{}")
        admission = server.service.admission
        with admission.place("work"):
            assert counted(server)['qiaomen_queue_length{lane="work"}'] == 1
            assert server.http.post("/sync/v1/push", content=b"{}").status_code == 429
        changes = grown(before, counted(server))
        assert changes['qiaomen_problems_total{code="signature_missing"}'] == 2
        assert changes['qiaomen_problems_total{code="busy"}'] == 1
        assert changes["qiaomen_busy_total"] == 1
        assert changes['qiaomen_requests_total{path="/sync/v1/people/{account}/code",status="401"}'] == 1


def test_alarms_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(tmp_path) as server:
        before = counted(server)
        logs.log("alarm", code="restored_unsaid")
        assert grown(before, counted(server))['qiaomen_alarms_total{code="restored_unsaid"}'] == 1


def test_the_age_of_the_latest_backup_is_told(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert "qiaomen_backup_age_seconds" not in counted(server)
        copies.mark(tmp_path)
        assert 0 <= counted(server)["qiaomen_backup_age_seconds"] < 600
        assert counted(server)["qiaomen_backup_damaged_files"] == 0
        copies.mark(tmp_path, damaged=["a" * 64, "b" * 64])
        assert counted(server)["qiaomen_backup_damaged_files"] == 2
        copies.mark(tmp_path)
        assert counted(server)["qiaomen_backup_damaged_files"] == 0


def test_nobody_is_named(server: Server, secretary: Device) -> None:
    secretary.accepted(server.visit("b1-101", note="MARKER"))
    text = server.http.get("/metrics").text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", text)
    assert "MARKER" not in text
    assert secretary.installation not in text
    assert text.isascii()
