"""The unlock page: names and digits by hand and by key, waiting after wrong ones, codes, and who is turned away."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.pages.unlock.forms import CodeForm, PinForm, RecoveryForm
from desktop.vault import Vault
from programs import PIN, Clock, Program, furnish, ident
from sync.domain.operations import patch
from sync.keys.slots import FIRST_WAIT_MS, FREE_TRIES
from sync.store.store import Store
from world import KEY, PEOPLE, rules

WRONG = "135791"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault(tmp_path: Path, clock: Clock) -> Vault:
    return furnish(tmp_path / "home", clock=clock)


@pytest.fixture
def program(qapp: QApplication, vault: Vault, tmp_path: Path, clock: Clock) -> Iterator[Program]:
    made = Program(tmp_path / "home", clock=clock)
    yield made
    made.close()


def test_everybody_with_a_slot_is_shown_with_the_post(program: Program) -> None:
    names = [tile.accessibleName() for tile in program.gate.people.tiles]
    assert names == [f"{chinese} {title}" for chinese, title, *_ in PEOPLE.values()]
    assert "向阳社区 · 向阳里驿站" in program.said()
    assert isinstance(program.gate.form, PinForm)


def test_the_keyboard_is_in_the_pin_from_the_first_moment(program: Program) -> None:
    assert isinstance(program.gate.form, PinForm)
    assert QApplication.focusWidget() is program.gate.form.pin


def test_a_click_and_six_digits_open(program: Program) -> None:
    QTest.mouseClick(program.gate.people.tiles[2], Qt.MouseButton.LeftButton)
    QTest.keyClicks(QApplication.focusWidget(), PIN)
    program.press("打开")
    program.until(lambda: program.window.at_work, "in")
    assert program.app.context.session.account_id == ident("grid")


def test_arrows_choose_and_digits_on_a_tile_begin_the_pin(program: Program) -> None:
    program.key(Qt.Key.Key_Down)
    assert program.gate.people.tiles[4].isChecked()
    assert program.gate.people.tiles[4].hasFocus()
    program.key(Qt.Key.Key_Right)
    assert program.gate.people.tiles[5].isChecked()
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClicks(focused, "2")
    assert isinstance(program.gate.form, PinForm)
    assert program.gate.form.pin.text() == "2"
    assert program.gate.form.pin.hasFocus()


def test_letters_find_a_name(qapp: QApplication, tmp_path: Path, clock: Clock) -> None:
    home = tmp_path / "other"
    vault = furnish(home, clock=clock)
    profile = vault.profile()
    pinyin = rules().pinyin
    vault.keep_profile(
        type(profile)(
            community_id=profile.community_id,
            community_name="",
            people=tuple(
                type(who)(account_id=who.account_id, name=who.name, title="", initials=pinyin.initials(who.name))
                for who in profile.people
            ),
        )
    )
    program = Program(home, clock=clock)
    form = program.gate.form
    assert isinstance(form, PinForm)
    QTest.keyClicks(form.pin, "g")
    program.type("zy", program.gate.people.filter)
    assert [tile.account for tile in program.gate.people.tiles] == [ident("mediator")]
    program.key(Qt.Key.Key_Return)
    focused = QApplication.focusWidget()
    assert isinstance(program.gate.form, PinForm)
    assert focused is program.gate.form.pin
    QTest.keyClicks(focused, PIN)
    program.key(Qt.Key.Key_Return)
    program.until(lambda: program.window.at_work, "in")
    assert program.app.context.session.account_id == ident("mediator")
    program.close()


def test_many_people_come_as_seven_and_a_tile_for_the_rest(qapp: QApplication, tmp_path: Path, clock: Clock) -> None:
    home = tmp_path / "many"
    vault = furnish(home, clock=clock)
    slots = vault.slots()
    for number in range(3):
        slots.add(ident(f"more {number}"), pin=PIN, database_key=KEY)
    program = Program(home, clock=clock)
    tiles = program.gate.people.tiles
    assert len(tiles) == 8
    assert "更多 3 人" in tiles[-1].accessibleName()
    QTest.mouseClick(tiles[-1], Qt.MouseButton.LeftButton)
    assert len(program.gate.people.tiles) == 10
    assert program.gate.people.filter.hasFocus()
    program.close()


def test_a_wrong_pin_says_what_is_left_and_empties_the_field(program: Program) -> None:
    program.try_pin(ident("head3"), WRONG)
    assert "密码" in program.gate.error
    assert "还能试 4 次" in program.gate.error
    assert "内容没丢" in program.gate.error
    form = program.gate.form
    assert isinstance(form, PinForm)
    assert form.pin.text() == ""
    assert form.isEnabled()
    assert form.pin.hasFocus()
    assert not program.app.tasks.is_open


def test_five_digits_are_told_without_a_try(program: Program) -> None:
    program.try_pin(ident("head3"), "12345")
    assert program.gate.error == "密码是六位数字。"


def test_after_five_wrong_ones_it_waits_and_counts_down(program: Program, clock: Clock) -> None:
    for _ in range(FREE_TRIES):
        program.try_pin(ident("head3"), WRONG)
    program.try_pin(ident("head3"))
    assert not program.window.at_work
    assert "请等" in program.gate.error
    assert "内容没丢" in program.gate.error
    # The page's clock stands still in tests: move it past the wait.
    assert program.gate._until > 0
    clock.now = program.gate._until
    program.gate._count_down()
    assert program.gate.error == "现在可以再试了。"
    program.unlock("grid")
    assert FIRST_WAIT_MS == 30_000


def test_a_forgotten_pin_is_replaced_by_the_recovery_code(program: Program, vault: Vault) -> None:
    code = vault.slots().set_recovery(vault.unlock(ident("grid"), PIN))
    program.gate.choose(ident("head3"))
    program.press("忘了密码")
    form = program.gate.form
    assert isinstance(form, RecoveryForm)
    program.type(code, form.code)
    program.type("975310", form.pin)
    program.type("975310", form.again)
    program.press("打开")
    program.until(lambda: program.window.at_work, "in")
    assert program.app.context.session.account_id == ident("head3")
    program.app.leave()
    program.settle()
    program.unlock("head3", "975310")


@pytest.mark.parametrize(
    ("pin", "again", "said"),
    [
        ("123456", "123456", "太好猜"),
        ("111111", "111111", "太好猜"),
        ("97531", "97531", "六位"),
        ("975310", "975311", "不一样"),
    ],
)
def test_new_pins_have_rules(program: Program, vault: Vault, pin: str, again: str, said: str) -> None:
    code = vault.slots().set_recovery(vault.unlock(ident("grid"), PIN))
    program.press("忘了密码")
    form = program.gate.form
    assert isinstance(form, RecoveryForm)
    program.type(code, form.code)
    program.type(pin, form.pin)
    program.type(again, form.again)
    program.press("打开")
    assert said in program.gate.error
    assert form.code.text() == code


def test_a_mistyped_recovery_code_is_told_before_it_is_tried(program: Program) -> None:
    program.press("忘了密码")
    form = program.gate.form
    assert isinstance(form, RecoveryForm)
    program.type("ABCD-EFGH", form.code)
    program.press("打开")
    assert "恢复码" in program.gate.error
    program.press("返回")
    assert isinstance(program.gate.form, PinForm)


def test_a_first_timer_types_the_code_and_chooses_a_pin(
    qapp: QApplication, vault: Vault, tmp_path: Path, clock: Clock
) -> None:
    from sync.keys.codes import new_one_time_code

    slots, code = vault.slots(), new_one_time_code()
    slots.remove(ident("staff"))
    slots.add_invite(ident("staff"), code=code, database_key=vault.unlock(ident("grid"), PIN))
    program = Program(tmp_path / "home", clock=clock)
    assert "第一次：输一次性码" in program.said()
    program.gate.choose(ident("staff"))
    form = program.gate.form
    assert isinstance(form, CodeForm)
    program.type(new_one_time_code(), form.code)
    program.type("808182", form.pin)
    program.type("808182", form.again)
    program.press("打开")
    assert "一次性码不对" in program.gate.error
    form.code.clear()
    program.type(code, form.code)
    program.type("808182", form.pin)
    program.type("808182", form.again)
    program.key(Qt.Key.Key_Return)
    program.until(lambda: program.window.at_work, "in")
    assert program.app.context.session.name == "刘敏"
    program.close()


def test_an_old_code_is_told(qapp: QApplication, vault: Vault, tmp_path: Path, clock: Clock) -> None:
    from sync.keys.codes import new_one_time_code

    slots, code = vault.slots(), new_one_time_code()
    slots.remove(ident("staff"))
    slots.add_invite(ident("staff"), code=code, database_key=vault.unlock(ident("grid"), PIN), expires_at=1)
    program = Program(tmp_path / "home", clock=clock)
    program.gate.choose(ident("staff"))
    form = program.gate.form
    assert isinstance(form, CodeForm)
    program.type(code, form.code)
    program.type("808182", form.pin)
    program.type("808182", form.again)
    program.press("打开")
    assert "一次性码" in program.gate.error
    assert "书记" in program.gate.error
    program.close()


def test_who_has_no_post_any_more_is_told_so(qapp: QApplication, vault: Vault, tmp_path: Path, clock: Clock) -> None:
    key = vault.unlock(ident("grid"), PIN)
    store = Store.open(vault.database, key, rules=rules(), wall=clock)
    store.seed([patch("grant", ident("staff:grant"), valid_to="2026-11-01")])
    store.set_state(synced_at=clock())
    store.close()
    program = Program(tmp_path / "home", clock=clock)
    program.try_pin(ident("staff"))
    program.until(lambda: program.gate.error, "a sentence")
    assert "没有岗位" in program.gate.error
    assert "都留着" in program.gate.error
    program.unlock("head3")
    program.close()


def test_whose_post_ends_while_working_is_shown_out(program: Program) -> None:
    program.unlock("staff")
    program.app.tasks.write(
        None, lambda store: store.seed([patch("grant", ident("staff:grant"), valid_to="2026-11-01")])
    )
    program.until(lambda: program.window.gate is not None, "the gate")
    program.settle()
    assert "岗位" in program.gate.error or "还没收到" in program.gate.error
    assert not program.app.context.session.is_open
