"""A PostgreSQL of the tests' own: made in a temporary folder, on a socket there, gone afterwards."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

PROGRAMS = "QIAOMEN_POSTGRESQL"  # names the folder of initdb and pg_ctl, when it is to be another than the system's
_SETTINGS = "-c max_connections=60 -c listen_addresses= -c timezone=UTC"
_FORGETFUL = "-c fsync=off -c full_page_writes=off"


class PostgreSQL:
    """A running server; ``new_database`` gives an empty database with a name of its own.

    ``durable``: what is committed is on the disk, as it is where people work; tests that stop it at once need that.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._programs = programs()
        self._made = 0
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
        with psycopg.connect(f"host={self.folder} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

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
