"""The secret of this PC, without which no PIN opens anything."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from sync.errors import KeysError
from sync.keys.derivation import KEY_BYTES, expand
from sync.keys.slot_file import write_owner_only


@dataclass(frozen=True, slots=True)
class DeviceSecret:
    """32 random bytes that stay on this PC, in a file only its owner may read."""

    value: bytes = field(repr=False)

    @classmethod
    def load_or_create(cls, path: Path) -> "DeviceSecret":
        """Read the secret, or make one where there is none.

        A damaged file is kept under another name and a new secret takes its place: the slots then answer
        ``other_device`` to every PIN, and the recovery code opens them.
        """
        try:
            value = _parse(path.read_bytes())
            if value is None:
                path.replace(path.with_name(path.name + ".damaged"))
        except FileNotFoundError:
            value = None
        except OSError as error:
            raise KeysError("keys_unreadable") from error
        if value is None:
            value = secrets.token_bytes(KEY_BYTES)
            write_owner_only(path, content=value.hex().encode())
        return cls(value)

    @property
    def tag(self) -> str:
        """A name of the secret that tells nothing about it."""
        return expand(self.value, salt=None, purpose="device tag", length=8).hex()


def _parse(content: bytes) -> bytes | None:
    try:
        value = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        return None
    return value if len(value) == KEY_BYTES else None
