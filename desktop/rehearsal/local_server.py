"""The sync server as a child process on this PC alone, for the demonstration and the tour."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from sync.client.api import HttpClient

HOST = "127.0.0.1"
READY_S = 60.0
END_S = 30.0
_CODE_LINE = "First enrolment code"
_ROOT = Path(__file__).resolve().parents[2]


def has_display() -> bool:
    """Whether there is a screen to open a window on, or somebody chose a platform of Qt for it."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in named)


class LocalServer:
    """The sync server as a child process on this PC alone, with the small community in its data folder.

    ``first_code`` lets the first PC in, and is '' when one has been let in already.
    """

    def __init__(self, data: Path, *, pretend_now: str = "") -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.first_code = ""
        self._log = (data / "server.log").open("ab")
        self._port = _free_port()
        self.url = f"http://{HOST}:{self._port}"
        arguments = ["--data", str(data), "--host", HOST, "--port", str(self._port), "--example", "small"]
        arguments += ["--until-stdin-closes"]  # it ends with this process, even when this one is killed
        if pretend_now:
            arguments += ["--pretend-now", pretend_now]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sync.server", "serve", *arguments],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
        )
        self._listener = threading.Thread(target=self._listen, name="server output", daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self) -> None:
        """Return when it answers. Raises ChildProcessError when it ended, or does not answer within a minute."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise ChildProcessError(f"the server ended with status {self._process.returncode}: {self._log.name}")
            try:
                with opener.open(f"{self.url}/livez", timeout=1.0):
                    return
            except (urllib.error.URLError, OSError):
                threading.Event().wait(0.05)
        raise ChildProcessError(f"the server does not answer: {self._log.name}")

    def stop(self) -> None:
        """End it, by its own process, and wait for that."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._listener.join(END_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._log.close()

    def connect(self, _: str = "") -> "HttpClient":
        """An HTTP client for it, whatever address an enrolled PC remembers: the port is another one each time."""
        from sync.client.api import open_client

        return open_client(self.url)

    def _listen(self) -> None:
        # Read to the end, so that the child never waits for room in the pipe.
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(_CODE_LINE):
                self.first_code = line.split()[-1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
