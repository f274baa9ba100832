"""What the program does for its file by itself: looked for after the start, once a day, piece by piece."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from programs import Clock, Program, furnish
from sync.domain.calendar import DAY
from sync.domain.clock import hlc_of
from sync.store import schema
from sync.store.store import Store
from world import ident

WHO = ident("b3:202:resident")


@pytest.fixture
def program(qapp: QApplication, tmp_path: Path) -> Iterator[Program]:
    clock = Clock()
    furnish(tmp_path / "home", clock=clock, people=("head3",))
    made = Program(tmp_path / "home", clock=clock)
    made.unlock("head3")
    yield made
    made.close()


def name(program: Program) -> str:
    found: list[str] = []

    def read(store: Store) -> str:
        return str(store.db.conn.execute("SELECT name FROM resident WHERE id = ?", (WHO,)).fetchone()[0])

    program.app.tasks.write(None, read, found.append)
    program.settle()
    return found[0]


def delete_long_ago(program: Program) -> None:
    """As it came from a server a month ago."""
    now = program.app.context.now()

    def put(store: Store) -> None:
        row = schema.load_one(store.db, "resident", WHO)
        assert row is not None
        schema.put(store.db, [replace(row, deleted=True, clock=(hlc_of(now - 31 * DAY), 7), clocks={})])

    program.app.tasks.write(None, put)


def test_what_was_deleted_long_ago_is_blanked_once_a_day(program: Program) -> None:
    chores = program.app.chores
    delete_long_ago(program)
    assert name(program)
    chores.start()
    program.until(lambda: name(program) == "" and not chores.is_at_work, "it is blanked")
    assert chores._clock.isActive()
    chores.look()
    program.settle()
    assert not chores.is_at_work, "not twice a day"


def test_it_stops_when_the_file_is_closed_and_begins_anew_later(program: Program) -> None:
    chores = program.app.chores
    delete_long_ago(program)
    chores.look()
    program.settle()
    assert chores.is_at_work
    program.app.tasks.shut(close_write=Store.close, close_read=lambda reader: reader.close())
    program.until(lambda: not chores.is_at_work, "it has stopped")
    chores.look()
    assert not chores.is_at_work


def test_a_file_that_cannot_be_written_is_no_trouble_to_anybody(program: Program) -> None:
    chores = program.app.chores
    said: list[object] = []
    program.app.hub.notice.connect(said.append)
    delete_long_ago(program)
    program.app.tasks.write(None, lambda store: store.db.conn.execute("PRAGMA query_only = 1") and None)
    chores.look()
    program.until(lambda: not chores.is_at_work and not program.app.tasks.pending, "it is given up")
    assert said == []
    assert name(program)
    program.app.tasks.write(None, lambda store: store.db.conn.execute("PRAGMA query_only = 0") and None)
    program.settle()
