"""Disputes read and written: lists by shelf, one with its steps and the moves of the viewer, what is due today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.domain.act import Act
from sync.domain.address import building_key, canonical, parse_room
from sync.domain.calendar import WorkCalendar, add_days
from sync.domain.catalogue import KINDS
from sync.domain.dispute_moves import DisputeMove, move, moves_for, next_move
from sync.domain.dispute_undo import is_undoable, undo
from sync.domain.disputes import NoticeIntent, NoticePlace, amend, may_amend, notice
from sync.domain.flow import DESK, MEDIATOR, SECRETARY
from sync.domain.ids import new_id
from sync.domain.kinds.disputes import Dispute, DisputeEvent
from sync.domain.roles import Viewer
from sync.errors import RuleError
from sync.store import schema, search
from sync.store.database import Database, converted
from sync.store.demand_rows import place_name, quoted
from sync.store.demands import Choice
from sync.store.dispute_rows import FINISHED, SEEN, DisputeRow, load_rows
from sync.store.steps import load_steps
from sync.store.store import Store
from sync.store.viewers import MINE, viewer_streams
from sync.store.writer import Touched

SOON_DAYS = 3  # what falls due within these days is among today's work
# What a list shows: all that is open, what oneself noticed, the cases one mediates, what is over.
SHELVES: Mapping[str, str] = {
    "open": f"s.state NOT IN ({quoted(FINISHED)})",
    "mine": f"s.state NOT IN ({quoted(FINISHED)}) AND s.noticed_by = :me",
    "cases": f"s.state NOT IN ({quoted(FINISHED)}) AND s.accepted_on > ''"
    " AND EXISTS (SELECT 1 FROM json_each(s.mediator_ids) WHERE value = :me)",
    "finished": f"s.state IN ({quoted(FINISHED)})",
}
_ORDER = "ORDER BY s.next_on IS NULL, s.next_on, s.is_state_only, s.noticed_on DESC, s.id DESC"


@dataclass(frozen=True, slots=True)
class DisputeStep:
    """One step of a dispute."""

    event_id: str
    at: int
    by_name: str
    move: str
    from_state: str
    to_state: str
    note: str
    is_undoable: bool = False


@dataclass(frozen=True, slots=True)
class DisputeCard:
    """One dispute with everything shown of it and what this viewer may do now; ``next_move`` is the blue button.

    Of a case of others (``row.is_state_only``) everything but the row is empty.
    """

    row: DisputeRow
    summary: str = ""
    risk_signs: tuple[str, ...] = ()
    place: str = ""
    other_party: str = ""
    other_household_id: str | None = None
    method: str = ""
    result: str = ""
    accepted_on: str | None = None
    due_on: str | None = None
    follow_up_on: str | None = None
    mediators: tuple[str, ...] = ()
    steps: tuple[DisputeStep, ...] = ()
    moves: tuple[str, ...] = ()
    next_move: str = ""
    may_amend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The households chosen for the two sides, and the compound where that does not follow from them.

    Without a household, the intent's ``place`` and ``other_party`` are read: a room in any spelling is looked up.
    """

    household_id: str | None = None
    other_household_id: str | None = None
    compound_id: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """What was touched, and the dispute that was noted."""

    touched: Touched
    dispute_id: str


def listed(db: Database, viewer: Viewer, *, shelf: str = "open") -> tuple[str, ...]:
    """The ids of the disputes on a shelf (see ``SHELVES``), what is due first; finished ones newest first."""
    order = "ORDER BY s.state_since DESC, s.id DESC" if shelf == "finished" else _ORDER
    given = {"me": viewer.account_id, "streams": viewer_streams(viewer)}
    with converted():
        found = db.conn.execute(f"{SEEN} SELECT s.id FROM seen s WHERE {SHELVES[shelf]} {order}", given)
        return tuple(row[0] for row in found)


def by_ids(db: Database, viewer: Viewer, ids: Sequence[str]) -> tuple[DisputeRow | None, ...]:
    """The rows of these disputes in the order of the ids; None for one that is gone or not the viewer's to see."""
    condition = "WHERE s.id IN (SELECT value FROM json_each(:ids))"
    found = {row.dispute_id: row for row in load_rows(db, viewer, condition, {"ids": schema.to_json(list(ids))})}
    return tuple(found.get(dispute_id) for dispute_id in ids)


def counts(db: Database, viewer: Viewer) -> Mapping[str, int]:
    """How many disputes stand on each shelf."""
    sums = ", ".join(f"coalesce(sum({condition}), 0)" for condition in SHELVES.values())
    given = {"me": viewer.account_id, "streams": viewer_streams(viewer)}
    with converted():
        found = db.conn.execute(f"{SEEN} SELECT {sums} FROM seen s", given).fetchone()
    return dict(zip(SHELVES, found, strict=True))


def due_items(db: Database, viewer: Viewer, today: str, *, limit: int = 100) -> tuple[DisputeRow, ...]:
    """What needs this viewer within three days or is late, what is due first.

    Own disputes and cases; for the desk those handed over; for the mediators those to be decided; for desk and
    secretaries requests for help. At the end, for information, the open cases that grew out of what oneself noticed.
    """
    condition = f"""
    WHERE s.next_on <= :soon AND NOT s.is_state_only AND (
            s.handler_id = :me
            OR :desk AND s.handler_id IS NULL AND s.state IN ('noticed', 'reopened', 'closed')
            OR :mediator AND s.state = 'registered'
            OR s.accepted_on > '' AND EXISTS (SELECT 1 FROM json_each(s.mediator_ids) WHERE value = :me))
        OR :helper AND s.state = 'escalated' AND NOT s.is_state_only AND s.accepted_on IS NULL
        OR s.is_state_only AND s.noticed_by = :me AND s.state NOT IN ('closed', {quoted(FINISHED)})
    {_ORDER} LIMIT :limit"""
    given = {
        "me": viewer.account_id,
        "soon": add_days(today, SOON_DAYS),
        "desk": viewer.has_any(DESK),
        "mediator": viewer.has_any(MEDIATOR),
        "helper": viewer.has_any(DESK | SECRETARY),
        "limit": limit,
    }
    return load_rows(db, viewer, condition, given)


def of_household(db: Database, viewer: Viewer, household_id: str, *, limit: int = 50) -> tuple[DisputeRow, ...]:
    """The disputes in which a household is one of the sides, open ones first, then the newest."""
    order = f"ORDER BY s.state IN ({quoted(FINISHED)}), s.noticed_on DESC, s.id DESC LIMIT :limit"
    condition = f"WHERE :household IN (s.household_id, s.other_household_id) AND NOT s.is_state_only {order}"
    return load_rows(db, viewer, condition, {"household": household_id, "limit": limit})


def card(db: Database, viewer: Viewer, dispute_id: str, *, calendar: WorkCalendar, now: int) -> DisputeCard | None:
    """One dispute with its steps and the moves of this viewer; None when there is nothing of it for this viewer."""
    found = load_rows(db, viewer, "WHERE s.id = :id", {"id": dispute_id})
    if not found:
        return None
    dispute = _dispute(db, viewer, dispute_id)
    if dispute is None:
        return DisputeCard(found[0])
    moves = moves_for(viewer, dispute, now=now)
    return DisputeCard(
        row=found[0],
        summary=dispute.summary,
        risk_signs=tuple(dispute.risk_signs),
        place=dispute.place,
        other_party=dispute.other_party_name,
        other_household_id=dispute.other_household_id,
        method=dispute.method,
        result=dispute.result,
        accepted_on=dispute.accepted_on,
        due_on=dispute.due_on,
        follow_up_on=dispute.follow_up_on,
        mediators=_names(db, viewer, dispute.mediator_ids),
        steps=_shown_steps(db, dispute, Act(viewer, now, new_id, calendar)),
        moves=tuple(chosen.name for chosen in moves),
        next_move=next_move(moves, state=dispute.state),
        may_amend=may_amend(viewer, dispute),
    )


def mediators(db: Database, viewer: Viewer, dispute_id: str) -> tuple[Choice, ...]:
    """Who can mediate in the compound of a dispute; () when it is not the viewer's to read."""
    dispute = _dispute(db, viewer, dispute_id)
    if dispute is None:
        return ()
    statement = f"""
        SELECT DISTINCT a.id, a.name, g.scope_kind, g.scope_id FROM "grant" g JOIN account a ON a.id = g.account_id
        WHERE g.deleted = 0 AND a.deleted = 0 AND a.state = 'active' AND g.role = 'mediator'
            AND g.{MINE} ORDER BY a.name, a.id"""
    places = viewer.places
    wanted = places.compounds.get(dispute.compound_id, frozenset())
    with converted():
        rows = db.conn.execute(statement, {"streams": viewer_streams(viewer)}).fetchall()
    people = {
        account_id: Choice(account_id, name)
        for account_id, name, scope_kind, scope_id in rows
        if scope_id == dispute.compound_id or wanted & places.buildings_of(scope_kind, scope_id)
    }
    return tuple(people.values())


def room_of(db: Database, viewer: Viewer, household_id: str) -> str:
    """The room of a household at hand, as it is written: '3-3-201'; '' for one that is not the viewer's to read."""
    statement = f"""SELECT coalesce(b.name, ''), coalesce(u.label, ''), h.room_no FROM household h
        LEFT JOIN unit u ON u.id = h.unit_id LEFT JOIN building b ON b.id = h.building_id
        WHERE h.id = :id AND h.deleted = 0 AND h.{MINE}"""
    with converted():
        row = db.conn.execute(statement, {"id": household_id, "streams": viewer_streams(viewer)}).fetchone()
    return place_name("household", "", *row) if row else ""


def household_named(db: Database, viewer: Viewer, text: str) -> str | None:
    """The one household of the viewer that a typed room means ('3-3-201', '3号楼三单元201'), or None."""
    try:
        wanted = canonical(parse_room(text))
    except RuleError:
        return None
    hits = search.find(db, viewer, text)
    found = {
        hit.household_id for hit in hits if place_name("household", "", hit.building, hit.unit, hit.room_no) == wanted
    }
    return next(iter(found)) if len(found) == 1 else None


def record(store: Store, author: str, intent: NoticeIntent, sides: Sides) -> Noted:
    """Note a dispute by itself. Errors as the verb ``notice``; of a side ('place' or 'other_party')
    'unknown_household' for one not at hand and 'room_not_found' for a room that a building at hand does not have.
    """
    act = store.act(author)
    intent, place = _placed(store, act, intent, sides)
    operations = notice(act, intent, place)
    return Noted(store.save(act, operations), operations[0].id)


def change(store: Store, author: str, dispute_id: str, intent: NoticeIntent, sides: Sides) -> Touched:
    """Put a note right while nobody has gone on from it. Errors as the verb ``amend``."""
    act = store.act(author)
    dispute = _must_read(store.db, act.viewer, dispute_id)
    intent, place = _placed(store, act, intent, sides, compound_id=dispute.compound_id)
    operations = amend(act, dispute, intent, place)
    return store.save(act, operations) if operations else frozenset()


def step(store: Store, author: str, dispute_id: str, name: str, intent: DisputeMove) -> Touched:
    """One step of a dispute, by the name of its move. Raises RuleError(field, code) and AccessError."""
    act = store.act(author)
    dispute = _must_read(store.db, act.viewer, dispute_id)
    return store.save(act, move(act, dispute, name, intent, categories=store.rules.dispute_categories))


def take_back(store: Store, author: str, dispute_id: str, event_id: str) -> Touched:
    """Undo an own step of today; RuleError('state', 'not_undoable') when it is too late for that."""
    act = store.act(author)
    dispute = _must_read(store.db, act.viewer, dispute_id)
    return store.save(act, undo(act, dispute, event_id, _steps(store.db, dispute_id)))


def _placed(
    store: Store, act: Act, intent: NoticeIntent, sides: Sides, *, compound_id: str = ""
) -> tuple[NoticeIntent, NoticePlace]:
    """The intent with the sides written the one way we write rooms, and where the dispute belongs."""
    db, viewer = store.db, act.viewer
    household_id = sides.household_id or household_named(db, viewer, intent.place)
    other_id = sides.other_household_id or household_named(db, viewer, intent.other_party)
    for field, record_id, text in (
        ("place", household_id, intent.place),
        ("other_party", other_id, intent.other_party),
    ):
        row = schema.load_one(db, "household", record_id) if record_id else None
        if record_id and (row is None or row.deleted or row.stream not in viewer.streams):
            raise RuleError(field, "unknown_household")
        if record_id is None and _is_no_room(db, viewer, text):
            raise RuleError(field, "room_not_found")
        if field == "place":
            building_id = row.values["building_id"] if row else _building_named(db, viewer, intent.place)
    found = viewer.places.compound_of(building_id) if building_id else ""
    named = compound_id or found or sides.compound_id or _only(sorted(viewer.compounds()))
    if not named:
        raise RuleError("place", "place_needed")
    place = NoticePlace(
        compound_id=named,
        categories=store.rules.dispute_categories,
        building_id=building_id,
        household_id=household_id,
        other_household_id=other_id,
    )
    texts = {
        "place": room_of(db, viewer, household_id) if household_id else intent.place,
        "other_party": room_of(db, viewer, other_id) if other_id else intent.other_party,
    }
    return _with(intent, texts), place


def _is_no_room(db: Database, viewer: Viewer, text: str) -> bool:
    """Whether a text means a room of a building at hand, which then should have been found: a slip of the key."""
    try:
        has_room = parse_room(text).room is not None
    except RuleError:
        return False
    return has_room and _building_named(db, viewer, text) is not None


def _with(intent: NoticeIntent, texts: Mapping[str, str]) -> NoticeIntent:
    values = {name: getattr(intent, name) for name in NoticeIntent.__slots__}
    return NoticeIntent(**{**values, **texts})


def _building_named(db: Database, viewer: Viewer, text: str) -> str | None:
    """The viewer's building that a place names; a head of one building means that one."""
    own = sorted(viewer.buildings())
    with converted():
        rows = schema.load(db, "building", own)
    try:
        wanted = parse_room(text).building
    except RuleError:
        wanted = None
    if wanted:
        keys = {
            row.id: {building_key(row.values["name"]), *map(building_key, row.values["aliases"])}
            for row in rows.values()
        }
        return _only([record_id for record_id in own if wanted in keys.get(record_id, ())]) or None
    return (_only(own) or None) if viewer.is_head_only() else None


def _only(ids: Sequence[str]) -> str:
    return ids[0] if len(ids) == 1 else ""


def _dispute(db: Database, viewer: Viewer, dispute_id: str) -> Dispute | None:
    with converted():
        row = schema.load_one(db, "dispute", dispute_id)
    if row is None or row.deleted or row.stream not in viewer.streams:
        return None
    found = KINDS["dispute"].record(row.id, row.values)
    assert isinstance(found, Dispute)
    return found


def _must_read(db: Database, viewer: Viewer, dispute_id: str) -> Dispute:
    dispute = _dispute(db, viewer, dispute_id)
    if dispute is None:
        raise RuleError("id", "unknown_record")
    return dispute


def _steps(db: Database, dispute_id: str) -> tuple[DisputeEvent, ...]:
    return load_steps(db, "dispute_event", dispute_id, made=DisputeEvent)


def _shown_steps(db: Database, dispute: Dispute, act: Act) -> tuple[DisputeStep, ...]:
    events = _steps(db, dispute.id)
    names = dict(
        zip((event.by for event in events), _names(db, act.viewer, [event.by for event in events]), strict=True)
    )
    return tuple(
        DisputeStep(
            event_id=event.id,
            at=event.at,
            by_name=names[event.by],
            move=event.move,
            from_state=event.from_state,
            to_state=event.to_state,
            note=event.note,
            is_undoable=is_undoable(act, dispute, event.id, events),
        )
        for event in events
    )


def _names(db: Database, viewer: Viewer, account_ids: Sequence[str]) -> tuple[str, ...]:
    """The names of these accounts, in order; '' for one that is not at hand."""
    statement = f"""SELECT id, name FROM account WHERE id IN (SELECT value FROM json_each(:ids))
        AND {MINE}"""
    given = {"ids": schema.to_json(list(account_ids)), "streams": viewer_streams(viewer)}
    with converted():
        found = dict(db.conn.execute(statement, given).fetchall())
    return tuple(found.get(account_id, "") for account_id in account_ids)
