"""The workload through this program: real server process, real sessions, real encrypted files; the peers' rows."""

import argparse
import gc
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])

from sync.domain.ids import new_id
from sync.domain.operations import new, patch
from sync.store.store import wall_ms
from tests.bench.sync_meter import Meter
from tests.bench.sync_site import Site, Station, site
from tests.bench.sync_workload import Record, edit, generate, places_of, visit

PEER = "qiaomen"
EDITS = 500
_SAVED_AT_ONCE = 2_000


def measure(database: str, folder: Path, *, count: int, postmaster: int) -> list[dict[str, Any]]:
    """All phases once; ``count`` visits. The names of the phases are the peers' for 20,000."""
    records, edits = generate(count, EDITS)
    size = f"{count // 1000}k"
    with site(folder, database=database) as made:
        places = places_of(records, made.homes)
        first, second = made.station("first"), made.station("second")
        for station in (first, second):
            station.sync()
        meter = Meter(PEER, server=made.pid, database=postmaster)
        with meter.phase(f"local create {size}"):
            ids = _create(first, records, places)
        with meter.phase(f"push {size}") as row:
            row["rows"] = _told(first).pushed
        with meter.phase(f"first pull {size}") as row:
            row["rows"] = _told(second).pulled
        assert _count(second) == (count, 0), _count(second)
        with meter.phase(f"local edit {EDITS}"):
            changes = [patch("visit", ids[one["id"]], **edit(one)) for one in edits]
            first.store.save(first.store.act(first.account), changes)
        with meter.phase(f"push {EDITS}"):
            _told(first)
        with meter.phase(f"pull {EDITS}"):
            _told(second)
        assert _count(second)[0] == count
        _nothing(meter, second)
        _everything(meter, made)
        for station in (first, second):
            station.close()
    return meter.rows


def _create(station: Station, records: list[Record], places: Any) -> dict[str, str]:
    ids = {record["id"]: new_id(wall_ms()) for record in records}
    made = [
        new("visit", ids[record["id"]], **visit(record, place=places[record["household_id"]], author=station.account))
        for record in records
    ]
    act = station.store.act(station.account)
    for at in range(0, len(made), _SAVED_AT_ONCE):
        station.store.save(act, made[at : at + _SAVED_AT_ONCE])
    return ids


def _told(station: Station) -> Any:
    outcome = station.sync()
    assert outcome.refused == outcome.conflicts == 0, outcome
    return outcome


def _nothing(meter: Meter, station: Station) -> None:
    asked, sent, received = station.api.requests, station.api.sent_bytes, station.api.received_bytes
    with meter.phase("nothing to do") as row:
        _told(station)
        row["requests"] = station.api.requests - asked
        row["body_bytes"] = station.api.sent_bytes - sent + station.api.received_bytes - received


def _everything(meter: Meter, made: Site) -> None:
    """A PC that holds nothing yet: places and households are among what it fetches."""
    third = made.station("third")
    with meter.phase("first pull of everything") as row:
        row["rows"] = _told(third).pulled
    third.close()


def _count(station: Station) -> tuple[int, int]:
    row = station.store.db.conn.execute("SELECT count(*), count(*) FILTER (WHERE clocks <> '') FROM visit").fetchone()
    return row[0], row[1]


def main() -> int:
    """Run once and append the rows to a file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--postmaster", type=int, required=True)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    # As the program itself does when it has settled: what is loaded stays, and is not looked through again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    with tempfile.TemporaryDirectory(prefix="bench-sync-") as folder:
        rows = measure(given.database, Path(folder), count=given.rows, postmaster=given.postmaster)
    with given.out.open("a", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
