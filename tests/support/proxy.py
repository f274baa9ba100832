"""A bad line: a real TCP proxy on this machine that delays, loses, narrows, cuts, and now and then shows a login page.

Lost packets are modelled as TCP meets them: a window that grows with each answer and is halved at each loss, a
retransmission a round trip later (a second later when too little is under way to notice), and whatever was sent
after the lost piece waiting for it.
"""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter, deque
from dataclasses import dataclass
from types import TracebackType
from typing import Self

SEGMENT = 1460  # bytes of a packet that carry data
HEADERS = 40  # bytes of a packet that do not
_FIRST_WINDOW = 10.0  # packets (RFC 6928)
_TIMEOUT_S = 1.0  # of a retransmission nobody asked for
_NOTICED = 4  # packets under way, from which the other end notices a gap
_PAGE = "<html><title>登录</title><body>请先登录无线网络</body></html>".encode()
_LOGIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"


@dataclass(frozen=True, slots=True)
class Quality:
    """How bad a line is: cut after about ``reset_every`` bytes, a login page for each ``portal_every``-th connection.

    0 for never.
    """

    round_trip_s: float = 0.3
    loss: float = 0.01
    bits_per_s: float = 2_000_000.0
    reset_every: int = 0
    portal_every: int = 0


class BadLine:
    """Listens on ``port`` and passes on to ``target``; use it as a context. ``quality`` may change between requests.

    ``counts``: connections, up, down (bytes with their packets' headers), lost (packets), resets, portals.
    """

    def __init__(self, target: int, quality: Quality, *, seed: int = 0) -> None:
        self.quality = quality
        self.counts: Counter[str] = Counter()
        self.port = 0
        self._target = target
        self._rng = random.Random(seed)
        self._free_at = {"up": 0.0, "down": 0.0}  # when the wire has carried what was put on it
        self._carried = 0  # bytes since the line was cut
        self._cut_after = 1.0  # of ``reset_every``
        self._listening = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="bad line", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listening.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        connections: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self._loop.create_task(self._connection(reader, writer))
            connections.add(task)
            task.add_done_callback(connections.discard)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._over.wait()
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.counts["connections"] += 1
        try:
            await self._until(self._loop.time() + self.quality.round_trip_s)  # three packets before the first byte
            every = self.quality.portal_every
            if every and self.counts["connections"] % every == 0:
                await self._login(reader, writer)
            else:
                await self._carry(reader, writer)
        except OSError:
            pass  # one of the ends is gone, and the other will notice
        finally:
            writer.transport.abort()

    async def _login(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.counts["portals"] += 1
        await reader.read(SEGMENT)
        writer.write(_LOGIN % (len(_PAGE), _PAGE))
        await writer.drain()
        await self._until(self._loop.time() + self.quality.round_trip_s)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        ways = [
            self._loop.create_task(_Way(self, "up").carry(reader, server_writer)),
            self._loop.create_task(_Way(self, "down").carry(server_reader, writer)),
        ]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if any(task.result() for task in done):
                self.counts["resets"] += 1
                for end in (writer, server_writer):
                    # Without lingering a close is a reset: what was under way is lost.
                    end.get_extra_info("socket").setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            server_writer.transport.abort()

    async def _until(self, moment: float) -> None:
        reached = self._loop.create_future()
        handle = self._loop.call_at(moment, reached.set_result, None)
        try:
            await reached
        finally:
            handle.cancel()

    def _is_cut(self, size: int) -> bool:
        """Whether the line fails before it has carried these bytes."""
        every = self.quality.reset_every
        self._carried += size
        if not every or self._carried < self._cut_after * every:
            return False
        self._carried, self._cut_after = 0, self._rng.uniform(0.5, 1.5)
        return True

    def _put_on_wire(self, way: str, size: int, not_before: float) -> float:
        """When the wire has taken these bytes: one wire a direction, whoever sends."""
        begin = max(not_before, self._free_at[way])
        self._free_at[way] = begin + (size + HEADERS) * 8 / self.quality.bits_per_s
        self.counts[way] += size + HEADERS
        return self._free_at[way]


class _Way:
    """One direction of a connection."""

    def __init__(self, line: BadLine, way: str) -> None:
        self._line = line
        self._way = way
        self._window = _FIRST_WINDOW
        self._threshold = float("inf")
        self._under_way: deque[float] = deque()  # when each packet will have been answered
        self._arrived = 0.0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Pass everything on, each packet at its time; whether the connection is to be reset."""
        arriving: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivery = asyncio.create_task(self._deliver(arriving, writer))
        try:
            while piece := await reader.read(SEGMENT):
                if self._line._is_cut(len(piece)):
                    return True
                arriving.put_nowait((await self._send(len(piece)), piece))
            arriving.put_nowait((self._arrived, b""))
            await delivery
            return False
        finally:
            delivery.cancel()
            await asyncio.gather(delivery, return_exceptions=True)

    async def _send(self, size: int) -> float:
        """Wait until the packet may be sent; when it arrives."""
        line, quality = self._line, self._line.quality
        now = line._loop.time()
        while self._under_way and self._under_way[0] <= now:
            self._under_way.popleft()
        if len(self._under_way) >= int(self._window):
            await line._until(self._under_way.popleft())
        sent = line._put_on_wire(self._way, size, line._loop.time())
        await line._until(sent)
        arrival = sent + quality.round_trip_s / 2
        if line._rng.random() < quality.loss:
            line.counts["lost"] += 1
            noticed = len(self._under_way) >= _NOTICED
            arrival += quality.round_trip_s if noticed else max(_TIMEOUT_S, 2 * quality.round_trip_s)
            line.counts[self._way] += size + HEADERS  # sent twice
            self._threshold = max(2.0, self._window / 2)
            self._window = self._threshold if noticed else 2.0
        else:
            self._window += 1.0 if self._window < self._threshold else 1.0 / self._window
        self._arrived = max(self._arrived, arrival)
        self._under_way.append(self._arrived + quality.round_trip_s / 2)
        return self._arrived

    async def _deliver(self, arriving: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        while True:
            moment, piece = await arriving.get()
            await self._line._until(moment)
            if not piece:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(piece)
            await writer.drain()
