"""The demonstration with its own server; practice, where nothing is kept or sent."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.paths import Paths, resources
from desktop.rehearsal.letting_in import Entrant, enrol, furnish, shown
from desktop.rehearsal.local_server import LocalServer, has_display
from desktop.vault import Vault
from sync.domain.rules import load_rules

if TYPE_CHECKING:
    from desktop.app import Application


def run_demo(home: Path | None) -> int:
    """The desktop with the small community and a server of its own; without a screen, the tour. The exit status."""
    if not has_display():
        from desktop.rehearsal.tour import DEFAULT_FOLDER, run_tour

        print(f"There is no display here: doing the tour instead; its pictures go to {DEFAULT_FOLDER}/.", flush=True)
        return run_tour(DEFAULT_FOLDER)
    from desktop.app import wall_ms
    from desktop.launch import run

    home = home or Paths.for_user().data / "demo"
    paths = Paths.for_home(home)
    paths.ensure()
    vault = Vault(paths.data)
    if not vault.is_set_up:  # perhaps a first start was cut short, and the server knows a PC that is nowhere
        shutil.rmtree(home / "server", ignore_errors=True)
    with LocalServer(home / "server") as server:
        server.wait()
        if not vault.is_set_up:
            print("Making a small community and letting this PC in; this takes some seconds once.", flush=True)
            enrol(vault, server, shown(), rules=load_rules(resources()), now=wall_ms)
        _tell(shown())
        return run(home, connect=server.connect)


def run_practice() -> int:
    """练习模式: the small community in a folder that is thrown away; no server, nothing is ever sent."""
    from desktop.launch import run

    with tempfile.TemporaryDirectory(prefix="qiaomen-practice-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        furnish(home)
        _tell(shown())
        return run(home, dress=mark_practice)


def mark_practice(program: "Application") -> None:
    """Say on every page that this is practice."""
    from PySide6.QtWidgets import QFrame, QHBoxLayout

    from desktop.i18n import tr
    from desktop.widgets.labels import label

    ribbon = QFrame()
    ribbon.setProperty("role", "calm-box")
    row = QHBoxLayout(ribbon)
    row.addWidget(
        label(
            tr("Practice: all people and matters are made up; nothing is kept, nothing is sent."), "strong", wrap=True
        )
    )
    pins = "　".join(
        f"{entrant.person.name}\u00a0{entrant.pin}" for entrant in shown()
    )  # an installed program has no terminal
    row.addWidget(label(tr("To get in: {people}").format(people=pins), wrap=True))
    program.window.setMenuWidget(ribbon)
    program.window.setWindowTitle(tr("Qiaomen · practice"))


def _tell(entrants: Sequence[Entrant]) -> None:
    print("Unlock as one of these:")
    for entrant in entrants:
        print(f"  {entrant.person.name}  {entrant.person.title}  PIN {entrant.pin}", flush=True)
