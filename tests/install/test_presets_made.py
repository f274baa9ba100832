"""Presets as they are issued: what the program reads of them, their numbers, and that a change is refused."""

import zipfile
from pathlib import Path

import preset_make
import pytest
from community import read_communities
from icons import IconError
from preset_make import Issued, Maker, Numbers

from desktop.preset import read_preset
from sync.domain.building_list import BuildingList
from sync.errors import TrustError
from sync.keys.minisign import SecretKey

EXAMPLE = Path(__file__).resolve().parents[2] / "packaging/communities/example.toml"
KEY = SecretKey(id=b"preset-1", seed=bytes(32))


def written(tmp_path: Path, text: str = "") -> Path:
    path = tmp_path / "community.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8").replace("text_size = 115", text or "text_size = 115"))
    return path


def test_the_program_reads_what_is_issued(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    KEY.save(tmp_path / "working.key")
    given = ["--community", str(EXAMPLE), "--key", str(tmp_path / "working.key"), "--out", str(tmp_path / "out")]
    assert preset_make.main(given) == 0
    assert "xingfuli  幸福里社区  第 1 号  xingfuli.qiaomenpreset" in capsys.readouterr().out
    keys = [KEY.public]
    folder = read_preset(tmp_path / "out/xingfuli", keys=keys)
    packed = read_preset(tmp_path / "out/xingfuli.qiaomenpreset", keys=keys)
    assert (packed.community, packed.files) == (folder.community, folder.files)
    assert (folder.id, folder.sequence, folder.key) == ("xingfuli", 1, KEY.public.name)
    assert folder.community == read_communities(EXAMPLE)[0].community
    assert folder.icon.startswith(b"\x89PNG")
    assert folder.files["icon.ico"].startswith(b"\0\0\1\0\4\0")
    assert BuildingList.parse(folder.files["buildings.json"]).doors == 182
    with pytest.raises(TrustError, match="signature_unknown_key"):
        read_preset(tmp_path / "out/xingfuli", keys=[])
    (tmp_path / "out/xingfuli/community.toml").write_text('id = "xingfuli"\nname = "x"\nservers = ["http://evil"]\n')
    with pytest.raises(TrustError, match="preset_changed"):
        read_preset(tmp_path / "out/xingfuli", keys=keys)
    assert preset_make.main(given) == 0  # nothing in the table has changed: the same preset once more
    assert "第 1 号" in capsys.readouterr().out
    assert read_preset(tmp_path / "out/xingfuli", keys=keys).files == packed.files


def test_a_changed_preset_has_the_next_number(tmp_path: Path) -> None:
    clock = iter([1000, 2000, 3000])
    maker = Maker(KEY, Numbers(), now=lambda: next(clock))
    (before,) = read_communities(written(tmp_path))
    assert maker.make(before, tmp_path / "a").sequence == 1
    (after,) = read_communities(written(tmp_path, "text_size = 150"))
    made = maker.make(after, tmp_path / "a")
    assert (made.sequence, made.issued_at, made.community.text_size) == (2, 2000, 150)
    assert maker.make(after, tmp_path / "b").files == made.files
    given = Maker(KEY, maker.numbers, least=9, now=lambda: next(clock))
    assert given.make(after, tmp_path / "a").sequence == 9


def test_the_numbers_outlive_the_run(tmp_path: Path) -> None:
    file = tmp_path / "numbers.json"
    numbers = Numbers.load(file)
    numbers.presets["aa"] = Issued(7, 1000, "x")
    numbers.save(file)
    assert Numbers.load(file).presets == {"aa": Issued(7, 1000, "x")}
    assert Numbers.load(file).releases == {}
    file.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="读不出来"):
        Numbers.load(file)


def test_nothing_is_left_of_a_preset_that_can_not_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    KEY.save(tmp_path / "working.key")
    out = ["--key", str(tmp_path / "working.key"), "--out", str(tmp_path / "out")]
    assert preset_make.main(["--community", str(written(tmp_path, "text_size = 7")), *out]) == 1
    assert "text_size" in capsys.readouterr().err
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(8) + b"\0\0\1\0\0\0\1\0" + bytes(99))
    assert preset_make.main(["--community", str(written(tmp_path, 'logo = "logo.png"')), *out]) == 1
    assert "xingfuli（幸福里社区）的标志：这张 PNG 打不开" in capsys.readouterr().err
    assert preset_make.main(["--community", str(EXAMPLE), "--key", str(tmp_path / "none"), "--out", out[3]]) == 2
    assert "签名私钥 none 读不出来" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    (bad,) = read_communities(written(tmp_path, 'logo = "logo.png"'))
    with pytest.raises(IconError):
        preset_make.contents(bad)


def test_a_packed_preset_is_the_same_each_time(tmp_path: Path) -> None:
    maker = Maker(KEY, Numbers(), now=lambda: 1000)
    (packaged,) = read_communities(EXAMPLE)
    preset = maker.make(packaged, tmp_path / "a")
    preset.keep(tmp_path / "one.qiaomenpreset")
    preset.keep(tmp_path / "two.qiaomenpreset")
    assert (tmp_path / "one.qiaomenpreset").read_bytes() == (tmp_path / "two.qiaomenpreset").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.qiaomenpreset") as archive:
        assert set(archive.namelist()) == set(preset.files)
