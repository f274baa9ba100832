"""How often a household is visited, when next, and when to stop knocking: care levels and due days."""

import tomllib
from collections.abc import Collection
from typing import overload

import msgspec

from sync.domain.calendar import add_days, add_months
from sync.errors import RuleError

CONTACT = frozenset({"met"})  # at the door, elsewhere or by phone: the person was spoken to
# Nobody opened in so many time bands since the last contact: a contact card and a call instead of the daily list.
# A refusal is an answer, and a vacant flat is not hard to reach.
BANDS_BEFORE_HARD = 3


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A care level and its interval."""

    code: str
    days: int = 0
    months: int = 0


class Tag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A care category as the station may record it."""

    code: str
    label: str


class LevelRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All these tags together give this level."""

    level: str
    tags: frozenset[str]


class CareRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Levels, tags and the rules between them, as shipped or as the community set them."""

    version: str
    listed: str
    ordinary: str
    level: tuple[Level, ...]
    tag: tuple[Tag, ...]
    rule: tuple[LevelRule, ...]

    def level_of(self, tags: Collection[str]) -> str:
        """The level for all tags of one resident; RuleError('category', 'unknown_care_category') for a strange one."""
        known = {tag.code for tag in self.tag}
        for code in tags:
            if code not in known:
                raise RuleError("category", "unknown_care_category", category=code)
        found = next((rule.level for rule in self.rule if rule.tags <= set(tags)), "")
        return found or (self.listed if tags else self.ordinary)


_LABELS = {
    "low_income": "低保",
    "low_income_margin": "低保边缘",
    "extreme_poverty": "特困供养",
    "living_alone": "独居老人",
    "empty_nest": "空巢老人",
    "left_behind_elder": "留守老人",
    "aged_80": "80岁以上高龄",
    "disabled_elder": "失能失智",
    "disability": "残疾",
    "serious_illness": "重病",
    "left_behind_child": "留守儿童",
    "left_behind_woman": "留守妇女",
    "orphan_or_needy_child": "孤儿、困境儿童",
    "family_planning_special": "计生特殊家庭",
    "preferential_treatment": "优抚对象",
    "veteran": "退役军人",
    "unemployed": "失业",
}
_WEEKLY = (
    *(("aged_80", with_it) for with_it in ("living_alone", "empty_nest", "left_behind_elder", "disabled_elder")),
    ("serious_illness",),
)
_MONTHLY = (
    *("disabled_elder", "extreme_poverty", "low_income", "disability", "orphan_or_needy_child"),
    *("left_behind_child", "family_planning_special", "left_behind_woman"),
)
DEFAULT_CARE = CareRules(
    version="1",
    listed="C",
    ordinary="N",
    level=(Level("A", days=7), Level("B", months=1), Level("C", months=3), Level("N", months=6)),
    tag=tuple(Tag(code, label) for code, label in _LABELS.items()),
    rule=(
        *(LevelRule("A", frozenset(tags)) for tags in _WEEKLY),
        *(LevelRule("B", frozenset({tag})) for tag in _MONTHLY),
    ),
)  # equals the shipped table; a test holds the two together


@overload
def next_due_on(last_contact_on: str, *, level: str, rules: CareRules = DEFAULT_CARE) -> str: ...
@overload
def next_due_on(last_contact_on: str | None, *, level: str, rules: CareRules = DEFAULT_CARE) -> str | None: ...
def next_due_on(last_contact_on: str | None, *, level: str, rules: CareRules = DEFAULT_CARE) -> str | None:
    """The day of the next visit, counted from the last contact (met or by phone); '' is the ordinary level.

    Refused, unanswered and vacant visits are no contact. None for a household never reached: it is due at once.
    Raises RuleError('level', 'unknown_care_level').
    """
    code = level or rules.ordinary
    interval = next((entry for entry in rules.level if entry.code == code), None)
    if interval is None:
        raise RuleError("level", "unknown_care_level", level=level)
    return add_days(add_months(last_contact_on, interval.months), interval.days) if last_contact_on else None


def load_care_rules(text: str) -> CareRules:
    """The care rules from their TOML text; RuleError('rules', 'unreadable_rules') when damaged or incomplete."""
    try:
        rules = msgspec.convert(tomllib.loads(text), CareRules)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError):
        raise RuleError("rules", "unreadable_rules") from None
    levels, tags = {level.code for level in rules.level}, {tag.code for tag in rules.tag}
    named = {rules.listed, rules.ordinary} | {rule.level for rule in rules.rule}
    every_interval = all(level.days > 0 or level.months > 0 for level in rules.level)
    if not (named <= levels and every_interval and all(rule.tags and rule.tags <= tags for rule in rules.rule)):
        raise RuleError("rules", "unreadable_rules")
    return rules
