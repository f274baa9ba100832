"""A station at the end of a bad line gets everything, its own building first, and pays little for a day's changes."""

from dataclasses import replace
from pathlib import Path

from far_station import site
from proxy import BadLine, Quality
from sync.store import outbox

# A tenth of the delay that the long form takes, and ten times its width: the same mishaps in a tenth of the time.
BAD = Quality(round_trip_s=0.03, loss=0.01, bits_per_s=20e6, reset_every=200_000, portal_every=3)
CHANGED = 50
MOST_BYTES = 60_000


def test_a_station_on_a_bad_line_gets_everything(tmp_path: Path) -> None:
    with (
        site(tmp_path, "small") as served,
        BadLine(served.serving.port, BAD, seed=3) as line,
        served.station("grid0", line, pause_s=lambda _: 0.02) as station,
    ):
        took = station.sync(first=served.streams_of(served.own_building("head3")))
        assert took.outcome.pulled > 0
        assert took.tries > 1
        assert min(line.counts[mishap] for mishap in ("lost", "resets", "portals")) > 0
        assert took.behind > 0
        at = dict(station.store.db.conn.execute("SELECT stream, seq FROM cursor"))
        heads = served.heads()
        assert {name: heads.get(name, 0) for name in at} == at

        line.quality = replace(BAD, reset_every=0, portal_every=0)
        changed = station.change(CHANGED, "今日更新")
        sent = station.sync()
        assert sent.outcome.pushed == CHANGED
        assert sent.outcome.refused == 0
        assert sent.bytes <= MOST_BYTES

        served.change(changed, "近处更新")
        received = station.sync()
        assert received.outcome.pulled == CHANGED
        assert received.bytes <= MOST_BYTES


def test_a_line_that_never_carries_a_whole_page_brings_everything(tmp_path: Path) -> None:
    """A page that was cut off is asked for in smaller pieces, instead of the same one again and again."""
    with (
        site(tmp_path, "small") as served,
        BadLine(served.serving.port, Quality(round_trip_s=0.01, loss=0.0, bits_per_s=50e6), seed=3) as line,
        served.station("grid0", line, pause_s=lambda _: 0.02) as station,
    ):
        line.quality = replace(line.quality, reset_every=40_000)
        assert station.sync().tries > 1
        at = dict(station.store.db.conn.execute("SELECT stream, seq FROM cursor"))
        heads = served.heads()
        assert {name: heads.get(name, 0) for name in at} == at


def test_a_line_that_never_carries_a_whole_batch_takes_everything(tmp_path: Path) -> None:
    """What was cut off again and again is given up and sent in smaller pieces, each piece once."""
    with (
        site(tmp_path, "small") as served,
        BadLine(served.serving.port, Quality(round_trip_s=0.01, loss=0.0, bits_per_s=50e6), seed=3) as line,
        served.station("grid0", line, pause_s=lambda _: 0.02) as station,
    ):
        station.sync()
        changed = station.change(400, "今日更新")
        line.quality = replace(line.quality, reset_every=12_000)
        took = station.sync()
        assert took.tries > 3
        served.near.pull()
        notes = {row.id: row.values["note"] for row in served.near.of_kind("visit")}
        assert all(notes[one].startswith("今日更新") for one in changed)
        assert outbox.pending_counts(station.store.db).unsent == 0
