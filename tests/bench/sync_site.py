"""A real server process over PostgreSQL with a furnished community, and real stations that sync with it."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx

from sync import wire
from sync.client.api import Api, open_client
from sync.client.enrolment import enrol
from sync.client.session import Outcome, Session
from sync.domain.ids import new_id
from sync.domain.operations import new
from sync.domain.rules import load_rules
from sync.keys.signatures import KeyPair
from sync.store.store import Store, wall_ms
from tests.bench.sync_workload import HOUSEHOLDS

ROOT = Path(__file__).parents[2]
KEY = bytes(range(32))
BUILDINGS = 24
_PATIENCE_S = 60
T = TypeVar("T")


@dataclass(slots=True)
class Station:
    """One enrolled PC with its encrypted file."""

    store: Store
    key: KeyPair
    account: str
    http: httpx.Client
    api: Api

    def sync(self, *, call: Callable[[Callable[[Store], T]], T] | None = None) -> Outcome:
        """One session, as the program runs it."""
        with ThreadPoolExecutor(1, "ahead") as beside:
            return Session(call or (lambda fn: fn(self.store)), self.api, wall=wall_ms, beside=beside).run()

    def close(self) -> None:
        """Let go of file and line."""
        self.http.close()
        self.store.close()


@dataclass(slots=True)
class Site:
    """The server process and what was furnished; ``homes`` are (household, building)."""

    url: str
    server: subprocess.Popen[str]
    folder: Path
    secretary: Station
    compound: str
    homes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Of the server, whose workers are under it."""
        return self.server.pid

    def station(self, name: str, *, role: str = "grid_worker") -> Station:
        """A new person on a new PC, let in by the secretary."""
        reply = self.secretary.api.add_person(
            wire.AddPerson(
                by=self.secretary.account,
                account=new_id(wall_ms()),
                name=name,
                grants=[wire.GrantWish(role=role, scope_kind="compound", scope_id=self.compound)],
            )
        )
        return enrolled(self.url, reply.code, self.folder / f"{name}.db")


def enrolled(url: str, code: str, path: Path) -> Station:
    """A new PC by its one-time code."""
    http = open_client(url)
    done = enrol(http, code=code, name=path.stem)
    store = Store.create(path, KEY, community_id=done.community_id, rules=load_rules(ROOT / "resources"))
    store.set_state(installation_id=done.installation_id, private_key=done.key.private, server_url=url)
    api = Api.of_installation(
        http,
        key=done.key,
        community=done.community_id,
        installation=done.installation_id,
        now_s=lambda: store.now() // 1000,
    )
    return Station(store, done.key, done.account_id, http, api)


@contextmanager
def site(folder: Path, *, database: str, options: Sequence[str] = ()) -> Iterator[Site]:
    """A fresh server with 24 buildings and 3,000 households, stopped at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    command = [sys.executable, "-m", "sync.server", "serve", "--data", str(folder / "server"), "--port", str(port)]
    command += ["--database", database, "--community-code", "370812001017", *options]
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            code = _first_code(server, folder / "server.log")
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url)
            secretary = enrolled(url, code, folder / "secretary.db")
            made = Site(url, server, folder, secretary, compound=new_id(wall_ms()))
            _furnish(made)
            yield made
            secretary.close()
        finally:
            server.terminate()
            server.wait()


def _furnish(site: Site) -> None:
    station = site.secretary
    station.sync()
    grid = new_id(wall_ms())
    buildings = [new_id(wall_ms()) for _ in range(BUILDINGS)]
    steps = [[new("compound", site.compound, name="幸福里"), new("grid", grid, name="一网格")]]
    steps.append(
        [
            new("building", one, compound_id=site.compound, grid_id=grid, name=f"{n}号楼")
            for n, one in enumerate(buildings, 1)
        ]
    )
    doors = []
    for building in buildings:
        for n in range(HOUSEHOLDS // BUILDINGS):
            site.homes.append((new_id(wall_ms()), building))
            room = f"{n // 4 + 1}{n % 4 + 1:02}"
            doors.append(new("household", site.homes[-1][0], building_id=building, room_no=room, slot=n % 4 + 1))
    for step in (*steps, doors):
        station.store.save(station.store.act(station.account), step)
    station.sync()


def _first_code(server: subprocess.Popen[str], log: Path) -> str:
    assert server.stdout is not None
    for line in server.stdout:
        if "enrolment code" in line:
            return line.rpartition(":")[2].strip()
    raise RuntimeError(log.read_text("utf-8", "replace"))


def _wait_until_ready(url: str) -> None:
    end, pause = time.monotonic() + _PATIENCE_S, threading.Event()
    while True:
        try:
            if httpx.get(f"{url}/readyz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > end:
            raise RuntimeError("the server does not get ready")
        pause.wait(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
