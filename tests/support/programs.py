"""The whole program in a throw-away home, worked with keys as a person does; a real store, a server only when given."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar, cast

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from desk import Answers
from desktop.app import Application
from desktop.community import NOTHING, Search
from desktop.pages.setup.page import SetupPage
from desktop.pages.unlock.page import UnlockPage
from desktop.paths import Paths
from desktop.sync_agent import Connect
from desktop.vault import Colleague, Profile, Vault
from sync.keys.derivation import Cost
from sync.keys.slots import KeySlots
from sync.store.store import Store
from world import KEY, PEOPLE, Clock, founding, ident, rules

W = TypeVar("W", bound=QWidget)
PIN = "246802"
QUICK = Cost(1, 8, 1)  # what a PIN costs is measured elsewhere
WAIT_MS = 60_000  # however busy the machine is


def furnish(home: Path, *, clock: Callable[[], int], people: Iterable[str] = PEOPLE) -> Vault:
    """A set-up PC of the world's community, known to no server; everybody named has the PIN 246802."""
    paths = Paths.for_home(home)
    paths.ensure()
    vault = Vault(paths.data)
    slots, key = KeySlots.create(vault.slots_file, device_secret=vault.secret(), cost=QUICK)
    store = Store.create(vault.database, key, community_id=ident("community"), rules=rules(), wall=clock)
    store.seed(founding())
    store.close()
    for name in people:
        slots.add(ident(name), pin=PIN, database_key=key)
    slots.set_recovery(key)
    vault.keep_profile(
        Profile(
            community_id=ident("community"),
            community_name="向阳社区",
            station_name="向阳里驿站",
            people=tuple(
                Colleague(account_id=ident(name), name=PEOPLE[name][0], title=PEOPLE[name][1]) for name in people
            ),
        )
    )
    return vault


class Program:
    """A started program; ``close`` it at the end of the test."""

    def __init__(
        self,
        home: Path,
        *,
        clock: Callable[[], int],
        connect: Connect | None = None,
        search: Search | None = None,
    ) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self.home = home
        self.restarts: list[None] = []  # how often it was to begin anew
        self.paths = Paths.for_home(home)
        self.answers = Answers(home)
        self.app = Application(
            app,
            self.paths,
            now=clock,
            ask=self.answers,
            connect=connect,
            rules=rules(),
            community=search.run() if search is not None else NOTHING,
            search=search,
            restart=lambda: self.restarts.append(None),
        )
        self.window = self.app.window
        self.app.start()
        self.window.activateWindow()
        self.settle()

    def close(self) -> None:
        """End the program as closing its window does."""
        self.app.stop()
        for thread in self.app.tasks._net.threads:  # a real end does not wait for a request that hangs
            thread.join(WAIT_MS / 1000)
        self.window.close()
        self.window.deleteLater()
        self.app.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    # ------------------------------------------------------------------------------------------- waiting

    def until(self, is_so: Callable[[], object], what: str) -> None:
        """Let the program run until something is so; fails with ``what`` when it never is.

        One look decides: what was so when seen may be otherwise a moment later, when a timer asks for more.
        """
        loop = QEventLoop()
        watch, alarm = QTimer(), QTimer()
        watch.timeout.connect(lambda: loop.exit(0) if is_so() else None)
        alarm.setSingleShot(True)
        alarm.timeout.connect(lambda: loop.exit(1))
        watch.start(2)
        alarm.start(WAIT_MS)
        never = loop.exec()
        assert not never, f"never: {what}; the page says {self.said()!r}"

    def settle(self) -> None:
        """Let everything that was asked of the lanes come home."""
        self.until(lambda: not self.app.tasks.pending, "the lanes at rest")
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()

    # ------------------------------------------------------------------------------------------- looking

    @property
    def gate(self) -> UnlockPage:
        """The unlock page, which must be shown."""
        gate = self.window.gate
        assert isinstance(gate, UnlockPage), gate
        return gate

    @property
    def setup(self) -> SetupPage:
        """The set-up page, which must be shown."""
        gate = self.window.gate
        assert isinstance(gate, SetupPage), gate
        return gate

    def all(self, kind: type[W]) -> list[W]:
        """Everything of a kind that can be seen, in the order of its making."""
        return [one for one in cast("list[W]", self.window.findChildren(kind)) if one.isVisible()]

    def said(self) -> str:
        """All text on the screen."""
        return "\n".join(
            [label.text() for label in self.all(QLabel)] + [button.text() for button in self.all(QAbstractButton)]
        )

    # ------------------------------------------------------------------------------------------- doing

    def type(self, text: str, into: QWidget) -> None:
        """Click into a field and type; the simulated keys know ASCII only."""
        into.setFocus()
        QTest.keyClicks(into, text)

    def press(self, text: str) -> None:
        """Click the button that can be seen and says this."""
        found = [button for button in self.all(QAbstractButton) if button.text().startswith(text)]
        assert found, f"no button {text!r} in {self.said()!r}"
        QTest.mouseClick(found[0], Qt.MouseButton.LeftButton)
        self.settle()

    def key(self, key: Qt.Key, *, ctrl: bool = False) -> None:
        """Press a key wherever the keyboard is."""
        target = QApplication.focusWidget() or self.window
        modifier = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
        QTest.keyClick(target, key, modifier)
        self.settle()

    def try_pin(self, account_id: str, pin: str = PIN) -> None:
        """Choose a person and type six digits."""
        self.gate.choose(account_id)
        form = self.gate.form
        assert form is not None
        field = form.fields()[0]
        self.type(pin, field)
        QTest.keyClick(field, Qt.Key.Key_Return)
        self.settle()

    def unlock(self, name: str, pin: str = PIN) -> None:
        """Get in as somebody of the world."""
        self.try_pin(ident(name), pin)
        self.until(lambda: self.window.at_work, f"{name} is let in")
        self.settle()

    def go(self, page: str, **target: object) -> QWidget:
        """Open a page and wait until it has read everything."""
        self.window.navigate(page, **target)
        self.settle()
        assert self.window.current is not None
        return self.window.current


__all__ = ["KEY", "PIN", "Clock", "Program", "furnish", "ident"]
