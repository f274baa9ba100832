"""Random histories by the thousand on both engines at once, one process each.

``HISTORIES`` in all, half on each engine (10,000), ``SEED`` (1), ``STEPS`` in a history (30).
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.internal.conjecture import engine as hypothesis_engine
from hypothesis.stateful import run_state_machine_as_test

from ground import Ground, grounds, in_memory
from machines import machine_on
from postgresql import PostgreSQL

HISTORIES = int(os.environ.get("HISTORIES", "10000"))
SEED = int(os.environ.get("SEED", "1"))
STEPS = int(os.environ.get("STEPS", "30"))
AT_ONCE = 100  # histories of one seed, over one server
SHRINKING_S = 90
ENGINES = ("sqlite", "postgresql")


def main() -> int:
    """Both engines at once; 0 when every promise held in every history."""
    if len(sys.argv) > 1:
        return _engine(sys.argv[1])
    programs = {
        name: subprocess.Popen([sys.executable, __file__, name], stdout=subprocess.PIPE, text=True) for name in ENGINES
    }
    last = {}
    for name, program in programs.items():
        assert program.stdout is not None
        for line in program.stdout:
            last[name] = line.strip()
            print(line, end="", flush=True)
    failed = sum(program.wait() != 0 for program in programs.values())
    print(f"histories: {'FAILED' if failed else 'ok'}; {'; '.join(last.values())}")
    return int(failed > 0)


def _engine(name: str) -> int:
    """Histories of one engine, until one breaks a promise: hypothesis then tells the shortest story it found."""
    wanted, played, number = HISTORIES // len(ENGINES), 0, 0
    met: Counter[str] = Counter()
    began = time.monotonic()
    try:
        while played < wanted:
            number = SEED * 1_000_000 + played
            histories = min(AT_ONCE, wanted - played)
            with _ground(name) as ground:
                machine = machine_on(ground)
                run_state_machine_as_test(seed(number)(machine), settings=_bounds(histories))
            played += histories
            met.update(machine.met)
            print(f"{name}: {played} histories, {time.monotonic() - began:.0f} s", flush=True)
    finally:
        if played < wanted:
            print(f"{name}: a promise was broken; SEED={number}", flush=True)
        told = ", ".join(f"{what} in {count}" for what, count in met.most_common(12))
        print(f"{name}: {played} histories of {STEPS} steps ({told})", flush=True)
    return 0


def _bounds(histories: int) -> settings:
    return settings(
        max_examples=histories,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )


@contextmanager
def _ground(name: str) -> Iterator[Ground]:
    with in_memory() as folder:
        if name == "sqlite":
            with grounds(folder) as ground:
                yield ground
            return
        running = PostgreSQL()
        try:
            with grounds(folder, database=running.new_database()) as ground:
                yield ground
        finally:
            running.stop()


if __name__ == "__main__":
    # Hypothesis would look for a shorter story for five minutes.
    hypothesis_engine.MAX_SHRINKING_SECONDS = SHRINKING_S
    os.nice(5)
    sys.exit(main())
