"""The command line: ``python -m sync.server serve``."""

import argparse
import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import uvicorn
from litestar import Litestar

from sync.domain.calendar import CHINA, instant
from sync.domain.example import SIZES
from sync.errors import StoreError
from sync.server.app import make_app
from sync.server.logs import start_logging
from sync.server.service import Service
from sync.server.settings import Settings, wall_ms

_SENTENCES = {
    "in_use": "Another server (process {pid}) runs on this data folder: stop it, or give --data another folder.",
    "newer": "The data were written by a newer version of this program: install that version.",
}


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; the exit status."""
    given = _parser().parse_args(arguments)
    settings = Settings(
        data=given.data,
        database=given.database,
        host=given.host,
        port=given.port,
        community_name=given.community_name,
        community_code=given.community_code,
        secretary_name=given.secretary_name,
        example=given.example,
        wall=_clock(given.pretend_now) if given.pretend_now else wall_ms,
    )
    start_logging()
    try:
        app = make_app(settings)
    except StoreError as error:
        print(_SENTENCES.get(error.code, error.code).format_map(error.params), file=sys.stderr)
        return 1
    _greet(app.state.service, settings)
    _collect_less()
    server = uvicorn.Server(_config(app, settings))
    if given.until_stdin_closes:
        threading.Thread(target=_end_with_stdin, args=(server,), name="stdin", daemon=True).start()
    try:
        server.run()
    except KeyboardInterrupt:
        pass  # Ctrl+C; everything is closed by now
    return 0 if server.started else 1


def _collect_less() -> None:
    """A batch makes some twenty thousand objects and no cycles: looking for these again and again costs a tenth."""
    gc.collect()
    gc.freeze()  # what is loaded by now stays
    gc.set_threshold(50_000, 20, 20)


def _config(app: Litestar, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=25,
        limit_concurrency=None,
    )


def _end_with_stdin(server: uvicorn.Server) -> None:
    # The other end belongs to whoever started us: the system closes it however that process ends.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    server.should_exit = True


def _greet(service: Service, settings: Settings) -> None:
    print(f"Data: {settings.data if settings.embedded else 'PostgreSQL'}")
    print(f"Address: http://{settings.host}:{settings.port}")
    code = service.first_code
    if code is not None:
        until = datetime.fromtimestamp(code.expires_at / 1000, CHINA).strftime("%Y-%m-%d %H:%M")
        print(f"First enrolment code, for the secretary, valid once until {until}: {code.code}")
    sys.stdout.flush()


def _clock(start: str) -> Callable[[], int]:
    began, first = time.monotonic_ns(), instant(start)
    return lambda: first + (time.monotonic_ns() - began) // 1_000_000


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sync.server", description="The sync server.")
    commands = parser.add_subparsers(required=True, metavar="command")
    serve = commands.add_parser("serve", help="serve until stopped")
    serve.add_argument("--data", type=Path, default=Path("data"), help="data folder (default: ./data)")
    serve.add_argument("--database", default="", help="postgresql+psycopg://… instead of SQLite in the data folder")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8440)
    serve.add_argument("--community-name", default=Settings(Path()).community_name)
    serve.add_argument("--community-code", default="", help="area code of twelve digits")
    serve.add_argument("--secretary-name", default=Settings(Path()).secretary_name)
    serve.add_argument(
        "--until-stdin-closes", action="store_true", help="end when standard input ends, with the parent"
    )
    serve.add_argument("--example", choices=SIZES, default="", help="begin with a made-up community of this size")
    serve.add_argument(
        "--pretend-now",
        default="",
        metavar="TIME",
        help="let the clock start at 'YYYY-MM-DD HH:MM', for demonstrations",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
