"""A station's first pull and a day's changes over a bad line, in full.

300 ms of round trip, 1 % of packets lost, 2 Mbit/s, cut about every half megabyte, a login page for each third
connection; the pauses after a failure are the program's own.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from far_station import FarStation, Site, Took, site
from proxy import BadLine, Quality

BAD = Quality(round_trip_s=0.3, loss=0.01, bits_per_s=2e6, reset_every=500_000, portal_every=3)
CHANGED = 50
USABLE_S = 30.0
CHANGED_S = 5.0
CHANGED_BYTES = 60_000
TIMES = 5  # the day's changes, so that one lucky round says little


def main() -> int:
    """Run it all; 0 when everything was within its bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="station", help="of the example: station (23,000 rows of one grid) or small")
    size = parser.parse_args().size
    with (
        tempfile.TemporaryDirectory() as folder,
        site(Path(folder), size) as served,
        BadLine(served.serving.port, BAD, seed=1) as line,
        served.station("grid0", line) as station,
    ):
        building = served.own_building("grid0")
        first = station.sync(first=served.streams_of(building))
        print(
            f"first pull: {station.rows()} rows, {first.bytes / 1e6:.2f} MB, {first.seconds:.1f} s,"
            f" {first.tries} sessions; own building whole after {first.usable_s:.1f} s, {first.behind} streams to come"
        )
        line.quality = replace(BAD, reset_every=0, portal_every=0)
        days = [_day(served, station, number) for number in range(TIMES)]
        mishaps = ", ".join(f"{line.counts[name]} {name}" for name in ("lost", "resets", "portals", "connections"))
    changes = [took for day in days for took in day]
    slowest = max(took.seconds for took in changes)
    largest = max(took.bytes for took in changes)
    good = first.usable_s <= USABLE_S and first.behind > 0 and slowest <= CHANGED_S and largest <= CHANGED_BYTES
    print(
        f"bad line: {'ok' if good else 'MISSED'}; own building {first.usable_s:.1f} s (30), all {first.seconds:.1f} s;"
        f" {CHANGED} changed records at most {slowest:.1f} s (5), {largest / 1000:.1f} kB (60); {mishaps}"
    )
    return 0 if good else 1


def _day(served: Site, station: FarStation, number: int) -> tuple[Took, Took]:
    """50 records changed here and sent, 50 changed there and received."""
    changed = station.change(CHANGED, f"今日更新 {number}")
    sent = station.sync()
    served.change(changed, f"近处更新 {number}")
    received = station.sync()
    print(
        f"{CHANGED} changed records: up {sent.seconds:.1f} s, {sent.bytes / 1000:.1f} kB;"
        f" down {received.seconds:.1f} s, {received.bytes / 1000:.1f} kB"
    )
    assert sent.outcome.pushed == received.outcome.pulled == CHANGED
    return sent, received


if __name__ == "__main__":
    sys.exit(main())
