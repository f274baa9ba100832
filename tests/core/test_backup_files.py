"""Attached files in a backup: a damaged one stops nothing, and which are in it is settled once."""

import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from servers import running
from sync.server import backup, copies
from sync.server.__main__ import main
from sync.server.copies import BLOBS, Manifest
from sync.server.settings import Settings

PLACE = Path(BLOBS) / "01a205ea-be80-73ac-89d2-e64ab519e0aa"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A stopped server with three attached files."""
    with running(tmp_path / "server"):
        pass
    for content in (b"one", b"two", b"three"):
        put(tmp_path / "server", content)
    return Settings(tmp_path / "server")


def put(data: Path, content: bytes) -> Path:
    """A file among the bytes of attachments."""
    name = sha256(content).hexdigest()
    path = data / PLACE / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def contents(path: Path) -> set[bytes]:
    """The attached files in a backup."""
    with tarfile.open(path) as tar:
        return {tar.extractfile(member).read() for member in tar.getmembers()[2:]}  # type: ignore[union-attr]


def test_a_damaged_file_is_left_out_and_named(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = backup.make(settings, tmp_path / "whole.qmbackup")
    assert (whole.blobs, whole.damaged) == (3, ())
    bent = put(settings.data, b"two")
    bent.write_bytes(b"twx")
    assert main(["backup", "--data", str(settings.data), "--to", str(tmp_path / "two.qmbackup")]) == 0
    said = capsys.readouterr().out
    assert "2 attached files" in said
    assert f"Alarm: {bent} is damaged" in said
    assert contents(tmp_path / "two.qmbackup") == {b"one", b"three"}
    assert copies.damaged_files(settings.data) == 1
    # An older backup that has it puts it back.
    backup.restore(settings, whole.path)
    assert bent.read_bytes() == b"two"
    assert backup.make(settings, tmp_path / "three.qmbackup").damaged == ()
    assert copies.damaged_files(settings.data) == 0


def test_what_an_interrupted_restore_left_is_not_taken_for_a_file(settings: Settings, tmp_path: Path) -> None:
    path = put(settings.data, b"two")
    path.with_name(f"{path.name}.restored").write_bytes(b"tw")
    path.with_name(f"{path.name}.part").write_bytes(b"tw")
    made = backup.make(settings, tmp_path / "one.qmbackup")
    assert (made.blobs, made.damaged) == (3, ())


def test_which_files_are_in_it_is_settled_once(settings: Settings, tmp_path: Path) -> None:
    database = tmp_path / "database"
    database.write_bytes(b"data")
    manifest = Manifest(
        format=copies.FORMAT,
        engine="sqlite",
        revision="1",
        epoch="e",
        made_at=0,
        database_bytes=4,
        database_sha256=sha256(b"data").hexdigest(),
        blobs=0,
    )
    folder = settings.data / BLOBS
    files, _ = copies.blobs_in(folder)
    for number in range(20):
        put(settings.data, b"arrives meanwhile %d" % number)
    assert copies.write(tmp_path / "one", manifest, database, files, blobs=folder) == 3
    assert contents(tmp_path / "one") == {b"one", b"two", b"three"}
    put(settings.data, b"two").unlink()  # swept meanwhile
    assert copies.write(tmp_path / "two", manifest, database, files, blobs=folder) == 2
    assert contents(tmp_path / "two") == {b"one", b"three"}
