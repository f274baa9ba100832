"""The numbers and the legend of the needs map as data: a rule set with a version, read from its TOML text."""

import tomllib
from dataclasses import dataclass, fields
from enum import StrEnum

from sync.errors import RuleError


class Colour(StrEnum):
    """Three colours, two non-colours, and none for a demand that is off the map."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    GREY = "grey"
    BLANK = "blank"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Legend:
    """One entry of the legend: the character in the cell and what it means."""

    colour: Colour
    character: str
    text: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The numbers of the rules; shares in percent. The defaults equal the shipped rule file."""

    due_soon_hours: int = 24
    reopened_yellow: int = 1
    reopened_red: int = 2
    affected_yellow: int = 10
    contact_days: int = 365
    overdue_working_days: int = 3
    at_least: int = 2
    unit_red_percent: int = 10
    unit_yellow_percent: int = 20
    building_red_percent: int = 5
    building_yellow_percent: int = 10
    compound_red_percent: int = 20
    compound_yellow_percent: int = 20
    grey_percent: int = 50


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Thresholds and legend of one version; every print shows the version."""

    version: str = "1"
    thresholds: Thresholds = Thresholds()
    legend: tuple[Legend, ...] = (
        Legend(Colour.RED, "急", "要马上办或已超期"),
        Legend(Colour.YELLOW, "办", "要多方协调"),
        Legend(Colour.GREEN, "安", "一般事项、待评价，或近一年联系过"),
        Legend(Colour.GREY, "未", "一年没联系上"),
        Legend(Colour.BLANK, "空", "空房或非住宅"),
        Legend(Colour.NONE, "已办", "已经办完，不在图上"),
    )

    def entry(self, colour: Colour) -> Legend:
        """The legend of one colour."""
        return next(entry for entry in self.legend if entry.colour is colour)


DEFAULT_RULES = RuleSet()


def load_rule_set(text: str) -> RuleSet:
    """A rule set from its TOML text; RuleError('rules', 'unreadable_rules') when it is incomplete or odd."""
    try:
        table = tomllib.loads(text)
        numbers = {field.name: int(table["thresholds"][field.name]) for field in fields(Thresholds)}
        legend = tuple(Legend(Colour(e["colour"]), e["character"], e["text"]) for e in table["legend"])
        if {entry.colour for entry in legend} != set(Colour) or min(numbers.values()) < 0:
            raise ValueError("legend or thresholds")
        return RuleSet(str(table["version"]), Thresholds(**numbers), legend)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError):
        raise RuleError("rules", "unreadable_rules") from None
