"""Moves of demands and disputes: judged by role and by the version that their author saw."""

import pytest

from servers import START, Device, Server, new, patch
from sync.domain.ids import new_id
from sync.domain.operations import Operation

Refused = list[tuple[int, str, str]]
NOT_ALLOWED: Refused = [(0, "not_allowed", "state")]


@pytest.fixture
def head(server: Server, secretary: Device) -> Device:
    return server.person(secretary, "building_head", "building", "b1")


@pytest.fixture
def staff(server: Server, secretary: Device) -> Device:
    return server.person(secretary, "station_staff", "compound", "compound")


def demand(server: Server, author: Device, **fields: object) -> Operation:
    values = {
        "building_id": server.places["b1"],
        "compound_id": server.places["compound"],
        "household_id": server.places["b1-101"],
        "scope_id": server.places["b1-101"],
        "title": "漏水",
        "reported_at": START,
        "recorded_by": author.author,
        **fields,
    }
    return new("demand", new_id(START), **values)


def step(server: Server, device: Device, record_id: str, kind: str = "demand", **flow: object) -> Refused:
    """Pull, then push one change of the flow, a second later."""
    device.pull()
    server.clock.now += 1000
    return device.refused(patch(kind, record_id, **flow))


def test_a_head_raises_and_answers_but_does_not_dispatch(server: Server, head: Device, staff: Device) -> None:
    one, two = demand(server, head), demand(server, head, state="answered_on_spot", result="已解释")
    assert head.refused(one, two, demand(server, head, state="dispatched")) == [(2, "not_allowed", "state")]
    assert step(server, head, one.id, state="accepted", state_before="collected") == NOT_ALLOWED
    assert step(server, staff, one.id, state="accepted", state_before="collected", handler_id=staff.author) == []
    assert step(server, staff, one.id, state="resolved", state_before="accepted") == NOT_ALLOWED  # nothing said
    done = {"result": "已修好", "close_kind": "substantive"}
    assert step(server, staff, one.id, state="resolved", state_before="accepted", **done) == []
    told = {"replied_on": "2026-11-23", "reply_mode": "in_person"}
    assert step(server, head, one.id, state="evaluated", state_before="resolved", evaluation="satisfied") == NOT_ALLOWED
    assert step(server, head, one.id, state="replied", state_before="resolved", **told) == []
    assert step(server, head, one.id, evaluation="dissatisfied") == []
    assert step(server, head, one.id, handler_id=head.author) == NOT_ALLOWED
    assert step(server, staff, one.id, state="reopened", state_before="replied") == []


def test_a_move_is_judged_by_the_version_its_author_saw(server: Server, head: Device, staff: Device) -> None:
    made = demand(server, head)
    head.accepted(made)
    other = staff.clone()
    staff.pull()
    other.pull()
    server.clock.now += 1000
    staff.accepted(patch("demand", made.id, state="accepted", state_before="collected", handler_id=staff.author))
    server.clock.now += 1000
    # From what the other device saw, collected, this is a legal move; from accepted it would not be one.
    reply = other.push(patch("demand", made.id, state="answered_on_spot", state_before="collected", result="说清楚了"))
    assert reply.refused == []
    assert [conflict.register for conflict in reply.conflicts] == ["flow"]
    staff.pull()
    assert staff.rows[made.id].values["state"] == "answered_on_spot"
    # A third device that still saw it collected may not move it as if it stood where it stands now.
    late = head.clone()
    late.rows = {}
    stale = late.stamped(patch("demand", made.id, state="archived", state_before="answered_on_spot"))
    assert late.refused(stale) == NOT_ALLOWED


def test_an_own_step_of_the_day_may_be_taken_back(server: Server, head: Device, staff: Device) -> None:
    made = demand(server, head)
    head.accepted(made)
    accepted = {"state": "accepted", "state_before": "collected", "handler_id": staff.author}
    assert step(server, staff, made.id, **accepted) == []
    assert step(server, head, made.id, state="collected", state_before="") == NOT_ALLOWED
    assert step(server, staff, made.id, state="collected", state_before="", handler_id=None) == []
    assert step(server, staff, made.id, **accepted) == []
    staff.pull()
    server.clock.now += 24 * 3600 * 1000
    assert staff.refused(patch("demand", made.id, state="collected", state_before="", handler_id=None)) == NOT_ALLOWED


def test_a_heads_dispute_is_settled_followed_up_and_filed(server: Server, head: Device, staff: Device) -> None:
    made = new(
        "dispute",
        new_id(START),
        compound_id=server.places["compound"],
        building_id=server.places["b1"],
        title="楼道堆物",
        noticed_on="2026-11-23",
        noticed_by=head.author,
    )
    head.accepted(made)
    assert step(server, head, made.id, "dispute", state="registered", state_before="noticed") == NOT_ALLOWED
    settled = {"state": "settled_on_spot", "state_before": "noticed", "result": "当场说好"}
    assert step(server, head, made.id, "dispute", **settled) == []
    assert step(server, head, made.id, "dispute", state="followed_up", state_before="settled_on_spot") == []
    assert step(server, head, made.id, "dispute", state="archived", state_before="followed_up") == []


def test_nobody_accepts_a_case_but_the_committee(server: Server, staff: Device) -> None:
    made = new(
        "dispute",
        new_id(START),
        compound_id=server.places["compound"],
        title="噪音",
        noticed_on="2026-11-23",
        noticed_by=staff.author,
        state="registered",
    )
    staff.accepted(made)
    taken = {"state": "accepted", "state_before": "registered", "accepted_on": "2026-11-23"}
    assert step(server, staff, made.id, "dispute", **taken, mediator_ids=[staff.author]) == [(0, "out_of_scope", "")]
