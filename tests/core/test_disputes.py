"""Noting disputes, going on with them step by step, and taking steps back."""

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sync.domain.act import Act
from sync.domain.calendar import DAY, instant
from sync.domain.dispute_flow import MOVES
from sync.domain.dispute_moves import DisputeMove, move, moves_for, next_move
from sync.domain.dispute_undo import UNDOABLE, is_undoable, undo
from sync.domain.disputes import (
    NoticeIntent,
    NoticePlace,
    amend,
    may_amend,
    notice,
    offered_categories,
)
from sync.domain.kinds.disputes import CATEGORIES, Dispute, DisputeEvent
from sync.domain.kinds.places import Grant
from sync.domain.operations import Operation
from sync.domain.roles import Places, viewer
from sync.domain.rules import load_rules
from sync.errors import AccessError, RuleError

RULES = load_rules(Path(__file__).parents[2] / "resources")
PLACES = Places("c", {"k": frozenset({"b3", "b1"})}, {"g": frozenset({"b3", "b1"})})
GRANTS = {
    "head": ("building_head", "building", "b3"),
    "other": ("building_head", "building", "b1"),
    "worker": ("grid_worker", "grid", "g"),
    "staff": ("station_staff", "compound", "k"),
    "mediator": ("mediator", "compound", "k"),
    "branch": ("branch_secretary", "compound", "k"),
}
NUMBERS = count(1)
NOW = "2026-11-23 09:00"  # a Monday
TABLE = RULES.dispute_categories
HERE = NoticePlace(categories=TABLE, compound_id="k", building_id="b3", household_id="h1", other_household_id="h2")
DRIPS = NoticeIntent(title="晾衣滴水", summary="楼上晾衣服滴水")


def act(who: str = "head", at: str = NOW) -> Act:
    role, scope_kind, scope_id = GRANTS[who]
    grant = Grant(account_id=who, role=role, scope_kind=scope_kind, scope_id=scope_id)
    me = viewer(who, [grant], PLACES, today=at[:10])
    return Act(me, instant(at), lambda _: f"id{next(NUMBERS)}", RULES.calendar)


class Story:
    """A dispute with its steps, as the operations leave it."""

    def __init__(self, intent: NoticeIntent = DRIPS, *, who: str = "head", at: str = NOW, place: NoticePlace = HERE):
        self.steps: list[DisputeEvent] = []
        self.dispute = Dispute()
        self.take(notice(act(who, at), intent, place))

    def take(self, operations: list[Operation]) -> None:
        for operation in operations:
            values = {k: tuple(v) if isinstance(v, list) else v for k, v in operation.fields.items()}
            if operation.kind == "dispute_event" and operation.action == "new":
                self.steps.append(DisputeEvent(id=operation.id, **values))
            elif operation.kind == "dispute_event":
                self.steps = [step for step in self.steps if step.id != operation.id]
            elif operation.action == "new":
                self.dispute = Dispute(id=operation.id, **values)
            else:
                known = {name: getattr(self.dispute, name) for name in Dispute.__struct_fields__}
                values.pop("deleted", None)
                self.dispute = Dispute(**{**known, **values})

    def go(self, name: str, who: str = "head", at: str = NOW, **fields: Any) -> Dispute:
        self.take(move(act(who, at), self.dispute, name, DisputeMove(**fields), categories=TABLE))
        return self.dispute

    def back(self, who: str = "head", at: str = NOW, step: int = -1) -> Dispute:
        self.take(undo(act(who, at), self.dispute, self.steps[step].id, self.steps))
        return self.dispute

    def moves(self, who: str = "head", at: str = NOW) -> list[str]:
        now = act(who, at)
        return [found.name for found in moves_for(now.viewer, self.dispute, now=now.now)]

    def accepted(self) -> "Story":
        self.go("hand_over")
        self.go("register", "worker", risk="green")
        self.go("accept", "mediator", mediator_ids=("mediator",), parties_agreed=True)
        return self


def refusal(verb: Any, *args: Any, **named: Any) -> tuple[str, str]:
    with pytest.raises(RuleError) as caught:
        verb(*args, **named)
    return caught.value.field, caught.value.code


# ------------------------------------------------------------------------------------------------------ noting


def test_a_sign_is_noted_with_its_first_step() -> None:
    story = Story(replace(DRIPS, title="  晾衣\r\n滴水 "))
    dispute, (step,) = story.dispute, story.steps
    assert (dispute.title, dispute.state, dispute.category, dispute.risk) == ("晾衣 滴水", "noticed", "02", "green")
    assert (dispute.noticed_by, dispute.handler_id, dispute.noticed_on) == ("head", "head", "2026-11-23")
    assert (dispute.compound_id, dispute.building_id, dispute.household_id) == ("k", "b3", "h1")
    assert (dispute.other_household_id, dispute.state_since) == ("h2", "2026-11-23")
    assert (dispute.due_on, dispute.follow_up_on) == ("2026-11-26", None)
    assert (step.move, step.from_state, step.to_state, step.dispute_id) == ("notice", "new", "noticed", dispute.id)


def test_a_red_sign_presses_today_and_an_earlier_day_counts_from_its_end() -> None:
    red = Story(replace(DRIPS, risk_signs=("threat",)))
    assert (red.dispute.risk, red.dispute.due_on, red.dispute.risk_signs) == ("red", "2026-11-23", ("threat",))
    assert Story(replace(DRIPS, risk_signs=("property_company",))).dispute.risk == "yellow"
    assert Story(replace(DRIPS, noticed_on="2026-11-20")).dispute.due_on == "2026-11-25"


def test_settled_at_once_is_one_step() -> None:
    story = Story(replace(DRIPS, result="装了挡水板", method="gave_way"))
    assert (story.dispute.state, story.dispute.succeeded, story.dispute.method) == ("settled_on_spot", True, "gave_way")
    assert (story.dispute.follow_up_on, story.dispute.due_on) == ("2026-11-30", None)
    assert [(step.move, step.note) for step in story.steps] == [("settle_on_spot", "装了挡水板")]
    assert story.moves() == ["note", "follow_up", "archive"]


def test_a_place_without_a_household_and_a_side_that_is_only_typed() -> None:
    place = NoticePlace(categories=TABLE, compound_id="k", building_id="b3")
    story = Story(replace(DRIPS, place="2单元楼道", other_party="5-1-302"), place=place)
    assert (story.dispute.place, story.dispute.other_party_name) == ("2单元楼道", "5-1-302")
    assert Story(DRIPS, who="staff", place=replace(HERE, building_id=None)).dispute.building_id is None
    assert refusal(notice, act(), DRIPS, place) == ("place", "place_needed")
    same = replace(HERE, other_household_id="h1")
    assert refusal(notice, act(), DRIPS, same) == ("other_party", "same_side")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": " "}, ("title", "required")),
        ({"category": "11"}, ("category", "unknown_choice")),
        ({"noticed_on": "2026-11-24"}, ("noticed_on", "future_date")),
        ({"noticed_on": "soon"}, ("noticed_on", "bad_date")),
        ({"risk_signs": ("weather",)}, ("risk_signs", "unknown_choice")),
    ],
)
def test_what_a_notice_refuses(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert refusal(notice, act(), replace(DRIPS, **changes), HERE) == expected


def test_who_may_note() -> None:
    with pytest.raises(AccessError, match="out_of_scope"):
        notice(act("other"), DRIPS, HERE)
    assert refusal(notice, act("branch"), DRIPS, HERE) == ("state", "not_allowed")
    assert Story(replace(DRIPS, category="11"), who="staff").dispute.category == "11"
    assert Story(who="mediator").dispute.noticed_by == "mediator"


def test_heads_are_offered_what_the_table_says() -> None:
    assert offered_categories(act().viewer, TABLE) == ("01", "02", "04", "05", "06", "99")
    assert offered_categories(act("worker").viewer, TABLE) == CATEGORIES
    only = tuple(msgspec.structs.replace(entry, head=entry.code == "02") for entry in TABLE.category)
    narrow = msgspec.structs.replace(TABLE, category=only)
    assert offered_categories(act().viewer, narrow) == ("02",)
    assert refusal(notice, act(), replace(DRIPS, category="01"), replace(HERE, categories=narrow)) == (
        "category",
        "unknown_choice",
    )


def test_a_note_is_put_right_until_somebody_goes_on_from_it() -> None:
    story = Story()
    (changed,) = amend(act(), story.dispute, replace(DRIPS, summary="又说了几句", risk_signs=("threat",)), HERE)
    assert changed.fields == {"summary": "又说了几句", "risk_signs": ["threat"], "risk": "red"}
    assert amend(act(), story.dispute, DRIPS, HERE) == []
    assert refusal(amend, act("other"), story.dispute, DRIPS, HERE) == ("state", "not_allowed")
    assert not may_amend(act("worker").viewer, story.dispute)
    story.go("settle_on_spot", result="说好了")
    assert refusal(amend, act(), story.dispute, DRIPS, HERE) == ("state", "not_allowed")


# ------------------------------------------------------------------------------------------------------- steps


def test_the_path_of_a_head_is_four_taps() -> None:
    story = Story()
    assert story.moves() == ["settle_on_spot", "hand_over", "dismiss", "note", "ask_for_help"]
    assert next_move(moves_for(act().viewer, story.dispute, now=instant(NOW)), state="noticed") == "settle_on_spot"
    settled = story.go("settle_on_spot", result="装了挡水板", method="gave_way")
    assert (settled.state, settled.state_before, settled.result) == ("settled_on_spot", "noticed", "装了挡水板")
    assert (settled.due_on, settled.follow_up_on, settled.succeeded) == (None, "2026-11-30", True)
    later = "2026-11-30 10:00"
    assert story.go("follow_up", at=later, note="没再滴水").due_on == "2026-12-30"
    assert story.dispute.follow_up_on is None
    done = story.go("archive", at=later)
    assert (done.state, done.due_on, done.state_since) == ("archived", None, "2026-11-30")
    assert [step.move for step in story.steps] == ["notice", "settle_on_spot", "follow_up", "archive"]
    assert story.moves(at=later) == []
    assert next_move((), state="archived") == ""


def test_what_is_handed_over_lies_with_the_desk() -> None:
    story = Story()
    handed = story.go("hand_over", note="说不拢")
    assert (handed.state, handed.handler_id, handed.due_on) == ("noticed", None, "2026-11-24")
    assert story.moves() == ["hand_over"]
    assert "register" in story.moves("worker")
    assert story.go("take_over", "worker", note="我去谈").handler_id == "worker"
    assert story.go("settle_on_spot", "worker", result="谈好了").handler_id == "worker"


def test_the_station_registers_settles_or_transfers() -> None:
    story = Story()
    registered = story.go("register", "staff", risk="yellow", category="04")
    assert (registered.state, registered.category, registered.risk) == ("registered", "04", "yellow")
    assert (registered.handler_id, registered.due_on) == (None, "2026-11-24")
    assert story.go("settle_registered", "worker", result="谈好了").handler_id == "worker"
    transferred = Story()
    transferred.go("register", "staff", risk="green")
    gone = transferred.go("transfer", "staff", handed_to="司法所", note="涉诉")
    assert (gone.state, gone.handed_to, gone.due_on) == ("transferred", "司法所", None)
    assert transferred.steps[-1].note == "司法所 · 涉诉"
    assert transferred.go("close", "staff", note="已收").due_on == "2026-12-23"


def test_help_of_the_branch_comes_back() -> None:
    story = Story()
    asked = story.go("ask_for_help", handed_to="支部", note="请来一起谈")
    assert (asked.state, asked.handed_to, asked.due_on) == ("escalated", "支部", None)
    back = story.go("answer_help", "branch", at="2026-11-24 09:00", note="书记一起去了")
    assert (back.state, back.due_on, back.state_before) == ("noticed", "2026-11-27", "escalated")
    assert "settle_on_spot" in story.moves()


def test_an_accepted_case_belongs_to_its_mediators() -> None:
    story = Story().accepted()
    case = story.dispute
    assert (case.state, case.accepted_on, case.due_on) == ("accepted", "2026-11-23", "2026-12-23")
    assert (case.mediator_ids, case.handler_id) == (("mediator",), None)
    assert story.moves() == []
    assert story.moves("worker") == []
    assert story.go("begin", "mediator").due_on == "2026-12-23"
    story.go("hold_session", "mediator", note="第一次，到场 4 人")
    assert story.go("suspend", "mediator", note="等鉴定").state == "suspended"
    assert story.go("resume", "mediator").state == "mediating"
    longer = story.go("extend", "mediator", due_on="2027-01-10", note="等天气", parties_agreed=True)
    assert longer.due_on == "2027-01-10"
    agreed = story.go("agree_in_writing", "mediator", result="402 修好地漏", due_on="2026-12-01")
    assert (agreed.method, agreed.succeeded, agreed.follow_up_on) == ("written", True, "2026-12-08")
    assert story.go("begin_performance", "mediator").due_on == "2026-12-01"
    story.go("confirm_in_court", "mediator", note="法院 12 号")
    assert story.go("perform", "mediator").follow_up_on == "2026-12-08"
    filed = story.go("follow_up_case", "mediator", at="2026-12-08 09:00", note="都好")
    assert (filed.state, filed.due_on, filed.follow_up_on) == ("followed_up", "2027-01-07", None)
    assert story.go("archive_case", "mediator", dossier_complete=True).state == "archived"


def test_a_red_case_is_called_again_after_a_month() -> None:
    story = Story(replace(DRIPS, risk_signs=("threat",))).accepted()
    story.go("begin", "mediator")
    story.take([Operation(kind="dispute", id=story.dispute.id, action="patch", fields={"risk": "red"})])
    story.go("agree_orally", "mediator", result="赔礼", due_on="2026-11-25")
    assert story.dispute.method == "oral"
    story.go("begin_performance", "mediator")
    story.go("breach", "mediator", note="没赔")
    story.go("urge", "mediator", note="催了")
    called = story.go("follow_up_breach", "mediator", at="2026-12-02 09:00", note="告知可起诉", ways_told=True)
    assert (called.follow_up_on, called.due_on) == ("2026-12-25", "2027-01-01")


def test_a_refusal_stops_the_mediation() -> None:
    story = Story().accepted()
    refused = story.go("refuse", "mediator", note="乙方不愿再谈")
    assert (refused.state, refused.succeeded, refused.due_on) == ("refused", False, None)
    assert "begin" not in story.moves("mediator")
    closed = story.go("close_case", "mediator", note="终止")
    assert closed.due_on == "2026-12-23"
    again = story.go("reopen", "mediator", note="又找来")
    assert (again.state, again.accepted_on, again.mediator_ids) == ("reopened", None, ())
    assert (again.succeeded, again.due_on) == (None, "2026-11-24")
    failed = Story().accepted()
    failed.go("begin", "mediator")
    assert failed.go("fail", "mediator", note="谈不拢", ways_told=True).succeeded is False


def test_a_case_can_go_up_and_come_back_and_change_hands() -> None:
    story = Story().accepted()
    story.go("begin", "mediator")
    up = story.go("escalate_case", "mediator", handed_to="街道", note="请协调")
    assert (up.state, up.handed_to, up.due_on) == ("escalated", "街道", "2026-12-23")
    assert story.go("return_to_case", "mediator", note="街道来过").state == "mediating"
    assert story.go("change_mediator", "mediator", mediator_ids=("m2",), parties_agreed=True).mediator_ids == ("m2",)
    assert story.moves("mediator") == ["change_mediator"]


def test_reopening_ends_after_ninety_days() -> None:
    story = Story(replace(DRIPS, result="说好了"))
    story.go("archive")
    assert story.moves("staff") == ["reopen"]
    late = act("staff", "2027-03-01 09:00")
    assert moves_for(late.viewer, story.dispute, now=late.now) == ()
    nowhere = moves_for(act("other").viewer, story.dispute, now=instant(NOW) + DAY)
    assert nowhere == ()


def test_what_a_step_needs_and_refuses() -> None:
    story = Story()
    assert refusal(story.go, "settle_on_spot") == ("result", "required")
    assert refusal(story.go, "register") == ("state", "not_allowed")
    assert refusal(story.go, "register", "worker") == ("risk", "required")
    assert refusal(story.go, "register", "worker", risk="blue") == ("risk", "unknown_choice")
    assert refusal(story.go, "register", "worker", risk="red", category="77") == ("category", "unknown_choice")
    other = Story(replace(DRIPS, category="12"), who="staff")
    other.go("register", "staff", risk="green")
    taken = {"mediator_ids": ("mediator",), "parties_agreed": True}
    assert refusal(other.go, "accept", "mediator", **taken) == ("category", "transfer_only")
    story.go("register", "worker", risk="green")
    assert refusal(story.go, "accept", "mediator", mediator_ids=("mediator",)) == ("parties_agreed", "required")
    assert refusal(story.go, "accept", "mediator", **{**taken, "mediator_ids": ("m2",)}) == (
        "mediator_ids",
        "yourself_needed",
    )
    twice = {**taken, "mediator_ids": ("mediator", "mediator")}
    assert refusal(story.go, "accept", "mediator", **twice) == ("mediator_ids", "unknown_choice")
    story.go("accept", "mediator", **taken)
    extended = {"note": "x", "parties_agreed": True}
    assert refusal(story.go, "extend", "mediator", due_on="2026-11-20", **extended) == ("due_on", "past_date")
    assert refusal(story.go, "extend", "mediator", due_on="2026-12-23", **extended) == ("due_on", "not_longer")
    assert refusal(story.go, "extend", "mediator", due_on="never", **extended) == ("due_on", "bad_date")
    with_two = Story()
    with_two.go("hand_over")
    assert refusal(with_two.go, "settle_on_spot", "other", result="x") == ("state", "not_allowed")


# ------------------------------------------------------------------------------------------------- taking back


def test_the_first_step_goes_with_the_dispute() -> None:
    story = Story()
    story.go("note", note="又听说")
    gone = undo(act(), story.dispute, story.steps[0].id, story.steps)
    assert [(o.kind, o.fields) for o in gone] == [
        ("dispute_event", {"deleted": True}),
        ("dispute_event", {"deleted": True}),
        ("dispute", {"deleted": True}),
    ]
    stranger = DisputeEvent(id="x", by="staff", at=instant(NOW), move="note", from_state="noticed", to_state="noticed")
    assert refusal(undo, act(), story.dispute, story.steps[0].id, [*story.steps, stranger]) == (
        "state",
        "not_undoable",
    )


def test_a_settlement_is_taken_back_with_its_days() -> None:
    story = Story()
    before = story.dispute
    story.go("settle_on_spot", at="2026-11-24 09:00", result="说好了", method="talked")
    story.go("note", at="2026-11-24 09:10", note="路上遇到")
    assert story.back(at="2026-11-24 10:00", step=1) == before
    assert story.back(at="2026-11-24 10:00", step=-1) == before  # the note goes by itself
    assert len(story.steps) == 1


def test_handing_over_asking_and_filing_are_taken_back() -> None:
    story = Story()
    before = story.dispute
    story.go("hand_over")
    assert story.back() == before
    story.go("ask_for_help", handed_to="支部", note="来")
    assert story.back() == before
    story.go("dismiss", note="只是问问")
    assert story.back() == before
    story.go("hand_over")
    story.go("take_over", "worker", note="我去")
    story.go("settle_on_spot", "worker", result="好了")
    assert story.back("worker").due_on == "2026-11-24"  # it had been handed over
    settled = Story()
    before = settled.go("settle_on_spot", result="好了")
    settled.go("follow_up", note="没事了")
    called = settled.dispute
    settled.go("archive")
    assert settled.back() == called
    assert settled.back() == before


def test_the_middle_of_a_case_is_taken_back_and_still_leads_on() -> None:
    story = Story().accepted()
    story.go("begin", "mediator")
    story.go("suspend", "mediator", note="等")
    before = story.dispute
    story.go("resume", "mediator")
    assert story.back("mediator") == before
    assert "resume" in story.moves("mediator")


def test_what_cannot_be_taken_back() -> None:
    story = Story().accepted()
    event_id = story.steps[-1].id
    assert not is_undoable(act("mediator"), story.dispute, event_id, story.steps)  # accepting binds
    assert not is_undoable(act("head"), story.dispute, story.steps[0].id, story.steps)  # others have gone on
    story.go("begin", "mediator")
    event_id = story.steps[-1].id
    assert is_undoable(act("mediator"), story.dispute, event_id, story.steps)
    assert not is_undoable(act("mediator", "2026-11-24 09:00"), story.dispute, event_id, story.steps)
    assert not is_undoable(act("staff"), story.dispute, event_id, story.steps)
    assert not is_undoable(act("mediator"), story.dispute, "nobody", story.steps)
    assert {found.name for found in MOVES} >= UNDOABLE
