"""Demands with the steps that led to their state, and what residents ask for."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sync.domain.calendar import DAY, HOUR, add_days, day_of
from sync.domain.categories import DEFAULT_CATEGORIES
from sync.domain.demand_flow import due_times
from sync.domain.demands import detail
from sync.domain.example.dwellers import Story
from sync.domain.example.making import Maker
from sync.domain.example.people import Staff
from sync.domain.example.places import Home
from sync.domain.operations import Operation, new

DEMANDS = {"small": 420, "station": 3000, "stress": 30_000}
_OPEN = {"small": 0.0, "station": 0.05, "stress": 0.03}

# category → (sort, what is asked for) of things that happen behind a door
_ASKED: tuple[tuple[str, str, str], ...] = (
    ("01", "complaint", "卫生间顶棚渗水"),
    ("01", "complaint", "外墙渗水，墙皮脱落"),
    ("02", "complaint", "水压太低"),
    ("02", "need", "燃气软管到期要换"),
    ("03", "complaint", "门禁卡失灵"),
    ("03", "complaint", "对讲听不见"),
    ("04", "need", "想装充电桩"),
    ("04", "complaint", "车位被占"),
    ("05", "complaint", "门口垃圾没人清"),
    ("07", "complaint", "物业费账目看不懂"),
    ("08", "need", "想申请助餐"),
    ("10", "need", "轮椅要修"),
    ("11", "need", "家里一时困难"),
    ("12", "consultation", "问灵活就业社保"),
    ("13", "consultation", "想学手机挂号"),
    ("13", "need", "代办医保"),
    ("14", "suggestion", "想组织孩子们读书会"),
    ("15", "complaint", "楼上夜里有动静"),
    ("16", "suggestion", "希望早点选业委会"),
    ("99", "wish", "想要一把遮阳伞给门卫"),
)
_COORDINATED = tuple(asked for asked in _ASKED if DEFAULT_CATEGORIES[asked[0]].urgency == "coordinated")
_URGENT = (("02", "停水一天了"), ("06", "楼道电线冒火花"), ("02", "暖气片漏水"), ("06", "消防栓没水"), ("02", "停电了"))
_PUBLIC = (("03", "楼道灯不亮"), ("05", "楼道堆杂物"), ("03", "电梯异响"), ("06", "消防通道被堵"), ("04", "车位划线"))
_DONE = (
    "已修好。",
    "已换新件，当面试过。",
    "已帮着办完。",
    "已说明政策，居民清楚了。",
    "已清理。",
    "已联系上，对方答应了。",
)
_STEPS: dict[str, tuple[str, ...]] = {
    "collected": (),
    "accepted": ("accept",),
    "dispatched": ("accept", "dispatch"),
    "taken": ("accept", "dispatch", "take"),
    "in_progress": ("accept", "dispatch", "take", "start"),
    "suspended": ("accept", "suspend"),
    "scheduled": ("accept", "schedule"),
    "escalated": ("accept", "escalate"),
    "resolved": ("accept", "dispatch", "take", "resolve"),
    "replied": ("accept", "dispatch", "take", "resolve", "reply"),
    "evaluated": ("accept", "dispatch", "take", "resolve", "reply", "evaluate"),
    "archived": ("accept", "dispatch", "take", "resolve", "reply", "evaluate", "archive"),
    "withdrawn": ("withdraw",),
    "answered_on_spot": (),
}
_AFTER = {
    "accept": "accepted",
    "dispatch": "dispatched",
    "take": "taken",
    "start": "in_progress",
    "suspend": "suspended",
    "schedule": "scheduled",
    "escalate": "escalated",
    "resolve": "resolved",
    "reply": "replied",
    "evaluate": "evaluated",
    "archive": "archived",
    "withdraw": "withdrawn",
}
_CLOSED = frozenset({"resolved", "replied", "evaluated", "archived", "answered_on_spot"})
_TOLD = frozenset({"replied", "evaluated", "archived"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One demand as it stands: what, where, since when, and how far it has come. Times are ms, ``took`` hours.

    ``steps`` give steps a time and words of their own: (move, ms, note).
    """

    title: str
    category: str
    state: str
    at: int
    took: float = 50
    kind: str = "complaint"
    home: Home | None = None
    scope: str = "household"
    scope_id: str = ""
    building_id: str | None = None
    urgency: str = "routine"
    source: str = "phone"
    by: str = ""
    raised_by: str = ""
    handler_id: str | None = None
    partner: str = ""
    details: str = ""
    result: str = ""
    close_kind: str = "substantive"
    evaluation: str = ""
    review_on: str | None = None
    affected: int = 1
    visit_id: str | None = None
    steps: tuple[tuple[str, int, str], ...] = ()


def demand(maker: Maker, plan: Plan, serial: int) -> Iterator[Operation]:
    """The demand as it stands and every step it has made."""
    respond, resolve = due_times(plan.urgency, reported_at=plan.at, calendar=maker.calendar)
    demand_id = maker.id(plan.at)
    on_spot = plan.state == "answered_on_spot"
    own = {move: (at, note) for move, at, note in plan.steps}
    moves = _STEPS[plan.state]
    took = min(int(plan.took * HOUR), maker.at(0, 8) - plan.at)  # nothing has happened yet today
    times = [own[move][0] if move in own else plan.at + took * (n + 1) // len(moves) for n, move in enumerate(moves)]
    closed_at = next((at for move, at in zip(moves, times, strict=True) if move == "resolve"), plan.at)
    told_at = next((at for move, at in zip(moves, times, strict=True) if move == "reply"), closed_at)
    building_id = plan.building_id or (plan.home.building_id if plan.home else None)
    category = DEFAULT_CATEGORIES[plan.category]
    hidden = category.sensitive and building_id is not None
    partner_id = maker.named(plan.partner, 4) if plan.partner else None
    gone_out = plan.state not in ("collected", "accepted", "suspended", "scheduled", "answered_on_spot", "withdrawn")
    yield new(
        "demand",
        demand_id,
        building_id=building_id,
        compound_id=maker.named("compound", 1),
        household_id=plan.home.household_id if plan.home else None,
        scope=plan.scope,
        scope_id=plan.home.household_id if plan.home and plan.scope == "household" else plan.scope_id,
        demand_no=f"001{day_of(plan.at).replace('-', '')}A0{serial:03d}",
        source=plan.source,
        visit_id=plan.visit_id,
        raised_by=plan.raised_by,
        category=plan.category,
        demand_kind=plan.kind,
        title=category.label if hidden else plan.title,
        details="" if hidden else plan.details,
        affected_count=plan.affected,
        urgency=plan.urgency,
        level="community" if plan.state == "escalated" else "head" if on_spot else "station",
        state=plan.state,
        state_before=_AFTER.get(moves[-2], "collected") if len(moves) > 1 else "collected" if moves else "",
        handler_id=plan.handler_id if plan.state != "collected" and not on_spot else None,
        partner_id=partner_id if gone_out else None,
        result="" if hidden or plan.state not in _CLOSED else plan.result or maker.pick(_DONE),
        close_kind=plan.close_kind if plan.state in _CLOSED and not on_spot else "",
        review_on=plan.review_on,
        replied_on=day_of(told_at) if plan.state in _TOLD else None,
        reply_mode="in_person" if plan.state in _TOLD else "",
        evaluation=plan.evaluation,
        resolved_at=closed_at if plan.state in _CLOSED else None,
        respond_due_at=respond,
        resolve_due_at=resolve,
        reported_at=plan.at,
        recorded_by=plan.by,
    )
    before, first = "new", "answer_on_spot" if on_spot else "create"
    for move, at in ((first, plan.at), *zip(moves, times, strict=True)):
        state = ("answered_on_spot" if on_spot else "collected") if move == first else _AFTER[move]
        note = own[move][1] if move in own else "益民物业" if move == "dispatch" and plan.partner == "property" else ""
        yield new(
            "demand_event",
            maker.id(at),
            demand_id=demand_id,
            at=at,
            by=plan.by if move == first or not plan.handler_id else plan.handler_id,
            move=move,
            from_state=before,
            to_state=state,
            note=note,
        )
        before = state
    if hidden and building_id is not None:
        yield detail(maker.id(plan.at), demand_id, building_id, title=plan.title, details=plan.details)


def finished(maker: Maker, told: list[Story], staff: Staff, count: int) -> Iterator[Plan]:
    """Matters of the past, spread over the history and all settled."""
    lived_in = [story for story in told if story.is_home]
    for _ in range(count):
        chance = maker.chance
        story = maker.pick(lived_in)
        ago = 20 + int(chance.random() * (maker.last - 30))
        category, kind, title = maker.pick(_ASKED)
        draw = chance.random()
        state = "archived" if draw < 0.7 else "answered_on_spot" if draw < 0.95 else "withdrawn"
        urgency = DEFAULT_CATEGORIES[category].urgency
        if draw < 0.1:
            (category, title), kind, urgency = maker.pick(_URGENT), "complaint", "urgent"
        yield Plan(
            title=title,
            category=category,
            state=state,
            at=maker.at(ago, 8.5 + chance.random() * 9),
            took=24 + chance.random() * 240,
            kind=kind,
            home=story.home,
            urgency=urgency,
            source=maker.pick(("visit", "phone", "station", "board", "reception_day")),
            by=staff.visitors(story.home.building)[chance.random() < 0.5],
            raised_by=story.name,
            handler_id=staff.worker(story.home.building),
            partner="property" if category in ("01", "02", "03", "04", "05", "06", "07") else "",
            evaluation=("satisfied" if chance.random() < 0.7 else "mostly") if state == "archived" else "",
            close_kind="substantive" if chance.random() < 0.8 else "interim",
        )


def public(maker: Maker, told: list[Story], staff: Staff, count: int) -> Iterator[Plan]:
    """Settled matters of stairs, yards and lifts."""
    for plan in finished(maker, told, staff, count):
        assert plan.home is not None
        category, title = maker.pick(_PUBLIC)
        yield replace(
            plan,
            title=title,
            category=category,
            scope="unit",
            scope_id=plan.home.unit_id,
            building_id=plan.home.building_id,
            home=None,
            raised_by="",
            partner="property",
        )


def coloured(maker: Maker, story: Story, colour: str, staff: Staff, *, soon: bool = True) -> Plan:
    """An open demand that colours its household red, yellow or green whatever the hour of the day.

    ``soon``: as fresh as that takes; otherwise it may have waited in a plan for weeks.
    """
    chance, home = maker.chance, story.home
    worker = staff.worker(home.building)
    category, kind, title = maker.pick(_COORDINATED)
    plan = Plan(
        title=title,
        category=category,
        state="collected",
        at=maker.at(1, 9 + chance.random() * 8),
        took=10,
        kind=kind,
        home=home,
        urgency="routine",
        source=maker.pick(("phone", "station", "patrol")),
        by=worker,
        raised_by=story.name,
        handler_id=worker,
        partner="property",
    )
    if colour == "red":
        category, title = maker.pick(_URGENT)
        return replace(plan, category=category, title=title, kind="complaint", urgency="urgent", state="taken")
    if colour == "green":
        return replace(plan, category="13", title="问医保报销", kind="consultation", at=maker.at(2), state="accepted")
    if soon:
        return replace(plan, urgency="coordinated", at=maker.at(1 + int(chance.random() * 3)), state="in_progress")
    at = maker.at(15 + int(chance.random() * 60))
    state = maker.pick(("suspended", "scheduled"))
    review = add_days(maker.today, 10 + int(chance.random() * 40))
    note = "等热力公司排期" if state == "suspended" else "列入明年改造计划"
    steps = ((_STEPS[state][1], at + DAY, note),)
    return replace(plan, urgency="coordinated", at=at, took=30, state=state, review_on=review, steps=steps)


def still_open(maker: Maker, told: list[Story], staff: Staff) -> Iterator[Plan]:
    """The share of a large community's demands that is open today: red, yellow and green by lot."""
    lived_in = [story for story in told if story.is_home]
    for _ in range(int(DEMANDS[maker.size] * _OPEN[maker.size])):
        draw = maker.chance.random()
        colour = "red" if draw < 0.12 else "yellow" if draw < 0.7 else "green"
        yield coloured(maker, maker.pick(lived_in), colour, staff, soon=draw < 0.35)
