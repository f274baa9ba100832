"""Who may read and write what: asked by client and server alike.

A grant gives an account a role in an area from a day to a day. From the grants follow the streams that may be read
(``Reach``) and, per kind, whether an operation may be written (``authorise``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sync.domain import streams
from sync.domain.fields import Privacy
from sync.domain.kinds.places import Grant

STATION_ROLES = frozenset({"grid_worker", "station_staff", "branch_secretary", "community_secretary"})
OFFICE_ROLES = STATION_ROLES | {"building_head"}
_AREAS = ("building", "grid", "compound", "community")  # the smallest first
SECRETARY_ROLES = frozenset({"branch_secretary", "community_secretary"})


@dataclass(frozen=True, slots=True)
class Places:
    """The shape of a community, as far as rights need it: which buildings belong to which compound and grid."""

    community_id: str
    compounds: Mapping[str, frozenset[str]]  # compound id → building ids
    grids: Mapping[str, frozenset[str]]  # grid id → building ids

    def buildings_of(self, scope_kind: str, scope_id: str) -> frozenset[str]:
        """The buildings of an area; an unknown area has none."""
        if scope_kind == "community":
            return frozenset().union(*self.compounds.values()) if scope_id == self.community_id else frozenset()
        if scope_kind == "compound":
            return self.compounds.get(scope_id, frozenset())
        if scope_kind == "grid":
            return self.grids.get(scope_id, frozenset())
        return frozenset({scope_id}) if self.compound_of(scope_id) else frozenset()

    def compound_of(self, building_id: str) -> str:
        """The compound of a building, or ''."""
        return next((cid for cid, buildings in self.compounds.items() if building_id in buildings), "")


@dataclass(frozen=True, slots=True)
class Reach:
    """The streams an account may read: named ones, and all that begin with a prefix."""

    streams: frozenset[str]
    prefixes: tuple[str, ...]

    def allows(self, stream: str) -> bool:
        """Whether rows of this stream may be read."""
        return stream in self.streams or stream.startswith(self.prefixes) if self.prefixes else stream in self.streams


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is looking or writing: an account, its grants valid today, and what follows from them.

    ``streams`` are the streams at hand that this viewer may read; the store fills them in, and its reads ask them.
    """

    account_id: str
    grants: tuple[Grant, ...]
    places: Places
    streams: frozenset[str] = frozenset()

    @property
    def roles(self) -> frozenset[str]:
        """All roles held today."""
        return frozenset(grant.role for grant in self.grants)

    def has_any(self, roles: Iterable[str]) -> bool:
        """Whether at least one of these roles is held."""
        return not self.roles.isdisjoint(roles)

    def is_head_only(self) -> bool:
        """A building head (or group leader) without a post at the station."""
        return bool(self.roles) and self.roles <= {"building_head", "cluster_leader"}

    def buildings(self, roles: Iterable[str] | None = None) -> frozenset[str]:
        """The buildings in which (one of) these roles is held."""
        wanted = None if roles is None else frozenset(roles)
        return frozenset().union(
            *(
                self.places.buildings_of(grant.scope_kind, grant.scope_id)
                for grant in self.grants
                if wanted is None or grant.role in wanted
            )
        )

    def compounds(self, roles: Iterable[str] | None = None) -> frozenset[str]:
        """The compounds that hold one of those buildings, or that an area names."""
        wanted = None if roles is None else frozenset(roles)
        named = {
            grant.scope_id
            for grant in self.grants
            if grant.scope_kind == "compound" and (wanted is None or grant.role in wanted)
        }
        held = {self.places.compound_of(building) for building in self.buildings(roles)}
        if any(g.scope_kind == "community" and (wanted is None or g.role in wanted) for g in self.grants):
            held |= set(self.places.compounds)
        return frozenset((named & set(self.places.compounds)) | (held - {""}))

    def reach(self, cases: Iterable[str] = ()) -> Reach:
        """What may be read; ``cases`` are the ids of accepted disputes this account mediates."""
        if not self.grants:
            return Reach(frozenset(), ())
        community_id, me = self.places.community_id, self.account_id
        named = {streams.community(community_id), streams.person(me)}
        named |= {streams.case(case) for case in cases}
        named |= {streams.building(building) for building in self.buildings(OFFICE_ROLES | {"cluster_leader"})}
        named |= {streams.care(building) for building in self.buildings(STATION_ROLES)}
        for compound in self.compounds(OFFICE_ROLES | {"mediator"}):
            named |= {streams.compound(compound), streams.disputes(compound, me)}
        prefixes = [streams.disputes(compound, "") for compound in self.compounds(STATION_ROLES | {"mediator"})]
        if self.has_any(STATION_ROLES - {"branch_secretary"}):
            named.add(streams.reports(community_id, me))
        if self.has_any({"community_secretary"}):
            prefixes += [streams.reports(community_id, ""), streams.handed(community_id, "")]
        return Reach(frozenset(named), tuple(sorted(prefixes)))

    def streams_by_need(self) -> tuple[str, ...]:
        """The streams that a person's own work stands on, the nearest first: own buildings, the grid's, the compound's.

        Posts of a smaller area go before those of a larger one; each building comes with its care stream.
        """
        by_area = sorted(self.grants, key=lambda grant: (_AREAS.index(grant.scope_kind), grant.scope_id))
        made: dict[str, None] = {}
        for grant in by_area:
            for building in sorted(self.places.buildings_of(grant.scope_kind, grant.scope_id)):
                made.update(dict.fromkeys((streams.building(building), streams.care(building))))
        for compound in sorted(self.compounds()):
            own = (streams.compound(compound), streams.disputes(compound, self.account_id))
            made.update(dict.fromkeys(own))
        return tuple(made)

    def may_see(self, privacy: Privacy, building_id: str = "") -> bool:
        """Whether data of this class may be shown (in this building, where one is given)."""
        if privacy in (Privacy.K0, Privacy.K1):
            return bool(self.grants)
        roles = {
            Privacy.K2: OFFICE_ROLES | {"mediator"},
            Privacy.K3: STATION_ROLES,
            Privacy.K4: STATION_ROLES | {"mediator"},
            Privacy.K5: frozenset({"grid_worker", "station_staff", "community_secretary"}),
        }[privacy]
        return building_id in self.buildings(roles) if building_id else self.has_any(roles)


def viewer(account_id: str, grants: Iterable[Grant], places: Places, *, today: str) -> Viewer:
    """The viewer with the grants that are valid on ``today`` ('YYYY-MM-DD')."""
    valid = tuple(
        grant
        for grant in grants
        if grant.account_id == account_id
        and (not grant.valid_from or grant.valid_from <= today)
        and (not grant.valid_to or today <= grant.valid_to)
    )
    return Viewer(account_id, valid, places)


# Who may write which kind. ``make`` creates; ``change`` patches; both only inside the role's own area.
_EVERY = OFFICE_ROLES
_MAKE: Mapping[str, frozenset[str]] = {
    "community": frozenset({"community_secretary"}),
    "compound": frozenset({"community_secretary"}),
    "grid": frozenset({"community_secretary"}),
    "station": frozenset({"community_secretary"}),
    "building": STATION_ROLES,
    "unit": STATION_ROLES,
    "household_cluster": STATION_ROLES,
    "building_head_term": SECRETARY_ROLES,
    "partner_org": STATION_ROLES,
    "household": _EVERY,
    "resident": _EVERY,
    "resident_identity": frozenset({"grid_worker", "station_staff"}),
    "privacy_notice": _EVERY,
    "care_tag": frozenset({"grid_worker", "station_staff"}),
    "care_suggestion": _EVERY,
    "care_pairing": frozenset({"grid_worker", "station_staff"}),
    "care_due": frozenset({"grid_worker", "station_staff"}),
    "visit_campaign": SECRETARY_ROLES | {"station_staff"},
    "door_sheet": _EVERY,
    "visit": _EVERY,
    "demand": _EVERY,
    "demand_event": _EVERY,
    "demand_detail": _EVERY,
    "dispute": _EVERY | {"mediator"},
    "dispute_event": _EVERY | {"mediator"},
    "protection_report": _EVERY | {"mediator"},
    "conflict": frozenset(),  # the server writes conflicts; people settle them
    "attachment": _EVERY | {"mediator"},
    "handed_on": _EVERY | {"mediator"},
}
_CHANGE: Mapping[str, frozenset[str]] = {
    **_MAKE,
    "care_suggestion": frozenset({"grid_worker", "station_staff"}),
    "demand_event": frozenset(),
    "dispute_event": frozenset(),
    "privacy_notice": STATION_ROLES,
    "conflict": _EVERY | {"mediator"},  # of a case, those who mediate it
    "attachment": STATION_ROLES,  # and whoever added it
    "handed_on": frozenset({"community_secretary"}),
}


MAKERS = frozenset({"recorded_by", "noticed_by", "reported_by", "suggested_by", "given_by", "by"})


def made_by(values: Mapping[str, Any], account_id: str) -> bool:
    """Whether the account is named as the record's maker, by whichever field its kind names one."""
    return any(values.get(name) == account_id for name in MAKERS)


def names_another(values: Mapping[str, Any], account_id: str) -> bool:
    """Whether a new record names somebody else as its maker: nobody signs for a colleague."""
    for name in MAKERS:  # a plain loop: asked of every record that is made
        named = values.get(name)
        if named and named != account_id:
            return True
    return False


def authorise(
    author: Viewer, *, kind: str, action: str, stream: str, values: Mapping[str, Any], author_made_it: bool
) -> str:
    """Whether ``author`` may make (``action`` 'new') or change this record in ``stream``: '' or a refusal code.

    ``author_made_it``: the record's own maker may change it where the role may not (an own dispute, an own report).
    Asked for the stream the row is in and, where the change moves it, for the stream it moves to.
    """
    if not author.grants:
        return "out_of_scope"
    table = _MAKE if action == "new" else _CHANGE
    if kind not in table:
        return "read_only"  # accounts, grants and statuses are the server's
    roles = table[kind]
    if action != "new" and author_made_it:
        roles = roles | _MAKE[kind]
    if not author.has_any(roles):
        return "read_only"
    return "" if _inside(author, roles, stream, values) else "out_of_scope"


def _inside(author: Viewer, roles: frozenset[str], stream: str, values: Mapping[str, Any]) -> bool:
    scope, _, rest = stream.partition(":")
    key, _, sub = rest.partition(":")
    if scope == "building":
        return key in author.buildings(roles)
    if scope == "compound":
        if key not in author.compounds(roles):
            return False
        if sub.startswith("disputes:") and key not in author.compounds(STATION_ROLES | {"mediator"}):
            return sub == f"disputes:{author.account_id}"
        return True
    if scope == "case":
        return author.has_any({"mediator"}) and author.account_id in (values.get("mediator_ids") or ())
    if scope == "person":
        return key == author.account_id
    if sub.startswith("reports:"):
        return sub == f"reports:{author.account_id}"
    if sub.startswith("handed:"):
        return sub == f"handed:{author.account_id}" or author.has_any(roles & {"community_secretary"})
    if compound_id := values.get("compound_id"):  # a building stands in the community's stream
        return compound_id in author.compounds(roles)
    return key == author.places.community_id
