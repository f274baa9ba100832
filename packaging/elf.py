"""Reads what a Linux library asks of the system, and lets one that was built for a newer glibc start on 2.28."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MACHINES: Final = {"x86_64": 62, "aarch64": 183}
_MAGIC: Final = b"\x7fELF\x02\x01"  # 64 bits, little-endian
_LOAD, _DYNAMIC = 1, 2
_NEEDED, _STRTAB, _SONAME, _RPATH, _RUNPATH = 1, 5, 14, 15, 29
_VERNEED, _VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF
_SECTION_DYNSYM, _SECTION_VERNEED, _SECTION_VERSYM = 11, 0x6FFFFFFE, 0x6FFFFFFF
_OLDEST: Final = {62: b"GLIBC_2.2.5", 183: b"GLIBC_2.17"}  # what every symbol of an architecture's first glibc has


@dataclass(frozen=True, slots=True)
class Elf:
    """``needs`` are libraries, ``versions`` the symbol versions asked of them, e.g. ``GLIBC_2.17``."""

    machine: int
    needs: tuple[str, ...]
    versions: frozenset[str]
    rpath: str
    soname: str

    def newest(self, family: str) -> tuple[int, ...]:
        """The newest version asked of ``GLIBC`` or ``GLIBCXX`` as numbers; () when none is."""
        found = (v.removeprefix(family + "_") for v in self.versions if v.startswith(family + "_"))
        return max((numbers(v) for v in found if v[:1].isdigit()), default=())


def numbers(version: str) -> tuple[int, ...]:
    """``2.28`` as (2, 28)."""
    return tuple(int(part) for part in version.split("."))


def is_elf(path: Path) -> bool:
    """Whether the file is a 64-bit ELF one."""
    with path.open("rb") as stream:
        return stream.read(6) == _MAGIC


def read(path: Path) -> Elf:
    """What the dynamic section of a file says; ValueError when it is no 64-bit ELF file."""
    data = path.read_bytes()
    if data[:6] != _MAGIC:
        raise ValueError(f"{path} is not a 64-bit ELF file")
    machine, start = struct.unpack_from("<H", data, 18)[0], struct.unpack_from("<Q", data, 32)[0]
    size, count = struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<IIQQQQQQ", data, start + i * size) for i in range(count)]
    loads = [(s[3], s[2], s[5]) for s in segments if s[0] == _LOAD]

    def place(address: int) -> int:
        found: int = next(offset + address - base for base, offset, length in loads if base <= address < base + length)
        return found

    entries: list[tuple[int, int]] = []
    for segment in segments:
        if segment[0] == _DYNAMIC:
            for offset in range(segment[2], segment[2] + segment[5], 16):
                entries.append(struct.unpack_from("<QQ", data, offset))
    told = dict(entries)
    strings = place(told[_STRTAB]) if _STRTAB in told else 0
    texts = [
        (tag, _text(data, strings + value)) for tag, value in entries if tag in {_NEEDED, _SONAME, _RPATH, _RUNPATH}
    ]
    versions: frozenset[str] = frozenset()
    if _VERNEED in told:
        needs = _version_needs(data, place(told[_VERNEED]), told[_VERNEEDNUM])
        versions = frozenset(_text(data, strings + name) for _, _, name in needs)
    return Elf(
        machine=machine,
        needs=tuple(text for tag, text in texts if tag == _NEEDED),
        versions=versions,
        rpath=":".join(text for tag, text in texts if tag in {_RPATH, _RUNPATH}),
        soname="".join(text for tag, text in texts if tag == _SONAME),
    )


def lower_glibc(path: Path, newest: str, *, shimmed: frozenset[str]) -> frozenset[str]:
    """Make a library that asks for glibc above ``newest`` ask for the oldest of its architecture instead.

    Newer versions of ``pow`` or ``log`` differ from the old ones in how they tell errors, so the old ones serve.
    ``shimmed`` are functions that the old glibc has not at all: they lose their version, so that a library of ours can
    give them. Returns the versions that were lowered. patchelf's own way leaves the demand for the version in place.
    """
    data = bytearray(path.read_bytes())
    (machine,) = struct.unpack_from("<H", data, 18)
    (start,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, start + i * size) for i in range(count)]
    by_type = {section[1]: section for section in sections}
    if _SECTION_VERNEED not in by_type:
        return frozenset()
    needs, symbols, marks = by_type[_SECTION_VERNEED], by_type[_SECTION_DYNSYM], by_type[_SECTION_VERSYM]
    strings, length = sections[symbols[6]][4], sections[symbols[6]][5]
    oldest = _OLDEST[machine]
    old_name = bytes(data[strings : strings + length]).find(b"\0" + oldest + b"\0") + 1
    lowered: dict[int, str] = {}
    for offset, index, name in list(_version_needs(data, needs[4], needs[7])):
        text = _text(data, strings + name)
        if not text.startswith("GLIBC_2") or numbers(text.removeprefix("GLIBC_")) <= numbers(newest):
            continue
        if not old_name:
            raise ValueError(f"{path} asks for {text} and names no older version")
        struct.pack_into("<I", data, offset, _hash(oldest))
        struct.pack_into("<I", data, offset + 8, old_name)
        lowered[index & 0x7FFF] = text
    for i in range(symbols[5] // 24):
        (mark,) = struct.unpack_from("<H", data, marks[4] + 2 * i)
        (name,) = struct.unpack_from("<I", data, symbols[4] + 24 * i)
        if mark & 0x7FFF in lowered and _text(data, strings + name) in shimmed:
            struct.pack_into("<H", data, marks[4] + 2 * i, 1)  # any version will do
    if lowered:
        path.write_bytes(data)
    return frozenset(lowered.values())


def _version_needs(data: bytes | bytearray, offset: int, count: int) -> Iterator[tuple[int, int, int]]:
    """Place of each wanted version, its index, and where its name is."""
    for _ in range(count):
        _, versions, _, first, following = struct.unpack_from("<HHIII", data, offset)
        place = offset + first
        for _ in range(versions):
            _, _, index, name, step = struct.unpack_from("<IHHII", data, place)
            yield place, index, name
            place += step
        offset += following


def _text(data: bytes | bytearray, offset: int) -> str:
    return data[offset : data.index(0, offset)].decode()


def _hash(name: bytes) -> int:
    """The hash of a name that the System V ABI prescribes."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high & 0xFFFFFFFF
    return value
