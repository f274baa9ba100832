"""``python -m sync.server revoke``: a PC that was lost or stolen may sync no more; also while the server runs."""

import argparse
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from sync.domain.calendar import CHINA
from sync.errors import StoreError
from sync.server.runner import DATABASE_FILE
from sync.server.settings import Settings
from sync.server.storage import people

Say = Callable[[str], None]


def add_arguments(command: argparse.ArgumentParser) -> None:
    """What the command understands besides the data folder or database."""
    command.add_argument("--installation", default="", metavar="ID", help="the PC; without it all PCs are listed")


def run(given: argparse.Namespace, say: Say) -> int:
    """Revoke one PC, or list all; the exit status. Raises StoreError ``missing``."""
    settings = Settings(data=given.data, database=given.database)
    file = settings.data / DATABASE_FILE
    if settings.embedded and not file.exists():
        raise StoreError("missing", path=str(file))
    engine = create_engine(settings.database or f"sqlite+pysqlite:///{file}", poolclass=NullPool)
    try:
        with engine.begin() as connection:
            if not given.installation:
                for pc in people.installations(connection):
                    say(f"{pc.id}  {_day(pc.created_at)}  {'revoked' if pc.revoked_at else '       '}  {pc.name}")
                return 0
            if people.revoke(connection, given.installation, now=settings.wall()):
                say("This PC may sync no more. What it holds stays locked in it behind its people's PINs.")
                return 0
    finally:
        engine.dispose()
    say("No PC of this id may sync here: leave --installation out for the list.")
    return 1


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, CHINA).strftime("%Y-%m-%d")
