"""The disputes of 幸福里小区 that the screens of the small community are to show."""

from collections.abc import Iterator

from sync.domain.calendar import add_days
from sync.domain.example.disputes import Case
from sync.domain.example.dwellers import Story
from sync.domain.example.making import Maker
from sync.domain.example.people import Staff


def cases(maker: Maker, told: list[Story], staff: Staff) -> Iterator[Case]:
    """The disputes of the screens: three of the head, three of the mediator, one of them both."""
    home = {story.home.key: story for story in told}
    me, mediator = staff.ids["head3"], staff.ids["mediator"]
    three = home["3-2-501"].home.building_id
    yield Case(
        title="晾衣滴水",
        summary="楼上晾衣服滴水，打湿楼下被子，两家说了几句。",
        state="noticed",
        at=maker.at(0, 8.6),
        by=me,
        home=home["3-3-201"].home,
        other=home["3-3-301"].home,
        subcategory="0203",
    )
    yield Case(
        title="卫生间漏水",
        summary="302卫生间顶棚渗水约两周，402称未发现漏点。",
        state="mediating",
        at=maker.at(11, 10),
        by=me,
        home=home["3-1-302"].home,
        other=home["3-1-402"].home,
        subcategory="0201",
        party="陈建国",
        other_party="赵敏",
        mediator=mediator,
        accepted_at=maker.at(9, 9),
        steps=(
            ("hand_over", "noticed", maker.at(11, 11), ""),
            ("register", "registered", maker.at(10, 9), ""),
            ("accept", "accepted", maker.at(9, 9), ""),
            ("begin", "mediating", maker.at(9, 14), ""),
            (
                "hold_session",
                "mediating",
                maker.at(9, 16),
                "小马扎议事，到场4人。双方同意请物业做闭水试验，费用402先垫付。未达成，约好再谈。",
            ),
            ("note_case", "mediating", maker.at(5, 10), "物业答复：闭水24小时，漏点在402地漏。"),
        ),
    )
    yield Case(
        title="楼道堆物",
        summary="二单元楼道堆放纸箱，邻居进出不便。",
        state="settled_on_spot",
        at=maker.at(5, 9),
        by=me,
        building_id=three,
        place="3号楼二单元",
        subcategory="0202",
        result="当天清走，约定不再堆放。",
        steps=(("settle_on_spot", "settled_on_spot", maker.at(4, 10), "当天清走，约定不再堆放。"),),
        follow_up_on=add_days(maker.today, 3),
        due_on=add_days(maker.today, 3),
    )
    yield Case(
        title="电动车停放",
        summary="门厅停放电动车，几家意见不一。",
        state="accepted",
        at=maker.at(7, 9),
        by=staff.ids["head5"],
        building_id=home["5-1-202"].home.building_id,
        place="5号楼",
        category="04",
        subcategory="0402",
        risk="yellow",
        mediator=mediator,
        accepted_at=maker.at(5, 9),
        steps=(
            ("register", "registered", maker.at(6, 9), ""),
            ("accept", "accepted", maker.at(5, 9), ""),
        ),
    )
    yield Case(
        title="夜间噪音",
        summary="夜里拖桌椅，楼下睡不好。",
        state="performing",
        at=maker.at(30, 9),
        by=staff.ids["head7"],
        home=home["7-1-201"].home,
        other=home["7-1-101"].home,
        subcategory="0203",
        mediator=mediator,
        accepted_at=maker.at(26, 9),
        result="晚十点后不拖动家具，铺上地毯。",
        follow_up_on=add_days(maker.today, 3),
        due_on=add_days(maker.today, -4),
        steps=(
            ("register", "registered", maker.at(29, 9), ""),
            ("accept", "accepted", maker.at(26, 9), ""),
            ("begin", "mediating", maker.at(24, 9), ""),
            ("agree_orally", "agreed_oral", maker.at(12, 9), "晚十点后不拖动家具，铺上地毯。"),
            ("begin_performance", "performing", maker.at(11, 9), ""),
        ),
    )
