"""Door sheets: the order in which a building is walked, and the short code that leads from paper to the first door."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sync.domain.act import Act
from sync.domain.operations import Operation, new
from sync.errors import AccessError, RuleError

DOORS_PER_SHEET = 20  # what fits on a page of A4 with room to write
# Prime in number, so that the check character finds every wrong character and every swap of neighbours. What the eye
# or a hand confuses with one of these is left out and read as that one.
ALPHABET = "0123456789ACDEFGHJKMNPQRTVWXY"
_CONFUSED = str.maketrans({"O": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "B": "8", "U": "V"})
_PAYLOAD = 5
_HEAD = 2  # characters before the hyphen
_TRIES = 1000


@dataclass(frozen=True, slots=True)
class Door:
    """Where a household is in its building: unit by unit, floor by floor."""

    household_id: str
    unit_position: int
    floor: int
    slot: int
    room_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetIntent:
    """A sheet for these doors, in walking order, of one building."""

    building_id: str
    household_ids: tuple[str, ...]
    campaign_id: str | None = None
    round_no: int | None = None


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """The building's doors and the codes already in use where the author can see them."""

    household_ids: frozenset[str]
    codes: Collection[str]


def walking_order(doors: Iterable[Door]) -> tuple[Door, ...]:
    """Unit by unit, each from the top floor down (one takes the lift up and walks down), left to right."""
    return tuple(sorted(doors, key=lambda d: (d.unit_position, -d.floor, d.slot, d.room_no, d.household_id)))


def pages(household_ids: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The doors of each sheet, 20 at most."""
    return tuple(
        tuple(household_ids[start : start + DOORS_PER_SHEET]) for start in range(0, len(household_ids), DOORS_PER_SHEET)
    )


def make_sheet(act: Act, intent: SheetIntent, facts: SheetFacts) -> list[Operation]:
    """One sheet with a code of its own.

    RuleError: ('household_ids', 'no_doors' | 'too_many_doors' | 'unknown_household'); AccessError('out_of_scope').
    """
    if intent.building_id not in act.viewer.buildings():
        raise AccessError("out_of_scope")
    if not intent.household_ids:
        raise RuleError("household_ids", "no_doors")
    if len(intent.household_ids) > DOORS_PER_SHEET:
        raise RuleError("household_ids", "too_many_doors", limit=DOORS_PER_SHEET, count=len(intent.household_ids))
    if not facts.household_ids.issuperset(intent.household_ids):
        raise RuleError("household_ids", "unknown_household")
    sheet_id = act.id()
    return [
        new(
            "door_sheet",
            sheet_id,
            building_id=intent.building_id,
            code=fresh_code(sheet_id, facts.codes),
            household_ids=intent.household_ids,
            printed_on=act.today,
            campaign_id=intent.campaign_id,
            round_no=intent.round_no,
        )
    ]


def fresh_code(sheet_id: str, taken: Collection[str]) -> str:
    """A code like 3X-20K7 drawn from the sheet's own id, so that two PCs without a line rarely meet."""
    for attempt in range(_TRIES):
        number = int.from_bytes(hashlib.sha256(f"{sheet_id}/{attempt}".encode()).digest()[:8])
        characters = []
        for _ in range(_PAYLOAD):
            number, digit = divmod(number, len(ALPHABET))
            characters.append(ALPHABET[digit])
        payload = "".join(characters)
        code = _shown(payload + _check(payload))
        if code not in taken:
            return code
    raise RuleError("code", "no_code_left")


def read_code(typed: str) -> str:
    """The code as printed, whatever case, spaces, hyphens or look-alikes were typed.

    RuleError('code', 'bad_sheet_code') when it cannot be one: a wrong length or a wrong check character.
    """
    plain = "".join(character for character in unfold(typed) if character.isalnum()).translate(_CONFUSED)
    if len(plain) != _PAYLOAD + 1 or not set(plain) <= set(ALPHABET) or _check(plain[:-1]) != plain[-1]:
        raise RuleError("code", "bad_sheet_code")
    return _shown(plain)


def unfold(typed: str) -> str:
    """Full-width letters and figures as ordinary ones, in capitals."""
    return "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in typed).upper()


def _check(payload: str) -> str:
    weighed = sum(weight * ALPHABET.index(character) for weight, character in enumerate(payload, start=2))
    return ALPHABET[weighed % len(ALPHABET)]


def _shown(plain: str) -> str:
    return f"{plain[:_HEAD]}-{plain[_HEAD:]}"
