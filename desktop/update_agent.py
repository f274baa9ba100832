"""Looks for a new version, fetches it and hands it to its installer, each only as far as a person wants it.

Looking happens by itself once a day and says so once; being without a line is no trouble of its own.
"""

from __future__ import annotations

import enum
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer, Signal

from desktop import new_version
from desktop.community import Found, Search
from desktop.hub import Hub, Notice, Tone
from desktop.i18n import tr
from desktop.paths import Paths
from desktop.sync_agent import Connect
from desktop.tasks import Tasks
from desktop.updating import Installed, Memory, Offer, Updating, Version
from sync.errors import Refused, TrustError

if TYPE_CHECKING:
    from sync.client.releases import Source

_FIRST_LOOK_MS = 3 * 60_000  # whoever has just come in wants to work first
_LOOK_MS = 24 * 60 * 60_000


class Phase(enum.Enum):
    """How it stands with updates."""

    OFF = enum.auto()  # a checkout, or a program that serves no community
    IDLE = enum.auto()
    LOOKING = enum.auto()
    CURRENT = enum.auto()  # nothing newer is offered
    FOUND = enum.auto()
    FETCHING = enum.auto()
    READY = enum.auto()
    HANDED_OVER = enum.auto()  # to the installer; the program ends
    TROUBLE = enum.auto()  # refused, or not to be had


@dataclass(frozen=True, slots=True)
class Standing:
    """What the card shows. ``failed`` is a version that did not open here, ``missed`` one that was not installed."""

    phase: Phase
    offer: Offer | None = None
    have: int = 0  # bytes of the offer's file
    error: Exception | None = None
    failed: Version | None = None
    missed: Version | None = None


class UpdateAgent(QObject):
    """Lives on the UI thread; ``changed`` when ``standing`` has. ``leave`` ends the program, to be renewed."""

    changed = Signal()
    _heard = Signal(int)

    def __init__(
        self,
        tasks: Tasks[Any, Any],
        hub: Hub,
        *,
        paths: Paths,
        community: Found,
        search: Search | None,
        connect: Connect | None = None,
        now: Callable[[], int],
        leave: Callable[[], object] = QCoreApplication.quit,
    ) -> None:
        super().__init__()
        self._tasks = tasks
        self._hub = hub
        self._paths = paths
        self._community = community
        self._search = search
        self._connect = connect
        self._now = now
        self._leave = leave
        self._stop = threading.Event()
        self._folder: Path | None = None  # the stick that was looked at; None for the server
        self._process: subprocess.Popen[bytes] | None = None
        self._told = 0  # the number of the release that was spoken of
        self._updating: Updating | None = None
        self._is_begun = False
        installed = Installed.at(search.places.install) if search is not None and community.community_id else None
        if search is not None and installed is not None:
            preset = community.preset.sequence if community.preset is not None else 0
            self._updating = Updating(installed, paths, search.keys, community.community_id, preset)
        self.standing = Standing(Phase.OFF if self._updating is None else Phase.IDLE)
        self._clock = QTimer(self)
        self._clock.setInterval(_LOOK_MS)
        self._clock.timeout.connect(lambda: self.look(quietly=True))
        self._heard.connect(self._far, Qt.ConnectionType.QueuedConnection)

    @property
    def installed(self) -> Installed | None:
        """The program that runs; None for a checkout."""
        return self._updating.installed if self._updating is not None else None

    def begin(self) -> None:
        """The records are open and a page stands: this version works, and newer ones may be looked for."""
        if self._updating is None or self._is_begun:
            return
        self._is_begun = True
        updating, paths = self._updating, self._paths

        def opened() -> Memory:
            new_version.has_opened(paths, updating.installed)
            return Memory.load(updating.memory_file)

        self._tasks.net(self, opened, self._recall, lambda _: None)
        QTimer.singleShot(_FIRST_LOOK_MS, self, lambda: self.look(quietly=True))
        self._clock.start()

    def look(self, folder: Path | None = None, *, quietly: bool = False) -> None:
        """Ask the server, or a stick; ``quietly`` says nothing unless there is something to be had."""
        updating = self._updating
        if updating is None or self.standing.phase in (Phase.LOOKING, Phase.FETCHING, Phase.READY, Phase.HANDED_OVER):
            return
        if quietly and self.standing.phase is Phase.FOUND:
            return
        before = self.standing
        self._folder = folder
        if not quietly:
            self._show(phase=Phase.LOOKING, offer=None, error=None)

        def work() -> Offer | None:
            with self._source(folder) as source:
                return updating.look(source)

        def done(offer: Offer | None) -> None:
            self._show(phase=Phase.FOUND if offer else Phase.CURRENT, offer=offer, have=0, error=None)
            if quietly and offer is not None and not offer.has_failed:
                self._say(offer)

        def failed(error: Exception) -> None:
            if not quietly:
                self._show(phase=Phase.TROUBLE, error=error)
            elif isinstance(error, TrustError):
                self._show(phase=Phase.TROUBLE, error=error)  # whoever opens the settings sees it
            else:
                self._show(phase=before.phase)

        self._tasks.net(self, work, done, failed)

    def fetch(self) -> None:
        """Bring the file of the offer here; it goes on where it stood."""
        updating, offer, folder = self._updating, self.standing.offer, self._folder
        if updating is None or offer is None or self.standing.phase is Phase.FETCHING:
            return
        self._stop.clear()
        self._show(phase=Phase.FETCHING, error=None)

        def work() -> Path | None:
            with self._source(folder) as source:
                return updating.fetch(offer, source, stop=self._is_stopping, tell=self._ring)

        def done(path: Path | None) -> None:
            self._show(phase=Phase.READY if path is not None else Phase.FOUND)

        self._tasks.net(self, work, done, lambda error: self._show(phase=Phase.TROUBLE, error=error))

    def stop(self) -> None:
        """Leave off fetching; what has come stays."""
        self._stop.set()

    def use(self, *, then: Callable[[], object]) -> None:
        """Put in place what was fetched: a version's installer is started and the program ends; a community's file is
        taken in and ``then`` is called, which may begin the program anew with it."""
        updating, offer, search = self._updating, self.standing.offer, self._search
        if updating is None or offer is None or search is None or self.standing.phase is not Phase.READY:
            return

        def work() -> subprocess.Popen[bytes] | None:
            if offer.is_program:
                return updating.install(offer)
            search.take(updating.folder / offer.file.name, community_id=updating.community)
            return None

        def done(process: subprocess.Popen[bytes] | None) -> None:
            self._process = process  # it outlives this program
            if process is not None:
                self._show(phase=Phase.HANDED_OVER)
                self._leave()
            else:
                self._updating = replace(updating, preset=offer.manifest.preset_sequence)
                self._show(phase=Phase.CURRENT, offer=None)
                then()

        self._tasks.net(self, work, done, lambda error: self._show(phase=Phase.TROUBLE, error=error))

    # ------------------------------------------------------------------------------------------- inside

    @contextmanager
    def _source(self, folder: Path | None) -> Iterator[Source]:
        """On the net lane."""
        from sync.client.api import Api, open_client
        from sync.client.releases import OfFolder, OfServer

        if folder is not None:
            yield OfFolder(folder)
            return
        state = self._tasks.write_wait(lambda store: store.state)
        if not state.installation_id:
            raise Refused("not_enrolled")
        with (self._connect or open_client)(state.server_url) as http:
            offset = state.clock_offset
            yield OfServer(Api.of_store(http, state, now_s=lambda: (self._now() + offset) // 1000))

    def _is_stopping(self) -> bool:
        return self._stop.is_set() or self._tasks.stopping.is_set()

    def _ring(self, have: int) -> None:
        """On the net lane; once the program ends, nobody is there to hear it."""
        if not self._tasks.stopping.is_set():
            self._heard.emit(have)

    def _recall(self, memory: Memory) -> None:
        assert self._updating is not None
        here = self._updating.installed.sequence
        failed = memory.failed if memory.failed is not None and memory.failed.sequence > here else None
        missed = memory.installing if memory.installing is not None and memory.installing.sequence > here else None
        self._show(failed=failed, missed=missed)
        if failed is not None:
            self._hub.notice.emit(
                Notice(
                    title=tr("Version {version} did not open on this PC").format(version=failed.name),
                    advice=tr("The one before it is in use, with all records. More about it: Settings, “Updates”."),
                    tone=Tone.WARN,
                )
            )

    def _say(self, offer: Offer) -> None:
        if self._told == offer.manifest.sequence or not offer.is_program:
            return
        self._told = offer.manifest.sequence
        self._hub.notice.emit(
            Notice(
                title=tr("Version {version} can be had").format(version=offer.manifest.version),
                advice=tr("Whenever it suits you: Settings, “Updates”. Nothing happens by itself."),
                tone=Tone.CALM,
            )
        )

    def _far(self, have: int) -> None:
        if self.standing.phase is Phase.FETCHING:
            self._show(have=have)

    def _show(self, **changes: Any) -> None:
        standing = replace(self.standing, **changes)
        if standing != self.standing:
            self.standing = standing
            self.changed.emit()
