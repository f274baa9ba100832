"""The demonstration: a server of its own, three people let in; and practice, which knows no server."""

import os
import subprocess
import sys
import threading
import time
import urllib.request

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel

from desktop import i18n
from desktop.app import Application
from desktop.paths import Paths, resources
from desktop.rehearsal import demo
from desktop.vault import Vault
from sync.domain import example
from sync.domain.calendar import instant
from sync.domain.rules import load_rules
from sync.store import demands
from sync.store.store import Store

WAIT_S = 30.0
RULES = load_rules(resources())
MORNING = f"{example.TODAY} 09:00"


def now() -> int:
    return instant(MORNING)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    paths = Paths.for_home(tmp_path / "home")
    paths.ensure()
    return Vault(paths.data)


def open_as(vault: Vault, key: str) -> Store:
    person = next(person for person in example.people("small") if person.key == key)
    return Store.open(vault.database, vault.unlock(person.account_id, person.pin), rules=RULES, wall=now)


def test_three_people_are_let_in_and_find_the_community(tmp_path: Path, vault: Vault) -> None:
    with demo.LocalServer(tmp_path / "server", pretend_now=MORNING) as first:
        first.wait()
        assert first.first_code
        demo.enrol(vault, first, demo.shown(), rules=RULES, now=now)
    assert [who.name for who, _ in vault.people()] == ["王秀兰", "张磊", "陈静"]
    assert (vault.profile().community_name, vault.profile().station_name) == ("幸福里社区", "红帆驿站")
    for key in ("head3", "grid0", "branch"):
        store = open_as(vault, key)
        assert store.db.conn.execute("SELECT count(*) FROM household").fetchone()[0] == 438
        assert store.state.installation_id
        people = {person.key: person.account_id for person in example.people("small")}
        own, whole = (demands.listed(store.db, store.viewer(people[who])) for who in ("head3", "grid0"))
        assert set(own) < set(whole)
        store.close()
    with demo.LocalServer(tmp_path / "server", pretend_now=MORNING) as second:  # goes on with what it has
        second.wait()
        assert second.first_code == ""


def test_the_server_ends_with_a_program_that_was_killed(tmp_path: Path) -> None:
    # The parent tells the address of its server and waits to be killed; nothing of its own code runs after that.
    source = (
        "import sys, pathlib\n"
        "from desktop.rehearsal.local_server import LocalServer\n"
        "server = LocalServer(pathlib.Path(sys.argv[1]))\n"
        "server.wait()\n"
        "print(server.url, flush=True)\n"
        "sys.stdin.read()\n"
    )
    data = tmp_path / "server"
    with subprocess.Popen(
        [sys.executable, "-c", source, str(data)],
        cwd=resources().parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert answers(url)
        parent.kill()
        parent.wait(WAIT_S)
    until = time.monotonic() + WAIT_S
    while answers(url) and time.monotonic() < until:
        threading.Event().wait(0.05)
    assert not answers(url)
    with demo.LocalServer(data) as again:  # the folder was let go of, too
        again.wait()


def answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/livez", timeout=1.0):
            return True
    except OSError:
        return False


def test_a_server_that_cannot_begin_is_told(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "server.db").write_bytes(b"not a database at all" * 100)
    with demo.LocalServer(tmp_path / "server") as broken, pytest.raises(ChildProcessError):
        broken.wait()


def test_practice_has_the_community_and_no_server(tmp_path: Path) -> None:
    home = tmp_path / "practice"
    demo.furnish(home, today=example.TODAY)
    vault = Vault(Paths.for_home(home).data)
    store = open_as(vault, "head3")
    assert store.db.conn.execute("SELECT count(*) FROM household").fetchone()[0] == 438
    assert store.state.installation_id == ""
    assert store.db.conn.execute("SELECT count(*) FROM outbox").fetchone()[0] == 0
    store.close()


def test_practice_is_marked_on_the_window(tmp_path: Path, qapp: QApplication) -> None:
    home = tmp_path / "practice"
    demo.furnish(home, today=example.TODAY)
    program = Application(qapp, Paths.for_home(home), now=now, rules=RULES)
    try:
        i18n.install(qapp, i18n.CHINESE)
        demo.mark_practice(program)
        ribbon = program.window.menuWidget()
        assert ribbon is not None
        assert any("练习模式" in label.text() for label in ribbon.findChildren(QLabel))
        assert "练习模式" in program.window.windowTitle()
    finally:
        program.stop()
        program.window.deleteLater()


def test_whether_there_is_a_display_is_asked_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert not demo.has_display()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert demo.has_display()
