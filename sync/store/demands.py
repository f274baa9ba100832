"""Demands read and written: lists by stage, one demand with its steps, what the resident has not been told yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from sync.domain.act import Act
from sync.domain.calendar import DAY, day_of, end_of_day
from sync.domain.catalogue import KINDS
from sync.domain.categories import sensitive_codes
from sync.domain.colours import FINISHED
from sync.domain.demand_correction import (
    CORRECT,
    CorrectionFacts,
    CorrectionIntent,
    correct,
    counted_from,
    may_correct,
)
from sync.domain.demand_moves import MoveFacts, MoveIntent, move, moves_for, next_move
from sync.domain.demand_undo import StepFacts, is_undoable, undo
from sync.domain.demands import DemandIntent, DemandPlace, raise_demand, step_words_id
from sync.domain.fields import Privacy
from sync.domain.ids import new_id
from sync.domain.kinds.demands import Demand, DemandDetail, DemandEvent
from sync.domain.roles import STATION_ROLES, Viewer
from sync.domain.rules import Rules
from sync.errors import AccessError, RuleError
from sync.store import schema
from sync.store.database import Database, converted
from sync.store.demand_places import place_at, written
from sync.store.demand_rows import ORDER, DemandRow, load_rows, quoted
from sync.store.steps import load_steps
from sync.store.store import Store
from sync.store.viewers import MINE, viewer_streams
from sync.store.writer import Touched

# The columns of the station's board; each holds the states it shows.
STAGES: Mapping[str, tuple[str, ...]] = {
    "to_accept": ("collected", "returned", "reopened"),
    "to_take": ("dispatched",),
    "in_hand": ("accepted", "taken", "in_progress", "suspended", "scheduled", "escalated"),
    "to_tell": ("resolved",),
    "to_evaluate": ("replied",),
    "finished": ("answered_on_spot", "evaluated", "archived", "rejected", "merged", "withdrawn"),
}
_SOON_DAYS = 3  # what falls due within these days is among today's work


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a demand; ``has_hidden_words``: what was said lies in the care stream."""

    event_id: str
    demand_id: str
    at: int
    by: str
    by_name: str
    move: str
    from_state: str
    to_state: str
    note: str
    has_hidden_words: bool = False
    is_undoable: bool = False


@dataclass(frozen=True, slots=True)
class DemandCard:
    """One demand with everything its card shows and what this viewer may do now; ``next_move`` is the blue button."""

    row: DemandRow
    details: str
    raised_by: str
    source: str
    level: str
    affected_count: int
    result: str
    reply_mode: str
    respond_due_at: int | None
    resolve_due_at: int | None
    reopen_count: int
    return_count: int
    steps: tuple[Step, ...]
    moves: tuple[str, ...]
    next_move: str
    may_read_words: bool
    scope_id: str
    may_correct: bool


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a sensitive demand; ``by_step`` are those said at a step, by the step's id."""

    title: str
    details: str
    by_step: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody or something a step can go to."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Targets:
    """Where a demand can go: organisations, colleagues of its compound, demands it can be merged into."""

    partners: tuple[Choice, ...]
    people: tuple[Choice, ...]
    demands: tuple[Choice, ...]


def listed(
    db: Database, viewer: Viewer, *, stage: str = "", category: str = "", own: bool = False, newest: bool = False
) -> tuple[str, ...]:
    """The ids of the demands the viewer may read, in order of work: one stage (see ``STAGES``), or all open ones.

    ``own``: recorded by the viewer. Finished ones, and any with ``newest``, come newest first.
    """
    conditions = [f"d.state IN ({quoted(STAGES[stage])})" if stage else f"d.state NOT IN ({quoted(FINISHED)})"]
    if category:
        conditions.append("d.category = :category")
    if own:
        conditions.append("d.recorded_by = :me")
    order = (
        "ORDER BY coalesce(d.resolved_at, d.reported_at) DESC, d.id DESC" if newest or stage == "finished" else ORDER
    )
    statement = f"SELECT d.id FROM demand d WHERE d.deleted = 0 AND d.{MINE} AND {' AND '.join(conditions)} {order}"
    given = {"category": category, "me": viewer.account_id, "streams": viewer_streams(viewer)}
    with converted():
        return tuple(row[0] for row in db.conn.execute(statement, given))


def by_ids(db: Database, viewer: Viewer, ids: Sequence[str], *, rules: Rules, now: int) -> tuple[DemandRow | None, ...]:
    """The rows of these demands in the order of the ids; None for one that is gone or not the viewer's to read."""
    given = {"ids": schema.to_json(list(ids))}
    condition = "AND d.id IN (SELECT value FROM json_each(:ids))"
    found = {row.demand_id: row for row in load_rows(db, viewer, condition, given, rules=rules, now=now)}
    return tuple(found.get(demand_id) for demand_id in ids)


def counts(db: Database, viewer: Viewer, *, since: int = 0) -> Mapping[str, int]:
    """How many demands there are in each stage; of the finished ones, those since an instant (ms)."""
    cases = " ".join(f"WHEN state IN ({quoted(states)}) THEN '{stage}'" for stage, states in STAGES.items())
    statement = (
        f"SELECT CASE {cases} ELSE 'in_hand' END AS stage, count(*) FROM demand WHERE deleted = 0 AND {MINE}"
        f" AND (state NOT IN ({quoted(FINISHED)}) OR coalesce(resolved_at, reported_at) >= :since) GROUP BY stage"
    )
    with converted():
        found = dict(db.conn.execute(statement, {"streams": viewer_streams(viewer), "since": since}).fetchall())
    return {stage: found.get(stage, 0) for stage in STAGES}


def untold(db: Database, viewer: Viewer, *, rules: Rules, now: int, limit: int = 100) -> tuple[DemandRow, ...]:
    """Solved, and the resident does not know yet; oldest first."""
    condition = "AND d.state = 'resolved' ORDER BY d.resolved_at, d.id LIMIT :limit"
    return load_rows(db, viewer, condition, {"limit": limit}, rules=rules, now=now)


def today_items(db: Database, viewer: Viewer, *, rules: Rules, now: int, limit: int = 100) -> tuple[DemandRow, ...]:
    """What needs this viewer soon, by what is due first.

    Everybody: residents to be told, and dissatisfied ones. Station: what lies unclaimed or in the viewer's own hands
    and is due within three days or late. Head: open demands of the own buildings in the same window.
    """
    is_head = not viewer.has_any(STATION_ROLES)
    condition = (
        "AND (d.state = 'resolved' OR (d.state = 'replied' AND d.evaluation = 'dissatisfied')"
        f" OR (d.state NOT IN ({quoted(FINISHED)}) AND d.state <> 'replied'"
        " AND (:is_head OR d.handler_id IS NULL OR d.handler_id = :me)"
        " AND CASE WHEN d.state IN ('suspended', 'scheduled') THEN d.review_on <= :today"
        " WHEN d.state = 'collected' THEN d.respond_due_at <= :soon ELSE d.resolve_due_at <= :soon END))"
    )
    given = {
        "is_head": is_head,
        "me": viewer.account_id,
        "today": day_of(now),
        "soon": end_of_day(day_of(now)) + _SOON_DAYS * DAY,
        "limit": limit,
    }
    found = load_rows(db, viewer, f"{condition} {ORDER} LIMIT :limit", given, rules=rules, now=now)
    return tuple(sorted(found, key=lambda row: (row.due_at is None, row.due_at or 0)))


def of_household(
    db: Database, viewer: Viewer, household_id: str, *, rules: Rules, now: int, limit: int = 50
) -> tuple[DemandRow, ...]:
    """The demands of a household, the open ones first, then the newest."""
    order = f"ORDER BY d.state IN ({quoted(FINISHED)}), d.reported_at DESC, d.id"
    condition = f"AND d.household_id = :household {order} LIMIT :limit"
    return load_rows(db, viewer, condition, {"household": household_id, "limit": limit}, rules=rules, now=now)


def steps(db: Database, viewer: Viewer, demand_ids: Sequence[str]) -> tuple[Step, ...]:
    """The steps of these demands, oldest first."""
    statement = (
        "SELECT e.id, e.demand_id, e.at, e.\"by\", coalesce(a.name, ''), e.move, e.from_state, e.to_state, e.note"
        ' FROM demand_event e LEFT JOIN account a ON a.id = e."by"'
        f" WHERE e.deleted = 0 AND e.demand_id IN (SELECT value FROM json_each(:ids)) AND e.{MINE}"
        " ORDER BY e.at, e.hlc, e.dev, e.id"
    )
    given = {"ids": schema.to_json(list(demand_ids)), "streams": viewer_streams(viewer)}
    with converted():
        return tuple(Step(*row) for row in db.conn.execute(statement, given))


def card(db: Database, viewer: Viewer, demand_id: str, *, rules: Rules, now: int) -> DemandCard | None:
    """One demand with its steps and the moves of this viewer; None when it is not there or not for this viewer."""
    found = load_rows(db, viewer, "AND d.id = :id", {"id": demand_id}, rules=rules, now=now)
    demand = _demand(db, viewer, demand_id)
    if not found or demand is None:
        return None
    facts = _step_facts(db, demand_id)
    act = Act(viewer, now, new_id, rules.calendar)
    shown = tuple(
        replace(
            taken,
            has_hidden_words=step_words_id(taken.event_id) in facts.detail_ids,
            is_undoable=is_undoable(act, demand, taken.event_id, facts),
        )
        for taken in steps(db, viewer, [demand_id])
    )
    moves = moves_for(viewer, demand, now=now, finished_at=_finished_at(demand, facts))
    row = found[0]
    may_read_words = viewer.may_see(Privacy.K3, demand.building_id or "")
    if row.is_sensitive and not may_read_words and any(taken.move == CORRECT for taken in shown):
        # What was said openly before it was found to be a matter of care.
        demand = msgspec.structs.replace(demand, details="", result="")
        shown = tuple(replace(taken, note="") for taken in shown)
    return DemandCard(
        row=row,
        details=demand.details,
        raised_by=demand.raised_by if viewer.may_see(Privacy.K2, demand.building_id or "") else "",
        source=demand.source,
        level=demand.level,
        affected_count=demand.affected_count,
        result=demand.result,
        reply_mode=demand.reply_mode,
        respond_due_at=demand.respond_due_at,
        resolve_due_at=demand.resolve_due_at,
        reopen_count=demand.reopen_count,
        return_count=demand.return_count,
        steps=shown,
        moves=tuple(chosen.name for chosen in moves),
        next_move=next_move(moves, state=demand.state, evaluation=demand.evaluation),
        may_read_words=may_read_words and (row.is_sensitive or bool(facts.detail_ids)),
        scope_id=demand.scope_id,
        may_correct=may_correct(viewer, demand),
    )


def targets(db: Database, viewer: Viewer, demand_id: str, *, rules: Rules) -> Targets:
    """Where the demand can be dispatched, assigned or merged to, as far as the viewer may read it."""
    demand = _demand(db, viewer, demand_id)
    if demand is None:
        return Targets((), (), ())
    given = {"streams": viewer_streams(viewer), "id": demand_id, "category": demand.category}
    given |= {"compound": demand.compound_id}
    with converted():
        partners = db.conn.execute(
            f"SELECT id, name FROM partner_org WHERE deleted = 0 AND state = 'active' AND {MINE} ORDER BY name, id",
            given,
        ).fetchall()
        grants = db.conn.execute(
            'SELECT DISTINCT a.id, a.name, g.scope_kind, g.scope_id FROM "grant" g'
            " JOIN account a ON a.id = g.account_id"
            " WHERE g.deleted = 0 AND a.deleted = 0 AND a.state = 'active' AND g.role IN"
            f" ({quoted(STATION_ROLES)}, 'property_manager') AND g.{MINE} ORDER BY a.name, a.id",
            given,
        ).fetchall()
        others = db.conn.execute(
            f"SELECT id, title FROM demand WHERE deleted = 0 AND compound_id = :compound AND category = :category"
            f" AND id <> :id AND state NOT IN ({quoted(FINISHED)}) AND {MINE} ORDER BY reported_at DESC LIMIT 20",
            given,
        ).fetchall()
    places = viewer.places
    wanted = places.compounds.get(demand.compound_id, frozenset())
    people = {
        account_id: name
        for account_id, name, scope_kind, scope_id in grants
        if scope_id == demand.compound_id or wanted & places.buildings_of(scope_kind, scope_id)
    }
    is_hidden = demand.category in sensitive_codes(rules.demand_categories)
    return Targets(
        tuple(Choice(*row) for row in partners),
        tuple(Choice(account_id, name) for account_id, name in people.items()),
        () if is_hidden else tuple(Choice(*row) for row in others),
    )


def record(
    store: Store,
    author: str,
    intent: DemandIntent,
    *,
    rules: Rules,
    household_id: str = "",
    scope_id: str = "",
    place: DemandPlace | None = None,
) -> Touched:
    """A demand raised by itself (at the counter, by phone): of a household, or of what ``scope_id`` names.

    ``place`` may be handed in as it is. Raises RuleError(field, code) and AccessError.
    """
    if place is None:
        scope = "household" if household_id else intent.scope
        place = place_at(store.db, scope, household_id or scope_id, rules=rules)
    act = store.act(author)
    return store.save(act, raise_demand(act, intent, place))


def put_right(
    store: Store, author: str, demand_id: str, intent: CorrectionIntent, *, scope_id: str, rules: Rules
) -> Touched:
    """Category, urgency, title and place as they are to be; empty when nothing is different.

    Raises RuleError(field, code) and AccessError, the latter for a place that is not the author's to write in.
    """
    act = store.act(author)
    demand = _must_read(store.db, act.viewer, demand_id)
    before = _place_of(demand, rules)
    place = before
    if (intent.scope, scope_id) != (demand.scope, demand.scope_id):
        place = place_at(store.db, intent.scope, scope_id, rules=rules)
        if intent.scope != "household" and place.building_id == demand.building_id:
            place = replace(place, household_id=demand.household_id)  # who raised it stays known
    facts = _step_facts(store.db, demand_id)
    loaded = schema.load(store.db, "demand_detail", sorted(facts.detail_ids))
    details = (KINDS["demand_detail"].record(row.id, row.values) for row in loaded.values())
    operations = correct(
        act,
        demand,
        intent,
        CorrectionFacts(
            place=place,
            counted_from=counted_from(demand, facts.steps),
            old_place=written(store.db, before, demand.scope),
            new_place=written(store.db, place, intent.scope),
            details=tuple(found for found in details if isinstance(found, DemandDetail)),
            categories=rules.demand_categories,
        ),
    )
    return store.save(act, operations) if operations else frozenset()


def step(store: Store, author: str, demand_id: str, name: str, intent: MoveIntent, *, rules: Rules) -> Touched:
    """One step of a demand, by the name of its move. Raises RuleError(field, code) and AccessError."""
    act = store.act(author)
    demand = _must_read(store.db, act.viewer, demand_id)
    target = ""
    if intent.partner_id or intent.handler_id:
        target = _target_name(store.db, intent)
    facts = MoveFacts(
        finished_at=_finished_at(demand, _step_facts(store.db, demand_id)),
        target_name=target,
        merge_target=_demand(store.db, act.viewer, intent.merged_into_id) if intent.merged_into_id else None,
        categories=rules.demand_categories,
    )
    return store.save(act, move(act, demand, name, intent, facts))


def take_back(store: Store, author: str, demand_id: str, event_id: str) -> Touched:
    """Undo an own step of today; RuleError('state', 'not_undoable') when it is too late for that."""
    act = store.act(author)
    demand = _must_read(store.db, act.viewer, demand_id)
    return store.save(act, undo(act, demand, event_id, _step_facts(store.db, demand_id)))


def read_words(store: Store, reader: str, demand_id: str) -> Words:
    """The words of a sensitive demand; that they were read is written down. AccessError without the right to it."""
    act = store.act(reader)
    demand = _must_read(store.db, act.viewer, demand_id)
    if not act.viewer.may_see(Privacy.K3, demand.building_id or ""):
        raise AccessError("sensitive")
    statement = (
        f"SELECT id, title, details FROM demand_detail WHERE demand_id = :id AND deleted = 0 AND {MINE}"
        " ORDER BY id DESC"
    )
    given = {"id": demand_id, "streams": viewer_streams(act.viewer)}
    with store.write():
        found = store.db.conn.execute(statement, given).fetchall()
        store.db.conn.execute(
            "INSERT INTO read_log (at, account_id, kind, id, field) VALUES (?, ?, 'demand_detail', ?, 'details')",
            (act.now, reader, demand_id),
        )
    title, details = next(((title, details) for _, title, details in found if title), ("", ""))
    said = {detail_id: words for detail_id, title, words in found if not title}
    ids = (step.event_id for step in steps(store.db, act.viewer, [demand_id]))
    by_step = {event_id: said[words_id] for event_id in ids if (words_id := step_words_id(event_id)) in said}
    return Words(title, details, by_step)


def _demand(db: Database, viewer: Viewer, demand_id: str) -> Demand | None:
    with converted():
        row = schema.load_one(db, "demand", demand_id)
    if row is None or row.deleted or row.stream not in viewer.streams:
        return None
    found = KINDS["demand"].record(row.id, row.values)
    assert isinstance(found, Demand)
    return found


def _place_of(demand: Demand, rules: Rules) -> DemandPlace:
    return DemandPlace(
        compound_id=demand.compound_id,
        building_id=demand.building_id,
        unit_id=demand.scope_id if demand.scope == "unit" else None,
        household_id=demand.household_id,
        categories=rules.demand_categories,
    )


def _must_read(db: Database, viewer: Viewer, demand_id: str) -> Demand:
    demand = _demand(db, viewer, demand_id)
    if demand is None:
        raise RuleError("id", "unknown_record")
    return demand


def _step_facts(db: Database, demand_id: str) -> StepFacts:
    """All steps, and which of them have words in the care stream as far as this file has them."""
    steps = load_steps(db, "demand_event", demand_id, made=DemandEvent)
    statement = "SELECT id FROM demand_detail WHERE demand_id = ? AND deleted = 0"
    with converted():
        details = db.conn.execute(statement, (demand_id,)).fetchall()
    return StepFacts(steps=steps, detail_ids=frozenset(row[0] for row in details))


def _finished_at(demand: Demand, facts: StepFacts) -> int | None:
    """When the demand was last solved or finished."""
    over = [step.at for step in facts.steps if step.to_state in FINISHED and step.move != "note"]
    return max([at for at in (demand.resolved_at, *over) if at is not None], default=None)


def _target_name(db: Database, intent: MoveIntent) -> str:
    kind, record_id, field = "account", intent.handler_id, "handler_id"
    if intent.partner_id:
        kind, record_id, field = "partner_org", intent.partner_id, "partner_id"
    row = schema.load_one(db, kind, record_id)
    if row is None or row.deleted:
        raise RuleError(field, "unknown_record")
    return str(row.values["name"])
