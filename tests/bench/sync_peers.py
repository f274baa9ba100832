"""The floor and Anki, where their scripts are at hand: set up outside the repository, run beside ours, rows renamed."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg

from postgresql import PostgreSQL
from tests.bench.sync_site import ROOT

SCRATCH = ROOT / "build" / "bench" / "peers"
# What is kept of their rows; the rest are variants that nobody is compared with.
_NAMES = {"floor-http uvicorn pg": "floor", "anki": "anki"}


class Database(PostgreSQL):
    """A PostgreSQL of this run's own that writes through to the disk, as one in service does; all peers share it."""

    def __init__(self) -> None:
        super().__init__(durable=True)
        with psycopg.connect(f"host={self.folder} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET max_wal_size = '2GB'")
            connection.execute("SELECT pg_reload_conf()")

    @property
    def postmaster(self) -> int:
        """Its process id; what works for it is under it."""
        return int((self.folder / "data" / "postmaster.pid").read_text("ascii").splitlines()[0])


def folder() -> Path | None:
    """Where the peers' scripts are: PEERS, or beside this repository; None when they are not there."""
    told = os.environ.get("PEERS")
    found = Path(told) if told else ROOT.parent / "shared" / "bench" / "peers"
    return found.resolve() if (found / "run.sh").exists() else None


def set_up(scripts: Path) -> None:
    """Install what is not installed yet, and write the workload's files."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    print("setting up the floor and Anki; this takes minutes the first time")
    settings = {**os.environ, "PEERS_SCRATCH": str(SCRATCH)}
    with (SCRATCH / "setup.log").open("wb") as log:
        subprocess.run([scripts / "setup.sh", "floor", "anki"], env=settings, stdout=log, stderr=log, check=True)
    if not (SCRATCH / "data" / "edits.jsonl").exists():
        subprocess.run(["python3", scripts / "common" / "gen.py", SCRATCH / "data"], check=True)


def run(scripts: Path, database: Database, peer: str) -> list[dict[str, Any]]:
    """One peer once; its rows."""
    out, scratch = SCRATCH / "rows.jsonl", SCRATCH / "scratch"
    out.unlink(missing_ok=True)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    name = database.new_database().partition("@/")[2].partition("?")[0]
    settings = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "BENCH_OUT": str(out),
        "BENCH_DATA": str(SCRATCH / "data"),
        "BENCH_SCRATCH": str(scratch),
        "BENCH_PG": f"host={database.folder} user=postgres dbname={name}",
    }
    python = str(SCRATCH / f"venv-{peer}" / "bin" / "python")
    if peer == "floor":
        command = [python, str(scripts / "floor" / "floor.py"), "http", "--server", "uvicorn", "--store", "pg"]
    else:
        command = [python, str(scripts / "anki" / "bench.py"), "normal"]
    with (SCRATCH / f"{peer}.log").open("wb") as log:
        subprocess.run([*own_network(), *command], env=settings, stdout=log, stderr=log, check=True)
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    return [
        {**row, "peer": short, "version": row["peer"]}
        for row in rows
        for start, short in _NAMES.items()
        if row["peer"].startswith(start)
    ]


def own_network() -> list[str]:
    """What to put before a command so that it has a loopback interface to itself; nothing where that is not allowed."""
    alone = ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]
    if shutil.which("unshare") and subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0:
        return alone
    return []
