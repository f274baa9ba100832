"""Builds the program once: paths, settings, theme, language, lanes, context, window; and takes it down again."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QWidget

from desktop import i18n, navigation, settings, telling, theme
from desktop.chores import Chores
from desktop.community import NOTHING, Found, Search
from desktop.community_line import line_of
from desktop.context import Context
from desktop.gate import Gate
from desktop.hub import Hub
from desktop.i18n import tr
from desktop.pages.unlock.page import UnlockPage
from desktop.paths import Paths, resources
from desktop.returning import Returning
from desktop.session import Session
from desktop.sync_agent import Connect, SyncAgent
from desktop.tasks import Tasks
from desktop.update_agent import UpdateAgent
from desktop.vault import Vault
from desktop.widgets.ask import Ask, ScreenAsk
from desktop.window import Window
from sync.domain.calendar import today
from sync.errors import StoreError

if TYPE_CHECKING:
    from sync.domain.rules import Rules
    from sync.store.store import Reader, Store

_BREATH_MS = 15
# Objects made: a batch makes thousands and no cycles, a search for them costs a tenth.
COLLECTED_AFTER = (20_000, 20, 20)
LOAD_REST_AFTER_MS = 400  # the first page has been painted by then
CHORES_AFTER_MS = 60_000  # whoever has just come in wants to work first
IDLE_MINUTES = 15  # untouched for so long, the screen is left by itself
_TOUCHES = (QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel, QEvent.Type.TouchBegin)


def wall_ms() -> int:
    """The wall clock in ms since 1970."""
    return time.time_ns() // 1_000_000


class Application(QObject):
    """The running program; ``start`` shows the window, ``stop`` saves and closes everything."""

    _crashed = Signal(str)

    def __init__(
        self,
        app: QApplication,
        paths: Paths,
        *,
        now: Callable[[], int] = wall_ms,
        ask: Ask | None = None,
        connect: Connect | None = None,
        rules: Rules | None = None,
        community: Found = NOTHING,
        search: Search | None = None,
        restart: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__()
        self._app = app
        paths.ensure()
        loaded = settings.load(paths.settings_file)
        preset, self.settings = community.preset, loaded.settings
        if preset is not None:
            self.settings = settings.sized_for(self.settings, text_size=preset.community.text_size)
        connect = connect or line_of(preset)
        i18n.install(app, self.settings.language)
        theme.apply(app, theme.load(self.settings.theme, percent=self.settings.text_percent))
        self._rules = rules
        self._reading = threading.Lock()  # the rules are read by whoever wants them first
        self.hub = Hub()
        self.tasks: Tasks[Store, Reader] = Tasks(on_failure=self._failed, on_touched=self.hub.touched.emit)
        self.vault = Vault(paths.data)
        self.agent = SyncAgent(self.tasks, self.hub, now=now, connect=connect, account=self._account)
        self.updates = UpdateAgent(
            self.tasks, self.hub, paths=paths, community=community, search=search, connect=connect, now=now
        )
        self.context = Context(
            tasks=self.tasks,
            hub=self.hub,
            session=Session(),
            ask=ask or ScreenAsk(),
            paths=paths,
            read_rules=self._read_rules,
            navigate=self._navigate,
            now=lambda: now() + self.agent.clock_offset,
            vault=self.vault,
            settings=lambda: self.settings,
            change_settings=self.change_settings,
            agent=self.agent,
            connect=connect,
            community=community,
            search=search,
            restart=restart,
            updates=self.updates,
        )
        self.gate = Gate(self.context, self.vault)
        self.window = Window(self.context)
        self._filing = threading.Lock()  # the choices are written by whichever net thread is free
        self._returning = Returning(self.context, self.window)
        self.chores = Chores(self.tasks)
        self._idle = QTimer(self)
        self._idle.setInterval(IDLE_MINUTES * 60_000)
        self._idle.setSingleShot(True)
        self.has_settled = False  # all code that pages want has been read
        self._connect()
        self._settings_set_aside = loaded.set_aside is not None

    def start(self) -> None:
        """Show the window with the gate."""
        self.show_gate()
        self.window.show()
        # What the first page needs is read while the PIN is typed: the names are on the screen sooner.
        self.tasks.net(self, self._load_first, lambda _: navigation.load_page(navigation.FIRST))
        handle = self.window.windowHandle()
        if handle is not None:  # what comes from the hands passes here first; a filter on the program would see all
            handle.installEventFilter(self)
        if self._settings_set_aside:
            self.hub.notice.emit(telling.settings_set_aside())

    def stop(self) -> None:
        """Save what is under way, stop sync, close the store; blocks until the last save is on disk."""
        if self.window.current is not None:
            self.window.current.leave()
        self._idle.stop()
        self.agent.stop()
        self.tasks.close(close_write=lambda store: store.close(), close_read=lambda reader: reader.close())

    def to_front(self) -> None:
        """Another start of the program asks for this window."""
        self.window.setWindowState(self.window.windowState() & ~Qt.WindowState.WindowMinimized)
        self.window.raise_()
        self.window.activateWindow()

    def crashed(self, details: str) -> None:
        """A mistake of the program's own, told on whatever thread it happened."""
        self._crashed.emit(details)

    def say_stopped(self, details: str) -> None:
        """The program ended in the middle of something the last time."""
        self.hub.notice.emit(telling.stopped(details))

    def show_gate(self, *, trouble: Exception | None = None) -> None:
        """The unlock page, or the set-up page when this PC has no database and no copy of one."""
        page: QWidget
        if self.vault.is_set_up or self.gate.rescue.has_copies:
            page = UnlockPage(self.context, self.gate, account_id=self._returning.account_id, trouble=trouble)
        else:
            from desktop.pages.setup.page import SetupPage  # only on the first start

            page = SetupPage(self.context, self.gate)
        self.window.show_gate(page)

    def change_settings(self, changed: settings.Settings) -> None:
        """Keep the choices and wear them at once; a disk without room costs the keeping only."""
        before, self.settings = self.settings, changed
        self.tasks.net(self, self._save_settings)
        if before.language != changed.language:
            i18n.install(self._app, changed.language)
        if (before.theme, before.text_percent) != (changed.theme, changed.text_percent):
            theme.apply(self._app, theme.load(changed.theme, percent=changed.text_percent))
        if before != changed:
            # The page whose button was just pressed is built anew too: let the press come to its end first.
            QTimer.singleShot(0, self.window, self.window.rebuild)

    def leave(self, trouble: Exception | None = None) -> None:
        """Hide the screen; say what today's work came to, so that nobody wonders whether it was kept."""
        if not self.window.at_work:
            return
        self._idle.stop()
        viewer, now = self.context.session.viewer, self.context.now()
        self._returning.note_leaving()
        self.show_gate(trouble=trouble)  # pages keep their drafts while the person is still known
        self.gate.leave()
        if self.tasks.is_open:
            from sync.store.visits import today_entries

            day = today(now)

            def households(reader: Reader) -> int:
                return len({entry.household_id for entry in today_entries(reader.db, viewer, today=day)})

            self.tasks.read(self.window.gate, households, self._say_farewell, lambda _: None)

    # ------------------------------------------------------------------------------------------- inside

    def _connect(self) -> None:
        self.gate.opened.connect(self._opened)
        self.gate.without_rights.connect(self._fetch)
        self.gate.shut_out.connect(self._shut_out)
        self.gate.rights_changed.connect(self.window.show_person)
        self.gate.damaged.connect(self._failed)
        self.gate.closed.connect(lambda: self.show_gate())
        self.window.leave_asked.connect(lambda: self.leave())
        self._idle.timeout.connect(lambda: self.leave())
        self._crashed.connect(self._say_crashed, Qt.ConnectionType.QueuedConnection)

    def _opened(self) -> None:
        self.window.show_work()
        QTimer.singleShot(0, self, self._begin_work)  # the frame is painted before the page is made

    def _begin_work(self) -> None:
        if not self.context.session.is_open:
            return
        self._returning.go_on()
        self.agent.start()
        self.updates.begin()
        QTimer.singleShot(CHORES_AFTER_MS, self, self.chores.start)
        self._idle.start()
        QTimer.singleShot(LOAD_REST_AFTER_MS, self, self._settle_down)

    def _load_first(self) -> None:
        """On the net lane: the code of the store and the rules, no Qt in either."""
        self._read_rules()
        navigation.load_store()

    def _read_rules(self) -> Rules:
        with self._reading:
            if self._rules is None:
                from sync.domain.rules import load_rules  # not before the first window is painted

                self._rules = load_rules(resources())
            return self._rules

    def _settle_down(self) -> None:
        """The first page stands: read the code of the others; what has been made so far is not garbage any more."""
        if not gc.isenabled():
            gc.freeze()
            gc.set_threshold(*COLLECTED_AFTER)
            gc.enable()
        self.tasks.net(self, navigation.load_rest, lambda _: self._load_pieces(navigation.pieces()))

    def _load_pieces(self, modules: Sequence[str]) -> None:
        """One at a time, so that nobody who works meanwhile has to wait."""
        if modules and not self.tasks.stopping.is_set():
            navigation.load_piece(modules[0])
            QTimer.singleShot(_BREATH_MS, self, lambda: self._load_pieces(modules[1:]))
        else:
            self.has_settled = True

    def _save_settings(self) -> None:
        """On the net lane; of two changes in a row the later one is what both write."""
        with self._filing:
            try:
                settings.save(self.context.paths.settings_file, self.settings)
            except OSError as error:
                raise StoreError("disk_full") from error

    def _shut_out(self, error: Exception) -> None:
        self.leave()
        if isinstance(self.window.gate, UnlockPage):
            self.window.gate.fail(error)

    def _fetch(self) -> None:
        """The file is open and holds no rights of the person at the gate: a sync may bring them."""
        self.agent.start(at_once=True)

    def _say_farewell(self, households: int) -> None:
        gate = self.window.gate
        if isinstance(gate, UnlockPage) and households:
            gate.say(tr("{n} households recorded today, all saved.").format(n=households))

    def _say_crashed(self, details: str) -> None:
        self.hub.notice.emit(telling.crashed(details))

    def _navigate(self, page: str, **target: Any) -> None:
        self.window.navigate(page, **target)

    def _account(self) -> str:
        """Who works here now, '' while the screen is left."""
        session = self.context.session
        return session.account_id if session.is_open else ""

    def _failed(self, error: Exception) -> None:
        self.hub.notice.emit(telling.failed(error, on_damage=lambda: self._offer_copies(error)))

    def _offer_copies(self, error: Exception) -> None:
        if self.window.at_work:
            self.leave(trouble=error)
        else:
            self.show_gate(trouble=error)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _TOUCHES and self._idle.isActive():
            self._idle.start()
        return False
