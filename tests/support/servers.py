"""The real server application in process, on both engines, and devices that talk to it over the real protocol."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import Connection, Engine, event

from postgresql import PostgreSQL
from sync import wire
from sync.domain.calendar import instant
from sync.domain.catalogue import KINDS
from sync.domain.clock import HybridClock, hlc_of
from sync.domain.ids import new_id, new_replica
from sync.domain.merge import Row
from sync.domain.operations import Operation, delete, new, patch
from sync.keys.signatures import ENROLMENT_KEY_ID, KeyPair, RequestParts, key_id, sign
from sync.server.app import make_app
from sync.server.service import Service
from sync.server.settings import Settings

START = instant("2026-11-23 09:00")  # a Monday
M = TypeVar("M", bound=msgspec.Struct)
_WRITES = re.compile(r'\s*(INSERT INTO|UPDATE) "?record\b')
_GIVES_POSITIONS = re.compile(r'\s*(INSERT INTO|UPDATE) "?stream\b')
_BLANKS = re.compile(r"UPDATE record SET fields = \S+ WHERE")


@dataclass(slots=True)
class ServerClock:
    """The server's wall clock; stands still until it is moved."""

    now: int = START

    def __call__(self) -> int:
        return self.now


@dataclass(slots=True)
class Device:
    """One replica of an enrolled installation, as far as the protocol can tell."""

    http: httpx.Client
    clock: ServerClock
    key: KeyPair
    community: str
    installation: str
    accounts: list[str]
    replica: int = field(default_factory=new_replica)
    epoch: str = ""
    batch: int = 0
    cursors: dict[str, int] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    hlc: HybridClock = field(default_factory=HybridClock)

    @property
    def author(self) -> str:
        """The account this device was enrolled with first."""
        return self.accounts[0]

    def send(self, name: str, body: bytes, *, encoding: str = "", **changed: str) -> httpx.Response:
        """A signed request as it is; ``changed`` headers replace those that were signed."""
        path = f"/sync/v1/{name}"
        signed = sign(
            RequestParts(method="POST", path=path, body=body),
            key=self.key,
            key_id=key_id(community=self.community, installation=self.installation),
            created=self.clock.now // 1000,
        )
        headers = {"content-type": "application/json", "accept-encoding": "", **signed}
        if encoding:
            headers["content-encoding"] = encoding
        headers = {name.lower(): value for name, value in headers.items()}
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        return self.http.post(path, content=body, headers=headers)

    def ask(self, name: str, message: msgspec.Struct, reply: type[M]) -> M:
        """A message and the reply to it; anything but 200 fails the test."""
        answer = self.send(name, wire.encode(message))
        assert answer.status_code == 200, answer.text
        return wire.decode(answer.content, type_=reply)

    def hello(self) -> wire.HelloReply:
        """Greet; the epoch and the last batch are remembered."""
        reply = self.ask(
            "hello",
            wire.Hello(device=self.replica, schema=wire.SCHEMA, app="test", time=self.clock.now),
            wire.HelloReply,
        )
        self.epoch, self.batch = reply.epoch, reply.batch
        return reply

    def stamped(self, operation: Operation, *, author: str = "") -> Operation:
        """The operation with this device's clock, and with the versions that this device has seen."""
        row = self.rows.get(operation.id)
        prev = {}
        if operation.action == "patch" and row is not None:
            registers = {_register(operation.kind, name) for name in operation.fields} | {"deleted"}
            prev = {register: row.clock_of(register) for register in registers}
            self.hlc.observe(row.largest_clock()[0])
        return msgspec.structs.replace(
            operation,
            hlc=self.hlc.next(self.clock.now),
            device=self.replica,
            author=author or self.author,
            prev=prev,
        )

    def body(self, operations: Sequence[Operation]) -> bytes:
        """The bytes of the next batch."""
        return wire.encode(
            wire.Push(
                device=self.replica,
                batch=self.batch + 1,
                epoch=self.epoch,
                schema=wire.SCHEMA,
                groups=wire.encode_operations(operations),
            )
        )

    def push(self, *operations: Operation, author: str = "") -> wire.PushReply:
        """Stamp what has no stamp yet and push it all as one batch."""
        if not self.epoch:
            self.hello()
        stamped = [one if one.hlc else self.stamped(one, author=author) for one in operations]
        answer = self.send("push", self.body(stamped))
        assert answer.status_code == 200, answer.text
        self.batch += 1
        return wire.decode(answer.content, type_=wire.PushReply)

    def accepted(self, *operations: Operation, author: str = "") -> wire.PushReply:
        """Push, and nothing is refused."""
        reply = self.push(*operations, author=author)
        assert reply.refused == []
        return reply

    def refused(self, *operations: Operation, author: str = "") -> list[tuple[int, str, str]]:
        """Push; what was refused, with place, code and field."""
        reply = self.push(*operations, author=author)
        return [(refusal.op, refusal.code, refusal.field) for refusal in reply.refused]

    def pull(self, *, limit: int = 2000) -> int:
        """Pull until nothing is left; the number of requests. Rows replace those at hand."""
        if not self.epoch:
            self.hello()
        asked = 0
        behind = True
        while behind:
            reply = self.page(limit=limit)
            behind = any(self.cursors[stream.id] < stream.head for stream in reply.streams)
            asked += 1
        return asked

    def page(self, *, limit: int = 2000) -> wire.PullReply:
        """One page."""
        message = wire.Pull(
            device=self.replica, epoch=self.epoch, schema=wire.SCHEMA, streams=self.cursors, limit=limit
        )
        reply = self.ask("pull", message, wire.PullReply)
        readable = {stream.id for stream in reply.streams}
        self.cursors = {stream: self.cursors.get(stream, 0) for stream in sorted(readable)} | reply.cursors
        self.rows = {key: row for key, row in self.rows.items() if row.stream in readable}
        for gone in reply.exits:
            if gone.id in self.rows and self.rows[gone.id].stream == gone.stream:
                del self.rows[gone.id]
        for row, _ in wire.decode_rows(reply.tables):
            self.rows[row.id] = row
        return reply

    def of_kind(self, kind: str) -> list[Row]:
        """The rows at hand of a kind, by id."""
        return sorted((row for row in self.rows.values() if row.kind == kind), key=lambda row: row.id)

    def clone(self) -> "Device":
        """Another replica of the same installation, knowing nothing yet."""
        return replace(self, replica=new_replica(), epoch="", batch=0, cursors={}, rows={}, hlc=HybridClock())


def _register(kind: str, name: str) -> str:
    return KINDS[kind].register_of[name]


@dataclass(slots=True)
class Server:
    """A running server application with its first community."""

    app: Litestar
    http: httpx.Client
    clock: ServerClock
    places: dict[str, str] = field(default_factory=dict)  # name → id, after ``furnish``

    @property
    def service(self) -> Service:
        """What stands behind the application."""
        service: Service = self.app.state.service
        return service

    @property
    def community(self) -> str:
        """The first community's id."""
        return self.service.identity.community

    def first_code(self) -> str:
        """The secretary's code."""
        assert self.service.first_code is not None
        return self.service.first_code.code

    def try_code(self, code: str, *, key: KeyPair | None = None) -> httpx.Response:
        """Hand in a code from a PC that is not enrolled."""
        key = key or KeyPair.generate()
        body = wire.encode(wire.Enrol(code=code, public_key=key.public, name="PC"))
        path = "/sync/v1/enrol"
        headers = sign(
            RequestParts(method="POST", path=path, body=body),
            key=key,
            key_id=ENROLMENT_KEY_ID,
            created=self.clock.now // 1000,
        )
        return self.http.post(path, content=body, headers={"accept-encoding": "", **headers})

    def enrol(self, code: str) -> Device:
        """A new PC."""
        key = KeyPair.generate()
        answer = self.try_code(code, key=key)
        assert answer.status_code == 200, answer.text
        reply = wire.decode(answer.content, type_=wire.EnrolReply)
        return Device(self.http, self.clock, key, reply.community, reply.installation, [reply.account])

    def furnish(self, secretary: Device) -> None:
        """One compound, one grid, three buildings with two households each."""
        made: list[Operation] = []
        for name in ("compound", "other_compound", "grid", "b1", "b2", "b3", "far"):
            self.places[name] = new_id(self.clock.now)
        compound, grid = self.places["compound"], self.places["grid"]
        other = self.places["other_compound"]
        made += [
            new("compound", compound, name="幸福里"),
            new("compound", other, name="和平里"),
            new("grid", grid, name="一网格"),
            *(new("building", self.places[b], compound_id=compound, grid_id=grid, name=b) for b in ("b1", "b2", "b3")),
            new("building", self.places["far"], compound_id=other, name="far"),
        ]
        for building in ("b1", "b2", "b3", "far"):
            for room in ("101", "102"):
                name = f"{building}-{room}"
                self.places[name] = new_id(self.clock.now)
                made.append(
                    new("household", self.places[name], building_id=self.places[building], room_no=room, slot=1)
                )
        secretary.accepted(*made)

    def invite(self, by: Device, role: str, scope_kind: str, scope: str, *, name: str = "某人") -> str:
        """The one-time code of a new person, by a secretary."""
        message = wire.AddPerson(
            by=by.author,
            account=new_id(self.clock.now),
            name=name,
            grants=[wire.GrantWish(role=role, scope_kind=scope_kind, scope_id=self.places.get(scope, scope))],
        )
        return by.ask("people", message, wire.AddPersonReply).code

    def person(self, by: Device, role: str, scope_kind: str, scope: str) -> Device:
        """A new person on a new PC."""
        return self.enrol(self.invite(by, role, scope_kind, scope))

    def visit(self, household: str, **fields: Any) -> Operation:
        """A visit to a named household."""
        building = household.partition("-")[0]
        values = {
            "household_id": self.places[household],
            "building_id": self.places[building],
            "visited_on": "2026-11-23",
            **fields,
        }
        return new("visit", new_id(self.clock.now), **values)


@contextmanager
def running(data: Path, *, database: str = "", clock: ServerClock | None = None, **settings: Any) -> Iterator[Server]:
    """The server application on a data folder, stopped at the end."""
    wall = clock or ServerClock()
    app = make_app(Settings(data=data, database=database, wall=wall, **settings))
    _mind_positions(app.state.service._runner._writer)
    with TestClient(app, base_url="http://server.test") as http:
        yield Server(app, http, wall)


def _mind_positions(engine: Engine) -> None:
    """A transaction that writes records and gives no positions fails: nobody would ever be told of what it wrote.

    But for stubs, which every side makes of its own.
    """

    @event.listens_for(engine, "before_cursor_execute")
    def _note(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if _WRITES.match(statement) and not _BLANKS.match(statement):
            connection.info["past positions"] = True
        elif _GIVES_POSITIONS.match(statement):
            connection.info["positions"] = True

    @event.listens_for(engine, "commit")
    def _judge(connection: Connection) -> None:
        given, wrote = (connection.info.pop(name, False) for name in ("positions", "past positions"))
        assert given or not wrote, "records were written past its positions"

    @event.listens_for(engine, "rollback")
    def _forget(connection: Connection) -> None:
        connection.info.pop("positions", None)
        connection.info.pop("past positions", None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """One PostgreSQL for the whole run."""
    started = PostgreSQL()
    yield started
    started.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of each engine: '' for SQLite in the data folder, else a URL; there the tables are made."""
    if request.param == "sqlite":
        yield ""
        return
    running_server: PostgreSQL = request.getfixturevalue("postgresql")
    with running_server.lent_database() as url:
        yield url


@pytest.fixture
def server(database: str, tmp_path: Path) -> Iterator[Server]:
    """A fresh server on each engine."""
    with running(tmp_path / "server", database=database, community_code="370812001017") as made:
        yield made


@pytest.fixture
def secretary(server: Server) -> Device:
    """The community secretary on the first PC, with places in the community."""
    device = server.enrol(server.first_code())
    server.furnish(device)
    return device


__all__ = ["Device", "Server", "ServerClock", "delete", "hlc_of", "new", "patch", "running"]
