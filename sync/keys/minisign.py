"""Signatures of files in the format of the ``minisign`` command: Ed25519 over BLAKE2b-512, keys with an eight-byte id.

So what we issue (presets, lists of releases) can be checked by hand with a tool that every distribution has.
"""

import base64
import binascii
import hashlib
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from sync.errors import TrustError
from sync.keys.slot_file import write_owner_only

SUFFIX: Final = ".minisig"
_KEY: Final = b"Ed"
_PREHASHED: Final = b"ED"  # the older form signs the bytes themselves; nobody makes it any more and we do not take it
_CHECK: Final = b"B2"
_SCRYPT: Final = b"Sc"
_PLAIN: Final = b"\0\0"
_UNTRUSTED: Final = "untrusted comment: "
_TRUSTED: Final = "trusted comment: "
_PIECE: Final = 1 << 20
_R: Final = 8
DEAR: Final = 20  # what minisign itself takes for a secret key: 2**20 rounds of scrypt, 1 GiB of memory, some seconds


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What a signature is checked with; ``id`` is what people compare, ``raw`` the 32 bytes of the key."""

    id: bytes
    raw: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """A key from its file, or from its one line of base64. Raises TrustError ``public_key_unreadable``."""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        packed = _unpacked(lines[-1] if lines else "", length=42)
        if packed is None or packed[:2] != _KEY:
            raise TrustError("public_key_unreadable")
        return cls(id=packed[2:10], raw=packed[10:])

    @property
    def name(self) -> str:
        """The id as minisign prints it: 16 hexadecimal digits."""
        return self.id[::-1].hex().upper()

    @property
    def text(self) -> str:
        """The file of the key."""
        return f"{_UNTRUSTED}minisign public key {self.name}\n{_packed(_KEY + self.id + self.raw)}\n"

    def verify(self, content: bytes | Path, *, signature: str) -> str:
        """The trusted comment of a signature that this key made over exactly this content.

        Raises TrustError: signature_unreadable, signature_unknown_key, signature_wrong.
        """
        return verify(content, signature=signature, keys=[self])[1]


@dataclass(frozen=True, slots=True)
class SecretKey:
    """What signs. Kept in a file that only its owner may read, under a passphrase."""

    id: bytes
    seed: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """A new random key with a random id."""
        return cls(id=secrets.token_bytes(8), seed=secrets.token_bytes(32))

    @property
    def public(self) -> PublicKey:
        """The half to hand out."""
        return PublicKey(
            id=self.id, raw=Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        )

    def sign(self, content: bytes | Path, *, comment: str = "") -> str:
        """The text of the ``.minisig`` file; ``comment`` is signed, too (without one: the time in seconds)."""
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        signed = private.sign(_digest(content))
        told = (comment or f"timestamp:{int(time.time())}").replace("\n", " ")
        return (
            f"{_UNTRUSTED}signature from key {self.public.name}\n{_packed(_PREHASHED + self.id + signed)}\n"
            f"{_TRUSTED}{told}\n{_packed(private.sign(signed + told.encode()))}\n"
        )

    def save(self, path: Path, *, passphrase: str = "", cost: int = DEAR) -> None:
        """Write the secret file; without a passphrase it lies open, which is for tests only.

        ``cost`` is the binary logarithm of scrypt's rounds. Raises KeysError ``keys_unwritable``.
        """
        held = self.id + self.seed + self.public.raw
        held += _check(held)
        salt = secrets.token_bytes(32)
        kind, limits = _PLAIN, (0, 0)
        if passphrase:
            # libsodium reads the rounds off these two limits; in this proportion it gives r = 8, p = 1.
            kind, limits = _SCRYPT, (32 << cost, 1024 << cost)
            held = _masked(held, passphrase=passphrase, salt=salt, cost=cost)
        packed = _KEY + kind + _CHECK + salt + b"".join(limit.to_bytes(8, "little") for limit in limits) + held
        sort = "encrypted secret key" if passphrase else "secret key"
        write_owner_only(path, content=f"{_UNTRUSTED}minisign {sort}\n{_packed(packed)}\n".encode())

    @classmethod
    def load(cls, path: Path, *, passphrase: str = "") -> Self:
        """Read a secret file, ours or one of ``minisign -G``.

        Raises TrustError: secret_key_unreadable, secret_key_locked (it wants a passphrase), secret_key_passphrase.
        """
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise TrustError("secret_key_unreadable", name=path.name) from error
        packed = _unpacked(lines[1].strip() if len(lines) > 1 else "", length=158)
        if packed is None or packed[:2] != _KEY or packed[4:6] != _CHECK or packed[2:4] not in (_SCRYPT, _PLAIN):
            raise TrustError("secret_key_unreadable", name=path.name)
        held = packed[54:]
        if packed[2:4] == _SCRYPT:
            if not passphrase:
                raise TrustError("secret_key_locked", name=path.name)
            cost = int.from_bytes(packed[46:54], "little").bit_length() - 11
            if not 1 <= cost <= DEAR:
                raise TrustError("secret_key_unreadable", name=path.name)
            held = _masked(held, passphrase=passphrase, salt=packed[6:38], cost=cost)
        unchecked = packed[2:4] == _PLAIN and not any(held[72:])  # minisign leaves it out where nothing is locked
        if held[72:] != _check(held[:72]) and not unchecked:
            raise TrustError("secret_key_passphrase" if passphrase else "secret_key_unreadable", name=path.name)
        return cls(id=held[:8], seed=held[8:40])


def verify(content: bytes | Path, *, signature: str, keys: Iterable[PublicKey]) -> tuple[PublicKey, str]:
    """Which of the trusted keys signed exactly this content, and the trusted comment of its signature.

    Raises TrustError: signature_unreadable, signature_unknown_key (``key`` names it; also when there are no keys),
    signature_wrong (the content or the signature was changed).
    """
    lines = signature.replace("\r\n", "\n").split("\n")
    if len(lines) < 4 or not lines[0].startswith(_UNTRUSTED) or not lines[2].startswith(_TRUSTED):
        raise TrustError("signature_unreadable")
    packed, over_comment = _unpacked(lines[1].strip(), length=74), _unpacked(lines[3].strip(), length=64)
    if packed is None or over_comment is None or packed[:2] != _PREHASHED:
        raise TrustError("signature_unreadable")
    key = next((key for key in keys if key.id == packed[2:10]), None)
    if key is None:
        raise TrustError("signature_unknown_key", key=packed[2:10][::-1].hex().upper())
    comment = lines[2].removeprefix(_TRUSTED)
    try:
        raw = Ed25519PublicKey.from_public_bytes(key.raw)
        raw.verify(packed[10:], _digest(content))
        raw.verify(over_comment, packed[10:] + comment.encode())
    except InvalidSignature:
        raise TrustError("signature_wrong") from None
    return key, comment


def trusted_keys(folder: Path) -> tuple[PublicKey, ...]:
    """The keys of all ``*.pub`` files of a folder, in the order of their names; none when there is no such folder.

    Raises TrustError ``public_key_unreadable`` with the ``name`` of the file.
    """
    keys = []
    for path in sorted(folder.glob("*.pub")):
        try:
            keys.append(PublicKey.parse(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, TrustError) as error:
            raise TrustError("public_key_unreadable", name=path.name) from error
    return tuple(keys)


def _digest(content: bytes | Path) -> bytes:
    if isinstance(content, bytes):
        return hashlib.blake2b(content).digest()
    digest = hashlib.blake2b()
    with content.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.digest()


def _check(held: bytes) -> bytes:
    return hashlib.blake2b(_KEY + held, digest_size=32).digest()


def _masked(held: bytes, *, passphrase: str, salt: bytes, cost: int) -> bytes:
    mask = Scrypt(salt=salt, length=len(held), n=1 << cost, r=_R, p=1).derive(passphrase.encode())
    return bytes(one ^ other for one, other in zip(held, mask, strict=True))


def _packed(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _unpacked(text: str, *, length: int) -> bytes | None:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == length else None
