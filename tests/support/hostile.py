"""Bodies that mean no good: bombs, depths, cuts and wrong encodings, each with the answer it must get."""

import gzip
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import zstandard

from sync import wire

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Hostile:
    """What is sent, how it says it is encoded, and the status of the answer."""

    body: bytes
    encoding: str
    status: int


def zeros(size: int, encoding: str) -> bytes:
    """So many zeros, compressed in a stream: a zstd frame made so does not say how many."""
    if encoding == "zstd":
        packer = zstandard.ZstdCompressor(level=3).compressobj()
        return b"".join([*(packer.compress(bytes(MIB)) for _ in range(size // MIB)), packer.flush()])
    squeezer = zlib.compressobj(1, wbits=31)
    return b"".join([*(squeezer.compress(bytes(MIB)) for _ in range(size // MIB)), squeezer.flush()])


@cache
def hostile() -> Mapping[str, Hostile]:
    """All of them by name; made once."""
    noise = os.urandom(64 * 1024)
    wide = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1)
    return {
        "zstd bomb": Hostile(zeros(512 * MIB, "zstd"), "zstd", 413),
        "zstd bomb that owns up": Hostile(zstandard.ZstdCompressor().compress(bytes(64 * MIB)), "zstd", 413),
        "zstd window": Hostile(_streamed(noise * 160, wide), "zstd", 413),
        "zstd frames": Hostile(zstandard.ZstdCompressor().compress(b"{}") * 2, "zstd", 400),
        "zstd cut": Hostile(zstandard.ZstdCompressor().compress(noise)[:-3], "zstd", 400),
        "gzip bomb": Hostile(zeros(128 * MIB, "gzip"), "gzip", 413),
        "gzip members": Hostile(gzip.compress(b"{}") * 2, "gzip", 400),
        "gzip cut": Hostile(gzip.compress(noise)[:-3], "gzip", 400),
        "bomb in a bomb": Hostile(gzip.compress(zeros(128 * MIB, "gzip")), "gzip", 400),
        "deep lists": Hostile(b"[" * MIB, "", 400),
        "deep objects": Hostile(b'{"a":' * (MIB // 2), "", 400),
        "deep and packed": Hostile(wire.compress(b"[" * (15 * MIB), encoding="zstd"), "zstd", 400),
        "large": Hostile(b" " * (wire.LIMITS.json_bytes + 1), "", 413),
        "empty": Hostile(b"", "", 400),
        "no object": Hostile(b"null", "", 400),
        "no json": Hostile(b"\0" * 1000, "", 400),
        "no utf-8": Hostile(b'{"device": "\xff"}', "", 400),
        "a web page": Hostile(b"<html>", "", 400),
        "no encoding": Hostile(b"{}", "br", 415),
    }


def _streamed(body: bytes, parameters: zstandard.ZstdCompressionParameters) -> bytes:
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return packer.compress(body) + packer.flush()
