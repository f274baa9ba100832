from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flow_tables
from sync.domain import dispute_flow, flow
from sync.domain.calendar import DAY, HOUR, WorkCalendar, instant, load_calendar
from sync.domain.dispute_flow import MOVES, Risk, allowed_moves, check_move, deadline, risk_level
from sync.domain.kinds import disputes
from sync.errors import RuleError

ROOT = Path(__file__).resolve().parents[2]
CN = load_calendar((ROOT / "resources" / "calendars" / "cn.toml").read_text(encoding="utf-8"))
STATES = [flow.NEW, *disputes.STATES]
ROLES = sorted(frozenset().union(*(move.roles for move in MOVES)) | {"property_manager", "auditor", ""})
EVERYTHING_GIVEN = frozenset().union(*(move.needs for move in MOVES))
HEAD = {"role": "building_head", "is_handler": True, "is_author": True, "at_station": False}
WORKER = {"role": "grid_worker", "is_handler": True, "is_author": False, "at_station": True}
MEDIATOR = {"role": "mediator", "is_handler": True, "is_author": False, "at_station": True}


def names(state, **who):
    return {move.name for move in allowed_moves(state, **who)}


def test_the_decision_record_and_the_code_are_one_table():
    written = flow_tables.read(ROOT / "docs" / "decisions" / "0011-dispute-flow.md", everywhere={})
    assert written == [flow_tables.row(move, with_case=True) for move in MOVES]


def test_the_states_are_those_of_the_record():
    named = {flow.NEW, flow.SAME, flow.BACK} | set(disputes.STATES)
    assert {move.target for move in MOVES} <= named
    assert frozenset().union(*(move.source for move in MOVES)) <= named
    assert len({move.name for move in MOVES}) == len(MOVES)


def step_everywhere():
    """Every (state, came_from, was_accepted) that any sequence of moves can reach, with what leads out of it."""
    start = (flow.NEW, "", False)
    reached = {start: set()}
    frontier = [start]
    while frontier:
        here = frontier.pop()
        state, came_from, was_accepted = here
        for role in ROLES:
            moves = allowed_moves(
                state,
                role=role,
                is_handler=True,
                is_author=True,
                at_station=True,
                was_accepted=was_accepted,
                came_from=came_from,
            )
            for move in moves:
                there = after(move, here)
                reached[here].add(there)
                if there not in reached:
                    reached[there] = set()
                    frontier.append(there)
    return reached


def after(move, here):
    state, came_from, was_accepted = here
    target = move.target_from(state, came_from=came_from)
    if target == "reopened":
        was_accepted = False
    elif target == "accepted":
        was_accepted = True
    return target, (came_from if move.target == flow.SAME else state), was_accepted


REACHED = step_everywhere()


@pytest.mark.parametrize("state", disputes.STATES)
def test_every_state_can_be_reached_and_has_an_exit_or_is_final(state):
    situations = {here: there for here, there in REACHED.items() if here[0] == state}
    assert situations
    for here, there in situations.items():
        leads_on = any(target != state for target, _, _ in there)
        assert leads_on is (state != "not_a_dispute"), here


@given(st.sampled_from(sorted(REACHED)), st.sampled_from(ROLES), st.booleans(), st.booleans(), st.booleans())
def test_nobody_outside_the_table_moves(here, role, is_handler, is_author, at_station):
    state, came_from, was_accepted = here
    who = {
        "role": role,
        "is_handler": is_handler,
        "is_author": is_author,
        "at_station": at_station,
        "was_accepted": was_accepted,
        "came_from": came_from,
    }
    moves = allowed_moves(state, **who)
    for move in moves:
        assert role in move.roles
        assert state in move.source
        assert at_station or not move.station_only
        assert is_handler or move.by is not flow.By.HANDLER
        assert is_author or move.by is not flow.By.AUTHOR
        assert move.case in (None, was_accepted)
        assert check_move(move.name, state, given=EVERYTHING_GIVEN, **who) is move
    for move in set(MOVES) - set(moves):
        with pytest.raises(RuleError) as refused:
            check_move(move.name, state, given=EVERYTHING_GIVEN, **who)
        assert (refused.value.field, refused.value.code) == ("state", "not_allowed")


@given(st.lists(st.integers(0, 60), max_size=40))
def test_a_refusal_stops_the_mediation_until_both_agree_anew(choices):
    here, stopped = (flow.NEW, "", False), False
    for choice in choices:
        options = sorted(REACHED[here])
        if not options:
            return
        here = options[choice % len(options)]
        if here[0] == "refused":
            stopped = True
        elif here[0] == "accepted":
            stopped = False
        assert not (stopped and here[0] in ("mediating", "suspended", "agreed_written", "agreed_oral", "performing"))


def test_from_refused_one_can_only_close_and_file():
    assert names("refused", was_accepted=True, came_from="mediating", **MEDIATOR) == {"close_case", "note_case"}
    assert names("refused", was_accepted=True, **WORKER) == set()


def test_a_heads_path_is_four_taps_offline_and_alone():
    state = flow.NEW
    for step, given_fields in (
        ("notice", ("category", "title")),
        ("settle_on_spot", ("result",)),
        ("follow_up", ("note",)),
        ("archive", ()),
    ):
        move = check_move(step, state, given=given_fields, **HEAD)
        assert not move.on_sync
        state = move.target_from(state)
    assert state == "archived"


def test_a_head_never_registers_and_sees_only_the_state_of_a_case():
    for state in STATES:
        assert not names(state, **HEAD) & {"register", "accept", "transfer", "close", "reopen", "settle_registered"}
        assert names(state, was_accepted=True, **(HEAD | {"at_station": True})) <= {"reopen"}
    assert names("noticed", **HEAD) == {"settle_on_spot", "hand_over", "dismiss", "note", "ask_for_help"}
    assert names("noticed", **(HEAD | {"is_handler": False})) == {"hand_over"}
    assert names("settled_on_spot", **(HEAD | {"is_handler": False, "is_author": False})) == set()


def test_the_leader_of_a_household_group_only_notices():
    leader = HEAD | {"role": "cluster_leader"}
    assert names(flow.NEW, **leader) == {"notice"}
    assert names("noticed", **leader) == {"hand_over"}


def test_after_acceptance_only_the_mediators_of_the_case_move_it():
    for state in disputes.STATES:
        for who in (HEAD, WORKER, WORKER | {"role": "station_staff"}, WORKER | {"role": "branch_secretary"}):
            assert names(state, was_accepted=True, came_from="mediating", **who) <= {"reopen"}
        outsider = MEDIATOR | {"is_handler": False}
        assert names(state, was_accepted=True, **outsider) <= {"change_mediator", "reopen"}


def test_a_case_from_registration_to_the_file():
    state, was_accepted, came_from = flow.NEW, False, ""
    for step, who, given_fields in (
        ("register", WORKER, ("category", "risk")),
        ("accept", MEDIATOR, ("mediator_ids", "parties_agreed")),
        ("begin", MEDIATOR, ()),
        ("hold_session", MEDIATOR, ("note",)),
        ("suspend", MEDIATOR, ("note",)),
        ("resume", MEDIATOR, ()),
        ("escalate_case", MEDIATOR, ("handed_to", "note")),
        ("return_to_case", MEDIATOR, ("note",)),
        ("agree_in_writing", MEDIATOR, ("result", "due_on")),
        ("confirm_in_court", MEDIATOR, ("note",)),
        ("begin_performance", MEDIATOR, ()),
        ("breach", MEDIATOR, ("note",)),
        ("urge", MEDIATOR, ("note",)),
        ("perform", MEDIATOR, ()),
        ("follow_up_case", MEDIATOR, ("note",)),
        ("archive_case", MEDIATOR, ("dossier_complete",)),
        ("reopen", WORKER, ("note",)),
        ("register", WORKER, ("category", "risk")),
    ):
        situation = {"was_accepted": was_accepted, "came_from": came_from}
        move = check_move(step, state, given=given_fields, **who, **situation)
        state, came_from, was_accepted = after(move, (state, came_from, was_accepted))
    assert (state, was_accepted) == ("registered", False)


def test_help_comes_back_to_where_it_was_asked_for():
    secretary = WORKER | {"role": "branch_secretary"}
    answered = check_move("answer_help", "escalated", given=("note",), came_from="noticed", **secretary)
    assert answered.target_from("escalated", came_from="noticed") == "noticed"
    assert names("escalated", **secretary) == set()  # nobody knows where it came from


@pytest.mark.parametrize(
    ("move", "state", "given_fields", "missing"),
    [
        ("accept", "registered", ("mediator_ids",), "parties_agreed"),
        ("not_accept", "registered", (), "note"),
    ],
)
def test_a_move_without_what_it_needs_is_refused(move, state, given_fields, missing):
    with pytest.raises(RuleError) as refused:
        check_move(move, state, given=given_fields, **MEDIATOR)
    assert (refused.value.field, refused.value.code) == (missing, "required")


@pytest.mark.parametrize("step", ["fail", "follow_up_breach"])
def test_parties_are_told_of_the_other_ways(step):
    assert "ways_told" in next(move.needs for move in MOVES if move.name == step)


def test_reopening_ends_after_ninety_days():
    who = WORKER | {"closed_at": instant("2026-03-01 10:00")}
    assert "reopen" in names("archived", now=instant("2026-05-30 23:59"), **who)
    assert "reopen" not in names("archived", now=instant("2026-05-31 00:00"), **who)


def test_who_counts_as_handler():
    def handles(state, role, handler_id=None, **more):
        return dispute_flow.handles(state, role=role, account_id="me", handler_id=handler_id, **more)

    assert handles("noticed", "building_head", "me")
    assert handles(flow.NEW, "building_head")
    assert not handles("noticed", "grid_worker", "another")
    assert handles("noticed", "grid_worker")  # handed over: the desk
    assert handles("registered", "station_staff", "another")
    assert handles("mediating", "mediator", "another", mediator_ids=("me", "you"), was_accepted=True)
    assert not handles("mediating", "grid_worker", "me", mediator_ids=("you",), was_accepted=True)


@pytest.mark.parametrize(
    ("signs", "numbers", "level", "reasons"),
    [
        ((), {}, Risk.GREEN, ()),
        (("violence",), {}, Risk.RED, ("violence",)),
        (("threat", "weapon", "property_company"), {}, Risk.RED, ("threat", "weapon")),
        ((), {"people": 10}, Risk.RED, ("ten_or_more",)),
        ((), {"people": 9}, Risk.GREEN, ()),
        (("property_company",), {}, Risk.YELLOW, ("property_company",)),
        ((), {"failed_attempts": 2, "households": 3}, Risk.YELLOW, ("several_households", "two_failed_attempts")),
        ((), {"open_days": 30}, Risk.GREEN, ()),
        ((), {"open_days": 31}, Risk.YELLOW, ("open_long",)),
        (("a_sign_of_a_newer_version",), {}, Risk.GREEN, ()),
    ],
)
def test_risk_levels(signs, numbers, level, reasons):
    found = risk_level(signs, **numbers)
    assert (found.risk, found.reasons) == (level, reasons)


def test_the_signs_are_those_of_the_record():
    assert set(disputes.RISK_SIGNS) | {"open_long"} == dispute_flow.RED_SIGNS | dispute_flow.YELLOW_SIGNS
    assert {risk.value for risk in Risk} == set(disputes.RISKS)


FRIDAY = instant("2026-11-13 09:00")
HOLIDAY_EVE = instant("2026-09-30 10:00")


@pytest.mark.parametrize(
    ("state", "since", "risk", "expected"),
    [
        ("noticed", FRIDAY, "red", FRIDAY + 2 * HOUR),
        ("noticed", FRIDAY, "green", instant("2026-11-18 09:00")),
        ("noticed", HOLIDAY_EVE, "green", instant("2026-10-10 10:00")),  # 8, 9 and the make-up Saturday
        ("registered", FRIDAY, "green", instant("2026-11-18 09:00")),
        ("registered", FRIDAY, "yellow", instant("2026-11-16 09:00")),
        ("registered", FRIDAY, "red", instant("2026-11-16 09:00")),
        ("reopened", FRIDAY, "green", instant("2026-11-16 09:00")),
        ("mediating", instant("2026-11-14 15:00"), "green", instant("2026-12-14 15:00")),
        ("accepted", instant("2026-01-31 15:00"), "green", instant("2026-02-28 15:00")),
        ("suspended", instant("2026-11-14 15:00"), "green", instant("2026-12-14 15:00")),
        ("settled_on_spot", FRIDAY, "green", FRIDAY + 7 * DAY),
        ("performing", FRIDAY, "green", FRIDAY + 7 * DAY),
        ("agreed_oral", FRIDAY, "green", FRIDAY + 30 * DAY),
        ("closed", FRIDAY, "green", FRIDAY + 30 * DAY),
        ("archived", FRIDAY, "red", None),
        ("escalated", FRIDAY, "red", None),
    ],
)
def test_time_limits(state, since, risk, expected):
    assert deadline(state, since=since, risk=risk, calendar=CN) == expected


def test_a_dispute_handed_over_is_registered_by_the_next_working_day():
    due = deadline("noticed", since=FRIDAY, risk="yellow", calendar=WorkCalendar(), handed_over=True)
    assert due == instant("2026-11-16 09:00")


@pytest.mark.parametrize("state", disputes.STATES)
@pytest.mark.parametrize("risk", list(Risk))
def test_no_limit_lies_before_its_start(state, risk):
    due = deadline(state, since=HOLIDAY_EVE, risk=risk, calendar=CN)
    assert due is None or due > HOLIDAY_EVE


def test_follow_up_and_court_days():
    assert dispute_flow.follow_ups_on("2026-11-19", risk="green") == ("2026-11-26",)
    assert dispute_flow.follow_ups_on("2026-11-19", risk="red") == ("2026-11-26", "2026-12-19")
    assert dispute_flow.court_days("2026-11-01") == ("2026-11-16", "2026-11-26", "2026-12-01")


def test_no_move_needs_an_attachment_or_a_fee():
    assert not [need for need in EVERYTHING_GIVEN if "attach" in need or "photo" in need or "fee" in need]
