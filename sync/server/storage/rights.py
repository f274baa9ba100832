"""Who may read and write what, answered from the accounts, grants and places that are themselves records."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from sync.domain import roles, streams
from sync.domain.catalogue import KINDS
from sync.domain.kinds.places import Grant
from sync.domain.merge import Row
from sync.domain.roles import Places, Reach, Viewer
from sync.server.storage.records import COLUMNS, row_of
from sync.server.storage.statements import prepared

KINDS_OF_RIGHTS = ("account", "grant", "compound", "grid", "building")


@dataclass(frozen=True, slots=True)
class Rights:
    """The grants of all accounts and the shape of the community at one moment."""

    places: Places
    grants: Mapping[str, tuple[Grant, ...]]  # account → its grants, whenever valid
    open_accounts: frozenset[str]
    names: Mapping[str, str] = field(default_factory=dict)  # account → name

    def viewer(self, account_id: str, *, today: str) -> Viewer:
        """Who writes or reads: an account that is closed or unknown has no grants."""
        grants = self.grants.get(account_id, ()) if account_id in self.open_accounts else ()
        return roles.viewer(account_id, grants, self.places, today=today)


def rights_of(community: str, rows: Iterable[Row]) -> Rights:
    """The rights that follow from these rows of the community's own stream."""
    compounds: dict[str, set[str]] = {}
    grids: dict[str, set[str]] = {}
    grants: dict[str, list[Grant]] = {}
    names: dict[str, str] = {}
    for row in rows:
        if row.deleted:
            continue
        values = row.values
        if row.kind == "compound":
            compounds.setdefault(row.id, set())
        elif row.kind == "grid":
            grids.setdefault(row.id, set())
        elif row.kind == "building":
            compounds.setdefault(values["compound_id"], set()).add(row.id)
            if values.get("grid_id"):
                grids.setdefault(values["grid_id"], set()).add(row.id)
        elif row.kind == "account":
            if values.get("state") != "closed":
                names[row.id] = values["name"]
        elif row.kind == "grant":
            grant = KINDS["grant"].record(row.id, values)
            assert isinstance(grant, Grant)
            grants.setdefault(grant.account_id, []).append(grant)
    places = Places(
        community,
        {compound: frozenset(buildings) for compound, buildings in compounds.items()},
        {grid: frozenset(buildings) for grid, buildings in grids.items()},
    )
    return Rights(places, {account: tuple(held) for account, held in grants.items()}, frozenset(names), names)


def load_rows(connection: Connection, community: str) -> dict[str, Row]:
    """The rows that rights follow from, by id."""
    named = ", ".join(f"'{kind}'" for kind in KINDS_OF_RIGHTS)
    found = connection.execute(
        text(f"SELECT {COLUMNS} FROM record WHERE community = :community AND stream = :stream AND kind IN ({named})"),
        {"community": community, "stream": streams.community(community)},
    )
    return {row.id: row_of(row) for row in found}


class RightsCache:
    """Keeps each community's rights as long as its own stream stands still."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, dict[str, Row], Rights]] = {}

    def rows(self, connection: Connection, community: str) -> tuple[dict[str, Row], Rights]:
        """The rows that rights follow from, as committed, and the rights."""
        seq = connection.execute(
            prepared("SELECT seq FROM stream WHERE community = :community AND id = :stream"),
            {"community": community, "stream": streams.community(community)},
        ).scalar()
        known = self._known.get(community)
        if known is None or known[0] != seq:
            rows = load_rows(connection, community)
            # Read after the counter: rows of a later commit may be among them, and are read again then.
            known = (seq or 0, rows, rights_of(community, rows.values()))
            self._known[community] = known
        return known[1], known[2]

    def forget(self) -> None:
        """Read everything anew: what was seen may have been undone."""
        self._known.clear()

    def of(self, connection: Connection, community: str) -> Rights:
        """The rights as committed."""
        return self.rows(connection, community)[1]


def reach_of(connection: Connection, community: str, rights: Rights, accounts: Iterable[str], *, today: str) -> Reach:
    """What an installation may read: the union of what its accounts may."""
    named: set[str] = set()
    prefixes: set[str] = set()
    cases: dict[str, frozenset[str]] | None = None
    for account in accounts:
        viewer = rights.viewer(account, today=today)
        mine: list[str] = []
        if viewer.has_any({"mediator"}):
            if cases is None:
                cases = _cases(connection, community)
            mine = [case for case, mediators in cases.items() if account in mediators]
        reach = viewer.reach(mine)
        named |= reach.streams
        prefixes |= set(reach.prefixes)
    return Reach(frozenset(named), tuple(sorted(prefixes)))


def _cases(connection: Connection, community: str) -> dict[str, frozenset[str]]:
    found = connection.execute(
        text(
            f"SELECT {COLUMNS} FROM record WHERE community = :community "
            "AND stream >= 'case:' AND stream < 'case;' AND kind = 'dispute'"
        ),
        {"community": community},
    )
    return {row.id: _mediators(row_of(row).values) for row in found}


def _mediators(values: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(values.get("mediator_ids") or ())
