"""Several processes on one PostgreSQL: started again when they die, gone with whoever started them. Real processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from postgresql import PostgreSQL
from servers import Device, ServerClock, new
from sync import wire
from sync.domain.ids import new_id
from sync.errors import StoreError
from sync.keys.signatures import ENROLMENT_KEY_ID, KeyPair, RequestParts, sign
from sync.server.lock import FolderLock

ROOT = Path(__file__).parents[2]
WAIT_S = 60


def until(is_so: Callable[[], object], what: str) -> None:
    """Look again and again, for a minute at most."""
    end = time.monotonic() + WAIT_S
    while not is_so():
        if time.monotonic() > end:
            pytest.fail(f"never: {what}")
        threading.Event().wait(0.02)


class Serving:
    """``python -m sync.server serve`` with these arguments."""

    def __init__(self, data: Path, *arguments: str) -> None:
        data.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.log = data / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "sync.server",
                    "serve",
                    "--data",
                    str(data),
                    "--port",
                    str(self.port),
                    *arguments,
                ],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.http = self._client()

    def _client(self) -> httpx.Client:
        # Each request on a line of its own, so that any worker may answer it and none is missed.
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=30, limits=limits)

    def lines(self, event: str) -> list[dict[str, int]]:
        """Lines of the log so far."""
        whole = self.log.read_text("utf-8").rpartition("\n")[0]
        return [line for line in map(json.loads, filter(None, whole.split("\n"))) if line["event"] == event]

    def workers(self) -> list[int]:
        """The processes that have ever begun to work."""
        return [line["process"] for line in self.lines("worker")]

    def code(self) -> str:
        """The secretary's first code, from what is printed."""
        assert self.process.stdout is not None
        return next(line.split()[-1] for line in self.process.stdout if line.startswith("First enrolment code"))

    def answers(self) -> bool:
        """Whether anybody answers."""
        try:
            return self.http.get("/livez").status_code == 200
        except httpx.TransportError:
            return False

    def enrol(self) -> Device:
        """The first PC."""
        code, key, clock = self.code(), KeyPair.generate(), ServerClock(time.time_ns() // 1_000_000)
        until(self.answers, "an answer")
        body = wire.encode(wire.Enrol(code=code, public_key=key.public, name="PC"))
        path = "/sync/v1/enrol"
        parts = RequestParts(method="POST", path=path, body=body)
        headers = sign(parts, key=key, key_id=ENROLMENT_KEY_ID, created=clock.now // 1000)
        answer = self.http.post(path, content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        reply = wire.decode(answer.content, type_=wire.EnrolReply)
        return Device(self.http, clock, key, reply.community, reply.installation, [reply.account])

    def stop(self) -> None:
        """At the end of a test, whatever became of it."""
        self.http.close()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(WAIT_S)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        until(lambda: not any(map(alive, self.workers())), "all workers gone")


def alive(process: int) -> bool:
    """Whether a process is there and not only remembered."""
    try:
        return Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def pair(postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Serving]:
    """Two workers on a fresh database."""
    serving = Serving(tmp_path, "--database", postgresql.new_database(), "--workers", "2", "--until-stdin-closes")
    until(lambda: len(serving.workers()) == 2 or serving.process.poll() is not None, "two workers")
    yield serving
    serving.stop()


def test_workers_share_the_work_and_one_that_dies_is_started_again(pair: Serving) -> None:
    device = pair.enrol()
    community = new_id(device.clock.now)
    device.accepted(new("compound", community, name="幸福里"))
    for round_ in range(2):
        victim = pair.workers()[round_]
        os.kill(victim, signal.SIGKILL)
        until(lambda expected=3 + round_: len(pair.workers()) == expected, "another worker")  # type: ignore[misc]
        device.accepted(new("compound", new_id(device.clock.now), name="和平里"))
    assert [line["process"] for line in pair.lines("worker_died")] == pair.workers()[:2]
    device.pull()
    assert len(device.of_kind("compound")) == 3
    # Whoever is asked has the numbers of all, of the dead ones as well.
    assert "qiaomen_pushes_total 3.0" in pair.http.get("/metrics").text
    assert "qiaomen_connections_in_use 0.0" in pair.http.get("/metrics").text
    living = pair.workers()[2:]
    assert pair.process.stdin is not None
    pair.process.stdin.close()
    assert pair.process.wait(WAIT_S) == 0
    assert not any(map(alive, living))
    assert not pair.answers()


def test_workers_end_with_their_parent_even_when_that_is_killed(pair: Serving) -> None:
    until(pair.answers, "an answer")
    pair.process.kill()
    pair.process.wait(WAIT_S)
    until(lambda: not any(map(alive, pair.workers())), "all workers gone")


def test_when_workers_die_again_and_again_all_end_with_an_error(pair: Serving) -> None:
    until(lambda: kill_children(pair) is None, "the end")
    assert pair.process.returncode == 1
    assert [line["code"] for line in pair.lines("alarm")] == ["workers_die"]


def kill_children(serving: Serving) -> bool | None:
    """Kill all workers that are there, before they have begun to work; None when the server has ended."""
    if serving.process.poll() is not None:
        return None
    parent = serving.process.pid
    killed = False
    try:
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text("utf-8").split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
                killed = True
    except (FileNotFoundError, ProcessLookupError):
        pass  # it was quicker
    return killed


def said(*arguments: str) -> str:
    """What the command line says when it will not serve."""
    done = subprocess.run(
        [sys.executable, "-m", "sync.server", "serve", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=WAIT_S,
    )
    assert done.returncode == 1, done
    return done.stderr


def test_sqlite_is_for_one_process(tmp_path: Path) -> None:
    assert "SQLite is for one process" in said("--data", str(tmp_path), "--workers", "2")
    assert not (tmp_path / "server.db").exists()


def test_an_address_in_use_is_told(tmp_path: Path, postgresql: PostgreSQL) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = said("--data", str(tmp_path), "--workers", "2", "--database", postgresql.new_database(), "--port", port)
    assert f"127.0.0.1:{port} cannot be had" in told


def test_the_lock_of_a_killed_server_is_free(tmp_path: Path) -> None:
    serving = Serving(tmp_path)
    try:
        until(serving.answers, "an answer")
        with pytest.raises(StoreError) as caught:
            FolderLock(tmp_path)
        assert (caught.value.code, caught.value.params) == ("in_use", {"pid": serving.process.pid})
        serving.process.kill()
        serving.process.wait(WAIT_S)
        FolderLock(tmp_path).release()
    finally:
        serving.stop()
