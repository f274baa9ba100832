"""An attachment that names its record by the wrong kind is not taken; one that is there already stops nobody."""

from pathlib import Path

import pytest

from ground import Ground
from pictures import CHECKSUM, PICTURE
from servers import Device, Server, new, patch
from stations import Station, demand
from sync.domain.ids import new_id
from sync.domain.operations import Operation
from sync.server.storage.waiting import WAITING
from sync.store import blobs

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def attachment(device: Device, record_id: str, *, kind: str) -> Operation:
    """A picture of this record, which it says is of that kind."""
    fields = {"sha256": CHECKSUM, "size": len(PICTURE), "media_type": "image/jpeg", "recorded_by": device.author}
    return new("attachment", new_id(device.clock()), record_kind=kind, record_id=record_id, **fields)


def test_an_attachment_says_rightly_what_it_belongs_to(server: Server, secretary: Device) -> None:
    household = server.places["b1-101"]
    for kind in ("repair", "demand", ""):
        assert secretary.refused(attachment(secretary, household, kind=kind)) == [(0, "invalid", "record_kind")]
    good = attachment(secretary, household, kind="household")
    secretary.accepted(good)
    secretary.accepted(patch("attachment", good.id, name="x"))


def attached(station: Station, record_id: str) -> str:
    """A picture added to a demand, and the record of it sent."""
    touched = blobs.add(
        station.store, station.account, record_kind="demand", record_id=record_id, data=PICTURE, name="墙.jpg"
    )
    station.sync()
    return next(made for kind, made in touched if kind == "attachment")


def lead_astray(station: Station) -> None:
    """Another program wrote what it belongs to."""
    station.store.db.conn.execute("UPDATE attachment SET record_kind = 'repair'")


def test_one_that_is_there_stops_no_reader_when_its_record_moves(
    server: Server, first: Station, second: Station
) -> None:
    made = demand(server, first)
    first.save([made])
    attached(first, made.id)
    second.sync()
    lead_astray(second)
    places = server.places
    there = {"building_id": places["b3"], "household_id": places["b3-101"], "scope_id": places["b3-101"]}
    first.save([patch("demand", made.id, **there)])
    first.sync()
    second.sync()
    assert second.rows("demand") == second.rows("attachment") == []
    assert len(first.rows("attachment")) == 1


def test_one_is_not_given_back(server: Server, secretary: Device, first: Station, tmp_path: Path) -> None:
    ground = Ground(server, secretary, tmp_path)
    backup = ground.copy()
    made = demand(server, first)
    first.save([made])
    picture = attached(first, made.id)
    lead_astray(first)
    ground.restore(backup)
    assert first.sync().refused == 1
    assert made.id in ground.rows()
    assert picture not in ground.rows()


def test_one_that_came_back_before_its_record_goes_nowhere(
    server: Server, secretary: Device, first: Station, second: Station, tmp_path: Path
) -> None:
    ground = Ground(server, secretary, tmp_path)
    backup = ground.copy()
    made = demand(server, first)
    first.save([made])
    picture = attached(first, made.id)
    second.sync()
    lead_astray(first)
    first.store.db.conn.execute("DELETE FROM demand")
    second.store.db.conn.execute("DELETE FROM attachment")
    ground.restore(backup)
    first.sync()
    second.sync()
    rows = ground.rows()
    assert made.id in rows
    assert rows[picture].stream.startswith(WAITING)
