"""The sidebar: working pages by role, then what is always there, and who is unlocked."""

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QVBoxLayout, QWidget

from desktop import icons, theme
from desktop.i18n import tr
from desktop.navigation import ALWAYS, Entry, entries_for
from desktop.widgets.buttons import ActionButton
from desktop.widgets.card import clear
from desktop.widgets.labels import label, line
from desktop.widgets.logo import Logo
from sync.domain.roles import Viewer

WIDTH = 176
LEAVE = Entry("leave", "exit", "", shortcut="Ctrl+L")


class Sidebar(QFrame):
    """Emits ``chosen`` with the page's name, or 'leave'. In a narrow window the same entries come as a menu."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "sidebar")
        self._buttons: dict[str, ActionButton] = {}
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
        self._texts = [(entry, tr(text)) for entry, text in entries_for(viewer)]
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
        self.mark(self._marked)

    def mark(self, page: str) -> None:
        """Show which entry the page belongs to."""
        self._marked = page
        for name, shown in self._buttons.items():
            shown.setChecked(name == page)

    def pop_up(self, where: QPoint) -> None:
        """The entries as a menu, for narrow windows and large letters."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for entry, text in self._texts:
            action = menu.addAction(icons.icon(entry.icon, look=theme.current()), text)
            action.triggered.connect(lambda _=False, page=entry.page: self.chosen.emit(page))
        menu.popup(where)

    def _add(self, entry: Entry, text: str) -> None:
        shown = f"{text} {entry.shortcut.replace('+', ' ')}" if entry.shortcut else text
        made = ActionButton(shown, role="nav")
        made.setAccessibleName(text)
        made.setIcon(icons.icon(entry.icon, look=theme.current()))
        made.setCheckable(True)
        made.setAutoExclusive(False)
        made.clicked.connect(lambda _=False, page=entry.page: self._clicked(page))
        self._buttons[entry.page] = made
        self._box.addWidget(made)

    def _clicked(self, page: str) -> None:
        self.mark(self._marked)  # the window marks the page it really opens
        self.chosen.emit(page)
