"""Conflicts on the sync page: both versions side by side, decided by a person, the other one kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from communities import SECRETARY_PIN, Community, community
from desktop.pages.sync_centre.conflict_box import ConflictBox
from desktop.pages.sync_centre.page import SyncPage
from desktop.sync_status import Phase
from programs import Program
from servers import Device
from sync.domain.ids import new_id
from sync.domain.operations import Operation, delete, new, patch
from sync.store import access, outbox
from sync.store.store import Reader, Store


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Community]:
    with community(tmp_path) as made:
        yield made


@pytest.fixture
def other(place: Community) -> Device:
    """The grid worker at another PC."""
    return place.server.person(place.device, "grid_worker", "compound", "compound")


@pytest.fixture
def program(qapp: QApplication, place: Community, other: Device) -> Iterator[Program]:
    place.pc("first", place.code())
    made = place.program("first")
    made.try_pin(place.secretary, SECRETARY_PIN)
    made.until(lambda: made.window.at_work, "the secretary works")
    made.settle()
    sync(made)
    yield made
    made.close()


def sync(program: Program) -> SyncPage:
    """A whole session, then the page."""
    agent = program.app.agent
    program.until(lambda: agent.status.phase is not Phase.SYNCING, "no session runs")
    before = agent.status.last_success_at
    agent.sync_now()
    program.until(lambda: agent.status.phase is Phase.IDLE, f"in step after {before}")
    program.settle()
    return cast(SyncPage, program.go("sync"))


def save(program: Program, place: Community, *operations: Operation) -> None:
    """Saved on this PC by the secretary."""
    me = place.secretary
    program.app.tasks.write(None, lambda store: store.save(store.act(me), operations))
    program.settle()


def clash(program: Program, place: Community, other: Device, theirs: Operation, ours: Operation) -> SyncPage:
    """Two changes of one thing; ours is the earlier one."""
    other.pull()
    save(program, place, ours)
    place.server.clock.now += 22 * 60_000
    other.accepted(theirs)
    return sync(program)


def phones(program: Program, place: Community, other: Device) -> SyncPage:
    door = place.server.places["b1-101"]
    return clash(
        program,
        place,
        other,
        patch("household", door, contact_phone="13700006621"),
        patch("household", door, contact_phone="13700006612"),
    )


def box(page: SyncPage) -> ConflictBox:
    (one,) = page.conflicts.boxes.values()
    return one


def value(program: Program, kind: str, record_id: str, field: str) -> object:
    """What this PC's file says."""

    def read(reader: Reader) -> object:
        return reader.db.conn.execute(f'SELECT "{field}" FROM "{kind}" WHERE id = ?', (record_id,)).fetchone()[0]

    got: list[object] = []
    program.app.tasks.read(None, read, got.append)
    program.settle()
    return got[0]


def test_two_numbers_stand_side_by_side_and_one_is_chosen(program: Program, place: Community, other: Device) -> None:
    page = phones(program, place, other)
    said = program.said()
    for words in ("请您定一下", "两个人改了同一处，两份都留着", "137****6621", "137****6612", "现在用的是较晚的一份"):
        assert words in said
    assert "101" in said
    assert "· 电话" in said
    names = [button.accessibleName() for button in program.all(QPushButton)]
    assert any(name.startswith("用左边：用") for name in names)
    assert "用右边：用我的" in names
    program.press("用我的")
    assert not page.conflicts.boxes
    assert value(program, "household", place.server.places["b1-101"], "contact_phone") == "13700006612"
    sync(program)
    other.pull()
    (row,) = [row for row in other.of_kind("household") if row.id == place.server.places["b1-101"]]
    assert row.values["contact_phone"] == "13700006612"
    (note,) = other.of_kind("conflict")
    assert (note.values["state"], note.values["settled_by"]) == ("settled", place.secretary)
    # The other one is still there.
    program.press("定过的 1 处")
    assert "137****6621" in program.said()
    (done,) = page.conflicts.done_boxes.values()
    done.buttons[0].click()
    program.settle()
    assert value(program, "household", place.server.places["b1-101"], "contact_phone") == "13700006621"
    program.press("收起定过的")
    assert not page.conflicts.done_boxes


def test_numbers_are_shown_when_asked_for_and_the_look_is_noted(
    program: Program, place: Community, other: Device
) -> None:
    phones(program, place, other)
    program.press("显示完整号码")
    assert "13700006612" in program.said()
    got: list[tuple[access.Reading, ...]] = []
    viewer = program.app.context.session.viewer
    program.app.tasks.read(None, lambda reader: access.readings(reader.db, viewer), got.append)
    program.settle()
    assert [look.field for look in got[0]] == ["contact_phone"]


def visit_of(place: Community, other: Device) -> Operation:
    """A visit that the grid worker has noted and everybody has."""
    made = place.server.visit("b1-101", note="灯坏了", outcome="met")
    made = Operation(kind=made.kind, id=made.id, action="new", fields={**made.fields, "recorded_by": other.author})
    other.accepted(made)
    return made


def notes(program: Program, place: Community, other: Device) -> tuple[SyncPage, str]:
    made = visit_of(place, other)
    sync(program)
    mine, theirs = patch("visit", made.id, note="水管漏"), patch("visit", made.id, note="暖气不热")
    return clash(program, place, other, theirs, mine), made.id


def test_both_texts_are_written_into_one_and_kept_as_typed(program: Program, place: Community, other: Device) -> None:
    page, visit_id = notes(program, place, other)
    program.press("两份合写")
    one = box(page)
    assert one.text is not None
    assert one.text.text() == "暖气不热\n水管漏"
    assert QApplication.focusWidget() is one.text.edit
    one.text.edit.setPlainText("暖气不热，水管漏")
    one._pause.timeout.emit()
    program.settle()
    page.reload()
    program.settle()
    assert box(page).text is one.text  # nothing moved under the keyboard
    program.press("不合写了")
    assert box(page).text is None
    program.press("两份合写")
    assert one.text is not None
    one.text.edit.setPlainText("")
    program.press("用合写的这份")
    assert box(page).text is not None  # nothing is no text
    one.text.edit.setPlainText("暖气不热，水管漏")
    program.press("用合写的这份")
    assert value(program, "visit", visit_id, "note") == "暖气不热，水管漏"


def test_a_text_half_written_is_there_again(program: Program, place: Community, other: Device) -> None:
    page, _ = notes(program, place, other)
    program.press("两份合写")
    text = box(page).text
    assert text is not None
    text.edit.setPlainText("写了一半")
    box(page)._pause.timeout.emit()
    program.settle()
    page.forget()
    page.reload()
    program.settle()
    again = box(page).text
    assert again is not None
    assert again.text() == "写了一半"


def test_who_comes_second_is_told_that_it_is_decided(program: Program, place: Community, other: Device) -> None:
    page = phones(program, place, other)
    (conflict_id,) = page.conflicts.boxes
    shown = box(page)
    program.go("today")  # what is hidden is not read again
    save(program, place, patch("conflict", conflict_id, state="settled", settled_by=place.secretary))
    shown.chosen.emit("lost", "")
    program.settle()
    assert "已经有人定过了" in program.said()


def test_a_deletion_is_taken_back_or_let_stand(program: Program, place: Community, other: Device) -> None:
    made = visit_of(place, other)
    sync(program)
    page = clash(program, place, other, delete("visit", made.id), patch("visit", made.id, note="水管漏"))
    said = program.said()
    assert "一个删、一个改" in said
    assert "删掉了这条" in said
    assert "水管漏" in said
    program.press("恢复这条")
    assert value(program, "visit", made.id, "deleted") == 0
    assert not page.conflicts.boxes


def test_a_step_leads_to_the_card(program: Program, place: Community, other: Device) -> None:
    made = new(
        "demand",
        new_id(place.server.clock()),
        building_id=place.server.places["b1"],
        compound_id=place.server.places["compound"],
        household_id=place.server.places["b1-101"],
        scope_id=place.server.places["b1-101"],
        title="楼道灯",
        reported_at=place.server.clock(),
        recorded_by=other.author,
    )
    other.accepted(made)
    sync(program)
    mine = patch("demand", made.id, state="answered_on_spot", state_before="collected", result="说清楚了")
    theirs = patch("demand", made.id, state="accepted", state_before="collected", handler_id=other.author)
    page = clash(program, place, other, theirs, mine)
    said = program.said()
    assert "办到哪一步" in said
    assert "后办的那步作数" in said
    program.press("去看看，办下一步")
    assert program.window.place == ("demand", {"demand_id": made.id})
    page = cast(SyncPage, program.go("sync"))
    program.press("知道了")
    assert not page.conflicts.boxes


def test_the_keyboard_alone_decides(program: Program, place: Community, other: Device) -> None:
    page = phones(program, place, other)
    program.go("sync", record_id=place.server.places["b1-101"])
    first = box(page).buttons[0]
    assert QApplication.focusWidget() is first
    QTest.keyClick(first, Qt.Key.Key_Tab)
    second = QApplication.focusWidget()
    assert second is box(page).buttons[1]
    QTest.keyClick(second, Qt.Key.Key_Space)
    program.settle()
    assert not page.conflicts.boxes
    assert value(program, "household", place.server.places["b1-101"], "contact_phone") == "13700006612"


def test_everything_can_be_received_again(program: Program, place: Community, other: Device) -> None:
    page = sync(program)
    program.app.agent.pause()
    save(program, place, place.server.visit("b1-101", note="没传的"))
    page.pc.again.click()
    program.settle()
    assert program.answers.asked == ["全部重新下载一遍？"]
    program.until(lambda: program.app.agent.status.phase is Phase.IDLE, "all received")
    program.settle()
    other.pull()
    assert [row.values["note"] for row in other.of_kind("visit")] == ["没传的"]


def test_the_card_of_the_record_says_so_and_leads_there(program: Program, place: Community, other: Device) -> None:
    phones(program, place, other)
    door = place.server.places["b1-101"]
    program.go("households", household_id=door)
    assert "两份不一样：请您定一下" in program.said()
    program.press("两份不一样")
    assert program.window.place == ("sync", {"record_id": door})
    page = cast(SyncPage, program.window.current)
    assert QApplication.focusWidget() is box(page).buttons[0]
    program.press("用我的")
    program.go("households", household_id=door)
    assert "存在本机，有网就传" in program.said()
    program.app.agent.sync_now()
    program.until(lambda: "已传上去" in program.said(), "the card says that it has arrived")


def test_own_visits_say_how_far_they_are(program: Program, place: Community, other: Device) -> None:
    me = place.secretary
    program.app.agent.pause()
    said = {"outcome": "met", "recorded_by": me, "visitor_ids": [me], "recorded_at": place.server.clock()}
    save(program, place, place.server.visit("b1-101", **said))
    program.go("visits")
    assert "存本机" in program.said()
    sync(program)
    program.go("visits")
    assert "已传上去" in program.said()


def test_in_a_narrow_window_a_line_leads_to_what_is_to_be_put_right(
    program: Program, place: Community, other: Device
) -> None:
    me = place.secretary
    program.app.agent.pause()
    save(program, place, place.server.visit("b1-101", outcome="met", recorded_by=me, visitor_ids=[me]))

    def refuse(store: Store) -> frozenset[tuple[str, str]]:
        batch = outbox.take_batch(store, lambda operations, number: b"x")
        assert batch is not None
        return outbox.settle(store, outbox.Reply(batch.number, (outbox.Refusal(0, "too_late_to_change", "note"),)))

    program.app.tasks.write(None, refuse)
    program.settle()
    page = cast(SyncPage, program.go("sync"))
    program.window.resize(700, 700)
    program.until(lambda: page.columns.mode != "wide", "the window is narrow")
    program.settle()
    assert page.state.to_refused.isVisible()
    page.state.to_refused.click()
    assert QApplication.focusWidget() is page.refused.first
