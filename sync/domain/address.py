"""Reads the many spellings of a room ("3-2-501", "3号楼二单元501室") into one reference, and writes it back."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from sync.errors import RuleError

MOST_ROOMS = 200  # of one range: more is a slip of the key
LONGEST = 100  # characters: what is longer is no address


@dataclass(frozen=True, slots=True)
class RoomRef:
    """A place in a compound; what was not said is None. Basement rooms are written "B101" and lie on floor -1."""

    building: str | None = None
    unit: str | None = None
    floor: int | None = None
    room: str | None = None


_DIGITS = {char: str(value) for value, char in enumerate("零一二三四五六七八九")} | {"〇": "0", "两": "2"}
_NUMERALS = re.compile(f"[{''.join(_DIGITS)}十百]+")
_DASHES = re.compile(r"[‐‑‒–—―−]+|[~_/.·、]")
_JOINTS = re.compile(r"[\s,，]+")
_COMPOUND_NAME = re.compile(r"^(?:\D*?(?:小区|社区)|[一-鿿]{2,12}(?=[A-Z]?\d{1,3}[A-Z]?(?:号楼|号院|幢|栋|座|#)))")
_RANGE_WORDS = re.compile("[至到~]")

# The tokens of an address. A building or unit is a number, a letter or both, or a point of the compass.
_POINT = "[东南西北中甲乙丙丁]"
_NAME = rf"[A-Z]{{0,2}}\d{{1,3}}[A-Z]?|[A-Z]{{1,2}}|{_POINT}"
_UNDER = "(?:负|地下|B|-)"
_BELOW = ("负", "地", "-")  # these begin no name, unlike B
_ROOM = rf"{_UNDER}?\d{{1,5}}[A-Z]?"
_WORDED = re.compile(
    rf"(?:(?P<building>{_NAME})(?:号楼|号院|楼栋|幢|栋|座|#楼|#|号(?=-?(?:{_NAME})(?:单元|门))|-)-?)?"
    rf"(?:(?P<unit>{_NAME})(?:单元|门)-?|无单元-?|(?<=.)(?P<bare_unit>{_NAME})-)?"
    rf"(?:(?P<floor>{_UNDER}?\d{{1,2}})(?:层|楼|F)-?)?"
    rf"(?:(?P<room>{_ROOM})(?:室|房|户|号)?)?"
)
_DASHED = re.compile(rf"(?:(?P<building>{_NAME})-)?(?:(?P<unit>{_NAME})-)?(?P<room>{_ROOM})(?:室|房|户|号)?")
_LETTERED = re.compile(r"(?!B\d+[室房户])(?P<building>[A-Z])(?P<room>\d{3,4})(?:室|房|户)?")  # "B101室" is below ground


def parse_room(text: str, *, building: str | None = None) -> RoomRef:
    """The place a text names. With ``building`` (where one is already) "2-501" is unit 2, room 501 of it.

    Two parts without words are building and room when the second has three digits or more, else building and unit.
    Raises RuleError('room', 'unreadable_address') for anything that is no place.
    """
    plain = _plain(text) if len(text) <= LONGEST else ""
    ref = _dashed(plain, building) or _worded(plain)
    if ref is None:
        raise RuleError("room", "unreadable_address")
    if building is not None and ref.building is None:
        return RoomRef(building_key(building), ref.unit, ref.floor, ref.room)
    return ref


def parse_range(text: str, *, building: str | None = None) -> tuple[RoomRef, ...]:
    """The rooms of "3-2-501至504" in order; a single room is a range of one.

    On one floor the numbers run on; from floor to floor ("101至601") the same door repeats. The end may be short ("04",
    "504") or in full. Raises RuleError('room', 'unreadable_address') or RuleError('room', 'bad_range') when it runs
    backwards, crosses units, mixes floors and doors, or is longer than 200 rooms.
    """
    plain = _plain(_RANGE_WORDS.sub("至", unicodedata.normalize("NFKC", text))) if len(text) <= LONGEST else ""
    start_text, word, end_text = plain.partition("至")
    if not word and (dashed := re.fullmatch(r"(.*\d)-(\d+)(?:室|房|户)?", plain)) and _has_room(dashed[1], building):
        start_text, word, end_text = dashed[1], "至", dashed[2]
    start = parse_room(start_text.removesuffix("-"), building=building)
    if not word:
        return (start,)
    return _run(start, _range_end(start, end_text.removeprefix("-"), building))


def canonical(ref: RoomRef) -> str:
    """The one way we write a place: "3-2-501", "A-1201", "3-2-B101", "3号楼", "2单元501"; it parses back to itself."""
    tail = ref.room if ref.room is not None else _floor_text(ref.floor)
    if ref.building is None:
        unit = f"{ref.unit}单元" if ref.unit else ""
        return unit + (tail if unit or not (tail.startswith("B") or _is_short(tail)) else _worded_room(tail))
    if ref.unit is None:
        if not tail or _is_short(tail):
            return f"{ref.building}{_building_word(ref.building)}{_worded_room(tail)}"
        return f"{ref.building}-{tail}"
    if not tail:
        return f"{ref.building}{_building_word(ref.building)}{ref.unit}单元"
    return f"{ref.building}-{ref.unit}-{tail}"


def building_key(name: str) -> str:
    """What "3号楼", "三栋", "3幢", "3座" and "3#" have in common: "3"; any other name, tidied."""
    plain = _plain(name)
    found = re.fullmatch(rf"(?P<building>{_NAME})(?:号楼|号院|楼栋|幢|栋|座|#楼|#|号|楼)?", plain)
    return _name(found["building"]) if found else plain


def unit_key(label: str) -> str:
    """What "2单元", "二单元", "二门" and "2" have in common: "2"; any other name, tidied; '' for no unit."""
    return building_key(label.strip().removesuffix("单元").removesuffix("门")) if label.strip() else ""


@lru_cache(maxsize=20_000)
def room_label(building: str, unit: str, room_no: str) -> str:
    """How a room is written everywhere: "3-2-501"; an odd name that is no address is written part by part."""
    try:
        named = unit if not unit or unit[-1] in "元门" else f"{unit}单元"
        return canonical(parse_room(f"{building}{named}{room_no}室"))
    except RuleError:
        return "-".join(part for part in (building, unit, room_no) if part)


def room_in_building(unit: str, room_no: str) -> str:
    """How a room is written where its building is known: "2-501", in a building without units "501"."""
    return "-".join(part for part in (unit_key(unit), room_no) if part)


def _plain(text: str) -> str:
    """Half-width capitals, Arabic digits, "-" between parts, no blanks, no name of the compound in front."""
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    plain = "".join(str(unicodedata.decimal(char, char)) for char in plain)
    plain = _NUMERALS.sub(lambda found: _arabic(found[0]), plain)
    plain = _COMPOUND_NAME.sub("", plain)
    plain = _JOINTS.sub("-", _DASHES.sub("-", plain))
    return re.sub(r"-*(层|楼|室|房|户|单元|号楼|幢|栋|座)-*", r"\1-", plain).removesuffix("-")


def _arabic(numeral: str) -> str:
    """'十二' and '二十' by value, '五〇一' digit by digit."""
    if "十" not in numeral and "百" not in numeral:
        return "".join(_DIGITS[char] for char in numeral)
    value, digit = 0, 0
    for char in numeral:
        if char in "十百":
            value += (digit or 1) * (10 if char == "十" else 100)
            digit = 0
        else:
            digit = int(_DIGITS[char])
    return str(value + digit)


def _dashed(plain: str, building: str | None) -> RoomRef | None:
    found = _LETTERED.fullmatch(plain) or _DASHED.fullmatch(plain.replace("--", "-B"))
    if found is None:
        return None
    parts = found.groupdict()
    first, second, room = parts["building"], parts.get("unit"), parts["room"]
    if first is None:
        if not _is_short(room) or plain[-1] in "室房户":
            return _ref(None, None, None, room)
        return None if room.startswith(_BELOW) else _ref(room, None, None, None)
    if second is None and building is not None:
        return _ref(None, first, None, room)
    if second is None and _is_short(room) and not room.startswith(_BELOW):
        return _ref(first, room, None, None)
    return _ref(first, second, None, room)


def _worded(plain: str) -> RoomRef | None:
    found = _WORDED.fullmatch(plain)
    if found is None or not plain:
        return None
    unit = found["unit"] or found["bare_unit"]
    return _ref(found["building"], unit, found["floor"], found["room"])


def _ref(building: str | None, unit: str | None, floor: str | None, room: str | None) -> RoomRef | None:
    level = _level(floor) if floor else None
    number = _room_number(room, level) if room else None
    if number is not None:
        level = _floor_of(number)
    unit_name = _name(unit) if unit else None
    ref = RoomRef(_name(building) if building else None, None if unit_name == "0" else unit_name, level, number)
    return None if level == 0 or ref == RoomRef() else ref


def _name(text: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", text)


def _level(text: str) -> int:
    digits = int(re.sub(r"\D", "", text))
    return digits if text[0].isdigit() else -digits


def _room_number(text: str, level: int | None) -> str:
    """The room as written on the door; with the floor said apart, "05" on floor 3 is 305 and on floor -1 B105."""
    number, letter = re.sub(r"\D", "", text), text[-1] if text[-1].isalpha() else ""
    if level is not None and len(number) <= 2:
        return f"{'B' if level < 0 else ''}{abs(level)}{int(number):02d}{letter}"
    below = not text[0].isdigit() or (level is not None and level < 0)
    return f"{'B' if below else ''}{int(number)}{letter}"


def _floor_of(room: str) -> int | None:
    digits = re.sub(r"\D", "", room)
    if len(digits) < 3:
        return None
    return -int(digits[:-2]) if room.startswith("B") else int(digits[:-2])


def _is_short(room: str) -> bool:
    """Fewer than three digits: by itself this could be a building or a unit as well."""
    return len(re.sub(r"\D", "", room)) < 3


def _floor_text(floor: int | None) -> str:
    if floor is None:
        return ""
    return f"负{-floor}层" if floor < 0 else f"{floor}层"


def _building_word(name: str) -> str:
    return "号楼" if name[-1].isdigit() else "座"


def _worded_room(tail: str) -> str:
    return tail if not tail or tail.endswith("层") else f"{tail}室"


def _has_room(text: str, building: str | None) -> bool:
    try:
        room = parse_room(text, building=building).room
    except RuleError:
        return False
    return room is not None and not _is_short(room)


def _range_end(start: RoomRef, text: str, building: str | None) -> RoomRef:
    found = re.fullmatch(r"(\d{1,5})(?:室|房|户|号)?", text)
    if found is None:
        return parse_room(text, building=building)
    number = found[1]
    if start.room is not None and len(number) <= 2:
        number = re.sub(r"\d{2}[A-Z]?$", f"{int(number):02d}", start.room)
    return RoomRef(start.building, start.unit, _floor_of(number), number)


def _run(start: RoomRef, end: RoomRef) -> tuple[RoomRef, ...]:
    if start.room is None or end.room is None or not (start.room.isdigit() and end.room.isdigit()):
        raise RuleError("room", "bad_range")
    first, last = int(start.room), int(end.room)
    step = 1 if first // 100 == last // 100 else 100
    rooms = range(first, last + 1, step)
    same_place = (start.building, start.unit) == (end.building, end.unit)
    if not same_place or last < first or (last - first) % step or len(rooms) > MOST_ROOMS:
        raise RuleError("room", "bad_range")
    return tuple(RoomRef(start.building, start.unit, _floor_of(str(room)), str(room)) for room in rooms)
