"""The file of the key slots: what is in it, how damage is told, and how it is replaced in one step."""

import hashlib
import os
from pathlib import Path
from typing import Literal

import msgspec

from sync.errors import KeysError
from sync.keys.derivation import Cost
from sync.moving import move_over

SlotKind = Literal["account", "invite", "recovery"]

_FORMAT = "qiaomen key slots"
_VERSION = 1


class Slot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to the database key, and the wrong PINs tried on it."""

    kind: SlotKind
    account: str  # its id; no names in this file
    cost: Cost
    salt: bytes
    nonce: bytes
    wrapped: bytes
    device: str  # tag of the device secret it was made with; "" when made without
    expires_at: int = 0  # ms since 1970; 0: does not
    wrong: int = 0
    wrong_at: int = 0  # ms since 1970, of the last wrong PIN

    @property
    def name(self) -> str:
        """What the wrapping is bound to, so that nobody's slot can pass for another's."""
        return f"{self.kind}:{self.account}"


class _File(msgspec.Struct, frozen=True, kw_only=True):
    format: str
    version: int
    slots: list[Slot]
    check: str  # of the slots, so that a damaged file is not taken for a wrong PIN


class _Heading(msgspec.Struct, frozen=True):
    format: str
    version: int


def read_slots(path: Path) -> list[Slot]:
    """The slots in their order. Raises KeysError keys_missing, keys_unreadable, keys_newer, keys_damaged."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise KeysError("keys_missing") from error
    except OSError as error:
        raise KeysError("keys_unreadable") from error
    return _parse(content)


def write_slots(path: Path, *, slots: list[Slot]) -> None:
    """Replace the file. Raises KeysError keys_unwritable; the former file is whole then."""
    file = _File(format=_FORMAT, version=_VERSION, slots=slots, check=_checksum(slots))
    write_owner_only(path, content=msgspec.json.format(msgspec.json.encode(file), indent=1))


def write_owner_only(path: Path, *, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all, on the disk when this returns."""
    temporary = path.with_name(path.name + ".new")
    try:
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        move_over(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise KeysError("keys_unwritable") from error


def _sync_folder(folder: Path) -> None:
    if os.name != "nt":  # Windows has no handle to sync a folder by; its rename is in the journal
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _checksum(slots: list[Slot]) -> str:
    return hashlib.blake2b(msgspec.json.encode(slots), digest_size=16).hexdigest()


def _parse(content: bytes) -> list[Slot]:
    try:
        heading = msgspec.json.decode(content, type=_Heading)
        if heading.format == _FORMAT and heading.version > _VERSION:
            raise KeysError("keys_newer", version=heading.version)
        file = msgspec.json.decode(content, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise KeysError("keys_damaged") from error
    if file.format != _FORMAT or file.check != _checksum(file.slots):
        raise KeysError("keys_damaged")
    return file.slots
