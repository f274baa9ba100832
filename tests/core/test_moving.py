"""A finished file gets its name even while a virus scanner looks at it for a moment."""

from pathlib import Path

import pytest

from sync.moving import move_over

PAUSES = (0.1, 0.2, 0.4)


class Scanned:
    """Refuses so many times, as Windows does while somebody has the file open."""

    def __init__(self, times: int, error: type[OSError] = PermissionError) -> None:
        self.times = times
        self.error = error

    def __call__(self, source: Path, target: Path) -> None:
        self.times -= 1
        if self.times >= 0:
            raise self.error
        source.replace(target)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    source, target = tmp_path / "fresh", tmp_path / "kept"
    source.write_text("new", encoding="utf-8")
    target.write_text("old", encoding="utf-8")
    return source, target


def test_it_is_moved_at_once_where_nobody_looks(files: tuple[Path, Path]) -> None:
    move_over(*files)
    assert files[1].read_text(encoding="utf-8") == "new"
    assert not files[0].exists()


@pytest.mark.parametrize("times", [1, 2, 3])
def test_it_waits_for_whoever_looks(files: tuple[Path, Path], times: int) -> None:
    waited: list[float] = []
    move_over(*files, pauses=PAUSES, rename=Scanned(times), wait=waited.append)
    assert files[1].read_text(encoding="utf-8") == "new"
    assert waited == list(PAUSES[:times])


def test_its_patience_ends(files: tuple[Path, Path]) -> None:
    with pytest.raises(PermissionError):
        move_over(*files, pauses=PAUSES, rename=Scanned(4), wait=lambda _: None)
    assert files[1].read_text(encoding="utf-8") == "old"


def test_what_no_waiting_mends_is_told_at_once(files: tuple[Path, Path]) -> None:
    waited: list[float] = []
    with pytest.raises(FileNotFoundError):
        move_over(*files, pauses=PAUSES, rename=Scanned(1, FileNotFoundError), wait=waited.append)
    assert waited == []
