"""Bad days on real files: each is told in a sentence that says what was kept and what to do, and has a way out."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtWidgets import QApplication

from communities import SECRETARY_PIN, Community, community
from desktop.lock import DataLock
from desktop.pages.visits.page import VisitPage
from desktop.paths import Paths
from desktop.sync_status import Phase
from desktop.vault import Vault
from programs import PIN, Clock, Program, furnish, ident
from sync.domain.visit_facts import VisitIntent
from sync.keys.codes import new_one_time_code
from sync.store import backup, visits
from sync.store.database import open_database
from sync.store.store import Reader
from world import ROOT

PAGE = 4096


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def home(tmp_path: Path, qapp: QApplication, clock: Clock) -> Path:
    furnish(tmp_path / "home", clock=clock)
    return tmp_path / "home"


@pytest.fixture
def vault(home: Path) -> Vault:
    return Vault(Paths.for_home(home).data)


def visit(program: Program, household: str) -> None:
    """The head of building 3 records a visit."""
    intent = VisitIntent(
        household_id=ident(household), visited_on="2026-11-23", time_band="morning", contact_mode="door", outcome="met"
    )
    program.app.tasks.write(None, lambda store: visits.record(store, ident("head3"), intent))
    program.settle()


def count(program: Program) -> int:
    """How many visits there are."""
    found: list[int] = []

    def read(reader: Reader) -> int:
        return int(reader.db.conn.execute("SELECT count(*) FROM visit").fetchone()[0])

    program.app.tasks.read(program.window, read, found.append)
    program.settle()
    return found[0]


def copy_of_the_day(vault: Vault, home: Path, day: str) -> None:
    """The daily copy, as the program makes it beside the work."""
    key = vault.unlock(ident("head3"), PIN)
    backups = Paths.for_home(home).backups
    assert backup.make_daily(vault.database, key, backups, day=day, beside=(vault.slots_file,)) is not None


def spoil(path: Path, *, page: int) -> None:
    """Overwrite one page, as a dying disk does."""
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(b"\xa5" * PAGE)


def work_a_day(home: Path, clock: Clock, *households: str) -> None:
    """A day on which these were visited, with a tidy end."""
    program = Program(home, clock=clock)
    program.unlock("head3")
    for household in households:
        visit(program, household)
    program.close()


# ------------------------------------------------------------------------------------------ the file


def test_a_damaged_file_is_told_and_yesterdays_copy_opens(home: Path, vault: Vault, clock: Clock) -> None:
    work_a_day(home, clock, "b3:101")
    copy_of_the_day(vault, home, "2026-11-22")
    work_a_day(home, clock, "b3:102")
    spoil(vault.database, page=0)
    before = vault.database.read_bytes()
    program = Program(home, clock=clock)
    program.try_pin(ident("head3"))
    program.until(lambda: program.gate.rescue, "the ways out")
    assert "存记录的文件坏了" in program.said()
    assert "没删" in program.said() or "不删" in program.said()
    program.press("打开 11-22 的备份")
    program.until(lambda: "请再输一次密码" in program.said(), "the copy in place")
    assert not program.window.at_work  # nobody gets in without a PIN
    program.unlock("head3")
    notice = program.window.notices.notice
    assert notice is not None
    assert "2026-11-22" in notice.title
    assert count(program) == 1
    broken = [path for path in vault.folder.glob("station.db.broken-*") if path.suffix.startswith(".broken")]
    assert any(path.read_bytes() == before for path in broken)
    visit(program, "b3:201")
    assert count(program) == 2
    program.close()


def test_damage_found_while_working_leads_to_the_copies(home: Path, vault: Vault, clock: Clock) -> None:
    work_a_day(home, clock, "b3:101")
    copy_of_the_day(vault, home, "2026-11-22")
    pages = vault.database.stat().st_size // PAGE
    for page in range(pages // 2, pages - 1):
        spoil(vault.database, page=page)
    program = Program(home, clock=clock)
    program.try_pin(ident("head3"))
    program.settle()
    if program.window.at_work:
        program.app.gate.copy_today()
        program.until(lambda: program.window.notices.notice, "the news")
        notice = program.window.notices.notice
        assert notice is not None
        assert notice.title == "存记录的文件坏了"
        program.press("看看备份")
    program.until(lambda: program.gate.rescue, "the ways out")
    program.press("打开 11-22 的备份")
    program.until(lambda: "请再输一次密码" in program.said(), "the copy in place")
    program.unlock("head3")
    assert count(program) == 1
    program.close()


def test_a_missing_file_is_found_in_the_copies(home: Path, vault: Vault, clock: Clock) -> None:
    work_a_day(home, clock, "b3:101")
    copy_of_the_day(vault, home, "2026-11-22")
    for path in vault.folder.glob("station.db*"):
        path.unlink()
    program = Program(home, clock=clock)
    program.try_pin(ident("head3"))
    program.until(lambda: program.gate.rescue, "the ways out")
    assert "不见了" in program.said() or "找不到" in program.said(), program.said()
    program.press("打开 11-22 的备份")
    program.until(lambda: "请再输一次密码" in program.said(), "the copy in place")
    program.unlock("head3")
    assert count(program) == 1
    program.close()


def test_a_damaged_copy_changes_nothing(home: Path, vault: Vault, clock: Clock) -> None:
    copy_of_the_day(vault, home, "2026-11-21")
    copy_of_the_day(vault, home, "2026-11-22")
    spoil(vault.database, page=0)
    spoil(Paths.for_home(home).backups / "2026-11-22" / "data.db", page=3)
    program = Program(home, clock=clock)
    program.try_pin(ident("head3"))
    program.until(lambda: program.gate.rescue, "the ways out")
    program.press("打开 11-22 的备份")
    program.until(lambda: program.gate.rescue, "the ways out again")
    program.press("打开 11-21 的备份")
    program.until(lambda: "请再输一次密码" in program.said(), "the older copy in place")
    program.unlock("head3")
    program.close()


def test_a_damaged_file_without_a_copy_can_be_set_aside(home: Path, vault: Vault, clock: Clock) -> None:
    spoil(vault.database, page=0)
    before = vault.database.read_bytes()
    program = Program(home, clock=clock)
    program.try_pin(ident("head3"))
    program.until(lambda: program.gate.rescue, "the ways out")
    assert "还没有备份" in program.said()
    program.press("重新设置这台电脑")
    program.until(lambda: "让这台电脑加入" in program.said(), "the set-up page")
    assert program.answers.asked == ["重新设置这台电脑？"]
    kept = list(vault.folder.glob("aside*/station.db"))
    assert [path.read_bytes() for path in kept] == [before]
    assert not vault.is_set_up
    program.close()


def test_a_newer_file_is_refused_and_stays_as_it_is(home: Path, vault: Vault, clock: Clock) -> None:
    key = vault.unlock(ident("head3"), PIN)
    db = open_database(vault.database, key)
    db.conn.execute("PRAGMA user_version = 99")
    db.conn.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('qiaomen', 'm9999_later', '2030')"
    )
    db.close()
    before = vault.database.read_bytes()
    program = Program(home, clock=clock)
    program.try_pin(ident("head3"))
    program.until(lambda: program.gate.error, "a sentence")
    assert "新" in program.gate.error
    assert "什么都没改动" in program.gate.error
    assert program.gate.rescue is None
    program.close()
    assert vault.database.read_bytes() == before


# ------------------------------------------------------------------------------------------ the keys


@pytest.mark.parametrize("content", [b"", b'{"format": "qiaomen key', None])
def test_the_key_file_of_the_copy_helps(home: Path, vault: Vault, clock: Clock, content: bytes | None) -> None:
    copy_of_the_day(vault, home, "2026-11-22")
    if content is None:
        vault.slots_file.unlink()
    else:
        vault.slots_file.write_bytes(content)
    program = Program(home, clock=clock)
    program.until(lambda: program.gate.rescue, "the way out")
    assert "您记的都在" in program.said()
    program.press("用 11-22 备份的钥匙文件")
    program.until(lambda: program.gate.people.tiles, "the names again")
    program.unlock("head3")
    if content is not None:
        assert (vault.folder / "keyslots.json.broken-1").read_bytes() == content
    program.close()


def test_without_any_key_file_the_pc_is_set_up_again(home: Path, vault: Vault, clock: Clock) -> None:
    vault.slots_file.write_bytes(b"?")
    program = Program(home, clock=clock)
    program.until(lambda: program.gate.rescue, "the way out")
    assert "传过的都会收回来" in program.said()
    program.press("重新设置这台电脑")
    program.until(lambda: "让这台电脑加入" in program.said(), "the set-up page")
    program.close()


def test_files_copied_from_another_pc_need_the_recovery_code(home: Path, vault: Vault, clock: Clock) -> None:
    code = vault.slots().set_recovery(vault.unlock(ident("head3"), PIN))
    (vault.folder / "device.secret").unlink()
    program = Program(home, clock=clock)
    program.try_pin(ident("head3"))
    assert "别的电脑" in program.gate.error or "另一台电脑" in program.gate.error, program.gate.error
    program.press("忘了密码")
    form = program.gate.form
    assert form is not None
    for field, text in zip(form.fields(), (code, "975310", "975310"), strict=True):
        program.type(text, field)
    program.press("打开")
    program.until(lambda: program.window.at_work, "in")
    program.close()


# ------------------------------------------------------------------------------------------ the disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB of its own, where one may mount; elsewhere the test of the page limit stands alone."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    yield disk if mounted.returncode == 0 else tmp_path
    if mounted.returncode == 0:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def fill_up(program: Program, disk: Path) -> None:
    """No room for another page, on the real disk where it is small, else by the file's own limit."""
    if os.path.ismount(disk):
        with (disk / "films").open("wb") as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
                    file.flush()
            except OSError:
                pass
    else:
        program.app.tasks.write(None, lambda store: store.db.conn.execute("PRAGMA max_page_count = 1") and None)
        program.settle()


def make_room(program: Program, disk: Path) -> None:
    """Somebody deleted the films."""
    if os.path.ismount(disk):
        (disk / "films").unlink(missing_ok=True)
    else:
        program.app.tasks.write(None, lambda store: store.db.conn.execute("PRAGMA max_page_count = 1000000") and None)
        program.settle()


def test_a_full_disk_keeps_the_form_and_works_again_after(small_disk: Path, qapp: QApplication, clock: Clock) -> None:
    home = small_disk / "home"
    furnish(home, clock=clock)
    program = Program(home, clock=clock)
    program.unlock("head3")
    page = cast(VisitPage, program.go("visits", household_id=ident("b3:201")))
    page.form.note.edit.setPlainText("灯坏了，" * 400)
    program.until(lambda: not page.drafting._is_dirty, "the draft on its way")
    program.settle()
    fill_up(program, small_disk)
    page.form.told_box.setChecked(True)
    page.form.outcome.button_of("met").click()
    page.save()
    program.settle()
    assert count(program) == 0
    assert "磁盘满了" in program.said()
    assert "草稿" in program.said()
    assert page.form.note.edit.toPlainText() == "灯坏了，" * 400
    make_room(program, small_disk)
    page.save()
    program.settle()
    assert count(program) == 1
    program.close()


# ------------------------------------------------------------------------------------------ the line


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Community]:
    with community(tmp_path) as made:
        yield made


def test_after_a_copy_was_opened_sync_brings_back_what_was_sent(place: Community, qapp: QApplication) -> None:
    vault, account = place.pc("first", place.code())
    program = place.program("first")
    program.try_pin(account, SECRETARY_PIN)
    program.until(lambda: program.window.at_work, "work")
    program.app.gate.copy_today()
    program.settle()

    def record(room: str) -> None:
        operation = place.server.visit(room)
        program.app.tasks.write(None, lambda store: store.save(store.act(account), [operation]))
        program.settle()

    def sync() -> None:
        program.app.agent.sync_now()
        program.until(lambda: program.app.agent.status.phase is Phase.IDLE, "the session")
        program.settle()

    record("b1-101")
    record("b2-101")
    sync()
    program.close()
    spoil(vault.database, page=0)
    place.line.clock.now += 86_400_000
    program = place.program("first")
    program.try_pin(account, SECRETARY_PIN)
    program.until(lambda: program.gate.rescue, "the ways out")
    program.press("打开 11-23 的备份")
    program.until(lambda: "请再输一次密码" in program.said(), "the copy in place")
    program.try_pin(account, SECRETARY_PIN)
    program.until(lambda: program.window.at_work, "work again")
    assert count(program) == 0
    record("b3-101")  # and noted before the line is back
    sync()
    assert count(program) == 3
    assert program.app.agent.status.unsent == 0
    place.device.pull()
    assert len(place.device.of_kind("visit")) == 3
    program.close()


def test_a_one_time_code_works_once(place: Community, qapp: QApplication) -> None:
    code = place.code()
    place.pc("first", code)
    program = place.program("second")
    page = program.setup
    for field, text in ((page.server, "server.test"), (page.code, code), (page.pin, "717273"), (page.again, "717273")):
        program.type(text, field)
    program.press("开始")
    program.until(lambda: page.error, "a sentence")
    assert "用过" in page.error
    assert "什么都没改动" in page.error
    page.code.setText(new_one_time_code())
    program.press("开始")
    program.until(lambda: "用过" not in page.error, "another sentence")
    program.close()


# ------------------------------------------------------------------------------------------ twice the same folder

_SECOND = """
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
app = QApplication([])
def look():
    shown = [w for w in app.topLevelWidgets() if w.isVisible()]
    if not shown:
        return
    timer.stop()
    print("|".join(label.text() for label in shown[0].findChildren(QLabel)), flush=True)
    wanted = sys.argv[2]
    next(b for b in shown[0].findChildren(QPushButton) if b.text() == wanted).click()
timer = QTimer()
timer.timeout.connect(look)
timer.start(20)
from desktop.launch import run
sys.exit(run(Path(sys.argv[1])))
"""


@pytest.mark.parametrize(("answer", "raised"), [("把开着的窗口调出来", 1), ("关掉这个", 0)])
def test_a_second_program_is_told_and_can_raise_the_first(
    home: Path, qapp: QApplication, clock: Clock, answer: str, raised: int
) -> None:
    first = Program(home, clock=clock)
    calls: list[int] = []
    lock = DataLock(first.paths.lock_file)
    assert lock.take(lambda: calls.append(1))
    second = subprocess.Popen(
        [sys.executable, "-c", _SECOND, str(home), answer],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    first.until(lambda: second.poll() is not None, "the second program ends")
    said = second.communicate()[0]
    first.settle()
    assert second.returncode == 0
    assert "程序已经开着了" in said
    assert "什么都没改动" in said
    first.until(lambda: len(calls) == raised, "the first is asked to the front")
    first.unlock("head3")
    first.close()
    lock.release()


def test_the_lock_goes_with_the_program(home: Path, qapp: QApplication) -> None:
    path = Paths.for_home(home).lock_file
    first, second = DataLock(path), DataLock(path)
    assert first.take(lambda: None)
    assert not second.take(lambda: None)
    first.release()
    assert second.take(lambda: None)
    second.release()
    assert not DataLock(path).raise_first()
