"""The program as a whole: who gets in, what is remembered, what hides, how it looks is chosen while it runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop import i18n, settings, theme
from desktop.hub import Tone
from desktop.pages.setup.page import SetupPage
from desktop.pages.unlock.page import UnlockPage
from desktop.pages.visits.page import VisitPage
from desktop.paths import Paths
from programs import Clock, Program, furnish, ident
from sync.domain.visit_facts import VisitIntent
from sync.errors import StoreError
from sync.store import visits
from sync.store.store import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def home(tmp_path: Path, clock: Clock) -> Path:
    furnish(tmp_path / "home", clock=clock)
    return tmp_path / "home"


@pytest.fixture
def program(qapp: QApplication, home: Path, clock: Clock) -> Iterator[Program]:
    made = Program(home, clock=clock)
    yield made
    made.close()


def visit(program: Program, name: str, household: str) -> None:
    """Somebody records a visit without the page."""
    intent = VisitIntent(
        household_id=ident(household), visited_on="2026-11-23", time_band="morning", contact_mode="door", outcome="met"
    )
    program.app.tasks.write(None, lambda store: visits.record(store, ident(name), intent))
    program.settle()


def test_an_empty_pc_shows_the_set_up_page(qapp: QApplication, tmp_path: Path, clock: Clock) -> None:
    made = Program(tmp_path / "new", clock=clock)
    assert isinstance(made.window.gate, SetupPage)
    made.close()


def test_after_unlocking_today_is_shown_and_has_the_keyboard(program: Program) -> None:
    program.unlock("head3")
    assert program.window.place == ("today", {})
    current, focused = program.window.current, QApplication.focusWidget()
    assert current is not None
    assert focused is not None
    assert focused is current or current.isAncestorOf(focused)
    assert program.window.gate is None


@pytest.mark.parametrize(
    "page", ["today", "households", "visits", "needs_map", "disputes", "demands", "sync", "settings"]
)
def test_the_keyboard_goes_into_every_page(program: Program, page: str) -> None:
    program.unlock("head3")
    shown = program.go(page)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused is shown or shown.isAncestorOf(focused)


def test_ctrl_l_hides_everything_and_says_what_was_kept(program: Program) -> None:
    program.unlock("head3")
    visit(program, "head3", "b3:101")
    visit(program, "head3", "b3:102")
    QTest.keyClick(program.window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert isinstance(program.window.gate, UnlockPage)
    assert not program.app.context.session.is_open
    program.settle()
    assert "今天记了 2 户，都存好了。" in program.said()
    assert "张伟国" not in program.said()


def test_nothing_is_said_of_a_day_without_work(program: Program) -> None:
    program.unlock("head3")
    program.app.leave()
    program.settle()
    assert "今天记了" not in program.said()


def test_the_same_person_comes_back_to_the_same_page(program: Program) -> None:
    program.unlock("head3")
    program.go("households", household_id=ident("b3:201"))
    program.app.leave()
    program.settle()
    program.unlock("head3")
    assert program.window.place == ("households", {"household_id": ident("b3:201")})


def test_another_person_begins_with_today(program: Program) -> None:
    program.unlock("head3")
    program.go("settings")
    program.app.leave()
    program.settle()
    program.unlock("grid")
    assert program.window.place == ("today", {})


def test_untouched_for_long_the_screen_hides_itself(program: Program) -> None:
    program.unlock("head3")
    program.app._idle.setInterval(1)
    QTest.keyClick(program.window.windowHandle(), Qt.Key.Key_Shift)
    program.until(lambda: program.window.gate is not None, "the screen is hidden")


def test_a_restart_returns_to_the_very_field(qapp: QApplication, home: Path, clock: Clock) -> None:
    first = Program(home, clock=clock)
    first.unlock("head3")
    page = cast(VisitPage, first.go("visits", household_id=ident("b3:201")))
    first.type("half a sentence", page.form.note.edit)
    first.until(lambda: not page.drafting._is_dirty, "the draft on its way to the disk")
    first.settle()
    first.app.tasks.close()  # the plug is pulled: no page is left, nothing is tidied up
    first.window.close()
    first.window.deleteLater()
    second = Program(home, clock=clock)
    second.unlock("head3")
    second.until(lambda: second.window.place != ("today", {}), "the page with the draft")
    second.settle()
    assert second.window.place == ("visits", {"household_id": ident("b3:201")})
    found = cast(VisitPage, second.window.current)
    assert found.form.note.edit.toPlainText() == "half a sentence"
    assert QApplication.focusWidget() is found.form.note.edit
    second.close()


def test_a_restart_without_a_draft_begins_with_today(qapp: QApplication, home: Path, clock: Clock) -> None:
    first = Program(home, clock=clock)
    first.unlock("head3")
    first.go("settings")
    first.close()
    second = Program(home, clock=clock)
    second.unlock("head3")
    assert second.window.place == ("today", {})
    second.close()


def test_letters_grow_at_once_and_the_keyboard_stays(program: Program) -> None:
    program.unlock("head3")
    page = program.go("settings")
    button = page.sizes.button_of("200")  # type: ignore[attr-defined]
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    program.until(lambda: theme.current().percent == 200 and program.window.current is not page, "large letters")
    program.settle()
    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.accessibleName() == "200%"
    assert program.window.place == ("settings", {})
    assert settings.load(program.paths.settings_file).settings.text_percent == 200
    assert not program.window.sidebar.isVisible()


def test_english_is_spoken_at_once(program: Program, qapp: QApplication) -> None:
    program.unlock("head3")
    page = program.go("settings")
    page.language.button_of("en").click()  # type: ignore[attr-defined]
    program.until(lambda: "How it looks" in program.said() and "Households" in program.said(), "English")
    assert program.window.current is not None
    program.window.current.language.button_of("zh_CN").click()  # type: ignore[attr-defined]
    program.until(lambda: "显示" in program.said(), "Chinese")
    assert i18n.language() == "zh_CN"


def test_high_contrast_is_worn_at_once(program: Program) -> None:
    program.unlock("head3")
    page = program.go("settings")
    page.contrast.button_of("high_contrast").click()  # type: ignore[attr-defined]
    program.until(lambda: theme.current().name == "high_contrast", "high contrast")
    program.settle()


def test_damaged_settings_are_told_and_stop_nothing(qapp: QApplication, home: Path, clock: Clock) -> None:
    path = Paths.for_home(home).settings_file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'{"text_percent": 9')
    made = Program(home, clock=clock)
    notice = made.window.gate_notices.notice
    assert notice is not None
    assert notice.title == "设置没读出来"
    assert "不受影响" in notice.advice
    assert path.with_name("settings.json.damaged").exists()
    made.unlock("head3")
    made.close()


def test_a_crash_is_told_and_the_work_goes_on(program: Program) -> None:
    program.unlock("head3")
    program.app.crashed("Traceback …")
    program.until(lambda: program.window.notices.notice is not None, "the notice")
    notice = program.window.notices.notice
    assert notice is not None
    assert notice.tone is Tone.ALARM
    assert "已存的都在" in notice.advice
    assert notice.details == "Traceback …"


def test_an_error_without_an_asker_is_said_in_words(program: Program) -> None:
    program.unlock("head3")

    def fail(_: Store) -> None:
        raise StoreError("disk_full")

    program.app.tasks.write(None, fail)
    program.settle()
    notice = program.window.notices.notice
    assert notice is not None
    assert notice.title == "没存上：磁盘满了"
