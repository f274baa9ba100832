"""A stick between a station and the centre: files in a folder, the centre's part in process."""

import asyncio
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from servers import Server
from stations import Station
from sync.client import bundle
from sync.client.bundle import Exported, Imported
from sync.server.bundle import Report
from sync.store.outbox import Limits
from sync.wire.bundle import read_file, write_file


@dataclass(slots=True)
class Stick:
    """Made once a test; every file gets a name of its own, so that old ones can be carried again."""

    folder: Path
    server: Server
    limits: Limits = field(default_factory=Limits)  # smaller ones make several batches
    _names: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)

    def export(self, station: Station) -> Path:
        """What waits at a station, as a file."""
        return self.export_told(station)[0]

    def export_told(self, station: Station) -> tuple[Path, Exported]:
        """The same, with what the person is told."""
        path = self.folder / f"up-{next(self._names)}.qmb"
        return path, bundle.export(lambda fn: fn(station.store), path, limits=self.limits)

    def centre(self, path: Path) -> tuple[Path, Report]:
        """The centre takes a file in and writes its answer."""
        content, report = asyncio.run(self.server.service.bundles.exchange(read_file(path)))
        answer = self.folder / f"down-{next(self._names)}.qmb"
        write_file(answer, content)
        return answer, report

    def import_(self, station: Station, path: Path) -> Imported:
        """A station takes in what came back."""
        return bundle.import_(lambda fn: fn(station.store), path, wall=station.clock, on_touched=station.touched.append)

    def round(self, station: Station) -> Imported:
        """There and back."""
        return self.import_(station, self.centre(self.export(station))[0])
