"""The gate: who is let in, what happens when one leaves in between, and the copies of the day."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop.gate import PATIENCE_MS, Gate
from desktop.pages.unlock.page import UnlockPage
from programs import PIN, Clock, Program, furnish, ident
from sync.domain.operations import new, patch
from sync.store import backup
from sync.store.store import Store
from world import KEY, rules


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def program(qapp: QApplication, tmp_path: Path, clock: Clock) -> Iterator[Program]:
    furnish(tmp_path / "home", clock=clock)
    made = Program(tmp_path / "home", clock=clock)
    yield made
    made.close()


def test_who_leaves_while_being_let_in_is_not_let_in(program: Program) -> None:
    program.unlock("head3")
    program.app.leave()
    program.settle()
    gate = program.app.gate
    opened: list[int] = []
    gate.opened.connect(lambda: opened.append(1))
    gate._let_in(ident("head3"))  # the PIN was right; the rights are being read
    gate.leave()
    program.settle()
    assert opened == []
    assert not program.app.context.session.is_open


def test_new_rights_are_worn_at_once(program: Program) -> None:
    program.unlock("head3")
    heard: list[int] = []
    program.app.gate.rights_changed.connect(lambda: heard.append(1))
    grant = new(
        "grant",
        ident("head3:second"),
        account_id=ident("head3"),
        role="building_head",
        scope_kind="building",
        scope_id=ident("b2"),
        valid_from="2026-01-01",
    )
    program.app.tasks.write(None, lambda store: store.seed([grant]))
    program.until(lambda: heard, "the new right")
    assert len(program.app.context.session.viewer.grants) == 2


def test_a_new_title_shows_in_the_corner(program: Program) -> None:
    program.unlock("head3")
    program.app.tasks.write(None, lambda store: store.seed([patch("account", ident("head3"), title="代理楼长")]))
    program.until(lambda: "代理楼长" in program.said(), "the new title")


def test_whose_rights_arrive_at_the_gate_is_let_in(program: Program) -> None:
    vault = program.app.vault
    slots = vault.slots()
    key = vault.unlock(ident("head3"), PIN)
    slots.add(ident("late"), pin=PIN, database_key=key)
    program.try_pin(ident("late"))
    program.until(lambda: program.gate.error, "a sentence")
    assert "还没收到" in program.gate.error
    grant = new(
        "grant",
        ident("late:grant"),
        account_id=ident("late"),
        role="building_head",
        scope_kind="building",
        scope_id=ident("b2"),
        valid_from="2026-01-01",
    )
    program.app.tasks.write(
        None, lambda store: store.seed([new("account", ident("late"), name="吴桂花", state="active"), grant])
    )
    program.until(lambda: program.window.at_work, "let in")


def test_nobody_is_let_in_long_after_giving_up(program: Program) -> None:
    vault = program.app.vault
    vault.slots().add(ident("late"), pin=PIN, database_key=vault.unlock(ident("head3"), PIN))
    program.try_pin(ident("late"))
    program.until(lambda: program.gate.error, "a sentence")
    gate = program.app.gate
    assert gate._patience.isActive()
    assert gate._patience.interval() == PATIENCE_MS
    gate._give_up()
    assert gate._wanted == ""


def test_the_day_has_one_copy_that_opens(program: Program) -> None:
    program.unlock("head3")
    gate: Gate = program.app.gate
    assert gate._copy.isActive()
    gate.copy_today()
    gate.copy_today()
    program.settle()
    found = backup.copies(program.paths.backups)
    assert [copy.day for copy in found] == ["2026-11-23"]
    key = program.app.vault.unlock(ident("head3"), PIN)
    store = Store.open(found[0].file, key, rules=rules(), wall=Clock())
    assert store.community_id == ident("community")
    store.close()
    assert (found[0].folder / "keyslots.json").exists()
    assert key != KEY


def test_a_copy_that_cannot_be_made_is_told_calmly(program: Program) -> None:
    program.unlock("head3")
    shutil.rmtree(program.paths.backups)
    program.paths.backups.write_bytes(b"a file in the way")
    program.app.gate.copy_today()
    program.until(lambda: program.window.notices.notice, "the news")
    notice = program.window.notices.notice
    assert notice is not None
    assert notice.title == "今天的备份没做成"
    assert "您记的都在" in notice.advice
    assert program.window.at_work


def test_a_pin_is_asked_again_after_leaving(program: Program) -> None:
    program.unlock("head3")
    program.app.leave()
    program.settle()
    assert isinstance(program.window.gate, UnlockPage)
    assert program.app.tasks.is_open  # sync goes on behind it
    program.try_pin(ident("head3"), "135791")
    assert not program.window.at_work
