"""The flow of a demand: states, moves and time limits. The table is docs/decisions/0010-demand-flow.md as data."""

from collections.abc import Collection

from sync.domain.calendar import DAY, HOUR, WorkCalendar, add_days, day_of, start_of_day
from sync.domain.flow import FIRM, HEAD, NEW, SAME, SECRETARY, SERVER, STATION, By, Move, find_move, require, states

UNCLAIMED = states("collected returned reopened")  # these lie with the station as a whole
RETURNS_BEFORE_COMMUNITY = 2
REOPEN_DAYS = 30
ARCHIVE_DAYS = 15
REVIEW_DAYS = 90
REPLY_WORKING_DAYS = 2
_LEVELS = dict.fromkeys(STATION - {"community_secretary"}, ("head", "station"))  # the community secretary: all
_AT_WORK = "accepted dispatched taken in_progress returned suspended scheduled escalated reopened"
_EVERYWHERE = f"{_AT_WORK} collected answered_on_spot rejected resolved replied evaluated archived"


def _own(name: str, source: str, target: str, *needs: str, roles: frozenset[str] = HEAD | STATION) -> Move:
    """A move that a head may make too: anywhere, offline."""
    return Move(name, states(source), target, roles, needs=needs)


def _station(
    name: str,
    source: str,
    target: str,
    *needs: str,
    roles: frozenset[str] = STATION,
    by: By = By.HANDLER,
    on_sync: bool = False,
) -> Move:
    return Move(name, states(source), target, roles, by, True, on_sync, needs)


MOVES = (
    _own("create", NEW, "collected", "scope", "category", "demand_kind", "title"),
    _own("answer_on_spot", f"{NEW} collected", "answered_on_spot", "result"),
    _own("note", _EVERYWHERE, SAME, "note", roles=HEAD | STATION | FIRM),
    Move("withdraw", states("collected"), "withdrawn", HEAD | STATION, By.AUTHOR, needs=("note",)),
    _station("withdraw_for_resident", _AT_WORK, "withdrawn", "note"),
    _station("accept", "collected returned reopened", "accepted"),
    _station("reject", "collected accepted returned", "rejected", "note"),
    _station("merge", "collected accepted returned reopened", "merged", "merged_into_id"),
    _station(
        "dispatch",
        "accepted in_progress returned reopened scheduled escalated",
        "dispatched",
        "partner_id|handler_id",
        on_sync=True,
    ),
    _station("recall", "dispatched", "accepted", "note", by=By.ANY, on_sync=True),
    _station("take", "dispatched", "taken", roles=STATION | FIRM),
    _station("return", "dispatched taken", "returned", "note", roles=STATION | FIRM, on_sync=True),
    _station("start", "accepted taken reopened", "in_progress", roles=STATION | FIRM),
    _station("suspend", "accepted dispatched taken in_progress reopened", "suspended", "note", "review_on"),
    _station(
        "schedule", "accepted in_progress returned suspended escalated reopened", "scheduled", "note", "review_on"
    ),
    _station("review", "suspended scheduled", SAME, "review_on"),
    _station("resume", "suspended scheduled escalated", "in_progress"),
    _station(
        "escalate", "accepted taken in_progress returned suspended reopened", "escalated", "note", "level", on_sync=True
    ),
    _station("assign", f"{_AT_WORK} resolved", SAME, "handler_id", roles=SECRETARY, by=By.ANY, on_sync=True),
    _station(
        "resolve",
        "accepted taken in_progress escalated reopened",
        "resolved",
        "result",
        "close_kind",
        roles=STATION | FIRM,
    ),
    _own("reply", "resolved replied", "replied", "replied_on", "reply_mode"),
    _own("evaluate", "replied", "evaluated", "evaluation"),
    _own("evaluate_dissatisfied", "replied", SAME, "evaluation"),
    _station("archive", "answered_on_spot evaluated", "archived", by=By.ANY),
    _station("archive_dissatisfied", "replied", "archived", "note", roles=SECRETARY, by=By.ANY),
    _own("auto_archive", "replied", "archived", roles=SERVER),
    _station("reopen", "resolved replied answered_on_spot evaluated archived", "reopened", "note", by=By.ANY),
)


def allowed_moves(
    state: str,
    *,
    role: str,
    is_handler: bool,
    is_author: bool,
    at_station: bool,
    level: str = "station",
    return_count: int = 0,
    finished_at: int | None = None,
    now: int | None = None,
) -> tuple[Move, ...]:
    """The moves this person may make from ``state`` ("new" before the record exists), in the table's order.

    ``is_handler`` as ``handles`` says; ``at_station``: the account works for the station of the demand's compound, on
    its PC or on the server's pages. ``level`` and ``return_count`` are the demand's; ``finished_at`` (when it was
    resolved, answered or archived) and ``now`` in milliseconds decide whether it may still be reopened.
    """
    own_levels = _LEVELS.get(role)
    stuck = state == "returned" and return_count >= RETURNS_BEFORE_COMMUNITY and role != "community_secretary"
    too_late = finished_at is not None and now is not None and not may_reopen(finished_at, now=now)
    return tuple(
        move
        for move in MOVES
        if state in move.source
        and move.is_open_to(role=role, is_handler=is_handler, is_author=is_author, at_station=at_station)
        and not (move.station_only and own_levels and level not in own_levels)
        and not (stuck and move.target != SAME)
        and not (too_late and move.name == "reopen")
    )


def check_move(
    name: str,
    state: str,
    *,
    role: str,
    is_handler: bool,
    is_author: bool,
    at_station: bool,
    given: Collection[str],
    level: str = "station",
    return_count: int = 0,
    finished_at: int | None = None,
    now: int | None = None,
) -> Move:
    """The move, if this person may make it and the fields it needs are among ``given``.

    Raises RuleError('state', 'not_allowed') or RuleError(field, 'required').
    """
    moves = allowed_moves(
        state,
        role=role,
        is_handler=is_handler,
        is_author=is_author,
        at_station=at_station,
        level=level,
        return_count=return_count,
        finished_at=finished_at,
        now=now,
    )
    move = find_move(moves, name, state=state)
    require(move, given=given)
    return move


def handles(state: str, *, role: str, account_id: str, handler_id: str | None) -> bool:
    """Whether an account counts as the demand's handler: it is, or the demand lies with its station as a whole."""
    if role in STATION and (not handler_id or state in UNCLAIMED):
        return True
    return account_id == handler_id


def evaluation_move(evaluation: str) -> str:
    """The move that an evaluation is: dissatisfied stays open and red, every other one finishes the demand."""
    return "evaluate_dissatisfied" if evaluation == "dissatisfied" else "evaluate"


def due_times(urgency: str, *, reported_at: int, calendar: WorkCalendar) -> tuple[int, int]:
    """(first answer due, to be resolved by) in milliseconds.

    Rule source: urgent 24 hours and 3 calendar days by the clock; coordinated 1 and 5, routine 3 and 15 working days.
    """
    if urgency == "urgent":
        return reported_at + 24 * HOUR, reported_at + 3 * DAY
    respond, resolve = (1, 5) if urgency == "coordinated" else (3, 15)
    return calendar.add_working_days(reported_at, respond), calendar.add_working_days(reported_at, resolve)


def reply_due_at(resolved_at: int, *, calendar: WorkCalendar) -> int:
    """By when the resident has to be told of the result: two working days after it."""
    return calendar.add_working_days(resolved_at, REPLY_WORKING_DAYS)


def review_due_on(scheduled_on: str) -> str:
    """The latest day of review of a demand taken into a plan."""
    return add_days(scheduled_on, REVIEW_DAYS)


def may_reopen(finished_at: int, *, now: int) -> bool:
    """Whether a finished demand may still be reopened: up to the end of the 30th day."""
    return day_of(now) <= add_days(day_of(finished_at), REOPEN_DAYS)


def auto_archive_at(replied_on: str) -> int:
    """When the server files a demand that nobody evaluated (as not_reached): 15 days after the reply."""
    return start_of_day(add_days(replied_on, ARCHIVE_DAYS + 1))
