"""The sync page and its agent: calm in every state, counts that are true, refused records as work."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from communities import SECRETARY_PIN, Community, community
from desktop.pages.sync_centre.page import SyncPage
from desktop.sync_status import Phase, Status
from desktop.words.moments import moment_words
from programs import PIN, Clock, Program, furnish
from sync.domain.calendar import instant
from sync.domain.ids import new_id
from sync.domain.operations import new
from sync.store import outbox
from sync.store.store import Store


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


def record(program: Program, place: Community, household: str = "b1-101", **fields: object) -> None:
    """A visit, without the page for it."""
    operation = place.server.visit(household, **fields)
    author = place.secretary

    def save(store: Store) -> frozenset[tuple[str, str]]:
        return store.save(store.act(author), [operation])

    program.app.tasks.write(None, save)
    program.settle()


def begin(program: Program) -> SyncPage:
    """Open the page."""
    return cast(SyncPage, program.go("sync"))


def sync(program: Program, phase: Phase = Phase.IDLE) -> None:
    """Press the button and wait for the end of the session."""
    program.press("现在同步")
    program.until(lambda: program.app.agent.status.phase is phase, f"the session ends {phase}")
    program.settle()


def test_what_waits_is_counted_and_sent(program: Program, place: Community) -> None:
    page = begin(program)
    record(program, place)
    record(program, place, "b2-101")
    assert "2 条等有网再传" in page.line
    assert "都已存在本机" in program.said()
    sync(program)
    assert page.line == "都传上去了。"
    assert "传 2" in program.said()
    assert "核对一致 ✓" in program.said()
    assert place.server.visit  # the server still runs
    device = place.device
    device.pull()
    assert len(device.of_kind("visit")) == 2


@pytest.mark.parametrize(
    ("mishap", "phase", "said"),
    [
        ("no_line", Phase.WAITING, "有网会自动传"),
        ("timeout", Phase.WAITING, "有网会自动传"),
        ("portal", Phase.WAITING, "登录"),
        ("status 500", Phase.TROUBLE, "服务器"),
        ("status 503 60", Phase.TROUBLE, "很忙"),
    ],
)
def test_a_spoilt_line_is_a_calm_state(
    program: Program, place: Community, mishap: str, phase: Phase, said: str
) -> None:
    page = begin(program)
    record(program, place)
    place.line.mishaps.append(mishap)
    sync(program, phase)
    assert "都已存在本机" in program.said()
    assert said in page.advice
    assert "1 条等有网再传" in page.line
    assert program.window.notices.notice is None  # nothing popped up
    assert program.app.agent._timer.isActive()  # tried again by itself
    assert page.state.now.isEnabled()
    sync(program)
    assert page.line == "都传上去了。"


def test_pausing_holds_until_somebody_begins_again(program: Program, place: Community) -> None:
    page = begin(program)
    program.press("停一停")
    assert program.app.agent.status.phase is Phase.PAUSED
    assert "按“接着传”才会再传" in page.advice
    record(program, place)
    assert not program.app.agent._timer.isActive()
    program.press("接着传")
    program.until(lambda: program.app.agent.status.phase is Phase.IDLE, "it goes on")
    program.settle()
    assert page.line == "都传上去了。"


def test_a_save_is_sent_by_itself_after_a_while(program: Program, place: Community) -> None:
    begin(program)
    sync(program)
    record(program, place)
    agent = program.app.agent
    assert agent._timer.isActive()
    agent._timer.setInterval(0)
    agent._timer.start()
    program.until(lambda: agent.status.unsent == 0 and agent.status.phase is Phase.IDLE, "sent by itself")


def test_a_refused_record_is_work_and_goes_when_the_reason_is_gone(program: Program, place: Community) -> None:
    page = begin(program)
    sync(program)
    # A household that the server does not know (yet).
    household, building = new_id(place.line.clock()), place.server.places["b1"]
    made = new("household", household, building_id=building, room_no="909", slot=1)
    program.app.tasks.write(None, lambda store: store.seed([made]))
    place.server.places["b1-909"] = household
    record(program, place, "b1-909", note="灯坏了", outcome="met")
    sync(program)
    assert program.app.agent.status.refused == 1
    assert page.line == "其余的都传上去了。"
    assert page.refused.isVisible()
    for words in ("1 条要改一下再传", "内容没丢", "灯坏了", "今天 09:00 记的"):
        assert words in program.said()
    place.device.accepted(made)
    program.press("再传一次")
    program.until(lambda: program.app.agent.status.phase is Phase.IDLE, "the second try")
    program.settle()
    assert program.app.agent.status.refused == 0
    assert not page.refused.isVisible()
    place.device.pull()
    assert [row.values["note"] for row in place.device.of_kind("visit")] == ["灯坏了"]


def refuse_all(store: Store) -> frozenset[tuple[str, str]]:
    """Set what waits aside as a server does that cannot take it."""
    batch = outbox.take_batch(store, lambda operations, number: b"x")
    assert batch is not None
    return outbox.settle(
        store, outbox.Reply(batch.number, tuple(outbox.Refusal(n, "parent_missing") for n in range(batch.count)))
    )


def test_a_refused_record_leads_to_its_page_and_can_be_given_up(program: Program, place: Community) -> None:
    page = begin(program)
    sync(program)
    program.app.agent.pause()
    record(program, place, note="灯坏了")
    program.app.tasks.write(None, refuse_all)
    program.settle()
    page.reload()
    program.settle()
    assert "101" in program.said()
    program.press("去改")
    assert program.window.place == ("visits", {"household_id": place.server.places["b1-101"]})
    page = begin(program)
    program.press("不传了")
    assert program.answers.asked == ["这一条不传了？"]
    assert not page.refused.isVisible()
    assert program.app.agent.status.refused == 0


def test_what_others_did_arrives_while_the_page_is_open(program: Program, place: Community) -> None:
    begin(program)
    place.device.accepted(place.server.visit("b3-101", outcome="met"))
    sync(program)
    assert "收 1" in program.said()


def test_a_pc_without_a_server_says_so(qapp: QApplication, tmp_path: Path) -> None:
    clock = Clock()
    furnish(tmp_path / "alone", clock=clock)
    program = Program(tmp_path / "alone", clock=clock)
    program.unlock("head3", PIN)
    page = begin(program)
    assert "没有接服务器" in page.line
    assert not page.state.now.isVisible()
    assert not page.state.pause.isVisible()
    program.close()


def test_progress_shows_n_of_m(program: Program) -> None:
    page = begin(program)
    program.app.hub.sync_state.emit(
        Status(phase=Phase.SYNCING, unsent=0, sent=12, to_send=12, received=1840, to_receive=3120)
    )
    assert "我记的 12 条都传上去了" in page.line
    assert "正在收别人办的事 1,840 / 3,120" in program.said()
    assert "您接着干" in page.advice
    assert not page.state.now.isEnabled()
    assert page.state.pause.isEnabled()


def test_a_double_press_on_sync_now_does_not_pause(program: Program) -> None:
    page = begin(program)
    page.state.now.setFocus()
    place = page.state.now.x()
    program.app.hub.sync_state.emit(Status(phase=Phase.SYNCING, sent=1, to_send=12))
    program.settle()
    assert page.state.now.isVisible()
    assert page.state.now.x() == place  # 停一停 does not come where the pointer is
    for _ in range(2):
        QTest.keyClick(program.window.focusWidget() or program.window, Qt.Key.Key_Space)
    assert program.app.agent.status.phase is not Phase.PAUSED


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-23 08:31", "今天 08:31"),
        ("2026-11-22 17:42", "昨天 17:42"),
        ("2026-11-20 09:00", "11-20 09:00"),
        ("2025-11-20 09:00", "2025-11-20 09:00"),
    ],
)
def test_moments_read_as_people_say_them(at: str, said: str) -> None:
    assert moment_words(instant(at), now=instant("2026-11-23 09:00")) == said


def test_never_is_nothing() -> None:
    assert moment_words(0, now=instant("2026-11-23 09:00")) == ""


def test_what_the_server_taught_about_the_clock_holds_for_the_whole_screen(program: Program, place: Community) -> None:
    begin(program)
    sync(program)
    wrong = 26 * 3600 * 1000  # this PC's clock is that much behind
    program.app.tasks.write(None, lambda store: store.set_state(clock_offset=wrong))
    program.settle()
    program.app.agent.recount()
    program.settle()
    assert program.app.context.now() == place.line.clock() + wrong
    record(program, place)
    program.go("sync")
    assert "上次同步 昨天 09:00" in program.said()
