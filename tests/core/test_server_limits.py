"""What a request may hold: too much of anything is refused with its own 4xx, before it costs memory."""

import gzip
import tracemalloc
import zlib
from collections.abc import Iterator

import httpx
import pytest
import zstandard

from servers import Device, Server
from sync import wire
from sync.domain.ids import new_id
from sync.errors import BadMessage
from sync.keys.signatures import KeyPair

MIB = 1024 * 1024


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def zstd(body: bytes, *, told: bool = True, window_log: int = 21) -> bytes:
    """One frame; ``told``: with the size in its header."""
    parameters = zstandard.ZstdCompressionParameters(window_log=window_log, write_content_size=told)
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    if told:
        return compressor.compress(body)
    one = compressor.compressobj()
    return one.compress(body) + one.flush()


SKIPPED = b"\x50\x2a\x4d\x18" + (8).to_bytes(4, "little") + b"whatever"
BOMB = 128 * MIB
DEEP = b'{"a":' * 100_000


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    """Small bodies that would be large: with their size told, untold, and as gzip."""
    zeros = bytes(BOMB)
    return {
        "told": zstd(zeros),
        "untold": zstd(zeros, told=False),
        "gzip": gzip.compress(zeros, 9),
        "members": gzip.compress(zeros[: 8 * MIB]) * 16,
        "frames": zstd(zeros[: 8 * MIB]) * 16,
    }


@pytest.mark.parametrize(
    ("name", "encoding", "code"),
    [
        ("told", "zstd", "too_large"),
        ("untold", "zstd", "too_large"),
        ("gzip", "gzip", "too_large"),
        ("members", "gzip", "damaged_body"),
        ("frames", "zstd", "damaged_body"),
    ],
)
def test_a_bomb_costs_no_more_than_the_limit(bombs: dict[str, bytes], name: str, encoding: str, code: str) -> None:
    limit = 2 * MIB
    if code == "damaged_body":
        limit = 9 * MIB  # the first member alone would do
    tracemalloc.start()
    try:
        with pytest.raises(BadMessage) as caught:
            wire.decompress(bombs[name], encoding=encoding, limit=limit)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.code == code
    assert most < 2 * limit + 9 * MIB  # what was inflated, once in pieces and once whole, and a window


@pytest.mark.parametrize(
    ("body", "encoding", "code"),
    [
        (zstd(b"{}", told=False, window_log=24), "zstd", "too_large"),
        (zstd(b"{}", told=False, window_log=27), "zstd", "too_large"),
        (SKIPPED, "zstd", "damaged_body"),
        (SKIPPED + zstd(b"{}"), "zstd", "damaged_body"),
        (zstd(b"{}") + SKIPPED, "zstd", "damaged_body"),
        (zstd(b"{}") + zstd(b"{}"), "zstd", "damaged_body"),
        (zstd(b"{}") + b"\0", "zstd", "damaged_body"),
        (zstd(b"{}")[:-1], "zstd", "damaged_body"),
        (gzip.compress(b"{}", mtime=0) * 2, "gzip", "damaged_body"),
        (gzip.compress(b"{}", mtime=0)[:-1], "gzip", "damaged_body"),
        (zlib.compress(b"{}"), "gzip", "damaged_body"),
        (b"{}", "br", "unknown_encoding"),
        (b"{}", "zstd, gzip", "unknown_encoding"),
        (b"{}", "ZSTD ", "unknown_encoding"),
    ],
)
def test_one_whole_frame_of_a_known_encoding(body: bytes, encoding: str, code: str) -> None:
    with pytest.raises(BadMessage) as caught:
        wire.decompress(body, encoding=encoding)
    assert caught.value.code == code


@pytest.fixture
def places(server: Server, secretary: Device) -> Iterator[Device]:
    """The secretary's PC, greeted."""
    secretary.hello()
    yield secretary
    # Whatever was refused, the server goes on.
    assert secretary.send("hello", _hello(secretary)).status_code == 200


def _hello(device: Device) -> bytes:
    return wire.encode(wire.Hello(device=device.replica, schema=wire.SCHEMA, app="test", time=device.clock.now))


def test_bombs_sent_to_every_endpoint(places: Device, bombs: dict[str, bytes]) -> None:
    for name in ("hello", "push", "pull", "people", f"people/{places.author}/code"):
        for encoding, bomb in (("zstd", "told"), ("zstd", "untold")):
            assert code_of(places.send(name, bombs[bomb], encoding=encoding)) == (413, "too_large")
        answer = places.send(name, bombs["gzip"], encoding="gzip")
        assert code_of(answer) == (413, "too_large")
        assert answer.headers["connection"] == "close"


def test_who_is_not_known_yet_may_send_little(server: Server, bombs: dict[str, bytes]) -> None:
    big = server.http.post("/sync/v1/enrol", content=b" " * (128 * 1024 + 1))
    assert (*code_of(big), big.json()["params"]) == (413, "too_large", {"most": 128 * 1024})
    key = KeyPair.generate()
    assert server.try_code("x" * 1000, key=key).status_code == 403
    assert code_of(server.try_code("x" * 140_000, key=key)) == (413, "too_large")


def test_a_body_in_pieces_is_counted_as_it_comes(server: Server, places: Device) -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(64):
            taken += 1
            yield bytes(MIB)

    answer = server.http.post("/sync/v1/push", content=pieces())
    assert code_of(answer) == (413, "too_large")


def test_nesting_is_refused_however_deep(places: Device) -> None:
    for depth in (100, 200, 300, 400, 500, 600, 700, 800, 900, 950, 1_000, 2_000, 50_000):
        nested = b"[" * depth + b"]" * depth
        objects = b'{"a":' * depth + b"1" + b"}" * depth
        for name in ("hello", "push", "pull", "people"):
            assert code_of(places.send(name, nested)) == (400, "malformed")
            deep = places.send(name, b'{"unknown":' + objects + b"}")
            assert deep.status_code in (400, 413)
        for value in (nested, objects):
            _push_value(places, value)


def _push_value(device: Device, value: bytes) -> None:
    """An operation with a value that no form makes: it, or the body, is refused."""
    group = (
        b'{"kind":"grid","action":"new","device":%d,"author":"%s","at":[0],"id":["%s"],"hlc":[1],"fields":["name"],'
        b'"cols":[[%s]]}'
    ) % (device.replica, device.author.encode(), new_id(device.clock.now).encode(), value)
    head = b'{"device":%d,"batch":%d,"epoch":"%s","schema":%d,"groups":[%s]}'
    answer = device.send("push", head % (device.replica, device.batch + 1, device.epoch.encode(), wire.SCHEMA, group))
    if answer.status_code == 200:
        device.batch += 1
        (refusal,) = wire.decode(answer.content, type_=wire.PushReply).refused
        assert refusal.code in {"invalid", "too_large"}
    else:
        assert code_of(answer) == (400, "malformed")


def test_numbers_of_any_length_are_refused(places: Device) -> None:
    for number in (b"9" * 5_000, b"1e999", b"-1", b"1.5", b"NaN"):
        body = _hello(places).replace(str(places.clock.now).encode(), number)
        assert code_of(places.send("hello", body)) == (400, "malformed")
