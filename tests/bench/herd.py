"""Half past eight: 3,300 devices, each with its own key, push 50 visits and pull 200 rows, in one window or at once.

The devices are connections of one process that sends bodies signed beforehand: what is measured is the server.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])

import msgspec
import psycopg

from sync import wire
from sync.domain.clock import HybridClock
from sync.domain.ids import new_id, new_replica
from sync.domain.operations import new
from sync.keys.signatures import KeyPair, RequestParts, key_id, sign
from sync.server.admission import sync_window_s
from sync.store.store import wall_ms
from tests.bench.sync_meter import busy_s, forget_peak, resident_mib
from tests.bench.sync_site import Site, site
from tests.bench.sync_workload import Record, generate, visit

PUSHED, PULLED = 50, 200
CORES = 2
_OPEN_FILES = 16_384


@dataclass(slots=True)
class Device:
    """One PC: its key, its replica, and the requests it is about to send."""

    key: KeyPair
    installation: str
    replica: int
    account: str
    building: str
    clock: HybridClock = field(default_factory=HybridClock)
    batch: int = 0
    requests: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """What came of a herd."""

    took: list[float] = field(default_factory=list)  # seconds from each arrival to the end of its pull
    answers: Counter[int] = field(default_factory=Counter)
    broken: int = 0  # connections


class Herd:
    """Devices of one community, let in beside the protocol: enrolling is not what is measured."""

    def __init__(self, made: Site, database: str, *, count: int) -> None:
        self._site = made
        self._port = urlsplit(made.url).port
        self._database = database.replace("+psycopg", "", 1)
        state = made.secretary.store.state
        self._community, self._epoch = state.community_id, state.epoch
        self._homes: dict[str, list[str]] = {}
        for household, building in made.homes:
            self._homes.setdefault(building, []).append(household)
        self._records = generate(count * PUSHED // 10, 1)[0]
        accounts = {building: _head(made, building) for building in self._homes}
        names = list(self._homes)
        self.devices = [
            Device(KeyPair.generate(), new_id(wall_ms()), new_replica(), accounts[one], one)
            for one in (names[n % len(names)] for n in range(count))
        ]
        self._let_in()

    def prepare(self) -> None:
        """The next batch and pull of each device, signed."""
        made = 0
        for device in self.devices:
            device.batch += 1
            records = [self._records[(made + n) % len(self._records)] for n in range(PUSHED)]
            made += PUSHED
            pull = wire.Pull(
                device=device.replica,
                epoch=self._epoch,
                schema=wire.SCHEMA,
                streams={f"building:{device.building}": 0},
                limit=PULLED,
            )
            device.requests = [
                self._request(device, "push", wire.encode(self._batch(device, records))),
                self._request(device, "pull", wire.encode(pull)),
            ]

    async def run(self, *, window_s: float) -> Tally:
        """Every device once, at a moment of its own within the window."""
        tally, chance = Tally(), random.Random(1)
        await asyncio.gather(*(self._device(device, chance.uniform(0, window_s), tally) for device in self.devices))
        return tally

    def rows(self) -> int:
        """Visits that the database holds."""
        with psycopg.connect(self._database) as connection:
            found = connection.execute("SELECT count(*) FROM record WHERE kind = 'visit'").fetchone()
        assert found is not None
        return int(found[0])

    async def _device(self, device: Device, wait_s: float, tally: Tally) -> None:
        await _moment(wait_s)
        began = time.perf_counter()
        for request in device.requests:
            while True:
                try:
                    status, retry_after = await self._exchange(request)
                except (OSError, asyncio.IncompleteReadError):
                    tally.broken += 1
                    status, retry_after = 503, 1.0
                tally.answers[status] += 1
                if status not in (429, 503):
                    break
                await _moment(retry_after * random.uniform(1, 1.5))
        tally.took.append(time.perf_counter() - began)

    async def _exchange(self, request: bytes) -> tuple[int, float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            status = int(head.split(" ", 2)[1])
            told = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            await reader.readexactly(int(told.get("content-length", "0")))
            return status, float(told.get("retry-after", "1"))
        finally:
            writer.close()

    def _batch(self, device: Device, records: list[Record]) -> wire.Push:
        homes = self._homes[device.building]
        operations = [
            msgspec.structs.replace(
                new(
                    "visit",
                    new_id(wall_ms()),
                    **visit(record, place=(homes[n % len(homes)], device.building), author=device.account),
                ),
                hlc=device.clock.next(wall_ms()),
                device=device.replica,
                author=device.account,
            )
            for n, record in enumerate(records)
        ]
        return wire.Push(
            device=device.replica,
            batch=device.batch,
            epoch=self._epoch,
            schema=wire.SCHEMA,
            groups=wire.encode_operations(operations),
        )

    def _request(self, device: Device, name: str, message: bytes) -> bytes:
        body = wire.compress(message, encoding="zstd")
        path = f"/sync/v1/{name}"
        headers = {
            "host": f"127.0.0.1:{self._port}",
            "content-type": "application/json",
            "content-encoding": "zstd",
            "accept-encoding": "zstd",
            "content-length": str(len(body)),
            "connection": "close",
            **sign(
                RequestParts(method="POST", path=path, body=body),
                key=device.key,
                key_id=key_id(community=self._community, installation=device.installation),
                created=wall_ms() // 1000,
            ),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body

    def _let_in(self) -> None:
        now, community = wall_ms(), self._community
        with psycopg.connect(self._database) as connection, connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO installation (community, id, public_key, name, created_at) VALUES (%s, %s, %s, '', %s)",
                [(community, one.installation, one.key.public, now) for one in self.devices],
            )
            cursor.executemany(
                "INSERT INTO installation_account (community, installation, account, added_at) VALUES (%s, %s, %s, %s)",
                [(community, one.installation, one.account, now) for one in self.devices],
            )
            cursor.executemany(
                "INSERT INTO replica (community, id, installation, batch, digest, reply, schema, app, seen_at,"
                " fingerprint, tag, number_day, number_last)"
                " VALUES (%s, %s, %s, 0, '', '', %s, '', %s, '', '00', '', 0)",
                [(community, one.replica, one.installation, wire.SCHEMA, now) for one in self.devices],
            )


async def _moment(after_s: float) -> None:
    """Until so much later: a device comes when it comes."""
    loop = asyncio.get_running_loop()
    come = loop.create_future()
    loop.call_later(after_s, come.set_result, None)
    await come


def _head(made: Site, building: str) -> str:
    account = new_id(wall_ms())
    wish = wire.GrantWish(role="building_head", scope_kind="building", scope_id=building)
    made.secretary.api.add_person(
        wire.AddPerson(by=made.secretary.account, account=account, name="楼长", grants=[wish])
    )
    return account


def measure(made: Site, herd: Herd, name: str, *, window_s: float, postmaster: int) -> dict[str, Any]:
    """One herd; its row."""
    herd.prepare()
    before, busy, load = herd.rows(), busy_s(made.pid) + busy_s(postmaster), os.getloadavg()[0]
    forget_peak(made.pid)
    memory = resident_mib(made.pid)
    own, began = time.process_time(), time.perf_counter()
    tally = asyncio.run(herd.run(window_s=window_s))
    took = time.perf_counter() - began
    times = sorted(tally.took)
    return {
        "peer": "qiaomen",
        "phase": name,
        "s": round(took, 2),
        "devices": len(herd.devices),
        "window_s": window_s,
        "p50_s": round(times[len(times) // 2], 3),
        "p99_s": round(times[int(len(times) * 0.99) - 1], 3),
        "lost": before + len(herd.devices) * PUSHED - herd.rows(),
        "refused_429": tally.answers[429],
        "errors": tally.broken + sum(n for status, n in tally.answers.items() if status not in (200, 429)),
        "answers": {str(status): n for status, n in sorted(tally.answers.items())},
        "server_cpu_s": round(busy_s(made.pid) + busy_s(postmaster) - busy, 2),
        "client_cpu_s": round(time.process_time() - own, 2),
        "server_peak_mib": round(resident_mib(made.pid, peak=True), 1),
        "server_grown_mib": round(resident_mib(made.pid, peak=True) - memory, 1),
        "load1": round(load, 2),
    }


def main() -> int:
    """Both herds; the rows are appended to a file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--postmaster", type=int, required=True)
    parser.add_argument("--devices", type=int, default=3_300)
    parser.add_argument("--workers", type=int, default=CORES)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_OPEN_FILES, hard), hard))
    options = ["--workers", str(given.workers)]
    with (
        tempfile.TemporaryDirectory(prefix="herd-") as folder,
        site(Path(folder), database=given.database, options=options) as made,
    ):
        herd = Herd(made, given.database, count=given.devices)
        window = sync_window_s(given.devices, cores=CORES)  # what the server announces to so many
        rows = [
            measure(made, herd, "herd with window", window_s=window, postmaster=given.postmaster),
            measure(made, herd, "herd at once", window_s=0.0, postmaster=given.postmaster),
        ]
    with given.out.open("a", encoding="utf-8") as out:
        for row in rows:
            print(json.dumps(row))
            out.write(json.dumps(row) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
