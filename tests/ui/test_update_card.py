"""更新 in the settings: offered, fetched, refused, handed over; and what is told of a version that did not open."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import msgspec
import pytest
from PySide6.QtWidgets import QApplication

from communities import SECRETARY_PIN, community
from desktop.community import Search
from desktop.pages.settings.page import SettingsPage
from desktop.pages.settings.update_card import UpdateCard
from desktop.paths import Paths, Places
from desktop.update_agent import Phase
from desktop.updating import Memory, Version
from offers import OFFERED, PACKAGE, RUN, installed_at, offer
from presets import ISSUER, STRANGER, as_file, as_folder, preset_files
from programs import Program, furnish
from sync.keys.manifests import MANIFEST
from world import Clock

Start = Callable[[], Program]


@pytest.fixture
def start(qapp: QApplication, tmp_path: Path) -> Iterator[Start]:
    """Starts the program of a community that was installed without an administrator, and lets its secretary in."""
    programs: list[Program] = []
    places = Places(install=tmp_path / "opt/q", site=tmp_path / "etc", user=tmp_path / "user")
    installed_at(places.install)
    as_folder(places.install_preset, preset_files(sequence=5))
    furnish(tmp_path / "pc", clock=Clock())

    def begin() -> Program:
        made = Program(tmp_path / "pc", clock=Clock(), search=Search(places, (ISSUER.public,)))
        programs.append(made)
        made.unlock("secretary")
        return made

    yield begin
    for program in programs:
        program.close()


def card(program: Program) -> UpdateCard:
    return cast(SettingsPage, program.go("settings")).updates


def look(program: Program, stick: Path) -> UpdateCard:
    """Look at a stick."""
    shown = card(program)
    program.answers.files = [stick / MANIFEST]
    program.press("从 U 盘更新")
    program.settle()
    return shown


def test_a_version_is_fetched_from_a_stick_and_handed_over_when_somebody_says_so(start: Start, tmp_path: Path) -> None:
    program = start()
    left: list[None] = []
    program.app.updates._leave = lambda: left.append(None)
    offer(tmp_path / "stick", msgspec.structs.replace(OFFERED, notes="打印更快了"))
    shown = look(program, tmp_path / "stick")
    assert shown.told == "有新版本 0.2.0（1 MB）；现在用的是 0.1.0 版。"
    assert "打印更快了" in program.said()
    program.press("下载")
    assert shown.told == "0.2.0 版已经下载好；现在用的是 0.1.0 版。"
    assert not left
    program.press("退出并安装")
    assert program.answers.asked[-1] == "现在安装 0.2.0 版吗？"
    program.until(lambda: left, "the program ends")
    process = program.app.updates._process
    assert process is not None
    assert process.wait() == 0
    told = (program.paths.data / "updates/arguments").read_text(encoding="utf-8").split()
    assert told == ["--update", "--dir", str(tmp_path / "opt/q")]
    assert shown.told == "已经交给安装程序。"


def test_whom_an_administrator_installed_is_told_to_open_the_program_again(start: Start, tmp_path: Path) -> None:
    (tmp_path / "opt/q/uninstall.sh").unlink()  # a .deb has none
    program = start()
    left: list[None] = []
    program.app.updates._leave = lambda: left.append(None)
    offer(tmp_path / "stick", msgspec.structs.replace(OFFERED, files={"linux-amd64-deb": RUN}))
    look(program, tmp_path / "stick")
    program.press("下载")
    shown = card(program)
    found = program.app.updates.standing.offer
    assert found is not None
    assert "请您再打开本程序" in shown._question(found).advice
    (tmp_path / "opt/q/uninstall.sh").touch()
    assert "自己再打开" in shown._question(found).advice


def test_nothing_newer_is_told_as_well(start: Start, tmp_path: Path) -> None:
    program = start()
    offer(tmp_path / "stick", msgspec.structs.replace(OFFERED, sequence=1, version="0.1.0"))
    assert card(program).told == "现在是 0.1.0 版。"
    assert look(program, tmp_path / "stick").told == "现在是 0.1.0 版，没有更新的。"


def test_a_forged_version_is_refused_with_its_reason(start: Start, tmp_path: Path) -> None:
    program = start()
    offer(tmp_path / "stick", key=STRANGER)
    shown = look(program, tmp_path / "stick")
    assert shown.told == "现在是 0.1.0 版。"
    assert "这个文件不是本程序信任的单位发的" in program.said()
    assert not shown.fetch.isVisible()
    offer(tmp_path / "stick")
    assert look(program, tmp_path / "stick").told.startswith("有新版本 0.2.0")
    assert "不是本程序信任" not in program.said()


def test_a_changed_package_is_refused_and_fetched_anew_when_it_is_whole(start: Start, tmp_path: Path) -> None:
    program = start()
    offer(tmp_path / "stick", package=PACKAGE.replace(b"arguments", b"argumentz"))
    shown = look(program, tmp_path / "stick")
    program.press("下载")
    assert "新版本和发布的不一样" in program.said()
    (tmp_path / "stick" / RUN.name).write_bytes(PACKAGE)
    program.press("再试一次")
    assert shown.told.startswith("0.2.0 版已经下载好")
    (program.paths.data / "updates" / RUN.name).write_bytes(b"x" * len(PACKAGE))  # on the disk, before it is run
    program.press("退出并安装")
    assert "新版本和发布的不一样" in program.said()
    assert program.app.updates.standing.phase is Phase.TROUBLE


def test_a_preset_of_the_community_comes_the_same_way(start: Start, tmp_path: Path) -> None:
    program = start()
    issued = as_file(tmp_path / "new.qiaomenpreset", preset_files(sequence=6, name="向阳社区二")).read_bytes()
    same = msgspec.structs.replace(OFFERED, sequence=1, version="0.1.0", preset_sequence=6)
    offer(tmp_path / "stick", same, preset=issued)
    shown = look(program, tmp_path / "stick")
    assert shown.told.startswith("社区新发了一份文件")
    program.press("下载")
    program.press("现在换上")
    program.until(lambda: program.restarts, "the program begins anew")
    search = program.app.context.search
    assert search is not None
    found = search.run().preset
    assert found is not None
    assert (found.sequence, found.community.name) == (6, "向阳社区二")


def test_a_version_that_did_not_open_is_told_and_not_praised(start: Start, tmp_path: Path) -> None:
    file = Paths.for_home(tmp_path / "pc").config / "updates.json"
    Memory(failed=Version("0.2.0", 2), seen=2, ran=1, opened=1).save(file)
    program = start()
    program.until(lambda: "0.2.0 版在这台电脑上没能打开" in program.said(), "the notice")
    offer(tmp_path / "stick")
    assert look(program, tmp_path / "stick").told == "0.2.0 版上次没能打开，可以再下载一次（1 MB）。"
    assert "正在用原来的版本，资料和原来一样。" in program.said()


def test_a_version_that_was_not_installed_is_told(start: Start, tmp_path: Path) -> None:
    file = Paths.for_home(tmp_path / "pc").config / "updates.json"
    Memory(installing=Version("0.2.0", 2), seen=2, ran=1, opened=1).save(file)
    program = start()
    card(program)
    assert "0.2.0 版没装上" in program.said()
    (tmp_path / "opt/q.previous/app").mkdir(parents=True)


def test_the_older_version_goes_when_the_new_one_has_opened(start: Start, tmp_path: Path) -> None:
    older = tmp_path / "opt/q.previous"
    (older / "app").mkdir(parents=True)
    program = start()
    program.until(lambda: not older.exists(), "the older version removed")
    assert Memory.load(program.paths.config / "updates.json").opened == 1


def test_a_quiet_look_speaks_of_a_version_once(start: Start, tmp_path: Path) -> None:
    program = start()
    updates = program.app.updates
    updates.look(tmp_path / "nothing", quietly=True)
    program.settle()
    assert updates.standing.phase is Phase.CURRENT
    offer(tmp_path / "stick")
    updates.look(tmp_path / "stick", quietly=True)
    program.until(lambda: "有新版本 0.2.0" in program.said(), "the notice")
    updates.look(quietly=True)
    program.settle()
    assert updates.standing.phase is Phase.FOUND
    updates.look()  # this PC is known to no server
    program.settle()
    assert updates.standing.phase is Phase.TROUBLE


def test_a_checkout_has_no_card(qapp: QApplication, tmp_path: Path) -> None:
    furnish(tmp_path / "pc", clock=Clock())
    program = Program(tmp_path / "pc", clock=Clock())
    program.unlock("secretary")
    assert not card(program).isVisible()
    program.close()


def test_a_version_comes_from_the_communitys_server(qapp: QApplication, tmp_path: Path) -> None:
    places = Places(install=tmp_path / "opt/q", site=tmp_path / "etc", user=tmp_path / "user")
    installed_at(places.install)
    as_folder(places.install_preset, preset_files(sequence=5))
    with community(tmp_path) as place:
        place.pc("first", place.code())
        program = Program(
            tmp_path / "first",
            clock=place.line.clock,
            connect=lambda _: place.line.client(),
            search=Search(places, (ISSUER.public,)),
        )
        program.try_pin(place.secretary, SECRETARY_PIN)
        program.until(lambda: program.window.at_work, "the secretary works")
        shown = card(program)
        program.press("找新版本")
        assert shown.told == "现在是 0.1.0 版，没有更新的。"
        place.server.service.releases._folder = offer(tmp_path / "releases").folder
        program.press("找新版本")
        place.line.mishaps[:] = ["no_line"]
        program.press("下载")
        assert program.app.updates.standing.phase is Phase.TROUBLE
        place.line.mishaps.clear()
        program.press("再试一次")
        assert shown.told == "0.2.0 版已经下载好；现在用的是 0.1.0 版。"
        program.close()
