"""One request ahead: the next page is on its way while the last one is taken in."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, wait
from typing import Any

from sync import wire
from sync.errors import SyncError

Page = tuple[wire.PullReply, float]  # and the seconds that it was under way


class AtOnce(Executor):
    """Does what it is given before it goes on; what went wrong with the line is told when it is asked."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """The outcome of a request, settled."""
        outcome: Future[Any] = Future()
        try:
            outcome.set_result(fn(*args, **kwargs))
        except SyncError as error:
            outcome.set_exception(error)
        return outcome


class Ahead:
    """Holds the one request that was made before its turn. Only the very same question gets its answer.

    The answer is then one that was long under way: whatever is taken in meanwhile came from the server before it.
    """

    def __init__(self, fetch: Callable[[wire.Pull], Page], beside: Executor) -> None:
        self._fetch = fetch
        self._beside = beside
        self._asked = b""
        self._outcome: Future[Page] | None = None

    def begin(self, question: wire.Pull) -> None:
        """Ask this meanwhile: it will be asked next, if nothing comes in between."""
        self._asked = wire.encode(question)
        self._outcome = self._beside.submit(self._fetch, question)

    def page(self, question: wire.Pull) -> Page:
        """The answer to this question, which may be on its way already. Raises what the request raises."""
        outcome = self._outcome
        self.drop()
        if outcome is not None and wire.encode(question) == self._asked:
            return outcome.result()
        return self._fetch(question)

    def drop(self) -> None:
        """Wait for what is under way, and leave it: there is one request at a time, and nobody closes the line."""
        if self._outcome is not None:
            wait((self._outcome,))
            self._outcome = None
