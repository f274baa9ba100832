"""A community's signed files: what is taken, and that whatever was changed, added, left out or blown up is not."""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.preset import SIZES, Preset, read_preset
from desktop.texts import words
from presets import ISSUER, SERVERS, STRANGER, as_file, as_folder, preset_files
from sync.errors import TrustError
from sync.keys.manifests import MANIFEST
from sync.keys.minisign import SUFFIX

KEYS = (ISSUER.public,)
WHOLE = {
    "buildings.json": json.dumps([{"name": "1号楼", "compound": "向阳里"}, {"name": "2号楼", "units": 3}]).encode(),
    "ca.pem": b"-----BEGIN CERTIFICATE-----\n",
    "logo.png": b"\x89PNG logo",
}

Lay = Callable[[Path, dict[str, bytes]], Path]


def folder(base: Path, files: dict[str, bytes]) -> Path:
    return as_folder(base / "preset", files)


def file(base: Path, files: dict[str, bytes]) -> Path:
    return as_file(base / "one.qiaomenpreset", files)


both = pytest.mark.parametrize("lay", [folder, file])


def refused(place: Path) -> TrustError:
    with pytest.raises(TrustError) as caught:
        read_preset(place, keys=KEYS)
    said = words(caught.value)
    assert any("一" <= letter <= "鿿" for letter in said.title + said.advice) or said.title
    assert said.advice
    assert "{" not in said.title + said.advice
    return caught.value


@both
def test_a_preset_is_read_whole(tmp_path: Path, lay: Lay) -> None:
    more = 'area_code = "110105"\ncompounds = ["向阳里"]\ntext_size = 130\nof_a_newer_program = 1'
    preset = read_preset(lay(tmp_path, preset_files(files=WHOLE, sequence=7, more=more)), keys=KEYS)
    assert (preset.id, preset.community.name, preset.community.servers) == ("xiangyang", "向阳社区", SERVERS)
    assert (preset.sequence, preset.key, preset.community.text_size) == (7, ISSUER.public.name, 130)
    assert [building.name for building in preset.buildings] == ["1号楼", "2号楼"]
    assert preset.ca.startswith("-----BEGIN")
    assert (preset.logo, preset.icon) == (b"\x89PNG logo", b"")


def test_what_was_kept_is_the_same(tmp_path: Path) -> None:
    preset = read_preset(folder(tmp_path, preset_files(files=WHOLE)), keys=KEYS)
    preset.keep(tmp_path / "kept" / "community.qiaomenpreset")
    again = read_preset(tmp_path / "kept" / "community.qiaomenpreset", keys=KEYS)
    assert again.files == preset.files
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["community.qiaomenpreset"]


@pytest.mark.parametrize(
    ("more", "off"),
    [("", set()), ('modules = ["disputes", "x"]', {"needs_map"}), ("modules = []", {"needs_map", "disputes"})],
)
def test_only_what_can_be_missed_is_switched_off(tmp_path: Path, more: str, off: set[str]) -> None:
    assert read_preset(folder(tmp_path, preset_files(more=more)), keys=KEYS).switched_off == off


def change(name: str, content: bytes) -> Callable[[dict[str, bytes]], object]:
    return lambda files: files.__setitem__(name, content)


def drop(name: str) -> Callable[[dict[str, bytes]], object]:
    return lambda files: files.pop(name)


def flip(name: str) -> Callable[[dict[str, bytes]], object]:
    def spoil(files: dict[str, bytes]) -> None:
        files[name] = files[name].replace(b"server.test", b"server.evil") if name.endswith("toml") else files[name][:-1]

    return spoil


@both
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (flip("community.toml"), "preset_changed"),
        (flip("ca.pem"), "preset_changed"),
        (change("logo.png", b""), "preset_changed"),
        (change("run.sh", b"x"), "preset_stranger"),
        (change("icon.png", b"not in the list"), "preset_stranger"),
        (drop("ca.pem"), "preset_lacks"),
        (drop("community.toml"), "preset_lacks"),
        (drop(MANIFEST), "preset_lacks"),
        (drop(MANIFEST + SUFFIX), "preset_lacks"),
        (change(MANIFEST, b"{}"), "signature_wrong"),
        (change(MANIFEST + SUFFIX, b"nothing"), "signature_unreadable"),
        (change(MANIFEST + SUFFIX, b"x" * 5000), "preset_too_large"),
        (change(MANIFEST, b" " * 300_000), "preset_too_large"),
        (change("logo.png", b"\0" * (SIZES["logo.png"] + 1)), "preset_too_large"),
    ],
)
def test_whatever_was_done_to_it_is_noticed(
    tmp_path: Path, lay: Lay, spoil: Callable[[dict[str, bytes]], object], code: str
) -> None:
    assert refused(lay(tmp_path, preset_files(files=WHOLE, spoil=spoil))).code == code


@both
def test_a_strangers_signature_is_none(tmp_path: Path, lay: Lay) -> None:
    error = refused(lay(tmp_path, preset_files(key=STRANGER)))
    assert (error.code, error.params["key"]) == ("signature_unknown_key", STRANGER.public.name)


def test_a_program_without_keys_trusts_nothing(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="signature_unknown_key"):
        read_preset(folder(tmp_path, preset_files()), keys=())


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({"servers": ()}, "servers"),
        ({"servers": ("ftp://server.test",)}, "servers"),
        ({"servers": ("http://user@server.test",)}, "servers"),
        ({"servers": ("http://[bad",)}, "servers"),
        ({"name": ""}, "name"),
        ({"more": "text_size = 90"}, "text_size"),
        ({"more": "text_size = 'large"}, "community.toml"),
        ({"files": {"buildings.json": b"[{}]"}}, "buildings.json"),
        ({"files": {"community.toml": b"\xff"}}, "community.toml"),
        ({"files": {"community.toml": b'id = "other"\nname = "o"\nservers = ["http://a"]'}}, "id"),
    ],
)
def test_a_mistake_of_its_maker_is_told_with_its_place(tmp_path: Path, given: dict[str, object], at: str) -> None:
    error = refused(folder(tmp_path, preset_files(**given)))  # type: ignore[arg-type]
    assert (error.code, error.params["at"]) == ("preset_unfit", at)


def test_a_signed_file_that_no_preset_has_is_not_read(tmp_path: Path) -> None:
    assert refused(folder(tmp_path, preset_files(files={"autorun.inf": b"x"}))).code == "preset_stranger"


@pytest.mark.parametrize("community_id", ["../evil", "UPPER", "x", "a b", ""])
def test_an_id_that_is_no_name_of_a_folder_is_refused(tmp_path: Path, community_id: str) -> None:
    assert refused(folder(tmp_path, preset_files(community_id))).code == "manifest_unreadable"


def test_links_and_folders_within_are_refused(tmp_path: Path) -> None:
    place = folder(tmp_path, preset_files(files=WHOLE))
    (place / "inner").mkdir()
    assert refused(place).code == "preset_link"
    (place / "inner").rmdir()
    secret = tmp_path / "secret"
    (place / "logo.png").replace(secret)
    (place / "logo.png").symlink_to(secret)
    assert refused(place).code == "preset_link"
    if hasattr(os, "mkfifo"):
        (place / "logo.png").unlink()
        os.mkfifo(place / "logo.png")
        assert refused(place).code == "preset_link"


def test_paths_in_a_file_lead_nowhere(tmp_path: Path) -> None:
    for name in ("../outside.txt", "/etc/outside.txt", "folder/community.toml", "..\\outside.txt"):
        assert refused(file(tmp_path, preset_files(spoil=change(name, b"x")))).code == "preset_stranger"
    assert not (tmp_path.parent / "outside.txt").exists()


def test_files_that_are_no_zip_or_a_bad_one_are_told(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere.qiaomenpreset").code == "preset_missing"
    place = tmp_path / "bad.qiaomenpreset"
    place.write_bytes(b"no zip")
    assert refused(place).code == "preset_unreadable"
    whole = file(tmp_path, preset_files(files=WHOLE)).read_bytes()
    for cut in (len(whole) // 2, len(whole) - 5):
        place.write_bytes(whole[:cut])
        assert refused(place).code == "preset_unreadable"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr(MANIFEST, b"{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(MANIFEST, b"{}")
    assert refused(place).code == "preset_unreadable"


def test_every_byte_of_a_file_counts(tmp_path: Path) -> None:
    """Wherever a byte is changed, either the same is read or it is refused; never something else."""
    place = file(tmp_path, preset_files(files={"ca.pem": b"A"}))
    whole = place.read_bytes()
    right = read_preset(place, keys=KEYS).files

    def read_or_none(content: bytes) -> Preset | None:
        place.write_bytes(content)
        try:
            return read_preset(place, keys=KEYS)
        except TrustError:
            return None

    for at in range(0, len(whole), 3):
        read = read_or_none(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        assert read is None or read.files == right, at
