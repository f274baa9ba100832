"""The whole example in order: organisation, places, people, visits, demands, disputes."""

from collections.abc import Iterator

from sync.domain.calendar import WEEKDAYS_ONLY, WorkCalendar
from sync.domain.example import demands, disputes, dwellers, happiness, places, quarrels, visits
from sync.domain.example.making import SEED, TODAY, Maker, Size
from sync.domain.example.people import Staff, accounts
from sync.domain.operations import Operation


def community(
    size: Size, *, today: str = TODAY, seed: int = SEED, calendar: WorkCalendar = WEEKDAYS_ONLY
) -> Iterator[Operation]:
    """A believable community as ``new`` operations without clocks, as rows received: three years that end ``today``.

    The same size, day and seed give the same operations, ids included; ids of places and people do not depend on the
    day. ``calendar`` decides the due times of demands.
    """
    maker = Maker(size, today, seed, calendar)
    staff = Staff(size)
    found = places.homes(maker)
    is_small = size == "small"
    known = happiness.FAMILIES if is_small else {}
    told = dwellers.stories(
        maker,
        found,
        known=known,
        vacant=happiness.VACANT if is_small else None,
        calm=happiness.CALM if is_small else frozenset(),
    )
    yield from places.organisation(maker)
    yield from places.buildings(maker, found)
    yield from accounts(maker, staff.all)
    yield from dwellers.clusters(maker, told, happiness.LEADERS if is_small else {})
    yield from dwellers.households(maker, told, known, staff)
    wanted = happiness.colours(told, maker) if is_small else {}
    yield from visits.visits(maker, told, staff, happiness.contacts(maker, wanted))
    yield from dwellers.notices(maker, told, staff)
    yield from dwellers.care(maker, told, staff)
    yield from _demands(maker, told, staff, wanted)
    yield from _disputes(maker, told, staff)


def _demands(maker: Maker, told: list[dwellers.Story], staff: Staff, wanted: dict[str, str]) -> Iterator[Operation]:
    source = happiness.plans(maker, told, wanted, staff) if wanted else demands.still_open(maker, told, staff)
    plans = list(source)
    # A household that stands on a screen keeps to the matters shown there.
    free = [story for story in told if story.home.key not in happiness.FAMILIES] if wanted else told
    left = demands.DEMANDS[maker.size] - len(plans)
    shared = left // 8
    plans += demands.finished(maker, free, staff, left - shared)
    plans += demands.public(maker, free, staff, shared)
    plans.sort(key=lambda plan: plan.at)
    for serial, plan in enumerate(plans, 1):
        yield from demands.demand(maker, plan, serial % 1000)


def _disputes(maker: Maker, told: list[dwellers.Story], staff: Staff) -> Iterator[Operation]:
    shown = list(quarrels.cases(maker, told, staff)) if maker.size == "small" else []
    spared = frozenset({staff.ids["head3"]}) if shown else frozenset()
    past = disputes.past(maker, told, staff, disputes.DISPUTES[maker.size] - len(shown), spared=spared)
    for case in sorted([*past, *shown], key=lambda case: case.at):
        yield from disputes.dispute(maker, case)
