"""The real server as a process of its own, started and waited for."""

import json
import os
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from starter import Process, Starter

MODULE = "sync.server.__main__"  # to be imported by the starter
READY_S = 60.0
_CODE = re.compile(r"First enrolment code.*: (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Serving:
    """What a server is started with; ``start`` may be called again after it was killed."""

    starter: Starter
    data: Path
    port: int
    database: str = ""
    example: str = ""
    anew: bool = False
    workers: int = 1  # more on PostgreSQL only, and started anew

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> Path:
        """What it says."""
        return self.data / "server.out"

    def first_code(self) -> str:
        """The code for the first PC."""
        found = _CODE.search(self.output.read_text("utf-8"))
        assert found is not None
        return found[1]

    def kill_worker(self, server: Process) -> bool:
        """SIGKILL the worker that began last, if it is alive: a child of the server, and no other process."""
        lines = [line for line in self.output.read_text("utf-8").splitlines() if line.startswith('{"')]
        told = [int(line["process"]) for line in map(json.loads, lines) if line["event"] == "worker"]
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
        for pid in reversed(told):
            if str(pid) in children.read_text("ascii").split():
                handle = os.pidfd_open(pid)
                try:
                    still = str(pid) in children.read_text("ascii").split()  # so the handle is this child's
                    if still:
                        signal.pidfd_send_signal(handle, signal.SIGKILL)
                    return still
                finally:
                    os.close(handle)
        return False

    def start(self) -> Process:
        """Begin, and wait until it answers; workers that outlive a server may hold its address for a moment."""
        self.data.mkdir(parents=True, exist_ok=True)
        arguments = ["serve", "--data", str(self.data), "--port", str(self.port)]
        arguments += ["--database", self.database] if self.database else []
        arguments += ["--example", self.example] if self.example else []
        arguments += ["--workers", str(self.workers)] if self.workers > 1 else []
        module = "sync.server" if self.anew else MODULE
        process = self.starter.start(module, arguments, output=self.output, anew=self.anew)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            try:
                with opener.open(f"{self.url}/livez", timeout=5):
                    return process
            except (urllib.error.URLError, OSError):
                if process.wait(0.01):
                    if self.workers == 1:
                        break
                    process.end()
                    process = self.starter.start(module, arguments, output=self.output, anew=self.anew)
        raise AssertionError("the server does not answer: " + "\n".join(process.said()[-40:]))


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
