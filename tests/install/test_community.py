"""Which community a program serves: where presets lie, which one counts, what is remembered, what is never mixed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.community import KEPT, Found, Search
from desktop.paths import Places
from presets import ISSUER, STRANGER, as_file, as_folder, preset_files
from sync.errors import TrustError


@pytest.fixture
def search(tmp_path: Path) -> Search:
    """A PC with one program on it, whose user has folders of their own."""
    places = Places(install=tmp_path / "install", site=tmp_path / "etc", user=tmp_path / "user")
    return Search(places, (ISSUER.public,))


def installed(search: Search, **preset: object) -> None:
    as_folder(search.places.install_preset, preset_files(**preset))  # type: ignore[arg-type]


def codes(found: Found) -> list[str]:
    return [refusal.error.code for refusal in found.refused]


def servers(found: Found) -> tuple[str, ...]:
    assert found.preset is not None
    return found.preset.community.servers


def test_without_a_preset_everything_stays_where_it_was(search: Search) -> None:
    assert search.run() == Found()
    assert search.paths("").data.parent.name == "qiaomen"


def test_what_came_with_the_program_counts_and_is_kept(search: Search) -> None:
    installed(search)
    found = search.run()
    assert (found.community_id, codes(found)) == ("xiangyang", [])
    assert (search.paths("xiangyang").data / KEPT).is_file()
    assert search.paths("xiangyang").data.parent.name == "qiaomen-xiangyang"


def test_a_given_one_comes_first(search: Search, tmp_path: Path) -> None:
    installed(search)
    given = as_file(tmp_path / "given.qiaomenpreset", preset_files("chaoyang", name="朝阳社区"))
    found = replace(search, given=given).run()
    assert found.community_id == "chaoyang"
    assert codes(found) == ["preset_other_community"]  # the installed one is told of, not mixed in
    assert search.run().community_id == "xiangyang"  # once given is not for ever


def test_a_newer_one_counts_wherever_it_lies(search: Search) -> None:
    installed(search, sequence=3)
    as_file(search.places.site / "xiangyang.qiaomenpreset", preset_files(sequence=5, servers=("http://new.test",)))
    as_folder(search.places.site / "xiangyang", preset_files(sequence=4, servers=("http://middle.test",)))
    assert servers(search.run()) == ("http://new.test",)
    for place in search.places.all_dropped():
        if place.is_file():
            place.unlink()
    assert servers(search.run()) == ("http://new.test",)  # it was kept


def test_one_older_than_was_seen_is_refused(search: Search) -> None:
    installed(search, sequence=5)
    assert search.run().preset is not None
    installed(search, sequence=4, servers=("http://old.test",))
    assert servers(search.run()) == ("http://server.test",)
    (search.paths("xiangyang").data / KEPT).unlink()
    found = search.run()
    assert found.preset is None
    assert found.community_id == "xiangyang"
    assert codes(found) == ["preset_older"]


def spoilt(files: dict[str, bytes]) -> None:
    files["community.toml"] += b"\n"


@pytest.mark.parametrize("broken", [{"spoil": spoilt}, {"key": STRANGER}])
def test_a_program_whose_preset_was_changed_finds_its_own_data(search: Search, broken: dict[str, object]) -> None:
    installed(search)
    search.run()
    installed(search, sequence=9, servers=("http://evil.test",), **broken)
    found = search.run()
    assert servers(found) == ("http://server.test",)
    assert len(codes(found)) == 1


def test_a_changed_preset_on_a_new_pc_is_told_and_not_used(search: Search) -> None:
    installed(search, spoil=spoilt)
    found = search.run()
    assert (found.preset, found.community_id, codes(found)) == (None, "", ["preset_changed"])


def test_a_chosen_file_is_used_from_the_next_start_on(search: Search, tmp_path: Path) -> None:
    file = as_file(tmp_path / "stick" / "x.qiaomenpreset", preset_files())
    assert search.take(file, community_id="").id == "xiangyang"
    file.unlink()
    assert search.run().community_id == "xiangyang"
    newer = as_file(tmp_path / "stick" / "y.qiaomenpreset", preset_files(sequence=2, servers=("http://new.test",)))
    search.take(newer, community_id="xiangyang")
    assert servers(search.run()) == ("http://new.test",)


def test_a_chosen_file_of_another_community_or_an_older_one_is_refused(search: Search, tmp_path: Path) -> None:
    installed(search, sequence=2)
    search.run()
    for files, code in (
        (preset_files("chaoyang"), "preset_other_community"),
        (preset_files(sequence=1), "preset_older"),
        (preset_files(sequence=3, spoil=spoilt), "preset_changed"),
    ):
        with pytest.raises(TrustError, match=code):
            search.take(as_file(tmp_path / "x.qiaomenpreset", files), community_id="xiangyang")
    found = search.run()
    assert (found.community_id, found.preset and found.preset.sequence) == ("xiangyang", 2)


def test_two_programs_on_one_pc_share_no_folder(search: Search, tmp_path: Path) -> None:
    other = replace(search, places=replace(search.places, install=tmp_path / "other"))
    installed(search)
    installed(other, community_id="chaoyang", name="朝阳社区")
    mine, theirs = search.paths(search.run().community_id), other.paths(other.run().community_id)
    assert {mine.data, mine.logs, mine.config, mine.lock_file}.isdisjoint(
        {theirs.data, theirs.logs, theirs.config, theirs.lock_file}
    )
    assert search.run().community_id == "xiangyang"


def test_what_an_administrator_dropped_is_found_when_there_is_only_one(search: Search) -> None:
    as_folder(search.places.site / "xiangyang", preset_files())
    assert search.run().community_id == "xiangyang"


def test_of_two_dropped_ones_none_is_guessed(search: Search) -> None:
    as_folder(search.places.site / "xiangyang", preset_files())
    as_folder(search.places.site / "chaoyang", preset_files("chaoyang"))
    assert search.run() == Found()


def into_the_user_folder(search: Search) -> Search:
    return search


def into_a_home(search: Search) -> Search:
    return replace(search, home=search.places.install.parent / "home")


@pytest.mark.parametrize("where", [into_the_user_folder, into_a_home])
def test_a_data_folder_of_another_community_is_not_mixed(search: Search, where: Callable[[Search], Search]) -> None:
    """The folder bears the one name, and what was kept in it is of the other: as after a folder was copied."""
    search = where(search)
    installed(search)
    as_file(search.paths("xiangyang").data / KEPT, preset_files("chaoyang", servers=("http://chaoyang.test",)))
    found = search.run()
    assert codes(found) == ["preset_other_community"]
    assert servers(found) == ("http://chaoyang.test",)  # the data stay with their own server


def test_a_damaged_memory_or_a_disk_that_takes_nothing_stops_no_start(search: Search) -> None:
    installed(search)
    memory = search.paths("").config / "communities.json"
    memory.parent.mkdir(parents=True)
    memory.write_text("[")
    assert search.run().preset is not None
    memory.unlink()
    memory.mkdir()  # nothing can be written there
    assert search.run().preset is not None
    assert search.run().preset is not None


def test_a_spoilt_kept_one_is_made_anew_and_told_only_where_it_is_missed(search: Search) -> None:
    installed(search)
    search.run()
    kept = search.paths("xiangyang").data / KEPT
    for spoilt in (preset_files(key=STRANGER), preset_files(spoil=lambda files: files.clear())):
        as_file(kept, spoilt)
        assert codes(search.run()) == []
        assert codes(search.run()) == []
    as_file(kept, preset_files(key=STRANGER))
    for path in search.places.install_preset.iterdir():
        path.unlink()
    found = search.run()
    assert (found.preset, found.community_id, codes(found)) == (None, "xiangyang", ["signature_unknown_key"])


@pytest.mark.parametrize("place", ["install/previous", "install.previous"])
def test_the_version_before_a_new_key_finds_its_server_again(search: Search, tmp_path: Path, place: str) -> None:
    """A version with another key and another preset was started and did not open; the one before it goes on."""
    older = replace(search, places=replace(search.places, install=tmp_path / place))
    installed(older)
    installed(search, sequence=2, servers=("http://new.test",), key=STRANGER)
    newer = replace(search, keys=(STRANGER.public,))
    assert servers(newer.run()) == ("http://new.test",)
    kept = (search.paths("xiangyang").data / KEPT).read_bytes()
    for _ in range(2):
        found = older.run()
        assert (found.community_id, servers(found), codes(found)) == ("xiangyang", ("http://server.test",), [])
    assert (search.paths("xiangyang").data / KEPT).read_bytes() == kept
    assert servers(newer.run()) == ("http://new.test",)
    installed(search)  # where no older version waits, an older number is refused as ever
    assert codes(search.run()) == ["preset_older", "signature_unknown_key"]


def test_a_place_that_may_not_be_looked_at_stops_no_start(search: Search) -> None:
    installed(search)
    search.places.site.mkdir()
    loop = search.places.site / "xiangyang"
    loop.symlink_to(loop)  # looking at it is an error of the system's, whoever looks
    assert search.run().preset is not None
    assert search.run().preset is not None


def test_a_file_that_cannot_be_kept_is_told(search: Search, tmp_path: Path) -> None:
    data = search.paths("xiangyang").data
    data.parent.mkdir(parents=True)
    data.write_text("in the way")
    with pytest.raises(TrustError, match="preset_unkept"):
        search.take(as_file(tmp_path / "x.qiaomenpreset", preset_files()), community_id="")


def test_a_damaged_key_of_the_program_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.pub").write_text("nonsense")
    search = Search.of_this_program(keys=tmp_path)
    assert [refusal.error.code for refusal in search.trouble] == ["public_key_unreadable"]
