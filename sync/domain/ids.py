"""Identifiers made on the device: UUIDv7 text, ordered by time; and names derived from other ids."""

import secrets
import uuid
from collections.abc import Callable

IdSource = Callable[[int], str]  # time in ms → a new id; tests hand in a predictable one

_NAMESPACE = uuid.UUID("8f6b7c3e-6d1a-5e0b-9b1e-7a6d6f6f7273")


def new_id(now_ms: int) -> str:
    """A random UUIDv7 (RFC 9562) of the given time in ms since 1970; negative times count as 0."""
    stamp = max(0, now_ms) & ((1 << 48) - 1)
    value = (stamp << 80) | secrets.randbits(80)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return str(uuid.UUID(int=value))


def derived_id(*parts: str) -> str:
    """The same parts give the same id on every device and on the server (UUIDv5)."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


def new_replica() -> int:
    """A random 63-bit number, never 0: the name of one life of a database."""
    return secrets.randbits(63) or 1
