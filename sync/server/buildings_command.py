"""``qiaomen-server buildings``: the buildings of the community's preset, so that nobody types them in."""

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Connection

from sync.domain.building_list import BuildingList
from sync.domain.calendar import load_calendar
from sync.errors import AccessError, RuleError
from sync.server.lock import FolderLock
from sync.server.runner import Runner
from sync.server.settings import Settings
from sync.server.storage import beginning, buildings, people, shape

Say = Callable[[str], None]


def add_arguments(command: argparse.ArgumentParser) -> None:
    """What the command understands besides the data folder or database and the names of the first start."""
    command.add_argument(
        "--from",
        type=Path,
        required=True,
        metavar="FILE",
        dest="source",
        help="buildings.json of the community's preset",
    )


def run(given: argparse.Namespace, say: Say) -> int:
    """Make the buildings that are not there yet, all or none; the exit status. The first start may be this one.

    Raises StoreError ``newer``, and on SQLite ``in_use`` while the server runs: it alone writes there.
    """
    try:
        listed = BuildingList.parse(given.source.read_bytes())
    except (OSError, RuleError):
        say(f"{given.source} is no list of buildings (buildings.json of a preset). Nothing was done.")
        return 1
    problems = list(listed.problems())
    for problem in problems:
        building = listed.buildings[problem.place]
        say(f"{building.compound} {building.name}: {problem.error.field} {problem.error.code}")
    if problems:
        say("Nothing was done.")
        return 1
    settings = Settings(
        data=given.data,
        database=given.database,
        community_name=given.community_name,
        community_code=given.community_code,
        secretary_name=given.secretary_name,
    )
    try:
        added = _write(settings, listed)
    except AccessError:
        say("The first secretary has left; buildings are described in the program now. Nothing was done.")
        return 1
    say(f"Made: {added.buildings} buildings with {added.doors} doors. There already: {added.known}.")
    return 0


def _write(settings: Settings, listed: BuildingList) -> buildings.Added:
    with ExitStack() as stack:
        settings.data.mkdir(parents=True, exist_ok=True)
        if settings.embedded:
            stack.callback(FolderLock(settings.data).release)
        runner = Runner(settings)
        stack.callback(runner.close)
        runner.write_now(shape.migrate)
        calendar = load_calendar((settings.resources / "calendars" / "cn.toml").read_text("utf-8"))
        now = settings.wall()

        def write(connection: Connection) -> buildings.Added:
            who = beginning.identity(connection, settings)
            added = buildings.add(connection, who, listed, calendar=calendar, now=now)
            people.note(
                connection,
                who.community,
                action="buildings",
                target=who.community,
                account="",
                installation="",
                now=now,
            )
            return added

        return runner.write_now(write)
