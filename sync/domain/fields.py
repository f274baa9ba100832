"""How a field of a kind is declared: label, type, merge policy, group, privacy class, purpose, retention.

A kind is an immutable struct whose annotations carry a ``Field``; the catalogue reads them. Client tables, wire
columns, validation, import and export all follow from that one declaration.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec


def mark(text: str) -> str:
    """Name an English source text for translation; the screen translates it when it shows it."""
    return text


class Policy(StrEnum):
    """What happens when two people change the same field without having seen each other's value."""

    AUTO = "auto"  # the newest wins, the other stays in the history
    REVIEW = "review"  # the newest wins and a conflict is raised for a person to look at
    ONCE = "once"  # fixed at creation
    SERVER = "server"  # written by the server only


class Privacy(StrEnum):
    """Data classes of the role table: from counts (K0) to mandatory-report records (K5)."""

    K0 = "K0"  # counts and organisation data
    K1 = "K1"  # address, colour, demand text without names
    K2 = "K2"  # names and phone numbers
    K3 = "K3"  # sensitive: care, health, status, under-14s, identity numbers
    K4 = "K4"  # dispute facts and files
    K5 = "K5"  # mandatory-report records


class Purpose(StrEnum):
    """Why a field may be kept at all (Personal Information Protection Law, art. 6: purpose and minimum scope)."""

    ORGANISATION = "organisation"
    PLACES = "places"
    CONTACT = "contact"
    VISITING = "visiting"
    DEMANDS = "demands"
    CARE = "care"
    MEDIATION = "mediation"
    PROTECTION = "protection"
    SYNC = "sync"


class Type(StrEnum):
    """The type of a field's value, as stored and sent."""

    TEXT = "text"  # one line
    LONG_TEXT = "long_text"  # several lines
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"  # 'YYYY-MM-DD'
    INSTANT = "instant"  # milliseconds since 1970 UTC
    CHOICE = "choice"  # one of ``options``
    REF = "ref"  # id of a record of kind ``refers``
    LIST = "list"  # tuple of texts (codes, aliases, ids)


# Retention defaults in days, counted from the end of the reason to keep the record.
YEAR = 365
LONG = 2000  # characters of a long text
LAST_INSTANT = 32_503_651_200_000 - 1  # ms: the year 2999 ends in China; later ones are slips that no date can hold
KEEP = None  # organisation data: as long as the place or post exists


@dataclass(frozen=True, slots=True)
class Field:
    """Declaration of one field; see the constructors below for short forms."""

    label: str
    type: Type
    privacy: Privacy
    purpose: Purpose
    policy: Policy = Policy.AUTO
    group: str = ""  # fields of one group are one register: they mean something only together
    need: bool = False  # mandatory in the form
    options: tuple[str, ...] = ()
    refers: str = ""
    limit: int = 200  # longest text, in characters
    retention_days: int | None = KEEP
    since: int = 1  # the version of the protocol that brought it; an older program is not told of it


class Slot:
    """Short constructor for the fields of one module: one privacy class, purpose and version unless told otherwise."""

    def __init__(
        self, privacy: Privacy, purpose: Purpose, *, retention_days: int | None = KEEP, since: int = 1
    ) -> None:
        self._privacy = privacy
        self._purpose = purpose
        self._retention_days = retention_days
        self._since = since

    def __call__(
        self,
        label: str,
        type: Type = Type.TEXT,
        policy: Policy = Policy.AUTO,
        *,
        group: str = "",
        need: bool = False,
        options: tuple[str, ...] = (),
        refers: str = "",
        limit: int = 200,
        privacy: Privacy | None = None,
        since: int = 0,
    ) -> Field:
        """A field of this slot; ``options`` make it a choice, ``refers`` a reference."""
        if options:
            type = Type.CHOICE
        if refers:
            type = Type.REF
        if type is Type.LONG_TEXT and limit == 200:
            limit = LONG
        return Field(
            label=label,
            type=type,
            privacy=privacy or self._privacy,
            purpose=self._purpose,
            policy=policy,
            group=group,
            need=need,
            options=options,
            refers=refers,
            limit=limit,
            retention_days=self._retention_days,
            since=since or self._since,
        )


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all kinds: one immutable row, known by its id (UUIDv7 text)."""

    id: str = ""
