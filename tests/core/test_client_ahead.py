"""The next page of a pull is asked for while one is taken in; only the very same question gets its answer."""

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest

from servers import Server
from stations import Station, visit
from sync import wire
from sync.client.ahead import Ahead, AtOnce, Page
from sync.client.session import Session
from sync.errors import Offline
from sync.store import merging
from sync.store.store import Store


@pytest.fixture
def database() -> str:
    """SQLite: this is about the client."""
    return ""


class Asked:
    """Answers questions and remembers them; ``fails`` are the answers, by their turn, that never come."""

    def __init__(self, *fails: int) -> None:
        self.limits: list[int] = []
        self._fails = fails

    def fetch(self, question: wire.Pull) -> Page:
        self.limits.append(question.limit)
        if len(self.limits) in self._fails:
            raise Offline("timeout")
        return wire.PullReply(tables=[], exits=[], cursors={"s": question.limit}, more=False, streams=[]), 1.0


def question(limit: int) -> wire.Pull:
    return wire.Pull(device=1, epoch="e", schema=wire.SCHEMA, streams={"s": 0}, limit=limit)


@pytest.mark.parametrize("beside", [AtOnce, lambda: ThreadPoolExecutor(1)])
def test_what_is_asked_next_is_under_way(beside: Callable[[], Executor]) -> None:
    asked = Asked(2)
    with beside() as executor:
        ahead = Ahead(asked.fetch, executor)
        ahead.begin(question(1))
        assert ahead.page(question(1))[0].cursors == {"s": 1}
        assert asked.limits == [1]
        ahead.begin(question(2))
        assert ahead.page(question(5))[0].cursors == {"s": 5}  # no error of the one that nobody wants now
        assert asked.limits == [1, 2, 5]


@pytest.mark.parametrize("beside", [AtOnce, lambda: ThreadPoolExecutor(1)])
def test_an_error_comes_when_its_page_is_wanted(beside: Callable[[], Executor]) -> None:
    asked = Asked(1, 2)
    with beside() as executor:
        ahead = Ahead(asked.fetch, executor)
        ahead.begin(question(1))
        ahead.drop()
        ahead.begin(question(1))
        with pytest.raises(Offline):
            ahead.page(question(1))
        assert ahead.page(question(1))[0].cursors == {"s": 1}


def test_each_page_is_asked_for_once(server: Server, first: Station, second: Station) -> None:
    first.save([visit(server, first) for _ in range(7)])
    first.sync()
    second.store.set_state(page_most=2)
    second.line.asked.clear()
    with second.line.client() as http, ThreadPoolExecutor(1) as beside:
        session = Session(lambda fn: fn(second.store), second.api(http), wall=second.clock, beside=beside)
        assert session.run().verified
    assert second.line.asked == ["hello", "pull", "pull", "pull"]  # of two, four, and the last
    assert second.rows("visit") == first.rows("visit")


def test_a_page_of_before_is_not_taken(server: Server, first: Station, second: Station) -> None:
    """Somebody begins to download anew while a page is on its way: what it holds came before that."""
    made = [visit(server, first) for _ in range(7)]
    first.save(made)
    first.sync()
    second.sync()
    merging.begin_sweep(second.store)
    second.store.set_state(page_most=2)
    begun: list[bool] = []

    def call(fn: Callable[[Store], Any], /) -> Any:
        done = fn(second.store)
        if not begun and second.line.asked.count("pull") == 2:
            begun.append(True)
            merging.begin_sweep(second.store)
        return done

    second.line.asked.clear()
    with second.line.client() as http:
        Session(call, second.api(http), wall=second.clock).run()
    assert begun
    assert second.sync().verified
    assert second.rows("visit") == first.rows("visit")
