"""The way of a program that renews itself on Linux without an administrator, with a verdict a step.

    .venv/bin/python packaging/trials/updates.py [--work DIR]

Installed by its .run into a throw-away home; a stick offers the next version; it is fetched, checked, installed and
opened; then versions that are changed, that do not start, and that fail only when they are opened.
QIAOMEN_RUNTIME names the folder of the Python runtimes for Linux.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parent)]

from community import read_communities
from make_installers import Factory, Laid, Layout
from preset_make import Maker, Numbers

from sync.keys.minisign import SecretKey

ROOT: Final = _HERE.parents[1]
EXAMPLE: Final = ROOT / "packaging/communities/example.toml"
PATIENCE_S: Final = 300
KEY: Final = SecretKey(id=b"trial-01", seed=bytes(32))

# All of these run in the installed program's own Python, with nothing of this checkout.
_BEGIN: Final = """
import os, sys
from pathlib import Path
root = Path(sys.argv[1])
sys.path[:0] = [str(root / "app"), str(root / "site")]
from desktop.community import Search
search = Search.of_this_program()
found = search.run()
paths = search.paths(found.community_id)
"""
_FURNISH: Final = """
from desktop.rehearsal.letting_in import Entrant, furnish
from sync.domain import example
person = next(one for one in example.people("small") if one.key == "grid0")
paths.ensure()
import tempfile, shutil
with tempfile.TemporaryDirectory() as home:
    furnish(Path(home), entrants=(Entrant(person, person.pin),))
    shutil.copytree(Path(home) / "data", paths.data, dirs_exist_ok=True)
print(person.pin)
"""
_RENEW: Final = """
from desktop.updating import Installed, Updating
from sync.client.releases import OfFolder
updating = Updating(Installed.at(root), paths, search.keys, found.community_id, found.preset.sequence)
stick = OfFolder(Path(sys.argv[2]))
offer = updating.look(stick)
print("offered", offer.manifest.version)
print("fetched", updating.fetch(offer, stick).name)
updating.install(offer)
print("handed over")
"""
_OPEN: Final = """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from desktop.launch import run
def dress(program):
    person = program.vault.people()[0][0].account_id
    def enter():
        program.gate.enter(person, lambda: program.vault.unlock(person, sys.argv[2]))
        look()
    def look():
        if program.window.at_work:
            QTimer.singleShot(3000, QApplication.quit)
        else:
            QTimer.singleShot(100, look)
    QTimer.singleShot(500, enter)
sys.exit(run(dress=dress, search=search))
"""


class Trial:
    """What is tried, where, and what was found so far."""

    def __init__(self, work: Path, scratch: Path) -> None:
        self.work = work
        self.scratch = scratch
        self.home = scratch / "主目录"
        self.home.mkdir()
        self.place = self.home / ".local/opt/qiaomen-xingfuli"
        self.data = self.home / ".local/share/qiaomen-xingfuli"
        self.failed = 0
        keys = scratch / "keys"
        keys.mkdir()
        (keys / "working.pub").write_text(KEY.public.text, encoding="utf-8")
        runtime = Path(os.environ["QIAOMEN_RUNTIME"]) if os.environ.get("QIAOMEN_RUNTIME") else None
        self.laid = Layout(work, keys, runtime=runtime, fast=True).of("linux-amd64")

    def say(self, what: str, is_so: object, found: str = "") -> None:
        """One step's verdict."""
        self.failed += not is_so
        print(
            f"{'ok     ' if is_so else 'FAILED '} {what}{f': {found.strip()}' if found and not is_so else ''}",
            flush=True,
        )

    def release(self, sequence: int, *, spoil: str = "") -> Path:
        """A release of this number; ``spoil`` is a file of the program that raises as soon as it is read."""
        tree = self.scratch / f"tree-{sequence}"
        shutil.copytree(self.laid.tree, tree, copy_function=os.link)
        told = tree / "RELEASE.toml"
        text = re.sub(r'version = ".*"', f'version = "0.{sequence}.0"', told.read_text(encoding="utf-8"))
        told.unlink()
        told.write_text(re.sub(r"sequence = \d+", f"sequence = {sequence}", text), encoding="utf-8")
        if spoil:
            path = tree / "app" / spoil
            path.unlink()
            path.write_text('raise ImportError("spoilt for a trial")\n', encoding="utf-8")
            for cached in path.parent.glob(f"__pycache__/{path.stem}.*"):
                cached.unlink()
        out = self.scratch / f"release-{sequence}"
        maker = Maker(KEY, Numbers(), now=lambda: 1_795_000_000_000)
        factory = Factory(maker, [Laid("linux-amd64", tree)], out, self.scratch, forms=("run",), fast=True)
        for _ in factory.make(read_communities(EXAMPLE)[0]):
            pass
        shutil.rmtree(tree)
        return out / "xingfuli"

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Something in the throw-away home, without a screen."""
        surroundings = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8"}
        surroundings |= {"QT_QPA_PLATFORM": "offscreen", "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
        return subprocess.run(
            [str(part) for part in command],
            env=surroundings,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def python(self, script: str, *arguments: str | Path, root: Path | None = None) -> subprocess.CompletedProcess[str]:
        """A script in the installed program's own Python."""
        path = self.scratch / "script.py"
        path.write_text(_BEGIN + script, encoding="utf-8")
        place = root or self.place
        return self.run(place / "runtime/bin/python3.13", "-I", "-B", "-X", "utf8", path, place, *arguments)

    @property
    def installed(self) -> str:
        """The version in place."""
        return (self.place / "RELEASE.toml").read_text(encoding="utf-8").split('"')[1]

    def wait(self, is_so: Callable[[], bool]) -> bool:
        """Whether it became so before patience ended."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if is_so():
                return True
            time.sleep(0.5)
        return False


def go(trial: Trial) -> None:
    """Step by step."""
    (first,) = trial.release(1).glob("*.run")
    done = trial.run("sh", first, "--no-start", "--no-desktop-icon")
    trial.say("installed without an administrator", done.returncode == 0 and trial.installed == "0.1.0", done.stderr)
    done = trial.python(_FURNISH)
    trial.say("its community found, records made", done.returncode == 0, done.stderr)
    pin = done.stdout.strip()
    done = trial.python(_OPEN, pin)
    trial.say("unlocked and worked with", done.returncode == 0, done.stderr)

    stick = trial.release(2)
    done = trial.python(_RENEW, stick)
    trial.say("the next version offered by a stick, fetched, handed over", "handed over" in done.stdout, done.stderr)
    trial.say("installed by itself", trial.wait(lambda: trial.installed == "0.2.0"))
    older = trial.place.with_name(f"{trial.place.name}.previous")
    trial.say("the version before waits beside it", trial.wait(lambda: (older / "RELEASE.toml").exists()))
    done = trial.python(_OPEN, pin)
    trial.say("opened with the same records", done.returncode == 0, done.stderr)
    trial.say("then the version before goes", trial.wait(lambda: not older.exists()))
    done = trial.python(_RENEW, trial.scratch / "release-1/xingfuli")
    trial.say("an older version refused", "release_older" in done.stderr, done.stdout + done.stderr)

    package = next(stick.glob("*.run"))
    package.write_bytes(package.read_bytes()[:-1] + b"!")
    shutil.rmtree(trial.data / "updates")
    (trial.place / "RELEASE.toml").write_text('version = "0.1.9"\nsequence = 1\nplatform = "linux-amd64"\n')
    done = trial.python(_RENEW, stick)
    trial.say("a changed package refused", "release_changed" in done.stderr, done.stdout + done.stderr)
    (trial.place / "RELEASE.toml").write_text('version = "0.2.0"\nsequence = 2\nplatform = "linux-amd64"\n')

    bad = next(trial.release(3, spoil="desktop/window.py").glob("*.run"))
    done = trial.run("sh", bad, "--update", "--dir", trial.place)
    trial.say("a version that cannot show its pages is not put in place", done.returncode == 7, done.stderr)
    trial.say("the one in place is as it was", trial.installed == "0.2.0")

    before = (trial.data / "station.db").read_bytes()
    late = next(trial.release(4, spoil="desktop/launch.py").glob("*.run"))
    done = trial.run("sh", late, "--update", "--dir", trial.place)
    trial.say(
        "a version that fails only when it is opened", done.returncode == 0 and trial.installed == "0.4.0", done.stderr
    )
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(trial.home), "QT_QPA_PLATFORM": "offscreen"}
    surroundings |= {"LANG": "C.UTF-8", "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
    process = subprocess.Popen([trial.place / "qiaomen"], env=surroundings, start_new_session=True)
    memory = trial.home / ".config/qiaomen-xingfuli/updates.json"
    told = trial.wait(lambda: memory.exists() and '"failed":{"name":"0.4.0"' in memory.read_text(encoding="utf-8"))
    os.killpg(process.pid, 15)
    process.wait()
    trial.say("the version before starts in its place and remembers why", told, memory.read_text(encoding="utf-8"))
    trial.say("with the records as they were", (trial.data / "station.db").read_bytes() == before)
    done = trial.python(_OPEN, pin, root=older)
    trial.say("and is unlocked", done.returncode == 0, done.stderr)


def main() -> int:
    """Try it; the exit status is 1 when a step failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "build/package-test/release")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="updates-") as scratch:
        trial = Trial(given.work, Path(scratch))
        go(trial)
    return 1 if trial.failed else 0


if __name__ == "__main__":
    sys.exit(main())
