"""A PostgreSQL of the tests' own: made in a temporary folder, on a socket there, gone afterwards."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import create_engine

from sync.server.storage import shape

PROGRAMS = "QIAOMEN_POSTGRESQL"  # names the folder of initdb and pg_ctl, when it is to be another than the system's
_SETTINGS = "-c max_connections=60 -c listen_addresses= -c timezone=UTC"
_FORGETFUL = "-c fsync=off -c full_page_writes=off"


# Everything that a test could have done to a database besides filling its tables.
_FORM = """
    SELECT 'schema', oid::text, nspname::text FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)'
    UNION ALL SELECT 'relation', oid::text, relname::text || relnamespace::text || coalesce(reloptions::text, '')
        FROM pg_class WHERE oid >= 16384 AND relkind <> 't'
    UNION ALL SELECT 'column', attrelid::text, attname::text || attnum::text || atttypid::text || attnotnull::text
        FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT 'constraint', oid::text, conname::text FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT 'trigger', oid::text, tgname::text || tgenabled::text FROM pg_trigger
    UNION ALL SELECT 'function', oid::text, proname::text FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT 'rule', oid::text, rulename::text FROM pg_rewrite WHERE oid >= 16384
    UNION ALL SELECT 'index', indexrelid::text, indisvalid::text FROM pg_index WHERE indexrelid >= 16384
    UNION ALL SELECT 'setting', setdatabase::text, setconfig::text FROM pg_db_role_setting
    ORDER BY 1, 2, 3
"""
_CUT_OFF = """
    SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_VERSION_TABLE = "alembic_version"


@dataclass(frozen=True, slots=True)
class _Shaped:
    """A database with the server's tables and nothing in them; ``form`` is all that is to be as it was."""

    url: str
    name: str
    form: tuple[Any, ...]
    revision: str


class PostgreSQL:
    """A running server; ``new_database`` gives an empty database with a name of its own.

    ``durable``: what is committed is on the disk, as it is where people work; tests that stop it at once need that.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._programs = programs()
        self._made = 0
        self._shaped: list[_Shaped] = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self._options = f"{_SETTINGS} -k {self.folder}" + ("" if durable else f" {_FORGETFUL}")
        self.start()

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def new_database(self) -> str:
        """The URL of a new empty database."""
        self._made += 1
        name = f"test{self._made}"
        with self._connected("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    @contextmanager
    def lent_database(self) -> Iterator[str]:
        """The URL of a database whose tables are there and empty, as after the first step of a server's first start.

        Emptied afterwards and lent again, which is much cheaper than another one; but not when more than its rows has
        changed. Who is still connected then is cut off.
        """
        shaped = self._shaped.pop() if self._shaped else self._shape()
        yield shaped.url
        with self._connected(shaped.name) as connection:
            connection.execute(_CUT_OFF)
            if _form(connection) == shaped.form and _revision(connection) == shaped.revision:
                tables = [name for name in _tables(connection) if name != _VERSION_TABLE]
                connection.execute("; ".join(f'DELETE FROM "{name}"' for name in tables))
                self._shaped.append(shaped)

    def _shape(self) -> _Shaped:
        url = self.new_database()
        engine = create_engine(url)
        with engine.begin() as connection:
            shape.migrate(connection)
        engine.dispose()
        name = f"test{self._made}"
        with self._connected(name) as bare:
            return _Shaped(url, name, _form(bare), _revision(bare))

    def _connected(self, name: str) -> "psycopg.Connection[Any]":
        return psycopg.connect(f"host={self.folder} user=postgres dbname={name}", autocommit=True)

    @property
    def runs(self) -> bool:
        """Whether it has been started and not been stopped."""
        return (self.folder / "data" / "postmaster.pid").exists()

    def start(self) -> None:
        """Start it, and wait until it has recovered and answers."""
        self._run("pg_ctl", "-D", self._data, "-w", "-o", self._options, "-l", str(self.folder / "log"), "start")

    def stop_at_once(self) -> None:
        """Stop it without a word to anybody: nothing is written any more, as when the power goes."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self.stop_at_once()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        # The server it starts keeps what it inherits: a pipe would never end.
        with (self.folder / f"{program}.out").open("wb") as output:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder, check=False
            )
        if done.returncode:
            raise RuntimeError((self.folder / f"{program}.out").read_text("utf-8", "replace"))


def _form(connection: "psycopg.Connection[Any]") -> tuple[Any, ...]:
    return tuple(connection.execute(_FORM).fetchall())


def _revision(connection: "psycopg.Connection[Any]") -> str:
    return str(connection.execute(f"SELECT version_num FROM {_VERSION_TABLE}").fetchone())


def _tables(connection: "psycopg.Connection[Any]") -> list[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    return [line[0] for line in found]


def programs() -> Path:
    """Where PostgreSQL's own programs are; the distribution keeps them off the path."""
    named = os.environ.get(PROGRAMS)
    if named:
        return Path(named)
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    told = shutil.which("pg_config")
    if told:
        folder = Path(subprocess.run([told, "--bindir"], capture_output=True, text=True, check=True).stdout.strip())
        if (folder / "initdb").exists():
            return folder
    raise RuntimeError("PostgreSQL's programs (initdb, pg_ctl) are not installed: make test installs them")
