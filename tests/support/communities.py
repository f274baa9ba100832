"""A server with its secretary on a first PC that has its window: what tests of people and of sync begin with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from desktop.enrolling import set_up
from desktop.paths import Paths
from desktop.vault import Vault
from programs import Program
from servers import Device, Server, running
from stations import Line
from world import rules

SECRETARY_PIN = "864209"


@dataclass(slots=True)
class Community:
    """A running server whose places are made, its line, and the account of the community secretary."""

    server: Server
    line: Line
    device: Device  # a PC without a window, on which the places were made
    folder: Path

    @property
    def secretary(self) -> str:
        """The account of the secretary."""
        return self.device.author

    def pc(self, name: str, code: str, *, pin: str = SECRETARY_PIN) -> tuple[Vault, str]:
        """Set up a PC as the set-up page does; its vault and whose code it was."""
        paths = Paths.for_home(self.folder / name)
        paths.ensure()
        vault = Vault(paths.data)
        made = set_up(
            vault,
            server_url="http://server.test",
            code=code,
            pin=pin,
            rules=rules(),
            wall=self.line.clock,
            connect=lambda _: self.line.client(),
        )
        return vault, made.account_id

    def code(self, account_id: str = "") -> str:
        """A new one-time code for the secretary, or for somebody known."""
        from sync import wire

        message = wire.AddPerson(by=self.secretary, account=account_id or self.secretary)
        return self.device.ask(f"people/{message.account}/code", message, wire.AddPersonReply).code

    def program(self, name: str) -> Program:
        """The program on a PC that is set up."""
        return Program(self.folder / name, clock=self.line.clock, connect=lambda _: self.line.client())


@contextmanager
def community(folder: Path) -> Iterator[Community]:
    """The server on SQLite in a folder; it stops at the end."""
    with running(folder / "server", community_code="370812001017") as server:
        device = server.enrol(server.first_code())
        server.furnish(device)
        yield Community(server, Line(server.http, server.clock), device, folder)
