"""Sees every batch that reaches the server and every answer to it, spoils the line as it is told, and remembers."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from ground import Copy, Ground
from sync import wire
from sync.domain.catalogue import KINDS
from sync.domain.clock import Clock
from sync.domain.operations import Operation

OF_A_PUSH = ("repeat", "push_lost")
SPOILT = ("no_line", "timeout", "portal", "status 413", "status 429 2", "status 503")


@dataclass(slots=True)
class Witness:
    """All that was ever taken and refused, whatever happened to the server afterwards."""

    taken: dict[tuple[str, Clock], Operation] = field(default_factory=dict)  # (record, clock) → as it was sent
    histories: dict[tuple[str, Clock], dict[str, Any]] = field(default_factory=dict)  # (record, clock) → what it wrote
    refused: list[tuple[Operation, str]] = field(default_factory=list)
    answers: set[str] = field(default_factory=set)  # what else the server answered
    broken: list[str] = field(default_factory=list)  # promises seen broken on the line

    def carried(self, operations: Iterable[Operation]) -> None:
        """Operations that were taken without a line."""
        for operation in operations:
            if operation.action != "state":
                self.taken.setdefault((operation.id, operation.clock), operation)

    def saw(self, body: bytes, answer: bytes) -> None:
        """A batch and the answer to it. A ``state`` is no write: it gives back one that was."""
        push, reply = wire.decode(body, type_=wire.Push), wire.decode(answer, type_=wire.PushReply)
        if reply.void:
            self.answers.add("void")
            return  # withdrawn before it came
        operations = wire.decode_operations(push.groups)
        refused = {refusal.op: refusal.code for refusal in reply.refused}
        for place, operation in enumerate(operations):
            kind = KINDS[operation.kind]
            newer = [name for name in operation.fields if name in kind.fields and kind.fields[name].since > push.schema]
            if newer or kind.since > push.schema:
                self.broken.append(f"12: a program of version {push.schema} wrote {operation.kind} {newer}")
            if operation.action == "state":
                self.answers.add(f"state {refused.get(place, 'taken')}")
                continue
            if operation.device != push.device:
                self.broken.append(f"6.12: {push.device} sent {operation.kind} {operation.id} of {operation.device}")
            if place in refused:
                self.refused.append((operation, refused[place]))
                continue
            key = (operation.id, operation.clock)
            known = self.taken.setdefault(key, operation)
            if known != operation:
                self.broken.append(f"two different writes of {operation.id} under one clock {operation.clock}")

    def remember(self, ground: Ground) -> None:
        """Keep the history as it stands, before the server is put back."""
        for line in ground.table("history"):
            # What is given back after a restore says only what still stood of a write.
            known = self.histories.setdefault((line.id, (line.hlc, line.dev)), {})
            known.update({name: value for name, value in json.loads(line.fields).items() if name not in known})


@dataclass(slots=True)
class SpoiltLine:
    """The line of one PC; each mishap is used up by one request, in order.

    Besides those of ``SPOILT``: ``reply_lost``, ``cut`` (half of the answer), ``server_dies n`` (before its n-th
    statement), ``late n`` (a batch that was cut off arrives before the n-th request after it). Those of ``OF_A_PUSH``
    wait for the next batch: ``repeat`` (it arrives twice), ``push_lost`` (the answer to it is lost).
    """

    ground: Ground
    witness: Witness
    mishaps: list[str] = field(default_factory=list)
    late: list[tuple[int, httpx.Request]] = field(default_factory=list)  # after so many requests, and what comes then
    after: Callable[[str], None] = lambda _: None  # told the path of each request that was answered
    armed: set[str] = field(default_factory=set)  # what waits for the next batch

    def client(self) -> httpx.Client:
        """What a PC opens."""
        return httpx.Client(base_url="http://server.test", transport=_Spoilt(self))


class _Spoilt(httpx.BaseTransport):
    def __init__(self, line: SpoiltLine) -> None:
        self._line = line

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        line = self._line
        mishap = line.mishaps.pop(0) if line.mishaps else ""
        if mishap in OF_A_PUSH:
            line.armed.add(mishap)
            mishap = ""
        self._let_late_ones_arrive()
        if mishap.startswith("late"):
            if request.url.path.endswith(("/push", "/withdraw")):
                request.read()
                line.late.append((int(mishap.removeprefix("late ")), request))
            raise httpx.WriteError("cut", request=request)
        if mishap == "no_line":
            raise httpx.ConnectError("no route", request=request)
        if mishap == "timeout":
            raise httpx.ReadTimeout("slow", request=request)
        if mishap == "portal":
            return _made(200, "<html>请先登录</html>".encode(), {"content-type": "text/html"})
        if mishap.startswith("status "):
            status, _, retry = mishap.removeprefix("status ").partition(" ")
            return _made(int(status), b"busy", {"retry-after": retry} if retry else {})
        if mishap.startswith("server_dies"):
            line.ground.dying.left = int(mishap.removeprefix("server_dies "))
        try:
            answer = self._asked(request)
        finally:
            line.ground.dying.left = None
        if request.url.path.endswith("/push") and answer.status_code == 200:
            if "repeat" in line.armed:
                self._repeat(request, answer)
            mishap = "reply_lost" if "push_lost" in line.armed else mishap
            line.armed.clear()
        line.after(request.url.path)
        if mishap == "reply_lost":
            if request.url.path.endswith("/push") and answer.status_code == 200:
                line.witness.answers.add("an answer to a push lost")
            raise httpx.ReadError("cut", request=request)
        headers = {k: v for k, v in answer.headers.items() if k not in ("content-encoding", "content-length")}
        content = answer.content[: len(answer.content) // 2] if mishap == "cut" else answer.content
        return _made(answer.status_code, content, headers)

    def _let_late_ones_arrive(self) -> None:
        line = self._line
        due = [request for left, request in line.late if left <= 0]
        line.late[:] = [(left - 1, request) for left, request in line.late if left > 0]
        for request in due:
            self._asked(request)

    def _asked(self, request: httpx.Request) -> httpx.Response:
        line = self._line
        headers = {k: v for k, v in request.headers.items() if k != "host"}
        body = request.read()
        answer = line.ground.post(request.url.path, content=body, headers=headers)
        if answer.status_code != 200:
            line.witness.answers.add(f"{request.url.path.rpartition('/')[2]} {answer.status_code} {answer.text[:30]}")
        elif request.url.path.endswith("/digests") and wire.decode(answer.content, type_=wire.DigestsReply).want:
            line.witness.answers.add("wanted")
        if request.url.path.endswith("/push") and answer.status_code == 200:
            line.witness.saw(wire.decompress(body, encoding=headers.get("content-encoding", "")), answer.content)
        return answer

    def _repeat(self, request: httpx.Request, first: httpx.Response) -> None:
        """Invariant 7: the same answer byte for byte, and no table changes."""
        self._line.witness.answers.add("a push repeated")
        before = written(self._line.ground.copy())
        again = self._asked(request)
        if (again.status_code, again.content) != (first.status_code, first.content):
            self._line.witness.broken.append(f"7: a repeated push was answered {again.status_code} {again.text[:200]}")
        after = written(self._line.ground.copy())
        for name, rows in after.items():
            if rows != before[name]:
                self._line.witness.broken.append(f"7: a repeated push changed the table {name}")


def written(copy: Copy) -> dict[str, list[str]]:
    """The rows of each table, in an order that can be compared."""
    return {table.name: sorted(map(repr, rows)) for table, rows in copy.tables}


def _made(status: int, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))
