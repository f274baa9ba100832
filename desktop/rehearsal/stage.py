"""What the steps of the tour work with: the line that can be cut, the programs, the people."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.app import Application
from desktop.rehearsal.hands import Hands
from desktop.rehearsal.local_server import LocalServer
from sync.domain import example
from sync.domain.rules import Rules

if TYPE_CHECKING:
    from sync.client.api import HttpClient

PIN = "280514"  # of everybody who has no other
_NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody answers


@dataclass(slots=True)
class Line:
    """The line to the server, which the tour cuts and mends."""

    server: LocalServer
    is_up: bool = True

    def connect(self, _: str) -> "HttpClient":
        """What a program opens when it wants to sync."""
        from sync.client.api import open_client

        return self.server.connect() if self.is_up else open_client(_NOWHERE)


@dataclass(slots=True)
class Stage:
    """What the steps work with. ``hands`` work the first PC, ``second`` the other one once it is there."""

    folder: Path
    home: Path
    line: Line
    rules: Rules
    now: Callable[[], int]
    hands: Hands
    make: Callable[[Path], Application]
    programs: list[Application] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)  # what a step leaves for a later one

    def person(self, key: str) -> example.Person:
        """Somebody of the staff."""
        return next(person for person in example.people("small") if person.key == key)

    def pin(self, key: str) -> str:
        """The PIN of somebody of the staff."""
        return self.person(key).pin or PIN
