"""Files on a dispute: added when somebody wants to, saved outside when asked, removed; nothing ever asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel

from desk import Desk
from desktop.pages.disputes.files import DisputeFiles
from desktop.pages.disputes.page import DisputesPage
from desktop.widgets.buttons import ActionButton
from sync.domain.disputes import NoticeIntent
from sync.store import blobs, disputes
from sync.store.disputes import Sides
from world import World

PICTURE = b"\xff\xd8\xff" + bytes(400_000)


@pytest.fixture
def desk(tmp_path: Path, qapp: QApplication) -> Iterator[Desk]:
    made = Desk(World(tmp_path), tmp_path)
    yield made
    made.close()
    assert made.failures == []


@pytest.fixture
def files(desk: Desk) -> DisputeFiles:
    """The files of a dispute that the head of building 3 has noted."""
    world = desk.world
    intent = NoticeIntent(title="晾衣滴水", place="3-1-201", other_party="3-1-301", summary="两家说了几句")
    noted = disputes.record(world.store, world.as_("head3"), intent, Sides()).dispute_id
    desk.sit("head3")
    page = DisputesPage(desk.context)
    desk.show(page, dispute_id=noted)
    return page.view.files


def told(files: DisputeFiles) -> list[str]:
    return [shown.text() for shown in files.findChildren(QLabel) if shown.isVisible()]


def press(desk: Desk, files: DisputeFiles, words: str) -> None:
    (found,) = [one for one in files.findChildren(ActionButton) if one.isVisible() and one.words == words]
    found.click()
    desk.settle()


def add(desk: Desk, files: DisputeFiles, name: str, data: bytes) -> None:
    path = desk.answers.folder / name
    path.write_bytes(data)
    desk.answers.files.append(path)
    press(desk, files, "加一个文件（有需要才加）")


def test_a_file_is_added_and_says_where_it_is(desk: Desk, files: DisputeFiles) -> None:
    assert files.isVisible()
    assert told(files) == []
    add(desk, files, "协议.jpg", PICTURE)
    assert told(files) == ["协议.jpg · 0.4 MB · 王秀兰 · 会自己传到中心"]


def test_a_copy_can_be_saved_and_the_person_is_told_that_it_is_not_encrypted(desk: Desk, files: DisputeFiles) -> None:
    add(desk, files, "协议.jpg", PICTURE)
    (desk.answers.folder / "协议.jpg").unlink()
    press(desk, files, "另存一份")
    assert (desk.answers.folder / "协议.jpg").read_bytes() == PICTURE
    assert "不再加密" in desk.notices[-1].advice


def test_a_file_can_be_taken_away_after_a_question(desk: Desk, files: DisputeFiles) -> None:
    add(desk, files, "协议.jpg", PICTURE)
    press(desk, files, "去掉")
    assert desk.answers.asked[-1] == "去掉“协议.jpg”？"
    assert told(files) == []


def test_a_colleagues_file_is_fetched_when_asked_for(desk: Desk, files: DisputeFiles) -> None:
    add(desk, files, "协议.jpg", PICTURE)
    store = desk.world.store
    for table in ("blob", "blob_piece"):
        store.db.conn.execute(f"DELETE FROM {table}")
    files.reload()
    desk.settle()
    assert told(files) == ["协议.jpg · 0.4 MB · 王秀兰 · 存在中心"]
    press(desk, files, "取到这台电脑")
    assert told(files) == ["协议.jpg · 0.4 MB · 王秀兰 · 正在取来"]
    (made,) = store.db.conn.execute("SELECT id FROM attachment").fetchone()
    assert blobs.read(store.db, desk.world.viewer("head3"), made) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "没加上：这个文件是空的"),
        (b"MZ" + bytes(100), "没加上：这不是图片，也不是 PDF"),
        (b"%PDF-" + bytes(20 * 1024 * 1024), "没加上：一个文件最大 20 MB"),
    ],
)
def test_what_cannot_be_added_is_said_and_nothing_changes(
    desk: Desk, files: DisputeFiles, data: bytes, said: str
) -> None:
    add(desk, files, "a.jpg", data)
    assert desk.notices[-1].title == said
    assert told(files) == []


def test_a_file_that_is_gone_or_a_folder_that_is_closed_is_said(desk: Desk, files: DisputeFiles) -> None:
    desk.answers.files.append(desk.answers.folder / "fehlt.jpg")
    press(desk, files, "加一个文件（有需要才加）")
    assert desk.notices[-1].title == "这个文件读不出来"
    add(desk, files, "协议.jpg", PICTURE)
    desk.answers.folder = desk.answers.folder / "gone"
    press(desk, files, "另存一份")
    assert desk.notices[-1].title == "存不到那里"


def test_the_next_person_sees_nothing_of_it(desk: Desk, files: DisputeFiles) -> None:
    add(desk, files, "协议.jpg", PICTURE)
    page = files.parentWidget()
    while page is not None and not isinstance(page, DisputesPage):
        page = page.parentWidget()
    assert page is not None
    page.forget()
    desk.settle()
    assert not files.isVisible()
