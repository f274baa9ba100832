"""A station's PC without its window: a real encrypted store that syncs with the real server application."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import pytest

from servers import Device, Server, ServerClock
from sync import wire
from sync.client.api import Api
from sync.client.enrolment import add_account, enrol
from sync.client.session import Outcome, Progress, Session
from sync.domain.ids import new_id
from sync.domain.operations import Operation, new
from sync.keys.signatures import KeyPair
from sync.store.store import Store, Touched
from world import KEY, rules


@dataclass(slots=True)
class Line:
    """The line to the server, that a test can spoil: each mishap is used up by one request, in order."""

    server: httpx.Client
    clock: ServerClock
    mishaps: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    late: list[Callable[[], httpx.Response]] = field(default_factory=list)  # requests that are still on their way

    def client(self) -> httpx.Client:
        """What a PC opens."""
        return httpx.Client(base_url="http://server.test", transport=_Transport(self))


class _Transport(httpx.BaseTransport):
    def __init__(self, line: Line) -> None:
        self._line = line

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        line = self._line
        line.asked.append(request.url.path.rsplit("/", 1)[-1])
        mishap = line.mishaps.pop(0) if line.mishaps else ""
        if mishap == "no_line":
            raise httpx.ConnectError("no route", request=request)
        if mishap == "timeout":
            raise httpx.ReadTimeout("slow", request=request)
        if mishap == "portal":
            return _answer(200, "<html>请先登录校园网</html>".encode(), {"content-type": "text/html"})
        if mishap.startswith("status "):
            status, _, retry = mishap.removeprefix("status ").partition(" ")
            headers = {"retry-after": retry} if retry else {}
            return _answer(int(status), b"busy", headers)
        if mishap.startswith("problem "):
            status, code = mishap.removeprefix("problem ").split()
            problem = wire.Problem(code=code, params={"time": line.clock()} if code == "clock" else {})
            return _answer(int(status), wire.encode(problem), {"content-type": "application/json"})
        send = partial(
            line.server.request,
            request.method,
            request.url.raw_path.decode(),
            content=request.read(),
            headers={k: v for k, v in request.headers.items() if k != "host"},
        )
        if mishap == "late":
            line.late.append(send)
            raise httpx.WriteError("cut", request=request)
        answer = send()
        if mishap == "reply_lost":
            raise httpx.ReadError("cut", request=request)
        # Litestar's client has inflated the body already.
        headers = {k: v for k, v in answer.headers.items() if k not in ("content-encoding", "content-length")}
        return _answer(answer.status_code, answer.content, headers)


def _answer(status: int, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


@dataclass(slots=True)
class Station:
    """One enrolled PC."""

    line: Line
    clock: ServerClock
    store: Store
    key: KeyPair
    account: str
    progress: list[Progress] = field(default_factory=list)
    touched: list[Touched] = field(default_factory=list)

    @classmethod
    def enrolled(
        cls, server: Server, folder: Path, code: str, *, name: str = "pc", line: Line | None = None
    ) -> "Station":
        """A new PC of the server's community."""
        line = line or Line(server.http, server.clock)
        with line.client() as http:
            done = enrol(http, code=code, name=name)
        store = Store.create(
            folder / f"{name}.db", KEY, community_id=done.community_id, rules=rules(), wall=server.clock
        )
        done.note(store)
        store.set_state(server_url="http://server.test")
        return cls(line, server.clock, store, done.key, done.account_id)

    def api(self, http: httpx.Client) -> Api:
        """Signed by this PC."""
        state = self.store.state
        return Api.of_installation(
            http,
            key=self.key,
            community=state.community_id,
            installation=state.installation_id,
            now_s=lambda: self.store.now() // 1000,
        )

    def sync(self, *, stop: Callable[[], bool] = lambda: False) -> Outcome:
        """One session."""
        with self.line.client() as http:
            return Session(
                lambda fn: fn(self.store),
                self.api(http),
                wall=self.clock,
                on_progress=self.progress.append,
                on_touched=self.touched.append,
                stop=stop,
            ).run()

    def let_in(self, code: str) -> str:
        """One more person on this PC."""
        with self.line.client() as http:
            return add_account(self.api(http), key=self.key, code=code)

    def save(self, operations: Sequence[Operation], *, account: str = "") -> Touched:
        """Save as the person this PC was enrolled for."""
        return self.store.save(self.store.act(account or self.account), operations)

    def rows(self, kind: str) -> list[tuple[object, ...]]:
        """All rows of a kind, values and clocks, by id."""
        return [tuple(row) for row in self.store.db.conn.execute(f'SELECT * FROM "{kind}" ORDER BY id')]


@pytest.fixture
def first(server: Server, secretary: Device, tmp_path: Path) -> Iterator[Station]:
    """A grid worker's PC, in step."""
    code = server.invite(secretary, "grid_worker", "compound", "compound", name="张磊")
    station = Station.enrolled(server, tmp_path, code, name="first")
    station.sync()
    yield station
    station.store.close()


@pytest.fixture
def second(server: Server, secretary: Device, tmp_path: Path) -> Iterator[Station]:
    """The PC of the head of the first building, in step."""
    code = server.invite(secretary, "building_head", "building", "b1", name="王秀兰")
    station = Station.enrolled(server, tmp_path, code, name="second")
    station.sync()
    yield station
    station.store.close()


def visit(server: Server, station: Station, household: str = "b1-101", **fields: object) -> Operation:
    """A visit that somebody at this PC has made; ``household`` by its name in the furnished places."""
    values = {
        "household_id": server.places[household],
        "building_id": server.places[household.partition("-")[0]],
        "visited_on": "2026-11-23",
        "visitor_ids": [station.account],
        "recorded_by": station.account,
        "recorded_at": station.clock(),
        **fields,
    }
    return new("visit", new_id(station.clock()), **values)


def demand(server: Server, station: Station, household: str = "b1-101", **fields: object) -> Operation:
    """A demand of a household that somebody at this PC has noted down."""
    values = {
        "building_id": server.places[household.partition("-")[0]],
        "compound_id": server.places["compound"],
        "household_id": server.places[household],
        "scope_id": server.places[household],
        "title": "墙面漏水",
        "category": "01",
        "reported_at": station.clock(),
        "recorded_by": station.account,
        **fields,
    }
    return new("demand", new_id(station.clock()), **values)
