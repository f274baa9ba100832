"""The bar above every page: find a household from anywhere, the page's name, and how things stand with sync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from desktop import theme
from desktop.context import Context
from desktop.i18n import number, tr
from desktop.sync_status import Phase, Status
from desktop.widgets.buttons import ActionButton, button
from desktop.widgets.labels import label, set_text
from desktop.widgets.search_field import SearchField, SearchResult
from desktop.words.moments import brief_moment_words, moment_words

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
        self._least = 0  # px; the bar at its briefest
        self.setProperty("role", "topbar")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.menu = button("", on_click=self._ask_menu)
        self.search = SearchField(name=tr("Find a household"))
        for shortcut in cast(list[QShortcut], self.search.findChildren(QShortcut)):
            shortcut.setEnabled(False)  # the window owns Ctrl+K; two owners of one key cancel each other out
        self._title = label("", "title")
        self._hint = label("", "secondary")
        self.attention = button("", role="status", on_click=lambda: context.navigate("sync"))
        self.status = button("", role="status", on_click=lambda: context.navigate("sync"))
        self._row = QHBoxLayout(self)
        for widget, stretch in ((self.menu, 0), (self.search, 0), (self._title, 0), (self._hint, 1)):
            self._row.addWidget(widget, stretch, Qt.AlignmentFlag.AlignVCenter)
        self._row.addStretch(1)
        for pill in (self.attention, self.status):
            self._row.addWidget(pill, 0, Qt.AlignmentFlag.AlignVCenter)
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
        self.show_status(self._status)

    def set_narrow(self, narrow: bool) -> None:
        """In a narrow window (or with large letters) the sidebar is a menu, and the bar says less."""
        self._is_narrow = narrow
        self.menu.setVisible(narrow)
        set_text(self._hint, self._hint.text() if not narrow else "")
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
        """How things stand with sync: what waits and the last success always, and beside it what asks for a person.

        Being without a line is no alarm. Where there is no room, the same is said in fewer words.
        """
        self._status = status
        now = self._context.now()
        words, asks = status_words(status, now=now), attention_words(status)
        asked = status.refused + status.to_decide + status.handed
        self.attention.setVisible(bool(asks))
        self.attention.set_words(tr("{n} to look at").format(n=number(asked)))
        self.status.set_words(brief_words(status, now=now))
        self._least = self._make_room()
        self.updateGeometry()
        self._say_more(self.attention, brief_attention(status))
        if not self._is_narrow:
            self._say_more(self.status, words)
        for pill, said in ((self.status, words), (self.attention, asks)):
            pill.setToolTip(said)
            pill.setAccessibleName(said)

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

    def minimumSizeHint(self) -> QSize:
        # What is said in many words can be said in few: it must not keep the window from being made smaller.
        return QSize(self._least, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.show_status(self._status)

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

    def _make_room(self) -> int:
        """Leave the page's name out where it does not fit in beside what waits; the bar's least width in px."""
        name = self._title.minimumSizeHint().width() + self._row.spacing()
        bare = self._row.minimumSize().width() - (0 if self._title.isHidden() else name)
        self._title.setVisible(not self._is_narrow or bare + name <= self.width())
        return bare if self._is_narrow else bare + name

    def _say_more(self, pill: ActionButton, words: str) -> None:
        before = pill.words
        pill.set_words(words)
        if self._row.minimumSize().width() > self.width():
            pill.set_words(before)

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
    """The sentence of the status pill: how it goes, what waits, and when all was last in step."""
    if status.phase is Phase.OFF:
        return tr("All saved on this PC")
    last = moment_words(status.last_success_at, now=now)
    since = tr("last sync {when}").format(when=last) if last else tr("not synced yet")
    if status.phase is not Phase.SYNCING:
        sent = tr("{n} to send").format(n=number(status.unsent)) if status.unsent else tr("all sent")
        return " · ".join((tr("All saved on this PC"), sent, since))
    if status.to_send > status.sent:
        going = tr("Sending {done} of {n}").format(done=number(status.sent), n=number(status.to_send))
    elif status.to_receive > status.received > 0:
        going = tr("Receiving {percent}%").format(percent=status.received * 100 // status.to_receive)
    else:
        going = tr("Receiving what others did")
    return " · ".join((going, _waiting(status), since))


def brief_words(status: Status, *, now: int) -> str:
    """What waits and when all was last in step, in as few words as can be."""
    if status.phase is Phase.OFF:
        return tr("All saved")
    last = brief_moment_words(status.last_success_at, now=now)
    return " · ".join((_waiting(status), tr("last {when}").format(when=last) if last else tr("not synced yet")))


def attention_words(status: Status) -> str:
    """What asks for a person, in sentences; '' when nothing does."""
    said = (
        (status.refused, tr("{n} to be put right before sending, nothing lost")),
        (status.to_decide, tr("{n} to decide, both are kept")),
        (status.handed, tr("{n} handed to you by colleagues")),
    )
    return " · ".join(words.format(n=number(n)) for n, words in said if n)


def brief_attention(status: Status) -> str:
    """The same for the second pill."""
    said = (
        (status.refused, tr("{n} to put right")),
        (status.to_decide, tr("{n} to decide")),
        (status.handed, tr("{n} handed to you")),
    )
    return " · ".join(words.format(n=number(n)) for n, words in said if n)


def _waiting(status: Status) -> str:
    return tr("waiting: {n}").format(n=number(status.unsent)) if status.unsent else tr("all sent")


def _result(hit: Hit) -> SearchResult:
    from sync.store.demand_rows import place_name

    note = tr("household") if hit.kind == "household" else tr("resident")
    place = place_name("household", "", hit.building, hit.unit, hit.room_no)
    return SearchResult(household_id=hit.household_id, place=place, who=hit.name, note=note)
