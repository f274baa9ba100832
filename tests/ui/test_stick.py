"""Sync by stick on the sync page: the whole program, a real file, the centre's part done by the real server."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from communities import SECRETARY_PIN, Community, community
from desktop.drives import stick_folder, sticks_in
from desktop.pages.sync_centre.page import SyncPage
from desktop.sync_status import Phase
from programs import Program
from sync.store import blobs
from sync.store.store import Store
from sync.wire.bundle import read_file, write_file


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Community]:
    with community(tmp_path) as made:
        yield made


@pytest.fixture
def program(qapp: QApplication, place: Community) -> Iterator[Program]:
    place.pc("first", place.code())
    made = place.program("first")
    made.try_pin(place.secretary, SECRETARY_PIN)
    made.until(lambda: made.window.at_work, "the secretary works")
    made.settle()
    yield made
    made.close()


@pytest.fixture
def page(program: Program) -> SyncPage:
    made = cast(SyncPage, program.go("sync"))
    program.press("现在同步")  # the PC has met its centre once
    program.until(lambda: program.app.agent.status.phase is Phase.IDLE, "the first greeting")
    program.settle()
    program.press("停一停")  # and from now on there is no line
    return made


def record(program: Program, place: Community, household: str = "b1-101") -> None:
    operation, author = place.server.visit(household), place.secretary

    def save(store: Store) -> frozenset[tuple[str, str]]:
        return store.save(store.act(author), [operation])

    program.app.tasks.write(None, save)
    program.settle()


def stick_file(program: Program) -> Path:
    (path,) = program.home.glob("带去中心-*.qmb")
    return path


def carried_to_the_centre(program: Program, place: Community) -> Path:
    """The answer of the centre to the one file on the stick."""
    content, _ = asyncio.run(place.server.service.bundles.exchange(read_file(stick_file(program))))
    answer = program.home / "回信.qmb"
    write_file(answer, content)
    return answer


def test_there_and_back_in_plain_words(program: Program, place: Community, page: SyncPage) -> None:
    assert not page.stick.isVisible()
    record(program, place)
    record(program, place, "b2-101")
    program.press("没有网：存到 U 盘带走")
    assert page.stick.out.hasFocus()  # the keyboard stays where it was
    said = program.said()
    assert "带走了 2 条" in said
    assert stick_file(program).name in said
    assert "请把 U 盘交到社区中心" in said
    assert "等回信" in said
    answer = carried_to_the_centre(program, place)
    place.device.pull()
    assert len(place.device.of_kind("visit")) == 2
    place.device.accepted(place.server.visit("b1-102"))
    program.answers.files.append(answer)
    program.press("从 U 盘收进来")
    said = program.said()
    assert "您的 2 条已到中心" in said
    assert "等回信" not in said
    assert "用 U 盘 ✓" in said
    assert program.app.agent.status.unsent == 0
    program.answers.files.append(answer)
    program.press("从 U 盘收进来")
    assert "都已经收过了" in program.said()


def test_attached_files_wait_for_a_line_and_the_card_says_so(
    program: Program, place: Community, page: SyncPage
) -> None:
    record(program, place)
    program.press("没有网：存到 U 盘带走")
    assert "不走 U 盘" not in program.said()

    def attach(store: Store) -> frozenset[tuple[str, str]]:
        home, picture = place.server.places["b1-101"], b"%PDF-1.7"
        return blobs.add(store, place.secretary, record_kind="household", record_id=home, data=picture, name="协议.pdf")

    program.app.tasks.write(None, attach)
    program.settle()
    program.press("没有网：存到 U 盘带走")
    assert "附件（1 个）不走 U 盘，还在本机，等有网时自己传。" in program.said()


def test_a_file_that_is_not_taken_in_says_why(program: Program, place: Community, page: SyncPage) -> None:
    record(program, place)
    program.press("没有网：存到 U 盘带走")
    program.answers.files.append(stick_file(program))
    program.press("从 U 盘收进来")
    assert "这份是要带去中心的" in program.said()
    half = program.home / "half.qmb"
    half.write_bytes(stick_file(program).read_bytes()[:100])
    program.answers.files.append(half)
    program.press("从 U 盘收进来")
    assert "坏了" in program.said()
    assert "等回信" in program.said()
    assert program.app.agent.status.unsent == 1
    page.forget()
    assert "坏了" not in program.said()


def test_the_file_chooser_begins_at_a_stick() -> None:
    table = [
        "/dev/sda1 / ext4 rw 0 0",
        "//office/share /media/zhang/share cifs rw 0 0",
        "office:/home /mnt/usb nfs rw 0 0",
        r"/dev/sdb1 /media/zhang/我的\040U盘 vfat rw 0 0",
        "/dev/sdc1 /run/media/zhang/USB exfat rw 0 0",
    ]
    assert list(sticks_in(table)) == ["/media/zhang/我的 U盘", "/run/media/zhang/USB"]
    found = stick_folder()
    assert found is None or found.is_dir()


def test_the_window_does_not_wait_for_a_stick_that_does_not_answer(program: Program, page: SyncPage) -> None:
    answered, asked = threading.Event(), []

    def find() -> None:
        asked.append(threading.current_thread())
        answered.wait()

    page.stick._find = find
    QTest.mouseClick(page.stick.out, Qt.MouseButton.LeftButton)
    program.until(lambda: asked, "it is looked for")
    assert asked[0] is not threading.current_thread()
    assert not list(program.home.glob("带去中心-*.qmb"))
    answered.set()
    program.settle()
    assert stick_file(program)


def test_a_session_ends_before_a_stick_is_taken_in(program: Program, place: Community, page: SyncPage) -> None:
    record(program, place)
    program.press("没有网：存到 U 盘带走")
    answer = carried_to_the_centre(program, place)
    agent = program.app.agent
    agent.sync_now()  # begins while the person is choosing the file
    page.stick._import(answer)
    assert (agent._is_running, agent.aside.is_busy) == (True, False)
    program.until(lambda: agent.aside.is_busy, "the stick's turn")
    assert not agent._is_running
    program.until(lambda: not agent.aside.is_busy, "it is taken in")
    assert agent._is_running, "what the stick broke off goes on"
    program.until(lambda: agent.status.phase is Phase.IDLE, "the end")
    program.settle()
    assert agent.status.unsent == 0
