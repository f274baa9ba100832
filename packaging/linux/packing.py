"""Packs files as tar and xz so that the same input gives the same bytes: in one order, owned by root, of one time."""

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pins import EPOCH


def files_of(tree: Path) -> Iterator[Path]:
    """Every file of a tree in the one order that packages have them in."""
    yield from sorted(
        (path for path in tree.rglob("*") if path.is_file()), key=lambda p: p.relative_to(tree).as_posix()
    )


@contextmanager
def packed(path: Path, *, level: int, error: type[Exception]) -> Iterator[tarfile.TarFile]:
    """A tar to fill that is packed as it grows; on two cores, with the same result on one. ``error`` when xz fails."""
    with path.open("wb") as stream:
        packer = subprocess.Popen(["xz", f"-{level}", "-T2", "-c"], stdin=subprocess.PIPE, stdout=stream)
        assert packer.stdin is not None
        with tarfile.open(fileobj=packer.stdin, mode="w|", format=tarfile.GNU_FORMAT) as archive:
            yield archive
        packer.stdin.close()
        if packer.wait():
            raise error("xz failed")


def add_tree(archive: tarfile.TarFile, tree: Path, *, prefix: str) -> None:
    """Add the folders and files of a tree below ``prefix`` ("" or "./opt/x/"), owned by root, all of the same time."""
    for path in sorted(tree.rglob("*"), key=lambda p: p.relative_to(tree).as_posix()):
        entry = tarfile.TarInfo(prefix + path.relative_to(tree).as_posix())
        entry.mtime = EPOCH
        entry.uname = entry.gname = "root"
        if path.is_dir():
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        else:
            entry.size, entry.mode = path.stat().st_size, path.stat().st_mode & 0o777
            with path.open("rb") as stream:
                archive.addfile(entry, stream)


def add_folder(archive: tarfile.TarFile, name: str) -> None:
    """Add an empty folder."""
    archive.addfile(_entry(name, kind=tarfile.DIRTYPE, mode=0o755))


def add_bytes(archive: tarfile.TarFile, name: str, content: bytes, *, mode: int = 0o644) -> None:
    """Add a file of these bytes."""
    entry = _entry(name, mode=mode)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def add_text(archive: tarfile.TarFile, name: str, text: str, *, mode: int = 0o644) -> None:
    """Add a file of this text in UTF-8."""
    add_bytes(archive, name, text.encode(), mode=mode)


def add_link(archive: tarfile.TarFile, name: str, *, to: str) -> None:
    """Add a symbolic link."""
    entry = _entry(name, kind=tarfile.SYMTYPE, mode=0o777)
    entry.linkname = to
    archive.addfile(entry)


def _entry(name: str, *, kind: bytes = tarfile.REGTYPE, mode: int = 0o644) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime, entry.uname, entry.gname = kind, mode, EPOCH, "root", "root"
    return entry
