"""The value of a field as a person reads it: choices in words, names instead of ids, a word where nothing stands."""

from collections.abc import Mapping
from typing import Final

from desktop.i18n import mark, tr
from desktop.words import demands, disputes, households
from desktop.words.moments import moment_words
from sync.domain.catalogue import KINDS
from sync.domain.categories import label as category_label
from sync.domain.fields import Type
from sync.domain.operations import DELETED
from sync.domain.rules import Rules
from sync.store.conflicts import Cell

_TABLES: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("household", "occupancy"): households.OCCUPANCIES,
    ("household", "residence_status"): households.RESIDENCES,
    ("resident", "sex"): households.SEXES,
    ("care_pairing", "level"): households.CARE_LEVELS,
    ("visit", "outcome"): households.OUTCOMES,
    ("visit", "time_band"): households.BANDS,
    ("demand", "state"): demands.STATES,
    ("demand", "urgency"): demands.URGENCIES,
    ("demand", "level"): demands.LEVELS,
    ("demand", "close_kind"): demands.CLOSE_KINDS,
    ("demand", "reply_mode"): demands.REPLY_MODES,
    ("demand", "evaluation"): demands.EVALUATIONS,
    ("demand", "demand_kind"): demands.SORTS,
    ("demand", "scope"): demands.SCOPES,
    ("dispute", "state"): disputes.STATES,
    ("dispute", "risk"): disputes.RISKS,
    ("dispute", "risk_signs"): disputes.SIGNS,
    ("dispute", "method"): disputes.METHODS,
}
_GROUPS: Final[Mapping[str, str]] = {
    "flow": mark("how far it is"),
    "place": mark("where it is"),
    "room": mark("the room"),
    DELETED: mark("deleted by one, changed by the other"),
}


def register_words(register: str, label: str) -> str:
    """The name of a field, or of a group of fields that mean something only together."""
    return tr(_GROUPS[register]) if register in _GROUPS else tr(label)


def value_words(kind: str, cell: Cell, *, rules: Rules, now: int) -> str:
    """One value in words; a newer program's is shown as it is."""
    value, field = cell.value, KINDS[kind].fields[cell.name]
    if value is None or value in ("", []):
        return tr("(left empty)")
    if cell.names is not None:
        return tr(", ", "list").join(cell.names) or tr("(not known on this PC)")
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if field.type is Type.INSTANT:
        return moment_words(int(value), now=now)
    if cell.name == "category" and kind in ("demand", "dispute"):
        return _category(kind, str(value), rules)
    table = _TABLES.get((kind, cell.name), {})
    if isinstance(value, list):
        return tr(", ", "list").join(tr(table[one]) if one in table else str(one) for one in value)
    return tr(table[value]) if value in table else str(value)


def _category(kind: str, code: str, rules: Rules) -> str:
    if kind == "demand":
        return category_label(rules.demand_categories, code)
    return category_label(rules.dispute_categories, code)
