"""Keys from secrets: slow for what a person remembers, fast for what is random already."""

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


class Cost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one guess costs: passes over the memory, the memory in KiB, lanes (Argon2id)."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 1


def stretch(secret: str, *, salt: bytes, cost: Cost) -> bytes:
    """32 bytes from a PIN or code by Argon2id; about 150 ms at the usual cost."""
    return Argon2id(
        salt=salt, length=KEY_BYTES, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib
    ).derive(secret.encode("utf-8", "surrogatepass"))


def expand(secret: bytes, *, salt: bytes | None, purpose: str, length: int = KEY_BYTES) -> bytes:
    """Bytes for one purpose from 32 good bytes, by HKDF-SHA256."""
    return HKDF(SHA256(), length, salt, f"qiaomen {purpose}".encode()).derive(secret)
