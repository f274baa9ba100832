"""Fuzzing for long, with new chance each time, and how soon and in how much memory hostile bodies are refused.

``FUZZ`` examples for each way of each endpoint (500).
"""

import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from hostile import MIB, hostile
from servers import Device, running

ROOT = Path(__file__).resolve().parents[2]
FUZZ = os.environ.get("FUZZ", "500")
SOON_MS = 50.0
TIMES = 20
ENDPOINTS = ("hello", "push", "pull", "enrol", "people")


def main() -> int:
    """Fuzz, then measure; 0 when nothing failed and all was refused in time."""
    tests = [str(ROOT / "tests" / "core" / "test_fuzz.py"), "--no-cov", "-q", "--tb=short", "--timeout=0"]
    fuzzed = subprocess.run(
        [sys.executable, "-m", "pytest", *tests], cwd=ROOT, env={**os.environ, "FUZZ": FUZZ}, check=False
    )
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        device = server.enrol(server.first_code())
        slowest = max((*_median_ms(device, sort, name), sort, name) for sort in hostile() for name in ENDPOINTS)
        tracemalloc.start(1)
        held = max((_held(device, sort, name), sort, name) for sort in hostile() for name in ENDPOINTS)
        tracemalloc.stop()
    good = fuzzed.returncode == 0 and slowest[0] <= SOON_MS
    processor, wall, sort, name = slowest
    print(
        f"fuzz: {'ok' if good else 'FAILED'}; {FUZZ} examples a way and endpoint, status {fuzzed.returncode};"
        f" {len(hostile()) * len(ENDPOINTS)} hostile bodies, each {TIMES} times: refused in at most {processor:.1f} ms"
        f" of a processor, {wall:.1f} ms ({sort}, {name}), with at most {held[0] / MIB:.1f} MiB ({held[1]}, {held[2]})"
    )
    return 0 if good else 1


def _median_ms(device: Device, sort: str, name: str) -> tuple[float, float]:
    """Medians of an answer: its processor time, which does not depend on the neighbours, and the time on the wall."""
    sent = hostile()[sort]
    took = []
    for _ in range(TIMES):
        began, used = time.perf_counter(), time.process_time()
        answer = device.send(name, sent.body, encoding=sent.encoding)
        took.append(((time.process_time() - used) * 1000, (time.perf_counter() - began) * 1000))
        assert answer.status_code in (sent.status, 413), (sort, name, answer.status_code)
    processor, wall = (sorted(times)[TIMES // 2] for times in zip(*took, strict=True))
    print(f"{sort:24} {name:7} {answer.status_code} {processor:6.1f} ms of a processor, {wall:6.1f} ms")
    return processor, wall


def _held(device: Device, sort: str, name: str) -> int:
    sent = hostile()[sort]
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    device.send(name, sent.body, encoding=sent.encoding)
    return tracemalloc.get_traced_memory()[1] - before


if __name__ == "__main__":
    sys.exit(main())
