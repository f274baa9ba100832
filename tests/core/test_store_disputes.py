"""Disputes in the store: noted, moved, accepted, taken back; and what each role sees of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sync.domain.dispute_moves import DisputeMove
from sync.domain.disputes import NoticeIntent
from sync.domain.ids import derived_id
from sync.domain.operations import new
from sync.errors import RuleError
from sync.store import disputes
from sync.store.dispute_rows import DisputeRow
from sync.store.disputes import DisputeCard, Sides
from world import World, rules

DRIPS = NoticeIntent(title="晾衣滴水", summary="楼上晾衣服滴水", place="3-1-201", other_party="3-1-301")
TODAY = "2026-11-23"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def noted(world: World, intent: NoticeIntent = DRIPS, *, by: str = "head3", sides: Sides | None = None) -> str:
    return disputes.record(world.store, world.as_(by), intent, sides or Sides()).dispute_id


def moved(world: World, dispute_id: str, name: str, *, by: str = "head3", **fields: Any) -> None:
    disputes.step(world.store, world.as_(by), dispute_id, name, DisputeMove(**fields))


def accepted(world: World, intent: NoticeIntent = DRIPS) -> str:
    dispute_id = noted(world, intent)
    moved(world, dispute_id, "hand_over")
    moved(world, dispute_id, "register", by="staff", risk="green")
    moved(world, dispute_id, "accept", by="mediator", mediator_ids=(world.as_("mediator"),), parties_agreed=True)
    return dispute_id


def card(world: World, dispute_id: str, *, by: str = "head3") -> DisputeCard | None:
    calendar = rules().calendar
    return disputes.card(world.store.db, world.viewer(by), dispute_id, calendar=calendar, now=world.clock())


def seen(world: World, dispute_id: str, *, by: str = "head3") -> DisputeCard:
    found = card(world, dispute_id, by=by)
    assert found is not None
    return found


def shelf(world: World, name: str, *, by: str = "head3") -> tuple[str, ...]:
    return disputes.listed(world.store.db, world.viewer(by), shelf=name)


def due(world: World, *, by: str = "head3", today: str = TODAY) -> list[tuple[str, str, str | None]]:
    rows: Sequence[DisputeRow] = disputes.due_items(world.store.db, world.viewer(by), today)
    return [(row.dispute_id, row.next_step, row.next_on) for row in rows]


def test_the_path_of_a_head(world: World) -> None:
    dispute_id = noted(world)
    found = seen(world, dispute_id)
    assert (found.row.side, found.row.other_side, found.row.title) == ("3-1-201", "3-1-301", "晾衣滴水")
    assert (found.row.state, found.row.next_step, found.row.next_on) == ("noticed", "settle", "2026-11-26")
    assert (found.next_move, found.may_amend, found.summary) == ("settle_on_spot", True, "楼上晾衣服滴水")
    assert [(step.move, step.by_name, step.is_undoable) for step in found.steps] == [("notice", "王秀兰", True)]
    moved(world, dispute_id, "settle_on_spot", result="装了挡水板", method="gave_way")
    found = seen(world, dispute_id)
    assert (found.result, found.method, found.follow_up_on) == ("装了挡水板", "gave_way", "2026-11-30")
    assert (found.row.next_step, found.row.next_on, found.may_amend) == ("call", "2026-11-30", False)
    assert due(world) == []
    assert due(world, today="2026-11-28") == [(dispute_id, "call", "2026-11-30")]
    moved(world, dispute_id, "follow_up", note="没再滴水")
    assert seen(world, dispute_id).row.next_step == "file"
    moved(world, dispute_id, "archive")
    assert shelf(world, "mine") == ()
    assert shelf(world, "finished") == (dispute_id,)
    assert seen(world, dispute_id).row.next_on is None


def test_typed_sides_lead_to_households_at_hand_and_stay_text_otherwise(world: World) -> None:
    other = seen(world, noted(world, replace(DRIPS, place="三号楼1单元201室", other_party="1-1-101")))
    assert other.row.household_id == world.id("b3:201")
    assert (other.row.other_side, other.other_party, other.place) == ("1-1-101", "1-1-101", "3-1-201")
    at_desk = seen(world, noted(world, replace(DRIPS, other_party="1-1-101"), by="staff"), by="staff")
    assert at_desk.other_household_id == world.id("b1:101")
    common = seen(world, noted(world, replace(DRIPS, place="楼道", other_party="")))
    assert (common.row.side, common.row.building_id, common.row.other_side) == ("楼道", world.id("b3"), "")
    gate = seen(world, noted(world, replace(DRIPS, place="东门", other_party="车主"), by="staff"), by="staff")
    assert (gate.row.side, gate.row.building_id, gate.row.compound_id) == ("东门", None, world.id("compound"))
    named = seen(world, noted(world, replace(DRIPS, place="2号楼1单元", other_party=""), by="staff"), by="staff")
    assert named.row.building_id == world.id("b2")
    chosen = Sides(household_id=world.id("b3:101"), other_household_id=world.id("b3:102"))
    assert seen(world, noted(world, replace(DRIPS, place="", other_party=""), sides=chosen)).row.side == "3-1-101"
    # A household of another building is there, but its door is not this head's to read.
    hidden = noted(world, replace(DRIPS, other_party="1-1-101"), by="staff")
    row = disputes.by_ids(world.store.db, world.viewer("staff"), (hidden, "gone"))
    assert [r.other_side if r else None for r in row] == ["1-1-101", None]


def test_what_cannot_be_placed_is_refused(world: World) -> None:
    stranger = Sides(household_id=world.id("b1:101"))
    with pytest.raises(RuleError, match="unknown_household"):
        noted(world, sides=stranger)
    with pytest.raises(RuleError, match="unknown_household"):
        noted(world, sides=Sides(other_household_id="nobody"))
    for slip in (replace(DRIPS, place="3-9-999"), replace(DRIPS, place="999"), replace(DRIPS, other_party="3-1-999")):
        with pytest.raises(RuleError, match="room_not_found"):
            noted(world, slip)
    with pytest.raises(RuleError, match="place_needed"):
        noted(world, replace(DRIPS, place=""))
    second = world.id("k2")
    world.store.seed([new("compound", second, name="向阳里二期")])
    gate = replace(DRIPS, place="东门", other_party="")
    with pytest.raises(RuleError, match="place_needed"):
        noted(world, gate, by="secretary")
    with pytest.raises(RuleError, match="not_allowed"):  # the place is known now, but noting is not a secretary's
        noted(world, gate, by="secretary", sides=Sides(compound_id=second))


def test_another_head_sees_nothing(world: World) -> None:
    dispute_id = noted(world)
    assert card(world, dispute_id, by="head1") is None
    assert disputes.mediators(world.store.db, world.viewer("head1"), dispute_id) == ()
    for name in disputes.SHELVES:
        assert shelf(world, name, by="head1") == ()
    with pytest.raises(RuleError, match="unknown_record"):
        moved(world, dispute_id, "note", by="head1", note="x")
    assert disputes.of_household(world.store.db, world.viewer("head1"), world.id("b3:201")) == ()
    mine = disputes.of_household(world.store.db, world.viewer("head3"), world.id("b3:301"))
    assert [row.dispute_id for row in mine] == [dispute_id]


def test_a_note_is_put_right(world: World) -> None:
    dispute_id = noted(world)
    me = world.as_("head3")
    better = replace(DRIPS, other_party="3-1-302", risk_signs=("threat",))
    assert disputes.change(world.store, me, dispute_id, better, Sides()) == {("dispute", dispute_id)}
    assert disputes.change(world.store, me, dispute_id, better, Sides()) == frozenset()
    found = seen(world, dispute_id)
    assert (found.row.other_side, found.row.risk, found.risk_signs) == ("3-1-302", "red", ("threat",))
    assert (found.row.next_step, found.row.next_on) == ("report", TODAY)


def told(world: World, dispute_id: str, state: str = "accepted", title: str = "晾衣滴水") -> None:
    """What the server makes of an accepted case for those who may not read it."""
    status = new(
        "dispute_status",
        derived_id("dispute_status", dispute_id),
        dispute_id=dispute_id,
        compound_id=world.id("compound"),
        noticed_by=world.as_("head3"),
        title=title,
        state=state,
        due_on="2026-12-23",
    )
    world.store.seed([status])


def test_after_acceptance_only_the_state_is_left_to_others(world: World) -> None:
    dispute_id = accepted(world)
    assert card(world, dispute_id) is None  # the case lies in this file, and is not theirs
    told(world, dispute_id)
    for by in ("head3", "grid", "staff", "branch"):
        found = seen(world, dispute_id, by=by)
        assert found == DisputeCard(found.row)
        assert (found.row.is_state_only, found.row.state, found.row.title) == (True, "accepted", "晾衣滴水")
        assert (found.row.category, found.row.next_on, found.row.side) == ("", None, "")
        assert found.row.noticed_by_name == "王秀兰"
    assert card(world, dispute_id, by="head1") is None
    full = seen(world, dispute_id, by="mediator")
    assert (full.row.is_state_only, full.mediators, full.due_on) == (False, ("高志远",), "2026-12-23")
    assert (full.summary, len(full.steps), full.row.side) == ("楼上晾衣服滴水", 4, "3-1-201")
    assert shelf(world, "cases", by="mediator") == (dispute_id,)
    assert shelf(world, "mine") == shelf(world, "open", by="staff") == (dispute_id,)
    assert due(world) == [(dispute_id, "mediate", None)]
    assert due(world, by="staff") == []
    moved(world, dispute_id, "begin", by="mediator")
    moved(world, dispute_id, "hold_session", by="mediator", note="第一次")
    assert due(world, by="mediator", today="2026-12-20") == [(dispute_id, "mediate", "2026-12-23")]
    with pytest.raises(RuleError, match="unknown_record"):
        moved(world, dispute_id, "note_case", by="staff", note="x")


def test_a_reopened_dispute_is_read_in_full_again(world: World) -> None:
    dispute_id = accepted(world)
    told(world, dispute_id, "closed")
    moved(world, dispute_id, "refuse", by="mediator", note="不愿再谈")
    moved(world, dispute_id, "close_case", by="mediator", note="终止")
    assert due(world) == []
    moved(world, dispute_id, "reopen", by="mediator", note="又来")
    assert not seen(world, dispute_id).row.is_state_only
    assert due(world, by="staff") == [(dispute_id, "register", "2026-11-24")]


def test_what_is_due_depends_on_who_asks(world: World) -> None:
    own = noted(world)
    assert due(world) == [(own, "settle", "2026-11-26")]
    assert due(world, by="staff") == []
    moved(world, own, "hand_over")
    assert due(world) == []
    assert due(world, by="staff") == [(own, "register", "2026-11-24")]
    assert seen(world, own, by="staff").row.is_handed_over
    moved(world, own, "register", by="staff", risk="yellow")
    assert due(world, by="staff") == []
    assert due(world, by="mediator") == [(own, "decide", "2026-11-24")]
    help_wanted = noted(world)
    moved(world, help_wanted, "ask_for_help", handed_to="支部", note="请来")
    assert due(world, by="branch") == [(help_wanted, "file", None)]
    assert disputes.counts(world.store.db, world.viewer("head3")) == {
        **dict.fromkeys(disputes.SHELVES, 0),
        "open": 2,
        "mine": 2,
    }


def test_mediators_are_those_of_the_compound(world: World) -> None:
    dispute_id = noted(world)
    found = disputes.mediators(world.store.db, world.viewer("staff"), dispute_id)
    assert [(choice.id, choice.name) for choice in found] == [(world.as_("mediator"), "高志远")]


def test_an_own_step_is_taken_back(world: World) -> None:
    dispute_id = noted(world)
    moved(world, dispute_id, "settle_on_spot", result="说好了")
    last = seen(world, dispute_id).steps[-1]
    disputes.take_back(world.store, world.as_("head3"), dispute_id, last.event_id)
    assert seen(world, dispute_id).row.state == "noticed"
    first = seen(world, dispute_id).steps[0]
    disputes.take_back(world.store, world.as_("head3"), dispute_id, first.event_id)
    assert card(world, dispute_id) is None
    assert shelf(world, "mine") == ()
