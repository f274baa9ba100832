"""The HTTP around the service: routes, a bounded queue, bounded bodies, compressed answers, one log line a request."""

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get, post, put
from litestar.exceptions import HTTPException
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sync.domain.ids import new_id
from sync.errors import BadMessage, QiaomenError
from sync.server import copies, jobs, metrics, openapi
from sync.server.admission import GREETING, WORK
from sync.server.blob_desk import OCTETS
from sync.server.bodies import Bodies
from sync.server.bundle_door import PATH, Door
from sync.server.logs import log, log_failure
from sync.server.requests import Answer, Sent, problem
from sync.server.service import Endpoint, Service
from sync.server.settings import Settings
from sync.server.storage.blobs import PIECE
from sync.wire import LIMITS, Problem, compress

_SMALL = 400  # bytes; below it compression is not worth its header
_LETTING_IN = 128 * 1024  # bytes of a request about one person: some are read before it is known who sends them
_Request = Request[Any, Any, Any]


def make_app(settings: Settings) -> Litestar:
    """The whole server as an ASGI application; ``app.state.service`` is the Service behind it.

    Opens the data at once; they are closed when the application shuts down. Raises StoreError ``in_use`` when
    another process has the data folder, ``newer`` when a newer program has been here.
    """
    service = Service(settings)
    exchange = _Exchange(service).answer
    alone = settings.worker in (None, 0)  # of several processes one does what is done once

    @post("/sync/v1/hello", status_code=200)
    async def hello(request: _Request) -> Response[bytes]:
        return await exchange(request, service.hello, lane=GREETING)

    @post("/sync/v1/push", status_code=200)
    async def push(request: _Request) -> Response[bytes]:
        return await exchange(request, service.push)

    @post("/sync/v1/withdraw", status_code=200)
    async def withdraw(request: _Request) -> Response[bytes]:
        return await exchange(request, service.withdraw)

    @post("/sync/v1/pull", status_code=200)
    async def pull(request: _Request) -> Response[bytes]:
        return await exchange(request, service.pull)

    @post("/sync/v1/digests", status_code=200)
    async def digests(request: _Request) -> Response[bytes]:
        return await exchange(request, service.digests)

    @post("/sync/v1/enrol", status_code=200)
    async def enrol(request: _Request) -> Response[bytes]:
        return await exchange(request, service.enrol, lane=GREETING, most=_LETTING_IN)

    @post("/sync/v1/people", status_code=200)
    async def people(request: _Request) -> Response[bytes]:
        return await exchange(request, service.add_person, lane=GREETING, most=_LETTING_IN)

    @post("/sync/v1/people/{account:str}/code", status_code=200)
    async def new_code(request: _Request) -> Response[bytes]:
        return await exchange(request, service.new_code, lane=GREETING, most=_LETTING_IN)

    @put("/sync/v1/blobs/{checksum:str}", status_code=200)
    async def put_blob(request: _Request) -> Response[bytes]:
        return await exchange(request, service.blobs.put, most=PIECE)

    @get("/sync/v1/blobs/{checksum:str}")
    async def get_blob(request: _Request) -> Response[bytes]:
        return await exchange(request, service.blobs.get, most=0)

    @get("/sync/v1/releases/{name:str}")
    async def release(request: _Request) -> Response[bytes]:
        return await exchange(request, service.releases.get, most=0)

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

    @get("/metrics", sync_to_thread=False)
    def counted() -> Response[bytes]:
        told = metrics.exposition(lambda: copies.age_s(settings.data), lambda: copies.damaged_files(settings.data))
        return _plain(Answer(told, media_type=metrics.MEDIA_TYPE))

    document = msgspec.json.encode(openapi.description())

    # Below /sync/ for PCs, too: whatever stands in front of this server lets only that through.
    @get(["/schema", "/schema/openapi.json", "/sync/v1/openapi.json"], sync_to_thread=False)
    def schema() -> Response[bytes]:
        return _plain(Answer(document))

    exchanges = hello, push, withdraw, pull, digests, enrol, people, new_code
    app = Litestar(
        route_handlers=[*exchanges, put_blob, get_blob, release, livez, readyz, counted, schema],
        lifespan=[
            lambda _: jobs.running(service.file_unanswered, every_s=settings.jobs_every_s),
            lambda _: jobs.running(service.purge, every_s=settings.jobs_every_s, event="purged"),
            lambda _: jobs.running(service.sweep_blobs, every_s=settings.jobs_every_s, event="swept"),
        ]
        if alone
        else [],
        on_shutdown=[service.close],
        exception_handlers={Exception: _unforeseen},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
    )
    app.state.service = service
    if settings.embedded:
        _let_bundles_in(app, exchange, Door(settings, service.bundles))
    return app


def _let_bundles_in(app: Litestar, exchange: Callable[..., Awaitable[Response[bytes]]], door: Door) -> None:
    """The command that brings bundles comes this way while this process holds the folder; nobody else does."""

    @post(PATH, status_code=200)
    async def bundle(request: _Request) -> Response[bytes]:
        return await exchange(request, door.take, most=door.most(request.headers.get("authorization", "")))

    app.register(bundle)
    app.on_shutdown.append(door.close)


class _Exchange:
    """Hands requests to endpoints and answers back, whatever happens in between."""

    def __init__(self, service: Service) -> None:
        self._admission = service.admission
        self._bodies = Bodies(within_s=service.settings.body_s)

    async def answer(
        self, request: _Request, endpoint: Endpoint, *, lane: str = WORK, most: int = LIMITS.json_bytes
    ) -> Response[bytes]:
        """The answer to one request, whose body may have ``most`` bytes as it comes over the line."""
        started = time.perf_counter_ns()
        counts: dict[str, object] = {"request": _request_id()}
        try:
            self._admission.ask(lane)
            sent = await self._sent(request, counts, most=most)
            with self._admission.place(lane):
                answer = await endpoint(sent)
            _count(counts, answer)
        except QiaomenError as error:
            answer = problem(error)
            counts["code"] = error.code
        except RecursionError:
            # Nested as deep as can just be read, and then too deep for what looks into it.
            answer = problem(BadMessage("malformed", at="$"))
            counts["code"] = "malformed"
        except (OperationalError, PoolTimeout) as error:
            log_failure(_incident(counts), error)
            answer = Answer(_problem("unavailable"), 503, {"retry-after": "5"})
        except Exception as error:
            incident = _incident(counts)
            log_failure(incident, error)
            answer = Answer(_problem("server_error", incident=incident), 500)
        took = (time.perf_counter_ns() - started) // 1000
        path = _path(request)
        log("request", path=path, status=answer.status, took_us=took, answered=len(answer.body), **counts)
        metrics.count_request(path, answer.status, took / 1_000_000, code=str(counts.get("code", "")))
        answer = replace(answer, headers={**answer.headers, "x-request-id": str(counts["request"])})
        return _compressed(answer, request.headers.get("accept-encoding", ""))

    async def _sent(self, request: _Request, counts: dict[str, object], *, most: int) -> Sent:
        told = request.headers.get("content-length", "")
        if told.isdigit() and int(told) > most:
            raise BadMessage("too_large", most=most)
        body = await self._bodies.read(request.stream(), most=most)
        counts["received"] = len(body)
        scope = request.scope
        return Sent(
            method=request.method,
            path=scope["raw_path"].decode("latin-1").partition("?")[0],
            query=scope["query_string"].decode("latin-1"),
            headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
            address=request.client.host if request.client else "",
            counts=counts,
            inflated_most=LIMITS.inflated_bytes if most == LIMITS.json_bytes else most,
        )


def _count(counts: dict[str, object], answer: Answer) -> None:
    match counts:
        case {"operations": int(operations)}:
            metrics.count_push(operations, answer.body)
        case {"rows": int(rows)}:
            metrics.count_rows(rows)


def _path(request: _Request) -> str:
    """The route's own path, without an account or a checksum in it."""
    path: str = min(request.scope["route_handler"].paths)
    return path.replace(":str}", "}")


def _request_id() -> str:
    return secrets.token_hex(8)


def _compressed(answer: Answer, accepted: str) -> Response[bytes]:
    offered = {part.partition(";")[0].strip() for part in accepted.split(",")}
    encoding = next((name for name in ("zstd", "gzip") if name in offered), "")
    if not encoding or answer.media_type == OCTETS or len(answer.body) < _SMALL:
        return _plain(answer)
    body = compress(answer.body, encoding=encoding)
    headers = {**answer.headers, "content-encoding": encoding, "vary": "accept-encoding"}
    return _plain(Answer(body, answer.status, headers))


def _plain(answer: Answer) -> Response[bytes]:
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers), media_type=answer.media_type)


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
