"""The sidebar: working pages by role, then what is always there, and who is unlocked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QVBoxLayout, QWidget

from desktop import icons, theme
from desktop.context import Context
from desktop.i18n import tr
from desktop.navigation import ALWAYS, Entry, entries_for
from desktop.widgets.card import clear
from desktop.widgets.labels import label, line
from desktop.widgets.logo import Logo
from desktop.widgets.nav_button import NavButton
from sync.domain.roles import Viewer

if TYPE_CHECKING:
    from sync.store.next_steps import Waiting
    from sync.store.writer import Touched

WIDTH = 176
LEAVE = Entry("leave", "exit", "", shortcut="Ctrl+L")


class Sidebar(QFrame):
    """Emits ``chosen`` with the page's name, or 'leave'. In a narrow window the same entries come as a menu."""

    chosen = Signal(str)

    def __init__(self, *, switched_off: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.setProperty("role", "sidebar")
        self._switched_off = switched_off
        self._buttons: dict[str, NavButton] = {}
        self._counts: Mapping[str, int] = {}
        self._texts: list[tuple[Entry, str]] = []
        self._marked = ""
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._body = QWidget()
        self._box = QVBoxLayout(self._body)
        area.setWidget(self._body)
        for surface in (area.viewport(), self._body):
            surface.setAutoFillBackground(False)  # the frame's own colour shows, not the window's
        outer.addWidget(area)

    def show_for(self, viewer: Viewer, *, name: str, title: str) -> None:
        """Fill the sidebar for a role and name the unlocked person below."""
        px = theme.current().px
        self.setFixedWidth(px(WIDTH))
        clear(self._box)
        self._box.setContentsMargins(px(12), px(16), px(12), px(14))
        self._box.setSpacing(px(4))
        self._box.addWidget(Logo())
        self._box.addSpacing(px(10))
        self._buttons = {}
        self._texts = [(entry, tr(text)) for entry, text in entries_for(viewer, switched_off=self._switched_off)]
        for entry, text in self._texts:
            self._add(entry, text)
        self._box.addWidget(line())
        for entry in (*ALWAYS, LEAVE):
            text = tr("Leave") if entry is LEAVE else tr(entry.text)
            self._texts.append((entry, text))
            self._add(entry, text)
        self._box.addStretch(1)
        self._box.addWidget(line())
        self._box.addWidget(label(name, "strong", wrap=True))
        self._box.addWidget(label(title, "secondary", wrap=True))
        self.show_page(self._marked)

    def show_page(self, page: str) -> None:
        """Show which entry the page belongs to."""
        self._marked = page
        for name, shown in self._buttons.items():
            shown.setChecked(name == page)

    def show_counts(self, counts: Mapping[str, int]) -> None:
        """How much waits behind which entry, by the page's name."""
        self._counts = counts
        for name, shown in self._buttons.items():
            shown.set_count(counts.get(name, 0))

    def pop_up(self, where: QPoint) -> None:
        """The entries as a menu, for narrow windows and large letters."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for entry, text in self._texts:
            count = self._counts.get(entry.page, 0)
            shown = f"{text}　{count}" if count else text
            action = menu.addAction(icons.icon(entry.icon, look=theme.current()), shown)
            action.triggered.connect(lambda _=False, page=entry.page: self.chosen.emit(page))
        menu.popup(where)

    def _add(self, entry: Entry, text: str) -> None:
        shown = f"{text} {entry.shortcut.replace('+', ' ')}" if entry.shortcut else text
        made = NavButton(shown, name=text)
        made.setIcon(icons.icon(entry.icon, look=theme.current()))
        made.set_count(self._counts.get(entry.page, 0))
        made.clicked.connect(lambda _=False, page=entry.page: self._clicked(page))
        self._buttons[entry.page] = made
        self._box.addWidget(made)

    def _clicked(self, page: str) -> None:
        self.show_page(self._marked)  # the window marks the page it really opens
        self.chosen.emit(page)


class WaitingCounts(QObject):
    """Keeps the numbers of the sidebar true: one read at unlocking and after what they count was touched."""

    _COUNTED = frozenset({"demand", "dispute", "dispute_status"})

    def __init__(self, context: Context, sidebar: Sidebar) -> None:
        super().__init__(sidebar)
        self._context = context
        self._sidebar = sidebar
        context.hub.touched.connect(self._touched)

    def reload(self) -> None:
        """Count again for whoever works now."""
        from sync.store.next_steps import waiting  # the store is not wanted before somebody unlocks

        session = self._context.session
        if not session.is_open:
            self._sidebar.show_counts({})
            return
        viewer, now = session.viewer, self._context.now()
        # Numbers that can't be read are left out: what is wrong with the file is told by the page that needs it.
        self._context.tasks.read(
            self,
            lambda reader: waiting(reader.db, viewer, now=now),
            self._show,
            lambda _: self._sidebar.show_counts({}),
            key="waiting",
        )

    def _touched(self, touched: Touched) -> None:
        if any(kind in self._COUNTED for kind, _ in touched):
            self.reload()

    def _show(self, found: Waiting) -> None:
        self._sidebar.show_counts({"demands": found.demands, "disputes": found.disputes})
