"""Categories of demands and disputes as data: labels, default urgency, what is sensitive, what heads are offered."""

import tomllib
from collections.abc import Collection
from typing import Generic, TypeVar

import msgspec

from sync.errors import RuleError


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


def load_demand_categories(text: str) -> Categories[DemandCategory]:
    """The categories of demands from their TOML text; RuleError('rules', 'unreadable_rules') when damaged."""
    return _load(text, Categories[DemandCategory])


def load_dispute_categories(text: str) -> Categories[DisputeCategory]:
    """The categories of disputes from their TOML text; RuleError('rules', 'unreadable_rules') when damaged."""
    return _load(text, Categories[DisputeCategory])


def offered_to_heads(categories: Categories[DisputeCategory]) -> tuple[DisputeCategory, ...]:
    """What a building head may choose; the rest is the station's."""
    return tuple(category for category in categories.category if category.head)


def _load(text: str, wanted: type[Categories[C]]) -> Categories[C]:
    try:
        categories = msgspec.convert(tomllib.loads(text), wanted)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError):
        raise RuleError("rules", "unreadable_rules") from None
    codes = [category.code for category in categories.category]
    if not codes or len(set(codes)) != len(codes):
        raise RuleError("rules", "unreadable_rules")
    return categories
