import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain import colours
from sync.domain.calendar import DAY, HOUR, instant, load_calendar
from sync.domain.colours import (
    DEFAULT_RULES,
    REASONS,
    AreaCounts,
    Colour,
    Coloured,
    DemandFacts,
    building_colour,
    community_colour,
    compound_colour,
    count_colours,
    demand_colour,
    household_colour,
    is_open_danger,
    load_rule_set,
    long_overdue,
    unit_colour,
)
from sync.errors import RuleError

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
RULES_TEXT = (RESOURCES / "rules" / "default.toml").read_text(encoding="utf-8")
CN = load_calendar((RESOURCES / "calendars" / "cn.toml").read_text(encoding="utf-8"))
NOW = instant("2026-03-10 09:00")
TODAY = "2026-03-10"

RED, YELLOW, GREEN = Coloured(Colour.RED, ("R1",)), Coloured(Colour.YELLOW, ("Y1",)), Coloured(Colour.GREEN)
LIFT_STUCK = Coloured(Colour.RED, ("R0", "R1"))
STATES = sorted(
    colours.FINISHED
    | colours.WAITING
    | {"collected", "accepted", "dispatched", "taken", "in_progress", "returned"}
    | {"suspended", "escalated", "scheduled", "reopened"}
)


def demand(state="accepted", urgency="routine", due=10 * DAY, **more):
    return DemandFacts(state, urgency, resolve_due_at=None if due is None else NOW + due, **more)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(demand(), "green G1", id="D1"),
        pytest.param(demand(due=20 * HOUR), "yellow Y2", id="D2"),
        pytest.param(demand(due=0), "yellow Y2", id="D3"),
        pytest.param(demand(due=-1000), "red R2", id="D4"),
        pytest.param(demand("collected", "urgent"), "red R1", id="D5"),
        pytest.param(demand("in_progress", "coordinated"), "yellow Y1", id="D6"),
        pytest.param(demand("suspended", due=-DAY, review_on="2026-03-20"), "yellow Y3", id="D7"),
        pytest.param(demand("scheduled", due=-DAY, review_on="2026-03-09"), "yellow Y6", id="D8"),
        pytest.param(demand("scheduled", due=-DAY, review_on="2026-03-11"), "green G1", id="D9"),
        pytest.param(demand("reopened", reopen_count=1), "yellow Y4", id="D10-once"),
        pytest.param(demand("reopened", reopen_count=2), "red R3", id="D10-twice"),
        pytest.param(demand("resolved", "urgent"), "green G2", id="D11"),
        pytest.param(demand("replied", evaluation="dissatisfied"), "red R4", id="D12"),
        pytest.param(demand("archived", "urgent"), "none", id="D13"),
        pytest.param(demand(affected_count=12), "yellow Y5", id="D14"),
        pytest.param(demand("in_progress", "coordinated", due=-2 * DAY), "red R2", id="D15"),
    ],
)
def test_demand_vectors(facts, expected):
    coloured = demand_colour(facts, now=NOW)
    assert " ".join((coloured.colour, *coloured.reasons)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (demand("collected", "urgent", due=-1, life_safety=True, reopen_count=2), "red R0 R1 R2 R3"),
        (
            demand("returned", "coordinated", due=HOUR, reopen_count=1, affected_count=10),
            "yellow Y1 Y2 Y3 Y4 Y5",
        ),
        (demand("suspended", due=None, review_on="2026-03-09"), "yellow Y3 Y6"),
        (demand("scheduled", review_on=TODAY), "green G1"),  # today is not yet past
        (demand("escalated"), "yellow Y3"),
        (demand(due=24 * HOUR), "yellow Y2"),
        (demand(due=24 * HOUR + 1), "green G1"),
        (demand(due=None, affected_count=9), "green G1"),
        (demand("suspended", "urgent", due=-DAY), "red R1"),  # urgency is not paused
        (demand("resolved", "urgent", due=-9 * DAY, life_safety=True, reopen_count=3), "green G2"),
        (demand("evaluated", "urgent", evaluation="dissatisfied", life_safety=True), "none"),
        (demand("a_state_of_a_newer_version", "urgent"), "red R1"),
    ],
)
def test_every_code_of_the_winning_colour_is_kept(facts, expected):
    coloured = demand_colour(facts, now=NOW)
    assert " ".join((coloured.colour, *coloured.reasons)) == expected


OCCUPIED = {"occupancy": "owner", "last_contact_on": None, "today": TODAY}
ROUTINE = demand_colour(demand(), now=NOW)
URGENT_LEAK = demand_colour(demand("collected", "urgent"), now=NOW)


@pytest.mark.parametrize(
    ("demands", "situation", "expected"),
    [
        pytest.param([], {}, "grey H5", id="occupied-never-contacted"),
        pytest.param([], {"last_contact_on": "2025-03-10"}, "green H4", id="contacted-365-days-ago"),
        pytest.param([], {"last_contact_on": "2025-03-09"}, "grey H5", id="contacted-366-days-ago"),
        pytest.param([ROUTINE], {}, "green G1", id="routine-by-phone-never-visited"),
        pytest.param([], {"occupancy": "vacant"}, "blank H2", id="vacant"),
        pytest.param([URGENT_LEAK], {"occupancy": "vacant"}, "red R1", id="vacant-urgent-leak"),
        pytest.param([ROUTINE], {"occupancy": "vacant"}, "blank H2", id="vacant-routine-only"),
        pytest.param([], {"occupancy": "non_residential"}, "blank H2", id="shop"),
        pytest.param(
            [
                demand_colour(demand("archived", "urgent"), now=NOW),
                demand_colour(demand("accepted", "coordinated"), now=NOW),
            ],
            {},
            "yellow Y1",
            id="archived-urgent-and-open-coordinated",
        ),
        # A dispute is no input at all: the household of an open dispute looks as it would without it.
        pytest.param([], {"last_contact_on": "2026-03-01"}, "green H4", id="only-a-dispute-contacted"),
        pytest.param([], {"last_contact_on": ""}, "grey H5", id="only-a-dispute-never-contacted"),
        pytest.param([RED, Coloured(Colour.RED, ("R0", "R1"))], {}, "red R1 R0", id="two-reds"),
        pytest.param([YELLOW, RED, ROUTINE], {}, "red R1", id="the-highest"),
    ],
)
def test_household_vectors(demands, situation, expected):
    coloured = household_colour(demands, **(OCCUPIED | situation))
    assert " ".join((coloured.colour, *coloured.reasons)) == expected


def sixty(red=0, yellow=0, grey=0, blank=0, of=60):
    return AreaCounts(red, yellow, of - red - yellow - grey - blank, grey, blank)


@pytest.mark.parametrize(
    ("counts", "more", "expected"),
    [
        pytest.param(sixty(), {}, "green A10", id="all-green"),
        pytest.param(sixty(red=1), {}, "yellow A5", id="1-red"),
        pytest.param(sixty(red=2), {}, "yellow A5", id="2-red"),
        pytest.param(sixty(red=3), {}, "red A4", id="3-red"),
        pytest.param(sixty(yellow=5), {}, "green A10", id="5-yellow"),
        pytest.param(sixty(yellow=6), {}, "yellow A7", id="6-yellow"),
        pytest.param(sixty(grey=30), {}, "green A10", id="30-grey"),
        pytest.param(sixty(grey=31), {}, "grey A9", id="31-grey"),
        pytest.param(sixty(red=1), {"life_safety": True}, "red A1", id="1-life-safety"),
        pytest.param(sixty(), {"public_areas": [RED]}, "red A3", id="lift-red"),
        pytest.param(sixty(red=1), {"red_overdue_3wd": True}, "red A2", id="1-overdue-4-working-days"),
        pytest.param(sixty(red=1, blank=40), {}, "yellow A5", id="40-blank-1-red"),
        pytest.param(sixty(red=2, blank=40), {}, "red A4", id="40-blank-2-red"),
        pytest.param(sixty(blank=60), {}, "blank A8", id="all-blank"),
        pytest.param(sixty(), {"public_areas": [YELLOW]}, "yellow A6", id="lift-yellow"),
        pytest.param(sixty(), {"public_areas": [LIFT_STUCK]}, "red A1 A3", id="lift-stuck"),
        pytest.param(sixty(blank=60), {"public_areas": [GREEN]}, "blank A8", id="blank-lift-green"),
        pytest.param(
            sixty(red=1, yellow=6),
            {"public_areas": [YELLOW, GREEN]},
            "yellow A5 A6 A7",
            id="every-yellow-code",
        ),
    ],
)
def test_building_vectors(counts, more, expected):
    coloured = building_colour(counts, **more)
    assert " ".join((coloured.colour, *coloured.reasons)) == expected


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param(sixty(red=2, of=24), "yellow A5", id="2-red"),
        pytest.param(sixty(red=3, of=24), "red A4", id="3-red"),
        pytest.param(sixty(yellow=4, of=24), "green A10", id="4-yellow"),
        pytest.param(sixty(yellow=5, of=24), "yellow A7", id="5-yellow"),
    ],
)
def test_unit_vectors(counts, expected):
    coloured = unit_colour(counts)
    assert " ".join((coloured.colour, *coloured.reasons)) == expected


@pytest.mark.parametrize(
    ("counts", "more", "expected"),
    [
        pytest.param(sixty(red=1, of=21), {}, "yellow C4", id="1-red"),
        pytest.param(sixty(red=4, of=21), {}, "yellow C4", id="4-red"),
        pytest.param(sixty(red=5, of=21), {}, "red C2", id="5-red"),
        pytest.param(sixty(yellow=4, of=21), {}, "green C8", id="4-yellow"),
        pytest.param(sixty(yellow=5, of=21), {}, "yellow C5", id="5-yellow"),
        pytest.param(sixty(grey=11, of=21), {}, "grey C7", id="11-grey"),
        pytest.param(sixty(blank=21, of=21), {}, "blank C6", id="all-blank"),
        pytest.param(sixty(of=21), {"public_areas": [RED]}, "yellow C3", id="gate-red"),
        pytest.param(sixty(of=21), {"public_areas": [YELLOW]}, "green C8", id="gate-yellow"),
        pytest.param(sixty(of=21), {"public_areas": [LIFT_STUCK]}, "red C1", id="gate-danger"),
        pytest.param(AreaCounts(red=1), {}, "red C0", id="single-red"),
        pytest.param(AreaCounts(yellow=1), {}, "yellow C0", id="single-yellow"),
        pytest.param(AreaCounts(green=1), {}, "green C0", id="single-green"),
        pytest.param(AreaCounts(grey=1), {}, "grey C0", id="single-grey"),
        pytest.param(AreaCounts(blank=1), {}, "blank C0", id="single-blank"),
        pytest.param(AreaCounts(yellow=1), {"public_areas": [RED]}, "yellow C0 C3", id="single-gate-red"),
        pytest.param(AreaCounts(green=1), {"public_areas": [RED]}, "yellow C3", id="single-green-gate-red"),
        pytest.param(AreaCounts(red=1, blank=1), {}, "yellow C4", id="two-one-of-them-blank"),
    ],
)
@pytest.mark.parametrize("whole", [compound_colour, community_colour])
def test_compound_and_community_vectors(whole, counts, more, expected):
    coloured = whole(counts, **more)
    assert " ".join((coloured.colour, *coloured.reasons)) == expected


def test_long_overdue_counts_working_days():
    tuesday = instant("2026-03-03 09:00")
    overdue = DemandFacts("accepted", "routine", resolve_due_at=tuesday)
    assert not long_overdue(overdue, now=instant("2026-03-06 09:00"), calendar=CN)
    assert long_overdue(overdue, now=instant("2026-03-06 09:00") + 1, calendar=CN)
    before_festival = DemandFacts("accepted", "routine", resolve_due_at=instant("2026-02-14 09:00"))
    assert not long_overdue(before_festival, now=instant("2026-02-25 09:00"), calendar=CN)
    assert long_overdue(before_festival, now=instant("2026-02-26 09:01"), calendar=CN)


@pytest.mark.parametrize("state", ["suspended", "scheduled", "resolved", "replied", "archived"])
def test_what_is_paused_or_done_is_never_long_overdue(state):
    assert not long_overdue(demand(state, due=-40 * DAY), now=NOW, calendar=CN)
    assert not long_overdue(demand(due=None), now=NOW, calendar=CN)
    assert long_overdue(demand(due=-40 * DAY), now=NOW, calendar=CN)


def test_danger_to_life_ends_with_the_work():
    assert is_open_danger(demand(life_safety=True))
    assert not is_open_danger(demand())
    assert not is_open_danger(demand("resolved", life_safety=True))
    assert not is_open_danger(demand("archived", life_safety=True))


def test_counts_add_up():
    some = count_colours([Colour.RED, Colour.RED, Colour.GREY, Colour.BLANK, Colour.NONE])
    assert some == AreaCounts(red=2, grey=1, blank=1)
    assert (some.total, some.occupied) == (4, 3)
    assert some + AreaCounts(1, 2, 3, 4, 5) == AreaCounts(3, 2, 3, 5, 6)


def test_the_shipped_rules_are_the_built_in_ones():
    shipped = load_rule_set(RULES_TEXT)
    assert shipped == DEFAULT_RULES
    assert shipped.entry(Colour.RED).character == "急"
    assert "".join(entry.character for entry in shipped.legend[:5]) == "急办安未空"


def test_a_community_may_set_other_numbers():
    strict = load_rule_set(RULES_TEXT.replace("due_soon_hours = 24", "due_soon_hours = 48"))
    assert demand_colour(demand(due=40 * HOUR), now=NOW, rules=strict).reasons == ("Y2",)
    patient = dataclasses.replace(DEFAULT_RULES.thresholds, contact_days=30)
    rules = dataclasses.replace(DEFAULT_RULES, thresholds=patient)
    situation = OCCUPIED | {"last_contact_on": "2026-01-01"}
    assert household_colour([], **situation, rules=rules).colour is Colour.GREY


@pytest.mark.parametrize(
    "text",
    [
        "version = ",
        "version = '1'",
        RULES_TEXT.replace("grey_percent = 50", ""),
        RULES_TEXT.replace("grey_percent = 50", "grey_percent = -1"),
        RULES_TEXT.replace("grey_percent = 50", "grey_percent = 'many'"),
        RULES_TEXT.replace('colour = "blank"', 'colour = "violet"'),
        RULES_TEXT.replace('colour = "blank"', 'colour = "grey"'),
        "version = '1'\nthresholds = 3\nlegend = []",
    ],
)
def test_damaged_rules_are_refused(text):
    with pytest.raises(RuleError) as refused:
        load_rule_set(text)
    assert refused.value.code == "unreadable_rules"


facts_of_any_kind = st.builds(
    DemandFacts,
    st.sampled_from(STATES),
    st.sampled_from(["urgent", "coordinated", "routine"]),
    life_safety=st.booleans(),
    resolve_due_at=st.none() | st.integers(NOW - 30 * DAY, NOW + 30 * DAY),
    review_on=st.none() | st.sampled_from(["2026-03-09", "2026-03-10", "2026-03-11"]),
    reopen_count=st.integers(0, 4),
    affected_count=st.integers(1, 40),
    evaluation=st.none() | st.sampled_from(["satisfied", "mostly", "dissatisfied", "not_reached"]),
)


@given(facts_of_any_kind)
def test_every_colour_has_its_reasons(facts):
    coloured = demand_colour(facts, now=NOW)
    assert bool(coloured.reasons) is (coloured.colour is not Colour.NONE)
    assert set(coloured.reasons) <= set(REASONS)
    assert all(code.startswith(coloured.colour[0].upper()) for code in coloured.reasons)


@given(st.lists(facts_of_any_kind, max_size=4), st.sampled_from(["owner", "rented", "vacant", "unknown"]))
def test_one_more_demand_never_lowers_a_household(all_facts, occupancy):
    order = [Colour.BLANK, Colour.GREY, Colour.GREEN, Colour.YELLOW, Colour.RED]
    found = [demand_colour(facts, now=NOW) for facts in all_facts]
    ranks = [
        order.index(household_colour(found[:n], occupancy=occupancy, last_contact_on=None, today=TODAY).colour)
        for n in range(len(found) + 1)
    ]
    assert ranks == sorted(ranks)


@given(*[st.integers(0, 30)] * 5, st.lists(st.sampled_from([RED, YELLOW, GREEN]), max_size=2))
def test_every_area_has_a_colour_and_codes_that_exist(red, yellow, green, grey, blank, public_areas):
    counts = AreaCounts(red, yellow, green, grey, blank)
    for area in (unit_colour, building_colour, compound_colour):
        coloured = area(counts, public_areas=public_areas)
        assert coloured.reasons
        assert set(coloured.reasons) <= set(REASONS)
