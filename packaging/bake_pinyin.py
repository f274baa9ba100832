"""Bakes the reading of each Chinese character into a table, so that the product itself needs no pypinyin.

Run at build time: ``python packaging/bake_pinyin.py [target]``. The same pypinyin gives the same bytes.
"""

import sys
import unicodedata
from pathlib import Path

from pypinyin.constants import PINYIN_DICT

TARGET = Path(__file__).resolve().parent.parent / "resources" / "pinyin" / "readings.txt"
HEADER = (
    "# Baked by packaging/bake_pinyin.py from the character table of pypinyin (MIT, see LICENSE.pypinyin).\n"
    "# A line: reading without tone, a tab, the characters read so; the first reading of each only.\n"
)


def plain_reading(marked: str) -> str:
    """A reading as typed on a keyboard: no tone marks, ü as v ("lǜ" gives "lv")."""
    letters = unicodedata.normalize("NFD", marked).replace("u\u0308", "v")
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha())


def table_text(dictionary: dict[int, str]) -> str:
    """The baked table of a mapping from code point to comma-separated marked readings."""
    by_reading: dict[str, list[str]] = {}
    for point in sorted(dictionary):
        character = chr(point)
        # Compatibility forms never reach the table: names are put into NFKC before they are looked up.
        if unicodedata.normalize("NFKC", character) == character:
            by_reading.setdefault(plain_reading(dictionary[point].split(",")[0]), []).append(character)
    return HEADER + "".join(f"{reading}\t{''.join(by_reading[reading])}\n" for reading in sorted(by_reading) if reading)


def main(arguments: list[str]) -> None:
    """Writes the table to the file named, or to its place in the tree."""
    target = Path(arguments[0]) if arguments else TARGET
    target.write_text(table_text(PINYIN_DICT), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
