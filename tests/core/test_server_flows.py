"""Moves of demands and disputes: judged by role and by the version that their author saw."""

from pathlib import Path
from typing import Any

import pytest

from servers import START, Device, Server, new, patch
from sync.domain import demand_correction, demand_moves, demand_undo, demands, dispute_moves, dispute_undo, disputes
from sync.domain.act import Act
from sync.domain.calendar import load_calendar
from sync.domain.catalogue import KINDS
from sync.domain.ids import new_id
from sync.domain.operations import Operation
from sync.domain.rules import load_rules
from sync.server.settings import Settings

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


def test_a_step_changes_nothing_but_what_it_is_for(server: Server, head: Device, staff: Device) -> None:
    made = demand(server, head)
    head.accepted(made)
    taken = {"state": "accepted", "state_before": "collected", "handler_id": staff.author}
    for smuggled in (
        {"reopen_count": 7},
        {"handler_id": head.author},
        {"level": "community"},
        {"result": "说是修好了"},
        {"state_before": "resolved"},
    ):
        assert step(server, staff, made.id, **{**taken, **smuggled}) == NOT_ALLOWED
    assert step(server, staff, made.id, **taken) == []
    done = {"state": "resolved", "state_before": "accepted", "result": "已修好", "close_kind": "substantive"}
    assert step(server, staff, made.id, **done, handler_id=head.author) == NOT_ALLOWED
    assert step(server, staff, made.id, **done, resolved_at=START, review_on=None) == []
    opened = {"state": "reopened", "state_before": "resolved", "handler_id": None, "close_kind": ""}
    assert step(server, staff, made.id, **opened, reopen_count=2) == NOT_ALLOWED
    assert step(server, staff, made.id, **{**opened, "handler_id": head.author}, reopen_count=1) == NOT_ALLOWED
    assert step(server, staff, made.id, **opened, reopen_count=1) == []


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
        handler_id=head.author,
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


def act(server: Server, device: Device) -> Act:
    """The occasion on which this device's account acts, with its rights as the server has them."""
    service = server.service
    rights = service._runner.write_now(lambda c: service._rights.of(c, server.community))
    calendar = load_calendar((Settings(Path()).resources / "calendars" / "cn.toml").read_text("utf-8"))
    return Act(rights.viewer(device.author, today="2026-11-23"), server.clock.now, new_id, calendar)


def record(device: Device, kind: str, record_id: str) -> Any:
    return KINDS[kind].record(record_id, device.rows[record_id].values)


def events(device: Device, kind: str, field: str, record_id: str) -> tuple[Any, ...]:
    """The steps of a record, oldest first."""
    rows = [row for row in device.of_kind(kind) if row.values[field] == record_id and not row.deleted]
    return tuple(
        sorted((KINDS[kind].record(row.id, row.values) for row in rows), key=lambda event: (event.at, event.id))
    )


def test_what_the_verbs_of_demands_make_is_accepted(server: Server, head: Device, staff: Device) -> None:
    place = demands.DemandPlace(
        compound_id=server.places["compound"], building_id=server.places["b1"], household_id=server.places["b1-101"]
    )
    raised = demands.raise_demand(act(server, head), demands.DemandIntent(category="01", title="漏水"), place)
    demand_id = raised[0].id
    head.accepted(*raised)
    move = demand_moves.MoveIntent
    steps = (
        (staff, "accept", move()),
        (staff, "start", move()),
        (staff, "resolve", move(result="已修好", close_kind="substantive")),
        (head, "reply", move(replied_on="2026-11-23", reply_mode="in_person")),
        (head, "evaluate", move(evaluation="dissatisfied")),
        (staff, "reopen", move(note="又漏了")),
    )
    for device, name, intent in steps:
        device.pull()
        server.clock.now += 1000
        now = act(server, device)
        made = demand_moves.move(now, record(device, "demand", demand_id), name, intent, demand_moves.MoveFacts())
        device.accepted(*made)
        if name != "reopen":
            undo_and_repeat(server, device, demand_id, intent, name)
    head.pull()
    assert head.rows[demand_id].values["state"] == "reopened"


def undo_and_repeat(server: Server, device: Device, demand_id: str, intent: Any, name: str) -> None:
    """Every step of a demand may be taken back at once by its author, and made again."""
    device.pull()
    server.clock.now += 1000
    facts = demand_undo.StepFacts(steps=events(device, "demand_event", "demand_id", demand_id))
    demand = record(device, "demand", demand_id)
    device.accepted(*demand_undo.undo(act(server, device), demand, facts.steps[-1].id, facts))
    device.pull()
    server.clock.now += 1000
    again = record(device, "demand", demand_id)
    device.accepted(*demand_moves.move(act(server, device), again, name, intent, demand_moves.MoveFacts()))


def test_what_is_put_right_is_accepted_from_the_head_and_the_station(
    server: Server, head: Device, staff: Device
) -> None:
    places = server.places
    home = demands.DemandPlace(compound_id=places["compound"], building_id=places["b1"], household_id=places["b1-101"])
    raised = demands.raise_demand(act(server, head), demands.DemandIntent(category="01", title="漏水"), home)
    demand_id = raised[0].id
    head.accepted(*raised)

    def put_right(device: Device, place: demands.DemandPlace, **wanted: str) -> None:
        device.pull()
        server.clock.now += 1000
        known = record(device, "demand", demand_id)
        facts = demand_correction.CorrectionFacts(place=place, counted_from=known.reported_at)
        intent = demand_correction.CorrectionIntent(**wanted)
        device.accepted(*demand_correction.correct(act(server, device), known, intent, facts))

    put_right(head, home, category="02", urgency="urgent", title="水管爆了")
    put_right(staff, home, category="08", urgency="routine", title="要人照看")
    head.pull()
    assert (head.rows[demand_id].values["title"], head.rows[demand_id].values["urgency"]) == ("养老助老", "routine")
    moves = [event.move for event in events(head, "demand_event", "demand_id", demand_id)]
    assert moves == ["create", "correct", "correct"]
    put_right(staff, home, category="05", urgency="routine", title="楼道堆物")
    compound = demands.DemandPlace(compound_id=places["compound"])
    put_right(staff, compound, category="05", urgency="routine", title="小区堆物", scope="compound")
    staff.pull()
    assert staff.rows[demand_id].values["building_id"] is None


def test_what_the_verbs_of_disputes_make_is_accepted(
    server: Server, secretary: Device, head: Device, staff: Device
) -> None:
    mediator = server.person(secretary, "mediator", "compound", "compound")
    table = load_rules(Settings(Path()).resources).dispute_categories
    place = disputes.NoticePlace(
        compound_id=server.places["compound"], building_id=server.places["b1"], categories=table
    )
    intent = disputes.NoticeIntent(title="楼道堆物", category="02", place="一单元楼道")
    noticed = disputes.notice(act(server, head), intent, place)
    dispute_id = noticed[0].id
    head.accepted(*noticed)
    move = dispute_moves.DisputeMove
    steps = (
        (head, "settle_on_spot", move(result="当场说好"), True),
        (head, "hand_over", move(), True),
        (staff, "register", move(risk="green", category="02"), False),
        (mediator, "accept", move(mediator_ids=(mediator.author,), parties_agreed=True), False),
        (mediator, "begin", move(), True),
        (mediator, "agree_orally", move(result="各让一步", due_on="2026-11-30"), False),
        (mediator, "begin_performance", move(), True),
        (mediator, "perform", move(), False),
        (mediator, "follow_up_case", move(note="已履行"), False),
        (mediator, "archive_case", move(dossier_complete=True), False),
    )
    for device, name, entered, undone in steps:
        device.pull()
        server.clock.now += 1000
        dispute = record(device, "dispute", dispute_id)
        device.accepted(*dispute_moves.move(act(server, device), dispute, name, entered, categories=table))
        if undone:
            device.pull()
            server.clock.now += 1000
            taken = events(device, "dispute_event", "dispute_id", dispute_id)
            dispute = record(device, "dispute", dispute_id)
            device.accepted(*dispute_undo.undo(act(server, device), dispute, taken[-1].id, taken))
            device.pull()
            if name != "settle_on_spot":
                server.clock.now += 1000
                dispute = record(device, "dispute", dispute_id)
                device.accepted(*dispute_moves.move(act(server, device), dispute, name, entered, categories=table))
    mediator.pull()
    assert mediator.rows[dispute_id].values["state"] == "archived"
    head.pull()
    assert [row.values["state"] for row in head.of_kind("dispute_status")] == ["archived"]
