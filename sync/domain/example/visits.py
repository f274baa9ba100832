"""Three years of knocking: one attempt in nine finds somebody at home."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sync.domain.calendar import HOUR, add_days
from sync.domain.care import next_due_on
from sync.domain.example.dwellers import Story
from sync.domain.example.making import Maker, spread
from sync.domain.example.people import Staff
from sync.domain.operations import Operation, new

ATTEMPTS = {"small": 3000, "station": 100_000, "stress": 500_000}
_OUTCOMES = ("met", "no_answer", "refused", "by_appointment", "moved_away")
_AGREED = _OUTCOMES.index("by_appointment")
_SHARES = (0.11, 0.94, 0.965, 0.995)  # met 11 %, nobody 83 %, refused 2.5 %, by appointment 3 %, moved away 0.5 %
_BY_PHONE = 0.12  # of those met
_WORKER = 0.2  # of the knocks, the grid worker's
_NOTES = (
    "一切都好。",
    "老人身体不错。",
    "孩子开学了。",
    "想换燃气软管。",
    "最近在装修。",
    "没有新事。",
    "说物业来得慢。",
)
_NOTED = 0.4
_ROUNDS = ((95, 50, 1), (14, 0, 2))  # (from, to: days ago, number) of the rounds held so far
YEAR = 365
_SOON = 14  # days: an appointment made so lately is still to come


@dataclass(frozen=True, slots=True)
class Scripted:
    """A visit that a picture shows; ``by`` is 'head' or 'worker'."""

    ago: int
    hour: float
    outcome: str = "met"
    by: str = "head"
    reasons: tuple[str, ...] = ("due",)
    note: str = ""
    contact_mode: str = "door"


@dataclass(frozen=True, slots=True)
class Contact:
    """What is fixed of a home's visits: ``scripted`` ones alone, or bounds of the last contact in days ago.

    ``latest`` None with ``never`` unset leaves everything to chance. ``is_calm``: no knock after the last contact, and
    never in more than two bands without an answer.
    """

    scripted: tuple[Scripted, ...] = ()
    earliest: int | None = None
    latest: int | None = None
    never: bool = False
    is_calm: bool = False


_Knock = tuple[int, int, int, int]  # day, position of the home, hour in tenths, outcome


def visits(maker: Maker, told: list[Story], staff: Staff, fixed: Mapping[str, Contact]) -> Iterator[Operation]:
    """Every knock in the order of time; fills in the last contact and the notice of each story."""
    campaign = maker.named("campaign", 5)
    heads = [staff.visitors(story.home.building) for story in told]
    scripts: dict[tuple[int, int, int], Scripted] = {}
    for day, position, tenths, number in _knocks(maker, told, fixed, scripts):
        story, of = told[position], maker.days[day]
        script = scripts.get((day, position, tenths))
        chance = maker.chance.random()
        outcome = script.outcome if script else _OUTCOMES[number] if story.is_home else "vacant"
        met = outcome == "met"
        by = heads[position][(script.by == "worker") if script else chance < _WORKER]
        at = of.start + tenths * HOUR // 10 + int(chance * 300_000)
        ago = maker.last - day
        current = next((number for first, last, number in _ROUNDS if last <= ago <= first), 0)
        fields: dict[str, object] = {}
        if met:
            if not story.notice_id:
                story.notice_id, story.told_on = maker.id(at), of.text
            story.met_on = of.text
            fields["next_due_on"] = next_due_on(of.text, level=story.care) if story.care else of.next_half_year
            fields["privacy_notice_id"] = story.notice_id
            fields["note"] = _note(maker, chance)
        if outcome == "by_appointment":
            fields["appointment_on"] = add_days(of.text, 3 + int(chance * 7) if ago > _SOON else _SOON + ago)
        if script:
            fields |= {"note": script.note, "contact_mode": script.contact_mode, "reasons": script.reasons}
        else:
            fields["reasons"] = ["campaign" if current else "due" if story.care else "knock_drive"]
            if met and chance > 1 - _BY_PHONE:
                fields["contact_mode"] = "phone"
        if "campaign" in fields["reasons"]:  # type: ignore[operator]
            fields |= {"campaign_id": campaign, "round_no": current}
        yield new(
            "visit",
            maker.id(at),
            household_id=story.home.household_id,
            building_id=story.home.building_id,
            visited_on=of.text,
            time_band=_band(of.is_weekend, tenths),
            visitor_ids=(by,),
            outcome=outcome,
            recorded_by=by,
            recorded_at=at,
            **fields,
        )


def _knocks(
    maker: Maker, told: list[Story], fixed: Mapping[str, Contact], scripts: dict[tuple[int, int, int], Scripted]
) -> list[_Knock]:
    chance = maker.chance
    free = [position for position, story in enumerate(told) if not fixed.get(story.home.key, Contact()).scripted]
    weights = [(1.0 if told[n].is_home else 0.4) * (0.6 + chance.random()) for n in free]
    weights = [0.0 if told[n].occupancy == "non_residential" else w for n, w in zip(free, weights, strict=True)]
    knocks: list[_Knock] = []
    for position, story in enumerate(told):
        for script in fixed.get(story.home.key, Contact()).scripted:
            day, tenths = maker.last - script.ago, int(script.hour * 10)
            scripts[day, position, tenths] = script
            knocks.append((day, position, tenths, 0))
    for position, count in zip(free, spread(ATTEMPTS[maker.size] - len(knocks), weights, chance), strict=True):
        own = []
        for _ in range(count):
            draw = chance.random()
            number = sum(draw >= share for share in _SHARES)
            day = int(chance.random() * maker.last)
            own.append((day, position, _hour(chance.random()), number))
        bounds = fixed.get(told[position].home.key)
        knocks += _within(maker, own, bounds, position) if bounds else own
    knocks.sort()
    return knocks


def _within(maker: Maker, own: list[_Knock], bounds: Contact, position: int) -> list[_Knock]:
    """The knocks of a home bent so that its last contact lies where it has to."""
    if bounds.never:
        hours = (95, 155)
        shut = [
            (day, position, hours[n % 2], 1) for n, (day, _, _, _) in enumerate(own) if not maker.days[day].is_weekend
        ]
        # Nobody has opened, but a day was agreed by the intercom: that home asks for no visit this week.
        return [*shut, (maker.last - maker.chance.randint(4, 12), position, 155, _AGREED)] if bounds.is_calm else shut
    assert bounds.earliest is not None
    assert bounds.latest is not None
    last = maker.last - maker.chance.randint(bounds.latest, bounds.earliest)
    kept = [(d, p, h, number if number or d <= last else 1) for d, p, h, number in own]
    if bounds.is_calm:
        kept = [knock for knock in kept if knock[0] < last]
    return [*kept, (last, position, 95, 0)]


def _hour(draw: float) -> int:
    """An hour of the day in tenths: 8:30 to 12:00, 14:00 to 17:30, 18:30 to 20:30."""
    if draw < 0.45:
        return 85 + int(draw / 0.45 * 35)
    if draw < 0.8:
        return 140 + int((draw - 0.45) / 0.35 * 35)
    return 185 + int((draw - 0.8) / 0.2 * 20)


def _band(is_weekend: bool, tenths: int) -> str:
    if is_weekend:
        return "weekend"
    return "morning" if tenths < 120 else "afternoon" if tenths < 180 else "evening"


def _note(maker: Maker, chance: float) -> str:
    return _NOTES[int(chance / _NOTED * len(_NOTES))] if chance < _NOTED else ""
