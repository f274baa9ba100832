"""People and PINs from the settings, against the real server: what one does, the other can use."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from communities import SECRETARY_PIN, Community, community
from desktop.pages.settings.page import SettingsPage
from desktop.pages.settings.people import PeopleCard
from desktop.pages.unlock.forms import CodeForm
from desktop.sync_status import Phase
from programs import Program


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Community]:
    with community(tmp_path) as made:
        yield made


@pytest.fixture
def program(qapp: QApplication, place: Community) -> Iterator[Program]:
    """The secretary's PC."""
    place.pc("first", place.code())
    made = place.program("first")
    made.try_pin(place.secretary, SECRETARY_PIN)
    made.until(lambda: made.window.at_work, "the secretary works")
    made.settle()
    yield made
    made.close()


def people_card(program: Program) -> PeopleCard:
    """The settings page with its people."""
    page = cast(SettingsPage, program.go("settings"))
    assert page.people is not None
    program.until(lambda: page.people is not None and page.people.area.count(), "the areas")
    return page.people


def add(program: Program, name: str, *, pin: str) -> str:
    """Add a head of the first building; the one-time code."""
    card = people_card(program)
    card.person.setText(name)
    card.role.setCurrentIndex(0)
    program.type(pin, card.pin)
    program.press("添加，拿一次性码")
    program.until(lambda: card.code or card.error, "an answer")
    assert card.code, card.error
    return card.code


def sync(program: Program) -> None:
    """One whole session."""
    program.app.agent.sync_now()
    program.until(lambda: program.app.agent.status.phase is Phase.IDLE, "the session's end")
    program.settle()


def test_a_person_added_for_this_pc_gets_in_by_the_code_and_works_offline(program: Program, place: Community) -> None:
    code = add(program, "王秀兰", pin=SECRETARY_PIN)
    assert "用在这台电脑上" in program.said()
    sync(program)
    program.app.leave()
    program.settle()
    assert "第一次：输一次性码" in program.said()
    tile = next(tile for tile in program.gate.people.tiles if "一次性码" in tile.accessibleName())
    assert tile.accessibleName().startswith("王秀兰")
    place.line.mishaps += ["no_line"] * 50  # from here on there is no line
    QTest.mouseClick(tile, Qt.MouseButton.LeftButton)
    form = program.gate.form
    assert isinstance(form, CodeForm)
    program.type(code, form.code)
    program.type("808182", form.pin)
    program.type("808182", form.again)
    program.key(Qt.Key.Key_Return)
    program.until(lambda: program.window.at_work, "the new head works")
    assert program.app.context.session.title == "b1 楼栋长"
    program.app.leave()
    program.settle()
    program.try_pin(tile_account(program, "王秀兰"), "808182")
    program.until(lambda: program.window.at_work, "in by PIN")


def tile_account(program: Program, name: str) -> str:
    """Whose tile says this name."""
    return next(tile.account for tile in program.gate.people.tiles if tile.accessibleName().startswith(name))


def test_a_person_added_for_another_pc_comes_there(program: Program, place: Community) -> None:
    code = add(program, "周桂英", pin="")
    assert "用在别的电脑上" in program.said()
    sync(program)
    program.app.leave()
    program.settle()
    assert "周桂英" not in program.said()
    _, account = place.pc("second", code, pin="717273")
    other = place.program("second")
    other.try_pin(account, "717273")
    other.until(lambda: other.window.at_work, "the other PC")
    assert other.app.context.session.name == "周桂英"
    other.close()


def test_a_colleague_with_a_code_from_elsewhere_joins_this_pc(program: Program, place: Community) -> None:
    code = add(program, "张磊", pin="")
    page = cast(SettingsPage, program.go("settings"))
    card = page.letting_in
    for field, text in (
        (card.code, code),
        (card.new, "717273"),
        (card.again, "717273"),
        (card.own, SECRETARY_PIN),
    ):
        program.type(text, field)
    program.press("让同事加入")
    program.until(lambda: program.window.notices.notice, "the good news")
    notice = program.window.notices.notice
    assert notice is not None
    assert notice.title == "同事可以用这台电脑了"
    assert card.code.text() == card.own.text() == ""
    sync(program)
    program.app.leave()
    program.settle()
    program.try_pin(tile_account(program, "张磊"), "717273")
    program.until(lambda: program.window.at_work, "the colleague works")


@pytest.mark.parametrize(
    ("code", "new", "again", "own", "said"),
    [
        ("ABC", "717273", "717273", SECRETARY_PIN, "码"),
        ("", "123456", "123456", SECRETARY_PIN, "太好猜"),
        ("", "717273", "717274", SECRETARY_PIN, "不一样"),
        ("", "717273", "717273", "999", "六位"),
        ("", "717273", "717273", "135791", "密码不对"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    program: Program, place: Community, code: str, new: str, again: str, own: str, said: str
) -> None:
    page = cast(SettingsPage, program.go("settings"))
    card = page.letting_in
    for field, text in ((card.code, code or place.code()), (card.new, new), (card.again, again), (card.own, own)):
        program.type(text, field)
    program.press("让同事加入")
    errors = [card.form.error_of(name) for name in ("code", "pin", "again", "own")]
    assert said in "".join(errors)
    assert len([error for error in errors if error]) == 1


def test_a_used_code_is_told(program: Program, place: Community) -> None:
    code = place.code()
    place.pc("elsewhere", code)
    card = cast(SettingsPage, program.go("settings")).letting_in
    for field, text in ((card.code, code), (card.new, "717273"), (card.again, "717273"), (card.own, SECRETARY_PIN)):
        program.type(text, field)
    program.press("让同事加入")
    program.until(lambda: card.form.error_of("code"), "a sentence")
    assert "用过" in card.form.error_of("code")
    assert card.code.text() == code


def test_without_a_line_nobody_is_added_and_nothing_is_lost(program: Program, place: Community) -> None:
    card = people_card(program)
    place.line.mishaps.append("no_line")
    card.person.setText("王秀兰")
    program.press("添加，拿一次性码")
    program.until(lambda: card.error, "a sentence")
    assert "没有网" in card.error
    assert card.person.text() == "王秀兰"


def test_the_secretarys_own_pin_must_be_right(program: Program) -> None:
    card = people_card(program)
    card.person.setText("王秀兰")
    program.type("135791", card.pin)
    program.press("添加，拿一次性码")
    program.until(lambda: card.form.error_of("pin"), "a sentence")
    assert "还能试" in card.form.error_of("pin")
    assert card.code == ""


def test_a_lost_code_is_replaced(program: Program, place: Community) -> None:
    first = add(program, "周桂英", pin="")
    sync(program)
    card = people_card(program)
    program.until(lambda: card.people.count() == 2, "both people")
    row = next(n for n in range(card.people.count()) if card.people.item(n).text().startswith("周桂英"))
    card.people.setCurrentRow(row)
    program.press("给这位发新的一次性码")
    program.until(lambda: card.code, "a new code")
    assert card.code != first
    _, account = place.pc("second", card.code)
    assert account


def test_one_is_asked_to_choose_before_a_new_code(program: Program) -> None:
    card = people_card(program)
    program.press("给这位发新的一次性码")
    assert card.error == "请先在名单里选一位。"


def test_no_code_stays_on_the_page_when_one_leaves(program: Program) -> None:
    code = add(program, "周桂英", pin="")
    program.app.leave()
    program.settle()
    assert code not in program.said()


def test_the_own_pin_is_changed(program: Program, place: Community) -> None:
    card = cast(SettingsPage, program.go("settings")).own_pin
    for field, text in ((card.old, "135791"), (card.new, "909192"), (card.again, "909192")):
        program.type(text, field)
    QTest.keyClick(card.again, Qt.Key.Key_Return)
    program.until(lambda: card.form.error_of("old"), "a sentence")
    assert "密码不对" in card.form.error_of("old")
    for field, text in ((card.old, SECRETARY_PIN), (card.new, "909192"), (card.again, "909192")):
        field.clear()
        program.type(text, field)
    program.press("改密码")
    program.until(lambda: program.window.notices.notice, "the news")
    program.app.leave()
    program.settle()
    program.try_pin(place.secretary, SECRETARY_PIN)
    assert "密码不对" in program.gate.error
    program.try_pin(place.secretary, "909192")
    program.until(lambda: program.window.at_work, "in by the new PIN")


def test_a_head_has_no_people_card(program: Program, place: Community) -> None:
    code = add(program, "王秀兰", pin="")
    _, account = place.pc("head", code, pin="717273")
    other = place.program("head")
    other.try_pin(account, "717273")
    other.until(lambda: other.window.at_work, "the head works")
    page = cast(SettingsPage, other.go("settings"))
    assert page.people is None
    assert page.own_pin.go.property("role") == "primary"
    other.close()


def forget_pcs(place: Community) -> None:
    """A backup of before these PCs came is restored: the server knows only the one the places were made on."""
    forget = f"DELETE FROM installation WHERE id <> '{place.device.installation}'"
    place.server.service._runner.write_now(lambda connection: connection.exec_driver_sql(forget))


def test_a_pc_that_the_server_has_forgotten_joins_again_with_a_fresh_code(program: Program, place: Community) -> None:
    forget_pcs(place)
    program.app.agent.sync_now()
    program.until(lambda: program.app.agent.status.code == "bad_signature", "the server's word")
    program.settle()
    program.go("sync")
    assert "重新接上服务器" in program.said()
    program.press("换一个新码重新接上")
    page = cast(SettingsPage, program.window.current)
    card = page.rejoining
    program.until(card.isVisible, "the card")
    program.type("ABC", card.code)
    program.press("换一个新码重新接上")
    assert "码" in card.form.error_of("code")
    card.code.setText(place.code())
    place.line.mishaps.append("no_line")
    program.press("换一个新码重新接上")
    program.until(lambda: "没有网" in card.form.error_of("code"), "a sentence")
    program.press("换一个新码重新接上")
    program.until(lambda: program.window.notices.notice, "the good news")
    notice = program.window.notices.notice
    assert notice is not None
    assert notice.title == "这台电脑重新接上了"
    assert card.code.text() == ""
    program.until(lambda: program.app.agent.status.phase is Phase.IDLE, "the session's end")
    assert program.app.agent.status.code == ""
