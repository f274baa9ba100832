"""A station without any line: a file on a stick, the centre's own command as a process, and back."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import serving
from servers import ServerClock, running
from serving import Serving, free_port
from starter import Starter
from stations import Line, Station, demand, visit
from sync.client import bundle
from sync.client.bundle import Imported
from sync.domain.operations import patch
from sync.server.settings import wall_ms
from sync.store import outbox
from world import ROOT

WAIT_S = 60


@dataclass(slots=True)
class Far:
    """A station far from any line, a colleague near the centre, and the centre's data folder while nothing serves."""

    station: Station
    places: dict[str, str]
    data: Path
    stick: Path

    def export(self, name: str) -> Path:
        """What waits at the station, as a file."""
        path = self.stick / name
        bundle.export(lambda fn: fn(self.station.store), path)
        return path

    def import_(self, name: str) -> Imported:
        """The station takes in what came back."""
        return bundle.import_(lambda fn: fn(self.station.store), self.stick / name, wall=wall_ms)

    def command(self, *files: Path, out: Path) -> subprocess.CompletedProcess[str]:
        """What is typed at the centre."""
        words = [sys.executable, "-m", "sync.server", "bundle", *map(str, files)]
        words += ["--out", str(out), "--data", str(self.data)]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=False)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    data, clock = tmp_path / "server", ServerClock(wall_ms())
    (tmp_path / "stick").mkdir()
    with running(data, clock=clock) as server:
        secretary = server.enrol(server.first_code())
        server.furnish(secretary)
        code = server.invite(secretary, "grid_worker", "compound", "compound")
        station = Station.enrolled(server, tmp_path, code, name="far")
        station.sync()
        made = demand(server, station)
        station.save([made])
        station.sync()
        station.save([patch("demand", made.id, title="急", state="archived")])  # not hers to archive
        station.save([visit(server, station)])
        secretary.accepted(server.visit("b2-101"))  # a colleague's, meanwhile
        places = server.places
    station.line = Line(station.line.server, clock, mishaps=["no_line"] * 100)
    yield Far(station, places, data, tmp_path / "stick")
    station.store.close()


def test_no_line_at_all(far: Far) -> None:
    path = far.export("up.qmb")
    done = far.command(path, out=far.stick / "down.qmb")
    assert done.returncode == 0, done.stderr
    assert "1 changes accepted; 1 refused (not_allowed 1)" in done.stdout
    brought = far.import_("down.qmb")
    assert (brought.accepted, brought.refused, brought.note) == (1, 1, "")
    pending = outbox.pending_counts(far.station.store.db)
    assert (pending.unsent, pending.quarantined) == (0, 1)
    assert len(far.station.rows("visit")) == 2  # her own, and the colleague's
    assert [path.name for path in far.stick.iterdir() if path.suffix != ".qmb"] == []


def test_the_command_goes_through_the_server_that_holds_the_folder(far: Far) -> None:
    with Starter(serving.MODULE) as starter:
        Serving(starter, far.data, free_port()).start()
        first, second = far.export("first.qmb"), far.export("second.qmb")
        stranger = far.stick / "photo.qmb"
        stranger.write_bytes(b"holiday")
        refused = far.command(first, second, out=far.stick / "one.qmb")
        assert refused.returncode == 1
        assert "give --out a folder" in refused.stdout
        answers = far.stick / "answers"
        answers.mkdir()
        done = far.command(second, stranger, first, out=answers)
    # It was killed: what it left beside the data opens nothing, and the command goes straight to the data again.
    assert (far.data / "server.door").exists()
    again = far.command(first, out=far.stick / "again.qmb")
    assert "1 of 1 batches were known already" in again.stdout
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert [line.split(":")[0] for line in lines] == [str(stranger), str(first), str(second)]
    assert "left alone, for it is not a bundle" in lines[0]
    assert "1 changes accepted" in lines[1]
    assert "batches were known already" in lines[2]
    brought = far.import_("answers/second-answer.qmb")
    assert (brought.accepted, brought.refused) == (1, 1)
    assert far.import_("answers/first-answer.qmb").accepted == 0
    assert len(far.station.rows("visit")) == 2
