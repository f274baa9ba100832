"""Builds the program once: paths, settings, theme, language, lanes, context, window; and takes it down again."""

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QWidget

from desktop import i18n, settings, theme
from desktop.context import Context
from desktop.gate import Gate
from desktop.hub import Hub, Notice, Tone
from desktop.i18n import tr
from desktop.pages.unlock.page import UnlockPage
from desktop.paths import Paths, resources
from desktop.session import Session
from desktop.sync_agent import Connect, SyncAgent
from desktop.tasks import Tasks
from desktop.texts import words
from desktop.vault import Vault
from desktop.widgets.ask import Ask, ScreenAsk
from desktop.window import Window
from sync.domain.calendar import today
from sync.domain.rules import Rules, load_rules
from sync.store.store import Reader, Store
from sync.store.visits import TodayEntry, today_entries

IDLE_MINUTES = 15  # untouched for so long, the screen is left by itself


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
    ) -> None:
        super().__init__()
        self._app = app
        paths.ensure()
        loaded = settings.load(paths.settings_file)
        self.settings = loaded.settings
        i18n.install(app, self.settings.language)
        theme.apply(app, theme.load(self.settings.theme, percent=self.settings.text_percent))
        self.hub = Hub()
        self.tasks: Tasks[Store, Reader] = Tasks(on_failure=self._failed, on_touched=self.hub.touched.emit)
        self.vault = Vault(paths.data)
        self.agent = SyncAgent(self.tasks, self.hub, now=now, connect=connect)
        self.context = Context(
            tasks=self.tasks,
            hub=self.hub,
            session=Session(),
            ask=ask or ScreenAsk(),
            paths=paths,
            rules=rules or load_rules(resources()),
            navigate=self._navigate,
            now=now,
            vault=self.vault,
            settings=lambda: self.settings,
            change_settings=self.change_settings,
            agent=self.agent,
            connect=connect,
        )
        self.gate = Gate(self.context, self.vault)
        self.window = Window(self.context)
        self._idle = QTimer(self)
        self._idle.setInterval(IDLE_MINUTES * 60_000)
        self._idle.setSingleShot(True)
        self._connect()
        if loaded.set_aside is not None:
            self.hub.notice.emit(
                Notice(
                    title=tr("Your settings could not be read"),
                    advice=tr("The usual ones are in use now. Your records are not affected."),
                    tone=Tone.WARN,
                )
            )

    def start(self) -> None:
        """Show the window with the gate."""
        self.show_gate()
        self.window.show()

    def stop(self) -> None:
        """Save what is under way, stop sync, close the store; blocks until the last save is on disk."""
        self._app.removeEventFilter(self)
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
        self.hub.notice.emit(
            Notice(
                title=tr("Last time the program stopped suddenly"),
                advice=tr("Everything saved is here. An unfinished form is offered again where you left it."),
                tone=Tone.WARN,
                details=details,
            )
        )

    def show_gate(self, *, farewell: str = "") -> None:
        """The unlock page, or the set-up page when this PC has no database yet."""
        page: QWidget
        if self.vault.is_set_up:
            page = UnlockPage(self.context, self.gate, farewell=farewell)
        else:
            from desktop.pages.setup.page import SetupPage  # only on the first start

            page = SetupPage(self.context, self.gate)
        self.window.show_gate(page)

    def change_settings(self, changed: settings.Settings) -> None:
        """Keep the choices and wear them at once."""
        before, self.settings = self.settings, changed
        settings.save(self.context.paths.settings_file, changed)
        if (before.theme, before.text_percent) != (changed.theme, changed.text_percent):
            theme.apply(self._app, theme.load(changed.theme, percent=changed.text_percent))
            self.window.rebuild()
        if before.language != changed.language:
            i18n.install(self._app, changed.language)

    def _connect(self) -> None:
        self.gate.opened.connect(self._opened)
        self.gate.empty.connect(self._fetch)
        self.window.leave_asked.connect(self._leave)
        self._idle.timeout.connect(self._leave)
        self._crashed.connect(self._say_crashed, Qt.ConnectionType.QueuedConnection)
        self._app.installEventFilter(self)

    def _opened(self) -> None:
        self.window.show_work()
        self._navigate("today")
        self.agent.start()
        self._idle.start()

    def _fetch(self) -> None:
        """The file is open and nothing was received into it yet: get it, then let the person in."""
        self.agent.start()
        self.agent.sync_now()

    def _leave(self) -> None:
        """Hide the screen; say what today's work came to, so that nobody wonders whether it was kept."""
        if not self.window.at_work:
            return
        self._idle.stop()
        viewer, now = self.context.session.viewer, self.context.now()
        self.gate.leave()
        self.show_gate()
        self.tasks.read(
            self.window, lambda reader: today_entries(reader.db, viewer, today=today(now)), self._say_farewell
        )

    def _say_farewell(self, entries: tuple[TodayEntry, ...]) -> None:
        gate, count = self.window.gate, len({entry.household_id for entry in entries})
        if isinstance(gate, UnlockPage) and count:
            gate.say(tr("{n} households recorded today, all saved.").format(n=count))

    def _say_crashed(self, details: str) -> None:
        self.hub.notice.emit(
            Notice(
                title=tr("Something went wrong in the program"),
                advice=tr("What you saved is safe, what you were typing is kept as a draft. You can go on."),
                tone=Tone.ALARM,
                details=details,
            )
        )

    def _navigate(self, page: str, **target: Any) -> None:
        self.window.navigate(page, **target)

    def _failed(self, error: Exception) -> None:
        said = words(error)
        self.hub.notice.emit(Notice(title=said.title, advice=said.advice, tone=Tone.ALARM, details=said.details))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress) and self._idle.isActive():
            self._idle.start()
        return False
