"""An attached picture, and what moves its bytes between a station's PC and the server."""

from hashlib import sha256
from pathlib import Path

import httpx

from servers import Server
from stations import Station
from sync.client.blobs import Transfers
from sync.keys.signatures import RequestParts, key_id, sign
from sync.store import blobs

PICTURE = b"\xff\xd8\xff" + bytes(range(256)) * 4200  # two pieces and a bit
CHECKSUM = sha256(PICTURE).hexdigest()


def attach(server: Server, station: Station, data: bytes = PICTURE, *, household: str = "b1-101") -> str:
    """A file on a household, with its record sent; the attachment's id."""
    touched = blobs.add(
        station.store,
        station.account,
        record_kind="household",
        record_id=server.places[household],
        data=data,
        name="楼道.jpg",
    )
    station.sync()
    return next(record_id for kind, record_id in touched if kind == "attachment")


def move(station: Station, *, after: int = 10**6) -> int:
    """Move what waits; ``after`` so many requests something else is to go first."""
    before = len(station.line.asked)
    with station.line.client() as http:
        return Transfers(
            lambda fn: fn(station.store),
            station.api(http),
            stop=lambda: len(station.line.asked) - before >= after,
        ).run()


def read(station: Station, attachment: str) -> bytes | None:
    """The bytes as the person at this PC gets them."""
    return blobs.read(station.store.db, station.store.viewer(station.account), attachment)


def fetched(station: Station, attachment: str) -> bytes | None:
    """The bytes after somebody at this PC asked for them."""
    station.sync()
    blobs.want(station.store, station.account, attachment)
    move(station)
    return read(station, attachment)


def ask(server: Server, station: Station, method: str, *, query: str, body: bytes = b"") -> httpx.Response:
    """A signed request for the picture."""
    path = f"/sync/v1/blobs/{CHECKSUM}"
    state = station.store.state
    headers = sign(
        RequestParts(method=method, path=path, query=query, body=body),
        key=station.key,
        key_id=key_id(community=state.community_id, installation=state.installation_id),
        created=server.clock.now // 1000,
    )
    return server.http.request(method, f"{path}?{query}", content=body, headers=headers)


def kept(server: Server) -> dict[str, bytes]:
    """The whole files in the server's folder, by their names."""
    folder = server.service.settings.data / "blobs"
    return {path.name: path.read_bytes() for path in folder.glob("*/??/*") if not path.suffix and path.exists()}


def part_of(server: Server) -> Path:
    """Where the server gathers the pieces of the picture."""
    folder = server.service.settings.data / "blobs" / server.community / CHECKSUM[:2]
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{CHECKSUM}.part"
