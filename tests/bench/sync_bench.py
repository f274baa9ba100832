"""``make bench-sync``: ours, the floor and Anki on one workload, over PostgreSQL. Rows go to build/bench/sync.jsonl."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])

from tests.bench import sync_peers
from tests.bench.sync_table import Results, Row

OUT = sync_peers.ROOT / "build" / "bench" / "sync.jsonl"
PARTS = ("peers", "ours", "large", "saving", "herd")
_SCRIPTS = {"ours": "sync_ours.py", "large": "sync_ours.py", "saving": "sync_saving.py", "herd": "herd.py"}


def main() -> int:
    """Measure what is asked for, all by default."""
    parser = argparse.ArgumentParser(description="Measures syncing beside its peers.")
    parser.add_argument("--repeats", type=int, default=3, help="of the 20,000 visits; the table shows medians")
    parser.add_argument("--only", choices=PARTS, nargs="*", default=list(PARTS))
    given = parser.parse_args()
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.unlink(missing_ok=True)
    scripts = sync_peers.folder() if "peers" in given.only else None
    if scripts is not None:
        sync_peers.set_up(scripts)
    elif "peers" in given.only:
        print("The peers' scripts are not here (PEERS=<folder> says where): ours is measured alone.")
    database = sync_peers.Database()
    try:
        for _ in range(given.repeats):
            for peer in ("floor", "anki") if scripts else ():
                assert scripts is not None
                _keep(sync_peers.run(scripts, database, peer))
            if "ours" in given.only:
                _ours("ours", database)
        for part in ("large", "saving", "herd"):
            if part in given.only:
                _ours(part, database)
    finally:
        database.stop()
    results = Results([json.loads(line) for line in OUT.read_text("utf-8").splitlines()])
    print(
        "\nprocessor seconds of client and server / wall seconds; our client's file is encrypted, the peers' is plain"
    )
    print(f"{results.compared()}\n\n{results.targets()}")
    return 0


def _keep(rows: list[Row]) -> None:
    with OUT.open("a", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _ours(part: str, database: sync_peers.Database) -> None:
    """One of our scripts in a process and a network of its own; it appends its rows itself."""
    print(f"{part}, load {os.getloadavg()[0]:.1f}", flush=True)
    script = Path(__file__).with_name(_SCRIPTS[part])
    command = [*sync_peers.own_network(), sys.executable, str(script), "--database", database.new_database()]
    command += ["--postmaster", str(database.postmaster), "--out", str(OUT)]
    if part == "large":
        command += ["--rows", "200000"]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
