"""Where the program keeps its things on this PC; a throw-away home for tests and trials."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import platformdirs

APP_FOLDER: Final = "qiaomen"


@dataclass(frozen=True, slots=True)
class Paths:
    """All places in one value; nothing else in the program builds a path to them."""

    data: Path
    logs: Path
    config: Path

    @classmethod
    def for_user(cls) -> Self:
        """The folders the operating system sets aside for this program and this user."""
        return cls(
            data=Path(platformdirs.user_data_dir(APP_FOLDER, appauthor=False)),
            logs=Path(platformdirs.user_log_dir(APP_FOLDER, appauthor=False)),
            config=Path(platformdirs.user_config_dir(APP_FOLDER, appauthor=False)),
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


def resources() -> Path:
    """The folder of data files that ship with the program (themes, words, icons, rules, help)."""
    return Path(__file__).resolve().parent.parent / "resources"
