"""The categories of demands that hold when no table is at hand, and what is asked of a table of them."""

from sync.domain import categories
from sync.domain.categories import DemandCategory, Sign
from sync.domain.kinds.demands import CATEGORIES
from sync.errors import RuleError

Categories = categories.Categories[DemandCategory]

CARE_MATTER = "关怀事项"  # what a sensitive demand is called for whoever may not read its words

_OUTAGE = Sign("outage", "停水停电停气停暖", "urgent")
_TRAPPED = Sign("trapped", "有人被困", "urgent", True)
_DESTITUTE = Sign("food_or_shelter", "吃住没有着落", "urgent")

# Equal to the shipped table; a test holds the two together.
DEFAULT_CATEGORIES: Categories = categories.Categories(
    "1",
    (
        DemandCategory("01", "房屋渗漏与维修", "coordinated"),
        DemandCategory("02", "水电气暖网", "coordinated", signs=(_OUTAGE,)),
        DemandCategory("03", "电梯门禁等设施", "coordinated", signs=(_TRAPPED,)),
        DemandCategory("04", "停车与充电", "coordinated"),
        DemandCategory("05", "环境卫生绿化", "routine"),
        DemandCategory("06", "消防与安全隐患", "urgent"),
        DemandCategory("07", "物业服务与收费", "coordinated"),
        DemandCategory("08", "养老助老", "coordinated", True),
        DemandCategory("09", "托育与教育", "routine"),
        DemandCategory("10", "医疗与残疾服务", "coordinated", True),
        DemandCategory("11", "生活困难与救助", "coordinated", True, signs=(_DESTITUTE,)),
        DemandCategory("12", "就业与社保", "routine"),
        DemandCategory("13", "政策咨询与办事", "routine"),
        DemandCategory("14", "文体与邻里活动", "routine"),
        DemandCategory("15", "噪声、宠物、装修等生活秩序", "coordinated", may_become_dispute=True),
        DemandCategory("16", "业委会与小区事务", "coordinated"),
        DemandCategory("99", "其他", "routine"),
    ),
)


def load_categories(text: str) -> Categories:
    """Categories from their TOML text; RuleError('rules', 'unreadable_rules') when damaged or a code is missing."""
    found = categories.load_demand_categories(text)
    if {entry.code for entry in found.category} != set(CATEGORIES):
        raise RuleError("rules", "unreadable_rules")
    return found


def label(table: Categories, code: str) -> str:
    """The name of a category; of one that the table does not know, its code."""
    return next((entry.label for entry in table.category if entry.code == code), code)


def sensitive_codes(table: Categories) -> frozenset[str]:
    """The categories whose words go to the care stream."""
    return frozenset(entry.code for entry in table.category if entry.sensitive)
