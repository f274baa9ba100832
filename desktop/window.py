"""The one window: sidebar by role, search and status above, the page below; it knows no business."""

from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QIcon, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from desktop import focus, icons, theme
from desktop.context import Context
from desktop.hub import Notice
from desktop.i18n import tr
from desktop.navigation import entry_of, make_page
from desktop.pages.page import Page, Touched
from desktop.sidebar import Sidebar, WaitingCounts
from desktop.topbar import TopBar
from desktop.widgets.flow import TWO_FROM
from desktop.widgets.notice_bar import NoticeBar

HISTORY = 30  # how many pages Esc goes back


class Window(QMainWindow):
    """Shows either the gate (unlock, set-up) or the work: sidebar, top bar, pages.

    ``leave_asked`` when the person wants to hide the screen (Ctrl+L), ``closing`` before the window goes.
    """

    leave_asked = Signal()
    closing = Signal()
    page_shown = Signal(str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setObjectName("window")
        self._context = context
        self._pages: dict[str, Page] = {}
        self._history: list[tuple[str, dict[str, Any]]] = []
        self._now: tuple[str, dict[str, Any]] | None = None
        self._outer = QStackedWidget()
        self.setCentralWidget(self._outer)
        self._gate: QWidget | None = None
        self._gate_frame = QWidget()
        self._gate_frame.setObjectName("page")
        self._work = QWidget()
        self._work.setObjectName("page")
        preset = context.community.preset
        self._place = preset.community.name if preset else ""
        if preset is not None and (picture := icons.picture(preset.icon)):
            self.setWindowIcon(QIcon(picture))
        self.sidebar = Sidebar(switched_off=preset.switched_off if preset else frozenset())
        self._waiting = WaitingCounts(context, self.sidebar)
        self.topbar = TopBar(context)
        self.notices = NoticeBar()
        self.gate_notices = NoticeBar()
        self._stack = QStackedWidget()
        self._lay_out()
        self._outer.addWidget(self._work)
        self._outer.addWidget(self._gate_frame)
        self._connect()
        self.setMinimumSize(640, 480)
        self.resize(1366, 768)
        self.retranslate()

    # ------------------------------------------------------------------------------------------- gate and work

    def show_gate(self, gate: QWidget) -> None:
        """Show the unlock or set-up page alone; what was on the pages is forgotten."""
        for page in self._pages.values():
            page.leave()
            page.forget()
        self._drop_pages()
        self._history.clear()
        self._now = None
        self.notices.clear()
        self.sidebar.show_counts({})
        self._drop_gate()
        self._gate = gate
        self._gate_box.addWidget(gate, 1)
        self._outer.setCurrentWidget(self._gate_frame)
        gate.setFocus()

    def show_work(self) -> None:
        """Show the pages to the person who has just unlocked."""
        session = self._context.session
        self.sidebar.show_for(session.viewer, name=session.name, title=session.title)
        self.topbar.clear()
        self._waiting.reload()
        self._outer.setCurrentWidget(self._work)
        self._drop_gate()

    def show_person(self) -> None:
        """The post of the person who works here changed: the entries follow; pages ask for the rights each time."""
        session = self._context.session
        if session.is_open:
            self.sidebar.show_for(session.viewer, name=session.name, title=session.title)
            self._waiting.reload()

    def rebuild(self) -> None:
        """Letters, colours or language changed: build the pages anew, show the present one, go back to the field."""
        if self.current is None or self._now is None:
            return
        name, target = self._now
        field = focus.place_in(self.current)
        self.current.leave()
        self._drop_pages()
        self.retranslate()
        self._open(name, target)
        focus.go_back(self.page(name), field)

    @property
    def gate(self) -> QWidget | None:
        """The unlock or set-up page while it is shown."""
        return self._gate

    @property
    def at_work(self) -> bool:
        """Whether pages are shown (and not the gate)."""
        return self._outer.currentWidget() is self._work

    # ------------------------------------------------------------------------------------------- pages

    def navigate(self, page: str, **target: Any) -> None:
        """Open a page by its name; the page left stays in the history for Esc."""
        if not self._context.session.is_open:
            return
        if self._now is not None and self._now != (page, target):
            self._history = [*self._history[1 - HISTORY :], self._now]
        self._open(page, target)

    def go_back(self) -> None:
        """The page before this one; on the first page nothing happens."""
        if self._history:
            page, target = self._history.pop()
            self._open(page, target)

    def page(self, name: str) -> Page:
        """The page with this name, built when it is first asked for."""
        if name not in self._pages:
            made = make_page(name, self._context)
            made.heading_changed.connect(self._show_heading)
            self._pages[name] = made
            self._stack.addWidget(made)
        return self._pages[name]

    @property
    def place(self) -> tuple[str, dict[str, Any]] | None:
        """The page on the screen and what it was asked to show."""
        return self._now

    @property
    def current(self) -> Page | None:
        """The page on the screen, or None behind the gate."""
        return self._pages.get(self._now[0]) if self._now and self.at_work else None

    def _open(self, name: str, target: dict[str, Any]) -> None:
        before = self.current
        if before is not None:
            before.leave()
        page = self.page(name)
        if before is not None and before is not page:
            self.notices.turn_page()
        self._now = (name, target)
        self._stack.setCurrentWidget(page)
        self.sidebar.show_page(entry_of(name))
        page.open(**target)
        focus.enter(page)
        self._show_heading()
        self.page_shown.emit(name)

    def _drop_pages(self) -> None:
        for page in self._pages.values():
            self._stack.removeWidget(page)
            page.deleteLater()
        self._pages.clear()

    def _drop_gate(self) -> None:
        if self._gate is not None:
            self._gate_box.removeWidget(self._gate)
            self._gate.hide()
            self._gate.deleteLater()
            self._gate = None
        self.gate_notices.clear()

    def _show_notice(self, notice: Notice) -> None:
        (self.notices if self.at_work else self.gate_notices).show_notice(notice)

    def _show_heading(self) -> None:
        if self.current is not None:
            self.topbar.set_heading(self.current.title(), self.current.hint())

    def _touched(self, touched: Touched) -> None:
        for page in list(self._pages.values()):
            page.touched(touched)

    # ------------------------------------------------------------------------------------------- wiring

    def _lay_out(self) -> None:
        row = QHBoxLayout(self._work)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.topbar)
        column.addWidget(self.notices)
        column.addWidget(self._stack, 1)
        row.addLayout(column, 1)
        self._gate_box = QVBoxLayout(self._gate_frame)
        self._gate_box.setContentsMargins(0, 0, 0, 0)
        self._gate_box.addWidget(self.gate_notices)

    def _connect(self) -> None:
        self.sidebar.chosen.connect(self._chosen)
        self.topbar.menu_asked.connect(self.sidebar.pop_up)
        self._context.hub.touched.connect(self._touched)
        self._context.hub.notice.connect(self._show_notice)
        for keys, action in (
            ("Ctrl+L", self._leave),
            ("Ctrl+N", lambda: self.navigate("visits")),
            ("Ctrl+K", self.topbar.focus_search),
            ("F1", lambda: self.navigate("help", about=self._now[0] if self._now else "")),
            ("Esc", self.go_back),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(action)

    def _chosen(self, name: str) -> None:
        if name == "leave":
            self._leave()
        else:
            self.navigate(name)

    def _leave(self) -> None:
        if self.at_work:
            self.leave_asked.emit()

    def retranslate(self) -> None:
        """Texts of the frame; pages hear of a new language by themselves."""
        self.setWindowTitle(tr("{community} · Qiaomen").format(community=self._place) if self._place else tr("Qiaomen"))
        self.show_person()
        self.topbar.retranslate()
        QTimer.singleShot(0, self, self._show_heading)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        elif event.type() == QEvent.Type.FontChange:
            self._fit()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Below the narrowest layout the sidebar becomes a menu."""
        narrow = self.width() / theme.current().scale < TWO_FROM
        self.sidebar.setVisible(not narrow)
        self.topbar.set_narrow(narrow)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.current is not None:
            self.current.leave()
        self.closing.emit()
        super().closeEvent(event)

    def keyPressEvent(self, event: Any) -> None:
        if event.key() == Qt.Key.Key_Back:
            self.go_back()
            return
        super().keyPressEvent(event)
