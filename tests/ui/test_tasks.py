"""The lanes: each answer comes home on the UI thread, stale and orphaned ones are dropped, nothing is lost."""

import threading
import weakref
from collections.abc import Iterator

import pytest
import shiboken6
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.tasks import Priority, Tasks
from sync.errors import StoreError


class Book:
    """What a lane owns in these tests; remembers who touched it and in which order."""

    def __init__(self) -> None:
        self.thread = threading.current_thread().name
        self.lines: list[str] = []
        self.closed_on = ""

    def add(self, line: str) -> int:
        assert threading.current_thread().name == self.thread
        self.lines.append(line)
        return len(self.lines)

    def close(self) -> None:
        self.closed_on = threading.current_thread().name


class Desk:
    """Lanes with a book each and a list of what failed."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.books: list[Book] = []
        self.tasks: Tasks[Book, Book] = Tasks(on_failure=self.failures.append)

    def open_book(self) -> Book:
        book = Book()
        self.books.append(book)
        return book

    def start(self, qtbot: QtBot) -> None:
        self.tasks.start(open_write=self.open_book, open_read=self.open_book)
        qtbot.waitUntil(lambda: self.tasks.is_open)

    def quiet(self, qtbot: QtBot) -> None:
        qtbot.waitUntil(lambda: self.tasks.pending == 0, timeout=30_000)


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    made = Desk()
    made.start(qtbot)
    yield made
    made.tasks.close()


def test_the_store_is_opened_on_its_own_threads_writer_first(desk: Desk) -> None:
    assert [book.thread for book in desk.books] == ["write-0", "read-0"]


def test_answers_arrive_on_the_ui_thread_in_order(desk: Desk, qtbot: QtBot, qapp: QApplication) -> None:
    seen: list[tuple[int, bool]] = []
    for number in range(50):
        desk.tasks.write(
            None,
            lambda book, n=number: book.add(str(n)),
            lambda count: seen.append((count, QThread.currentThread() is qapp.thread())),
        )
    desk.quiet(qtbot)
    assert seen == [(count, True) for count in range(1, 51)]


def test_thousands_of_tasks_with_dying_owners_and_stale_keys(desk: Desk, qtbot: QtBot) -> None:
    owners = [QWidget() for _ in range(30)]
    arrived: list[str] = []
    for number in range(1500):
        owner = owners[number % 30]
        desk.tasks.write(owner, lambda book, n=number: book.add(str(n)), lambda _: arrived.append("write"))
        desk.tasks.read(owner, lambda book: len(book.lines), lambda _: arrived.append("read"), key="count")
        desk.tasks.net(owner, lambda: 1, lambda _: arrived.append("net"))
        if number == 1000:
            for doomed in owners[:10]:
                shiboken6.delete(doomed)
            owners = owners[10:] + owners[10:20]
    desk.quiet(qtbot)
    assert len(desk.books[0].lines) == 1500
    assert 0 < arrived.count("write") <= 1500
    assert 20 <= arrived.count("read") <= 1500
    assert desk.failures == []


def test_what_a_function_closes_over_is_freed_on_the_ui_thread(desk: Desk, qtbot: QtBot) -> None:
    freed_on: list[str] = []

    class Thing:
        pass

    for _ in range(300):
        thing = Thing()
        weakref.finalize(thing, lambda: freed_on.append(threading.current_thread().name))
        desk.tasks.read(None, lambda book, held=thing: held.__class__.__name__, lambda _: None)
        del thing
    desk.quiet(qtbot)
    assert len(freed_on) == 300
    assert set(freed_on) == {"MainThread"}


def test_a_later_request_with_the_same_key_voids_the_earlier(desk: Desk, qtbot: QtBot) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    gate = threading.Event()
    seen: list[str] = []
    desk.tasks.read(None, lambda _: gate.wait(10))
    for text in ("z", "zh", "zha"):
        desk.tasks.read(owner, lambda _, t=text: t, seen.append, key="search")
    desk.tasks.read(owner, lambda _: "other", seen.append, key="list")
    gate.set()
    desk.quiet(qtbot)
    assert seen == ["zha", "other"]


def test_the_answer_for_a_widget_that_is_gone_is_dropped(desk: Desk, qtbot: QtBot) -> None:
    owner = QWidget()
    gate = threading.Event()
    seen: list[object] = []
    desk.tasks.read(owner, lambda _: gate.wait(10), seen.append)
    shiboken6.delete(owner)
    gate.set()
    desk.quiet(qtbot)
    assert seen == []


def test_errors_go_to_fail_or_to_the_common_place(desk: Desk, qtbot: QtBot) -> None:
    def full(_: Book) -> None:
        raise StoreError("disk_full")

    mine: list[Exception] = []
    desk.tasks.write(None, full, None, mine.append)
    desk.tasks.write(None, full)
    desk.tasks.net(None, lambda: 1 / 0)
    desk.quiet(qtbot)
    assert [type(error) for error in mine] == [StoreError]
    assert sorted(type(error).__name__ for error in desk.failures) == ["StoreError", "ZeroDivisionError"]


def test_a_save_goes_before_what_the_sync_brings(desk: Desk, qtbot: QtBot) -> None:
    gate = threading.Event()
    desk.tasks.write(None, lambda _: gate.wait(10))
    for number in range(3):
        desk.tasks.write(None, lambda book, n=number: book.add(f"pull {n}"), priority=Priority.SYNC)
    desk.tasks.write(None, lambda book: book.add("save"))
    gate.set()
    desk.quiet(qtbot)
    assert desk.books[0].lines == ["save", "pull 0", "pull 1", "pull 2"]


def test_the_net_lane_hands_functions_to_the_write_lane_and_waits(desk: Desk, qtbot: QtBot) -> None:
    def session() -> list[int]:
        return [desk.tasks.write_wait(lambda book, n=batch: book.add(f"batch {n}")) for batch in range(5)]

    def failing() -> None:
        def full(_: Book) -> None:
            raise StoreError("disk_full")

        desk.tasks.write_wait(full)

    counts: list[list[int]] = []
    errors: list[Exception] = []
    desk.tasks.net(None, session, counts.append)
    desk.tasks.net(None, failing, None, errors.append)
    desk.quiet(qtbot)
    assert counts == [[1, 2, 3, 4, 5]]
    assert [getattr(error, "code", "") for error in errors] == ["disk_full"]


def test_what_a_write_altered_is_told_even_when_the_asker_is_gone(qtbot: QtBot) -> None:
    told: list[frozenset[tuple[str, str]]] = []
    tasks: Tasks[Book, Book] = Tasks(on_failure=lambda error: None, on_touched=told.append)
    tasks.start(open_write=Book, open_read=Book)
    qtbot.waitUntil(lambda: tasks.is_open)
    touched = frozenset({("visit", "v1")})
    owner = QWidget()
    gate = threading.Event()

    def save(_: Book) -> frozenset[tuple[str, str]]:
        gate.wait(10)
        return touched

    tasks.write(owner, save)
    tasks.write(None, lambda _: frozenset())
    tasks.read(None, lambda _: touched)
    tasks.net(None, lambda: tasks.write_wait(lambda _: touched))
    shiboken6.delete(owner)
    gate.set()
    qtbot.waitUntil(lambda: tasks.pending == 0 and len(told) == 2)
    assert told == [touched, touched]
    tasks.close()


def test_an_answer_comes_home_when_its_ring_got_lost(desk: Desk, qtbot: QtBot) -> None:
    desk.tasks._net._ring = lambda: None
    came: list[int] = []
    desk.tasks.net(None, lambda: 7, came.append)
    qtbot.waitUntil(lambda: came == [7])
    assert not desk.tasks._return._watch.isActive()  # nothing is expected, nobody looks


def test_write_wait_is_refused_on_the_ui_thread(desk: Desk) -> None:
    with pytest.raises(RuntimeError, match="net lane"):
        desk.tasks.write_wait(lambda book: book.add("no"))


def test_a_lane_cannot_hand_out_work(desk: Desk, qtbot: QtBot) -> None:
    desk.tasks.net(None, lambda: desk.tasks.write(None, lambda book: book.add("no")))
    desk.quiet(qtbot)
    assert [type(error) for error in desk.failures] == [RuntimeError]


def test_without_a_store_the_lanes_say_so(qtbot: QtBot) -> None:
    desk = Desk()
    desk.tasks.read(None, lambda book: book.lines)
    desk.quiet(qtbot)
    assert [getattr(error, "code", "") for error in desk.failures] == ["not_open"]
    desk.tasks.close()


def test_a_store_that_does_not_open_tells_the_asker(qtbot: QtBot) -> None:
    desk = Desk()
    told: list[Exception] = []

    def damaged() -> Book:
        raise StoreError("damaged")

    desk.tasks.start(open_write=damaged, open_read=desk.open_book, fail=told.append)
    desk.quiet(qtbot)
    assert [getattr(error, "code", "") for error in told] == ["damaged"]
    assert not desk.tasks.is_open
    desk.tasks.close()


def test_shutting_for_the_next_person_and_opening_again(desk: Desk, qtbot: QtBot) -> None:
    shut: list[object] = []
    order: list[str] = []
    desk.tasks.write(None, lambda book: book.add("last"))

    def closing(book: Book) -> None:
        book.close()
        order.append(book.closed_on)

    desk.tasks.shut(close_write=closing, close_read=closing, then=shut.append)
    qtbot.waitUntil(lambda: shut == [None])
    assert order == ["read-0", "write-0"]
    assert desk.books[0].lines == ["last"]
    desk.start(qtbot)
    assert len(desk.books) == 4


def test_closing_saves_what_was_queued_and_closes_the_reader_first(qtbot: QtBot) -> None:
    desk = Desk()
    desk.start(qtbot)
    gate = threading.Event()
    order: list[str] = []
    desk.tasks.write(None, lambda _: gate.wait(10))
    for number in range(20):
        desk.tasks.write(None, lambda book, n=number: book.add(str(n)))
    threading.Timer(0.05, gate.set).start()

    def closing(book: Book) -> None:
        book.close()
        order.append(book.closed_on)

    desk.tasks.close(close_write=closing, close_read=closing)
    assert order == ["read-0", "write-0"]
    assert len(desk.books[0].lines) == 20
    assert desk.tasks.pending == 0


def test_a_sync_that_runs_into_the_end_is_released(qtbot: QtBot) -> None:
    desk = Desk()
    desk.start(qtbot)
    told: list[Exception] = []
    reached = threading.Event()

    def session() -> None:
        reached.set()
        desk.tasks.stopping.wait(10)
        desk.tasks.write_wait(lambda book: book.add("too late"))

    desk.tasks.net(None, session, None, told.append)
    assert reached.wait(10)
    desk.tasks.close()
    assert [getattr(error, "code", "") for error in told] == ["not_open"]


def test_a_request_that_outlives_the_end_rings_nobody(qtbot: QtBot) -> None:
    desk = Desk()
    desk.start(qtbot)
    hung, reached = threading.Event(), threading.Event()
    told: list[object] = []

    def request() -> None:
        reached.set()
        hung.wait(60)

    desk.tasks.net(None, request, told.append)
    assert reached.wait(60)
    desk.tasks.close(net_timeout_s=0.01)
    rung: list[bool] = []
    desk.tasks._return.ready.connect(lambda: rung.append(True))
    hung.set()
    for thread in desk.tasks._net.threads:
        thread.join(60)
    QApplication.processEvents()
    assert (rung, told) == ([], [])
