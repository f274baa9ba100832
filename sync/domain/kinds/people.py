"""Households and residents, notices given, and what is kept apart because it is sensitive."""

from typing import Annotated

from sync.domain import streams
from sync.domain.fields import YEAR, Policy, Privacy, Purpose, Record, Slot, Type, mark

_place = Slot(Privacy.K1, Purpose.PLACES)
_contact = Slot(Privacy.K2, Purpose.CONTACT, retention_days=YEAR)  # leavers: one year
_notice = Slot(Privacy.K1, Purpose.CONTACT, retention_days=3 * YEAR)
_care = Slot(Privacy.K3, Purpose.CARE, retention_days=90)  # 90 days after the reason ends
_due = Slot(Privacy.K1, Purpose.CARE, retention_days=90)

OCCUPANCIES = ("owner", "rented", "mixed", "vacant", "non_residential", "unknown")
RESIDENCE_STATUSES = ("living", "registered_elsewhere", "registered_only", "away", "unknown")
SEXES = ("male", "female", "unknown")
CARE_CATEGORIES = (
    "low_income",
    "low_income_margin",
    "extreme_poverty",
    "living_alone",
    "empty_nest",
    "left_behind_elder",
    "aged_80",
    "disabled_elder",
    "disability",
    "serious_illness",
    "left_behind_child",
    "left_behind_woman",
    "orphan_or_needy_child",
    "family_planning_special",
    "preferential_treatment",
    "veteran",
    "unemployed",
)
CARE_LEVELS = ("A", "B", "C")
BASES = ("statutory_duty", "consent", "separate_consent", "emergency")


class Household(Record, frozen=True, kw_only=True):
    """The dwelling slot; people come and go."""

    building_id: Annotated[str, _place(mark("Building"), policy=Policy.ONCE, refers="building", need=True)] = ""
    unit_id: Annotated[str | None, _place(mark("Unit"), policy=Policy.REVIEW, group="room", refers="unit")] = None
    floor: Annotated[int, _place(mark("Floor"), Type.INTEGER, Policy.REVIEW, group="room")] = 1
    room_no: Annotated[str, _place(mark("Room"), policy=Policy.REVIEW, group="room", need=True, limit=20)] = ""
    slot: Annotated[int, _place(mark("Place on the floor"), Type.INTEGER, Policy.REVIEW, group="room")] = 0
    span: Annotated[int, _place(mark("Floors high"), Type.INTEGER, Policy.REVIEW, group="room")] = 1
    occupancy: Annotated[str, _place(mark("Occupancy"), policy=Policy.REVIEW, options=OCCUPANCIES)] = "unknown"
    residence_status: Annotated[str, _place(mark("Residence"), options=RESIDENCE_STATUSES)] = "unknown"
    contact_name: Annotated[str, _contact(mark("Contact"), policy=Policy.REVIEW, limit=50)] = ""
    contact_phone: Annotated[str, _contact(mark("Phone"), policy=Policy.REVIEW, limit=30)] = ""
    emergency_contact: Annotated[str, _contact(mark("Emergency contact"), policy=Policy.REVIEW, limit=100)] = ""
    emergency_phone: Annotated[str, _contact(mark("Emergency phone"), policy=Policy.REVIEW, limit=30)] = ""
    cluster_id: Annotated[str | None, _place(mark("Household group"), refers="household_cluster")] = None


class Resident(Record, frozen=True, kw_only=True):
    """A person who lives, or lived, in a household."""

    household_id: Annotated[str, _contact(mark("Household"), policy=Policy.ONCE, refers="household", need=True)] = ""
    building_id: Annotated[str, _contact(mark("Building"), policy=Policy.ONCE, refers="building")] = ""
    name: Annotated[str, _contact(mark("Name"), policy=Policy.REVIEW, need=True, limit=50)] = ""
    sex: Annotated[str, _contact(mark("Sex"), options=SEXES)] = "unknown"
    birth_year: Annotated[int | None, _contact(mark("Birth year"), Type.INTEGER, Policy.REVIEW)] = None
    phone: Annotated[str, _contact(mark("Phone"), policy=Policy.REVIEW, limit=30)] = ""
    relation: Annotated[str, _contact(mark("Relation to householder"), limit=20)] = ""
    is_householder: Annotated[bool, _contact(mark("Householder"), Type.BOOLEAN)] = False
    lives_here: Annotated[bool, _contact(mark("Lives here"), Type.BOOLEAN, Policy.REVIEW)] = True


class ResidentIdentity(Record, frozen=True, kw_only=True):
    """What only an admitted report or a care category needs; off by default, never on a head's screen."""

    resident_id: Annotated[str, _care(mark("Resident"), policy=Policy.ONCE, refers="resident", need=True)] = ""
    building_id: Annotated[str, _care(mark("Building"), policy=Policy.ONCE, refers="building")] = ""
    birth_date: Annotated[str | None, _care(mark("Birth date"), Type.DATE, Policy.REVIEW)] = None
    id_number: Annotated[str, _care(mark("Identity number"), policy=Policy.REVIEW, limit=18)] = ""
    basis: Annotated[str, _care(mark("Legal basis"), options=BASES, need=True)] = "separate_consent"


class PrivacyNotice(Record, frozen=True, kw_only=True):
    """That a household was told what is kept about it and why; once per household."""

    household_id: Annotated[str, _notice(mark("Household"), policy=Policy.ONCE, refers="household", need=True)] = ""
    building_id: Annotated[str, _notice(mark("Building"), policy=Policy.ONCE, refers="building")] = ""
    given_on: Annotated[str, _notice(mark("Told on"), Type.DATE, need=True)] = ""
    given_by: Annotated[str, _notice(mark("Told by"), refers="account")] = ""
    way: Annotated[str, _notice(mark("Told how"), options=("in_person", "phone", "paper"))] = "in_person"


class CareTag(Record, frozen=True, kw_only=True):
    """A care category of a resident, with its legal basis."""

    resident_id: Annotated[str | None, _care(mark("Resident"), policy=Policy.ONCE, refers="resident")] = None
    household_id: Annotated[str, _care(mark("Household"), policy=Policy.ONCE, refers="household", need=True)] = ""
    building_id: Annotated[str, _care(mark("Building"), policy=Policy.ONCE, refers="building")] = ""
    category: Annotated[str, _care(mark("Care category"), options=CARE_CATEGORIES, need=True)] = ""
    basis: Annotated[str, _care(mark("Legal basis"), options=BASES, need=True)] = "statutory_duty"
    since: Annotated[str, _care(mark("Since"), Type.DATE)] = ""
    until: Annotated[str | None, _care(mark("Until"), Type.DATE, Policy.REVIEW)] = None


class CareSuggestion(Record, frozen=True, kw_only=True):
    """A head's hint that a household may need care; its author cannot read it back."""

    household_id: Annotated[str, _care(mark("Household"), policy=Policy.ONCE, refers="household", need=True)] = ""
    building_id: Annotated[str, _care(mark("Building"), policy=Policy.ONCE, refers="building")] = ""
    note: Annotated[str, _care(mark("What you noticed"), Type.LONG_TEXT, Policy.REVIEW)] = ""
    suggested_by: Annotated[str, _care(mark("Suggested by"), policy=Policy.ONCE, refers="account")] = ""
    suggested_on: Annotated[str, _care(mark("Suggested on"), Type.DATE, Policy.ONCE)] = ""
    state: Annotated[str, _care(mark("State"), options=("open", "taken_up", "declined"))] = "open"


class CarePairing(Record, frozen=True, kw_only=True):
    """Who looks after a household, how often."""

    household_id: Annotated[str, _care(mark("Household"), policy=Policy.ONCE, refers="household", need=True)] = ""
    building_id: Annotated[str, _care(mark("Building"), policy=Policy.ONCE, refers="building")] = ""
    resident_id: Annotated[str | None, _care(mark("Resident"), refers="resident")] = None
    level: Annotated[str, _care(mark("Care level"), policy=Policy.REVIEW, options=CARE_LEVELS, need=True)] = "B"
    responsible_id: Annotated[str, _care(mark("Responsible"), policy=Policy.REVIEW, refers="account", need=True)] = ""
    substitute_id: Annotated[str | None, _care(mark("Substitute"), refers="account")] = None
    since: Annotated[str, _care(mark("Since"), Type.DATE)] = ""
    until: Annotated[str | None, _care(mark("Until"), Type.DATE, Policy.REVIEW)] = None


class CareDue(Record, frozen=True, kw_only=True):
    """That a care visit is due by a day, without the reason; one per household, its id derived from the household's."""

    household_id: Annotated[str, _due(mark("Household"), policy=Policy.ONCE, refers="household", need=True)] = ""
    building_id: Annotated[str, _due(mark("Building"), policy=Policy.ONCE, refers="building")] = ""
    due_on: Annotated[str | None, _due(mark("Visit due"), Type.DATE)] = None


KINDS = {
    "household": (Household, mark("Household"), streams.of_building, "building_id"),
    "resident": (Resident, mark("Resident"), streams.of_building, "household_id"),
    "resident_identity": (ResidentIdentity, mark("Identity"), streams.of_care, "resident_id"),
    "privacy_notice": (PrivacyNotice, mark("Notice given"), streams.of_building, "household_id"),
    "care_tag": (CareTag, mark("Care category"), streams.of_care, "household_id"),
    "care_suggestion": (CareSuggestion, mark("Care suggestion"), streams.of_care, "household_id"),
    "care_pairing": (CarePairing, mark("Care pairing"), streams.of_care, "household_id"),
    "care_due": (CareDue, mark("Care visit due"), streams.of_building, "household_id"),
}
