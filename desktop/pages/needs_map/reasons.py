"""Why a household or an area has its colour, in sentences made from the codes of the rules."""

from collections.abc import Mapping

from desktop.i18n import CHINESE, language, mark, short_day, tr
from desktop.widgets.state_badge import state_character, state_words
from sync.domain.calendar import DAY, HOUR, day_of, days_between
from sync.domain.categories import CARE_MATTER
from sync.domain.colour_rules import Colour, RuleSet
from sync.domain.colours import AreaCounts, Coloured
from sync.domain.flow import MEDIATOR
from sync.domain.roles import Viewer
from sync.store.needs_map import HouseholdColour, MapDemand

_HELD: Mapping[str, str] = {
    "suspended": mark("is on hold"),
    "returned": mark("was returned"),
    "escalated": mark("was reported up and waits for an answer"),
}
_AREA: Mapping[str, str] = {
    "A1": mark("somebody's life is in danger"),
    "A2": mark("a matter is more than three working days overdue"),
    "A3": mark("something urgent in the common parts"),
    "A4": mark("many urgent households ({red})"),
    "A5": mark("{red} urgent households"),
    "A6": mark("something to coordinate in the common parts"),
    "A7": mark("many households with something to coordinate ({yellow})"),
    "A8": mark("nobody lives here"),
    "A9": mark("more than half not met for a year"),
    "A10": mark("nothing stands out"),
    "C0": mark("as its only building"),
    "C1": mark("somebody's life is in danger"),
    "C2": mark("many urgent buildings ({red})"),
    "C3": mark("something urgent in the compound itself"),
    "C4": mark("{red} urgent buildings"),
    "C5": mark("many buildings with something to coordinate ({yellow})"),
    "C6": mark("nobody lives here"),
    "C7": mark("more than half not met for a year"),
    "C8": mark("nothing stands out"),
}


def nothing_here(viewer: Viewer) -> tuple[str, str, str]:
    """What an empty map teaches: a sentence, the button that leads on, and the page it leads to."""
    if viewer.roles <= MEDIATOR:
        said = tr("The map is for those who look after buildings. Your cases are under Disputes.")
        return said, tr("Go to the disputes"), "disputes"
    said = tr("Here the buildings will stand in colours. Add a building under Households first.")
    return said, tr("Go to the households"), "households"


def demand_title(demand: MapDemand) -> str:
    """What the map calls a demand: the words of a sensitive one are not for the map."""
    return CARE_MATTER if demand.is_sensitive else demand.title


def household_reasons(why: HouseholdColour, *, now: int, rules: RuleSet) -> tuple[str, ...]:
    """One sentence a demand of the household's colour, or one on when it was last met."""
    today = day_of(now)
    if "H2" in why.coloured.reasons:
        return (tr("Nobody lives here, or it is not a home."),)
    if "H4" in why.coloured.reasons and why.last_contact_on:
        return (tr("Met on {day}, less than a year ago.").format(day=short_day(why.last_contact_on, today=today)),)
    if "H5" in why.coloured.reasons:
        if why.last_contact_on is None:
            return (tr("Nobody has been met here yet."),)
        return (tr("Not met since {day}, more than a year.").format(day=why.last_contact_on),)
    same = [demand for demand in why.demands if demand.coloured.colour is why.coloured.colour]
    return tuple(demand_reason(demand, now=now, rules=rules) for demand in same)


def demand_reason(demand: MapDemand, *, now: int, rules: RuleSet) -> str:
    """One sentence: '暖气不热属紧急事项，已过答复时限 1 天'."""
    parts = [part for code in demand.coloured.reasons if (part := _part(code, demand, now=now, rules=rules))]
    late = _answer_late(demand, now=now)
    if late and "R2" not in demand.coloured.reasons:
        parts.append(late)
    joined = tr(", ", "clauses").join(parts)
    return tr("{title}: {reasons}", "why").format(title=demand_title(demand), reasons=joined)


def area_reasons(coloured: Coloured, counts: AreaCounts) -> str:
    """Why a building, unit or compound has its colour, in one sentence."""
    parts = [tr(_AREA[code]).format(red=counts.red, yellow=counts.yellow) for code in coloured.reasons if code in _AREA]
    return tr(", ", "clauses").join(parts)


def _part(code: str, demand: MapDemand, *, now: int, rules: RuleSet) -> str:
    facts, limits = demand.facts, rules.thresholds
    due = facts.resolve_due_at or now
    match code:
        case "R0":
            return tr("somebody's life is in danger")
        case "R1":
            return tr("is urgent")
        case "R2":
            return tr("{n} days overdue").format(n=_days_late(due, now=now))
        case "R3":
            return tr("raised again {n} times").format(n=facts.reopen_count)
        case "R4":
            return tr("was done, and the resident is dissatisfied")
        case "Y1":
            return tr("several have to work together")
        case "Y2":
            return tr("due within {hours} hours").format(hours=min(limits.due_soon_hours, -(-(due - now) // HOUR)))
        case "Y3":
            return tr(_HELD[facts.state]) if facts.state in _HELD else ""
        case "Y4":
            return tr("was raised again")
        case "Y5":
            return tr("concerns {n} households").format(n=facts.affected_count)
        case "Y6":
            return tr("the day to look again has passed")
        case "G2":
            told = facts.state == "replied"
            return tr("done, waiting for the evaluation") if told else tr("done, the resident is not told yet")
        case _:
            return tr("an ordinary matter in hand")


def _answer_late(demand: MapDemand, *, now: int) -> str:
    """That the first answer is overdue, while nobody has taken the demand up."""
    due = demand.respond_due_at
    if demand.facts.state != "collected" or due is None or due >= now:
        return ""
    return tr("the answer is {n} days late").format(n=_days_late(due, now=now))


def _days_late(due: int, *, now: int) -> int:
    return max(1, days_between(day_of(due), day_of(now)), (now - due) // DAY)


def colour_words(colour: Colour, rules: RuleSet) -> str:
    """What the legend says of a colour: the rule set's own words, which are Chinese, or ours in another language."""
    return rules.entry(colour).text if language() == CHINESE else state_words(colour.value)


def colour_character(colour: Colour, rules: RuleSet) -> str:
    """The one character of a colour, by the same rule."""
    return rules.entry(colour).character if language() == CHINESE else state_character(colour.value)
