"""Who lives where: households with their contacts, residents, notices given, and care where there is a reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sync.domain.care import next_due_on
from sync.domain.example import names
from sync.domain.example.making import Maker, spread
from sync.domain.example.people import Staff
from sync.domain.example.places import Home
from sync.domain.ids import derived_id
from sync.domain.operations import Operation, new

RESIDENTS = {"small": 1130, "station": 8000, "stress": 30000}
_VACANT = 0.05
_RENTED = 0.2
_CARE = 0.06
_PEOPLE = (0.0, 1.0, 2.4, 3.0, 2.0, 0.8)  # how often a home has so many people, used as weights of a lot
_CARE_TAGS = (("living_alone", "aged_80"), ("low_income",), ("disability",), ("empty_nest",), ("veteran",))
_LEVELS = ("A", "B", "B", "C", "C")


@dataclass(slots=True)
class Story:
    """A home as the history tells it. ``care`` is its care level ('' for none), ``told_on`` the day of the notice,
    ``met_on`` the last contact; both are filled in while the visits go by."""

    home: Home
    occupancy: str
    name: str = ""
    phone: str = ""
    members: int = 0
    care: str = ""
    tags: tuple[str, ...] = ()
    told_on: str = ""
    notice_id: str = ""
    met_on: str = ""

    @property
    def is_home(self) -> bool:
        """Whether anybody lives there."""
        return self.occupancy not in ("vacant", "non_residential")


@dataclass(frozen=True, slots=True)
class Family:
    """What a picture says of one household; None and '' leave it to chance."""

    name: str = ""
    members: int = 0
    phone: str = ""
    emergency: str = ""
    emergency_phone: str = ""
    care: str | None = None


def stories(
    maker: Maker,
    found: tuple[Home, ...],
    *,
    known: Mapping[str, Family],
    vacant: frozenset[str] | None,
    calm: frozenset[str] = frozenset(),
) -> list[Story]:
    """Every home with its people. ``vacant`` names the empty homes where that is fixed, else chance decides.

    In the buildings called ``calm`` ('3-') only the known families are in care.
    """
    chance = maker.chance
    told: list[Story] = []
    for home in found:
        family = known.get(home.key, Family())
        if home.room.is_shop:
            occupancy = "non_residential"
        elif home.key in vacant if vacant is not None else chance.random() < _VACANT:
            occupancy = "vacant"
        else:
            occupancy = "rented" if not family.name and chance.random() < _RENTED else "owner"
        story = Story(home, occupancy)
        if story.is_home:
            story.name = family.name or names.person(chance)[0]
            story.phone = family.phone or names.phone(chance)
            story.members = family.members
            if family.care is None and home.key[:2] not in calm and chance.random() < _CARE:
                story.tags = maker.pick(_CARE_TAGS)
                story.care = _LEVELS[_CARE_TAGS.index(story.tags)]
            elif family.care:
                story.care, story.tags = family.care, ("disability",)
        told.append(story)
    free = [story for story in told if story.is_home and not story.members]
    left = RESIDENTS[maker.size] - sum(story.members for story in told) - len(free)
    more = spread(left, [chance.choices(range(6), _PEOPLE)[0] for _ in free], chance)
    for story, extra in zip(free, more, strict=True):
        story.members = 1 + extra
    return told


def households(maker: Maker, told: list[Story], known: Mapping[str, Family], staff: Staff) -> Iterator[Operation]:
    """The rows of the homes and of those who live there."""
    chance = maker.chance
    for order, story in enumerate(told):
        home, room = story.home, story.home.room
        family = known.get(home.key, Family())
        cluster = maker.named(f"cluster {home.building}-{room.unit}", 3000 + home.building) if room.unit else None
        yield new(
            "household",
            home.household_id,
            building_id=home.building_id,
            unit_id=home.unit_id,
            floor=room.floor,
            room_no=room.room_no,
            slot=room.slot,
            span=room.span,
            occupancy=story.occupancy,
            residence_status="living" if story.is_home else "unknown",
            contact_name=story.name,
            contact_phone=story.phone,
            emergency_contact=family.emergency,
            emergency_phone=family.emergency_phone,
            cluster_id=cluster,
        )
        surname = names.surname_of(story.name)
        for number in range(story.members):
            name, sex = story.name, "unknown"
            if number:
                name, sex = names.person(chance, surname="" if number == 1 else surname)
            born = int(maker.today[:4]) - (chance.randint(28, 88) if number < 2 else chance.randint(1, 40))
            yield new(
                "resident",
                maker.named(f"resident {home.key}/{number}", 50_000 + order),
                household_id=home.household_id,
                building_id=home.building_id,
                name=name,
                sex=sex,
                birth_year=born if number or not family.name else 1951,
                phone=story.phone if number == 0 else names.phone(chance) if born < 2010 else "",
                relation="户主" if number == 0 else "配偶" if number == 1 else "子女",
                is_householder=number == 0,
            )


def clusters(maker: Maker, told: list[Story], leaders: Mapping[str, str]) -> Iterator[Operation]:
    """One group of households an entrance, with the party member who looks after it."""
    seen: set[str] = set()
    for story in told:
        home = story.home
        key = f"{home.building + 1}-{home.room.unit}"
        if key in seen or not home.room.unit:
            continue
        seen.add(key)
        yield new(
            "household_cluster",
            maker.named(f"cluster {home.building}-{home.room.unit}", 3000 + home.building),
            building_id=home.building_id,
            number=key,
            name=f"{key}联户组",
            leader=leaders.get(key) or names.person(maker.chance)[0],
            leader_phone=names.phone(maker.chance),
        )


def care(maker: Maker, told: list[Story], staff: Staff) -> Iterator[Operation]:
    """Care tags and pairings, and the open day of the next visit; made after the visits are known."""
    for story in told:
        if not story.care:
            continue
        home = story.home
        place = {"household_id": home.household_id, "building_id": home.building_id}
        for tag in story.tags:
            yield new("care_tag", maker.id(maker.at(400)), **place, category=tag, since=maker.day(400).text)
        yield new(
            "care_pairing",
            maker.id(maker.at(400)),
            **place,
            level=story.care,
            responsible_id=staff.head(home.building),
            substitute_id=staff.worker(home.building),
            since=maker.day(400).text,
        )
        due_on = next_due_on(story.met_on or None, level=story.care) or maker.day(400).text
        yield new("care_due", derived_id("care_due", home.household_id), **place, due_on=due_on)


def notices(maker: Maker, told: list[Story], staff: Staff) -> Iterator[Operation]:
    """One notice a household, on the day somebody was first met there."""
    for story in told:
        if story.notice_id:
            yield new(
                "privacy_notice",
                story.notice_id,
                household_id=story.home.household_id,
                building_id=story.home.building_id,
                given_on=story.told_on,
                given_by=staff.head(story.home.building),
                way="in_person",
            )
