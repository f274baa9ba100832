"""Streams: the smallest units of access, named by what they belong to."""

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]


def community(community_id: str) -> str:
    """Places, staff names, campaigns: what everybody of the community may read."""
    return f"community:{community_id}"


def compound(compound_id: str) -> str:
    """Demands of the compound as a whole."""
    return f"compound:{compound_id}"


def building(building_id: str) -> str:
    """Households, residents, visits and demands of one building."""
    return f"building:{building_id}"


def care(building_id: str) -> str:
    """Care tags, pairings and details of sensitive demands of one building."""
    return f"building:{building_id}:care"


def disputes(compound_id: str, account_id: str) -> str:
    """Disputes of a compound noticed by one person: read by the station and by that person, by no other head."""
    return f"compound:{compound_id}:disputes:{account_id}"


def case(dispute_id: str) -> str:
    """An accepted case, read by its mediators and the station."""
    return f"case:{dispute_id}"


def reports(community_id: str, account_id: str) -> str:
    """Mandatory reports made by one person."""
    return f"community:{community_id}:reports:{account_id}"


def handed(community_id: str, account_id: str) -> str:
    """What one person handed to the secretary."""
    return f"community:{community_id}:handed:{account_id}"


def person(account_id: str) -> str:
    """What only its author may see."""
    return f"person:{account_id}"


# Rules that derive a record's stream from its id, its own fields and the community's id.


def of_community(_id: str, _: Values, community_id: str) -> str:
    return community(community_id)


def of_building(_id: str, values: Values, _: str) -> str:
    return building(values["building_id"])


def of_care(_id: str, values: Values, _: str) -> str:
    return care(values["building_id"])


def of_place(_id: str, values: Values, _: str) -> str:
    """The building's stream where there is a building, else the compound's."""
    building_id = values.get("building_id")
    return building(building_id) if building_id else compound(values["compound_id"])


def of_report(_id: str, values: Values, community_id: str) -> str:
    return reports(community_id, values["reported_by"])


def of_handed(_id: str, values: Values, community_id: str) -> str:
    return handed(community_id, values["by"])


def of_dispute(record_id: str, values: Values, _: str) -> str:
    """A case of its own from acceptance on; before that the station's and the noticer's."""
    if values.get("accepted_on"):
        return case(record_id)
    return disputes(values["compound_id"], values["noticed_by"])


def of_dispute_status(_id: str, values: Values, _: str) -> str:
    return disputes(values["compound_id"], values["noticed_by"])
