"""What the server is started with; built once by the command line or by a test, never read from anywhere else."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PretendedClock:
    """A clock for demonstrations: ``first`` (ms) at ``began`` (ns of this machine), and going on from there."""

    first: int
    began: int

    def __call__(self) -> int:
        return self.first + (time.monotonic_ns() - self.began) // 1_000_000


def wall_ms() -> int:
    """Milliseconds since 1970 by this machine's clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """``database`` empty: one SQLite file in ``data``. Times are in the units their names say."""

    data: Path
    database: str = ""
    host: str = "127.0.0.1"
    port: int = 8440
    community_name: str = "示范社区"  # data, shown until the secretary renames it
    community_code: str = ""
    secretary_name: str = "社区书记"
    shows_code: bool = True  # each start makes the first enrolment code anew, until a PC is enrolled
    example: str = ""  # size of the made-up community that an empty database begins with
    sync_window_s: int = 0  # devices spread their rounds over this many seconds; 0: as their number asks for
    queue_limit: int = (
        64  # requests that are here whole and not answered, for work and for greetings each; above it 429
    )
    queue_spread_s: float = 10.0  # those who are refused come again spread over this, or longer
    body_s: float = 60.0  # for a request's body to arrive
    group_limit: int = 32  # waiting writes in one transaction (SQLite)
    jobs_every_s: float = 86_400  # what only time changes is written this often, and at the start
    pool_size: int = 6
    reader_threads: int = 5
    worker: int | None = None  # which of several processes on one database this is; None: the only one
    releases: Path | None = None  # a folder with what the PCs may install
    wall: Callable[[], int] = wall_ms
    resources: Path = Path(__file__).resolve().parents[2] / "resources"

    @property
    def cores(self) -> int:
        """Processor cores that can work for this server: SQLite has one process, and one at a time of its threads."""
        if self.embedded:
            return 1
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    @property
    def embedded(self) -> bool:
        """Whether the data live in the server's own SQLite file."""
        return not self.database
