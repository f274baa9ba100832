"""The first start of an installed program: its community's file, the code from a stick, records without a line."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QIODevice, QTimer
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QCheckBox, QPushButton

from communities import SECRETARY_PIN, Community, community
from desktop import launch, settings
from desktop.app import Application
from desktop.code_file import read_code_file, write_code_file
from desktop.community import KEPT, Search
from desktop.community_line import line_of
from desktop.enrolling import set_up
from desktop.pages.settings.about import Release
from desktop.pages.settings.page import SettingsPage
from desktop.pages.setup.page import SetupPage
from desktop.paths import Paths, Places
from desktop.vault import Vault
from presets import ISSUER, as_file, as_folder, preset_files
from programs import Program, furnish
from servers import Server, running
from stations import Line
from sync.domain import example
from sync.errors import KeysError, Offline
from sync.wire import AddPerson, AddPersonReply
from sync.wire.bundle import read_file, write_file
from world import Clock, rules


def picture() -> bytes:
    image = QImage(40, 20, QImage.Format.Format_RGB32)
    image.fill(QColor("#24784f"))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(buffer.data().data())


def with_preset(folder: Path, **preset: object) -> Search:
    """An installed program with this preset beside it."""
    places = Places(install=folder / "install", site=folder / "etc", user=folder / "user")
    files = {
        "buildings.json": json.dumps([{"name": f"{n}号楼"} for n in range(1, 9)]).encode(),
        "logo.png": picture(),
        "icon.png": picture(),
    }
    as_folder(places.install_preset, preset_files(files=files, **preset))  # type: ignore[arg-type]
    return Search(places, (ISSUER.public,))


@pytest.fixture
def bare(tmp_path: Path) -> Search:
    """An installed program without a preset."""
    return Search(Places(tmp_path / "install", tmp_path / "etc", tmp_path / "user"), (ISSUER.public,))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Community]:
    with community(tmp_path) as made:
        yield made


Start = Callable[..., Program]


@pytest.fixture
def start(qapp: QApplication, tmp_path: Path) -> Iterator[Start]:
    """Starts programs and closes them at the end."""
    programs: list[Program] = []

    def begin(search: Search, home: str = "pc", **more: object) -> Program:
        more.setdefault("clock", Clock())
        made = Program(tmp_path / home, search=search, **more)  # type: ignore[arg-type]
        programs.append(made)
        return made

    yield begin
    for program in programs:
        program.close()


def fill(program: Program, code: str, pin: str = SECRETARY_PIN) -> None:
    for field, text in ((program.setup.code, code), (program.setup.pin, pin), (program.setup.again, pin)):
        field.setText(text)
    program.press("开始")


# ---------------------------------------------------------------------------------------------- whose it is


def test_the_community_is_shown_and_no_address_is_asked(start: Start, tmp_path: Path) -> None:
    program = start(with_preset(tmp_path, more="text_size = 130"))
    said = program.said()
    assert "向阳社区" in said
    assert "8 栋楼：1号楼、2号楼、3号楼、4号楼、5号楼、6号楼等" in said
    assert not program.setup.server.isVisible()
    assert program.setup.code.hasFocus()
    assert "导入社区文件" not in said
    assert program.window.windowTitle() == "向阳社区 · 敲门"
    assert not program.window.windowIcon().isNull()
    assert program.app.settings.text_percent == 130


@pytest.mark.parametrize(
    ("file", "percent"),
    [
        ('{"text_percent": 100}', 150),
        ('{"text_percent": 175}', 175),  # of an older program: it was chosen
        ('{"text_percent": 130, "text_chosen": false}', 150),
        ('{"text_percent": 100, "text_chosen": true}', 100),
    ],
)
def test_the_size_that_somebody_chose_stays(paths: Paths, file: str, percent: int) -> None:
    paths.settings_file.write_text(file)
    assert settings.sized_for(settings.load(paths.settings_file).settings, text_size=145).text_percent == percent


def test_a_refused_file_is_told_and_the_program_can_be_set_up_by_hand(start: Start, tmp_path: Path) -> None:
    program = start(with_preset(tmp_path, spoil=lambda files: files.update({"community.toml": b"x"})))
    assert "社区文件签发以后被改过" in program.said()
    assert program.setup.server.isVisible()
    assert program.paths.data.exists()


def test_the_code_comes_from_a_file(start: Start, tmp_path: Path) -> None:
    program = start(with_preset(tmp_path))
    write_code_file(tmp_path / "码.txt", "敲门\n一次性码：ABCDE-12345\n")
    program.answers.files = [tmp_path / "nothing.txt", tmp_path / "码.txt"]
    program.press("从文件读取")
    assert "读不出来" in program.said()
    program.press("从文件读取")
    assert program.setup.code.text() == "ABCDE-12345"
    assert program.setup.pin.hasFocus()
    assert "读不出来" not in program.said()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("一次性码：ABCDE-12345，谢谢".encode("gb18030"), "ABCDE-12345"),
        ("码 abcde-12345".encode("utf-16"), "abcde-12345"),
        (b"\xff\xff 12345-67890", "12345-67890"),
        ("电话 12345-678901 码 UUUUU-UUUUU 码 0OIL1-23456".encode(), "0OIL1-23456"),
        (b"nothing", ""),
        (b"x" * 20_000 + b" ABCDE-12345", ""),
    ],
)
def test_codes_are_found_in_files_of_any_editor(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "code.txt").write_bytes(content)
    if code:
        assert read_code_file(tmp_path / "code.txt") == code
    else:
        with pytest.raises(KeysError, match="code_file_empty"):
            read_code_file(tmp_path / "code.txt")


# --------------------------------------------------------------------------------------------- taking a file in


def test_a_file_from_a_stick_is_taken_in_or_refused(start: Start, bare: Search, tmp_path: Path) -> None:
    program = start(bare)
    spoilt = preset_files(spoil=lambda files: files.update({"run.sh": b"x"}))
    program.answers.files = [
        as_file(tmp_path / "stick" / "bad.qiaomenpreset", spoilt),
        as_file(tmp_path / "stick" / "good.qiaomenpreset", preset_files()),
    ]
    program.press("导入社区文件")
    assert "多了不该有的东西" in program.said()
    assert bare.run().preset is None
    program.press("导入社区文件")
    assert bare.run().community_id == "xiangyang"
    assert len(program.restarts) == 1


def test_the_program_begins_anew_with_it(qapp: QApplication, bare: Search, tmp_path: Path) -> None:
    titles: list[str] = []
    folders: list[Path] = []

    def act(program: Application) -> None:
        titles.append(program.window.windowTitle())
        folders.append(program.context.paths.data)
        if len(titles) == 1:
            bare.take(as_file(tmp_path / "x.qiaomenpreset", preset_files()), community_id="")
            program.context.restart()
        else:
            program.window.close()

    assert launch.run(search=bare, dress=lambda program: QTimer.singleShot(0, program, lambda: act(program))) == 0
    assert titles == ["敲门", "向阳社区 · 敲门"]
    assert [folder.parent.name for folder in folders] == ["qiaomen", "qiaomen-xiangyang"]
    assert (folders[1] / KEPT).exists()


def test_a_pc_that_was_set_up_by_hand_keeps_its_records(qapp: QApplication, bare: Search, tmp_path: Path) -> None:
    """A community file for records that were here before it: they stay where they are, under its address."""
    data = bare.paths("").data
    furnish(data.parent, clock=Clock())
    assert bare.earlier == data
    preset = bare.take(as_file(tmp_path / "x.qiaomenpreset", preset_files()), community_id="")
    bare.adopt(preset)
    found = bare.run()
    assert found.preset is not None
    assert bare.paths(found.community_id).data == data
    assert Vault(bare.paths(found.community_id).data).is_set_up
    assert bare.earlier is None
    other = replace(bare, places=replace(bare.places, install=tmp_path / "other"))
    as_folder(other.places.install_preset, preset_files("chaoyang", name="朝阳社区"))
    assert other.paths(other.run().community_id).data != data


def test_earlier_records_are_offered_to_the_installed_community(start: Start, tmp_path: Path) -> None:
    search = with_preset(tmp_path)
    data = search.paths("").data
    furnish(data.parent, clock=Clock())
    program = start(search)
    assert "已经有“向阳社区”的资料" in program.said()
    program.press("接着用这份资料")
    assert "接着用这台电脑上的资料？" in program.answers.asked
    assert len(program.restarts) == 1
    assert search.paths(search.run().community_id).data == data


# ------------------------------------------------------------------------------------------------ letting in


def test_the_server_of_the_file_counts_whatever_was_typed(start: Start, tmp_path: Path) -> None:
    program = start(with_preset(tmp_path, servers=("https://a.test", "https://b.test")))
    connect = program.app.context.connect
    assert connect is not None
    with connect("http://typed.test") as http:
        assert str(http.base_url) == "https://a.test"
    assert line_of(None) is None


def test_an_authority_that_is_none_is_told_as_a_line_that_fails(bare: Search) -> None:
    as_folder(bare.places.install_preset, preset_files(files={"ca.pem": b"none"}))
    connect = line_of(bare.run().preset)
    assert connect is not None
    with pytest.raises(Offline, match="certificate"):
        connect("")


def test_the_first_records_come_by_stick_when_the_line_goes(start: Start, place: Community, tmp_path: Path) -> None:
    line = place.line
    program = start(with_preset(tmp_path), clock=line.clock, connect=lambda _: line.client())
    line.mishaps += ["", "", *["no_line"] * 500]
    fill(program, place.code())
    program.until(lambda: "请把这个码收好" in program.said(), "the recovery code")
    program.all(QCheckBox)[0].setChecked(True)
    program.press("开始使用")
    program.until(lambda: program.setup.stick is not None, "the way without a line")
    by_stick(program, place)


def test_the_stick_is_offered_at_the_next_start_too(start: Start, place: Community, tmp_path: Path) -> None:
    line, search = place.line, with_preset(tmp_path)
    line.mishaps += ["", "", *["no_line"] * 500]
    _, account_id = place.pc("pc", place.code())
    program = start(search, clock=line.clock, connect=lambda _: line.client())
    program.try_pin(account_id, SECRETARY_PIN)
    program.until(lambda: program.gate.stick is not None, "the way without a line")
    program.answers.files = [as_file(tmp_path / "x.qmb", {"x": b"x"})]
    program.press("从 U 盘收进来")
    stick = program.gate.stick
    assert stick is not None
    program.until(lambda: stick.said, "what is wrong with that file")
    by_stick(program, place)


def button_with_keyboard(program: Program) -> str:
    """What the button says that has the keyboard; '' when none has."""
    return next((shown.text() for shown in program.all(QPushButton) if shown.hasFocus()), "")


def by_stick(program: Program, place: Community) -> None:
    """The file goes to the centre, its answer comes back, and the person is in."""
    stick = program.setup.stick if isinstance(program.window.gate, SetupPage) else program.gate.stick
    assert stick is not None
    stick.out.setFocus()
    program.press("存文件到 U 盘")
    program.until(lambda: list(program.home.glob("带去中心-*.qmb")), "the file")
    program.settle()
    assert "存文件到 U 盘" in button_with_keyboard(program)  # the keyboard stays where it was
    (out,) = program.home.glob("带去中心-*.qmb")
    assert out.name in program.said()
    content, _ = asyncio.run(place.server.service.bundles.exchange(read_file(out)))
    write_file(program.home / "answer.qmb", content)
    program.answers.files = [program.home / "answer.qmb"]
    program.press("从 U 盘收进来")
    program.until(lambda: program.window.at_work, "work")
    program.settle()
    found: list[int] = []
    count = "SELECT count(*) FROM household"
    program.app.tasks.read(None, lambda reader: reader.db.conn.execute(count).fetchone()[0], found.append)
    program.settle()
    assert found == [8]


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "large", example="small") as made:
        yield made


def test_ones_own_building_can_be_used_while_the_rest_is_coming(large: Server, tmp_path: Path) -> None:
    secretary = large.enrol(large.first_code())
    worker = next(person for person in example.people("small") if person.key == "grid0")
    message = AddPerson(by=secretary.author, account=worker.account_id)
    code = secretary.ask(f"people/{worker.account_id}/code", message, AddPersonReply).code
    line, vault = Line(large.http, large.clock), Vault(tmp_path / "pc")
    vault.folder.mkdir()
    made = set_up(
        vault,
        server_url="http://server.test",
        code=code,
        pin=SECRETARY_PIN,
        rules=rules(),
        wall=large.clock,
        connect=lambda _: line.client(),
        patience_s=0.0,
    )
    assert (made.is_usable, made.is_complete) == (True, False)


# --------------------------------------------------------------------------------------------------- about


@pytest.fixture
def settled(start: Start, tmp_path: Path) -> Program:
    """A PC at work, whose own preset is well and whose administrator dropped a spoilt newer one."""
    search = with_preset(tmp_path, sequence=3, more='modules = ["needs_map"]')
    spoilt = preset_files(sequence=4, spoil=lambda files: files.update({"community.toml": b"x"}))
    as_folder(search.places.site / "xiangyang", spoilt)
    clock = Clock()
    furnish(tmp_path / "pc", clock=clock)
    program = start(search, clock=clock)
    program.unlock("head3")
    return program


def test_about_tells_whose_program_this_is_and_what_was_refused(settled: Program) -> None:
    page = settled.go("settings")
    assert isinstance(page, SettingsPage)
    said = settled.said()
    for words in ("向阳社区 (xiangyang)", "第 3 号", ISSUER.public.name, "社区文件签发以后被改过", "LGPL", "SQLCipher"):
        assert words in said, words


def test_a_newer_file_is_taken_in_and_counts_from_the_next_start(settled: Program, tmp_path: Path) -> None:
    page = settled.go("settings")
    assert isinstance(page, SettingsPage)
    search = settled.app.context.search
    assert search is not None
    newer = preset_files(sequence=5, servers=("http://new.test",))
    settled.answers.files = [
        as_file(tmp_path / "old.qiaomenpreset", preset_files(sequence=2)),
        as_file(tmp_path / "other.qiaomenpreset", preset_files("chaoyang", name="朝阳社区")),
        as_file(tmp_path / "new.qiaomenpreset", newer),
    ]
    for words in ("是旧的", "另一个社区的文件：朝阳社区"):
        page.about.take_in.click()
        settled.settle()
        assert words in page.about.said
    page.about.take_in.click()
    settled.settle()
    assert "向阳社区的文件已经导入" in settled.answers.asked
    found = search.run().preset
    assert found is not None
    assert found.community.servers == ("http://new.test",)


def test_what_the_community_does_without_is_not_in_the_sidebar(settled: Program) -> None:
    entries = {shown.accessibleName() for shown in settled.window.sidebar.findChildren(QPushButton)}
    assert {"今日", "需求图"} <= entries
    assert "调处" not in entries
    settled.go("disputes")  # what stands there is still reached from elsewhere


def test_the_release_of_an_installed_program_is_told(tmp_path: Path) -> None:
    assert Release.of(tmp_path).licences is None
    (tmp_path / "LICENSES").mkdir()
    (tmp_path / "RELEASE.toml").write_text('version = "1.2.0"\nsequence = 7\n')
    assert Release.of(tmp_path) == Release("1.2.0", 7, tmp_path / "LICENSES")
    (tmp_path / "RELEASE.toml").write_text("version = 3")
    assert Release.of(tmp_path).sequence == 0


# --------------------------------------------------------------------------------------------- the secretary


def test_the_code_that_a_secretary_saves_is_the_one_that_is_read(
    qapp: QApplication, place: Community, tmp_path: Path
) -> None:
    place.pc("first", place.code())
    program = place.program("first")
    try:
        program.try_pin(place.secretary, SECRETARY_PIN)
        program.until(lambda: program.window.at_work, "the secretary works")
        page = program.go("settings")
        assert isinstance(page, SettingsPage)
        card = page.people
        assert card is not None
        program.until(card.area.count, "the areas")
        card.person.setText("赵敏")
        program.press("添加，拿一次性码")
        program.until(lambda: card.code, "the code")
        program.press("把码存成文件")
        file = program.home / "一次性码-赵敏.txt"
        program.until(file.exists, "the file")
        program.settle()
        assert read_code_file(file) == card.code
        assert "赵敏" in file.read_text("utf-8-sig")
        assert "请删掉它" in program.said()
    finally:
        program.close()


def test_a_stick_that_takes_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="code_file_unwritable"):
        write_code_file(tmp_path / "nowhere" / "code.txt", "x")
