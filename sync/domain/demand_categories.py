"""The categories of demands as data: name, default urgency, and which of them only the station may read."""

import tomllib
from dataclasses import dataclass

from sync.domain.kinds.demands import CATEGORIES, URGENCIES
from sync.errors import RuleError

CARE_MATTER = "关怀事项"  # what a sensitive demand is called for whoever may not read its words


@dataclass(frozen=True, slots=True)
class Category:
    """One category. ``acute_*`` hold for the acute case (an outage, somebody trapped, no food or shelter)."""

    code: str
    name: str
    short: str
    urgency: str
    acute_urgency: str = "urgent"
    acute_life_safety: bool = False
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Categories:
    """All categories in the order in which a form offers them; ``version`` is shown with the rules."""

    entries: tuple[Category, ...]
    version: str = "1"

    def find(self, code: str) -> Category:
        """The category of a code; RuleError('category', 'unknown_choice') when there is none."""
        for entry in self.entries:
            if entry.code == code:
                return entry
        raise RuleError("category", "unknown_choice")

    def name(self, code: str) -> str:
        """The name of a category; of one that this program does not know (yet), its code."""
        return next((entry.name for entry in self.entries if entry.code == code), code)

    def short(self, code: str) -> str:
        """The name as used in narrow places."""
        return next((entry.short for entry in self.entries if entry.code == code), code)

    @property
    def sensitive(self) -> frozenset[str]:
        """The codes whose words go to the care stream."""
        return frozenset(entry.code for entry in self.entries if entry.sensitive)


DEFAULT_CATEGORIES = Categories(
    (
        Category("01", "房屋渗漏与维修", "房屋维修", "coordinated"),
        Category("02", "水电气暖网", "水电气暖", "coordinated"),
        Category("03", "电梯门禁等设施", "设施", "coordinated", acute_life_safety=True),
        Category("04", "停车与充电", "停车充电", "coordinated"),
        Category("05", "环境卫生绿化", "环境卫生", "routine"),
        Category("06", "消防与安全隐患", "消防安全", "urgent"),
        Category("07", "物业服务与收费", "物业服务", "coordinated"),
        Category("08", "养老助老", "养老助老", "coordinated", sensitive=True),
        Category("09", "托育与教育", "托育教育", "routine"),
        Category("10", "医疗与残疾服务", "医疗助残", "coordinated", sensitive=True),
        Category("11", "生活困难与救助", "困难救助", "coordinated", sensitive=True),
        Category("12", "就业与社保", "就业社保", "routine"),
        Category("13", "政策咨询与办事", "政策办事", "routine"),
        Category("14", "文体与邻里活动", "文体邻里", "routine"),
        Category("15", "噪声、宠物、装修等生活秩序", "生活秩序", "coordinated"),
        Category("16", "业委会与小区事务", "小区事务", "coordinated"),
        Category("99", "其他", "其他", "routine"),
    )
)


def load_categories(text: str) -> Categories:
    """Categories from their TOML text; RuleError('rules', 'unreadable_rules') when it is incomplete or odd."""
    try:
        table = tomllib.loads(text)
        entries = tuple(
            Category(
                code=entry["code"],
                name=entry["name"],
                short=entry["short"],
                urgency=entry["urgency"],
                acute_urgency=entry["acute_urgency"],
                acute_life_safety=entry["acute_life_safety"],
                sensitive=entry["sensitive"],
            )
            for entry in table["category"]
        )
        if {entry.code for entry in entries} != set(CATEGORIES) or len(entries) != len(CATEGORIES):
            raise ValueError("codes")
        if {urgency for e in entries for urgency in (e.urgency, e.acute_urgency)} - set(URGENCIES):
            raise ValueError("urgency")
        return Categories(entries, str(table["version"]))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError):
        raise RuleError("rules", "unreadable_rules") from None
