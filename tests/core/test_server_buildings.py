"""The buildings of the community's preset are made at the server, before anybody is enrolled or later."""

from pathlib import Path

import pytest

from servers import running
from sync.domain.building_list import BuildingList, ListedBuilding
from sync.server.__main__ import main

FIRST = ListedBuilding(compound="幸福里一区", name="1号楼", floors=6, rooms=2, units=3, missing=("2-401",))
SECOND = ListedBuilding(compound="幸福里一区", name="2号楼", floors=2, rooms=4)
THIRD = ListedBuilding(compound="幸福里二区", name="1号楼", floors=18, rooms=4, units=2, lift=True)


def written(folder: Path, *buildings: ListedBuilding) -> Path:
    """As it lies in a preset."""
    path = folder / "buildings.json"
    path.write_bytes(BuildingList(buildings).content)
    return path


def test_the_first_secretary_finds_the_buildings_there(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["buildings", "--data", str(tmp_path / "data"), "--database", database]
    where += ["--community-name", "幸福里社区", "--from"]
    assert main([*where, str(written(tmp_path, FIRST, THIRD))]) == 0
    assert "2 buildings with 179 doors. There already: 0" in capsys.readouterr().out
    assert main([*where, str(written(tmp_path, FIRST, SECOND, THIRD))]) == 0
    assert "1 buildings with 8 doors. There already: 2" in capsys.readouterr().out
    with running(tmp_path / "data", database=database) as server:
        secretary = server.enrol(server.first_code())
        secretary.pull()
        names = {
            kind: sorted(row.values["name"] for row in secretary.of_kind(kind)) for kind in ("community", "compound")
        }
        assert names == {"community": ["幸福里社区"], "compound": ["幸福里一区", "幸福里二区"]}
        compounds = {row.id: row.values["name"] for row in secretary.of_kind("compound")}
        buildings = {
            (compounds[row.values["compound_id"]], row.values["name"]): row for row in secretary.of_kind("building")
        }
        assert {key: row.values["position"] for key, row in buildings.items()} == {
            ("幸福里一区", "1号楼"): 1,
            ("幸福里一区", "2号楼"): 2,
            ("幸福里二区", "1号楼"): 1,
        }
        assert len(secretary.of_kind("unit")) == 3 + 1 + 2
        assert len(secretary.of_kind("household")) == 35 + 8 + 144
        head = server.invite(secretary, "building_head", "building", buildings["幸福里一区", "2号楼"].id)
        device = server.enrol(head)
        device.pull()
        assert len(device.of_kind("household")) == 8


def test_while_the_server_holds_the_folder_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, FIRST)
    with running(tmp_path / "data"):
        assert main(["buildings", "--data", str(tmp_path / "data"), "--from", str(path)]) == 1
    assert "runs on this data folder" in capsys.readouterr().err


def test_a_list_with_a_mistake_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["buildings", "--data", str(tmp_path / "data"), "--from"]
    twice = written(tmp_path, FIRST, FIRST, ListedBuilding(compound="", name="3号楼", floors=0, rooms=2))
    assert main([*where, str(twice)]) == 1
    told = capsys.readouterr().out
    assert "幸福里一区 1号楼: name exists" in told
    assert "compound required" in told
    twice.write_bytes(b"{}")
    assert main([*where, str(twice)]) == 1
    assert main([*where, str(tmp_path / "none.json")]) == 1
    assert capsys.readouterr().out.count("is no list of buildings") == 2
    assert not (tmp_path / "data").exists()
