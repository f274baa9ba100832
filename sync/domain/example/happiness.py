"""幸福里小区 in particular: the rooms, people and matters that the screens of the small community are to show."""

from collections.abc import Iterator
from dataclasses import replace

from sync.domain.calendar import add_days, add_months
from sync.domain.example.demands import Plan, coloured
from sync.domain.example.dwellers import Family, Story
from sync.domain.example.making import Maker
from sync.domain.example.people import Staff
from sync.domain.example.visits import YEAR, Contact, Scripted

# The front of building 3, top floor first; each line unit by unit, two doors each.
FRONT_3 = (
    ("grey green", "green yellow", "green grey"),
    ("yellow green", "yellow green", "green green"),
    ("green yellow", "green grey", "grey green"),
    ("green green", "green grey", "yellow green"),
    ("green red", "red green", "green green"),
    ("green yellow", "blank green", "green green"),
    ("grey green", "green yellow", "red yellow"),
    ("green grey", "green green", "yellow green"),
    ("yellow red", "green green", "yellow green"),
)
# Households of each colour in the buildings: red, yellow, green, grey, blank.
COUNTS = {
    "1号楼": (0, 9, 42, 3, 0),
    "2号楼": (0, 2, 48, 4, 0),
    "3号楼": (4, 11, 31, 7, 1),
    "4号楼": (1, 3, 47, 3, 0),
    "5号楼": (0, 4, 46, 4, 0),
    "6号楼": (0, 2, 21, 31, 0),
    "7号楼": (2, 14, 86, 6, 6),
}
VACANT = frozenset({"3-2-401"})
CALM = frozenset({"3-"})  # whose list of the day is fixed
FAMILIES = {
    "3-2-601": Family("钱国强"),
    "3-2-602": Family("孙芳"),
    "3-2-501": Family("李桂芳", 1, "13700006621", "女儿 王莉", "13800001190", "B"),
    "3-2-502": Family("周伟", 3),
    "3-2-402": Family("吴敏", 2, care=""),
    "3-2-301": Family("郑洁"),
    "3-2-302": Family("王磊"),
    "3-2-201": Family("冯涛"),
    "3-1-302": Family("陈建国", 3),
    "3-1-402": Family("赵敏", 2),
    "3-3-101": Family("张玉兰", 2, care="B"),
    "3-3-402": Family("曾𬱖", 2, care=""),
    "3-1-502": Family("单国庆", 3, care=""),
    "3-1-101": Family("欧阳桂花", 2, care=""),
}
LEADERS = {"3-2": "高志远"}
# Matters that stand on the screens, by household; they give these households their colours.
_SPOKEN_FOR = {"5-1-202": "green", "6-3-402": "green", "1-1-103": "yellow", "7-3-901": "yellow", "7-2-101": "red"}


def colours(told: list[Story], maker: Maker) -> dict[str, str]:
    """The colour each household is to have, by how people say it ('3-2-501')."""
    wanted = dict(_SPOKEN_FOR)
    for line, floor in zip(FRONT_3, range(9, 0, -1), strict=True):
        for unit, pair in enumerate(line, 1):
            for slot, colour in enumerate(pair.split(), 1):
                wanted[f"3-{unit}-{floor}{slot:02d}"] = colour
    for number, (red, yellow, _, grey, _) in enumerate(COUNTS.values()):
        mine = [story.home.key for story in told if story.home.building == number and story.is_home]
        free = [key for key in mine if key not in wanted]
        maker.chance.shuffle(free)
        for colour, count in (("red", red), ("yellow", yellow), ("grey", grey)):
            missing = count - sum(wanted.get(key) == colour for key in mine)
            for _ in range(missing):
                wanted[free.pop()] = colour
        for key in free:
            wanted[key] = "green"
    return wanted


def contacts(maker: Maker, wanted: dict[str, str]) -> dict[str, Contact]:
    """When each household was last met, so that the rules give it its colour and today's list its lines."""
    fixed: dict[str, Contact] = {}
    for key, colour in wanted.items():
        mine = key.startswith("3-")
        if colour == "grey":
            fixed[key] = (
                Contact(never=True, is_calm=mine)
                if mine or key[-1] in "13579"
                else Contact(earliest=900, latest=YEAR + 10)
            )
        elif mine:
            fixed[key] = Contact(earliest=140, latest=12, is_calm=True)
        else:
            fixed[key] = Contact(earliest=330, latest=3)
    month, half = _ago(maker, 1, 0), _ago(maker, 6, 5)
    fixed["3-2-501"] = Contact(
        (
            Scripted(97, 10, by="worker", reasons=("other",)),
            Scripted(79, 9.5, reasons=("campaign",), note="门禁卡失灵。"),
            Scripted(35, 10, note="没有新事。"),
            Scripted(3, 9.6, reasons=("due", "campaign"), note="屋里只有15度，物业上周来看过没修好。"),
        )
    )
    fixed["3-1-101"] = Contact((Scripted(60, 15), Scripted(0, 8.8, reasons=("campaign",))))
    fixed["3-3-101"] = Contact((Scripted(130, 9.5), Scripted(month, 10)))
    fixed["3-3-402"] = Contact((Scripted(half, 10), Scripted(12, 9.5, "no_answer"), Scripted(5, 15, "no_answer")))
    fixed["3-1-502"] = Contact((Scripted(_ago(maker, 6, 7), 16),))
    fixed["3-2-402"] = Contact(
        (
            Scripted(120, 10),
            Scripted(20, 9.5, "no_answer"),
            Scripted(13, 15, "no_answer"),
            Scripted(6, 19, "no_answer"),
        )
    )
    return fixed


def plans(maker: Maker, told: list[Story], wanted: dict[str, str], staff: Staff) -> Iterator[Plan]:
    """All open matters: those of the screens, then whatever the colours need."""
    home = {story.home.key: story for story in told}
    shown = list(_shown(maker, home, staff))
    yield from shown
    done = {plan.home.key for plan in shown if plan.home}
    for number, (key, colour) in enumerate(wanted.items()):
        if key in done or colour not in ("red", "yellow"):
            continue
        yield coloured(maker, home[key], colour, staff, soon=number % 3 == 0)


def _shown(maker: Maker, home: dict[str, Story], staff: Staff) -> Iterator[Plan]:
    me, worker = staff.ids["head3"], staff.ids["grid0"]
    heat = home["3-2-501"].home
    pending = Plan(title="", category="03", state="collected", at=0, by=me, handler_id=worker, partner="property")

    def unit(key: str) -> dict[str, str]:
        at = home[key].home
        return {"scope": "unit", "scope_id": at.unit_id, "building_id": at.building_id}

    yield replace(
        pending,
        title="暖气不热，室温15度",
        category="02",
        state="resolved",
        at=maker.at(3, 9.7),
        home=heat,
        urgency="urgent",
        source="visit",
        raised_by="李桂芳",
        details="屋里只有15度，物业上周来看过没修好。",
        result="物业说已修",
        steps=(
            ("accept", maker.at(3, 10.2), ""),
            ("dispatch", maker.at(3, 10.3), "益民物业"),
            ("take", maker.at(3, 11), ""),
            ("resolve", maker.at(1, 16.5), "物业说已修"),
        ),
    )
    # A matter that is resolved waits in green; what keeps this home red is the part that is late.
    yield replace(
        pending,
        title="暖气片漏水",
        category="02",
        state="in_progress",
        at=maker.at(4, 9.2),
        home=heat,
        urgency="urgent",
        source="phone",
        by=worker,
        raised_by="李桂芳",
    )
    yield replace(
        pending,
        title="门禁卡失灵",
        state="archived",
        at=maker.at(79, 9.6),
        took=96,
        home=heat,
        urgency="coordinated",
        source="visit",
        raised_by="李桂芳",
        evaluation="satisfied",
    )
    yield replace(
        pending,
        title="楼道灯不亮",
        state="taken",
        at=maker.at(2, 9.7),
        urgency="coordinated",
        source="patrol",
        steps=(
            ("accept", maker.at(2, 11), ""),
            ("dispatch", maker.at(2, 11.2), "益民物业"),
            ("take", maker.at(1, 10), "约明天来修"),
        ),
        **unit("3-2-501"),  # type: ignore[arg-type]
    )
    other = replace(pending, by=worker, source="station")
    yield replace(other, title="修扶手", state="in_progress", at=maker.at(3), urgency="coordinated", **unit("3-1-302"))  # type: ignore[arg-type]
    yield replace(
        other,
        title="单元门禁坏",
        state="dispatched",
        at=maker.at(1, 15),
        urgency="coordinated",
        **unit("4-1-101"),  # type: ignore[arg-type]
    )
    yield replace(
        other,
        title="想请人陪着去医院",
        category="10",
        kind="need",
        state="dispatched",
        at=maker.at(1, 10),
        home=home["1-1-103"].home,
        urgency="coordinated",
        partner="neighbours",
    )
    yield replace(
        other,
        title="想学手机挂号",
        category="13",
        kind="consultation",
        at=maker.at(1, 16),
        home=home["5-1-202"].home,
    )
    yield replace(
        other,
        title="屋顶渗水",
        category="01",
        at=maker.at(2, 10),
        home=home["7-3-901"].home,
        urgency="coordinated",
        by=staff.ids["head7"],
    )
    yield replace(
        other,
        title="下水道反味",
        category="02",
        state="taken",
        at=maker.at(4, 9),
        home=home["7-2-101"].home,
        urgency="urgent",
    )
    yield replace(
        other,
        title="代办医保",
        category="13",
        kind="need",
        state="resolved",
        at=maker.at(5),
        home=home["6-3-402"].home,
        partner="",
    )
    yield replace(
        other,
        title="义诊量血压",
        category="14",
        kind="suggestion",
        state="taken",
        at=maker.at(6),
        scope="compound",
        scope_id=maker.named("compound", 1),
        partner="hospital",
        affected=9,
    )
    yield replace(
        other,
        title="清理楼道杂物",
        category="05",
        state="evaluated",
        at=maker.at(9),
        scope="building",
        scope_id=home["4-1-101"].home.building_id,
        building_id=home["4-1-101"].home.building_id,
        evaluation="satisfied",
    )
    yield replace(
        other,
        title="车位划线",
        category="04",
        state="evaluated",
        at=maker.at(12),
        scope="building",
        scope_id=home["2-1-101"].home.building_id,
        building_id=home["2-1-101"].home.building_id,
        evaluation="mostly",
        close_kind="interim",
    )


def _ago(maker: Maker, months: int, ahead: int) -> int:
    """How many days ago a contact was that makes the next visit due ``ahead`` days from today (or the day before)."""
    due = add_days(maker.today, ahead)
    span = range(26 * months, 32 * months + 8)
    # The earliest of several: the last day of a long month and the day before it have the same day of a short one.
    exact = [ago for ago in span if add_months(maker.day(ago).text, months) == due]
    return max(exact, default=next(ago for ago in span if add_months(maker.day(ago).text, months) <= due))
