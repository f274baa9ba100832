"""A copy of the database is told from the database itself, and nothing else is taken for a copy."""

import os
import shutil
from pathlib import Path

import pytest

from desktop.fingerprint import fingerprint_of, read_first


def _parts(database: Path, machine: str = "one") -> list[str]:
    return fingerprint_of(database, machine_id=lambda: machine).split(".")


def _differ(before: list[str], after: list[str]) -> list[int]:
    return [at for at, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file as a PC has it."""
    path = tmp_path / "data" / "station.db"
    path.parent.mkdir()
    path.write_bytes(b"rows")
    return path


def test_it_is_the_same_after_work_and_at_another_time(database: Path) -> None:
    before = _parts(database)
    with database.open("ab") as file:
        file.write(b"more rows")
    os.utime(database, (0, 0))
    assert _parts(database) == before
    assert fingerprint_of(database) == fingerprint_of(database)


def test_another_pc_another_folder_and_another_file_are_told_apart(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _parts(database)
    assert _differ(before, _parts(database, "two")) == [0]
    copied = database.parent.with_name("copied") / database.name
    shutil.copytree(database.parent, copied.parent)
    assert _differ(before, _parts(copied)) == [2, 3]
    beside = database.with_name("beside")
    shutil.copy2(database, beside)
    beside.replace(database)  # an older copy put in its place
    assert _differ(before, _parts(database)) == [3]
    monkeypatch.setattr("socket.gethostname", lambda: "another name")
    assert 1 in _differ(before, _parts(database))


def test_what_cannot_be_read_says_nothing(database: Path, tmp_path: Path) -> None:
    assert _parts(database, "")[0] == "-"
    assert _parts(tmp_path / "not there")[3] == "-"


def test_the_id_of_the_system_is_the_first_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "odd").write_bytes(b"\xff")
    (tmp_path / "good").write_text("abc\n")
    names = ("missing", "empty", "odd", "good")
    assert read_first(tuple(tmp_path / name for name in names)) == "abc"
    assert read_first(()) == ""
