"""A station at the end of a bad line: the real server with its example, a PC beside it, and the far one under test."""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
from litestar import Litestar

import serving
from proxy import BadLine, Quality
from servers import Device, Server, ServerClock
from serving import Serving, free_port
from starter import Starter
from sync import wire
from sync.client.api import Api, open_client
from sync.client.enrolment import enrol
from sync.client.schedule import Schedule
from sync.client.session import Outcome, Session
from sync.domain import example
from sync.domain.operations import patch
from sync.errors import Offline, SyncError
from sync.keys.signatures import KeyPair
from sync.store import merging
from sync.store.schema import TABLES
from sync.store.store import Store, wall_ms
from world import KEY, rules

T = TypeVar("T")

MOST_S = 600.0  # until a session that is tried again and again has to be through


@dataclass(frozen=True, slots=True)
class Took:
    """What it took to be in step: wall seconds, tries, bytes both ways on the wire.

    ``usable_s``: when the first streams were whole; ``behind`` is how many others were not yet.
    """

    seconds: float
    tries: int
    bytes: int
    outcome: Outcome
    usable_s: float
    behind: int


@dataclass(slots=True)
class FarStation:
    """The PC of one person of the example, whose only way to the server is the line."""

    line: BadLine
    store: Store
    account: str
    heads: Callable[[], dict[str, int]]
    pause_s: Callable[[SyncError], float]

    def sync(self, *, first: tuple[str, ...] = ()) -> Took:
        """Sessions, with the pauses that the program makes after a failure, until one is through."""
        began = time.monotonic()
        before = dict(self.line.counts)
        heads = self.heads()
        usable: list[tuple[float, int]] = []

        def call(fn: Callable[[Store], T], /) -> T:
            result = fn(self.store)
            if not usable:
                at = merging.cursors(self.store)
                behind = [name for name in heads if name in at and at[name] < heads[name]]
                if first and all(at.get(name, 0) >= heads.get(name, 0) for name in first):
                    usable.append((time.monotonic() - began, len(behind)))
            return result

        tries = 0
        while time.monotonic() - began < MOST_S:
            tries += 1
            try:
                with open_client(f"http://127.0.0.1:{self.line.port}") as http:
                    outcome = Session(call, self._api(http), wall=wall_ms, first=first).run()
            except SyncError as error:
                threading.Event().wait(self.pause_s(error))
                continue
            moved = sum(self.line.counts[way] - before.get(way, 0) for way in ("up", "down"))
            return Took(time.monotonic() - began, tries, moved, outcome, *(usable or [(0.0, 0)])[0])
        raise AssertionError(f"not through in {MOST_S:.0f} s and {tries} tries: {dict(self.line.counts)}")

    def rows(self) -> int:
        """How many rows it holds."""
        conn = self.store.db.conn
        return sum(int(conn.execute(f'SELECT count(*) FROM "{kind}"').fetchone()[0]) for kind in TABLES)

    def change(self, count: int, note: str) -> list[str]:
        """Change so many visits that are there; their ids."""
        rows = self.store.db.conn.execute(
            "SELECT id FROM visit WHERE deleted = 0 ORDER BY visited_on DESC, id LIMIT ?", (count,)
        )
        ids = [row[0] for row in rows]
        self.store.save(self.store.act(self.account), [patch("visit", one, note=f"{note} {one}") for one in ids])
        return ids

    def _api(self, http: httpx.Client) -> Api:
        state = self.store.state
        return Api.of_installation(
            http,
            key=KeyPair(state.private_key),
            community=state.community_id,
            installation=state.installation_id,
            now_s=lambda: wall_ms() // 1000,
        )


@dataclass(slots=True)
class Site:
    """The running server, the PC beside it, and the size of its example."""

    serving: Serving
    near: Device
    size: example.Size
    folder: Path

    def heads(self) -> dict[str, int]:
        """The last position of each stream."""
        with closing(sqlite3.connect(self.serving.data / "server.db")) as connection:
            return dict(connection.execute("SELECT id, seq FROM stream"))

    def own_building(self, key: str) -> str:
        """The building of a head, or the first one in the grid of a grid worker."""
        person = self._person(key)
        if person.scope_kind == "building":
            return person.scope_id
        rows = (row for row in self.near.of_kind("building") if row.values["grid_id"] == person.scope_id)
        return next(rows).id

    def streams_of(self, building: str) -> tuple[str, ...]:
        """What somebody who works in a building waits for."""
        known = self.heads()
        shared = sorted(name for name in known if name.startswith(("community:", "compound:")) and name.count(":") == 1)
        return (*shared, f"building:{building}", f"building:{building}:care")

    @contextmanager
    def station(
        self, key: str, line: BadLine, *, pause_s: Callable[[SyncError], float] | None = None
    ) -> Iterator[FarStation]:
        """The PC of a person of the example, let in over the bad line, with nothing received yet.

        After a failure it waits as long as the program does, or as ``pause_s`` says.
        """
        pauses = Schedule(rng=random.Random(1))
        person = self._person(key)
        code = self.near.ask(
            f"people/{person.account_id}/code",
            wire.AddPerson(by=self.near.author, account=person.account_id),
            wire.AddPersonReply,
        ).code
        url = f"http://127.0.0.1:{line.port}"
        done = None
        while done is None:
            try:
                with open_client(url) as http:
                    done = enrol(http, code=code, name=key)
            except Offline:
                continue  # whoever holds the code tries again
        store = Store.create(self.folder / f"{key}.db", KEY, community_id=done.community_id, rules=rules())
        try:
            store.set_state(installation_id=done.installation_id, private_key=done.key.private, server_url=url)
            yield FarStation(
                line, store, done.account_id, self.heads, pause_s or (lambda e: pauses.after_failure(e).in_s)
            )
        finally:
            store.close()

    def _person(self, key: str) -> example.Person:
        return next(person for person in example.people(self.size) if person.key == key)

    def change(self, ids: list[str], note: str) -> None:
        """Somebody near the server changes these visits."""
        self.near.clock.now = wall_ms()
        self.near.pull()
        self.near.accepted(*(patch("visit", one, note=f"{note} {one}") for one in ids))


@contextmanager
def site(folder: Path, size: example.Size) -> Iterator[Site]:
    """A server process with the example of a size, and the PC of its first person."""
    with Starter(serving.MODULE) as starter:
        served = Serving(starter, folder / "server", free_port(), example=size)
        process = served.start()
        try:
            with open_client(served.url) as http:
                server = Server(Litestar(), http, ServerClock(wall_ms()))
                near = server.enrol(served.first_code())
                near.pull()
                yield Site(served, near, size, folder)
        finally:
            process.end()


__all__ = ["FarStation", "Quality", "Site", "Took", "site"]
