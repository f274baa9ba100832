"""What every page is handed: built once by the application, never changed, no globals beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from desktop.community import NOTHING, Found, Search
from desktop.hub import Hub
from desktop.paths import Paths
from desktop.session import Session
from desktop.settings import Settings
from desktop.sync_agent import Connect, SyncAgent
from desktop.tasks import Tasks
from desktop.update_agent import UpdateAgent
from desktop.vault import Vault
from desktop.widgets.ask import Ask

if TYPE_CHECKING:
    from sync.domain.rules import Rules
    from sync.store.store import Reader, Store


class Navigate(Protocol):
    """Go to a page by its name, with what it should show."""

    def __call__(self, page: str, **target: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Context:
    """The services of the desktop.

    ``navigate('visits', household_id=…)`` opens a page; ``now`` is the wall clock in ms since 1970;
    ``settings()`` gives the choices of today, ``change_settings`` keeps new ones and wears them at once;
    ``read_rules`` reads the rules that are data when they are first asked for, on any thread;
    ``connect`` opens an HTTP client for a server's address (None: the usual one). ``community`` is whom the program
    serves, ``search`` takes in a file that says so (None where none may be taken in), ``restart`` begins anew with it.
    """

    tasks: Tasks[Store, Reader]
    hub: Hub
    session: Session
    ask: Ask
    paths: Paths
    read_rules: Callable[[], Rules]
    navigate: Navigate
    now: Callable[[], int]
    vault: Vault
    agent: SyncAgent
    connect: Connect | None
    settings: Callable[[], Settings]
    change_settings: Callable[[Settings], None]
    community: Found = NOTHING
    search: Search | None = None
    restart: Callable[[], object] = field(default=lambda: None)
    updates: UpdateAgent | None = None  # None where no new version is looked for

    @property
    def rules(self) -> Rules:
        """The rules that are data; whoever unlocks finds them read."""
        return self.read_rules()
