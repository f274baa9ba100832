"""One run of the measurements: prepares the data, measures, writes the file and the table.

Nothing here is a test: no time is asserted. Seeded data folders are kept in build/bench/data between runs and made anew
when the example or the shape of the store has changed.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from PySide6.QtWidgets import QApplication

from desktop.paths import Paths
from desktop.rehearsal.letting_in import furnish
from desktop.vault import Vault
from sync.domain import example
from tests.bench.measures import NOW, Bench, Measure, measure

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build" / "bench"
STARTS = 7
GOALS = {
    "start": "≤ 3 × bare window",
    "save_visit": "p95 ≤ 25 ms",
    "facade_60": "≤ 150 ms",
    "facade_272": "≤ 150 ms",
    "recolour": "≤ 300 ms",
    "search": "p95 ≤ 30 ms, stress 100 ms",
    "ui_gap": "≤ 50 ms",
}


def main() -> int:
    """Measure what is asked for, all by default."""
    parser = argparse.ArgumentParser(description="Measures the desktop.")
    parser.add_argument("--data", choices=example.SIZES, nargs="*", default=list(example.SIZES))
    parser.add_argument("--only", choices=list(GOALS), nargs="*", default=list(GOALS))
    chosen = parser.parse_args()
    app = QApplication(sys.argv[:1])
    found: list[Measure] = []
    for size in chosen.data:
        home = prepared(size)
        if "start" in chosen.only:
            found += start(home, size)
        found += inside(app, home, size, set(chosen.only))
    OUT.mkdir(parents=True, exist_ok=True)
    lines = [one.plain() for one in found if one.name in GOALS]
    (OUT / "desktop.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    table(found)
    return 0


def prepared(size: example.Size) -> Path:
    """The data folder of a size; made once."""
    sources = [*sorted((ROOT / "sync/domain/example").glob("*.py")), *sorted((ROOT / "sync/domain/kinds").glob("*.py"))]
    sources += [ROOT / "sync/store" / name for name in ("schema.py", "migrations.py", "projections.py", "search.py")]
    digest = hashlib.blake2b(b"".join(path.read_bytes() for path in sources), digest_size=8).hexdigest()
    home = OUT / "data" / size
    mark = home / "made-by.txt"
    if not mark.exists() or mark.read_text() != digest:
        shutil.rmtree(home, ignore_errors=True)
        before = time.monotonic()
        print(f"seeding {size} …", end=" ", flush=True)
        furnish(home, size=size, today=example.TODAY)
        print(f"{time.monotonic() - before:.1f} s", flush=True)
        mark.write_text(digest)
    return home


def start(home: Path, size: example.Size) -> list[Measure]:
    """Process start to painted 今日, less key derivation, beside a bare window in turns."""
    head = next(person for person in example.people(size) if person.key == ("head3" if size == "small" else "head1"))
    vault = Vault(Paths.for_home(home).data)
    bare, whole, derived = [], [], []
    program = ("start_program.py", str(home), head.account_id, head.pin, str(NOW))
    _process("start_bare.py")  # the first start after a change compiles
    _process(*program)
    for _ in range(STARTS):
        bare.append(_process("start_bare.py")[0])
        total, key = _process(*program)
        before = time.monotonic_ns()
        vault.unlock(head.account_id, head.pin)
        alone = time.monotonic_ns() - before
        # Work beside the derivation makes it longer; only what it takes by itself is not the program's.
        whole.append(total - min(key, alone))
        derived.append(alone)
    window = measure("bare window", size, bare)
    started = measure("start", size, whole)
    ratio = round(started.p50 / window.p50, 2)
    return [
        Measure("start", size, started.p50, started.p95, ratio=ratio),
        window,
        measure("key derivation", size, derived),
    ]


def _process(script: str, *arguments: str) -> tuple[int, int]:
    # CLOCK_MONOTONIC is the same for all processes: the child says how long ago we began.
    command = [sys.executable, str(Path(__file__).parent / script), str(time.monotonic_ns()), *arguments]
    # The code is compiled once, as on any PC where the program was started before, whatever this shell has set.
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    settings |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(OUT / "bytecode")}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=settings)
    total, key = done.stdout.split()[-2:]
    return int(total), int(key)


def inside(app: QApplication, home: Path, size: example.Size, wanted: set[str]) -> list[Measure]:
    """Everything that is measured in one process, on a copy: saving must not make the data grow from run to run."""
    work = OUT / "work"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(home, work)
    bench = Bench(app, work, size)
    found: list[Measure] = []
    try:
        if "ui_gap" in wanted:
            gaps, worst = bench.ui_gap()
            found += gaps
            for name, longest in worst[:6]:
                print(f"  {size}: {longest:6.1f} ms  {name}")
        if wanted & {"facade_60", "facade_272"}:
            found += bench.facades()
        if "recolour" in wanted:
            found.append(bench.recolour())
        if "search" in wanted:
            found.append(bench.search())
        if "save_visit" in wanted:
            found.append(bench.save_visit())
    finally:
        bench.close()
        shutil.rmtree(work, ignore_errors=True)
    return found


def table(found: list[Measure]) -> None:
    """What was found, in columns."""
    print(f"\n{'measure':16}{'data':10}{'p50':>10}{'p95':>10}  {'unit':5}{'ratio':>7}  goal")
    for one in found:
        ratio = f"{one.ratio:.2f}" if one.ratio is not None else ""
        goal = GOALS.get(one.name, "")
        print(f"{one.name:16}{one.data:10}{one.p50:>10.2f}{one.p95:>10.2f}  {one.unit:5}{ratio:>7}  {goal}")
