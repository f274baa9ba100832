"""Who is let in when many come at once: a bounded queue, a spread time to come back, one push a replica at a time."""

import asyncio
import random
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import uvicorn
from litestar.testing import TestClient
from sqlalchemy import Connection

from servers import Server, running
from sync import wire
from sync.client.schedule import Schedule
from sync.errors import ServerTrouble
from sync.server.admission import GREETING, MOST_S, WORK, Admission, sync_window_s
from sync.server.app import make_app
from sync.server.bodies import Bodies
from sync.server.problems import ProtocolError
from sync.server.settings import Settings
from sync.wire import LIMITS

Message = dict[str, Any]


class Watch:
    """A clock that is moved by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Highest(random.Random):
    """Always the end of the range, so that the range itself is seen."""

    def uniform(self, a: float, b: float) -> float:
        return b


def asked_to_wait(admission: Admission, lane: str = WORK) -> int:
    """The Retry-After of one who is refused now."""
    with pytest.raises(ProtocolError) as caught, admission.place(lane):
        pytest.fail("let in")
    assert (caught.value.status, caught.value.code) == (429, "busy")
    wait = caught.value.params["retry_after_s"]
    assert isinstance(wait, int)
    return wait


def test_the_window_follows_the_number_of_installations() -> None:
    assert sync_window_s(0, cores=2) == 30
    assert sync_window_s(3_000, cores=2) == 30
    assert sync_window_s(3_300, cores=2) == 33
    assert sync_window_s(33_000, cores=2) == 330
    assert sync_window_s(3_300, cores=1) == 66


def test_lanes_are_full_one_by_one() -> None:
    admission = Admission(limit=2, spread_s=10)
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(admission.place(WORK))
        asked_to_wait(admission)
        held.enter_context(admission.place(GREETING))  # who only greets does not wait behind the work
        assert admission.waiting == 3
    assert admission.waiting == 0
    with admission.place(WORK):
        assert admission.waiting == 1


def test_the_pause_is_the_queue_and_a_spread_that_grows_with_the_refused() -> None:
    watch = Watch()
    admission = Admission(limit=64, spread_s=10, rng=Highest(), monotonic=watch)
    with ExitStack() as held:
        for _ in range(64):
            held.enter_context(admission.place(WORK))
        assert asked_to_wait(admission) == 11  # 64 × 5 ms, and all of the ten seconds
        waits = [asked_to_wait(admission) for _ in range(3_300)]
        assert waits == sorted(waits)
        assert 60 <= waits[-1] <= 70  # 3,300 rounds of four requests of 5 ms
        for _ in range(30_000):
            last = asked_to_wait(admission)
        assert last == MOST_S
        watch.now += 120  # nobody was refused for two minutes
        assert asked_to_wait(admission) == 11


def test_the_pause_follows_what_a_request_takes() -> None:
    watch = Watch()
    admission = Admission(limit=64, spread_s=0, rng=Highest(), monotonic=watch)
    for _ in range(200):
        with admission.place(WORK):
            watch.now += 0.5
        watch.now += 1_000  # quiet times are not counted
    with ExitStack() as held:
        for _ in range(64):
            held.enter_context(admission.place(WORK))
        assert 32 <= asked_to_wait(admission) <= 35


def test_pauses_are_spread_and_the_client_spreads_them_again() -> None:
    admission = Admission(limit=0, spread_s=40, rng=random.Random(1))
    waits = [asked_to_wait(admission) for _ in range(400)]
    quarters = [sum(low < wait <= low + 10 for wait in waits) for low in (0, 10, 20, 30)]
    assert all(60 < quarter < 140 for quarter in quarters)
    schedule = Schedule(rng=random.Random(2))
    pauses = [schedule.after_failure(ServerTrouble("busy", retry_after_s=400)).in_s for _ in range(100)]
    assert all(400 <= pause <= 600 for pause in pauses)
    assert max(pauses) - min(pauses) > 150


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """Meanwhile nothing is written: all threads that write are busy."""
    gate, reached = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        reached.set()
        gate.wait(60)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(server.service._runner.write_now, hold)
        reached.wait(60)
        try:
            yield
        finally:
            gate.set()
        held.result()


def test_above_the_limit_429_before_the_body_is_read(database: str, tmp_path: Path) -> None:
    with running(tmp_path, database=database, queue_limit=3, pool_size=1, sync_window_s=77) as server:
        devices = [server.enrol(server.first_code())]
        server.furnish(devices[0])
        devices += [devices[0].clone() for _ in range(3)]
        for device in devices:
            assert device.hello().sync_window_s == 77
        admission = server.service.admission
        with ThreadPoolExecutor(8) as pool:
            with stopped(server):
                pushes = [
                    pool.submit(device.send, "push", device.body([device.stamped(server.visit("b1-101"))]))
                    for device in devices[:3]
                ]
                wait_until(lambda: admission.waiting == 3)
                refused = devices[3].send("push", b"no message at all")
                assert refused.status_code == 429
                assert refused.json()["code"] == "busy"
                assert 1 <= int(refused.headers["retry-after"]) <= 12
                assert "connection" not in refused.headers
                hello = pool.submit(devices[0].clone().hello)  # of a new replica, which is written down
                wait_until(lambda: admission.waiting == 4)
                assert server.http.get("/livez").status_code == 200
            assert [push.result().status_code for push in pushes] == [200, 200, 200]
            assert hello.result().sync_window_s == 77
        assert admission.waiting == 0


def test_one_push_of_a_replica_at_a_time(database: str, tmp_path: Path) -> None:
    with running(tmp_path, database=database, pool_size=2) as server:
        device = server.enrol(server.first_code())
        server.furnish(device)
        body = device.body([device.stamped(server.visit("b1-101"))])
        runner = server.service._runner
        gate, reached = threading.Event(), threading.Event()
        take = runner._written

        def slowly(function: Callable[..., object]) -> object:
            if ".push." in function.__qualname__:  # not what the server tidies up by itself
                reached.set()
                assert gate.wait(60)
            return take(function)

        with ThreadPoolExecutor(2) as pool:
            runner._written = slowly  # type: ignore[assignment, method-assign]
            first = pool.submit(device.send, "push", body)
            assert reached.wait(60)
            again = device.send("push", body)
            runner._written = take  # type: ignore[method-assign]
            gate.set()
            done = first.result()
        assert (again.status_code, again.json()["code"], again.headers["retry-after"]) == (429, "busy", "5")
        repeated = device.send("push", body)
        assert repeated.content == done.content
        assert wire.decode(done.content, type_=wire.PushReply).refused == []


def wait_until(is_so: Callable[[], bool]) -> None:
    """Look again and again, for a minute at most."""
    for _ in range(6_000):
        if is_so():
            return
        threading.Event().wait(0.01)
    pytest.fail("never")


class Dribble:
    """Somebody who sends so many bytes to the server, and then neither more nor that this is all."""

    def __init__(self, server: Server, first: bytes = b"") -> None:
        self.sent: list[Message] = []
        self.is_silent = False
        self._first = first
        self._over = asyncio.Event()
        assert isinstance(server.http, TestClient)
        self._loop = server.http.blocking_portal
        self.ended = self._loop.start_task_soon(self._ask, server)

    async def _ask(self, server: Server) -> None:
        scope = {"type": "http", "method": "POST", "path": "/sync/v1/push", "raw_path": b"/sync/v1/push"}
        scope |= {"query_string": b"", "headers": [], "client": ("192.0.2.1", 1), "server": ("server.test", 80)}
        scope |= {"http_version": "1.1", "scheme": "http", "root_path": "", "asgi": {"version": "3.0"}}
        await server.app(scope, self._receive, self._send)  # type: ignore[arg-type]

    async def _receive(self) -> Message:
        if self._first:
            piece, self._first = self._first, b""
            return {"type": "http.request", "body": piece, "more_body": True}
        self.is_silent = True
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    def hang_up(self) -> None:
        """The line is cut."""
        self._loop.call(self._over.set)
        self.ended.result(60)


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    with running(tmp_path, body_s=0.05) as server:
        slow = Dribble(server)
        slow.ended.result(60)
        assert slow.sent[0]["status"] == 408
        assert b"too_slow" in slow.sent[1]["body"]
        assert (b"connection", b"close") in slow.sent[0]["headers"]
        assert server.service.admission.waiting == 0


def test_bodies_that_are_begun_and_never_ended_keep_nobody_out(database: str, tmp_path: Path) -> None:
    with running(tmp_path, database=database, queue_limit=2) as server:
        device = server.enrol(server.first_code())
        slow = [Dribble(server, b"{") for _ in range(10)]
        wait_until(lambda: all(one.is_silent for one in slow))
        server.furnish(device)
        device.accepted(server.visit("b1-101"))
        assert device.pull()
        assert [one.sent for one in slow] == [[]] * 10  # they are still there
        for one in slow:
            one.hang_up()
        assert {one.sent[0]["status"] for one in slow} == {408}  # as good as too slow, and no fault of ours


def test_of_too_many_bytes_on_their_way_the_oldest_give_way() -> None:
    async def story() -> None:
        bodies, over = Bodies(within_s=600, held_most=100), asyncio.Event()

        async def begun(size: int) -> asyncio.Task[bytes]:
            held = asyncio.Event()

            async def pieces() -> AsyncIterator[bytes]:
                yield bytes(size)
                held.set()
                await over.wait()

            reading = asyncio.create_task(bodies.read(pieces(), most=LIMITS.json_bytes))
            await held.wait()
            return reading

        first, *others = [await begun(size) for size in (40, 30, 30)]  # as many as may be
        fourth = await begun(35)
        with pytest.raises(ProtocolError, match="too_slow"):
            await first
        assert not any(one.done() for one in (*others, fourth))
        last = await begun(500)
        ends = await asyncio.gather(*others, fourth, return_exceptions=True)
        assert [getattr(end, "code", "") for end in ends] == ["too_slow"] * 3
        over.set()
        assert await last == bytes(500)
        assert bodies._held == {}

    asyncio.run(story())


@contextmanager
def listening(folder: Path, **settings: int) -> Iterator[tuple[str, int]]:
    """The address of a real server in a thread of this process."""
    server = uvicorn.Server(uvicorn.Config(make_app(Settings(folder, **settings)), log_config=None))  # type: ignore[arg-type]
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        address: tuple[str, int] = listener.getsockname()
        served = pool.submit(server.run, [listener])
        try:
            yield address
        finally:
            server.should_exit = True
            served.result(60)


def answered(answers: BinaryIO) -> tuple[int, dict[bytes, bytes], bytes]:
    """The next answer on a line: status, headers, body."""
    status = int(answers.readline().split()[1])
    headers: dict[bytes, bytes] = {}
    while (line := answers.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    return status, headers, answers.read(int(headers[b"content-length"]))


def test_after_429_the_line_stays_open(tmp_path: Path) -> None:
    size = 1024 * 1024
    with (
        listening(tmp_path, queue_limit=0) as address,
        socket.create_connection(address, timeout=60) as line,
        line.makefile("rb") as answers,
    ):
        line.sendall(b"POST /sync/v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
        status, headers, body = answered(answers)  # before any of the body was sent
        assert (status, b"busy" in body) == (429, True)
        assert int(headers[b"retry-after"]) >= 1
        line.sendall(bytes(size))
        line.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answered(answers)[0] == 200


def test_after_413_it_is_closed(tmp_path: Path) -> None:
    with (
        listening(tmp_path) as address,
        socket.create_connection(address, timeout=60) as line,
        line.makefile("rb") as answers,
    ):
        line.sendall(b"POST /sync/v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        assert answered(answers)[0] == 413
        assert answers.read() == b""
