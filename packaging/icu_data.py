"""Cuts ICU's tables (32 MB in one library that Qt must have) down to Chinese, English and what belongs to no language.

Qt takes its names of days, currencies and countries from its own tables; of ICU it uses sorting, letter cases and a few
converters. So what goes are the names in 700 other languages, old character sets, and dictionaries for breaking lines.
"""

import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final

LANGUAGES: Final = frozenset({"zh", "en"})
_CONVERTERS: Final = frozenset(
    {"gb18030", "ibm-1386_P100-2001", "windows-936-2000", "ibm-5348_P100-1997"}
)  # the last is windows-1252
_LOCALE: Final = re.compile(r"[a-z]{2,3}(_[A-Za-z0-9_]+)?")
_MARK: Final = b"\xda\x27"  # of every ICU table
_FORMAT: Final = b"CmnD"
_FORMAT_AT: Final = 12
_ALIGNED: Final = 16


class TableError(ValueError):
    """The library is not laid out as ICU's are."""


def is_kept(name: str) -> bool:
    """Whether an item stays; ``name`` without the package, e.g. ``coll/zh.res``."""
    folder, _, last = name.rpartition("/")
    stem, _, kind = last.rpartition(".")
    if folder == "translit" or kind == "dict":
        return False
    if kind == "cnv":
        return stem in _CONVERTERS
    if kind == "res" and _LOCALE.fullmatch(stem):
        return stem.partition("_")[0] in LANGUAGES
    return True


def cut(library: Path) -> tuple[str, bytes]:
    """The symbol that libraries look for and the smaller tables; TableError when the library holds none."""
    data = library.read_bytes()
    start = data.find(_FORMAT) - _FORMAT_AT
    if start < 0 or data[start + 2 : start + 4] != _MARK:
        raise TableError(f"{library} holds no tables of ICU")
    (head,) = struct.unpack_from("<H", data, start)
    base = start + head
    (count,) = struct.unpack_from("<I", data, base)
    entries = [struct.unpack_from("<II", data, base + 4 + 8 * i) for i in range(count)]
    names = [data[base + name : data.index(0, base + name)].decode() for name, _ in entries]
    package = names[0].partition("/")[0]  # icudt73l
    ends = [place for _, place in entries[1:]] + [_end(data, library) - base]
    kept = [
        (name, data[base + place : base + end])
        for name, (_, place), end in zip(names, entries, ends, strict=True)
        if is_kept(name.partition("/")[2])
    ]
    return f"{package[:-1]}_dat", data[start:base] + _packed(kept)


def assembly(symbol: str, blob: Path) -> str:
    """What the assembler makes a library of tables from."""
    return (
        f'.section .rodata\n.balign 16\n.globl {symbol}\n.type {symbol}, %object\n{symbol}:\n.incbin "{blob}"\n'
        f'.size {symbol}, . - {symbol}\n.section .note.GNU-stack, "", %progbits\n'
    )


def _end(data: bytes, library: Path) -> int:
    """Where the section ends that holds the tables."""
    (start,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, start + i * size) for i in range(count)]
    largest = max(sections, key=lambda section: section[5], default=None)
    if largest is None:
        raise TableError(f"{library} has no sections")
    return int(largest[4] + largest[5])


def _packed(items: Sequence[tuple[str, bytes]]) -> bytes:
    """Names and places of the items, then the items, each at a round place."""
    texts = b"".join(name.encode() + b"\0" for name, _ in items)
    directory = 4 + 8 * len(items)
    place = _round(directory + len(texts))
    table, text_at, body = bytearray(struct.pack("<I", len(items))), directory, bytearray()
    for name, content in items:
        table += struct.pack("<II", text_at, place + len(body))
        text_at += len(name.encode()) + 1
        body += content.ljust(_round(len(content)), b"\0")
    return bytes(table + texts).ljust(place, b"\xaa") + bytes(body)


def _round(length: int) -> int:
    return -(-length // _ALIGNED) * _ALIGNED
