from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flow_tables
from sync.domain import colours, demand_flow, flow
from sync.domain.calendar import DAY, HOUR, instant, load_calendar
from sync.domain.demand_flow import MOVES, allowed_moves, check_move
from sync.domain.kinds import demands
from sync.errors import RuleError

ROOT = Path(__file__).resolve().parents[2]
CN = load_calendar((ROOT / "resources" / "calendars" / "cn.toml").read_text(encoding="utf-8"))
FINAL = {"merged", "withdrawn", "rejected"}
ROLES = sorted(frozenset().union(*(move.roles for move in MOVES)) | {"mediator", "cluster_leader", "auditor", ""})
ANYWHERE = {"is_handler": True, "is_author": True, "at_station": False}
STATION = {"is_handler": True, "is_author": False, "at_station": True}


def names(state, **who):
    return {move.name for move in allowed_moves(state, **who)}


def test_the_decision_record_and_the_code_are_one_table():
    everything = {"every state but merged, withdrawn": set(demands.STATES) - {"merged", "withdrawn"}}
    written = flow_tables.read(ROOT / "docs" / "decisions" / "0010-demand-flow.md", everywhere=everything)
    assert written == [flow_tables.row(move, with_case=False) for move in MOVES]


def test_the_states_are_those_of_the_record():
    named = {flow.NEW, flow.SAME} | set(demands.STATES)
    assert {move.target for move in MOVES} <= named
    assert frozenset().union(*(move.source for move in MOVES)) <= named
    assert len({move.name for move in MOVES}) == len(MOVES)


@pytest.mark.parametrize("state", demands.STATES)
def test_every_state_can_be_reached_and_has_an_exit_or_is_final(state):
    reached, frontier = {flow.NEW}, [flow.NEW]
    while frontier:
        here = frontier.pop()
        for move in MOVES:
            there = move.target_from(here)
            if here in move.source and there not in reached:
                reached.add(there)
                frontier.append(there)
    assert state in reached
    exits = [move.name for move in MOVES if state in move.source and move.target_from(state) != state]
    assert bool(exits) is (state not in FINAL)


@pytest.mark.parametrize("state", demands.STATES)
@pytest.mark.parametrize("return_count", [0, 1, 2, 3])
@pytest.mark.parametrize("level", demands.LEVELS)
def test_no_demand_is_ever_stuck(state, level, return_count):
    if state in FINAL:
        return
    moves = allowed_moves(state, role="community_secretary", level=level, return_count=return_count, **STATION)
    assert any(move.target_from(state) != state for move in moves)


@given(
    st.sampled_from([flow.NEW, *demands.STATES]),
    st.sampled_from(ROLES),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(demands.LEVELS),
    st.integers(0, 3),
)
def test_nobody_outside_the_table_moves(state, role, is_handler, is_author, at_station, level, return_count):
    moves = allowed_moves(
        state,
        role=role,
        is_handler=is_handler,
        is_author=is_author,
        at_station=at_station,
        level=level,
        return_count=return_count,
    )
    for move in moves:
        assert role in move.roles
        assert state in move.source
        assert at_station or not move.station_only
        assert is_handler or move.by is not flow.By.HANDLER
        assert is_author or move.by is not flow.By.AUTHOR
    for move in set(MOVES) - set(moves):
        with pytest.raises(RuleError) as refused:
            check_move(
                move.name,
                state,
                role=role,
                is_handler=is_handler,
                is_author=is_author,
                at_station=at_station,
                level=level,
                return_count=return_count,
                given=frozenset().union(*(m.needs for m in MOVES)),
            )
        assert refused.value.code == "not_allowed"


@given(st.lists(st.integers(0, 40), max_size=25))
def test_a_walk_ends_open_waiting_or_finished(choices):
    """Whatever a station and a head do, the map knows what to make of the state, and the words exist."""
    state = flow.NEW
    for choice in choices:
        moves = allowed_moves(state, role="community_secretary", is_handler=True, is_author=True, at_station=True)
        if not moves:
            assert state in FINAL - {"rejected"}
            return
        state = moves[choice % len(moves)].target_from(state)
        assert state in demands.STATES
        facts = colours.DemandFacts(state, "routine")
        assert (colours.demand_colour(facts, now=0).colour is colours.Colour.NONE) is (state in colours.FINISHED)


def test_a_head_alone_and_offline():
    head = {"role": "building_head", **ANYWHERE}
    assert names(flow.NEW, **head) == {"create", "answer_on_spot"}
    assert names("collected", **head) == {"answer_on_spot", "note", "withdraw"}
    assert names("in_progress", **head) == {"note"}
    assert names("resolved", **head) == {"note", "reply"}
    assert names("replied", **head) == {"note", "reply", "evaluate", "evaluate_dissatisfied"}
    assert names("collected", **(head | {"is_author": False})) == {"answer_on_spot", "note"}
    assert not any("building_head" in move.roles and (move.station_only or move.on_sync) for move in MOVES)


def test_a_head_never_dispatches():
    for state in demands.STATES:
        done = names(state, role="building_head", is_handler=True, is_author=True, at_station=True)
        assert not done & {"dispatch", "accept", "assign", "escalate", "take", "resolve", "reopen"}


def test_a_station_works_a_demand_through_to_the_resident():
    worker = {"role": "grid_worker", **STATION}
    state = flow.NEW
    for step, given_fields in (
        ("create", ("scope", "category", "demand_kind", "title")),
        ("accept", ()),
        ("dispatch", ("partner_id",)),
        ("take", ()),
        ("start", ()),
        ("resolve", ("result", "close_kind")),
        ("reply", ("replied_on", "reply_mode")),
        (demand_flow.evaluation_move("dissatisfied"), ("evaluation",)),
        ("reopen", ("note",)),
        ("start", ()),
        ("resolve", ("result", "close_kind")),
        ("reply", ("replied_on", "reply_mode")),
        (demand_flow.evaluation_move("satisfied"), ("evaluation",)),
        ("archive", ()),
    ):
        state = check_move(step, state, given=given_fields, **worker).target_from(state)
    assert state == "archived"


def test_only_the_handler_moves_it_and_others_write_notes():
    other = {"role": "grid_worker", "is_handler": False, "is_author": False, "at_station": True}
    assert names("in_progress", **other) == {"note"}
    assert names("dispatched", **other) == {"note", "recall"}
    assert "assign" in names("in_progress", **(other | {"role": "branch_secretary"}))


def test_who_counts_as_handler():
    def handles(state, role, handler):
        return demand_flow.handles(state, role=role, account_id="me", handler_id=handler)

    assert handles("in_progress", "grid_worker", "me")
    assert not handles("in_progress", "grid_worker", "another")
    assert handles("in_progress", "grid_worker", None)  # nobody yet: the station
    assert handles("returned", "station_staff", "another")
    assert not handles("collected", "building_head", None)
    assert handles("dispatched", "property_manager", "me")


def test_the_firm_takes_works_and_returns():
    firm = {"role": "property_manager", **STATION}
    assert names("dispatched", **firm) == {"take", "return", "note"}
    assert names("taken", **firm) == {"start", "return", "resolve", "note"}
    assert names("replied", **firm) == {"note"}
    assert names("dispatched", level="district", **firm) == {"take", "return", "note"}


def test_after_the_second_return_the_community_decides():
    worker, community = ({"role": role, **STATION} for role in ("grid_worker", "community_secretary"))
    assert "dispatch" in names("returned", return_count=1, **worker)
    assert names("returned", return_count=2, **worker) == {"note"}
    assert "dispatch" in names("returned", return_count=2, **community)


def test_a_station_acts_at_its_own_level():
    worker = {"role": "grid_worker", **STATION}
    assert "resume" in names("escalated", level="station", **worker)
    assert names("escalated", level="subdistrict", **worker) == {"note"}
    assert "resolve" in names("escalated", level="district", **(worker | {"role": "community_secretary"}))


def test_reopening_ends_after_thirty_days():
    worker = {"role": "grid_worker", **STATION, "finished_at": instant("2026-03-01 10:00")}
    assert "reopen" in names("archived", now=instant("2026-03-31 23:59"), **worker)
    assert "reopen" not in names("archived", now=instant("2026-04-01 00:00"), **worker)
    with pytest.raises(RuleError) as refused:
        check_move("reopen", "archived", given=("note",), now=instant("2026-05-01 00:00"), **worker)
    assert refused.value.params == {"move": "reopen", "state": "archived"}


@pytest.mark.parametrize(
    ("move", "state", "given_fields", "missing"),
    [
        ("resolve", "in_progress", ("result",), "close_kind"),
        ("dispatch", "accepted", (), "partner_id"),
        ("suspend", "in_progress", ("note",), "review_on"),
        ("reject", "collected", (), "note"),
        ("reply", "resolved", ("reply_mode",), "replied_on"),
        ("evaluate", "replied", (), "evaluation"),
    ],
)
def test_a_move_without_what_it_needs_is_refused(move, state, given_fields, missing):
    with pytest.raises(RuleError) as refused:
        check_move(move, state, role="grid_worker", given=given_fields, **STATION)
    assert (refused.value.field, refused.value.code) == (missing, "required")


def test_dispatching_to_a_person_is_as_good_as_to_a_body():
    for whom in ("partner_id", "handler_id"):
        assert check_move("dispatch", "accepted", role="grid_worker", given=(whom,), **STATION).on_sync


def test_no_move_needs_an_attachment():
    assert not [need for move in MOVES for need in move.needs if "attach" in need or "photo" in need]


def test_what_only_time_does_belongs_to_the_server():
    assert names("replied", role="server", is_handler=False, is_author=False, at_station=False) == {"auto_archive"}
    assert [move.name for move in MOVES if "server" in move.roles] == ["auto_archive"]
    assert demand_flow.auto_archive_at("2026-03-01") == instant("2026-03-17 00:00")


def test_time_limits():
    tuesday, friday = instant("2026-03-10 09:00"), instant("2026-09-18 09:00")  # 20 September is a working Sunday

    def due(urgency, at):
        return demand_flow.due_times(urgency, reported_at=at, calendar=CN)

    assert due("urgent", tuesday) == (tuesday + 24 * HOUR, tuesday + 3 * DAY)
    assert due("coordinated", tuesday) == (instant("2026-03-11 09:00"), instant("2026-03-17 09:00"))
    assert due("routine", tuesday) == (instant("2026-03-13 09:00"), instant("2026-03-31 09:00"))
    assert due("coordinated", friday) == (instant("2026-09-20 09:00"), instant("2026-09-24 09:00"))
    assert demand_flow.reply_due_at(friday, calendar=CN) == instant("2026-09-21 09:00")
    assert demand_flow.review_due_on("2026-03-10") == "2026-06-08"
