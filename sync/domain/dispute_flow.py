"""The flow of a dispute: states, moves, risk level and limits. Its table is docs/decisions/0011-dispute-flow.md."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sync.domain.calendar import DAY, HOUR, WorkCalendar, add_days, add_months_to_instant, day_of
from sync.domain.flow import (
    BACK,
    COMMUNITY,
    DESK,
    HEAD,
    LEADER,
    MEDIATOR,
    NEW,
    SAME,
    SECRETARY,
    WORKER,
    By,
    Move,
    find_move,
    require,
    states,
)

REOPEN_DAYS = 90
FILE_DAYS = 30
COURT_DAYS = 30  # joint application for judicial confirmation
COURT_REMINDERS = (15, 25)
FOLLOW_UP_DAYS = 7
SECOND_FOLLOW_UP_DAYS = 30  # yellow and red
OLD_DAYS = 30
CROWD = 10
WITH_THE_DESK = states("registered reopened not_accepted transferred")  # nobody in particular handles these
_AGREED = "agreed_written agreed_oral"
_CASE = f"accepted mediating suspended refused failed {_AGREED} performing performed breached"


class Risk(StrEnum):
    """Three levels, in words on the screen: a dispute never has a colour on the needs map."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"


RED_SIGNS = states("violence threat weapon self_harm repeated_police ten_or_more minor_at_risk")
YELLOW_SIGNS = states("two_failed_attempts several_households property_company open_long")


@dataclass(frozen=True, slots=True)
class RiskLevel:
    """A risk level with the signs that gave it."""

    risk: Risk
    reasons: tuple[str, ...] = ()


def _anyone(
    name: str,
    source: str,
    target: str,
    *needs: str,
    roles: frozenset[str],
    by: By = By.HANDLER,
    on_sync: bool = False,
) -> Move:
    """Before acceptance, anywhere and offline: the moves of a head among them."""
    return Move(name, states(source), target, roles, by, False, on_sync, needs, False)


def _desk(
    name: str, source: str, target: str, *needs: str, roles: frozenset[str] = DESK, on_sync: bool = False
) -> Move:
    """Before acceptance, at the station, by whoever is on duty."""
    return Move(name, states(source), target, roles, By.ANY, True, on_sync, needs, False)


def _case(name: str, source: str, target: str, *needs: str, on_sync: bool = False) -> Move:
    """After acceptance, by the mediators of the case."""
    return Move(name, states(source), target, MEDIATOR, By.HANDLER, True, on_sync, needs, True)


MOVES = (
    _anyone("notice", NEW, "noticed", "category", "title", roles=HEAD | LEADER | DESK | MEDIATOR, by=By.ANY),
    _anyone("settle_on_spot", f"{NEW} noticed", "settled_on_spot", "result", roles=HEAD | WORKER | MEDIATOR),
    _desk("settle_registered", "registered", "settled_on_spot", "result", roles=WORKER | MEDIATOR),
    _anyone("hand_over", "noticed", SAME, roles=HEAD | LEADER, by=By.AUTHOR, on_sync=True),
    _desk("take_over", "noticed settled_on_spot followed_up", SAME, "note"),
    _anyone("dismiss", "noticed", "not_a_dispute", "note", roles=HEAD | DESK),
    _desk("register", f"{NEW} noticed reopened", "registered", "category", "risk"),
    _anyone(
        "note",
        "noticed registered settled_on_spot escalated transferred not_accepted followed_up reopened",
        SAME,
        "note",
        roles=HEAD | DESK,
    ),
    _anyone("ask_for_help", "noticed registered", "escalated", "handed_to", "note", roles=HEAD | DESK, on_sync=True),
    _desk("answer_help", "escalated", BACK, "note", roles=DESK | SECRETARY),
    _desk("transfer", "registered escalated", "transferred", "handed_to", "note", on_sync=True),
    _desk("accept", "registered", "accepted", "mediator_ids", "parties_agreed", roles=MEDIATOR, on_sync=True),
    _desk("not_accept", "registered", "not_accepted", "note", roles=MEDIATOR),
    Move(
        "change_mediator",
        states(f"accepted mediating suspended {_AGREED} performing breached"),
        SAME,
        MEDIATOR | COMMUNITY,
        station_only=True,
        on_sync=True,
        needs=("mediator_ids", "parties_agreed"),
        case=True,
    ),
    _case("begin", "accepted", "mediating"),
    _case("hold_session", "mediating", SAME, "note"),
    _case("extend", "accepted mediating", SAME, "due_on", "note", "parties_agreed"),
    _case("suspend", "mediating", "suspended", "note"),
    _case("resume", "suspended", BACK),
    _case("refuse", "accepted mediating suspended", "refused", "note"),
    _case("fail", "mediating suspended", "failed", "note", "ways_told"),
    _case("agree_in_writing", "mediating", "agreed_written", "result", "due_on"),
    _case("agree_orally", "mediating", "agreed_oral", "result", "due_on"),
    _case("escalate_case", "mediating", "escalated", "handed_to", "note", on_sync=True),
    _case("return_to_case", "escalated", BACK, "note"),
    _case("transfer_case", "escalated mediating", "transferred", "handed_to", "note", on_sync=True),
    _case("begin_performance", _AGREED, "performing"),
    _case("confirm_in_court", f"{_AGREED} performing performed breached", SAME, "note"),
    _case("perform", "performing breached", "performed"),
    _case("breach", "performing", "breached", "note"),
    _case("urge", "breached", SAME, "note"),
    _anyone("follow_up", "settled_on_spot", "followed_up", "note", roles=HEAD | WORKER | MEDIATOR),
    _case("follow_up_case", "performed", "followed_up", "note"),
    _case("follow_up_breach", "breached", "followed_up", "note", "ways_told"),
    _case("note_case", f"{_CASE} escalated transferred followed_up closed", SAME, "note"),
    _desk("close", "not_accepted transferred", "closed", "note", roles=DESK | MEDIATOR),
    _case("close_case", "refused failed transferred", "closed", "note"),
    _anyone("archive", "settled_on_spot followed_up", "archived", roles=HEAD | WORKER | MEDIATOR),
    _desk("archive_closed", "closed", "archived", roles=DESK | MEDIATOR),
    _case("archive_case", "followed_up closed", "archived", "dossier_complete"),
    Move("reopen", states("followed_up closed archived"), "reopened", DESK | MEDIATOR, By.ANY, True, False, ("note",)),
)


def allowed_moves(
    state: str,
    *,
    role: str,
    is_handler: bool,
    is_author: bool,
    at_station: bool,
    was_accepted: bool = False,
    came_from: str = "",
    closed_at: int | None = None,
    now: int | None = None,
) -> tuple[Move, ...]:
    """The moves this person may make from ``state`` ("new" before the record exists), in the table's order.

    ``is_handler`` as ``handles`` says; ``at_station``: the account works for the station of that compound, at its PC
    or on the server's pages. ``was_accepted``: the committee accepted it, and it has not been reopened since.
    ``came_from`` is the state before (a move that goes back needs it); ``closed_at`` (closed, filed or followed up)
    and ``now`` in milliseconds decide whether it may still be reopened.
    """
    too_late = closed_at is not None and now is not None and not may_reopen(closed_at, now=now)
    return tuple(
        move
        for move in MOVES
        if state in move.source
        and move.is_open_to(role=role, is_handler=is_handler, is_author=is_author, at_station=at_station)
        and move.case in (None, was_accepted)
        and not (move.target == BACK and not came_from)
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
    was_accepted: bool = False,
    came_from: str = "",
    closed_at: int | None = None,
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
        was_accepted=was_accepted,
        came_from=came_from,
        closed_at=closed_at,
        now=now,
    )
    move = find_move(moves, name, state=state)
    require(move, given=given)
    return move


def handles(
    state: str,
    *,
    role: str,
    account_id: str,
    handler_id: str | None,
    mediator_ids: Collection[str] = (),
    was_accepted: bool = False,
) -> bool:
    """Whether an account counts as handler: a mediator of the case; before that its handler, or the desk."""
    if was_accepted:
        return account_id in mediator_ids
    if role in DESK and (not handler_id or state in WITH_THE_DESK):
        return True
    return state == NEW or account_id == handler_id


def risk_level(
    signs: Collection[str] = (), *, people: int = 0, failed_attempts: int = 0, households: int = 2, open_days: int = 0
) -> RiskLevel:
    """The risk level of a dispute with every reason of the level that won. Rule source: dispute risk levels."""
    seen = set(signs)
    if people >= CROWD:
        seen.add("ten_or_more")
    if failed_attempts >= 2:
        seen.add("two_failed_attempts")
    if households >= 3:
        seen.add("several_households")
    if open_days > OLD_DAYS:
        seen.add("open_long")
    for risk, known in ((Risk.RED, RED_SIGNS), (Risk.YELLOW, YELLOW_SIGNS)):
        if reasons := tuple(sorted(seen & known)):
            return RiskLevel(risk, reasons)
    return RiskLevel(Risk.GREEN)


def deadline(state: str, *, since: int, risk: str, calendar: WorkCalendar, handed_over: bool = False) -> int | None:
    """By when the next step is due in milliseconds, or None where nothing presses.

    ``since`` is the instant the limit counts from: of entering the state; for accepted, mediating and suspended of
    acceptance; for performing, performed and breached the day performance is due; for an agreement its taking effect.
    """
    if state == "noticed" and risk == Risk.RED:
        return since + 2 * HOUR  # tell police and community
    working_days = _working_days(state, risk, handed_over)
    if working_days:
        return calendar.add_working_days(since, working_days)
    if state in ("accepted", "mediating", "suspended"):
        return add_months_to_instant(since, 1)
    days = _DAYS.get(state)
    return since + days * DAY if days else None


def follow_ups_on(performance_due_on: str, *, risk: str) -> tuple[str, ...]:
    """The days of the follow-up calls: 7 days after performance was due, for yellow and red again at 30 days."""
    days = (FOLLOW_UP_DAYS,) if risk == Risk.GREEN else (FOLLOW_UP_DAYS, SECOND_FOLLOW_UP_DAYS)
    return tuple(add_days(performance_due_on, n) for n in days)


def court_days(agreed_on: str) -> tuple[str, ...]:
    """Two days of reminder and the last day of the joint application to the court (30 days from taking effect)."""
    return tuple(add_days(agreed_on, n) for n in (*COURT_REMINDERS, COURT_DAYS))


def may_reopen(closed_at: int, *, now: int) -> bool:
    """Whether the same parties and matter still count as the same dispute: up to the end of the 90th day."""
    return day_of(now) <= add_days(day_of(closed_at), REOPEN_DAYS)


_DAYS = dict.fromkeys(("settled_on_spot", "performing", "performed", "breached"), FOLLOW_UP_DAYS)
_DAYS |= dict.fromkeys(("agreed_written", "agreed_oral"), COURT_DAYS)
_DAYS |= dict.fromkeys(("followed_up", "closed"), FILE_DAYS)


def _working_days(state: str, risk: str, handed_over: bool) -> int:
    if state == "noticed":
        return 1 if handed_over else 3
    if state == "registered":
        return 3 if risk == Risk.GREEN else 1
    return 1 if state == "reopened" else 0
