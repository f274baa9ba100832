"""How a flow is written down: a table of moves between states, who may make them, where, and what they need."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from sync.errors import RuleError

NEW = "new"  # the state before a record exists
SAME = "="  # the state stays
BACK = "back"  # to the state before

STATION = frozenset({"grid_worker", "station_staff", "branch_secretary", "community_secretary"})
SECRETARY = frozenset({"branch_secretary", "community_secretary"})
COMMUNITY = frozenset({"community_secretary"})
HEAD = frozenset({"building_head"})
LEADER = frozenset({"cluster_leader"})
WORKER = frozenset({"grid_worker"})
DESK = frozenset({"grid_worker", "station_staff"})
MEDIATOR = frozenset({"mediator"})
FIRM = frozenset({"property_manager"})
SERVER = frozenset({"server"})


class By(StrEnum):
    """Whose move it is, among those who have the role."""

    ANY = "any"
    HANDLER = "handler"
    AUTHOR = "author"


@dataclass(frozen=True, slots=True)
class Move:
    """One row of a flow's table.

    ``needs`` names fields that must be filled; "a|b" is satisfied by either. ``station_only``: only under an account
    that works for the station concerned, at its PC or on the server's pages. ``on_sync``: takes effect for others when
    synced. ``case``: only after (True) or only before (False) a dispute was accepted for mediation.
    """

    name: str
    source: frozenset[str]
    target: str
    roles: frozenset[str]
    by: By = By.ANY
    station_only: bool = False
    on_sync: bool = False
    needs: tuple[str, ...] = ()
    case: bool | None = None

    def target_from(self, state: str, *, came_from: str = "") -> str:
        """The state after this move; ``came_from`` is the state before ``state``, for moves that go back."""
        if self.target == BACK:
            return came_from
        return state if self.target == SAME else self.target

    def is_open_to(self, *, role: str, is_handler: bool, is_author: bool, at_station: bool) -> bool:
        """Whether this person may make the move at all, whatever the state."""
        if role not in self.roles or (self.station_only and not at_station):
            return False
        return {By.ANY: True, By.HANDLER: is_handler, By.AUTHOR: is_author}[self.by]


def states(text: str) -> frozenset[str]:
    """The states named in a text, separated by blanks."""
    return frozenset(text.split())


def find_move(moves: Iterable[Move], name: str, *, state: str) -> Move:
    """The move of that name if it is among those allowed; RuleError('state', 'not_allowed') otherwise."""
    for move in moves:
        if move.name == name:
            return move
    raise RuleError("state", "not_allowed", move=name, state=state)


def require(move: Move, *, given: Collection[str]) -> None:
    """Raise RuleError(field, 'required') for the first field that the move needs and that is not among ``given``."""
    for need in move.needs:
        options = need.split("|")
        if not any(option in given for option in options):
            raise RuleError(options[0], "required", move=move.name)
