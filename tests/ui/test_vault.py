"""The files of a PC: who is known before the database is open, and what damage to them costs."""

from pathlib import Path

import pytest

from desktop.last_place import LastPlace, keep, plain, read
from desktop.rescue import Rescue
from desktop.vault import Colleague, Profile, Vault
from programs import PIN, Clock, furnish
from sync.errors import KeysError, QiaomenError, StoreError, WrongPin
from sync.keys.codes import new_one_time_code
from world import KEY, ident


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return furnish(tmp_path / "home", clock=Clock())


def test_people_have_names_before_anything_is_open(vault: Vault) -> None:
    assert [(who.name, invited) for who, invited in vault.people()][:2] == [("王秀兰", False), ("李建国", False)]


@pytest.mark.parametrize("content", [b"", b"{", b'{"community_id": 7}', None])
def test_a_damaged_profile_costs_the_names_only(vault: Vault, content: bytes | None) -> None:
    path = vault.folder / "profile.json"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert vault.profile() == Profile(community_id="", community_name="")
    assert {who.name for who, _ in vault.people()} == {""}
    assert vault.unlock(ident("head3"), PIN)


def test_the_profile_is_written_whole(vault: Vault) -> None:
    profile = Profile(
        community_id="c", community_name="和平社区", people=(Colleague(account_id="a", name="甲", title="乙"),)
    )
    vault.keep_profile(profile)
    assert vault.profile() == profile
    assert not list(vault.folder.glob("*.new"))


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        Vault(tmp_path / "nowhere").keep_profile(Profile(community_id="", community_name=""))
    assert caught.value.code == "disk_full"


def test_a_wrong_one_time_code_is_spoken_of_as_a_code(vault: Vault) -> None:
    vault.slots().add_invite(ident("new"), code=new_one_time_code(), database_key=KEY)
    with pytest.raises(WrongPin) as caught:
        vault.accept_invite(ident("new"), code=new_one_time_code(), pin=PIN)
    assert caught.value.code == "wrong_code"
    assert caught.value.params["left"] == 4


def test_only_damage_has_a_way_out(vault: Vault, tmp_path: Path) -> None:
    rescue = Rescue(vault, tmp_path / "backups")
    assert rescue.offer(WrongPin("wrong_pin")) is None
    assert rescue.offer(StoreError("newer")) is None
    assert rescue.offer(ValueError()) is None
    offer = rescue.offer(StoreError("damaged"))
    assert offer is not None
    assert offer.days == ()
    assert not offer.is_for_keys


@pytest.mark.parametrize("of_keys", [True, False])
def test_a_copy_that_is_gone_is_told(vault: Vault, tmp_path: Path, of_keys: bool) -> None:
    rescue = Rescue(vault, tmp_path / "backups")
    with pytest.raises(QiaomenError) as caught:
        rescue.take_keys("2026-11-22") if of_keys else rescue.open_copy("2026-11-22", KEY)
    assert caught.value.code == ("keys_missing" if of_keys else "missing")


def test_starting_over_moves_all_and_deletes_nothing(vault: Vault) -> None:
    backups = vault.folder / "backups"
    (backups / "2026-11-22").mkdir(parents=True)
    (backups / "2026-11-22" / "data.db").write_bytes(b"copy")
    names = {path.name for path in vault.folder.iterdir()}
    first = Rescue(vault, backups).start_over()
    assert not vault.is_set_up
    assert (first / "backups" / "2026-11-22" / "data.db").read_bytes() == b"copy"
    assert {path.name for path in first.iterdir()} >= {"station.db", "keyslots.json", "profile.json"}
    assert "device.secret" in names - {path.name for path in first.iterdir()}
    with pytest.raises(KeysError):
        vault.people()
    assert Rescue(vault, backups).start_over() != first


def test_the_last_place_holds_ids_only(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    place = LastPlace(
        account_id="a", page="visits", target=plain({"household_id": "h", "queue": ("x",), "print": True})
    )
    assert place.target == {"household_id": "h", "print": True}
    keep(path, place)
    assert read(path) == place


@pytest.mark.parametrize("content", [b"", b"[]", b'{"account_id": "a"}'])
def test_a_damaged_last_place_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)
    assert read(path) is None
    assert read(tmp_path / "nothing") is None


def test_a_place_that_cannot_be_kept_stops_nothing(tmp_path: Path) -> None:
    keep(tmp_path / "nowhere" / "state.json", LastPlace(account_id="a", page="today"))
    assert not (tmp_path / "nowhere").exists()
