"""Where the program keeps its things on this PC; a throw-away home for tests and trials."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import platformdirs

APP_FOLDER: Final = "qiaomen"
OLDER: Final = "previous"  # the older version: a folder of this name in the new one, or beside it with this ending
PRESET_SUFFIX: Final = ".qiaomenpreset"


@dataclass(frozen=True, slots=True)
class Paths:
    """All places in one value; nothing else in the program builds a path to them."""

    data: Path
    logs: Path
    config: Path

    @classmethod
    def for_user(cls, community_id: str = "") -> Self:
        """The folders the operating system sets aside for this program, this user and one community ('': for none).

        Two communities on one PC share no folder.
        """
        folder = folder_name(community_id)
        return cls(
            data=Path(platformdirs.user_data_dir(folder, appauthor=False)),
            logs=Path(platformdirs.user_log_dir(folder, appauthor=False)),
            config=Path(platformdirs.user_config_dir(folder, appauthor=False)),
        )

    @classmethod
    def for_home(cls, home: Path) -> Self:
        """Everything below one folder (``--home``): tests, practice and the tour leave no other trace."""
        return cls(data=home / "data", logs=home / "logs", config=home / "config")

    @property
    def settings_file(self) -> Path:
        """What the person chose."""
        return self.config / "settings.json"

    @property
    def state_file(self) -> Path:
        """What the program remembers by itself (window size, last page)."""
        return self.config / "state.json"

    @property
    def drafts(self) -> Path:
        """Drafts that could not go into the store (a full disk, a locked file)."""
        return self.data / "drafts"

    @property
    def backups(self) -> Path:
        """The daily encrypted copies."""
        return self.data / "backups"

    @property
    def lock_file(self) -> Path:
        """Held while a program uses the data folder, so that a second one can tell."""
        return self.data / "in-use.lock"

    @property
    def fault_file(self) -> Path:
        """Where the interpreter writes when it dies; the next start looks at it."""
        return self.logs / "fault.txt"

    def ensure(self) -> None:
        """Make the folders, readable by this user only where the system knows such a thing."""
        for folder in (self.data, self.logs, self.config, self.drafts, self.backups):
            folder.mkdir(parents=True, exist_ok=True)
            if os.name == "posix":
                folder.chmod(0o700)


@dataclass(frozen=True, slots=True)
class Places:
    """Where presets may lie: beside the installed program, where an administrator puts them, in the user's folders."""

    install: Path
    site: Path
    user: Path | None = None  # everything of the user below one folder, for tests

    @classmethod
    def of_this_program(cls) -> Self:
        """The places of this installation on this PC."""
        app = resources().parent
        return cls(
            install=app.parent if app.name == "app" else app,  # installed, or a checkout
            site=Path(platformdirs.site_config_dir(APP_FOLDER, appauthor=False)) / "presets",
        )

    @property
    def install_preset(self) -> Path:
        """The preset that the installer laid beside the program."""
        return self.install / "preset"

    def dropped(self, community_id: str) -> tuple[Path, ...]:
        """Where an administrator may have put a preset of this community."""
        return self.site / community_id, self.site / f"{community_id}{PRESET_SUFFIX}"

    def all_dropped(self) -> Iterator[Path]:
        """All presets that an administrator put on this PC."""
        try:
            found = [path for path in sorted(self.site.iterdir()) if path.is_dir() or path.suffix == PRESET_SUFFIX]
        except OSError:
            return
        yield from found

    def of(self, community_id: str) -> Paths:
        """The folders of a community."""
        if self.user is None:
            return Paths.for_user(community_id)
        return Paths.for_home(self.user / folder_name(community_id))


def folder_name(community_id: str) -> str:
    """The name of the folders of a community; those of a program that belongs to none have no id in it."""
    return f"{APP_FOLDER}-{community_id}" if community_id else APP_FOLDER


def resources() -> Path:
    """The folder of data files that ship with the program (themes, words, icons, rules, help)."""
    return Path(__file__).resolve().parent.parent / "resources"
