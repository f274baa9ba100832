"""The server application asked without threads in between: their turns would take most of the time of a history."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

import httpx
from litestar import Litestar

T = TypeVar("T")


class AtOnce(Executor):
    """Does what it is given in the caller's own thread, before the caller goes on."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        """The outcome, which is there already."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - handed on to whoever asks for the result
            future.set_exception(error)
        return future


class Direct:
    """Posts to an application that has been started, in an event loop of its own."""

    def __init__(self, app: Litestar) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()

    def post(self, path: str, *, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """One request and its answer."""
        return self._loop.run_until_complete(self._post(path, content, headers))

    def close(self) -> None:
        """Close the loop."""
        self._loop.close()

    async def _post(self, path: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        given = [{"type": "http.request", "body": content, "more_body": False}]
        sent: list[dict[str, Any]] = []
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("testclient", 50000),
            "server": ("server.test", 80),
            "state": {},
        }

        async def receive() -> dict[str, Any]:
            return given.pop() if given else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._app(scope, receive, send)  # type: ignore[arg-type]
        body = b"".join(message.get("body", b"") for message in sent[1:])
        answered = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
        return httpx.Response(sent[0]["status"], headers=answered, content=body)
