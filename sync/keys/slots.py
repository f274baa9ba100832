"""Key slots: one random database key, wrapped once for each person's PIN and once for the recovery code.

A PIN opens a slot only together with the device secret, so that a copied file alone cannot be tried out. Nothing here
needs the database. Opening a slot takes about 200 ms: never on the UI thread.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync.errors import KeysError, PinLocked, WrongPin
from sync.keys.codes import new_recovery_code, plain_pin, read_one_time_code, read_recovery_code
from sync.keys.derivation import KEY_BYTES, Cost, expand, stretch
from sync.keys.device_secret import DeviceSecret
from sync.keys.slot_file import Slot, SlotKind, read_slots, write_slots

FREE_TRIES = 5  # wrong PINs before the first wait
FIRST_WAIT_MS = 30_000
LONGEST_WAIT_MS = 15 * 60_000

_Slots = dict[tuple[SlotKind, str], Slot]


@dataclass(frozen=True, slots=True)
class SlotInfo:
    """Who can open this database, and how: ``account`` with a PIN, ``invite`` with a one-time code first."""

    kind: SlotKind
    account_id: str
    locked_until: int  # ms since 1970; 0 when not locked


class KeySlots:
    """The key slots of one database, in a small file beside it that is replaced atomically on each change.

    ``clock`` tells ms since 1970. Raises KeysError with codes keys_missing, keys_damaged,
    keys_newer, keys_unreadable on loading, keys_exist on creating, keys_unwritable on any change (nothing has
    changed then).
    """

    def __init__(
        self,
        path: Path,
        *,
        device_secret: DeviceSecret,
        slots: _Slots,
        cost: Cost,
        clock: Callable[[], int],
    ) -> None:
        self._path = path
        self._device_secret = device_secret
        self._slots = slots
        self._cost = cost
        self._clock = clock

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        device_secret: DeviceSecret,
        cost: Cost | None = None,
        clock: Callable[[], int] | None = None,
    ) -> tuple["KeySlots", bytes]:
        """An empty file and a new database key, which is nowhere until ``add`` or ``set_recovery`` wraps it."""
        if path.exists():
            # Writing over it would throw away the only keys of the database beside it.
            raise KeysError("keys_exist")
        made = cls(path, device_secret=device_secret, slots={}, cost=cost or Cost(), clock=clock or _now_ms)
        made._save(made._slots)
        return made, secrets.token_bytes(KEY_BYTES)

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        device_secret: DeviceSecret,
        cost: Cost | None = None,
        clock: Callable[[], int] | None = None,
    ) -> "KeySlots":
        """Read the file. ``cost`` is for slots to be added; each slot keeps the cost it was made with."""
        slots: _Slots = {(slot.kind, slot.account): slot for slot in read_slots(path)}
        return cls(path, device_secret=device_secret, slots=slots, cost=cost or Cost(), clock=clock or _now_ms)

    def people(self) -> tuple[SlotInfo, ...]:
        """Who has a slot here, in the order of adding; the recovery slot is not a person's."""
        return tuple(
            SlotInfo(slot.kind, slot.account, self._waits_until(slot))
            for slot in tuple(self._slots.values())
            if slot.kind != "recovery"
        )

    def locked_until(self, account_id: str) -> int:
        """When the next PIN of this account will be tried, in ms since 1970; 0 when at once."""
        return max((info.locked_until for info in self.people() if info.account_id == account_id), default=0)

    def add(self, account_id: str, *, pin: str, database_key: bytes) -> None:
        """Let an account in by PIN, in place of its former PIN and of a pending one-time code."""
        slot = self._wrap("account", account_id, secret=plain_pin(pin), database_key=database_key)
        self._save({key: old for key, old in self._slots.items() if key != ("invite", account_id)}, slot)

    def add_invite(self, account_id: str, *, code: str, database_key: bytes, expires_at: int = 0) -> None:
        """Let an account in once by a one-time code; its PIN, if it has one, stays until the code is used."""
        secret = read_one_time_code(code)
        slot = self._wrap("invite", account_id, secret=secret, database_key=database_key, expires_at=expires_at)
        self._save(self._slots, slot)

    def set_recovery(self, database_key: bytes) -> str:
        """Make a recovery code, to be printed and locked away; a former one opens nothing any more."""
        code = new_recovery_code()
        slot = self._wrap("recovery", "", secret=read_recovery_code(code), database_key=database_key)
        self._save(self._slots, slot)
        return code

    def unlock(self, account_id: str, *, pin: str) -> bytes:
        """The database key.

        Raises WrongPin, PinLocked (nothing was tried), KeysError ``no_slot`` (nobody, or invited and without a PIN
        yet) or ``other_device`` (the files were copied from another PC: the recovery code opens them).
        """
        return self._open(self._slot("account", account_id), plain_pin(pin))

    def accept_invite(self, account_id: str, *, code: str, pin: str) -> bytes:
        """The database key for a one-time code, which ``pin`` replaces. Raises as ``unlock``, and ``code_expired``."""
        slot = self._slot("invite", account_id)
        if slot.expires_at and self._clock() >= slot.expires_at:
            raise KeysError("code_expired")
        database_key = self._open(slot, read_one_time_code(code))
        self.add(account_id, pin=pin, database_key=database_key)
        return database_key

    def change_pin(self, account_id: str, *, old: str, new: str) -> None:
        """Replace a PIN by its owner. Raises as ``unlock``."""
        self.add(account_id, pin=new, database_key=self.unlock(account_id, pin=old))

    def unlock_recovery(self, code: str) -> bytes:
        """The database key for the recovery code; needs no device secret, so it opens a copy on another PC too.

        Raises KeysError ``recovery_code_mistyped``, ``wrong_recovery_code``, ``no_slot``.
        """
        secret = read_recovery_code(code)
        database_key = self._unwrap(self._slot("recovery", ""), secret)
        if database_key is None:
            raise KeysError("wrong_recovery_code")
        return database_key

    def remove(self, account_id: str) -> None:
        """Take an account's slots away. The last way in stays: KeysError ``last_slot``."""
        left = {key: slot for key, slot in self._slots.items() if slot.kind == "recovery" or key[1] != account_id}
        if len(left) == len(self._slots):  # nobody of that id
            raise KeysError("no_slot")
        if not left:
            raise KeysError("last_slot")
        self._save(left)

    def _slot(self, kind: SlotKind, account_id: str) -> Slot:
        slot = self._slots.get((kind, account_id))
        if slot is None:
            raise KeysError("no_slot")
        return slot

    def _open(self, slot: Slot, secret: str) -> bytes:
        if slot.device != self._device_secret.tag:
            raise KeysError("other_device")
        until = self._waits_until(slot)
        if until:
            raise PinLocked("locked_until", until=until)
        slot = self._slots[(slot.kind, slot.account)]
        database_key = self._unwrap(slot, secret)
        if database_key is not None:
            if slot.wrong:
                self._count(slot, wrong=0)
            return database_key
        self._count(slot, wrong=slot.wrong + 1)
        raise WrongPin("wrong_pin", left=max(0, FREE_TRIES - slot.wrong - 1), until=self.locked_until(slot.account))

    def _count(self, slot: Slot, *, wrong: int) -> None:
        self._note(msgspec.structs.replace(slot, wrong=wrong, wrong_at=self._clock() if wrong else 0))

    def _note(self, slot: Slot) -> None:
        try:
            self._save(self._slots, slot)
        except KeysError:
            # A full disk must not keep the right PIN out; while the program runs the count holds all the same.
            self._slots[(slot.kind, slot.account)] = slot

    def _waits_until(self, slot: Slot) -> int:
        if slot.wrong < FREE_TRIES:
            return 0
        now = self._clock()
        if now < slot.wrong_at:
            # The clock was put right: wait from now on, not until a date years ahead.
            slot = msgspec.structs.replace(slot, wrong_at=now)
            self._note(slot)
        until = slot.wrong_at + min(FIRST_WAIT_MS << min(slot.wrong - FREE_TRIES, 10), LONGEST_WAIT_MS)
        return until if until > now else 0

    def _wrap(self, kind: SlotKind, account_id: str, *, secret: str, database_key: bytes, expires_at: int = 0) -> Slot:
        slot = Slot(
            kind=kind,
            account=account_id,
            cost=self._cost,
            salt=secrets.token_bytes(16),
            nonce=secrets.token_bytes(12),
            wrapped=b"",
            device="" if kind == "recovery" else self._device_secret.tag,
            expires_at=expires_at,
        )
        wrapped = AESGCM(self._slot_key(slot, secret)).encrypt(slot.nonce, database_key, slot.name.encode())
        return msgspec.structs.replace(slot, wrapped=wrapped)

    def _unwrap(self, slot: Slot, secret: str) -> bytes | None:
        try:
            return AESGCM(self._slot_key(slot, secret)).decrypt(slot.nonce, slot.wrapped, slot.name.encode())
        except InvalidTag:
            return None

    def _slot_key(self, slot: Slot, secret: str) -> bytes:
        stretched = stretch(secret, salt=slot.salt, cost=slot.cost)
        salt = self._device_secret.value if slot.device else None
        return expand(stretched, salt=salt, purpose=slot.name)

    def _save(self, slots: _Slots, changed: Slot | None = None) -> None:
        kept = dict(slots)
        if changed is not None:
            kept[(changed.kind, changed.account)] = changed
        write_slots(self._path, slots=list(kept.values()))
        self._slots = kept


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
