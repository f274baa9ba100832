"""From the closed program to an open store with somebody in front of it, and back: unlock, leave, close."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.context import Context
from desktop.vault import Colleague, Profile, Vault
from sync.domain.calendar import today
from sync.domain.roles import Viewer
from sync.errors import AccessError
from sync.store import backup, staff
from sync.store.store import Reader, Store

COPY_AFTER_MS = 60_000  # the day's copy waits until the first work is done
COPY_EVERY_MS = 3_600_000  # a PC that is never shut down gets its copy on the next day too


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who is unlocked, as read from the store."""

    viewer: Viewer
    name: str
    title: str
    profile: Profile


class Gate(QObject):
    """Opens the store with a key, lets a person in, and keeps their rights fresh while they work.

    ``opened`` when somebody may work, ``failed`` with the error when not, ``empty`` when the file holds no rights of
    theirs yet, because the first download was cut short.
    """

    opened = Signal()
    failed = Signal(object)
    empty = Signal()

    def __init__(self, context: Context, vault: Vault) -> None:
        super().__init__()
        self._context = context
        self._vault = vault
        self._wanted = ""  # who is at the gate or inside
        self._kept: Profile | None = None
        self._key = b""
        self._copy = QTimer(self)
        self._copy.timeout.connect(self.copy_today)
        context.hub.touched.connect(self._touched)

    def enter(self, account_id: str, unlock: Callable[[], bytes]) -> None:
        """Run ``unlock`` (150 ms of key derivation) beside the window, open the store, let the account in."""
        self._context.tasks.net(self, unlock, lambda key: self._open(account_id, key), self.failed.emit)

    def leave(self) -> None:
        """Hide everything; the store stays open so that sync goes on."""
        self._context.session.end()
        self._wanted = ""

    def copy_today(self) -> None:
        """Make the day's encrypted copy unless it is there; a full disk is told, the work goes on."""
        self._copy.start(COPY_EVERY_MS)
        context, key = self._context, self._key
        database, slots_file = self._vault.database, self._vault.slots_file
        folder, day = context.paths.backups, today(context.now())
        context.tasks.net(None, lambda: backup.make_daily(database, key, folder, day=day, beside=(slots_file,)))

    def _open(self, account_id: str, key: bytes) -> None:
        tasks = self._context.tasks
        self._key = key
        if tasks.is_open:
            self._let_in(account_id)
            return
        database, rules, now = self._vault.database, self._context.rules, self._context.now
        tasks.start(
            open_write=lambda: Store.open(database, key, rules=rules, wall=now),
            open_read=lambda: Reader(database, key, rules=rules, wall=now),
            owner=self,
            then=lambda _: self._opened(account_id),
            fail=self.failed.emit,
        )

    def _opened(self, account_id: str) -> None:
        self._copy.start(COPY_AFTER_MS)
        self._let_in(account_id)

    def _let_in(self, account_id: str) -> None:
        self._wanted = account_id
        self._context.tasks.read(
            self, lambda reader: self._arrive(reader, account_id), self._arrived, self._turned_away, key="arrive"
        )

    def _turned_away(self, error: Exception) -> None:
        self.failed.emit(error)
        if isinstance(error, AccessError) and error.code == "nothing_received":
            self.empty.emit()

    def _arrive(self, reader: Reader, account_id: str) -> Arrival:
        viewer = reader.viewer(account_id)
        if not viewer.grants:
            raise AccessError("no_role" if reader.state.synced_at else "nothing_received")
        pinyin = self._context.rules.pinyin
        people = tuple(
            Colleague(account_id=who.id, name=who.name, title=who.title, initials=pinyin.initials(who.name))
            for who in staff.colleagues(reader.db, viewer)
        )
        community = staff.community(reader.db, viewer)
        me = next((who for who in people if who.account_id == account_id), None)
        profile = Profile(
            community_id=reader.state.community_id,
            community_name=community.name,
            station_name=community.station_name,
            people=people,
        )
        return Arrival(viewer, me.name if me else "", me.title if me else "", profile)

    def _arrived(self, arrival: Arrival) -> None:
        is_new = not self._context.session.is_open
        self._context.session.begin(arrival.viewer, name=arrival.name, title=arrival.title)
        vault, profile = self._vault, arrival.profile
        if profile != self._kept:
            self._kept = profile
            self._context.tasks.net(self, lambda: vault.keep_profile(profile))
        if is_new:
            self.opened.emit()

    def _touched(self, touched: frozenset[tuple[str, str]]) -> None:
        """Rights, places or staff changed: what the person may see follows at once."""
        kinds = {kind for kind, _ in touched}
        if self._wanted and kinds & {"grant", "account", "building", "compound", "grid", "dispute"}:
            self._let_in(self._wanted)
