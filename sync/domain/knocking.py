"""Knocks: one key on one door of the façade is one visit, a second key puts it right, the rest is filled at once."""

from collections.abc import Iterable
from dataclasses import replace

from sync.domain.act import Act
from sync.domain.operations import Operation
from sync.domain.visit_facts import DoorFacts, KnockIntent, VisitIntent
from sync.domain.visiting import as_change, band_of, change_visit, is_todays_own, record_visit

EMPTY_HOMES = frozenset({"vacant", "non_residential"})  # nobody lives there: nobody can be out


def record_knock(act: Act, intent: KnockIntent, facts: DoorFacts) -> list[Operation]:
    """A visit with defaults; on the same door, day and band a change of the one already recorded.

    Errors as for ``record_visit``.
    """
    day = intent.visited_on or act.today
    band = intent.time_band or band_of(act)
    known = facts.known
    if known is not None and (known.visited_on, known.time_band) == (day, band) and is_todays_own(act, known):
        change = replace(as_change(known), outcome=intent.outcome, appointment_on=intent.appointment_on)
        change = replace(change, note=intent.note or known.note, notice_given=intent.notice_given)
        return change_visit(act, change, known, facts)
    return record_visit(
        act,
        VisitIntent(
            household_id=intent.household_id,
            visited_on=day,
            time_band=band,
            outcome=intent.outcome,
            reasons=("campaign",) if facts.campaign_id else ("knock_drive",),
            note=intent.note,
            appointment_on=intent.appointment_on,
            notice_given=intent.notice_given,
            late_reason=intent.late_reason,
        ),
        facts,
    )


def fill_rest(act: Act, intents: Iterable[KnockIntent], doors: Iterable[DoorFacts]) -> list[Operation]:
    """The same outcome for the doors of a sheet or building that bear no mark; one save for all of them.

    A door that has a mark of that day and band meanwhile, or where nobody lives, is passed over.
    """
    facts = {door.household_id: door for door in doors}
    operations: list[Operation] = []
    for intent in intents:
        door = facts[intent.household_id]
        if door.known is None and door.occupancy not in EMPTY_HOMES:
            operations += record_knock(act, intent, door)
    return operations
