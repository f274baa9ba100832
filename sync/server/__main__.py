"""The command line, ``qiaomen-server`` or ``python -m sync.server``: ``serve``, ``code``, ``backup``, ``restore``, …"""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import ArgumentError, OperationalError

from sync import __version__
from sync.domain.calendar import CHINA, instant
from sync.domain.example import SIZES
from sync.errors import StoreError
from sync.server import (
    backup_command,
    buildings_command,
    bundle_command,
    code_command,
    erase_command,
    revoke_command,
    settings_file,
)
from sync.server.logs import start_logging
from sync.server.service import Service
from sync.server.serving import serve_alone, serve_with_workers
from sync.server.settings import PretendedClock, Settings, wall_ms

_SENTENCES = {
    "in_use": "Another server (process {pid}) runs on this data folder: stop it, or give --data another folder.",
    "newer": "The data were written by a newer version of this program: install that version.",
    "one_process": "SQLite is for one process: leave --workers out, or give --database a PostgreSQL that several can "
    "share.",
    "no_address": "The address {address} cannot be had ({why}): stop what uses it, or give --port another number.",
    "settings_missing": "The settings {path} cannot be read ({why}).",
    "settings_wrong": "The settings {path} are wrong: {why}. Nothing was done.",
    "no_database": "The database did not answer: {why}",
    "database_address": "The address of the database is not understood: {why}",
    **backup_command.SENTENCES,
}
_DEFAULTS = Settings(Path())
_ASKS = frozenset({"-h", "--help", "--version"})  # answered with whatever settings


def main(arguments: list[str] | None = None) -> int:
    """Do what the first word says; the exit status."""
    try:
        known, left = _settings_parser().parse_known_args(arguments)
        path = None if _ASKS.intersection(left) else settings_file.named(known.settings)
        given = _parser(settings_file.defaults(path) if path is not None else {}).parse_args(arguments)
        status: int = given.run(given)
    except StoreError as error:
        return _complain(error.code, **error.params)
    except OperationalError as error:
        return _complain("no_database", why=str(error.orig).strip())
    except ArgumentError as error:
        return _complain("database_address", why=str(error))
    return status


def _serve(given: argparse.Namespace) -> int:
    settings = Settings(
        data=given.data,
        database=given.database,
        host=given.host,
        port=given.port,
        community_name=given.community_name,
        community_code=given.community_code,
        secretary_name=given.secretary_name,
        example=given.example,
        sync_window_s=given.sync_window,
        queue_limit=given.queue_limit,
        shows_code=given.show_code,
        releases=given.releases,
        wall=PretendedClock(instant(given.pretend_now), time.monotonic_ns()) if given.pretend_now else wall_ms,
    )
    if given.workers > 1 and settings.embedded:
        return _complain("one_process")
    start_logging()

    def greet(service: Service) -> None:
        _greet(service, settings)

    if given.workers == 1:
        return serve_alone(settings, greet=greet, until_stdin_closes=given.until_stdin_closes)
    return serve_with_workers(settings, given.workers, greet=greet, until_stdin_closes=given.until_stdin_closes)


def _greet(service: Service, settings: Settings) -> None:
    print(f"Data: {settings.data if settings.embedded else 'PostgreSQL'}")
    print(f"Address: http://{settings.host}:{settings.port}")
    code = service.first_code
    if code is not None:
        until = datetime.fromtimestamp(code.expires_at / 1000, CHINA).strftime("%Y-%m-%d %H:%M")
        print(f"First enrolment code, for the secretary, valid once until {until}: {code.code}")
    sys.stdout.flush()


def _complain(code: str, **params: object) -> int:
    print(_SENTENCES.get(code, code).format_map(params), file=sys.stderr)
    return 1


def _settings_parser() -> argparse.ArgumentParser:
    """Understands the one argument that must be known before all others."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(
        "--settings",
        default="",
        metavar="FILE",
        help=f"a TOML file that says what is left out below (default: ${settings_file.VARIABLE})",
    )
    return parser


def _parser(said: dict[str, Any]) -> argparse.ArgumentParser:
    """The whole command line; ``said`` by the settings is what holds for arguments that are left out."""
    parser = argparse.ArgumentParser(
        prog="qiaomen-server", description="The sync server.", allow_abbrev=False, parents=[_settings_parser()]
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, does: str, run: Callable[..., int], *tell: Callable[[argparse.ArgumentParser], None]) -> None:
        command = commands.add_parser(name, help=does)
        for arguments in (_add_data, *tell):
            arguments(command)
        command.set_defaults(run=run, **said)

    def saying(run: Callable[[argparse.Namespace, Callable[[str], None]], int]) -> Callable[..., int]:
        return lambda given: run(given, print)

    add("serve", "serve until stopped", _serve, _add_names, _add_serve)
    add(
        "code",
        "a one-time code for the secretary, to enrol the first PC",
        saying(code_command.run),
        code_command.add_arguments,
    )
    add(
        "buildings",
        "make the buildings of the community's preset; the server is stopped, or not yet started",
        saying(buildings_command.run),
        _add_names,
        buildings_command.add_arguments,
    )
    add(
        "bundle",
        "take in what PCs without a line sent by stick, and write the answers",
        saying(bundle_command.run),
        bundle_command.add_arguments,
    )
    add(
        "backup",
        "write a backup, also while the server runs",
        saying(backup_command.run_backup),
        backup_command.add_backup_arguments,
    )
    add(
        "restore",
        "put a backup in the place of a stopped server's data",
        saying(backup_command.run_restore),
        backup_command.add_restore_arguments,
    )
    add(
        "revoke",
        "a PC may sync no more, from this moment; or list all PCs",
        saying(revoke_command.run),
        revoke_command.add_arguments,
    )
    add(
        "erase",
        "what is kept of a household or a person goes, here and on every PC",
        saying(erase_command.run),
        erase_command.add_arguments,
    )
    return parser


def _add_data(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", type=Path, default=Path("data"), help="data folder (default: ./data)")
    command.add_argument("--database", default="", help="postgresql+psycopg://… instead of SQLite in the data folder")


def _add_names(command: argparse.ArgumentParser) -> None:
    """Of the first start only."""
    command.add_argument("--community-name", default=_DEFAULTS.community_name)
    command.add_argument("--community-code", default="", help="area code of twelve digits")
    command.add_argument("--secretary-name", default=_DEFAULTS.secretary_name)


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--host", default=_DEFAULTS.host)
    serve.add_argument("--port", type=int, default=_DEFAULTS.port)
    serve.add_argument("--workers", type=_at_least_one, default=1, help="processes, on PostgreSQL only (default: 1)")
    serve.add_argument(
        "--show-code",
        action=argparse.BooleanOptionalAction,
        default=_DEFAULTS.shows_code,
        help="make and show the first enrolment code at each start; without it `code` makes one",
    )
    serve.add_argument(
        "--queue-limit",
        type=_at_least_one,
        default=_DEFAULTS.queue_limit,
        help=f"requests taken at once by a process; others come again later (default: {_DEFAULTS.queue_limit})",
    )
    serve.add_argument(
        "--sync-window",
        type=int,
        default=0,
        metavar="SECONDS",
        help="over which PCs spread their rounds (default: as their number asks for)",
    )
    serve.add_argument(
        "--releases", type=Path, metavar="DIR", help="offer the signed release in this folder to the PCs"
    )
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


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
