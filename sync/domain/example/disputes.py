"""Small disputes with their steps, from the first sign to the file."""

from collections.abc import Iterator
from dataclasses import dataclass

from sync.domain.calendar import DAY, add_days, add_months, day_of
from sync.domain.dispute_flow import deadline
from sync.domain.example.dwellers import Story
from sync.domain.example.making import Maker
from sync.domain.example.people import Staff
from sync.domain.example.places import Home
from sync.domain.ids import derived_id
from sync.domain.operations import Operation, new

DISPUTES = {"small": 40, "station": 350, "stress": 2000}
_MATTERS = (
    ("02", "0201", "卫生间漏水", "楼上卫生间漏水，两家对费用有分歧。"),
    ("02", "0203", "夜间噪音", "夜里拖桌椅，楼下睡不好。"),
    ("02", "0202", "楼道堆物", "门口堆放纸箱，邻居进出不便。"),
    ("02", "0203", "晾衣滴水", "晾衣服滴水，打湿楼下被子。"),
    ("04", "0402", "物业费争议", "对电梯维修分摊有意见。"),
    ("01", "0102", "赡养分歧", "兄妹对轮流照顾老人说法不一。"),
    ("05", "", "宠物伤人", "遛狗没拴绳，咬破裤脚。"),
)
_STATES = (("archived", 0.82), ("settled_on_spot", 0.88), ("closed", 0.92), ("mediating", 0.96), ("noticed", 1.0))
_STEPS: dict[str, tuple[tuple[str, str], ...]] = {
    "noticed": (),
    "settled_on_spot": (("settle_on_spot", "settled_on_spot"),),
    "archived": (("settle_on_spot", "settled_on_spot"), ("follow_up", "followed_up"), ("archive", "archived")),
    "accepted": (("register", "registered"), ("accept", "accepted")),
    "mediating": (("register", "registered"), ("accept", "accepted"), ("begin", "mediating")),
    "performing": (
        ("register", "registered"),
        ("accept", "accepted"),
        ("begin", "mediating"),
        ("agree_orally", "agreed_oral"),
        ("begin_performance", "performing"),
    ),
    "closed": (("register", "registered"), ("not_accept", "not_accepted"), ("close", "closed")),
}
_CASES = frozenset({"accepted", "mediating", "performing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One dispute as it stands; ``steps`` are further steps of its own: (move, state, ms, note)."""

    title: str
    summary: str
    state: str
    at: int
    by: str
    home: Home | None = None
    other: Home | None = None
    building_id: str | None = None
    place: str = ""
    category: str = "02"
    subcategory: str = "0299"
    party: str = ""
    other_party: str = ""
    risk: str = "green"
    worker: str = ""
    mediator: str = ""
    accepted_at: int = 0
    due_on: str | None = None
    follow_up_on: str | None = None
    result: str = ""
    steps: tuple[tuple[str, str, int, str], ...] = ()


def dispute(maker: Maker, case: Case) -> Iterator[Operation]:
    """The dispute as it stands, every step it has made, and the open state of an accepted case."""
    dispute_id = maker.id(case.at)
    is_case = case.state in _CASES
    steps = list(case.steps) or [
        (move, state, case.at + (n + 1) * DAY, "") for n, (move, state) in enumerate(_STEPS[case.state])
    ]
    since = steps[-1][2] if steps else case.at
    accepted_on = day_of(case.accepted_at) if is_case else None
    due_on = case.due_on
    if due_on is None and case.state in ("noticed", "settled_on_spot"):
        limit = deadline(case.state, since=since, risk=case.risk, calendar=maker.calendar)
        due_on = day_of(limit) if limit else None
    if due_on is None and accepted_on:
        due_on = add_months(accepted_on, 1)
    settled = case.state in ("settled_on_spot", "archived")
    yield new(
        "dispute",
        dispute_id,
        compound_id=maker.named("compound", 1),
        building_id=case.building_id or (case.home.building_id if case.home else None),
        household_id=case.home.household_id if case.home else None,
        other_household_id=case.other.household_id if case.other else None,
        place=case.place,
        title=case.title,
        noticed_on=day_of(case.at),
        noticed_by=case.by,
        category=case.category,
        subcategory=case.subcategory,
        summary=case.summary,
        party_name=case.party,
        other_party_name=case.other_party,
        risk=case.risk,
        state=case.state,
        state_since=day_of(since),
        state_before=steps[-2][1] if len(steps) > 1 else "noticed" if steps else "",
        handler_id=None if case.state == "closed" else case.mediator if is_case else case.by,
        mediator_ids=(case.mediator,) if is_case else (),
        accepted_on=accepted_on,
        due_on=due_on,
        method="调解" if is_case else "当场说和" if settled else "",
        result=case.result or ("两家当面说开，各让一步。" if settled else ""),
        succeeded=True if settled else None,
        follow_up_on=case.follow_up_on or (add_days(day_of(since), 7) if case.state == "settled_on_spot" else None),
    )
    before = "new"
    for move, state, at, note in (("notice", "noticed", case.at, ""), *steps):
        yield new(
            "dispute_event",
            maker.id(at),
            dispute_id=dispute_id,
            at=at,
            by=case.by if state in ("noticed", "settled_on_spot") or not case.mediator else case.mediator,
            move=move,
            from_state=before,
            to_state=state,
            note=note,
        )
        before = state
    if is_case:
        yield new(
            "dispute_status",
            derived_id("dispute_status", dispute_id),
            dispute_id=dispute_id,
            compound_id=maker.named("compound", 1),
            noticed_by=case.by,
            title=case.title,
            state=case.state,
            due_on=due_on,
        )


def past(maker: Maker, told: list[Story], staff: Staff, count: int, *, spared: frozenset[str]) -> Iterator[Case]:
    """Disputes over the history, most of them settled on the spot; none noticed by those ``spared``."""
    lived_in = [s for s in told if s.is_home and s.home.room.unit and staff.head(s.home.building) not in spared]
    for _ in range(count):
        story = maker.pick(lived_in)
        other = maker.pick(lived_in)
        while other.home.building_id != story.home.building_id or other is story:
            other = maker.pick(lived_in)
        category, subcategory, title, summary = maker.pick(_MATTERS)
        draw = maker.chance.random()
        state = next(state for state, share in _STATES if draw < share) if maker.size != "small" else "archived"
        is_open = state in ("noticed", "mediating", "settled_on_spot")
        ago = int(maker.chance.random() * 6) + 4 if is_open else 30 + int(maker.chance.random() * (maker.last - 40))
        at = maker.at(ago, 9 + maker.chance.random() * 8)
        yield Case(
            title=title,
            summary=summary,
            state=state,
            at=at,
            by=staff.head(story.home.building),
            home=story.home,
            other=other.home,
            category=category,
            subcategory=subcategory,
            party=story.name,
            other_party=other.name,
            mediator=staff.ids["mediator"] if state in _CASES else "",
            accepted_at=at + 2 * DAY,
        )
