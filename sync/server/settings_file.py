"""The settings of an installed server: one TOML file that all its commands read, so that they mean the same data."""

import os
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from sync.errors import StoreError

VARIABLE: Final = "QIAOMEN_SERVER_SETTINGS"  # names the file when the command line does not

_Count = Annotated[int, msgspec.Meta(ge=1)]


class FileSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the file may say; the rest is as without a file. ``backups`` is the folder that
    ``backup`` fills, ``releases`` the one with what the PCs may install."""

    data: str | None = None
    database: str | None = None
    host: str | None = None
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    workers: _Count | None = None
    community_name: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    community_code: Annotated[str, msgspec.Meta(pattern="^([0-9]{12})?$")] | None = None
    secretary_name: str | None = None
    queue_limit: _Count | None = None
    sync_window: Annotated[int, msgspec.Meta(ge=0)] | None = None
    show_code: bool | None = None
    releases: str | None = None
    backups: str | None = None
    keep: _Count | None = None


def named(given: str) -> Path | None:
    """The file to read: the one of the command line, else of the environment, else none."""
    name = given or os.environ.get(VARIABLE, "")
    return Path(name) if name else None


def defaults(path: Path) -> dict[str, Any]:
    """What the file says, by the names of the command line's arguments.

    Raises StoreError ``settings_missing`` (``path``) or ``settings_wrong`` (``path``, ``why``).
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError("settings_missing", path=str(path), why=error.strerror) from error
    try:
        found = msgspec.toml.decode(content, type=FileSettings)
    except msgspec.MsgspecError as error:
        raise StoreError("settings_wrong", path=str(path), why=str(error)) from error
    said = {name: value for name, value in msgspec.structs.asdict(found).items() if value is not None}
    for name in ("data", "releases", "backups"):
        if name in said:
            said[name] = Path(said[name])
    if "backups" in said:
        said["to"] = said.pop("backups")
    return said
