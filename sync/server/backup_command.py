"""``python -m sync.server backup`` and ``restore``: what they understand and say."""

import argparse
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sync.domain.calendar import CHINA
from sync.errors import StoreError
from sync.server import backup
from sync.server.settings import Settings

Say = Callable[[str], None]

SENTENCES = {
    "missing": "There are no data in {path}: give --data the server's folder.",
    "damaged": "The database is damaged, so no backup was made of it; the backups made before are as they were.",
    "busy": "The database could not be read to its end: is the disk full? The backups made before are as they were.",
    "backup_missing": "There is no backup {path}.",
    "backup_damaged": "The backup {path} is damaged. Nothing was changed: take another one.",
    "backup_newer": "A newer version of this program made the backup: install that version. Nothing was changed.",
    "backup_other_engine": "The backup was made of a server on {engine}: give the --database of such a one, or none.",
    "database_in_use": "Somebody is connected to the database: stop all servers on it first. Nothing was changed.",
    "program_missing": "PostgreSQL's own program {program} was not found: install the package postgresql-client.",
    "program_failed": "{program} could not do it: {said}",
}


def add_backup_arguments(command: argparse.ArgumentParser) -> None:
    """Of ``backup``, besides the data folder or database."""
    command.add_argument(
        "--to",
        type=Path,
        metavar="FILE",
        help="the backup; a folder (also by the settings), for one named after the time",
    )
    command.add_argument(
        "--keep", type=int, default=backup.KEPT, help=f"backups kept in that folder (default: {backup.KEPT})"
    )
    command.add_argument("--if-any", action="store_true", help="a server that has never been started is no failure")


def add_restore_arguments(command: argparse.ArgumentParser) -> None:
    """Of ``restore``, besides the data folder or database."""
    command.add_argument("--from", type=Path, required=True, metavar="FILE", dest="source", help="the backup")


def run_backup(given: argparse.Namespace, say: Say) -> int:
    """Make one; the exit status. Raises StoreError."""
    if given.to is None:
        say("Give --to a file or a folder, or name a folder as backups in the settings.")
        return 1
    if given.keep < 1:
        say("At least one backup is to be kept: give --keep a number from 1.")
        return 1
    try:
        made = backup.make(Settings(data=given.data, database=given.database), given.to, keep=given.keep)
    except StoreError as error:
        if error.code != "missing" or not given.if_any:
            raise
        say("There are no data yet, so no backup was made.")
        return 0
    except OSError as error:
        say(f"The backup could not be written ({error.strerror}); the backups made before are as they were.")
        return 1
    said = f"Backup: {made.path} ({made.size} bytes, {made.blobs} attached files)."
    if made.gone:
        said += f" Older ones removed: {made.gone}."
    say(said)
    for one in made.damaged:
        say(f"Alarm: {one} is damaged and was left out; all else is in the backup.")
    if made.damaged:
        say("Put such a file back from an older backup; if there is none, remove it and have it added once more.")
    return 0


def run_restore(given: argparse.Namespace, say: Say) -> int:
    """Put one in the place of the data; the exit status. Raises StoreError."""
    done = backup.restore(Settings(data=given.data, database=given.database), given.source)
    at = datetime.fromtimestamp(done.made_at / 1000, CHINA).strftime("%Y-%m-%d %H:%M:%S")
    say(f"The data are as they were at {at}, with {done.blobs} attached files.")
    if done.is_clock_wrong:
        say("THIS MACHINE'S CLOCK IS WRONG: the backup was made after its time. Put it right and restore once more;")
        say("or what the PCs give back of the days since is refused as being of a time to come.")
    if done.aside:
        say(f"What was there before is kept in {done.aside}; remove it when nobody needs it any more.")
    say("Start the server: every PC gives back what it holds and the backup has not.")
    return 0
