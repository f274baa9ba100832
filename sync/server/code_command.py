"""``qiaomen-server code``: a one-time code for a secretary, made at the server itself, also while it runs."""

import argparse
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from sync.domain.calendar import CHINA, day_of
from sync.errors import StoreError
from sync.server.runner import DATABASE_FILE
from sync.server.settings import Settings
from sync.server.storage import beginning, people, shape
from sync.server.storage.rights import load_rows, rights_of

Say = Callable[[str], None]


def add_arguments(command: argparse.ArgumentParser) -> None:
    """What the command understands besides the data folder or database."""
    command.add_argument("--account", default="", metavar="ID", help="which secretary, when there are several")
    command.add_argument(
        "--though-enrolled", action="store_true", help="also when PCs are enrolled: none of a secretary works any more"
    )


def run(given: argparse.Namespace, say: Say) -> int:
    """Make a code, noted in the audit log; codes made for that person before expire. The exit status.

    Refused while PCs are enrolled, unless told otherwise: then the secretaries give out codes themselves.
    Raises StoreError ``missing``.
    """
    settings = Settings(data=given.data, database=given.database)
    file = settings.data / DATABASE_FILE
    if settings.embedded and not file.exists():
        raise StoreError("missing", path=str(file))
    engine = create_engine(settings.database or f"sqlite+pysqlite:///{file}", poolclass=NullPool)
    try:
        with engine.begin() as connection:
            if not shape.has_begun(connection):
                raise StoreError("missing", path="this database")
            return _make(connection, settings, given, say)
    finally:
        engine.dispose()


def _make(connection: Connection, settings: Settings, given: argparse.Namespace, say: Say) -> int:
    who, now = beginning.identity(connection, settings), settings.wall()
    enrolled = people.count_installations(connection)
    if enrolled and not given.though_enrolled:
        say(f"{enrolled} PCs are enrolled: there a secretary gives out codes. If no secretary's PC works any more,")
        say("add --though-enrolled; what the lost PCs hold stays locked, and revoke turns them away.")
        return 1
    rights = rights_of(who.community, load_rows(connection, who.community).values())
    secretaries = sorted(
        account
        for account in rights.open_accounts
        if rights.viewer(account, today=day_of(now)).has_any({"community_secretary"})
    )
    account = given.account or (who.secretary if who.secretary in secretaries else "")
    if account not in secretaries:
        say("Name the secretary with --account:" if secretaries else "No account of a community secretary is open.")
        for known in secretaries:
            say(f"{known}  {rights.names[known]}")
        return 1
    code = people.make_code(connection, who.community, account, made_by="", now=now)
    people.note(connection, who.community, action="code", target=account, account="", installation="", now=now)
    until = datetime.fromtimestamp(code.expires_at / 1000, CHINA).strftime("%Y-%m-%d %H:%M")
    say(f"Enrolment code for {rights.names[account]}, valid once until {until}: {code.code}")
    return 0
