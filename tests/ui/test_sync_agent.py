"""The sync agent: when a session begins, what a save during one does, and which state every failure becomes."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from communities import SECRETARY_PIN, Community, community
from desktop.sync_agent import SyncAgent
from desktop.sync_status import Phase, Status
from programs import Clock, Program, furnish
from sync.errors import StoreError
from sync.store import blobs
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


def save(program: Program, place: Community, household: str) -> None:
    """A visit; not waited for."""
    operation, author = place.server.visit(household), place.secretary

    def work(store: Store) -> frozenset[tuple[str, str]]:
        return store.save(store.act(author), [operation])

    program.app.tasks.write(None, work)


def begin(program: Program) -> SyncAgent:
    """One session from beginning to end."""
    agent = program.app.agent
    agent.sync_now()
    program.until(lambda: agent.status.phase is Phase.IDLE and not agent._is_running, "the session's end")
    program.settle()
    return agent


def test_the_first_session_is_planned_by_itself(program: Program) -> None:
    assert program.app.agent.status.phase is Phase.IDLE
    assert program.app.agent._timer.isActive()


def test_the_states_are_heard_in_order(program: Program, place: Community) -> None:
    heard: list[Phase] = []
    program.app.hub.sync_state.connect(lambda status: heard.append(status.phase))
    save(program, place, "b1-101")
    program.settle()
    begin(program)
    assert heard.index(Phase.SYNCING) < len(heard) - 1
    assert heard[-1] is Phase.IDLE


def test_a_save_during_a_session_begins_another(program: Program, place: Community) -> None:
    agent = begin(program)
    save(program, place, "b1-101")
    program.settle()
    agent.sync_now()
    save(program, place, "b2-101")
    program.until(lambda: agent.status.unsent == 0 and agent.status.phase is Phase.IDLE, "both are sent")
    place.device.pull()
    assert len(place.device.of_kind("visit")) == 2


def test_asking_twice_runs_one_after_the_other(program: Program, place: Community) -> None:
    agent = begin(program)
    before = place.line.asked.count("hello")
    agent.sync_now()
    agent.sync_now()
    program.until(lambda: place.line.asked.count("hello") == before + 2, "two sessions")
    program.until(lambda: not agent._is_running, "the end")


def test_pausing_in_the_middle_stays_paused(program: Program, place: Community) -> None:
    agent = begin(program)
    agent.sync_now()
    agent.pause()
    program.until(lambda: not agent._is_running, "the end")
    program.settle()
    assert agent.status.phase is Phase.PAUSED
    assert not agent._timer.isActive()
    agent.start()
    assert not agent._timer.isActive()
    begin(program)


def test_going_on_before_the_pause_took_hold_sends_at_once(program: Program, place: Community) -> None:
    agent = begin(program)
    save(program, place, "b1-101")
    program.settle()
    agent.sync_now()
    agent.pause()
    agent.sync_now()
    assert agent.status.phase is Phase.SYNCING
    program.until(lambda: agent.status.unsent == 0 and not agent._is_running, "it is sent")
    place.device.pull()
    assert len(place.device.of_kind("visit")) == 1


def test_going_on_after_the_session_saw_the_pause_begins_another_at_once(program: Program, place: Community) -> None:
    agent = begin(program)
    save(program, place, "b1-101")
    program.settle()
    first = place.line.asked.count("hello") + 1
    ui = threading.current_thread()
    # The session sees that it is to stop before the person goes on; its end comes home after that.
    agent._is_stopping = lambda: threading.current_thread() is not ui and place.line.asked.count("hello") == first  # type: ignore[method-assign]
    agent.sync_now()
    agent.pause()
    agent.sync_now()
    program.until(lambda: agent.status.unsent == 0 and not agent._is_running, "it is sent")
    assert place.line.asked.count("hello") == first + 1


def test_work_aside_runs_alone_and_one_after_the_other(program: Program, place: Community) -> None:
    agent = begin(program)
    owner, gone = QObject(), QObject()
    go_on, heard = threading.Event(), list[str]()

    def work(name: str) -> str:
        heard.append(f"{name} begins, session {agent._is_running}")
        go_on.wait()
        return name

    def fail() -> str:
        raise StoreError("disk_full")

    before = place.line.asked.count("hello")
    agent.aside.run(owner, lambda: work("one"), heard.append, heard.append)
    agent.aside.run(gone, lambda: work("two"), heard.append, heard.append)
    agent.aside.run(owner, fail, heard.append, lambda error: heard.append(str(error)))
    program.until(lambda: heard, "the first begins")
    agent.sync_now()
    assert not agent._is_running, "it waits for its turn"
    shiboken6.delete(gone)
    go_on.set()
    program.until(lambda: place.line.asked.count("hello") > before and not agent._is_running, "a session follows")
    assert heard == ["one begins, session False", "one", "two begins, session False", "disk_full"]
    agent.pause()
    agent.sync_now()
    agent.aside.run(owner, lambda: work("three"), heard.append, heard.append)
    agent.pause()
    program.until(lambda: heard[-1] == "three", "it has its turn in a pause, too")
    program.settle()
    assert agent.status.phase is Phase.PAUSED
    assert not agent._is_running


def test_a_download_begun_anew_waits_for_the_session_that_runs(program: Program, place: Community) -> None:
    agent = begin(program)
    agent.sync_now()
    agent.download_again()
    program.until(lambda: not (agent._is_running or agent.aside.is_busy), "the end")
    assert place.line.asked.count("pull")
    program.app.tasks.write(None, lambda store: store.db.conn.execute("PRAGMA query_only = 1") and None)
    agent.download_again()
    program.until(lambda: agent.status.phase is Phase.TROUBLE, "it could not be begun")
    program.app.tasks.write(None, lambda store: store.db.conn.execute("PRAGMA query_only = 0") and None)
    program.settle()
    begin(program)


@pytest.mark.parametrize(
    ("mishap", "phase", "code"),
    [
        ("no_line", Phase.WAITING, "no_line"),
        ("timeout", Phase.WAITING, "timeout"),
        ("portal", Phase.WAITING, "not_our_server"),
        ("status 500", Phase.TROUBLE, "server_error"),
        ("status 429", Phase.TROUBLE, "server_busy"),
        ("problem 403 revoked", Phase.TROUBLE, "revoked"),
    ],
)
def test_every_failure_has_its_state_and_is_tried_again(
    program: Program, place: Community, mishap: str, phase: Phase, code: str
) -> None:
    agent = begin(program)
    place.line.mishaps.append(mishap)
    agent.sync_now()
    program.until(lambda: agent.status.phase is phase, "the failure")
    program.settle()
    assert agent.status.code == code
    assert agent._timer.isActive()
    begin(program)
    assert agent.status.code == ""


def test_a_slow_server_is_given_up_after_a_while(program: Program, place: Community) -> None:
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        agent = begin(program)
        agent._connect = lambda _: httpx.Client(base_url=address, timeout=0.3, trust_env=False)
        agent.sync_now()
        program.until(lambda: agent.status.phase is Phase.WAITING, "the end of patience")
        assert agent.status.code == "timeout"


def test_a_mistake_of_the_program_is_a_state_too(program: Program) -> None:
    agent = begin(program)

    def broken(_: str) -> httpx.Client:
        raise ValueError("a mistake")

    agent._connect = broken
    agent.sync_now()
    program.until(lambda: agent.status.phase is Phase.TROUBLE, "the state")
    assert agent.status.code == "bug"


def test_without_a_server_nothing_is_tried(qapp: QApplication, tmp_path: Path) -> None:
    clock = Clock()
    furnish(tmp_path / "alone", clock=clock)
    program = Program(tmp_path / "alone", clock=clock)
    program.unlock("head3")
    agent = program.app.agent
    agent.sync_now()
    program.settle()
    assert agent.status.phase is Phase.OFF
    assert agent.status == Status()
    program.close()


def test_an_attached_file_goes_after_the_round_and_comes_when_asked_for(program: Program, place: Community) -> None:
    agent = begin(program)
    household = place.server.places["b1-101"]
    picture = b"\xff\xd8\xff" + bytes(600_000)

    def attach(store: Store) -> frozenset[tuple[str, str]]:
        return blobs.add(
            store, place.secretary, record_kind="household", record_id=household, data=picture, name="门.jpg"
        )

    def forget(store: Store) -> None:
        for table in ("blob", "blob_piece"):
            store.db.conn.execute(f"DELETE FROM {table}")
        (made,) = store.db.conn.execute("SELECT id FROM attachment").fetchone()
        blobs.want(store, place.secretary, made)

    program.app.tasks.write(None, attach)
    program.settle()
    begin(program)
    assert [name for name in place.line.asked if len(name) == 64], "its bytes went up"
    program.app.tasks.write(None, forget)
    program.settle()
    begin(program)
    waiting: list[object] = []
    program.app.tasks.read(None, lambda reader: blobs.waiting(reader.db), waiting.append)
    program.settle()
    assert waiting == [()]
    # A line that breaks while a file travels does not make the round a failure.
    program.app.tasks.write(None, forget)
    program.settle()
    place.line.mishaps[:] = ["", "no_line"]  # the greeting, then the first piece
    begin(program)
    assert agent.status.code == ""
