"""Brings the database to the shape this program needs, and says whether it is."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from sync.errors import StoreError

_FOLDER = Path(__file__).resolve().parent.parent / "migrations"


def migrate(connection: Connection) -> None:
    """Run the steps that are missing; StoreError('newer') when a newer program has been here."""
    if _present(connection) not in (None, *_known()):
        raise StoreError("newer")
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def is_current(connection: Connection) -> bool:
    """Whether no step is missing."""
    return _present(connection) == _known()[0]


def _present(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _known() -> list[str]:
    return [script.revision for script in ScriptDirectory(str(_FOLDER)).walk_revisions()]
