"""Bundles: what would travel by a line, in one file for a stick; compressed, sealed for its reader, signed, bounded.

    "qiaomen bundle\\n" · version (2 bytes) · length of the header (4) · header, JSON · length of the body (8)
    · body, sealed zstd of JSON · BLAKE2b-256 of all before (32) · Ed25519 signature of all before (64)

The header is readable by everybody and holds ids and numbers only. The digest tells damage from forgery.
"""

import errno
import os
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from sync.errors import BadMessage, BundleError
from sync.keys.sealing import SealingKey, is_signed, seal, unseal
from sync.keys.signatures import KeyPair
from sync.moving import move_over
from sync.wire.bodies import compress, decode, decompress, encode
from sync.wire.messages import Id, Problem, PushReply, Short, StreamHead, Whole

SUFFIX = ".qmb"
VERSION = 1
MOST_BYTES = 64 * 1024 * 1024  # of a file, and of its body inflated
MOST_BATCHES = 12  # in one bundle: with full ones of 4 MiB three quarters of what may be inflated
_MAGIC = b"qiaomen bundle\n"
_FIXED = len(_MAGIC) + 2
_HEADER_MOST = 4096
_DIGEST, _SIGNATURE = 32, 64
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_Body = TypeVar("_Body", bound=Struct)


class Header(Struct, frozen=True, kw_only=True):
    """For whom and from whom, in the clear. A centre is named by its sealing key, a PC by its installation."""

    way: Literal["up", "down"]  # to the centre, or back to the PC
    community: Id
    sender: Id
    recipient: Id
    replica: Whole
    number: Whole  # of the PC's bundles; the centre's bears the number of the one it answers
    made_at: Whole


class Up(Struct, frozen=True, kw_only=True):
    """From a PC to the centre: every batch in flight, byte for byte, and what a greeting would say."""

    device: Whole
    epoch: Annotated[str, Meta(max_length=128)]
    schema: Whole
    app: Short
    time: Whole
    fingerprint: Short
    batch: Whole  # the last one that was answered
    cursors: dict[Id, Whole]
    pushes: list[Raw]
    sealing_key: bytes  # of the PC: the answer is sealed with it
    id: list[Id] = []  # after a restore: the rows that are held here, as in ``Digests``
    check: list[Whole] = []


class Answer(Struct, frozen=True, kw_only=True):
    """What became of one batch: the reply, or the problem for which it was not taken (and none after it)."""

    batch: Whole
    digest: str
    reply: PushReply | None = None
    problem: Problem | None = None


class Down(Struct, frozen=True, kw_only=True):
    """From the centre to a PC: the answers, and the pages from ``cursors`` up to the heads of ``streams``."""

    device: Whole
    epoch: Id
    time: Whole
    batch: Whole  # the last one of this replica that the centre has
    answers: list[Answer]
    cursors: dict[Id, Whole]  # where the first page begins: what the PC had when it wrote
    pages: list[Raw]  # each a PullReply, opened one by one
    streams: list[StreamHead]
    more: bool  # the pages end before the heads: this was all that fits
    digest: str = ""  # of ``batch``: by it the PC knows after a restore where both agree
    want: list[Id] | None = None  # of the rows that the PC told of, those to be given back; None: it told of none
    listed: bool = True  # false: there are neither pages nor a list of streams in it


@dataclass(frozen=True, slots=True)
class Packed:
    """A bundle as it was read: whole, but neither verified nor opened."""

    header: Header
    bound: bytes  # all before the body, to which the body is sealed
    body: bytes
    signed: bytes
    signature: bytes

    def verify(self, public_key: bytes) -> None:
        """Raises BundleError ``bundle_forged`` when somebody else has signed it, or nobody."""
        if not is_signed(self.signed, signature=self.signature, public_key=public_key):
            raise BundleError("bundle_forged")

    def open(self, key: SealingKey, type_: type[_Body]) -> _Body:
        """What is in it; only after ``verify``. Raises BundleError ``bundle_other_pc`` or ``bundle_damaged``."""
        try:
            plain = unseal(self.body, key=key, bound=self.bound)
        except ValueError as error:
            raise BundleError("bundle_other_pc") from error
        try:
            return decode(decompress(plain, encoding="zstd", limit=MOST_BYTES), type_=type_)
        except BadMessage as error:
            raise BundleError("bundle_damaged") from error


def key_name(public_key: bytes) -> str:
    """A short name of a public key, for headers."""
    return blake2b(public_key, digest_size=8).hexdigest()


def pack(header: Header, body: Struct, *, recipient_key: bytes, signing_key: KeyPair) -> bytes:
    """The bytes of a bundle. Raises BundleError ``bundle_no_key`` when ``recipient_key`` is none."""
    told = encode(header)
    bound = _MAGIC + VERSION.to_bytes(2) + len(told).to_bytes(4) + told
    try:
        sealed = seal(compress(encode(body), encoding="zstd"), recipient=recipient_key, bound=bound)
    except ValueError as error:
        raise BundleError("bundle_no_key") from error
    content = bound + len(sealed).to_bytes(8) + sealed
    content += blake2b(content, digest_size=_DIGEST).digest()
    return content + signing_key.sign(content)


def unpack(content: bytes) -> Packed:
    """Take a bundle apart.

    Raises BundleError ``bundle_not_one``, ``bundle_newer`` (made by a newer program) or ``bundle_damaged``.
    """
    if not content.startswith(_MAGIC) or len(content) > MOST_BYTES:
        raise BundleError("bundle_not_one")
    version = int.from_bytes(content[len(_MAGIC) : _FIXED])
    if version > VERSION:
        raise BundleError("bundle_newer", version=version)
    at = _FIXED + 4
    size = int.from_bytes(content[_FIXED:at])
    begin = at + size + 8
    end = begin + int.from_bytes(content[at + size : begin])
    signed = content[: end + _DIGEST]
    whole = size <= _HEADER_MOST and len(content) == end + _DIGEST + _SIGNATURE
    if not whole or blake2b(content[:end], digest_size=_DIGEST).digest() != content[end : end + _DIGEST]:
        raise BundleError("bundle_damaged")
    try:
        header = msgspec.json.decode(content[at : at + size], type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError("bundle_damaged") from error
    bound, body = content[: at + size], content[begin:end]
    return Packed(header, bound, body, signed, content[end + _DIGEST :])


def read_file(path: Path) -> bytes:
    """The bytes of a bundle's file, never more than one may have. Raises BundleError ``bundle_unreadable``."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BundleError("bundle_unreadable") from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, on the stick when this returns: pulled out earlier, there is no such name.

    Raises BundleError ``bundle_stick_full`` or ``bundle_unwritable``.
    """
    temporary = path.with_name(path.name + ".part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        move_over(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        _forget(temporary)
        raise BundleError("bundle_stick_full" if error.errno in _FULL else "bundle_unwritable") from error


def _forget(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass  # the stick is gone, and the half file does not bear the name


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows has no handle to sync a folder by
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems of sticks know no such thing
            raise
    finally:
        os.close(handle)
