"""What a piece of syncing costs: wall clock, processor seconds, bytes on loopback and memory, as the peers count them.

Bytes are what crossed the loopback interface both ways, TCP/IP headers and acknowledgements included; inside a network
namespace of its own nothing else is among them.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_TICK = os.sysconf("SC_CLK_TCK")


def loopback_bytes() -> int:
    """All that ever came in over the loopback interface of this namespace."""
    for line in Path("/proc/net/dev").read_text("ascii").splitlines():
        name, _, counts = line.partition(":")
        if name.strip() == "lo":
            return int(counts.split()[0])
    return 0


def family(pid: int, *, but: int = 0) -> list[int]:
    """A process and all under it, without those under ``but``."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        if one == but:
            continue
        found.append(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                waiting += [int(child) for child in task.read_text("ascii").split()]
            except OSError:
                pass  # ended meanwhile
    return found


def busy_s(pid: int, *, but: int = 0) -> float:
    """Processor seconds of a process and all under it, ended ones included, in ticks of ten milliseconds."""
    ticks = 0
    for one in family(pid, but=but):
        try:
            words = Path(f"/proc/{one}/stat").read_text("ascii").rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, words[11:15]))
    return ticks / _TICK


def resident_mib(pid: int, *, but: int = 0, peak: bool = False) -> float:
    """Memory of a process and all under it: now, or its peak since it was last forgotten."""
    wanted = "VmHWM:" if peak else "VmRSS:"
    kib = 0
    for one in family(pid, but=but):
        try:
            lines = Path(f"/proc/{one}/status").read_text("ascii").splitlines()
        except OSError:
            continue
        kib += sum(int(line.split()[1]) for line in lines if line.startswith(wanted))
    return kib / 1024


def forget_peak(pid: int, *, but: int = 0) -> None:
    """Let the peak of memory begin anew, where the system allows it."""
    for one in family(pid, but=but):
        try:
            Path(f"/proc/{one}/clear_refs").write_text("5", "ascii")
        except OSError:
            pass


class Meter:
    """Rows about one peer; ``database`` is a database server whose work counts as the server's, its memory not."""

    def __init__(self, peer: str, *, server: int, database: int = 0, mode: str = "") -> None:
        self.peer = peer
        self.mode = mode
        self.rows: list[dict[str, Any]] = []
        self._server = server
        self._database = database

    @contextmanager
    def phase(self, name: str) -> Iterator[dict[str, Any]]:
        """Measure what happens inside; what is put into the dict given goes into the row."""
        me = os.getpid()
        forget_peak(me, but=self._server)
        forget_peak(self._server)
        client, server = resident_mib(me, but=self._server), resident_mib(self._server)
        load = os.getloadavg()[0]
        wire, server_busy, client_busy = loopback_bytes(), self._server_busy(), busy_s(me, but=self._server)
        database_busy = busy_s(self._database) if self._database else 0.0
        began = time.perf_counter()
        more: dict[str, Any] = {}
        yield more
        took = time.perf_counter() - began
        row = {
            "peer": self.peer,
            "phase": name,
            "s": round(took, 4),
            "wire_bytes": loopback_bytes() - wire,
            "client_peak_mib": round(resident_mib(me, but=self._server, peak=True), 1),
            "server_peak_mib": round(resident_mib(self._server, peak=True), 1),
            "client_cpu_s": round(busy_s(me, but=self._server) - client_busy, 2),
            "server_cpu_s": round(self._server_busy() - server_busy, 2),
            "load1": round(load, 2),
            "client_grown_mib": round(resident_mib(me, but=self._server, peak=True) - client, 1),
            "server_grown_mib": round(resident_mib(self._server, peak=True) - server, 1),
        }
        if self._database:
            row["database_cpu_s"] = round(busy_s(self._database) - database_busy, 2)
        self.rows.append({**row, **({"mode": self.mode} if self.mode else {}), **more})

    def _server_busy(self) -> float:
        return busy_s(self._server) + (busy_s(self._database) if self._database else 0.0)
