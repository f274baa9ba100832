"""A new building, its entrances and doors, made offline in one save, arrive at the server and at a colleague's."""

from pathlib import Path

from servers import Device, Server
from stations import Station
from sync.domain.building_plan import BuildingIntent
from sync.store.household_records import record_building


def test_a_new_building_and_its_doors_travel_in_one_batch(server: Server, secretary: Device, tmp_path: Path) -> None:
    first, second = (
        Station.enrolled(server, tmp_path, server.invite(secretary, "station_staff", "compound", "compound"), name=name)
        for name in ("first", "second")
    )
    first.sync()
    second.sync()
    intent = BuildingIntent(
        compound_id=server.places["compound"], name="9号楼", units=("一单元", "二单元"), floors_above=3, rooms=2
    )
    record_building(first.store, first.account, intent)
    outcome = first.sync()
    assert outcome.refused == 0
    second.sync()
    assert second.rows("building") == first.rows("building")
    assert second.rows("unit") == first.rows("unit")
    assert len([row for row in second.rows("household") if row in first.rows("household")]) >= 12
    first.store.close()
    second.store.close()


def test_the_first_compound_of_a_community_is_made_with_its_first_building(
    server: Server, secretary: Device, tmp_path: Path
) -> None:
    first, second = (
        Station.enrolled(
            server, tmp_path, server.invite(secretary, "community_secretary", "community", server.community), name=name
        )
        for name in ("first", "second")
    )
    first.sync()
    intent = BuildingIntent(
        compound_id="", new_compound="春风里", new_grid="春风里第一网格", name="1号楼", floors_above=2, rooms=2
    )
    record_building(first.store, first.account, intent)
    assert first.sync().refused == 0
    second.sync()
    for kind in ("compound", "grid", "building", "unit", "household"):
        assert second.rows(kind) == first.rows(kind)
    assert "春风里" in {row[0] for row in second.store.db.conn.execute("SELECT name FROM compound")}
    first.store.close()
    second.store.close()
