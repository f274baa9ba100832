"""What is typed into any form never reaches the log folder, neither when it is saved nor when saving fails."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QPushButton, QWidget

from desktop import crash, logs
from desktop.navigation import page_names
from desktop.widgets.pin_field import PinField
from programs import Clock, Program, furnish, ident
from sync.domain.operations import new
from sync.domain.visit_facts import VisitIntent
from sync.store import visits
from sync.store.store import Store

MARK = "Zqxmarker"  # plain letters: the last guard, which takes out Chinese and numbers, would not see it
CHINESE = "秘密的话"
PHONE = "13912345678"
TARGETS = {
    "visits": {"household_id": ident("b3:201")},
    "households": {"household_id": ident("b3:201"), "edit": True},
    "disputes": {"new": True, "household_id": ident("b3:201")},
}


@pytest.fixture
def log_folder(tmp_path: Path) -> Iterator[Path]:
    """The log as the program starts it, at its most talkative."""
    folder = tmp_path / "home" / "logs"
    before = logging.getLogger().level
    handler = logs.start(folder)
    guard = crash.CrashGuard(fault_file=folder / "fault.txt", on_crash=lambda _: None)
    guard.install()
    logging.getLogger().setLevel(logging.DEBUG)
    yield folder
    guard.uninstall()
    logging.getLogger().setLevel(before)
    logs.stop(handler)


@pytest.fixture
def program(qapp: QApplication, tmp_path: Path, log_folder: Path) -> Iterator[Program]:
    clock = Clock()
    furnish(tmp_path / "home", clock=clock)
    made = Program(tmp_path / "home", clock=clock)
    yield made
    made.close()


def write_everywhere(page: QWidget) -> int:
    """Put the mark into every text field that can be seen; how many there were."""
    fields = [
        field
        for kind in (QLineEdit, QPlainTextEdit)
        for field in page.findChildren(kind)
        if field.isVisible() and field.isEnabled() and not field.isReadOnly() and not isinstance(field, PinField)
    ]
    for field in fields:
        text = f"{MARK} {CHINESE} {PHONE}"
        if isinstance(field, QLineEdit):
            field.setText(text[: field.maxLength()])
        else:
            field.setPlainText(text)
    return len(fields)


def press_the_blue_ones(page: QWidget) -> None:
    """Save whatever the page has."""
    for button in page.findChildren(QPushButton):
        if button.isVisible() and button.isEnabled() and button.property("role") in ("primary", "second"):
            button.click()
            break


def written(folder: Path) -> str:
    """All that stands in the log folder, names of files included."""
    for handler in logging.getLogger().handlers:
        handler.flush()
    return "\n".join(
        f"{path.name} {path.read_text('utf-8', 'replace')}" for path in folder.rglob("*") if path.is_file()
    )


def is_clean(text: str) -> bool:
    """Whether none of what was typed is in it."""
    return not any(secret in text for secret in (MARK, CHINESE, PHONE, "杨帆"))


def test_no_form_leaves_words_in_the_log(program: Program, log_folder: Path) -> None:
    filled = 0
    for who in ("head3", "secretary"):
        program.unlock(who)
        for name in page_names():
            page = program.go(name, **TARGETS.get(name, {}))
            filled += write_everywhere(page)
            press_the_blue_ones(page)
            program.settle()
        program.window.topbar.search.setText(MARK)
        program.settle()
        program.app.leave()
        program.settle()
    assert filled > 10
    assert is_clean(written(log_folder))


def test_no_failure_leaves_words_in_the_log(program: Program, log_folder: Path) -> None:
    program.unlock("head3")
    visit = new(
        "visit",
        ident("a visit"),
        household_id=ident("b3:201"),
        building_id=ident("b3"),
        visited_on="2026-11-23",
        outcome="met",
        note=f"{MARK} {CHINESE}",
        contact_person=CHINESE,
    )

    def break_down(store: Store) -> None:
        store.db.conn.execute("DROP TABLE outbox")
        store.save(store.act(ident("head3")), [visit])

    def refuse(store: Store) -> None:
        visits.record(store, ident("head3"), VisitIntent(household_id=MARK, note=MARK))

    program.app.tasks.write(None, refuse)
    program.app.tasks.write(None, break_down)
    program.settle()
    said = written(log_folder)
    assert "work failed" in said  # it was told, with codes and places
    assert is_clean(said), [line for line in said.splitlines() if not is_clean(line)]


def test_what_was_typed_at_the_gate_stays_out(program: Program, log_folder: Path) -> None:
    program.try_pin(ident("head3"), "135791")
    program.press("忘了密码")
    form = program.gate.form
    assert form is not None
    for field in form.fields():
        program.type("9753102468", field)
    program.press("打开")
    said = written(log_folder)
    assert "135791" not in said
    assert "975310" not in said
