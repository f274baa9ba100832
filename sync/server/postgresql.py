"""PostgreSQL's own programs for dumping, and the replay of a dump inside one transaction of ours."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection, make_url, text

from sync.errors import StoreError

_PACKAGED = "/usr/lib/postgresql"  # where Debian keeps them, off the path
_COPY = re.compile(r"COPY (\S+) \(.*\) FROM stdin;\n")
_SEND_BYTES = 256 * 1024


def find_program(name: str) -> str:
    """The path of pg_dump or pg_restore. Raises StoreError ``program_missing`` (``program``)."""
    on_path = shutil.which(name)
    if on_path:
        return on_path
    folders: list[Path] = []
    asked = shutil.which("pg_config")
    if asked:
        told = subprocess.run([asked, "--bindir"], capture_output=True, text=True, check=False)
        folders.append(Path(told.stdout.strip()))
    folders += sorted(Path(_PACKAGED).glob("*/bin"), key=_version, reverse=True)
    for folder in folders:
        found = shutil.which(name, path=str(folder))
        if found:
            return found
    raise StoreError("program_missing", program=name)


def dump(database: str, to: Path) -> None:
    """Write a database, as of one moment, in pg_dump's custom form; what restores set aside is left out.

    Raises StoreError ``program_missing``, ``program_failed`` (``program``, ``said``).
    """
    url = make_url(database)
    environment = dict(os.environ)
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)
    plain = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    options = ["--format=custom", "--no-owner", "--no-privileges", "--exclude-schema=replaced_*", f"--file={to}"]
    _run("pg_dump", [*options, f"--dbname={plain}"], environment)
    _run("pg_restore", ["--list", str(to)], environment)  # it can be opened


def replay(connection: Connection, dumped: Path, script: Path) -> None:
    """Make everything that a dump holds, in this connection's transaction; ``script`` is a file to work with.

    Raises StoreError ``program_missing``, ``program_failed``.
    """
    _run("pg_restore", ["--no-owner", "--no-privileges", f"--file={script}", str(dumped)], dict(os.environ))
    cursor = connection.connection.cursor()
    with script.open("r", encoding="utf-8", newline="\n") as lines:
        statement: list[str] = []
        for line in lines:
            if _COPY.fullmatch(line):
                with cursor.copy(line) as stream:
                    for piece in _rows(lines):
                        stream.write(piece)
            elif not statement and line.startswith(("\\", "--", "\n")):
                continue  # words for psql, remarks
            else:
                statement.append(line)
                if line.endswith(";\n"):
                    cursor.execute("".join(statement))
                    statement.clear()
    # The script has emptied the search path, as it names everything in full.
    connection.execute(text("SET search_path TO public"))


def is_used(connection: Connection) -> bool:
    """Whether anybody else is connected to this database."""
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    return bool(connection.execute(others).scalar_one())


def set_aside(connection: Connection, name: str) -> bool:
    """Put all tables into a schema of this name; False when there are none, and no schema is made."""
    tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
    if not tables:
        return False
    connection.execute(text(f'CREATE SCHEMA "{name}"'))
    for table in tables:
        connection.execute(text(f'ALTER TABLE public."{table}" SET SCHEMA "{name}"'))
    return True


def _rows(lines: Iterator[str]) -> Iterator[str]:
    """The lines of a table's rows up to the mark behind them, many at a time."""
    pieces: list[str] = []
    size = 0
    for line in lines:
        if line == "\\.\n":
            break
        pieces.append(line)
        size += len(line)
        if size > _SEND_BYTES:
            yield "".join(pieces)
            pieces, size = [], 0
    yield "".join(pieces)


def _run(name: str, arguments: Sequence[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        [find_program(name), *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise StoreError("program_failed", program=name, said=said)


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())
