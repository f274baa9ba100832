"""What the person chose on this PC. A damaged file is set aside and told of once; it stops nothing."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec

from sync.moving import move_over

TEXT_PERCENTS: Final = (100, 115, 130, 150, 175, 200)


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """The choices with their defaults; unknown keys of a newer program are ignored."""

    text_percent: Annotated[int, msgspec.Meta(ge=100, le=200)] = 100
    text_chosen: bool | None = None  # by the person (None: an older program wrote this); else the community's counts
    language: str = "zh_CN"
    theme: str = "default"
    server_url: str = ""


def sized_for(settings: Settings, *, text_size: int) -> Settings:
    """The settings with the size of letters that the community suggests, unless the person chose one."""
    is_old_choice = settings.text_chosen is None and settings.text_percent != TEXT_PERCENTS[0]
    if settings.text_chosen or is_old_choice:
        return settings
    fitting = min(TEXT_PERCENTS, key=lambda percent: abs(percent - text_size))
    return msgspec.structs.replace(settings, text_percent=fitting, text_chosen=False)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read, and where a damaged file was put (None when all was well)."""

    settings: Settings
    set_aside: Path | None


def load(path: Path) -> Loaded:
    """Read the choices; an absent file means the defaults, a damaged one is renamed beside itself."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Loaded(settings=Settings(), set_aside=None)
    try:
        return Loaded(settings=msgspec.json.decode(raw, type=Settings), set_aside=None)
    except (msgspec.DecodeError, msgspec.ValidationError):
        aside = path.with_name(path.name + ".damaged")
        move_over(path, aside)
        return Loaded(settings=Settings(), set_aside=aside)


def save(path: Path, settings: Settings) -> None:
    """Write the choices so that a power cut leaves the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(settings), indent=2))
        file.flush()
        os.fsync(file.fileno())
    move_over(fresh, path)
