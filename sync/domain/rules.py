"""The rules that are data (calendar, colours, care, categories, readings of names), read once from the resources."""

from dataclasses import dataclass
from pathlib import Path

from sync.domain.calendar import WorkCalendar, load_calendar
from sync.domain.care import CareRules, load_care_rules
from sync.domain.categories import (
    DEFAULT_CATEGORIES,
    DemandCategories,
    DisputeCategories,
    load_demand_categories,
    load_dispute_categories,
)
from sync.domain.colours import RuleSet, load_rule_set
from sync.domain.search_terms import Pinyin


@dataclass(frozen=True, slots=True)
class Rules:
    """One bundle for store, server and desktop."""

    calendar: WorkCalendar
    colours: RuleSet
    pinyin: Pinyin
    care: CareRules
    dispute_categories: DisputeCategories
    demand_categories: DemandCategories = DEFAULT_CATEGORIES


def load_rules(resources: Path) -> Rules:
    """Read the rules from the folder of data files that ships with the program."""
    return Rules(
        calendar=load_calendar((resources / "calendars" / "cn.toml").read_text("utf-8")),
        colours=load_rule_set((resources / "rules" / "default.toml").read_text("utf-8")),
        pinyin=Pinyin.from_folder(resources / "pinyin"),
        care=load_care_rules((resources / "rules" / "care.toml").read_text("utf-8")),
        dispute_categories=load_dispute_categories(
            (resources / "rules" / "dispute_categories.toml").read_text("utf-8")
        ),
        demand_categories=load_demand_categories((resources / "rules" / "demand_categories.toml").read_text("utf-8")),
    )
