"""Terms by which people, phones and rooms are found while typing, and the query that looks them up.

Both sides are put into one form here: NFKC, lower case, ü as v, letters and digits only.
"""

import tomllib
import unicodedata
from collections.abc import Iterable
from itertools import islice, product
from pathlib import Path

READINGS_AT_MOST = 6  # of one name; a name with three ambiguous characters is found by the likeliest
ROOM_SEPARATOR = "-"

_LAST_DIGITS = (8, 4)
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
# Chinese characters of the first plane that came after Unicode 3.2.
_LATER_HAN = (range(0x4DB6, 0x4DC0), range(0x9FA6, 0xA000))
_FURTHER_HAN = range(0x20000, 0x40000)


class Pinyin:
    """How the characters of names are read.

    ``table`` is the baked ``readings.txt``, ``surnames`` the text of ``surnames.toml``. Building one
    takes about 10 ms and 5 MB; build it once, off the UI thread.
    """

    def __init__(self, table: bytes, surnames: str) -> None:
        self._common: dict[str, str] = {}
        for line in table.decode("utf-8").splitlines():
            reading, tab, characters = line.partition("\t")
            if tab:
                self._common.update(dict.fromkeys(characters, reading))
        exceptions = tomllib.loads(surnames)
        self._surnames: dict[str, str] = exceptions["surnames"]
        self._given: dict[str, str] = exceptions["given"]
        self._compound: dict[str, tuple[str, ...]] = {
            name: tuple(reading.split()) for name, reading in exceptions["compound"].items()
        }

    @classmethod
    def from_folder(cls, folder: Path) -> "Pinyin":
        """Read from the ``pinyin`` folder of the resources."""
        return cls((folder / "readings.txt").read_bytes(), (folder / "surnames.toml").read_text("utf-8"))

    def readings(self, name: str) -> tuple[tuple[str, ...], ...]:
        """Plausible readings of a name, likeliest first, at most six: each a syllable per character.

        A surname is read as a surname and as the common word, so that zeng and ceng both find 曾. Latin words
        are their own reading; a character that nobody has a reading for is "".
        """
        return self._readings(_units(name))

    def initials(self, name: str) -> tuple[str, ...]:
        """First letters of each plausible reading: 张伟国 gives zwg."""
        return tuple(dict.fromkeys(_initials(reading) for reading in self.readings(name)))

    def _readings(self, units: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        compound = self._compound.get("".join(units[:2]))
        choices = [self._choices(unit, is_surname=not at) for at, unit in enumerate(units)]
        plain = product(*choices)
        if compound is None:
            return tuple(islice(plain, READINGS_AT_MOST))
        likely = [compound + given for given in islice(product(*choices[2:]), READINGS_AT_MOST - 1)]
        return tuple(dict.fromkeys([*likely, *islice(plain, READINGS_AT_MOST)]))[:READINGS_AT_MOST]

    def _choices(self, unit: str, *, is_surname: bool) -> tuple[str, ...]:
        if not _is_han(unit):
            return (unit,)
        common = self._common.get(unit, "")
        other = (self._surnames if is_surname else self._given).get(unit, common)
        return tuple(dict.fromkeys((other, common) if is_surname else (common, other)))


def name_terms(name: str, *, pinyin: Pinyin) -> tuple[str, ...]:
    """Every suffix of the name, of its joined pinyin and of its initials.

    张伟国 gives 张伟国 伟国 国 zhangweiguo weiguo guo zwg wg g.
    """
    units = _units(name)
    terms = ["".join(units[start:]) for start in range(len(units))]
    for reading in pinyin._readings(units):
        read = [syllable for syllable in reading if syllable]
        terms += ["".join(read[start:]) for start in range(len(read))]
        initials = _initials(reading)
        terms += [initials[start:] for start in range(len(initials))]
    return _distinct(terms)


def phone_terms(phone: str) -> tuple[str, ...]:
    """The whole number and its last 8 and 4 digits; what is not a digit is left out."""
    digits = "".join(letter for letter in unicodedata.normalize("NFKC", phone) if letter.isascii() and letter.isdigit())
    return _distinct([digits, *(digits[-length:] for length in _LAST_DIGITS if len(digits) > length)])


def room_terms(*, building: str, unit: str, room: str) -> tuple[str, ...]:
    """3-2-501, 2-501 and 501; a building without units has an empty ``unit`` and gives 3-501 and 501."""
    parts = [part for part in ("".join(_pieces(part)) for part in (building, unit, room)) if part]
    return _distinct(ROOM_SEPARATOR.join(parts[start:]) for start in range(len(parts)))


def resident_terms(
    *, name: str, phones: Iterable[str], building: str, unit: str, room: str, pinyin: Pinyin
) -> tuple[str, ...]:
    """All terms of one resident, about 17; the search index keeps them joined by blanks."""
    numbers = [term for phone in phones for term in phone_terms(phone)]
    return _distinct([*name_terms(name, pinyin=pinyin), *numbers, *room_terms(building=building, unit=unit, room=room)])


def match_string(query: str) -> str:
    """What was typed as a full-text query: each piece a prefix, all needed; "" when nothing is asked.

    Safe for any input: quotes and operators of the query language are separators here.
    """
    return " ".join(f'"{piece}"*' for piece in _pieces(query))


def normal_form(text: str) -> str:
    """NFKC, case folded, every dash a hyphen, ü as v, other marks on letters dropped."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_DASHES)
    spread = unicodedata.normalize("NFD", folded).replace("u\u0308", "v")
    bare = "".join(letter for letter in spread if unicodedata.category(letter)[0] != "M")
    return unicodedata.normalize("NFKC", bare)


def _pieces(text: str) -> tuple[str, ...]:
    spaced = "".join(letter if _is_in_token(letter) else " " for letter in normal_form(text))
    return tuple(_trimmed(piece) for piece in spaced.split() if piece.strip(ROOM_SEPARATOR))


def _trimmed(piece: str) -> str:
    # One hyphen at the end stays: "3-" asks for building 3 and not for building 30.
    inner = piece.strip(ROOM_SEPARATOR)
    return inner + ROOM_SEPARATOR if piece.endswith(ROOM_SEPARATOR) else inner


def _is_in_token(letter: str) -> bool:
    # What is a letter to us must be one to SQLite's unicode61 tokenizer too: with a separator of its own in
    # the middle a piece would become a phrase, which an index without positions refuses. Its tables are older
    # than Python's and stay as they are; Unicode 3.2 and all Chinese characters are in them.
    point = ord(letter)
    if letter == ROOM_SEPARATOR or point in _FURTHER_HAN or any(point in later for later in _LATER_HAN):
        return True
    category = unicodedata.ucd_3_2_0.category(letter)
    return category[0] in "LN" or category == "Co"


def _is_han(unit: str) -> bool:
    # Every one-letter unit beyond the alphabets: CJK, its extensions and the private areas.
    return len(unit) == 1 and ord(unit) >= 0x2E80


def _units(name: str) -> tuple[str, ...]:
    """A name in the pieces one may start typing at: each Chinese character, each word of another script."""
    units: list[str] = []
    for word in " ".join(_pieces(name)).replace(ROOM_SEPARATOR, " ").split():
        continues = False
        for letter in word:
            if _is_han(letter):
                units.append(letter)
            elif continues:
                units[-1] += letter
            else:
                units.append(letter)
            continues = not _is_han(letter)
    return tuple(units)


def _initials(reading: tuple[str, ...]) -> str:
    return "".join(syllable[:1] for syllable in reading)


def _distinct(terms: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term for term in terms if term))
