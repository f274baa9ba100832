"""The command line: ``python -m sync.server serve``, ``bundle``, ``backup``, ``restore``, ``revoke``, ``erase``."""

import argparse
import sys
import time
from datetime import datetime
from pathlib import Path

from sync.domain.calendar import CHINA, instant
from sync.domain.example import SIZES
from sync.errors import StoreError
from sync.server import backup_command, bundle_command, erase_command, revoke_command
from sync.server.logs import start_logging
from sync.server.service import Service
from sync.server.serving import serve_alone, serve_with_workers
from sync.server.settings import PretendedClock, Settings, wall_ms

_SENTENCES = {
    "in_use": "Another server (process {pid}) runs on this data folder: stop it, or give --data another folder.",
    "newer": "The data were written by a newer version of this program: install that version.",
    "no_address": "The address {address} cannot be had ({why}): stop what uses it, or give --port another number.",
    **backup_command.SENTENCES,
}
_DEFAULTS = Settings(Path())


def main(arguments: list[str] | None = None) -> int:
    """Do what the first word says; the exit status."""
    given = _parser().parse_args(arguments)
    try:
        status: int = given.run(given)
    except StoreError as error:
        return _complain(_SENTENCES.get(error.code, error.code).format_map(error.params))
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
        wall=PretendedClock(instant(given.pretend_now), time.monotonic_ns()) if given.pretend_now else wall_ms,
    )
    if given.workers > 1 and settings.embedded:
        return _complain(
            "SQLite is for one process: leave --workers out, or give --database a PostgreSQL that several can share."
        )
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


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sync.server", description="The sync server.")
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_serve(commands.add_parser("serve", help="serve until stopped"))
    bundle = commands.add_parser("bundle", help="take in what PCs without a line sent by stick, and write the answers")
    bundle.set_defaults(run=lambda given: bundle_command.run(given, print))
    _add_data(bundle)
    bundle_command.add_arguments(bundle)
    backup = commands.add_parser("backup", help="write a backup, also while the server runs")
    backup.set_defaults(run=lambda given: backup_command.run_backup(given, print))
    _add_data(backup)
    backup_command.add_backup_arguments(backup)
    restore = commands.add_parser("restore", help="put a backup in the place of a stopped server's data")
    restore.set_defaults(run=lambda given: backup_command.run_restore(given, print))
    _add_data(restore)
    backup_command.add_restore_arguments(restore)
    revoke = commands.add_parser("revoke", help="a PC may sync no more, from this moment; or list all PCs")
    revoke.set_defaults(run=lambda given: revoke_command.run(given, print))
    _add_data(revoke)
    revoke_command.add_arguments(revoke)
    erase = commands.add_parser("erase", help="what is kept of a household or a person goes, here and on every PC")
    erase.set_defaults(run=lambda given: erase_command.run(given, print))
    _add_data(erase)
    erase_command.add_arguments(erase)
    return parser


def _add_data(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", type=Path, default=Path("data"), help="data folder (default: ./data)")
    command.add_argument("--database", default="", help="postgresql+psycopg://… instead of SQLite in the data folder")


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.set_defaults(run=_serve)
    _add_data(serve)
    serve.add_argument("--host", default=_DEFAULTS.host)
    serve.add_argument("--port", type=int, default=_DEFAULTS.port)
    serve.add_argument("--workers", type=_at_least_one, default=1, help="processes, on PostgreSQL only (default: 1)")
    serve.add_argument("--community-name", default=_DEFAULTS.community_name)
    serve.add_argument("--community-code", default="", help="area code of twelve digits")
    serve.add_argument("--secretary-name", default=_DEFAULTS.secretary_name)
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
