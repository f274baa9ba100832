"""From the closed program to an open store with somebody in front of it, and back: unlock, leave, close."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.rescue import Rescue
from desktop.texts import words
from desktop.vault import Colleague, Profile, Vault
from sync.domain.calendar import today
from sync.domain.roles import Viewer
from sync.errors import AccessError, StoreError

if TYPE_CHECKING:
    from sync.store.store import Reader

COPY_AFTER_MS = 60_000  # the day's copy waits until the first work is done
PATIENCE_MS = 5 * 60_000  # so long somebody without rights may wait at the gate for a sync to bring them
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

    ``opened`` when somebody may work, ``failed`` with the error when not. ``without_rights`` when the file is open
    and holds no rights of theirs (yet): a sync may bring them, and then they are let in. ``shut_out`` when the rights
    of the person who is working ended, ``rights_changed`` when they became others. ``damaged`` when the file is found
    so while people work, ``restored`` when a copy took its place, ``closed`` when the PC is as new.
    """

    opened = Signal()
    failed = Signal(object)
    without_rights = Signal()
    shut_out = Signal(object)
    rights_changed = Signal()
    damaged = Signal(object)
    restored = Signal()
    closed = Signal()

    def __init__(self, context: Context, vault: Vault) -> None:
        super().__init__()
        self._context = context
        self._vault = vault
        self.rescue = Rescue(vault, context.paths.backups)
        self._wanted = ""  # who is at the gate or inside
        self._kept: Profile | None = None
        self._key = b""
        self._news: Notice | None = None  # told when somebody is inside
        self._is_copying = False
        self._copy = QTimer(self)
        self._copy.timeout.connect(self.copy_today)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE_MS)
        self._patience.timeout.connect(self._give_up)
        context.hub.touched.connect(self._touched)

    def enter(self, account_id: str, unlock: Callable[[], bytes]) -> None:
        """Run ``unlock`` (150 ms of key derivation) beside the window, open the store, let the account in."""
        self._context.tasks.net(self, unlock, lambda key: self._open(account_id, key), self.failed.emit)

    def leave(self) -> None:
        """Hide everything; the store stays open so that sync goes on."""
        self._context.session.end()
        self._wanted = ""

    def shut(self, then: Callable[[], object]) -> None:
        """Close the store, which is found damaged, and go on; at once when it is closed already."""
        self.leave()
        self._copy.stop()
        if not self._context.tasks.is_open:
            then()
            return
        self._context.tasks.shut(
            close_write=lambda store: store.close(), close_read=lambda reader: reader.close(), then=lambda _: then()
        )

    def open_copy(self, day: str) -> None:
        """Put a daily copy in place of the damaged file; ``restored`` then, and somebody unlocks as usual."""
        rescue, key, tasks = self.rescue, self._key, self._context.tasks

        def restored(_: object) -> None:
            self._news = Notice(
                title=tr("The copy of {day} is open").format(day=day),
                advice=tr("What was synced since then comes back by itself. The damaged file is kept beside it."),
                tone=Tone.WARN,
            )
            self.restored.emit()

        self.shut(lambda: tasks.net(self, lambda: rescue.open_copy(day, key), restored, self.failed.emit))

    def start_over(self) -> None:
        """Put the files of this PC aside, for a set-up anew."""
        rescue, tasks = self.rescue, self._context.tasks
        self._key, self._kept = b"", None
        self.shut(lambda: tasks.net(self, rescue.start_over, lambda _: self.closed.emit(), self.failed.emit))

    def copy_today(self) -> None:
        """Make the day's encrypted copy unless it is there; a full disk is told, the work goes on."""
        self._copy.start(COPY_EVERY_MS)
        if self._is_copying:
            return
        self._is_copying = True
        from sync.store import backup

        context, key = self._context, self._key
        database, slots_file = self._vault.database, self._vault.slots_file
        folder, day = context.paths.backups, today(context.now())
        context.tasks.net(
            self,
            lambda: backup.make_daily(database, key, folder, day=day, beside=(slots_file,)),
            self._copied,
            self._no_copy,
        )

    def _copied(self, _: object) -> None:
        self._is_copying = False

    def _no_copy(self, error: Exception) -> None:
        self._is_copying = False
        if isinstance(error, StoreError) and error.code == "damaged":
            self.damaged.emit(error)
            return
        self._context.hub.notice.emit(
            Notice(
                title=tr("Today's copy could not be made"),
                advice=tr("Your records are not affected. Make room on the disk; it is tried again every hour."),
                tone=Tone.WARN,
                details=words(error).details,
            )
        )

    def _open(self, account_id: str, key: bytes) -> None:
        from desktop.fingerprint import fingerprint_of
        from sync.store.replicas import recognised
        from sync.store.store import Reader, Store

        tasks = self._context.tasks
        self._key = key
        if tasks.is_open:
            self._let_in(account_id)
            return
        database, rules, now = self._vault.database, self._context.rules, self._context.now
        tasks.start(
            open_write=lambda: recognised(Store.open(database, key, rules=rules, wall=now), fingerprint_of(database)),
            open_read=lambda: Reader(database, key, rules=rules, wall=now),
            owner=self,
            then=lambda _: self._opened(account_id),
            fail=self._unopened,
        )

    def _unopened(self, error: Exception) -> None:
        if isinstance(error, StoreError) and error.code == "wrong_key":
            # The key came out of its slot whole: it is the file's first page that is not as it was written.
            error = StoreError("damaged")
        self.failed.emit(error)

    def _opened(self, account_id: str) -> None:
        self._copy.start(COPY_AFTER_MS)
        self._let_in(account_id)

    def _let_in(self, account_id: str) -> None:
        self._wanted = account_id
        self._context.tasks.read(
            self, lambda reader: self._arrive(reader, account_id), self._arrived, self._turned_away, key="arrive"
        )

    def _turned_away(self, error: Exception) -> None:
        if self._context.session.is_open:
            if isinstance(error, AccessError):
                self.shut_out.emit(error)
            return
        self.failed.emit(error)
        if isinstance(error, AccessError):
            self._patience.start()
            self.without_rights.emit()

    def _give_up(self) -> None:
        if not self._context.session.is_open:
            self._wanted = ""  # nobody may be in front of the screen any more

    def _arrive(self, reader: Reader, account_id: str) -> Arrival:
        from sync.store import staff

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
        session = self._context.session
        if arrival.viewer.account_id != self._wanted:
            return  # left, or somebody else came, while this was read
        is_new = not session.is_open
        is_other = not is_new and (arrival.viewer != session.viewer or arrival.title != session.title)
        session.begin(arrival.viewer, name=arrival.name, title=arrival.title)
        vault, profile = self._vault, arrival.profile
        if profile != self._kept:
            self._kept = profile
            # Written at the next unlocking when it does not go now.
            self._context.tasks.net(self, lambda: vault.keep_profile(profile), fail=lambda _: None)
        if is_other:
            self.rights_changed.emit()
        if is_new:
            self.opened.emit()
            if self._news is not None:
                self._context.hub.notice.emit(self._news)
                self._news = None

    def _touched(self, touched: frozenset[tuple[str, str]]) -> None:
        """Rights, places or staff changed: what the person may see follows at once."""
        kinds = {kind for kind, _ in touched}
        if self._wanted and kinds & {"grant", "account", "building", "compound", "grid", "dispute"}:
            self._let_in(self._wanted)
