"""Key slots, the device secret and the codes people type."""

import json
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.errors import KeysError, PinLocked, RuleError, WrongPin
from sync.keys.codes import (
    ALPHABET,
    check_pin,
    new_one_time_code,
    new_recovery_code,
    read_one_time_code,
    read_recovery_code,
)
from sync.keys.derivation import Cost
from sync.keys.device_secret import DeviceSecret
from sync.keys.slots import FIRST_WAIT_MS, FREE_TRIES, LONGEST_WAIT_MS, KeySlots

CHEAP = Cost(passes=1, memory_kib=8, lanes=1)
HEAD = "0192a1b2-0000-7000-8000-000000000001"
GRID = "0192a1b2-0000-7000-8000-000000000002"


class Wall:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.ms = 1_760_000_000_000

    def __call__(self) -> int:
        return self.ms


class Station:
    """A PC with a device secret and key slots for one head (PIN 135790)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wall = Wall()
        self.path = folder / "keyslots.json"
        self.secret = DeviceSecret.load_or_create(folder / "device.secret")
        self.slots, self.key = KeySlots.create(self.path, device_secret=self.secret, cost=CHEAP, clock=self.wall)
        self.slots.add(HEAD, pin="135790", database_key=self.key)

    def reload(self, secret: DeviceSecret | None = None) -> KeySlots:
        self.slots = KeySlots.load(self.path, device_secret=secret or self.secret, cost=CHEAP, clock=self.wall)
        return self.slots

    def fail(self, times: int = 1) -> WrongPin:
        for _ in range(times):
            with pytest.raises(WrongPin) as caught:
                self.slots.unlock(HEAD, pin="000001")
        return caught.value


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path)


# ------------------------------------------------------------------------------------------------ slots


def test_a_pin_opens_the_database_key(station: Station) -> None:
    assert len(station.key) == 32
    assert station.reload().unlock(HEAD, pin="135790") == station.key


def test_the_cost_of_the_product_opens_too(tmp_path: Path) -> None:
    secret = DeviceSecret.load_or_create(tmp_path / "device.secret")
    slots, key = KeySlots.create(tmp_path / "keyslots.json", device_secret=secret)
    slots.add(HEAD, pin="135790", database_key=key)
    # Loaded as the program does; the slot remembers what it was made with.
    loaded = KeySlots.load(tmp_path / "keyslots.json", device_secret=secret)
    with pytest.raises(WrongPin):
        loaded.unlock(HEAD, pin="135791")
    assert loaded.unlock(HEAD, pin="135790") == key
    assert json.loads((tmp_path / "keyslots.json").read_text())["slots"][0]["cost"] == {
        "passes": 3,
        "memory_kib": 65536,
        "lanes": 1,
    }


def test_full_width_digits_are_the_same_pin(station: Station) -> None:
    assert station.slots.unlock(HEAD, pin=" １３５７９０ ") == station.key


def test_two_people_open_the_same_key_and_one_can_go(station: Station) -> None:
    station.slots.add(GRID, pin="246801", database_key=station.key)
    assert station.reload().unlock(GRID, pin="246801") == station.key
    assert [info.account_id for info in station.slots.people()] == [HEAD, GRID]
    station.slots.remove(GRID)
    with pytest.raises(KeysError, match="no_slot"):
        station.reload().unlock(GRID, pin="246801")
    assert station.slots.unlock(HEAD, pin="135790") == station.key


def test_the_last_way_in_cannot_be_removed(station: Station) -> None:
    with pytest.raises(KeysError, match="last_slot"):
        station.slots.remove(HEAD)
    with pytest.raises(KeysError, match="no_slot"):
        station.slots.remove(GRID)
    station.slots.set_recovery(station.key)
    with pytest.raises(KeysError, match="no_slot"):
        station.slots.remove("")
    station.slots.remove(HEAD)
    assert station.reload().people() == ()


def test_a_pin_is_changed_by_who_knows_it(station: Station) -> None:
    with pytest.raises(WrongPin):
        station.slots.change_pin(HEAD, old="000001", new="864200")
    station.slots.change_pin(HEAD, old="135790", new="864200")
    assert station.reload().unlock(HEAD, pin="864200") == station.key
    station.fail()


def test_a_slot_does_not_pass_for_another(station: Station) -> None:
    station.slots.add(GRID, pin="135790", database_key=station.key)
    text = station.path.read_text()
    swapped = text.replace(HEAD, "x").replace(GRID, HEAD).replace("x", GRID)
    assert swapped != text
    station.path.write_text(swapped)
    with pytest.raises(KeysError, match="keys_damaged"):
        station.reload()


def test_the_file_says_no_names_and_no_key(station: Station) -> None:
    content = station.path.read_bytes()
    assert station.key not in content
    assert station.key.hex().encode() not in content
    assert b"135790" not in content
    assert stat.S_IMODE(station.path.stat().st_mode) == 0o600
    assert [path.name for path in sorted(station.folder.iterdir())] == ["device.secret", "keyslots.json"]


@given(pin=st.text(min_size=1, max_size=64), account=st.text(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_any_pin_and_id_come_back(tmp_path: Path, pin: str, account: str) -> None:
    path = tmp_path / "any.json"
    path.unlink(missing_ok=True)
    secret = DeviceSecret.load_or_create(tmp_path / "device.secret")
    slots, key = KeySlots.create(path, device_secret=secret, cost=CHEAP)
    account = account.encode("utf-8", "replace").decode()
    slots.add(account, pin=pin, database_key=key)
    assert KeySlots.load(path, device_secret=secret).unlock(account, pin=pin) == key


# ------------------------------------------------------------------------------------------------ wrong PINs


def test_wrong_pins_are_counted_down(station: Station) -> None:
    assert station.fail().params == {"left": 4, "until": 0}
    assert station.fail(3).params["left"] == 1
    assert station.slots.unlock(HEAD, pin="135790") == station.key
    # The right one clears the count, in the file too.
    station.reload()
    assert station.fail().params["left"] == 4


def test_after_five_one_waits_even_with_the_right_pin(station: Station) -> None:
    error = station.fail(FREE_TRIES)
    until = station.wall.ms + FIRST_WAIT_MS
    assert error.params == {"left": 0, "until": until}
    station.reload()
    with pytest.raises(PinLocked) as caught:
        station.slots.unlock(HEAD, pin="135790")
    assert caught.value.params == {"until": until}
    assert station.slots.locked_until(HEAD) == until
    assert station.slots.locked_until(GRID) == 0
    station.wall.ms = until
    assert station.slots.locked_until(HEAD) == 0
    assert station.slots.unlock(HEAD, pin="135790") == station.key


def test_the_wait_doubles_up_to_a_quarter_of_an_hour(station: Station) -> None:
    station.fail(FREE_TRIES)
    waits = []
    for _ in range(8):
        waits.append(station.slots.locked_until(HEAD) - station.wall.ms)
        station.wall.ms += waits[-1]
        station.fail()
    assert waits == [FIRST_WAIT_MS * factor for factor in (1, 2, 4, 8, 16)] + [LONGEST_WAIT_MS] * 3


def test_another_person_is_not_kept_waiting(station: Station) -> None:
    station.slots.add(GRID, pin="246801", database_key=station.key)
    station.fail(FREE_TRIES)
    assert station.slots.unlock(GRID, pin="246801") == station.key


def test_a_clock_that_is_put_right_does_not_lock_for_years(station: Station) -> None:
    station.fail(FREE_TRIES)
    station.wall.ms -= 365 * 86_400_000
    until = station.slots.locked_until(HEAD)
    assert until == station.wall.ms + FIRST_WAIT_MS
    # The wait does not begin anew with each look at the file.
    station.wall.ms += 1000
    assert station.reload().locked_until(HEAD) == until
    station.wall.ms = until
    assert station.slots.unlock(HEAD, pin="135790") == station.key


# ------------------------------------------------------------------------------------------------ bad days


def in_the_way(station: Station) -> None:
    """Make every change of the file fail, for any user: a folder stands where the new file is to be written."""
    (station.folder / "keyslots.json.new").mkdir()


def test_a_file_that_cannot_be_written_stays_as_it_was(station: Station) -> None:
    before = station.path.read_bytes()
    in_the_way(station)
    with pytest.raises(KeysError, match="keys_unwritable"):
        station.slots.add(GRID, pin="246801", database_key=station.key)
    assert station.path.read_bytes() == before
    assert [info.account_id for info in station.slots.people()] == [HEAD]


def test_the_count_holds_and_the_right_pin_opens_without_room_on_the_disk(station: Station) -> None:
    station.fail()
    in_the_way(station)
    station.fail(3)
    assert station.slots.unlock(HEAD, pin="135790") == station.key
    station.fail(FREE_TRIES)
    with pytest.raises(PinLocked):
        station.slots.unlock(HEAD, pin="135790")


def test_the_keys_of_a_database_are_never_written_over(station: Station) -> None:
    with pytest.raises(KeysError, match="keys_exist"):
        KeySlots.create(station.path, device_secret=station.secret)


def test_missing_and_unreadable_files_are_told_apart(station: Station) -> None:
    station.path.unlink()
    with pytest.raises(KeysError, match="keys_missing"):
        station.reload()
    station.path.mkdir()
    with pytest.raises(KeysError, match="keys_unreadable"):
        station.reload()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b'{"format": "other", "version": 1}', b"{"])
def test_what_is_no_slot_file_is_damaged(station: Station, content: bytes) -> None:
    station.path.write_bytes(content)
    with pytest.raises(KeysError, match="keys_damaged"):
        station.reload()


def test_another_format_with_the_same_fields_is_damaged(station: Station) -> None:
    station.path.write_text(station.path.read_text().replace("qiaomen key slots", "something else"))
    with pytest.raises(KeysError, match="keys_damaged"):
        station.reload()


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_a_flipped_bit_is_damage_and_not_a_wrong_pin(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "keyslots.json"
    if not path.exists():
        Station(tmp_path)
    whole = path.read_bytes()
    secret = DeviceSecret.load_or_create(tmp_path / "device.secret")
    place = data.draw(st.integers(0, len(whole) - 1))
    bent = bytearray(whole)
    bent[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(bent)
    try:
        # White space between the values may change without harm; nothing may end in WrongPin.
        opened = len(KeySlots.load(path, device_secret=secret).unlock(HEAD, pin="135790"))
        code = ""
    except KeysError as error:
        opened, code = 0, error.code
    path.write_bytes(whole)
    assert (opened, code) in {(32, ""), (0, "keys_damaged"), (0, "keys_newer")}


def test_a_newer_file_is_named_so(station: Station) -> None:
    station.path.write_text('{"format": "qiaomen key slots", "version": 2, "rooms": []}')
    with pytest.raises(KeysError, match="keys_newer") as caught:
        station.reload()
    assert caught.value.params == {"version": 2}


# ------------------------------------------------------------------------------------------------ device secret


def test_the_device_secret_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "device.secret"
    made = DeviceSecret.load_or_create(path)
    assert DeviceSecret.load_or_create(path) == made
    assert len(made.value) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made.value.hex() not in repr(made)


def test_copied_files_open_by_the_recovery_code_only(station: Station) -> None:
    code = station.slots.set_recovery(station.key)
    elsewhere = DeviceSecret.load_or_create(station.folder / "other.secret")
    slots = station.reload(elsewhere)
    with pytest.raises(KeysError, match="other_device"):
        slots.unlock(HEAD, pin="135790")
    key = slots.unlock_recovery(code)
    assert key == station.key
    slots.add(HEAD, pin="975310", database_key=key)
    assert station.reload(elsewhere).unlock(HEAD, pin="975310") == station.key


@pytest.mark.parametrize("content", [b"", b"abcd", b"\xff" * 64, b"zz" * 32])
def test_a_damaged_device_secret_is_kept_aside_and_replaced(station: Station, content: bytes) -> None:
    path = station.folder / "device.secret"
    code = station.slots.set_recovery(station.key)
    path.write_bytes(content)
    slots = station.reload(DeviceSecret.load_or_create(path))
    assert (station.folder / "device.secret.damaged").read_bytes() == content
    with pytest.raises(KeysError, match="other_device"):
        slots.unlock(HEAD, pin="135790")
    assert slots.unlock_recovery(code) == station.key


def test_an_unreadable_device_secret_is_told(tmp_path: Path) -> None:
    (tmp_path / "device.secret").mkdir()
    with pytest.raises(KeysError, match="keys_unreadable"):
        DeviceSecret.load_or_create(tmp_path / "device.secret")


# ------------------------------------------------------------------------------------------------ one-time codes


def test_an_invited_person_chooses_a_pin(station: Station) -> None:
    code = new_one_time_code()
    station.slots.add_invite(GRID, code=code, database_key=station.key)
    assert [info.kind for info in station.reload().people()] == ["account", "invite"]
    with pytest.raises(KeysError, match="no_slot"):
        station.slots.unlock(GRID, pin="246801")
    assert station.slots.accept_invite(GRID, code=code.lower(), pin="246801") == station.key
    assert station.reload().unlock(GRID, pin="246801") == station.key
    with pytest.raises(KeysError, match="no_slot"):
        station.slots.accept_invite(GRID, code=code, pin="111111")


def test_a_code_for_a_forgotten_pin_leaves_the_pin_until_it_is_used(station: Station) -> None:
    code = new_one_time_code()
    station.slots.add_invite(HEAD, code=code, database_key=station.key)
    assert station.slots.unlock(HEAD, pin="135790") == station.key
    station.slots.accept_invite(HEAD, code=code, pin="975310")
    station.fail()
    assert station.slots.unlock(HEAD, pin="975310") == station.key


def test_wrong_codes_wait_like_wrong_pins(station: Station) -> None:
    station.slots.add_invite(GRID, code="ABCDE-FGHJK", database_key=station.key)
    for _ in range(FREE_TRIES):
        with pytest.raises(WrongPin):
            station.slots.accept_invite(GRID, code="ABCDE-FGHJM", pin="246801")
    with pytest.raises(PinLocked):
        station.slots.accept_invite(GRID, code="ABCDE-FGHJK", pin="246801")
    with pytest.raises(KeysError, match="code_mistyped"):
        station.slots.add_invite(GRID, code="ABCDE", database_key=station.key)


def test_a_code_runs_out(station: Station) -> None:
    station.slots.add_invite(GRID, code="ABCDE-FGHJK", database_key=station.key, expires_at=station.wall.ms + 1000)
    station.wall.ms += 1000
    with pytest.raises(KeysError, match="code_expired"):
        station.slots.accept_invite(GRID, code="ABCDE-FGHJK", pin="246801")
    station.wall.ms -= 1
    assert station.slots.accept_invite(GRID, code="ABCDE-FGHJK", pin="246801") == station.key


# ------------------------------------------------------------------------------------------------ recovery


def test_the_recovery_code_opens_and_a_new_one_replaces_it(station: Station) -> None:
    with pytest.raises(KeysError, match="no_slot"):
        station.slots.unlock_recovery(new_recovery_code())
    first = station.slots.set_recovery(station.key)
    assert station.reload().unlock_recovery(first) == station.key
    second = station.slots.set_recovery(station.key)
    with pytest.raises(KeysError, match="wrong_recovery_code"):
        station.slots.unlock_recovery(first)
    assert station.slots.unlock_recovery(second) == station.key


def test_a_recovery_code_is_printed_in_groups_of_four() -> None:
    code = new_recovery_code()
    assert [len(group) for group in code.split("-")] == [4] * 7
    assert set(code) <= {*ALPHABET, "-"}
    assert len({new_recovery_code() for _ in range(50)}) == 50


@pytest.mark.parametrize("_", range(30))
def test_a_recovery_code_is_read_as_it_is_typed(_: int) -> None:
    code = new_recovery_code()
    expected = read_recovery_code(code)
    assert len(expected) == 26
    sloppy = f"  {code.lower().replace('0', 'o').replace('1', 'l').replace('-', ' — ')}\n"
    assert read_recovery_code(sloppy) == expected
    assert read_recovery_code(code.replace("1", "I").replace("0", "O")) == expected


@given(place=st.integers(0, 27), by=st.integers(1, 31))
def test_any_wrong_character_is_noticed(place: int, by: int) -> None:
    code = list(new_recovery_code().replace("-", ""))
    code[place] = ALPHABET[(ALPHABET.index(code[place]) + by) % 32]
    with pytest.raises(KeysError, match="recovery_code_mistyped"):
        read_recovery_code("".join(code))


@given(first=st.integers(0, 25), second=st.integers(0, 25))
def test_any_swap_is_noticed(first: int, second: int) -> None:
    code = list(new_recovery_code().replace("-", ""))
    if code[first] != code[second]:
        code[first], code[second] = code[second], code[first]
        with pytest.raises(KeysError, match="recovery_code_mistyped"):
            read_recovery_code("".join(code))


@pytest.mark.parametrize("text", ["", "ABCD", "U" * 28, "é" * 28])
def test_what_is_no_recovery_code_is_mistyped(text: str) -> None:
    with pytest.raises(KeysError, match="recovery_code_mistyped"):
        read_recovery_code(text)


def test_a_one_time_code_is_read_as_it_is_typed() -> None:
    code = new_one_time_code()
    assert [len(group) for group in code.split("-")] == [5, 5]
    assert read_one_time_code(code.lower().replace("-", " ")) == code.replace("-", "")
    assert read_one_time_code("o123i-abcdl") == "01231ABCD1"
    with pytest.raises(KeysError, match="code_mistyped"):
        read_one_time_code("ABCDE-FGHJU")


# ------------------------------------------------------------------------------------------------ PINs


@pytest.mark.parametrize("pin", ["135790", "０８１５47", "猫爬树不下来", "a" * 63 + "b"])
def test_a_good_pin_passes(pin: str) -> None:
    check_pin(pin)


@pytest.mark.parametrize(
    ("pin", "code"),
    [
        ("12345", "pin_too_short"),
        ("  1357  ", "pin_too_short"),
        ("a" * 64 + "b", "pin_too_long"),
        ("888888", "pin_too_simple"),
        ("123456", "pin_too_simple"),
        ("987654", "pin_too_simple"),
        ("１２３４５６", "pin_too_simple"),
    ],
)
def test_a_bad_pin_says_why(pin: str, code: str) -> None:
    with pytest.raises(RuleError, match=code) as caught:
        check_pin(pin)
    assert caught.value.field == "pin"
