"""Brings the database to the shape this program needs, and says whether it is."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from sync.errors import StoreError

_FOLDER = Path(__file__).resolve().parent.parent / "migrations"
_BEGINNING = 0x71616F6D656E  # any number will do, as long as it stays the same


def migrate(connection: Connection) -> None:
    """Run the steps that are missing; StoreError('newer') when a newer program has been here.

    On PostgreSQL one process does so while the others wait, however long it takes.
    """
    one_at_a_time(connection)
    if _present(connection) not in (None, *_known()):
        raise StoreError("newer")
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def one_at_a_time(connection: Connection) -> None:
    """Of several processes that start on one PostgreSQL only one goes on from here, until its transaction ends."""
    if connection.dialect.name == "postgresql":
        for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {limit} = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _BEGINNING})


def is_current(connection: Connection) -> bool:
    """Whether no step is missing."""
    return _present(connection) == _known()[0]


def has_begun(connection: Connection) -> bool:
    """Whether a server has ever been started on this database."""
    return _present(connection) is not None


def is_known(revision: str) -> bool:
    """Whether this program can bring a database of this shape to its own."""
    return revision in _known()


def _present(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _known() -> list[str]:
    return [script.revision for script in ScriptDirectory(str(_FOLDER)).walk_revisions()]
