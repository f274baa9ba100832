"""The demonstration where there is no display: it says so and does the tour, from the door to the second PC."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEAST_PICTURES = 14


@pytest.mark.timeout(400)
def test_without_a_display_the_tour_is_done_from_end_to_end(tmp_path: Path) -> None:
    away = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    kept = {name: value for name, value in os.environ.items() if name not in away}
    done = subprocess.run(
        [sys.executable, "-m", "desktop", "--demo"],
        cwd=tmp_path,
        env={**kept, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "There is no display here" in done.stdout
    assert "FAILED" not in done.stdout
    folder = tmp_path / "build" / "tour"
    pictures = sorted(folder.glob("*.png"))
    assert len(pictures) >= LEAST_PICTURES
    for picture in pictures:
        assert struct.unpack(">II", picture.read_bytes()[16:24]) == (1366, 768), picture.name
    assert [path.read_bytes()[:5] for path in folder.glob("*.pdf")] == [b"%PDF-"]
    log = (folder / "tour.log").read_text("utf-8")
    for step in ("see the cell turn red", "see the cell turn green", "settle a dispute", "see it on a second PC"):
        assert step in log
