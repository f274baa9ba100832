"""The bytes of a message: JSON, compressed, never larger than allowed."""

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterable
from typing import TypeVar

import msgspec
import zstandard

from sync.errors import BadMessage
from sync.wire.messages import LIMITS, StreamHead

ENCODINGS = ("zstd", "gzip")  # what is understood, best first

_Message = TypeVar("_Message")
_ZSTD_LEVEL = 3
_GZIP_LEVEL = 6
_WINDOW_BYTES = 8 * 1024 * 1024  # what level 3 may ask for; a larger window is somebody's attempt on our memory
_PIECE = 256 * 1024
_PLACE = re.compile(r"`(\$[^`]*)`$")
_BLOCK_HEADER = 3
_RLE = 1
_ZSTD = bytes.fromhex("28b52ffd")  # what a frame begins with, and no JSON


def encode(message: msgspec.Struct) -> bytes:
    """A message as JSON in UTF-8."""
    return msgspec.json.encode(message)


def decode(body: bytes, *, type_: type[_Message]) -> _Message:
    """A message from JSON. Raises BadMessage ``malformed``, ``at`` naming the place and never the value."""
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        place = _PLACE.search(str(error))
        raise BadMessage("malformed", at=place[1] if place else "$") from error


def digest_batch(body: bytes) -> str:
    """What a batch is known by: BLAKE2b-128 of its JSON, in hexadecimal."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def digest_heads(heads: Iterable[StreamHead]) -> str:
    """What a list of streams is known by, whatever its order: BLAKE2b-128 of its JSON, in hexadecimal."""
    listed = sorted((head.id, head.head, head.floor, head.rows, head.sum) for head in heads)
    return digest_batch(msgspec.json.encode(listed))


def packed(body: bytes) -> bytes:
    """A batch as it is kept until it is answered, and sent; one that is packed already is left as it is."""
    return body if body.startswith(_ZSTD) else compress(body, encoding="zstd")


def unpacked(body: bytes) -> bytes:
    """The JSON of a batch that was kept; an earlier program kept it as it is."""
    return decompress(body, encoding="zstd") if body.startswith(_ZSTD) else body


def compress(body: bytes, *, encoding: str) -> bytes:
    """A body for the Content-Encoding: "zstd", "gzip" or "" for as it is; the same bytes each time."""
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)
    if encoding == "gzip":
        return gzip.compress(body, _GZIP_LEVEL, mtime=0)
    return body


def decompress(body: bytes, *, encoding: str, limit: int = LIMITS.inflated_bytes) -> bytes:
    """The body of a Content-Encoding, at most ``limit`` bytes; no more than that is ever held in memory.

    Raises BadMessage ``too_large`` (``most``), ``damaged_body`` (cut off, bent, or more than one frame) or
    ``unknown_encoding``.
    """
    if encoding == "zstd":
        return _from_zstd(body, limit)
    if encoding == "gzip":
        return _from_gzip(body, limit)
    if encoding not in ("", "identity"):
        raise BadMessage("unknown_encoding")
    if len(body) > limit:
        raise BadMessage("too_large", most=limit)
    return body


def _from_zstd(body: bytes, limit: int) -> bytes:
    try:
        frame = zstandard.get_frame_parameters(body)
        if frame.content_size != zstandard.CONTENTSIZE_UNKNOWN and frame.content_size > limit:
            raise BadMessage("too_large", most=limit)
        if frame.window_size > _WINDOW_BYTES:
            raise BadMessage("too_large", most=_WINDOW_BYTES)
        if _frame_length(body, has_checksum=frame.has_checksum) != len(body):
            raise BadMessage("damaged_body")
        reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).stream_reader(body)
        pieces, size = [], 0
        while piece := reader.read(min(_PIECE, limit + 1 - size)):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise BadMessage("too_large", most=limit)
    except zstandard.ZstdError as error:
        raise BadMessage("damaged_body") from error
    return b"".join(pieces)


def _frame_length(body: bytes, *, has_checksum: bool) -> int:
    """Bytes of the first frame (RFC 8878), 0 when it is cut off: the library reads a cut frame without a word."""
    at = zstandard.frame_header_size(body)
    last = False
    while not last:
        header = body[at : at + _BLOCK_HEADER]
        if len(header) < _BLOCK_HEADER:
            return 0
        number = int.from_bytes(header, "little")
        last, sort, size = bool(number & 1), number >> 1 & 3, number >> 3
        at += _BLOCK_HEADER + (1 if sort == _RLE else size)
    return at + (4 if has_checksum else 0)


def _from_gzip(body: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        whole = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise BadMessage("damaged_body") from error
    if len(whole) > limit:
        raise BadMessage("too_large", most=limit)
    if not inflater.eof or inflater.unused_data:
        raise BadMessage("damaged_body")
    return whole
