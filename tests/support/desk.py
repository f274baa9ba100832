"""A page on its own before a real store: real lanes, a real session; where it wanted to go is written down."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QTimer
from PySide6.QtGui import QPagedPaintDevice, QPdfWriter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.context import Context
from desktop.hub import Hub, Notice
from desktop.pages.page import Page
from desktop.paths import Paths
from desktop.session import Session
from desktop.settings import Settings
from desktop.sync_agent import SyncAgent
from desktop.tasks import Tasks
from desktop.vault import Vault
from desktop.widgets.ask import Question
from sync.domain.rules import load_rules
from sync.store.store import Reader, Store
from world import PEOPLE, ROOT, World

WAIT_MS = 8000


class Answers:
    """Stands where the program would ask on the screen: says yes, and hands out the files it was given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.files: list[Path] = []  # to be chosen, one after the other
        self.has_printer = True

    def confirm(
        self,
        parent: QWidget,
        question: Question,
        then: Callable[[], object],
        otherwise: Callable[[], object] | None = None,
    ) -> None:
        self.asked.append(question.title)
        then()

    def pick_file(
        self,
        parent: QWidget,
        *,
        title: str,
        filters: str,
        then: Callable[[Path], object],
        folder: Path | None = None,
    ) -> None:
        self.asked.append(title)
        if self.files:
            then(self.files.pop(0))

    def pick_save(
        self, parent: QWidget, *, title: str, filters: str, suggested: str, then: Callable[[Path], object]
    ) -> None:
        self.asked.append(title)
        then(self.folder / suggested)

    def pick_folder(self, parent: QWidget, *, title: str, then: Callable[[Path], object]) -> None:
        self.asked.append(title)

    def pick_printer(
        self,
        parent: QWidget,
        *,
        title: str,
        then: Callable[[QPagedPaintDevice], object],
        otherwise: Callable[[], object],
    ) -> None:
        self.asked.append(title)
        if self.has_printer:
            then(QPdfWriter(str(self.folder / "printed.pdf")))
        else:
            otherwise()


class Desk:
    """The services of the desktop around a world; ``sit`` says who works, ``show`` puts a page into a window."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.failures: list[Exception] = []
        self.notices: list[Notice] = []
        self.went: list[tuple[str, dict[str, Any]]] = []
        self.answers = Answers(folder)
        self.hub = Hub()
        self.hub.notice.connect(self.notices.append)
        self.tasks: Tasks[Store, Reader] = Tasks(on_failure=self.failures.append, on_touched=self.hub.touched.emit)
        self.session = Session()
        rules = load_rules(ROOT / "resources")
        self.context = Context(
            tasks=self.tasks,
            hub=self.hub,
            session=self.session,
            ask=self.answers,
            paths=Paths.for_home(folder / "home"),
            read_rules=lambda: rules,
            navigate=self._navigate,
            now=world.clock,
            vault=Vault(folder / "vault"),
            agent=SyncAgent(self.tasks, self.hub, now=world.clock),
            connect=None,
            settings=Settings,
            change_settings=lambda _: None,
        )
        self.host = QWidget()
        QVBoxLayout(self.host).setContentsMargins(0, 0, 0, 0)
        self.tasks.start(open_write=lambda: world.store, open_read=world.reader)
        self.settle()

    def sit(self, name: str) -> None:
        """This person of the world works now."""
        chinese, title, *_ = PEOPLE[name]
        self.session.begin(self.world.viewer(name), name=chinese, title=title)

    def show(self, page: Page, *, width: int = 1190, height: int = 705, **target: Any) -> None:
        """Put the page into a window of this size, open it, and wait until it has read everything."""
        layout = self.host.layout()
        assert layout is not None
        layout.addWidget(page)
        self.host.resize(width, height)
        self.hub.touched.connect(page.touched)
        self.host.show()
        self.host.activateWindow()
        page.open(**target)
        self.settle()

    def settle(self) -> None:
        """Let everything that was asked of the lanes come home."""
        loop = QEventLoop()
        watch, alarm = QTimer(), QTimer()
        watch.timeout.connect(lambda: None if self.tasks.pending else loop.quit())
        alarm.setSingleShot(True)
        alarm.timeout.connect(loop.quit)
        watch.start(1)
        alarm.start(WAIT_MS)
        loop.exec()
        assert alarm.isActive(), "the lanes did not come to rest"
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()

    def close(self) -> None:
        """End the lanes and close the store."""
        self.host.hide()
        self.host.deleteLater()
        self.tasks.close(close_write=lambda store: store.close(), close_read=lambda reader: reader.close())
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def _navigate(self, page: str, **target: Any) -> None:
        self.went.append((page, target))
