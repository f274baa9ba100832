"""The way of the Linux packages on a Debian 11 desktop, from the installation to the purge, with a verdict a step.

    sudo QIAOMEN_RUNTIME=DIR .venv/bin/python packaging/trials/linux_packages.py [--root DIR] [--pictures DIR]

Needs a Debian machine, root and the runtime for amd64; the other Debian (1 GB) is made in ``--root`` the first time.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parent)]

import check_tree
from community import Packaged
from layout import Pieces, lay_out, pack_payload
from pins import platform
from preset_make import Maker, Numbers
from trials.debian import USER, Desktop, TrialError, prepare
from wrap_linux import wrap_deb, wrap_run

from desktop.preset import Community
from sync.domain.building_list import BuildingList
from sync.keys.minisign import SecretKey

ROOT: Final = _HERE.parents[1]
COMMUNITY: Final = Community(id="xingfuli", name="幸福里社区", servers=("https://192.0.2.10:8440",))
PACKAGE: Final = "qiaomen-xingfuli"
TITLE: Final = "敲门"
PLACE: Final = f"/opt/{PACKAGE}"
HOME_PLACE: Final = f"/home/{USER}/我的 程序/{PACKAGE}"
_SWITCHES: Final = ("-I", "-B", "-X", "utf8")
# What lintian may say, because it is so on purpose; each has its reason in linux/lintian-overrides.in.
_FURNISH: Final = """
import sys; sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from desktop.rehearsal.letting_in import Entrant, furnish
from sync.domain import example
person = next(one for one in example.people("small") if one.key == "grid0")
furnish(Path(sys.argv[3]), entrants=(Entrant(person, person.pin),))
print("PIN", person.pin)
"""
_FCITX4: Final = "export QT_IM_MODULE=fcitx XMODIFIERS=@im=fcitx; fcitx -d >/dev/null 2>&1; sleep 3"
_FCITX5: Final = "export QT_IM_MODULE=fcitx XMODIFIERS=@im=fcitx; fcitx5 -d >/dev/null 2>&1; sleep 3"
_PROFILES: Final = {
    ".config/fcitx/profile": "[Profile]\nIMName=pinyin\nEnabledIMList=fcitx-keyboard-us:True,pinyin:True\n",
    ".config/fcitx5/profile": (
        "[Groups/0]\nName=Default\nDefault Layout=us\nDefaultIM=pinyin\n\n[Groups/0/Items/0]\nName=keyboard-us\n\n"
        "[Groups/0/Items/1]\nName=pinyin\n\n[GroupOrder]\n0=Default\n"
    ),
}


class Trial:
    """The packages, the desktop they are tried on, and what has been seen so far."""

    def __init__(self, desk: Desktop, packages: Mapping[str, Path]) -> None:
        self._desk = desk
        self._packages = packages
        self._pin = ""
        self._program: subprocess.Popen[bytes] | None = None
        self._records = desk.home / ".local/share" / PACKAGE

    # ------------------------------------------------------------------------------------------- the .deb

    def lint(self) -> str:
        """What lintian says of the package besides what is so on purpose."""
        if shutil.which("lintian") is None:
            return "not run: lintian is missing (Debian: lintian)"
        command = ["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "3"]
        command.append(str(self._packages["deb1"]))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        _ask(done.returncode == 0, (done.stdout + done.stderr)[-1500:])
        return "nothing but what the package's overrides give a reason for"

    def install(self) -> str:
        """By the system's installer, with the libraries that the package names."""
        self._desk.run("dpkg", "-P", PACKAGE, as_user=False)  # of a run that did not come to its end
        before = self._packages_there()
        deb = f"/work/{self._packages['deb1'].name}"
        self._desk.ask("apt-get", "-q", "-y", "--no-install-recommends", "install", deb, as_user=False)
        new = self._packages_there() - before - {PACKAGE}
        self._desk.ask("desktop-file-validate", f"/usr/share/applications/{PACKAGE}.desktop")
        _ask(not self._desk.ask("dpkg", "--verify", PACKAGE), "dpkg --verify is not content")
        return f"installed with {len(new)} libraries of the system; menu entry valid, dpkg --verify content"

    def first_start(self) -> str:
        """As a plain user, from the menu."""
        took = self._open(f"/usr/bin/{PACKAGE}")
        self._desk.picture("debian11-1-first-start")
        self._close()
        _ask(self._records.is_dir(), f"no {self._records}")
        return f"window after {took:.1f} s; its records lie in {self._records.name}"

    def whole_program(self) -> str:
        """--smoke: every page opened, a visit noted."""
        done = self._desk.run(f"/usr/bin/{PACKAGE}", "--smoke")
        _ask(done.status == 0 and not done.text, f"{done.status} {done.text}")
        return "every page opened and a visit recorded, without a word"

    def records(self) -> str:
        """Somebody works here: an encrypted file with people who can unlock it."""
        (self._desk.root / "tmp/furnish.py").write_text(_FURNISH, encoding="utf-8")
        python = [f"{PLACE}/runtime/bin/python3.13", *_SWITCHES, "/tmp/furnish.py"]
        said = self._desk.ask(*python, f"{PLACE}/app", f"{PLACE}/site", f"/home/{USER}/furnished")
        self._pin = said.split()[-1]
        self._desk.ask("cp", "-rT", f"/home/{USER}/furnished/data", f"/home/{USER}/.local/share/{PACKAGE}")
        self._open(f"/usr/bin/{PACKAGE}")
        self._unlock()
        self._desk.picture("debian11-2-today")
        self._close()
        return "unlocked with a PIN, 今日 is shown"

    def fcitx4(self) -> str:
        """Chinese by the input method of UOS and Kylin."""
        return self._typed(_FCITX4, "debian11-3-fcitx4")

    def fcitx5(self) -> str:
        """Chinese by its successor."""
        return self._typed(_FCITX5, "debian11-4-fcitx5")

    def refused_while_open(self) -> str:
        """dpkg leaves a running program alone."""
        self._open(f"/usr/bin/{PACKAGE}")
        done = self._desk.run("dpkg", "-i", f"/work/{self._packages['deb2'].name}", as_user=False)
        _ask(done.status != 0 and "正在运行" in done.text, done.text)
        _ask("-1\n" in self._version(), f"the version is {self._version()}")
        self._close()
        return "refused with its reason, version 1 still there"

    def upgrade(self) -> str:
        """The next version over the old: the records as they were."""
        (self._desk.root / f"{PLACE}/app/desktop/stale_module.py".lstrip("/")).touch()
        before = check_tree_of(self._records)
        self._desk.ask("dpkg", "-i", f"/work/{self._packages['deb2'].name}", as_user=False)
        _ask("-2\n" in self._version(), f"the version is {self._version()}")
        _ask(check_tree_of(self._records) == before, "the records were touched")
        self._open(f"/usr/bin/{PACKAGE}")
        self._unlock()
        self._desk.picture("debian11-5-today-after-upgrade")
        self._close()
        return "records untouched, opened and unlocked again"

    def purge(self) -> str:
        """The package goes, the records stay, and it says where they are."""
        (self._desk.root / f"{PLACE}/app/desktop/stale_module.py".lstrip("/")).unlink(missing_ok=True)
        before = check_tree_of(self._records)
        said = self._desk.ask("dpkg", "-P", PACKAGE, as_user=False)
        _ask(f".local/share/{PACKAGE}" in said, said)
        _ask(not (self._desk.root / PLACE.lstrip("/")).exists(), f"{PLACE} is still there")
        left = self._desk.run("sh", "-c", f"ls -d /usr/bin/{PACKAGE}* /usr/share/*/{PACKAGE}* 2>/dev/null").text
        _ask(not left, left)
        _ask(check_tree_of(self._records) == before, "the records were touched")
        return f"nothing left but {len(list(self._records.rglob('*')))} files and folders of records"

    # ------------------------------------------------------------------------------------------- the .run

    def home_install(self) -> str:
        """Without an administrator, into a folder with Chinese and a blank."""
        (self._desk.home / "桌面").mkdir(exist_ok=True)
        shutil.chown(self._desk.home / "桌面", 1000, 1000)
        said = self._run("run1", "--no-start")
        _ask(HOME_PLACE in said, said)
        self._open(f"{HOME_PLACE}/qiaomen")
        self._unlock()
        self._desk.picture("debian11-6-run")
        refused = self._desk.run("sh", f"/work/{self._packages['run2'].name}", "--dir", HOME_PLACE)
        _ask(refused.status == 4, f"{refused.status} {refused.text}")
        self._close()
        entry = self._desk.home / ".local/share/applications" / f"{PACKAGE}.desktop"
        self._desk.ask("desktop-file-validate", f"/home/{USER}/.local/share/applications/{entry.name}")
        _ask((self._desk.home / "桌面" / entry.name).exists(), "nothing on the desktop")
        return f"installed, opened and refused while open in {HOME_PLACE}"

    def home_upgrade(self) -> str:
        """The next version: the one before stays until the new one has opened."""
        before = check_tree_of(self._records)
        self._run("run2", "--no-start")
        previous = self._desk.home / f"我的 程序/{PACKAGE}.previous"
        _ask(previous.is_dir(), "the version before was not kept")
        _ask(check_tree_of(self._records) == before, "the records were touched")
        self._open(f"{HOME_PLACE}/qiaomen")
        self._unlock()
        self._desk.until(lambda: not previous.exists(), "the end of the version before")
        self._desk.picture("debian11-7-run-after-upgrade")
        self._close()
        return "records untouched; opened, and the version before went"

    def home_uninstall(self) -> str:
        """The program goes, the records stay."""
        before = check_tree_of(self._records)
        said = self._desk.ask("sh", f"{HOME_PLACE}/uninstall.sh")
        _ask(f".local/share/{PACKAGE}" in said, said)
        _ask(not list((self._desk.home / "我的 程序").iterdir()), "files are left")
        _ask(check_tree_of(self._records) == before, "the records were touched")
        return "nothing left but the records"

    # ----------------------------------------------------------------------------------------------- inside

    def _run(self, which: str, *switches: str) -> str:
        return self._desk.ask("sh", f"/work/{self._packages[which].name}", "--dir", HOME_PLACE, *switches)

    def _open(self, *command: str, session: str = "") -> float:
        started = time.monotonic()
        self._program = self._desk.open(*command, session=session)
        self._desk.window(TITLE)
        took = time.monotonic() - started
        time.sleep(2)  # the page is painted
        return took

    def _close(self) -> None:
        self._desk.keys("alt+F4")
        searched = ("xdotool", "search", "--onlyvisible", "--name", TITLE)
        self._desk.until(lambda: not self._desk.run(*searched).text.strip(), "the end of the window")
        assert self._program is not None
        self._desk.end(self._program)

    def _unlock(self) -> None:
        self._desk.keys(*self._pin, "Return")
        self._desk.until(lambda: list(self._records.glob("*-wal")), "the opened file of records")
        time.sleep(4)  # the page is painted

    def _typed(self, session: str, picture: str) -> str:
        for name, text in _PROFILES.items():
            path = self._desk.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            shutil.chown(path, 1000, 1000)
            for folder in path.parents:
                if folder != self._desk.home and self._desk.home in folder.parents:
                    shutil.chown(folder, 1000, 1000)
        self._open(f"/usr/bin/{PACKAGE}", session=session)
        self._unlock()
        self._desk.keys("ctrl+k")
        time.sleep(1)
        self._desk.keys("ctrl+space")
        self._desk.type("nihao")
        time.sleep(2)
        self._desk.picture(f"{picture}-candidates")
        self._desk.keys("space")
        time.sleep(1)
        self._desk.keys("ctrl+a", "ctrl+c")
        found = self._desk.copied()
        self._desk.picture(picture)
        self._close()
        _ask(found == "你好", f"typed “nihao ”, found {found!r}")
        return "“nihao” and the space bar gave 你好"

    def _version(self) -> str:
        return self._desk.run("dpkg-query", "-W", "-f", "${Version}\n", PACKAGE).text

    def _packages_there(self) -> set[str]:
        return set(self._desk.ask("dpkg-query", "-W", "-f", "${Package}\n").split())


def check_tree_of(folder: Path) -> dict[str, bytes]:
    """Name and bytes of all files, but for the mark of who has the folder open."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "in-use.lock"
    }


def _ask(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise TrialError(otherwise)


def build(work: Path, place: Path) -> tuple[dict[str, Path], str]:
    """The packages to try: two versions that differ in the number of the preset, each in both forms."""
    key = SecretKey.generate()
    (work / "keys").mkdir()
    (work / "keys" / "working.pub").write_text(key.public.text, encoding="utf-8")
    pieces = Pieces.found_in(place, platform("linux-amd64"))
    if pieces.runtime is None or pieces.fcitx is None:
        raise TrialError(f"no runtime or no input plugin for linux-amd64 in {place}")
    tree = lay_out("linux-amd64", out=work / "tree", pieces=pieces, keys=work / "keys")
    wrong = check_tree.faults(tree)
    _ask(not wrong, "; ".join(map(str, wrong)))
    told = tomllib.loads((tree / "RELEASE.toml").read_text(encoding="utf-8"))
    made, numbers = {}, Numbers()
    payload = pack_payload(tree, work / "payload", level=1)
    for number in (1, 2):
        preset = work / f"preset{number}"
        Maker(key=key, numbers=numbers).make(Packaged(_with(number), BuildingList()), preset)
        made[f"deb{number}"] = wrap_deb(tree, preset, work, fast=True)
        made[f"run{number}"] = wrap_run(tree, preset, work, payload=payload)
    twice = wrap_deb(tree, work / "preset2", work / "again", fast=True)
    _ask(twice.read_bytes() == made["deb2"].read_bytes(), "the same tree and preset gave other bytes")
    shutil.rmtree(tree)
    return made, f"{told['version']}, two of each; the .deb is the same bytes when made again"


def _found(work: Path) -> tuple[dict[str, Path], str] | None:
    """The packages of an earlier run."""
    found = {
        f"{path.suffix[1:]}{path.stem.split('_')[1][-1]}": path for path in work.glob("qiaomen-*_*_*.[dr][eu][bn]")
    }
    return (found, "those made before") if len(found) == 4 else None


def _with(number: int) -> Community:
    return Community(id=COMMUNITY.id, name=COMMUNITY.name, servers=COMMUNITY.servers, text_size=100 + 5 * (number - 1))


def _tell(name: str, step: Callable[[], str]) -> None:
    started = time.monotonic()
    print(f"{name:24} ", end="", flush=True)
    print(f"ok  {step()} ({time.monotonic() - started:.0f} s)", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run every step; exit status 1 at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kept = os.environ.get("QIAOMEN_DEBIAN_ROOT", "")
    parser.add_argument("--root", type=Path, default=Path(kept) if kept else ROOT / "build" / "debian-bullseye")
    parser.add_argument("--pictures", type=Path, default=ROOT / "build" / "package-test" / "linux")
    parser.add_argument("--packages", type=Path, help="keep the packages in this folder, and take them from there")
    parser.add_argument("--runtime", type=Path, default=os.environ.get("QIAOMEN_RUNTIME"))
    chosen = parser.parse_args(arguments)
    if not chosen.runtime:
        print("not run: QIAOMEN_RUNTIME names no folder with a runtime (packaging/build_runtime_linux.sh makes it)")
        return 0
    with tempfile.TemporaryDirectory(prefix="qiaomen-linux-trial-") as scratch:
        work = chosen.packages or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        work.chmod(0o755)
        try:
            made: dict[str, Path] = {}

            def built() -> str:
                packages, told = _found(work) or build(work, Path(chosen.runtime))
                made.update(packages)
                return told

            def prepared() -> str:
                prepare(chosen.root)
                return f"in {chosen.root}"

            _tell("another Debian", prepared)
            _tell("packages", built)
            with Desktop(chosen.root.resolve(), work, pictures=chosen.pictures) as desk:
                trial = Trial(desk, made)
                for name, step in {
                    "install": trial.install,
                    "first start": trial.first_start,
                    "whole program": trial.whole_program,
                    "records": trial.records,
                    "Chinese by fcitx 4": trial.fcitx4,
                    "Chinese by fcitx 5": trial.fcitx5,
                    "refused while open": trial.refused_while_open,
                    "upgrade": trial.upgrade,
                    "purge": trial.purge,
                    "without administrator": trial.home_install,
                    "its upgrade": trial.home_upgrade,
                    "its uninstallation": trial.home_uninstall,
                    "lintian": trial.lint,
                }.items():
                    try:
                        _tell(name, step)
                    except TrialError:
                        desk.picture("failed")
                        raise
        except TrialError as error:
            print(f"FAILED {error}", file=sys.stderr)
            return 1
    print(f"pictures: {chosen.pictures}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
