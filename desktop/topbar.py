"""The bar above every page: find a household from anywhere, the page's name, and how things stand with sync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from desktop import theme
from desktop.context import Context
from desktop.i18n import number, tr
from desktop.sync_status import Phase, Status
from desktop.widgets.buttons import button
from desktop.widgets.labels import label, set_text
from desktop.widgets.search_field import SearchField, SearchResult
from desktop.words.moments import moment_words

if TYPE_CHECKING:
    from sync.store.search import Hit

_FOUND = 8


class TopBar(QFrame):
    """Keeps its place on every page. ``menu_asked`` when the sidebar is wanted as a menu, at this place on screen."""

    menu_asked = Signal(QPoint)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._status = Status()
        self._is_narrow = False
        self.setProperty("role", "topbar")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.menu = button("", on_click=self._ask_menu)
        self.search = SearchField(name=tr("Find a household"))
        for shortcut in cast(list[QShortcut], self.search.findChildren(QShortcut)):
            shortcut.setEnabled(False)  # the window owns Ctrl+K; two owners of one key cancel each other out
        self._title = label("", "title")
        self._hint = label("", "secondary")
        self.status = button("", role="status", on_click=lambda: context.navigate("sync"))
        self._row = QHBoxLayout(self)
        for widget, stretch in ((self.menu, 0), (self.search, 0), (self._title, 0), (self._hint, 1)):
            self._row.addWidget(widget, stretch, Qt.AlignmentFlag.AlignVCenter)
        self._row.addStretch(1)
        self._row.addWidget(self.status, 0, Qt.AlignmentFlag.AlignVCenter)
        self.search.typed.connect(self._find)
        self.search.chosen.connect(lambda household_id: context.navigate("households", household_id=household_id))
        self.search.installEventFilter(self)
        context.hub.sync_state.connect(self.show_status)
        self.retranslate()
        self._fit()

    def set_heading(self, title: str, hint: str) -> None:
        """Name the page."""
        self._title.setText(title)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint) and not self._is_narrow)

    def set_narrow(self, narrow: bool) -> None:
        """In a narrow window (or with large letters) the sidebar is a menu, and the bar says less."""
        self._is_narrow = narrow
        self.menu.setVisible(narrow)
        set_text(self._hint, self._hint.text() if not narrow else "")
        self._title.setVisible(not narrow or not self._hint.isVisible())
        self._fit()
        self.show_status(self._status)

    def clear(self) -> None:
        """Somebody else sits down: nothing typed may stay."""
        self.search.clear_search()

    def focus_search(self) -> None:
        """Ctrl+K: go to the search field, ready to type anew."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def show_status(self, status: Status) -> None:
        """How things stand with sync; being without a line is no alarm."""
        self._status = status
        words = status_words(status, now=self._context.now())
        waiting = tr("{n} to send").format(n=number(status.unsent)) if status.unsent else tr("All saved")
        self.status.set_words(waiting if self._is_narrow and not status.refused else words)
        self.status.setToolTip(words)
        self.status.setAccessibleName(words)

    def retranslate(self) -> None:
        """Every text of the bar again."""
        self.menu.set_words(tr("Menu"))
        self.search.setPlaceholderText(tr("Find: 3-2-501, name, initials, phone"))
        self.search.setAccessibleName(tr("Find a household"))
        self.show_status(self._status)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Esc empties the field first; only then it is the window's way back.
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
            and self.search.text()
        ):
            event.accept()
            return True
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        px = theme.current().px
        self._row.setContentsMargins(
            px(16 if self._is_narrow else 28), px(11), px(16 if self._is_narrow else 28), px(11)
        )
        self._row.setSpacing(px(theme.GAP_M))
        policy = QSizePolicy.Policy.Expanding if self._is_narrow else QSizePolicy.Policy.Fixed
        self.search.setSizePolicy(policy, QSizePolicy.Policy.Fixed)

    def _ask_menu(self) -> None:
        self.menu_asked.emit(self.menu.mapToGlobal(QPoint(0, self.menu.height())))

    def _find(self, text: str) -> None:
        from sync.store import search  # the store is not wanted before somebody unlocks

        viewer = self._context.session.viewer

        def show(hits: Sequence[Hit]) -> None:
            self.search.set_results(text, [_result(hit) for hit in hits])

        self._context.tasks.read(
            self, lambda reader: search.find(reader.db, viewer, text, limit=_FOUND), show, key="search"
        )


def status_words(status: Status, *, now: int) -> str:
    """The sentence of the status pill: what waits and, without a line, when all was last in step."""
    if status.refused:
        return tr("{n} to be put right before sending, nothing lost").format(n=number(status.refused))
    if status.phase is Phase.SYNCING:
        if status.to_send > status.sent:
            return tr("Sending {done} of {n}").format(done=number(status.sent), n=number(status.to_send))
        if status.to_receive > status.received > 0:
            return tr("Receiving {percent}%").format(percent=status.received * 100 // status.to_receive)
        return tr("Receiving what others did")
    if status.to_decide:
        return tr("{n} to decide, both are kept").format(n=number(status.to_decide))
    if status.handed:
        return tr("{n} handed to you by colleagues").format(n=number(status.handed))
    last = moment_words(status.last_success_at, now=now) if status.phase is not Phase.IDLE else ""
    since = " · " + tr("last sync {when}").format(when=last) if last else ""
    if status.unsent:
        return tr("All saved on this PC · {n} go out when there is a line").format(n=number(status.unsent)) + since
    if status.phase in (Phase.OFF, Phase.WAITING, Phase.TROUBLE, Phase.PAUSED):
        return tr("All saved on this PC") + since
    return tr("All saved on this PC · all sent")


def _result(hit: Hit) -> SearchResult:
    from sync.store.demand_rows import place_name

    note = tr("household") if hit.kind == "household" else tr("resident")
    place = place_name("household", "", hit.building, hit.unit, hit.room_no)
    return SearchResult(household_id=hit.household_id, place=place, who=hit.name, note=note)
