"""The files of this PC's database: the encrypted file, its key slots, the device secret, and who works here.

Everything here takes time (150 ms for a PIN) and runs on the net lane, never on the UI thread.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sync.errors import StoreError, WrongPin
from sync.keys.device_secret import DeviceSecret
from sync.keys.slots import KeySlots
from sync.moving import move_over


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the staff as the unlock page shows them: organisation data, no resident's."""

    account_id: str
    name: str
    title: str
    initials: tuple[str, ...] = ()  # readings of the name by first letters, to find it by typing


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What the unlock page needs before the database is open."""

    community_id: str
    community_name: str
    station_name: str = ""
    people: tuple[Colleague, ...] = ()


@dataclass(frozen=True, slots=True)
class Vault:
    """The places below the data folder, and opening the slots in them."""

    folder: Path

    @property
    def database(self) -> Path:
        """The encrypted database."""
        return self.folder / "station.db"

    @property
    def slots_file(self) -> Path:
        """The key slots beside it."""
        return self.folder / "keyslots.json"

    @property
    def is_set_up(self) -> bool:
        """Whether this PC has a database; without one, the first start asks for a code."""
        return self.database.exists()

    def secret(self) -> DeviceSecret:
        """The secret of this PC."""
        return DeviceSecret.load_or_create(self.folder / "device.secret")

    def slots(self) -> KeySlots:
        """The key slots; KeysError when they are missing or damaged."""
        return KeySlots.load(self.slots_file, device_secret=self.secret())

    def unlock(self, account_id: str, pin: str) -> bytes:
        """The database key for a PIN; WrongPin, PinLocked, KeysError."""
        return self.slots().unlock(account_id, pin=pin)

    def unlock_recovery(self, account_id: str, *, code: str, pin: str) -> bytes:
        """The database key for the recovery code; ``pin`` becomes the account's new PIN on this PC."""
        slots = self.slots()
        key = slots.unlock_recovery(code)
        slots.add(account_id, pin=pin, database_key=key)
        return key

    def accept_invite(self, account_id: str, *, code: str, pin: str) -> bytes:
        """The database key for a person's first time at this PC, by the one-time code the secretary gave."""
        try:
            return self.slots().accept_invite(account_id, code=code, pin=pin)
        except WrongPin as error:  # counted like a PIN, spoken of as a code
            raise WrongPin("wrong_code", **error.params) from error

    def profile(self) -> Profile:
        """Who works here; a missing or damaged file gives an empty one, the next unlock writes it anew."""
        try:
            return msgspec.json.decode((self.folder / "profile.json").read_bytes(), type=Profile)
        except (OSError, msgspec.DecodeError, msgspec.ValidationError):
            return Profile(community_id="", community_name="")

    def keep_profile(self, profile: Profile) -> None:
        """Write who works here, so that a power cut leaves the old file or the new one."""
        path = self.folder / "profile.json"
        fresh = path.with_suffix(".new")
        try:
            with fresh.open("wb") as file:
                file.write(msgspec.json.encode(profile))
                file.flush()
                os.fsync(file.fileno())
            move_over(fresh, path)
        except OSError as error:
            raise StoreError("disk_full") from error

    def people(self) -> tuple[tuple[Colleague, bool], ...]:
        """Whom the unlock page shows: everybody with a slot here; True when they come with a one-time code first.

        A person whose name is not known (yet) has an empty one.
        """
        known = {colleague.account_id: colleague for colleague in self.profile().people}
        return tuple(
            (
                known.get(info.account_id) or Colleague(account_id=info.account_id, name="", title=""),
                info.kind == "invite",
            )
            for info in self.slots().people()
        )
