"""Households and who lives in them: changing what is known, telling them why it is kept, a hint to the station."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sync.domain.act import Act
from sync.domain.calendar import parse_day
from sync.domain.catalogue import KINDS, check_value
from sync.domain.kinds.people import Household, Resident
from sync.domain.lines import one_line
from sync.domain.operations import Operation, new, patch
from sync.domain.roles import OFFICE_ROLES
from sync.errors import AccessError, RuleError

CHILD_UNTIL = 14  # the day is not known, so the whole year in which a child turns fourteen counts
_OLDEST = 130  # years
_CHILD = re.compile(r"孩子(\d+)")
_PHONE = re.compile(
    r"(?:\+?86)?1[3-9]\d{9}"  # mobile
    r"|0\d{2,3}[2-9]\d{6,7}(?:转\d{1,6})?"  # land line with its area
    r"|[2-9]\d{6,7}(?:转\d{1,6})?"  # land line of the town
    r"|[48]00\d{7}|95\d{3,6}|1\d{2,4}|[1-9]\d{3,5}"  # services and short numbers
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdIntent:
    """What is entered for a household; None leaves a field as it is, '' empties it."""

    occupancy: str | None = None
    residence_status: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    emergency_contact: str | None = None
    emergency_phone: str | None = None
    cluster_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentIntent:
    """What is entered for a person; ``resident_id`` '' for somebody new, ``phone`` None leaves it as it is."""

    resident_id: str = ""
    name: str = ""
    sex: str = "unknown"
    birth_year: int | None = None
    phone: str | None = None
    relation: str = ""
    is_householder: bool = False
    lives_here: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CardIntent:
    """The whole form: the household and the people in it that were looked at."""

    household: HouseholdIntent = HouseholdIntent()
    residents: tuple[ResidentIntent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdFacts:
    """A household as it stands; ``in_care`` are residents with a care category, as far as the author may read it."""

    household: Household
    residents: tuple[Resident, ...] = ()
    in_care: frozenset[str] = frozenset()
    cluster_ids: frozenset[str] = frozenset()
    notice_id: str | None = None


def check_phone(text: str, *, name: str = "phone") -> str:
    """The number without blanks and hyphens, full-width figures as ordinary ones; RuleError(name, 'bad_phone')."""
    plain = re.sub(r"[\s\-‐-―—()（）]", "", unicodedata.normalize("NFKC", text))
    if plain and not _PHONE.fullmatch(plain):
        raise RuleError(name, "bad_phone")
    return plain


def is_child(birth_year: int | None, *, today: str) -> bool:
    """Whether somebody may be under fourteen: then no name is kept. Rule source: data of under-14s."""
    return birth_year is not None and int(today[:4]) - birth_year <= CHILD_UNTIL


def edit_card(act: Act, intent: CardIntent, facts: HouseholdFacts) -> list[Operation]:
    """Change a household and its people in one save; only what differs is written.

    Fields of errors: those of the household by name, those of people as 'residents/<place>/<field>'.
    RuleError codes: required, too_long, unknown_choice, bad_phone, bad_birth_year, one_householder, unknown_record.
    AccessError('out_of_scope').
    """
    operations = edit_household(act, intent.household, facts)
    made: list[str] = []
    for place, resident in enumerate(intent.residents):
        try:
            operations += _edit_resident(act, resident, facts, made)
        except RuleError as error:
            raise RuleError(f"residents/{place}/{error.field}", error.code, **error.params) from None
    _check_householder(intent.residents, facts)
    return operations


def edit_household(act: Act, intent: HouseholdIntent, facts: HouseholdFacts) -> list[Operation]:
    """Change what is known of a household; [] when nothing differs. Errors as ``edit_card``."""
    household = facts.household
    _inside(act, household.building_id)
    values: dict[str, Any] = {}
    for name in HouseholdIntent.__dataclass_fields__:
        value = getattr(intent, name)
        if value is not None:
            values[name] = one_line(value)
    for name in ("occupancy", "residence_status"):
        if values.get(name) == "":
            raise RuleError(name, "required")
    for name in ("contact_phone", "emergency_phone"):
        if name in values:
            check_value(KINDS["household"], name, values[name])
            values[name] = check_phone(values[name], name=name)
    if "cluster_id" in values:
        values["cluster_id"] = values["cluster_id"] or None
        if values["cluster_id"] not in {None, household.cluster_id, *facts.cluster_ids}:
            raise RuleError("cluster_id", "unknown_choice")
    changed = {name: value for name, value in values.items() if value != getattr(household, name)}
    for name, value in changed.items():
        check_value(KINDS["household"], name, value)
    return [patch("household", household.id, **changed)] if changed else []


def move_out(act: Act, resident_id: str, facts: HouseholdFacts) -> list[Operation]:
    """The person lives here no longer; what was noted stays with the household. RuleError('id', 'unknown_record')."""
    _inside(act, facts.household.building_id)
    known = _resident(resident_id, facts)
    gone = {"lives_here": False} | ({"is_householder": False} if known.is_householder else {})
    return [patch("resident", known.id, **gone)] if known.lives_here else []


def suggest_care(act: Act, note: str, household: Household) -> list[Operation]:
    """A hint to the station that somebody should look in; its author cannot read it back.

    RuleError('note', 'required' | 'too_long'); AccessError('out_of_scope').
    """
    _inside(act, household.building_id)
    text = note.strip()
    if not text:
        raise RuleError("note", "required")
    check_value(KINDS["care_suggestion"], "note", text)
    return [
        new(
            "care_suggestion",
            act.id(),
            household_id=household.id,
            building_id=household.building_id,
            note=text,
            suggested_by=act.author,
            suggested_on=act.today,
        )
    ]


def give_notice(act: Act, facts: HouseholdFacts, *, way: str = "in_person", given_on: str = "") -> list[Operation]:
    """The household was told what is kept about it and why; once. Rule source: notice to the household.

    RuleError: ('given_on', 'bad_date' | 'future_date'), ('way', 'unknown_choice'), ('id', 'exists').
    """
    household = facts.household
    _inside(act, household.building_id)
    if facts.notice_id is not None:
        raise RuleError("id", "exists")
    day = given_on or act.today
    parse_day(day, field="given_on")
    if day > act.today:
        raise RuleError("given_on", "future_date")
    check_value(KINDS["privacy_notice"], "way", way)
    made = new(
        "privacy_notice",
        act.id(),
        household_id=household.id,
        building_id=household.building_id,
        given_on=day,
        given_by=act.author,
        way=way,
    )
    return [made]


def _edit_resident(act: Act, intent: ResidentIntent, facts: HouseholdFacts, made: list[str]) -> list[Operation]:
    household = facts.household
    _inside(act, household.building_id)
    known = _resident(intent.resident_id, facts) if intent.resident_id else None
    _check_year(intent.birth_year, today=act.today)
    values: dict[str, Any] = {
        "name": _named(act, intent, known, facts, made),
        "sex": intent.sex,
        "birth_year": intent.birth_year,
        "relation": one_line(intent.relation),
        "is_householder": intent.is_householder,
        "lives_here": intent.lives_here,
    }
    if not values["name"]:
        raise RuleError("name", "required")
    if intent.phone is not None:
        check_value(KINDS["resident"], "phone", intent.phone)
        values["phone"] = check_phone(intent.phone)
    if _CHILD.fullmatch(values["name"]) and is_child(intent.birth_year, today=act.today):
        values["phone"] = ""
    if known is not None:
        values = {name: value for name, value in values.items() if value != getattr(known, name)}
    for name, value in values.items():
        check_value(KINDS["resident"], name, value)
    if known is not None:
        return [patch("resident", known.id, **values)] if values else []
    place = {"household_id": household.id, "building_id": household.building_id}
    return [new("resident", act.id(), **place, **values)]


def _named(act: Act, intent: ResidentIntent, known: Resident | None, facts: HouseholdFacts, made: list[str]) -> str:
    """The name to keep: of a child a number only, unless the child is in care or an earlier name is left alone."""
    name = one_line(intent.name)
    if not is_child(intent.birth_year, today=act.today) or (known is not None and known.id in facts.in_care):
        return name
    is_unchanged = known is not None and (name, intent.birth_year) == (known.name, known.birth_year)
    if known is not None and (is_unchanged or _CHILD.fullmatch(known.name)):
        return known.name
    taken = {*made, *(resident.name for resident in facts.residents)}
    number = next(n for n in range(1, len(taken) + 2) if f"孩子{n}" not in taken)
    made.append(f"孩子{number}")
    return made[-1]


def _check_year(year: int | None, *, today: str) -> None:
    if year is not None and not int(today[:4]) - _OLDEST <= year <= int(today[:4]):
        raise RuleError("birth_year", "bad_birth_year")


def _check_householder(intents: Collection[ResidentIntent], facts: HouseholdFacts) -> None:
    looked_at = {intent.resident_id for intent in intents}
    others = sum(r.is_householder and r.lives_here for r in facts.residents if r.id not in looked_at)
    for place, intent in enumerate(intents):
        others += intent.is_householder and intent.lives_here
        if others > 1:
            raise RuleError(f"residents/{place}/is_householder", "one_householder")


def _resident(resident_id: str, facts: HouseholdFacts) -> Resident:
    found = next((resident for resident in facts.residents if resident.id == resident_id), None)
    if found is None:
        raise RuleError("id", "unknown_record")
    return found


def _inside(act: Act, building_id: str) -> None:
    if building_id not in act.viewer.buildings(OFFICE_ROLES):
        raise AccessError("out_of_scope")
