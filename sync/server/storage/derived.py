"""What the server writes itself in the transaction of what it follows from: numbers, case states, care days."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from sync.domain.calendar import day_of
from sync.domain.care import CONTACT, CareRules
from sync.domain.catalogue import KINDS
from sync.domain.demands import step_words_id
from sync.domain.ids import derived_id
from sync.domain.kinds.people import CarePairing
from sync.domain.merge import Row
from sync.domain.operations import DELETED
from sync.domain.pairing import care_due_on
from sync.server.storage.batch import Batch
from sync.server.storage.replicas import Replica
from sync.server.storage.waiting import WAITING

_MINUTE_MS, _MINUTES_A_DAY = 60_000, 24 * 60
_BEFORE, _A_LIFE = 10, 1000  # thousands of serials a day before any restore; serials for each minute of one
_CODE_TAIL = 3  # of the area code of twelve digits: the community's own


def follow_parents(batch: Batch) -> None:
    """Descendants of a record that went to another stream go with it."""
    moved = set(batch.shifted)
    while moved:
        further: set[str] = set()
        for child in batch.children(moved):
            kind = KINDS[child.kind]
            parent = batch.row(child.values[kind.parent])
            assert parent is not None
            building_id = parent.values.get("building_id")
            clock = max(parent.clock, *parent.clocks.values()) if parent.clocks else parent.clock
            if child.stream.startswith(WAITING):
                continue  # given back, and not yet let in
            if kind.inherits and child.stream != parent.stream:
                batch.move(child, parent.stream, clock=clock)
                further.add(child.id)
            elif building_id and "building_id" in kind.fields and child.values["building_id"] != building_id:
                batch.write(kind, child.id, {"building_id": building_id})
                further.add(child.id)
        moved = further


def number_demands(
    batch: Batch, made: Iterable[str], replica: Replica, *, community_code: str, restored_at: int
) -> Replica:
    """Give new demands their numbers: code tail, day, the replica's characters, serial; the replica afterwards.

    On the day of a restore (``restored_at``, ms, 0 for never) the serials go on far behind those that were lost, and
    behind those of another restore on that day: devices still hold numbers that this server has forgotten.
    """
    day = day_of(batch.now).replace("-", "")
    least = 1
    if restored_at and day_of(restored_at).replace("-", "") == day:
        least = (_BEFORE + restored_at // _MINUTE_MS % _MINUTES_A_DAY) * _A_LIFE + 1
    for demand_id in made:
        row = batch.row(demand_id)
        assert row is not None
        serial = max(least, replica.number_last + 1 if replica.number_day == day else 1)
        replica = replace(replica, number_day=day, number_last=serial)
        number = f"{community_code[-_CODE_TAIL:]}{day}{replica.tag}{serial:03}"
        batch.write(KINDS["demand"], demand_id, {"demand_no": number})
    return replica


def forget_words(batch: Batch, demands: Collection[str], events: Iterable[str]) -> None:
    """Words kept apart go with the demand or the step they belong to: who takes back need not be able to read them."""
    kind = KINDS["demand_detail"]
    words = [] if not demands else [row.id for row in batch.children(demands, kind=kind.name)]
    said = [step_words_id(event_id) for event_id in events]
    batch.load(said, lock=True)
    for words_id in (*words, *said):
        row = batch.row(words_id)
        if row is not None and not row.deleted:
            batch.write(kind, words_id, {DELETED: True})


def show_case_states(batch: Batch, disputes: Iterable[Row]) -> None:
    """Keep the open record of each accepted case in step: state and due day, without the case."""
    status_ids = {row.id: derived_id("dispute_status", row.id) for row in disputes}
    batch.load(status_ids.values(), lock=True)
    for dispute_id, status_id in status_ids.items():
        values = _values(batch.row(dispute_id))
        fields = {"state": values["state"], "due_on": values["due_on"]}
        if batch.row(status_id) is None:
            if not values["accepted_on"]:
                continue
            fields |= {name: values[name] for name in ("compound_id", "noticed_by", "title")}
            fields["dispute_id"] = dispute_id
        batch.write(KINDS["dispute_status"], status_id, fields)


def set_care_days(batch: Batch, household_ids: Iterable[str], *, rules: CareRules) -> None:
    """Say for households in care when the next visit is due: one record each, without level or reason."""
    pairings: dict[str, list[Row]] = {}
    for row in batch.children(household_ids, kind="care_pairing"):
        pairings.setdefault(row.values["household_id"], []).append(row)
    if not pairings:
        return
    last: dict[str, str] = {}
    for row in batch.children(pairings, kind="visit"):
        household_id, day = row.values["household_id"], row.values["visited_on"]
        if not row.deleted and row.values["outcome"] in CONTACT:
            last[household_id] = max(last.get(household_id, ""), day)
    due_ids = {household_id: derived_id("care_due", household_id) for household_id in pairings}
    batch.load(due_ids.values(), lock=True)
    today = day_of(batch.now)
    for household_id, due_id in due_ids.items():
        active = [_pairing(row) for row in pairings[household_id] if not row.deleted and not _ended(row, today)]
        due_on = care_due_on(active, last_contact_on=last.get(household_id), today=today, rules=rules)
        if due_on is None and batch.row(due_id) is None:
            continue
        building_id = pairings[household_id][0].values["building_id"]
        fields = {"household_id": household_id, "building_id": building_id, "due_on": due_on}
        batch.write(KINDS["care_due"], due_id, fields)


def _ended(row: Row, today: str) -> bool:
    return bool(row.values["until"]) and row.values["until"] <= today


def _pairing(row: Row) -> CarePairing:
    made = KINDS["care_pairing"].record(row.id, row.values)
    assert isinstance(made, CarePairing)
    return made


def _values(row: Row | None) -> dict[str, object]:
    assert row is not None
    return row.values
