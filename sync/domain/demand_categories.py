"""The older names of what the pages ask of the table of demands; the table itself is in ``categories``."""

from sync.domain.categories import CARE_MATTER, DemandCategories, label

Categories = DemandCategories

__all__ = ["CARE_MATTER", "Categories", "label"]
