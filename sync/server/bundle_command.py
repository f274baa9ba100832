"""``python -m sync.server bundle``: files that PCs sent by stick are taken in, and their answers written."""

import argparse
import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from sync.errors import BundleError, Offline, StoreError
from sync.server.bundle import Report
from sync.server.bundle_caller import hand_in
from sync.server.runner import DATABASE_FILE
from sync.server.service import Service
from sync.server.settings import Settings
from sync.server.storage import shape
from sync.wire.bundle import SUFFIX, read_file, unpack, write_file

Say = Callable[[str], None]
Exchange = Callable[[bytes], tuple[bytes, Report]]

_LEFT_ALONE = {
    "bundle_not_one": "it is not a bundle",
    "bundle_damaged": "it is damaged; have the PC write it once more",
    "bundle_newer": "a newer version of the program wrote it; install that version here",
    "bundle_forged": "it is not signed by the PC it names; ask who brought it",
    "bundle_wrong_way": "it is an answer for a PC; take it there",
    "bundle_other_centre": "it is sealed for another server",
    "bundle_unknown_pc": "this server does not know the PC, or its community",
    "bundle_revoked": "that PC may not sync any more",
    "bundle_no_key": "the PC's key in it cannot be used; have the PC write it once more",
    "bundle_unreadable": "it cannot be read from where it lies",
    "bundle_unwritable": "its answer could not be written; what it brought is taken in, so run this once more",
    "bundle_stick_full": "there is no room for its answer; what it brought is taken in, so run this once more",
    "no_line": "the server did not answer",
    "not_our_server": "the server that runs on this folder left no address; stop it, or start it once more",
}
_NOT_TAKEN = {
    "clock": "the PC's clock was wrong and will be put right by the answer",
    "forked": "a copy of the PC has sent under the same name; the answer gives it a new one",
    "withdrawn": "the PC has given it up since, and sends what was in it anew",
    "epoch": "the data here were restored since; the PC's next files give back what was lost",
}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """What the command understands besides the data folder or database."""
    command.add_argument("files", nargs="+", type=Path, metavar="IN.qmb", help="what PCs sent, in any order")
    command.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help="file for the answer; a folder, for several"
    )
    command.add_argument("--server", default="", metavar="URL", help="address of the server that runs on the folder")


def run(given: argparse.Namespace, say: Say) -> int:
    """Take all files in; one line is said for each. The exit status: 1 when one was left alone."""
    settings = Settings(data=given.data, database=given.database, worker=0)  # beside others; it shows no first code
    is_folder = given.out.is_dir()
    if len(given.files) > 1 and not is_folder:
        say("Several files have several answers: give --out a folder.")
        return 1
    if settings.embedded and not (settings.data / DATABASE_FILE).exists():
        say(f"There are no data in {settings.data}: give --data the server's folder.")
        return 1
    if not settings.embedded and not _has_begun(settings.database):
        say("There are no data in this database: give --database the server's own.")
        return 1
    with ExitStack() as stack:
        exchange = _exchange(settings, given.server, stack)
        done = [
            _one(path, given.out / f"{path.stem}-answer{SUFFIX}" if is_folder else given.out, exchange, say)
            for path in sorted(given.files, key=_place)
        ]
    return 0 if all(done) else 1


def _exchange(settings: Settings, server: str, stack: ExitStack) -> Exchange:
    """Straight into the data; or, while a server runs on the folder, through that server."""
    try:
        service = Service(settings)
    except StoreError as error:
        if error.code != "in_use":
            raise
        return lambda content: hand_in(settings.data, content, server=server)
    stack.callback(service.close)
    return lambda content: asyncio.run(service.bundles.exchange(content))


def _has_begun(database: str) -> bool:
    engine = create_engine(database, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return shape.has_begun(connection)
    finally:
        engine.dispose()


def _place(path: Path) -> tuple[str, int]:
    """Files of one PC in the order in which it wrote them; those that cannot be read first."""
    try:
        header = unpack(read_file(path)).header
    except BundleError:
        return "", 0
    return header.sender, header.number


def _one(path: Path, out: Path, exchange: Exchange, say: Say) -> bool:
    try:
        content, report = exchange(read_file(path))
        write_file(out, content)
    except (BundleError, Offline) as error:
        say(f"{path}: left alone, for {_LEFT_ALONE.get(error.code, error.code)}.")
        return False
    say(f"{path}: {_told(report)} Answer: {out}")
    return True


def _told(report: Report) -> str:
    parts = [f"PC {report.installation}, file {report.number}: {report.accepted} changes accepted"]
    if report.refused:
        reasons = ", ".join(f"{code} {count}" for code, count in sorted(report.refused.items()))
        parts.append(f"{sum(report.refused.values())} refused ({reasons})")
    if report.conflicts:
        parts.append(f"{report.conflicts} conflicts to decide")
    if report.repeated:
        parts.append(f"{report.repeated} of {report.batches} batches were known already")
    parts.append(f"{report.rows} rows for it")
    said = "; ".join(parts) + "."
    if report.problem:
        said += f" What came after was not taken: {_NOT_TAKEN.get(report.problem, report.problem)}."
    if report.more:
        said += " More waits for it than fits: have it bring another file."
    return said
