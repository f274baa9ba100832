"""Care pairings: who looks in on a household, how often, and by which day; the reason stays with the station."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sync.domain.act import Act
from sync.domain.calendar import parse_day
from sync.domain.care import DEFAULT_CARE, CareRules, next_due_on
from sync.domain.catalogue import KINDS
from sync.domain.ids import derived_id
from sync.domain.kinds.people import CARE_LEVELS, CarePairing
from sync.domain.operations import Operation, new, patch
from sync.errors import AccessError, RuleError

CARE_ROLES = frozenset({"grid_worker", "station_staff"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingIntent:
    """Who is to look in on a household, how often; ``since`` '' means today."""

    household_id: str
    responsible_id: str
    level: str = "B"
    resident_id: str = ""
    substitute_id: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CareFacts:
    """What the day of the next care visit follows from; ``account_ids`` are the colleagues who can be chosen."""

    household_id: str
    building_id: str
    pairings: tuple[CarePairing, ...] = ()
    last_contact_on: str | None = None
    has_due: bool = False
    account_ids: frozenset[str] = frozenset()
    rules: CareRules = field(default=DEFAULT_CARE)


def pair_care(act: Act, intent: PairingIntent, facts: CareFacts) -> list[Operation]:
    """Somebody is to look in on the household from now on; the open record says by which day, without the reason.

    RuleError: ('level' | 'responsible_id' | 'substitute_id', 'required' | 'unknown_choice'), ('since', 'bad_date').
    AccessError('out_of_scope') for whoever does not work for the station of that building.
    """
    _cares(act, facts.building_id)
    if not intent.responsible_id:
        raise RuleError("responsible_id", "required")
    if intent.level not in CARE_LEVELS:
        raise RuleError("level", "unknown_choice")
    for name in ("responsible_id", "substitute_id"):
        chosen = getattr(intent, name)
        if chosen and chosen not in facts.account_ids:
            raise RuleError(name, "unknown_choice")
    since = intent.since or act.today
    parse_day(since, field="since")
    made = CarePairing(
        id=act.id(),
        household_id=facts.household_id,
        building_id=facts.building_id,
        resident_id=intent.resident_id or None,
        level=intent.level,
        responsible_id=intent.responsible_id,
        substitute_id=intent.substitute_id or None,
        since=since,
    )
    values = {name: getattr(made, name) for name in KINDS["care_pairing"].fields}
    return [new("care_pairing", made.id, **values), *_care_day(act, (*facts.pairings, made), facts)]


def end_pairing(act: Act, pairing_id: str, facts: CareFacts) -> list[Operation]:
    """The pairing ends today; the day of the next visit follows from those that are left, or goes.

    RuleError('id', 'unknown_record'); AccessError('out_of_scope').
    """
    _cares(act, facts.building_id)
    if pairing_id not in {pairing.id for pairing in facts.pairings}:
        raise RuleError("id", "unknown_record")
    left = [pairing for pairing in facts.pairings if pairing.id != pairing_id]
    return [patch("care_pairing", pairing_id, until=act.today), *_care_day(act, left, facts)]


def care_due_on(
    pairings: Iterable[CarePairing], *, last_contact_on: str | None, today: str, rules: CareRules = DEFAULT_CARE
) -> str | None:
    """The earliest day asked for by the pairings in force; of a household never met, the day its pairing began."""
    days = (
        next_due_on(last_contact_on, level=pairing.level, rules=rules) or pairing.since or today
        for pairing in pairings
        if not pairing.until or pairing.until > today
    )
    return min(days, default=None)


def visit_due_on(
    last_contact_on: str | None, *, care_due_on: str | None, rules: CareRules = DEFAULT_CARE
) -> str | None:
    """The day by which somebody should call: the earlier of what the station asks for and the ordinary interval.

    A care day that lies before the last contact has been met already. None: never reached, so it is due at once.
    """
    asked = care_due_on if care_due_on and care_due_on > (last_contact_on or "") else None
    ordinary = next_due_on(last_contact_on, level="", rules=rules)
    return min(day for day in (asked, ordinary) if day) if asked or ordinary else None


def _care_day(act: Act, pairings: Sequence[CarePairing], facts: CareFacts) -> list[Operation]:
    due_id = derived_id("care_due", facts.household_id)
    due_on = care_due_on(pairings, last_contact_on=facts.last_contact_on, today=act.today, rules=facts.rules)
    if facts.has_due:
        return [patch("care_due", due_id, due_on=due_on)]
    if due_on is None:
        return []
    place = {"household_id": facts.household_id, "building_id": facts.building_id}
    return [new("care_due", due_id, **place, due_on=due_on)]


def _cares(act: Act, building_id: str) -> None:
    if building_id not in act.viewer.buildings(CARE_ROLES):
        raise AccessError("out_of_scope")
