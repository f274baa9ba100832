"""``python -m sync.server erase``: what is kept of somebody goes at once, here and wherever a PC syncs next."""

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from sqlalchemy import create_engine, text

from sync.errors import StoreError
from sync.server.lock import FolderLock
from sync.server.runner import DATABASE_FILE, Runner
from sync.server.settings import Settings
from sync.server.storage import beginning, erasing, shape
from sync.server.storage.blobs import Blobs

Say = Callable[[str], None]


def add_arguments(command: argparse.ArgumentParser) -> None:
    """What the command understands besides the data folder or database."""
    command.add_argument("--record", required=True, metavar="ID", help="a household, a resident, a visit, …")
    command.add_argument("--yes", action="store_true", help="do it; without it is only told what would go")


def run(given: argparse.Namespace, say: Say) -> int:
    """Erase one record with all that belongs to it; the exit status.

    Raises StoreError ``missing``, ``newer``, and on SQLite ``in_use`` while the server runs: it alone writes there.
    """
    settings = Settings(data=given.data, database=given.database, worker=0)
    if settings.embedded and not (settings.data / DATABASE_FILE).exists():
        raise StoreError("missing", path=str(settings.data / DATABASE_FILE))
    with ExitStack() as stack:
        if settings.embedded:
            stack.callback(FolderLock(settings.data).release)
        runner = Runner(settings)
        stack.callback(runner.close)
        if not runner.write_now(shape.has_begun):
            raise StoreError("missing", path="this database")
        runner.write_now(shape.migrate)
        who = runner.write_now(lambda connection: beginning.identity(connection, settings))
        work = partial(
            erasing.erase,
            community=who.community,
            record_id=given.record,
            replica=who.replica,
            now=settings.wall(),
            only_look=not given.yes,
        )
        done = runner.write_now(work)
        if settings.embedded and done is not None and given.yes:
            _rewrite(settings)
    if done is None:
        say("There is no record of this id that can be erased: places and people's posts are not.")
        return 1
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(done.kinds.items()))
    if not given.yes:
        say(f"Would go for good: {told}; {len(done.files)} files. Add --yes to do it.")
        return 0
    gone = Blobs(settings.data / "blobs").forget(who.community, done.files)
    say(f"Gone here: {told}; {gone} files. Every PC loses it when it syncs next.")
    say("Backups made before still hold it: after restoring one of them, run this command once more.")
    return 0


def _rewrite(settings: Settings) -> None:
    """Write the file anew: what was deleted in it would otherwise stand in pages that are free."""
    engine = create_engine(f"sqlite+pysqlite:///{settings.data / DATABASE_FILE}", isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text("VACUUM"))
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    finally:
        engine.dispose()
