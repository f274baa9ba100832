"""The needs map: colour of a demand, household, unit, building, compound and community, with reason codes.

Pure and quick, so colours are never stored. The table of codes is docs/decisions/0012-colour-rules.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sync.domain.calendar import HOUR, WorkCalendar, add_days, day_of
from sync.domain.colour_rules import DEFAULT_RULES as DEFAULT_RULES
from sync.domain.colour_rules import Colour as Colour
from sync.domain.colour_rules import RuleSet as RuleSet
from sync.domain.colour_rules import Thresholds as Thresholds
from sync.domain.colour_rules import load_rule_set as load_rule_set

FINISHED = frozenset(("answered_on_spot", "evaluated", "archived", "rejected", "merged", "withdrawn"))
WAITING = frozenset(("resolved", "replied"))
PAUSED = frozenset(("suspended", "scheduled"))  # they have a day of review instead of a due time
HELD_UP = frozenset(("suspended", "returned", "escalated"))
NOT_A_HOME = frozenset(("vacant", "non_residential"))
REASONS = (
    *(f"R{n}" for n in range(5)),
    *(f"Y{n}" for n in range(1, 7)),
    *("G1", "G2", "H2", "H4", "H5"),
    *(f"A{n}" for n in range(1, 11)),
    *(f"C{n}" for n in range(9)),
)  # every code a colour may carry; the screen has a sentence for each


@dataclass(frozen=True, slots=True)
class DemandFacts:
    """What the colour of a demand depends on; ``resolve_due_at`` in milliseconds, ``review_on`` a day."""

    state: str
    urgency: str
    life_safety: bool = False
    resolve_due_at: int | None = None
    review_on: str | None = None
    reopen_count: int = 0
    affected_count: int = 1
    evaluation: str | None = None


@dataclass(frozen=True, slots=True)
class Coloured:
    """A colour and the codes of every rule that gave it."""

    colour: Colour
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AreaCounts:
    """How many households (or buildings) of each colour an area has; always shown beside its colour."""

    red: int = 0
    yellow: int = 0
    green: int = 0
    grey: int = 0
    blank: int = 0

    @property
    def total(self) -> int:
        """All of them, blank ones included."""
        return self.occupied + self.blank

    @property
    def occupied(self) -> int:
        """Those that are not blank: the base of every share."""
        return self.red + self.yellow + self.green + self.grey

    def __add__(self, other: "AreaCounts") -> "AreaCounts":
        return AreaCounts(
            self.red + other.red,
            self.yellow + other.yellow,
            self.green + other.green,
            self.grey + other.grey,
            self.blank + other.blank,
        )


OFF_THE_MAP = Coloured(Colour.NONE)
_SATISFIED = Coloured(Colour.GREEN, ("G2",))
_ORDINARY = Coloured(Colour.GREEN, ("G1",))
_DISSATISFIED = Coloured(Colour.RED, ("R4",))
_VACANT = Coloured(Colour.BLANK, ("H2",))
_IN_CONTACT = Coloured(Colour.GREEN, ("H4",))
_NOT_REACHED = Coloured(Colour.GREY, ("H5",))


def demand_colour(facts: DemandFacts, *, now: int, rules: RuleSet = DEFAULT_RULES) -> Coloured:
    """The colour of one demand at ``now`` (milliseconds). Rule source: needs-map rules R0 to G2."""
    state = facts.state
    if state in FINISHED:
        return OFF_THE_MAP
    if state in WAITING:
        return _DISSATISFIED if facts.evaluation == "dissatisfied" else _SATISFIED
    limits = rules.thresholds
    paused = state in PAUSED
    left = None if paused or facts.resolve_due_at is None else facts.resolve_due_at - now
    reds = (
        ("R0", facts.life_safety),
        ("R1", facts.urgency == "urgent"),
        ("R2", left is not None and left < 0),
        ("R3", facts.reopen_count >= limits.reopened_red),
    )
    found = tuple(code for code, holds in reds if holds)
    if found:
        return Coloured(Colour.RED, found)
    yellows = (
        ("Y1", facts.urgency == "coordinated"),
        ("Y2", left is not None and left <= limits.due_soon_hours * HOUR),
        ("Y3", state in HELD_UP),
        ("Y4", facts.reopen_count >= limits.reopened_yellow),
        ("Y5", facts.affected_count >= limits.affected_yellow),
        ("Y6", paused and facts.review_on is not None and facts.review_on < day_of(now)),
    )
    found = tuple(code for code, holds in yellows if holds)
    return Coloured(Colour.YELLOW, found) if found else _ORDINARY


def is_open_danger(facts: DemandFacts) -> bool:
    """Whether a demand is open and a danger to life (A1)."""
    return facts.life_safety and facts.state not in FINISHED and facts.state not in WAITING


def long_overdue(facts: DemandFacts, *, now: int, calendar: WorkCalendar, rules: RuleSet = DEFAULT_RULES) -> bool:
    """Whether an open demand is past due by more than three working days and not suspended or scheduled (A2)."""
    due = facts.resolve_due_at
    if due is None or due >= now or facts.state in FINISHED | WAITING | PAUSED:
        return False
    return now > calendar.add_working_days(due, rules.thresholds.overdue_working_days)


def household_colour(
    demand_colours: Sequence[Coloured],
    *,
    occupancy: str,
    last_contact_on: str | None,
    today: str,
    rules: RuleSet = DEFAULT_RULES,
) -> Coloured:
    """The colour of a household from its own demands and the day of its last contact (met or by phone).

    Rule source: needs-map rules H1 to H5. Disputes and care levels are no input, on purpose.
    """
    top = _highest(demand_colours)
    if top is not None and top.colour is not Colour.GREEN:
        return top
    if occupancy in NOT_A_HOME:
        return _VACANT
    if top is not None:
        return top
    if last_contact_on and last_contact_on >= _days_before(today, rules.thresholds.contact_days):
        return _IN_CONTACT
    return _NOT_REACHED


def count_colours(colours: Iterable[Colour]) -> AreaCounts:
    """How many of each colour; ``none`` does not count."""
    counts = dict.fromkeys(Colour, 0)
    for colour in colours:
        counts[colour] += 1
    return AreaCounts(**{c.value: n for c, n in counts.items() if c is not Colour.NONE})


def unit_colour(
    households: AreaCounts,
    *,
    public_areas: Sequence[Coloured] = (),
    life_safety: bool = False,
    red_overdue_3wd: bool = False,
    rules: RuleSet = DEFAULT_RULES,
) -> Coloured:
    """The colour of a unit; ``public_areas`` are the colours of the demands whose scope is this unit.

    The two flags say whether any demand in it is an open danger to life, or long overdue.
    """
    limits = rules.thresholds
    shares = (limits.unit_red_percent, limits.unit_yellow_percent)
    return _area(households, public_areas, (life_safety, red_overdue_3wd), shares, limits)


def building_colour(
    households: AreaCounts,
    *,
    public_areas: Sequence[Coloured] = (),
    life_safety: bool = False,
    red_overdue_3wd: bool = False,
    rules: RuleSet = DEFAULT_RULES,
) -> Coloured:
    """The colour of a building; ``public_areas`` are the demands whose scope is it or any of its units."""
    limits = rules.thresholds
    shares = (limits.building_red_percent, limits.building_yellow_percent)
    return _area(households, public_areas, (life_safety, red_overdue_3wd), shares, limits)


def compound_colour(
    buildings: AreaCounts, *, public_areas: Sequence[Coloured] = (), rules: RuleSet = DEFAULT_RULES
) -> Coloured:
    """The colour of a compound from its buildings and the demands whose scope is the compound itself.

    Rule source: needs-map rules C0 to C8.
    """
    limits = rules.thresholds
    n = buildings.occupied
    single = buildings.total == 1
    many_red = _share(limits.compound_red_percent, n, limits)
    many_yellow = _share(limits.compound_yellow_percent, n, limits)
    reds = (
        ("C1", any("R0" in demand.reasons for demand in public_areas)),
        ("C0", single and buildings.red == 1),
        ("C2", not single and buildings.red >= many_red),
    )
    yellows = (
        ("C0", single and buildings.yellow == 1),
        ("C3", any(demand.colour is Colour.RED for demand in public_areas)),
        ("C4", not single and buildings.red >= 1),
        ("C5", not single and buildings.yellow >= many_yellow),
    )
    rest = (
        (Colour.BLANK, "C6", n == 0),
        (Colour.GREY, "C7", buildings.grey * 100 > n * limits.grey_percent),
        (Colour.GREEN, "C8", True),
    )
    found = _first(reds, yellows, rest)
    if single and found.colour in (Colour.BLANK, Colour.GREY, Colour.GREEN):
        return Coloured(found.colour, ("C0",))
    return found


def community_colour(
    buildings: AreaCounts, *, public_areas: Sequence[Coloured] = (), rules: RuleSet = DEFAULT_RULES
) -> Coloured:
    """The same rule over all buildings of all compounds; above the community there are counts and no colour."""
    return compound_colour(buildings, public_areas=public_areas, rules=rules)


_Conditions = tuple[tuple[str, bool], ...]
_Rest = tuple[tuple[Colour, str, bool], ...]


def _area(
    households: AreaCounts,
    public_areas: Sequence[Coloured],
    flags: tuple[bool, bool],
    shares: tuple[int, int],
    limits: Thresholds,
) -> Coloured:
    n = households.occupied
    life_safety, red_overdue = flags
    reds = (
        ("A1", life_safety or any("R0" in demand.reasons for demand in public_areas)),
        ("A2", red_overdue),
        ("A3", any(demand.colour is Colour.RED for demand in public_areas)),
        ("A4", households.red >= _share(shares[0], n, limits)),
    )
    yellows = (
        ("A5", households.red >= 1),
        ("A6", any(demand.colour is Colour.YELLOW for demand in public_areas)),
        ("A7", households.yellow >= _share(shares[1], n, limits)),
    )
    rest = (
        (Colour.BLANK, "A8", n == 0),
        (Colour.GREY, "A9", households.grey * 100 > n * limits.grey_percent),
        (Colour.GREEN, "A10", True),
    )
    return _first(reds, yellows, rest)


def _first(reds: _Conditions, yellows: _Conditions, rest: _Rest) -> Coloured:
    for colour, conditions in ((Colour.RED, reds), (Colour.YELLOW, yellows)):
        found = tuple(code for code, holds in conditions if holds)
        if found:
            return Coloured(colour, found)
    return next(Coloured(colour, (code,)) for colour, code, holds in rest if holds)


def _share(percent: int, n: int, limits: Thresholds) -> int:
    return max(limits.at_least, -(-percent * n // 100))  # rounded up, without floating point


def _highest(demands: Sequence[Coloured]) -> Coloured | None:
    for colour in (Colour.RED, Colour.YELLOW, Colour.GREEN):
        same = [demand for demand in demands if demand.colour is colour]
        if len(same) == 1:
            return same[0]
        if same:
            return Coloured(colour, tuple(dict.fromkeys(code for demand in same for code in demand.reasons)))
    return None


@lru_cache(maxsize=16)
def _days_before(day: str, n: int) -> str:
    return add_days(day, -n)
