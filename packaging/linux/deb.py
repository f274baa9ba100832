"""Reads and writes a .deb, which is an `ar` of three parts; two of them are compressed tars."""

import io
import lzma
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from linux.tools import LayoutError
from pins import EPOCH


def contents(deb: Path) -> Iterator[tuple[str, bytes]]:
    """The regular files of a .deb with their names; LayoutError when it holds none."""
    data = deb.read_bytes()
    place = 8
    while place < len(data):
        name, size = data[place : place + 16].decode().strip(), int(data[place + 48 : place + 58])
        if name.rstrip("/") == "data.tar.xz":
            packed = lzma.decompress(data[place + 60 : place + 60 + size])
            with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                for entry in archive:
                    stream = archive.extractfile(entry) if entry.isreg() else None
                    if stream is not None:
                        yield entry.name.removeprefix("./"), stream.read()
            return
        place += 60 + size + size % 2
    raise LayoutError(f"{deb} has no data.tar.xz")


def write(path: Path, *, control: Path, data: Path) -> None:
    """Make a .deb of its two compressed tars."""
    with path.open("wb") as deb:
        deb.write(b"!<arch>\n")
        _add_part(deb, "debian-binary", io.BytesIO(b"2.0\n"), 4)
        for name, part in (("control.tar.xz", control), ("data.tar.xz", data)):
            with part.open("rb") as stream:
                _add_part(deb, name, stream, part.stat().st_size)


def _add_part(deb: IO[bytes], name: str, stream: IO[bytes], size: int) -> None:
    """One part of an `ar` archive, which is what a .deb is."""
    deb.write(f"{name:<16}{EPOCH:<12}{0:<6}{0:<6}{0o100644:<8o}{size:<10}`\n".encode())
    shutil.copyfileobj(stream, deb)
    deb.write(b"\n" * (size % 2))
