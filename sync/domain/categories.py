"""Categories of demands and disputes as data: labels, default urgency, what is sensitive, what heads are offered."""

import tomllib
from collections.abc import Collection
from typing import Generic, TypeVar

import msgspec

from sync.domain.kinds import demands, disputes
from sync.errors import RuleError

CARE_MATTER = "关怀事项"  # what a sensitive demand is called for whoever may not read its words


class Sign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something to tick in the form that raises the urgency of a category."""

    code: str
    label: str
    urgency: str
    life_safety: bool = False


class DemandCategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One category of demands. ``sensitive``: others see the label instead of the title."""

    code: str
    label: str
    urgency: str
    sensitive: bool = False
    may_become_dispute: bool = False
    signs: tuple[Sign, ...] = ()

    def start_urgency(self, ticked: Collection[str] = ()) -> tuple[str, bool]:
        """(urgency, danger to life) that the form starts with, given the ticked signs."""
        seen = [sign for sign in self.signs if sign.code in ticked]
        return (seen[0].urgency if seen else self.urgency), any(sign.life_safety for sign in seen)


class Subcategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The finer code of the standard; ``justice`` differs from the category's where it is given."""

    code: str
    label: str
    justice: str = ""


class DisputeCategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One category of disputes, with its name in the monthly table of the justice line."""

    code: str
    label: str
    justice: str
    head: bool = False
    transfer_only: bool = False
    subcategories: tuple[Subcategory, ...] = ()

    def justice_label(self, subcategory: str = "") -> str:
        """The class in the justice line's table for a dispute of this category and subcategory code."""
        return next(
            (sub.justice for sub in self.subcategories if sub.code == subcategory and sub.justice), self.justice
        )


C = TypeVar("C", DemandCategory, DisputeCategory)


class Categories(msgspec.Struct, Generic[C], frozen=True):
    """A versioned list of categories in the order in which forms offer them."""

    version: str
    category: tuple[C, ...]

    def __getitem__(self, code: str) -> C:
        """The category of a code; RuleError('category', 'unknown_category') for one that the table lacks."""
        for category in self.category:
            if category.code == code:
                return category
        raise RuleError("category", "unknown_category", category=code)


DemandCategories = Categories[DemandCategory]
DisputeCategories = Categories[DisputeCategory]

_OUTAGE = Sign("outage", "停水停电停气停暖", "urgent")
_TRAPPED = Sign("trapped", "有人被困", "urgent", True)
_DESTITUTE = Sign("food_or_shelter", "吃住没有着落", "urgent")

# What holds for demands when no table is at hand: equal to the shipped one; a test holds the two together.
DEFAULT_CATEGORIES: DemandCategories = Categories(
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


def load_demand_categories(text: str) -> DemandCategories:
    """The categories of demands from their TOML text; RuleError('rules', 'unreadable_rules') when damaged."""
    return _load(text, DemandCategories, codes=demands.CATEGORIES)


def load_dispute_categories(text: str) -> DisputeCategories:
    """The categories of disputes from their TOML text; RuleError('rules', 'unreadable_rules') when damaged."""
    return _load(text, DisputeCategories, codes=disputes.CATEGORIES)


def label(table: Categories[C], code: str) -> str:
    """The name of a category; of one that the table does not know, its code."""
    return next((entry.label for entry in table.category if entry.code == code), code)


def sensitive_codes(table: DemandCategories) -> frozenset[str]:
    """The categories whose words go to the care stream."""
    return frozenset(entry.code for entry in table.category if entry.sensitive)


def offered_to_heads(table: DisputeCategories) -> tuple[str, ...]:
    """The codes that a building head may choose from; the rest is the station's."""
    return tuple(entry.code for entry in table.category if entry.head)


def _load(text: str, wanted: type[Categories[C]], *, codes: Collection[str]) -> Categories[C]:
    """The table, which has to hold every code of the records and no other."""
    try:
        table = msgspec.convert(tomllib.loads(text), wanted)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError):
        raise RuleError("rules", "unreadable_rules") from None
    if sorted(entry.code for entry in table.category) != sorted(codes):
        raise RuleError("rules", "unreadable_rules")
    return table
