"""The first start of a PC against the real server: what is asked, what is made, what is said when it does not go."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel

from programs import Program
from servers import Server, ServerClock, running
from stations import Line
from sync.errors import KeysError
from sync.keys.codes import new_recovery_code, read_recovery_code

CODE = "370812001017"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "server", community_code=CODE) as made:
        yield made


@pytest.fixture
def line(server: Server) -> Line:
    return Line(server.http, server.clock)


@pytest.fixture
def program(qapp: QApplication, tmp_path: Path, line: Line) -> Iterator[Program]:
    made = Program(tmp_path / "home", clock=line.clock, connect=lambda _: line.client())
    yield made
    made.close()


def fill(program: Program, code: str, *, pin: str = "864209", again: str = "", address: str = "server.test") -> None:
    """Type everything and press Enter."""
    page = program.setup
    for field, text in ((page.server, address), (page.code, code), (page.pin, pin), (page.again, again or pin)):
        field.clear()
        program.type(text, field)
    QTest.keyClick(page.again, Qt.Key.Key_Return)
    program.settle()


def recovery_code(program: Program) -> str:
    """The code in large letters."""
    return next(label.text() for label in program.all(QLabel) if label.accessibleName() == "恢复码")


def test_the_first_secretary_sets_the_pc_up_and_works(program: Program, server: Server) -> None:
    assert program.setup.server.hasFocus()
    fill(program, server.first_code())
    program.until(lambda: "请把这个码收好" in program.said(), "the recovery code")
    code = recovery_code(program)
    read_recovery_code(code)
    assert "别处都没有存" in program.said()
    program.press("打印恢复码")
    assert program.answers.asked == ["打印恢复码"]
    assert (program.home / "printed.pdf").read_bytes().startswith(b"%PDF")
    assert "送去打印" in program.said()
    program.press("开始使用")
    assert not program.window.at_work  # not before it was put away
    QTest.mouseClick(
        program.all(QCheckBox)[0], Qt.MouseButton.LeftButton, pos=program.all(QCheckBox)[0].rect().center()
    )
    program.all(QCheckBox)[0].setChecked(True)
    program.press("开始使用")
    program.until(lambda: program.window.at_work, "work")
    assert program.window.place == ("today", {})
    with pytest.raises(KeysError, match="wrong_recovery_code"):  # there is one, and it is not this
        program.app.vault.slots().unlock_recovery(new_recovery_code())
    program.app.leave()
    program.settle()
    assert program.app.settings.server_url == "http://server.test"
    program.try_pin(program.gate.people.tiles[0].account, "864209")
    program.until(lambda: program.window.at_work, "in again")


def test_without_a_printer_the_code_goes_to_a_file(program: Program, server: Server) -> None:
    program.answers.has_printer = False
    fill(program, server.first_code())
    program.until(lambda: "请把这个码收好" in program.said(), "the recovery code")
    program.press("打印恢复码")
    assert (program.home / "恢复码.pdf").exists()
    assert "打印以后请把这个文件删掉" in program.said()


def test_the_recovery_code_opens_the_pc(program: Program, server: Server) -> None:
    fill(program, server.first_code())
    program.until(lambda: "请把这个码收好" in program.said(), "the recovery code")
    code = recovery_code(program)
    assert len(program.app.vault.slots().unlock_recovery(code)) == 32
    texts = "".join(path.read_text("utf-8", "replace") for path in (program.home / "data").glob("*.json"))
    assert code not in texts


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"address": "two words"}, "服务器地址"),
        ({"address": "http://[bad"}, "服务器地址"),
        ({"code": "ABCD"}, "一次性码"),
        ({"pin": "123456"}, "太好猜"),
        ({"pin": "86420"}, "六位"),
        ({"again": "864208"}, "不一样"),
    ],
)
def test_what_cannot_be_right_is_said_at_the_field(
    program: Program, server: Server, change: dict[str, str], said: str
) -> None:
    fill(program, **{"code": server.first_code(), **change})
    assert said in program.said()
    assert not program.app.vault.is_set_up
    assert line_is_quiet(program)


def line_is_quiet(program: Program) -> bool:
    """Whether the page stands still and can be used."""
    return program.setup.start.isEnabled()


@pytest.mark.parametrize(
    ("mishap", "said"),
    [
        ("no_line", "没有网"),
        ("timeout", "没回话"),
        ("portal", "登录"),
        ("status 500", "服务器"),
        ("status 503 9", "忙"),
    ],
)
def test_a_spoilt_line_is_told_and_what_was_typed_stays(
    program: Program, server: Server, line: Line, mishap: str, said: str
) -> None:
    line.mishaps.append(mishap)
    fill(program, server.first_code())
    assert said in program.setup.error
    assert "什么都没改动" in program.setup.error
    assert program.setup.code.text() == server.first_code()
    assert not program.app.vault.is_set_up
    program.press("开始")
    program.until(lambda: "请把这个码收好" in program.said(), "the recovery code at the second try")


def test_a_code_that_is_used_unknown_or_old_is_told(
    program: Program, server: Server, line: Line, tmp_path: Path, qapp: QApplication
) -> None:
    device = server.enrol(server.first_code())
    fill(program, server.first_code())
    assert "用过" in program.setup.error
    assert "书记" in program.setup.error
    from sync.keys.codes import new_one_time_code

    fill(program, new_one_time_code())
    assert "不认" in program.setup.error or "没有这个" in program.setup.error, program.setup.error
    code = server.invite(device, "community_secretary", "community", server.community)
    clock = line.clock
    assert isinstance(clock, ServerClock)
    clock.now += 80 * 3_600_000
    fill(program, code)
    assert "过期" in program.setup.error or "过了" in program.setup.error, program.setup.error


def test_a_line_that_goes_while_receiving_costs_nothing(program: Program, server: Server, line: Line) -> None:
    line.mishaps += ["", "", "no_line"]
    fill(program, server.first_code())
    program.until(lambda: "请把这个码收好" in program.said(), "the recovery code")
    assert "自动接着收" in program.said()
    program.all(QCheckBox)[0].setChecked(True)
    program.press("开始使用")
    program.until(lambda: program.window.at_work, "let in when it has arrived")
