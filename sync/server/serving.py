"""Serving: one process, or several on one PostgreSQL that share nothing but the listening socket and the database."""

import gc
import logging
import multiprocessing
import os
import shutil
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from signal import SIGINT, SIGTERM, signal

import uvicorn
from litestar import Litestar
from prometheus_client.multiprocess import mark_process_dead

from sync.errors import StoreError
from sync.server.app import make_app
from sync.server.logs import log, start_logging
from sync.server.metrics import FOLDER_VARIABLE
from sync.server.notifying import NotifyingServer
from sync.server.service import Service
from sync.server.settings import Settings

Say = Callable[[Service], None]

GRACE_S = 25  # for requests under way, when the server is to end
_DEATHS = 5  # within _WITHIN_S; more are no accident, and whoever started us is to know
_WITHIN_S = 60.0
_spawned = multiprocessing.get_context("spawn")  # threads are at work, and nothing of theirs is to be copied


def serve_alone(settings: Settings, *, greet: Say, until_stdin_closes: bool) -> int:
    """One process, until told to stop; the exit status. Raises StoreError."""
    app = make_app(settings)
    greet(app.state.service)
    _collect_less()
    server = NotifyingServer(_config(app, settings))

    def end() -> None:
        server.should_exit = True

    if until_stdin_closes:
        _when_stdin_ends(end)
    try:
        server.run()
    except KeyboardInterrupt:
        pass  # Ctrl+C; everything is closed by now
    return 0 if server.started else 1


def serve_with_workers(settings: Settings, count: int, *, greet: Say, until_stdin_closes: bool) -> int:
    """So many processes on one database, until told to stop; the exit status.

    A worker that dies is started again; when more than five die within a minute all end, with status 1. Workers end
    with this process, however it ends. Raises StoreError, also ``no_address`` (``address``, ``why``).
    """
    with closing(_listening(settings)) as listener:
        first = Service(settings)  # brings the database to shape and begins it, once for all
        try:
            greet(first)
        finally:
            first.close()
        folder = settings.data / "metrics"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        os.environ[FOLDER_VARIABLE] = str(folder)
        told, tell = _spawned.Pipe(duplex=False)
        for number in (SIGTERM, SIGINT):
            signal(number, lambda *_: tell.send(None))
        if until_stdin_closes:
            _when_stdin_ends(lambda: tell.send(None))
        crew = [_start(settings, listener, index) for index in range(count)]
        status = _watch(crew, told, start=lambda index: _start(settings, listener, index), folder=str(folder))
        _dismiss(crew)
    return status


@dataclass(frozen=True, slots=True)
class _Worker:
    """A process; it ends when its line is closed."""

    process: SpawnProcess
    line: Connection


def _start(settings: Settings, listener: socket.socket, index: int) -> _Worker:
    ours, theirs = _spawned.Pipe(duplex=False)
    process = _spawned.Process(
        target=_work, args=(replace(settings, worker=index), listener, ours), name=f"worker {index}"
    )
    process.start()
    ours.close()
    return _Worker(process, theirs)


def _watch(crew: list[_Worker], told: Connection, *, start: Callable[[int], _Worker], folder: str) -> int:
    """Return when told to stop (0), or when too many workers have died (1)."""
    deaths: deque[float] = deque(maxlen=_DEATHS + 1)
    while True:
        ready = wait([told, *(worker.process.sentinel for worker in crew)])
        if told in ready:
            return 0
        for index, worker in enumerate(crew):
            if worker.process.sentinel not in ready:
                continue
            worker.process.join()
            worker.line.close()
            mark_process_dead(worker.process.pid, folder)  # type: ignore[no-untyped-call]
            log("worker_died", died=index, process=worker.process.pid, status=worker.process.exitcode)
            deaths.append(time.monotonic())
            if len(deaths) > _DEATHS and deaths[-1] - deaths[0] < _WITHIN_S:
                log("alarm", code="workers_die")
                return 1
            crew[index] = start(index)


def _dismiss(crew: list[_Worker]) -> None:
    for worker in crew:
        worker.line.close()
    for worker in crew:
        worker.process.join(GRACE_S + 5)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _work(settings: Settings, listener: socket.socket, line: Connection) -> None:
    """What a worker does, from its start to its end."""
    start_logging(worker=settings.worker)
    app = make_app(settings)
    _collect_less()
    server = (NotifyingServer if settings.worker == 0 else uvicorn.Server)(_config(app, settings))

    def end_with_parent() -> None:
        # Nothing is ever sent: the line ends when the parent closes it, or ends itself.
        try:
            line.recv()
        except (EOFError, OSError):
            server.should_exit = True

    threading.Thread(target=end_with_parent, name="parent", daemon=True).start()
    log("worker", process=os.getpid())
    try:
        server.run([listener])
    except KeyboardInterrupt:
        pass  # the terminal tells all processes at once
    logging.shutdown()


def _collect_less() -> None:
    """A batch makes some twenty thousand objects and no cycles: looking for these again and again costs a tenth."""
    gc.collect()
    gc.freeze()  # what is loaded by now stays
    gc.set_threshold(50_000, 20, 20)


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise StoreError("no_address", address=f"{settings.host}:{settings.port}", why=error.strerror) from error
    listener.set_inheritable(True)
    return listener


def _config(app: Litestar, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        limit_concurrency=None,
    )


def _when_stdin_ends(end: Callable[[], None]) -> None:
    def read() -> None:
        # The other end belongs to whoever started us: the system closes it however that process ends.
        while os.read(sys.stdin.fileno(), 1024):
            pass
        end()

    threading.Thread(target=read, name="stdin", daemon=True).start()
