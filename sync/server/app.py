"""The HTTP around the service: routes, bounded bodies, compressed answers, one log line a request."""

import time
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import HTTPException
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sync.domain.ids import new_id
from sync.errors import BadMessage, QiaomenError
from sync.server import jobs, openapi
from sync.server.logs import log, log_failure
from sync.server.requests import Answer, Sent, problem
from sync.server.service import Endpoint, Service
from sync.server.settings import Settings
from sync.wire import LIMITS, Problem, compress

_JSON = "application/json"
_SMALL = 400  # bytes; below it compression is not worth its header
_Request = Request[Any, Any, Any]


def make_app(settings: Settings) -> Litestar:
    """The whole server as an ASGI application; ``app.state.service`` is the Service behind it.

    Opens the data at once; they are closed when the application shuts down. Raises StoreError ``in_use`` when
    another process has the data folder, ``newer`` when a newer program has been here.
    """
    service = Service(settings)

    @post("/sync/v1/hello", status_code=200)
    async def hello(request: _Request) -> Response[bytes]:
        return await _exchange(request, service.hello)

    @post("/sync/v1/push", status_code=200)
    async def push(request: _Request) -> Response[bytes]:
        return await _exchange(request, service.push)

    @post("/sync/v1/pull", status_code=200)
    async def pull(request: _Request) -> Response[bytes]:
        return await _exchange(request, service.pull)

    @post("/sync/v1/enrol", status_code=200)
    async def enrol(request: _Request) -> Response[bytes]:
        return await _exchange(request, service.enrol)

    @post("/sync/v1/people", status_code=200)
    async def people(request: _Request) -> Response[bytes]:
        return await _exchange(request, service.add_person)

    @post("/sync/v1/people/{account:str}/code", status_code=200)
    async def new_code(request: _Request) -> Response[bytes]:
        return await _exchange(request, service.new_code)

    @get("/livez", sync_to_thread=False)
    def livez() -> Response[bytes]:
        return _plain(Answer(b'{"alive":true}'))

    @get("/readyz")
    async def readyz() -> Response[bytes]:
        try:
            ready = await service.ready()
        except (OperationalError, PoolTimeout):
            ready = False
        return _plain(Answer(b'{"ready":true}') if ready else Answer(b'{"ready":false}', 503))

    document = msgspec.json.encode(openapi.description())

    @get(["/schema", "/schema/openapi.json"], sync_to_thread=False)
    def schema() -> Response[bytes]:
        return _plain(Answer(document))

    app = Litestar(
        route_handlers=[hello, push, pull, enrol, people, new_code, livez, readyz, schema],
        lifespan=[lambda _: jobs.running(service.file_unanswered, every_s=settings.jobs_every_s)],
        on_shutdown=[service.close],
        exception_handlers={Exception: _unforeseen},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
    )
    app.state.service = service
    return app


async def _exchange(request: _Request, endpoint: Endpoint) -> Response[bytes]:
    """Hand the request to an endpoint and its answer back, whatever happens in between."""
    started = time.perf_counter_ns()
    counts: dict[str, object] = {}
    try:
        sent = await _sent(request, counts)
        answer = await endpoint(sent)
    except QiaomenError as error:
        answer = problem(error)
        counts["code"] = error.code
    except (OperationalError, PoolTimeout) as error:
        log_failure(_incident(counts), error)
        answer = Answer(_problem("unavailable"), 503, {"retry-after": "5"})
    except Exception as error:
        incident = _incident(counts)
        log_failure(incident, error)
        answer = Answer(_problem("server_error", incident=incident), 500)
    took = (time.perf_counter_ns() - started) // 1000
    path = request.scope["path"] if "/people/" not in request.scope["path"] else "/sync/v1/people/{account}/code"
    log("request", path=path, status=answer.status, took_us=took, answered=len(answer.body), **counts)
    return _compressed(answer, request.headers.get("accept-encoding", ""))


async def _sent(request: _Request, counts: dict[str, object]) -> Sent:
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > LIMITS.json_bytes:
        raise BadMessage("too_large", most=LIMITS.json_bytes)
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > LIMITS.json_bytes:
            raise BadMessage("too_large", most=LIMITS.json_bytes)
        pieces.append(piece)
    counts["received"] = size
    scope = request.scope
    return Sent(
        method=request.method,
        path=scope["raw_path"].decode("ascii").partition("?")[0],
        query=scope["query_string"].decode("ascii"),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=b"".join(pieces),
        address=request.client.host if request.client else "",
        counts=counts,
    )


def _compressed(answer: Answer, accepted: str) -> Response[bytes]:
    offered = {part.partition(";")[0].strip() for part in accepted.split(",")}
    encoding = next((name for name in ("zstd", "gzip") if name in offered), "")
    if not encoding or len(answer.body) < _SMALL:
        return _plain(answer)
    body = compress(answer.body, encoding=encoding)
    headers = {**answer.headers, "content-encoding": encoding, "vary": "accept-encoding"}
    return _plain(Answer(body, answer.status, headers))


def _plain(answer: Answer) -> Response[bytes]:
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers), media_type=_JSON)


def _unforeseen(_: _Request, error: Exception) -> Response[bytes]:
    """What the framework itself refuses: a path or a method that is not there."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = {404: "not_found", 405: "method_not_allowed"}.get(status, "server_error" if status >= 500 else "malformed")
    return _plain(Answer(_problem(code), status))


def _problem(code: str, **params: object) -> bytes:
    return msgspec.json.encode(Problem(code=code, params=params))


def _incident(counts: dict[str, object]) -> str:
    incident = new_id(time.time_ns() // 1_000_000)
    counts["incident"] = incident
    return incident
