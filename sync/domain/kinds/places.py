"""Places and organisation: community, compound, grid, building, unit, household group, station, people's posts."""

from typing import Annotated

from sync.domain import streams
from sync.domain.fields import Policy, Privacy, Purpose, Record, Slot, Type, mark

_place = Slot(Privacy.K0, Purpose.PLACES)
_post = Slot(Privacy.K0, Purpose.ORGANISATION)

COMPOUND_TYPES = ("old", "commercial", "resettlement", "unmanaged")
BUILDING_TYPES = ("slab", "tower", "low_rise", "commercial", "mixed")
STATES = ("active", "closed")
ROLES = (
    "building_head",
    "cluster_leader",
    "grid_worker",
    "station_staff",
    "mediator",
    "branch_secretary",
    "community_secretary",
    "property_manager",
    "auditor",
    "district_admin",
)


class Community(Record, frozen=True, kw_only=True):
    """The area of one residents' committee."""

    name: Annotated[str, _place(mark("Community"), need=True)] = ""
    code: Annotated[str, _place(mark("Area code"), limit=12)] = ""
    emergency_phone: Annotated[str, _place(mark("Community phone"), limit=30)] = ""


class Compound(Record, frozen=True, kw_only=True):
    """A residential compound; several make a community."""

    name: Annotated[str, _place(mark("Compound"), need=True)] = ""
    compound_type: Annotated[str, _place(mark("Sort of compound"), options=COMPOUND_TYPES)] = ""
    property_company: Annotated[str, _place(mark("Property company"))] = ""


class Grid(Record, frozen=True, kw_only=True):
    """The work area of one grid worker: a set of whole buildings."""

    name: Annotated[str, _place(mark("Grid"), need=True)] = ""
    code: Annotated[str, _place(mark("Grid code"), limit=20)] = ""


class Station(Record, frozen=True, kw_only=True):
    """Where the PC stands."""

    name: Annotated[str, _place(mark("Station"), need=True)] = ""
    compound_ids: Annotated[tuple[str, ...], _place(mark("Compounds served"), Type.LIST)] = ()
    address: Annotated[str, _place(mark("Address"))] = ""
    hours: Annotated[str, _place(mark("Opening hours"))] = ""


class Building(Record, frozen=True, kw_only=True):
    """A building with its shape; rooms are households."""

    compound_id: Annotated[str, _place(mark("Compound"), policy=Policy.ONCE, refers="compound", need=True)] = ""
    grid_id: Annotated[str | None, _place(mark("Grid"), policy=Policy.REVIEW, refers="grid")] = None
    name: Annotated[str, _place(mark("Building"), policy=Policy.REVIEW, need=True)] = ""
    aliases: Annotated[tuple[str, ...], _place(mark("Other names"), Type.LIST)] = ()
    building_type: Annotated[str, _place(mark("Sort of building"), options=BUILDING_TYPES)] = ""
    floors_above: Annotated[int | None, _place(mark("Floors above ground"), Type.INTEGER)] = None
    floors_below: Annotated[int, _place(mark("Floors below ground"), Type.INTEGER)] = 0
    lift: Annotated[bool | None, _place(mark("Lift"), Type.BOOLEAN)] = None
    property_company: Annotated[str, _place(mark("Property company"))] = ""
    position: Annotated[int, _place(mark("Place on the plan"), Type.INTEGER)] = 0


class Unit(Record, frozen=True, kw_only=True):
    """An entrance of a building; a building without units has one with an empty label."""

    building_id: Annotated[str, _place(mark("Building"), policy=Policy.ONCE, refers="building", need=True)] = ""
    label: Annotated[str, _place(mark("Unit"), policy=Policy.REVIEW)] = ""
    position: Annotated[int, _place(mark("Order"), Type.INTEGER)] = 0


class HouseholdCluster(Record, frozen=True, kw_only=True):
    """About ten households with a leader."""

    building_id: Annotated[str, _place(mark("Building"), policy=Policy.ONCE, refers="building", need=True)] = ""
    grid_id: Annotated[str | None, _place(mark("Grid"), refers="grid")] = None
    number: Annotated[str, _place(mark("Group number"), limit=20)] = ""
    name: Annotated[str, _place(mark("Group name"))] = ""
    leader: Annotated[str, _place(mark("Group leader"), privacy=Privacy.K2, limit=50)] = ""
    leader_phone: Annotated[str, _place(mark("Leader's phone"), privacy=Privacy.K2, limit=30)] = ""


class Account(Record, frozen=True, kw_only=True):
    """A person who works with the program; made by the server."""

    name: Annotated[str, _post(mark("Name"), policy=Policy.SERVER, need=True, limit=50)] = ""
    title: Annotated[str, _post(mark("Post"), policy=Policy.SERVER, limit=50)] = ""
    phone: Annotated[str, _post(mark("Phone"), policy=Policy.SERVER, privacy=Privacy.K2, limit=30)] = ""
    state: Annotated[str, _post(mark("State"), policy=Policy.SERVER, options=STATES)] = "active"


class Grant(Record, frozen=True, kw_only=True):
    """A role of an account in an area, from a day to a day; made by the server."""

    account_id: Annotated[str, _post(mark("Person"), policy=Policy.SERVER, refers="account", need=True)] = ""
    role: Annotated[str, _post(mark("Role"), policy=Policy.SERVER, options=ROLES, need=True)] = ""
    scope_kind: Annotated[
        str,
        _post(
            mark("Area"),
            policy=Policy.SERVER,
            options=("community", "compound", "grid", "building"),
            need=True,
        ),
    ] = ""
    scope_id: Annotated[str, _post(mark("Area"), policy=Policy.SERVER, need=True)] = ""
    valid_from: Annotated[str, _post(mark("From"), Type.DATE, Policy.SERVER)] = ""
    valid_to: Annotated[str | None, _post(mark("Until"), Type.DATE, Policy.SERVER)] = None


class BuildingHeadTerm(Record, frozen=True, kw_only=True):
    """A line of the register of building heads."""

    account_id: Annotated[str | None, _post(mark("Account"), refers="account")] = None
    name: Annotated[str, _post(mark("Name"), privacy=Privacy.K2, need=True, limit=50)] = ""
    phone: Annotated[str, _post(mark("Phone"), privacy=Privacy.K2, limit=30)] = ""
    building_ids: Annotated[tuple[str, ...], _post(mark("Buildings"), Type.LIST, need=True)] = ()
    term_start: Annotated[str | None, _post(mark("Term from"), Type.DATE)] = None
    term_end: Annotated[str | None, _post(mark("Term until"), Type.DATE)] = None
    political_status: Annotated[str, _post(mark("Political status"), privacy=Privacy.K2, limit=20)] = ""
    skills: Annotated[str, _post(mark("Skills"))] = ""
    substitute: Annotated[str, _post(mark("Substitute"), privacy=Privacy.K2, limit=50)] = ""
    publicised_on: Annotated[str | None, _post(mark("Appointment publicised on"), Type.DATE)] = None


class PartnerOrg(Record, frozen=True, kw_only=True):
    """Whom a demand can be dispatched to: property company, partner organisation, volunteers' group."""

    name: Annotated[str, _post(mark("Organisation"), need=True)] = ""
    sort: Annotated[
        str, _post(mark("Sort"), options=("property_company", "partner_org", "volunteer_group", "department"))
    ] = "partner_org"
    phone: Annotated[str, _post(mark("Phone"), limit=30)] = ""
    state: Annotated[str, _post(mark("State"), options=STATES)] = "active"


_C = streams.of_community
KINDS = {
    "community": (Community, mark("Community"), _C, ""),
    "compound": (Compound, mark("Compound"), _C, ""),
    "grid": (Grid, mark("Grid"), _C, ""),
    "station": (Station, mark("Station"), _C, ""),
    "building": (Building, mark("Building"), _C, "compound_id"),
    "unit": (Unit, mark("Unit"), streams.of_building, "building_id"),
    "household_cluster": (HouseholdCluster, mark("Household group"), streams.of_building, "building_id"),
    "account": (Account, mark("Person"), _C, ""),
    "grant": (Grant, mark("Role"), _C, "account_id"),
    "building_head_term": (BuildingHeadTerm, mark("Building head"), _C, ""),
    "partner_org": (PartnerOrg, mark("Organisation"), _C, ""),
}
