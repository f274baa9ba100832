"""The program with something in it: the demonstration with its own server; practice, where nothing is kept or sent."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from desktop.paths import Paths, resources
from desktop.vault import Colleague, Profile, Vault
from sync.domain import example
from sync.domain.rules import Rules, load_rules

if TYPE_CHECKING:
    from desktop.app import Application
    from sync.client.api import HttpClient

HOST = "127.0.0.1"
READY_S = 60.0
END_S = 30.0
_CODE_LINE = "First enrolment code"
_ROOT = Path(__file__).resolve().parent.parent


def has_display() -> bool:
    """Whether there is a screen to open a window on, or somebody chose a platform of Qt for it."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in named)


class LocalServer:
    """The sync server as a child process on this PC alone, with the small community in its data folder.

    ``first_code`` lets the first PC in, and is '' when one has been let in already.
    """

    def __init__(self, data: Path, *, pretend_now: str = "") -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.first_code = ""
        self._log = (data / "server.log").open("ab")
        self._port = _free_port()
        self.url = f"http://{HOST}:{self._port}"
        arguments = ["--data", str(data), "--host", HOST, "--port", str(self._port), "--example", "small"]
        if pretend_now:
            arguments += ["--pretend-now", pretend_now]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sync.server", "serve", *arguments],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
        )
        self._listener = threading.Thread(target=self._listen, name="server output", daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self) -> None:
        """Return when it answers. Raises ChildProcessError when it ended, or does not answer within a minute."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise ChildProcessError(f"the server ended with status {self._process.returncode}: {self._log.name}")
            try:
                with opener.open(f"{self.url}/livez", timeout=1.0):
                    return
            except (urllib.error.URLError, OSError):
                threading.Event().wait(0.05)
        raise ChildProcessError(f"the server does not answer: {self._log.name}")

    def stop(self) -> None:
        """End it, by its own process, and wait for that."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._listener.join(END_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()

    def connect(self, _: str = "") -> "HttpClient":
        """An HTTP client for it, whatever address an enrolled PC remembers: the port is another one each time."""
        from sync.client.api import open_client

        return open_client(self.url)

    def _listen(self) -> None:
        # Read to the end, so that the child never waits for room in the pipe.
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(_CODE_LINE):
                self.first_code = line.split()[-1]


@dataclass(frozen=True, slots=True)
class Entrant:
    """Somebody who may unlock a demonstration, and with which PIN."""

    person: example.Person
    pin: str


def shown(size: example.Size = "small") -> tuple[Entrant, ...]:
    """The head, the grid worker and the secretary of an example, in the order of the unlock page."""
    return tuple(Entrant(person, person.pin) for person in example.people(size) if person.pin)


def enrol(
    vault: Vault, server: LocalServer, entrants: Sequence[Entrant], *, rules: Rules, now: Callable[[], int]
) -> bytes:
    """Make this folder a PC of the server's community, receive everything, let these people in; the database key.

    The server's first code is the branch secretary's, who must be among the people and lets the others in.
    """
    from desktop.enrolling import set_up
    from sync import wire
    from sync.client.api import Api
    from sync.client.enrolment import add_account
    from sync.client.session import Session
    from sync.keys.signatures import KeyPair
    from sync.store.store import Store

    secretary = next(entrant for entrant in entrants if entrant.person.role == "branch_secretary")
    made = set_up(
        vault,
        server_url=server.url,
        code=server.first_code,
        pin=secretary.pin,
        rules=rules,
        wall=now,
        connect=server.connect,
    )
    store = Store.open(vault.database, made.database_key, rules=rules, wall=now)
    try:
        state = store.state
        key = KeyPair(state.private_key)
        with server.connect() as http:
            api = Api.of_installation(
                http,
                key=key,
                community=state.community_id,
                installation=state.installation_id,
                now_s=lambda: store.now() // 1000,
            )
            for entrant in entrants:
                if entrant is not secretary:
                    invited = api.new_code(wire.AddPerson(by=made.account_id, account=entrant.person.account_id))
                    add_account(api, key=key, code=invited.code)
            Session(lambda fn: fn(store), api, wall=now).run()  # what the others may see besides
    finally:
        store.close()
    let_in(vault, entrants, made.database_key, rules=rules)
    return made.database_key


def let_in(
    vault: Vault,
    entrants: Sequence[Entrant],
    database_key: bytes,
    *,
    rules: Rules,
    size: example.Size = "small",
) -> None:
    """Key slots in this order, and the names the unlock page shows before anybody has unlocked."""
    slots = vault.slots()
    for entrant in entrants:
        if any(info.account_id == entrant.person.account_id for info in slots.people()):
            slots.remove(entrant.person.account_id)  # the page shows slots in the order of their making
        slots.add(entrant.person.account_id, pin=entrant.pin, database_key=database_key)
    community, _, station = example.COMMUNITIES[size]
    vault.keep_profile(
        Profile(
            community_id=example.community_id(size),
            community_name=community,
            station_name=station,
            people=tuple(
                Colleague(
                    account_id=entrant.person.account_id,
                    name=entrant.person.name,
                    title=entrant.person.title,
                    initials=rules.pinyin.initials(entrant.person.name),
                )
                for entrant in entrants
            ),
        )
    )


def run_demo(home: Path | None) -> int:
    """The desktop with the small community and a server of its own; without a screen, the tour. The exit status."""
    if not has_display():
        from desktop.tour import DEFAULT_FOLDER, run_tour

        print(f"There is no display here: doing the tour instead; its pictures go to {DEFAULT_FOLDER}/.", flush=True)
        return run_tour(DEFAULT_FOLDER)
    from desktop.app import wall_ms
    from desktop.launch import run

    home = home or Paths.for_user().data / "demo"
    paths = Paths.for_home(home)
    paths.ensure()
    vault = Vault(paths.data)
    if not vault.is_set_up:  # perhaps a first start was cut short, and the server knows a PC that is nowhere
        shutil.rmtree(home / "server", ignore_errors=True)
    with LocalServer(home / "server") as server:
        server.wait()
        if not vault.is_set_up:
            print("Making a small community and letting this PC in; this takes some seconds once.", flush=True)
            enrol(vault, server, shown(), rules=load_rules(resources()), now=wall_ms)
        _tell(shown())
        return run(home, connect=server.connect)


def run_practice() -> int:
    """练习模式: the small community in a folder that is thrown away; no server, nothing is ever sent."""
    from desktop.launch import run

    with tempfile.TemporaryDirectory(prefix="qiaomen-practice-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        furnish(home)
        _tell(shown())
        return run(home, dress=mark_practice)


def furnish(home: Path, *, size: example.Size = "small", today: str = "", entrants: Sequence[Entrant] = ()) -> bytes:
    """A home with an example community written straight into its store, known to no server; the database key.

    ``today`` is the last day of its history (empty: the real one); ``entrants`` (default: the three shown) get slots.
    """
    from desktop.app import wall_ms
    from sync.domain.calendar import day_of, instant
    from sync.keys.slots import KeySlots
    from sync.store.store import Store

    paths = Paths.for_home(home)
    paths.ensure()
    vault = Vault(paths.data)
    rules = load_rules(resources())
    now = instant(f"{today} 09:00") if today else wall_ms()
    _, key = KeySlots.create(vault.slots_file, device_secret=vault.secret())
    store = Store.create(vault.database, key, community_id=example.community_id(size), rules=rules, wall=lambda: now)
    try:
        store.seed(example.community(size, today=day_of(now)))
    finally:
        store.close()
    let_in(vault, entrants or shown(size), key, rules=rules, size=size)
    return key


def mark_practice(program: "Application") -> None:
    """Say on every page that this is practice."""
    from PySide6.QtWidgets import QFrame, QHBoxLayout

    from desktop.i18n import tr
    from desktop.widgets.labels import label

    ribbon = QFrame()
    ribbon.setProperty("role", "calm-box")
    QHBoxLayout(ribbon).addWidget(
        label(tr("Practice: all people and matters are made up; nothing is kept, nothing is sent."), "strong")
    )
    program.window.setMenuWidget(ribbon)
    program.window.setWindowTitle(tr("Qiaomen · practice"))


def _tell(entrants: Sequence[Entrant]) -> None:
    print("Unlock as one of these:")
    for entrant in entrants:
        print(f"  {entrant.person.name}  {entrant.person.title}  PIN {entrant.pin}")
    sys.stdout.flush()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
