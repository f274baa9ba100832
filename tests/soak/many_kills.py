"""Kills by the hundred on both engines, each fourth trial with programs started from the command line.

``KILLS`` rounds an engine (200), ``SEED`` (1).
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from kills import Tally, trial

ROUNDS = int(os.environ.get("KILLS", "200"))
SEED = int(os.environ.get("SEED", "1"))
AT_ONCE = 25  # rounds of one trial: one set of databases


def main() -> int:
    """All trials; 0 when nothing was lost, doubled or unsound."""
    tallies = {engine: _engine(engine) for engine in ("sqlite", "postgresql")}
    clean = all(tally.clean for tally in tallies.values())
    print(f"kills: {'ok' if clean else 'FAILED'}; " + "; ".join(f"{name}: {tally}" for name, tally in tallies.items()))
    return 0 if clean else 1


def _engine(engine: str) -> Tally:
    whole = Tally()
    number = 0
    while whole.rounds < ROUNDS and whole.clean:
        began = time.monotonic()
        seed = SEED * 1000 + number
        anew = number % 4 == 3
        with tempfile.TemporaryDirectory() as folder, trial(Path(folder), engine, seed=seed, anew=anew) as tried:
            ways = tried.ways()
            for at in range(min(AT_ONCE, ROUNDS - whole.rounds)):
                tried.round(ways[(number * AT_ONCE + at) % len(ways)])
            tally = tried.finish()
        whole.add(tally)
        print(f"{engine}, seed {seed}: {tally}; {time.monotonic() - began:.0f} s", flush=True)
        for name, found in tally.found().items():
            if found:
                print(f"  {name}: {sorted(found)[:20]}", flush=True)
        number += 1
    return whole


if __name__ == "__main__":
    sys.exit(main())
