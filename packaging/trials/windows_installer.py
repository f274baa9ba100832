"""The way of a Windows installer from the first double-click to the uninstaller, under wine, with a verdict a step.

    sudo .venv/bin/python packaging/trials/windows_installer.py [--root DIR] [--pictures DIR] [--release]

Needs a Debian machine and root; the other Debian for wine (2 GB) is made in ``--root`` the first time. ``--release``
also packs as for a release, to see the size. What wine cannot tell is listed in packaging/README.md.
"""

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parent)]

import fetch_runtime_windows
from community import Packaged
from layout import Pieces, host_compiler, lay_out
from pins import program_version
from preset_make import Maker, Numbers
from trials.wine import TrialError, Wine, prepare
from wrap_windows import wrap_exe

from desktop.preset import Community
from sync.domain.building_list import BuildingList
from sync.keys.minisign import SecretKey

ROOT: Final = _HERE.parents[1]
COMMUNITY: Final = Community(id="xingfuli", name="幸福里社区", servers=("https://192.0.2.10:8440",))
NEIGHBOUR: Final = Community(id="yangguang", name="阳光社区", servers=("https://192.0.2.11:8440",))
TITLE: Final = f"{COMMUNITY.name} 敲门"
OLD: Final = "0.0.9"
_LIMITS_MB: Final = (90, 28)
_TOO_OLD: Final = "17134"  # Windows 10 1803
_KEY: Final = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Qiaomen-xingfuli"
_SWITCHES: Final = ("-I", "-B", "-X", "utf8")
# Runs in the installed program's own Python: an invented community whose people can unlock.
_FURNISH: Final = """
import sys; sys.path.insert(0, sys.argv[1])
from pathlib import Path
from desktop.rehearsal.letting_in import Entrant, furnish
from sync.domain import example
person = next(one for one in example.people("small") if one.key == "grid0")
furnish(Path(sys.argv[2]), entrants=(Entrant(person, person.pin),))
print("PIN", person.pin)
"""
# wine quotes what has a blank in it; NSIS wants the folder as somebody types it.
_AS_TYPED: Final = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1]))"


class Trial:
    """The installers, the Windows they are tried in, and what has been seen so far."""

    def __init__(self, wine: Wine, work: Path, installers: dict[str, Path]) -> None:
        self._wine = wine
        self._work = work
        self._installers = installers
        self._pin = ""
        self._program = wine.home / "AppData/Local/Programs/Qiaomen-xingfuli"
        self._records = wine.home / "AppData/Local/qiaomen-xingfuli"
        self._menu = wine.home / "AppData/Roaming/Microsoft/Windows/Start Menu/Programs"

    # ------------------------------------------------------------------------------------------- the steps

    def too_old(self) -> str:
        """A Windows before 10 1809 is told so, and nothing is written."""
        place = r"HKLM\Software\Microsoft\Windows NT\CurrentVersion"
        known = self._wine.registry("query", place, "/v", "CurrentBuildNumber").text.split()[-1]
        for name in ("CurrentBuildNumber", "CurrentBuild"):
            self._wine.registry("add", place, "/v", name, "/d", _TOO_OLD, "/f")
        self._is_status(self._install("old", "/S"), 3)
        self._wine.begin(self._path("old"))
        self._wine.window("安装程序")
        self._wine.picture("wine-00-too-old")
        self._wine.keys("Return")
        for name in ("CurrentBuildNumber", "CurrentBuild"):
            self._wine.registry("add", place, "/v", name, "/d", known, "/f")
        self._ask(not self._program.exists(), "something was written")
        return f"build {_TOO_OLD} refused with status 3, {known} goes on"

    def pages(self) -> str:
        """The installer as a person sees it."""
        started = time.monotonic()
        self._wine.begin(self._path("old"))
        self._wine.window("安装程序")
        self._wine.picture("wine-01-welcome")
        self._wine.keys("Return")
        self._wine.picture("wine-02-folder")
        self._wine.keys("Return")
        self._wine.until(lambda: (self._program / "incoming" / "site").exists(), what="the copying")
        self._wine.picture("wine-03-copying", at_once=True)
        self._wine.until(lambda: (self._program / "uninstall.exe").exists(), what="the end of the installation")
        took = time.monotonic() - started
        self._wine.picture("wine-04-finished")
        self._wine.keys("space", "Return")  # without opening the program
        self._ask((self._menu / f"{TITLE}.lnk").exists(), "no entry in the menu")
        self._ask((self._wine.home / "Desktop" / f"{TITLE}.lnk").exists(), "nothing on the desktop")
        self._ask(not (self._program / "incoming").exists(), "unpacked files were left")
        self._ask(not (self._program / "previous").exists(), "there is a version before the first")
        return f"four pages, installed {took:.0f} s after the double-click, pictures included"

    def first_start(self) -> str:
        """The shortcut opens the program, which knows its community."""
        self._open()
        self._wine.picture("wine-05-first-start")
        self._close()
        self._ask(self._records.is_dir(), "there is no folder for this community's records")
        return f"opened by the shortcut; its records lie in {self._records.name}"

    def whole_program(self) -> str:
        """--smoke: every page opened, a visit noted."""
        done = self._python("app\\boot.py", "--smoke")
        self._ask(not done, done)
        return "every page opened and a visit recorded, without a word"

    def records(self) -> str:
        """Somebody works here: an encrypted file with people who can unlock it."""
        (self._work / "furnish.py").write_text(_FURNISH, encoding="utf-8")
        said = self._python("Z:\\work\\furnish.py", "app", "C:\\furnished")
        self._ask(said.startswith("PIN "), said)
        self._pin = said.split()[-1]
        shutil.copytree(self._wine.drive / "furnished" / "data", self._records, dirs_exist_ok=True)
        self._unlock("wine-06-unlock", "wine-07-today")
        self._close()
        return "unlocked with a PIN, 今日 is shown"

    def refused_while_open(self) -> str:
        """No installation over a running program; nothing is touched."""
        self._open()
        before = self._files()
        self._is_status(self._install("new", "/S"), 4)
        self._wine.begin(self._path("new"))
        self._wine.until(
            lambda: self._wine.shell('xdotool search --onlyvisible --name "安装程序"').text, what="the refusal"
        )
        self._wine.picture("wine-08-refused-while-open")
        self._wine.window("安装程序")
        self._wine.keys("Escape")
        self._is_status(self._uninstall("/S"), 4)
        self._ask(self._files() == before, "files were changed")
        self._close()
        return "status 4 for the installer and the uninstaller, not one file changed"

    def upgrade(self) -> str:
        """The next version over the old: nothing stale, the records as they were, the old one kept until it opens."""
        records = _digest(self._records)
        started = time.monotonic()
        self._is_status(self._install("new", "/S"), 0)
        took = time.monotonic() - started
        self._ask(not (self._program / "app/desktop/stale_module.py").exists(), "a stale module was left")
        self._ask((self._program / "previous/app/desktop/stale_module.py").exists(), "the old version was not kept")
        self._ask(_digest(self._records) == records, "the records were touched")
        shown = self._wine.registry("query", _KEY, "/v", "DisplayVersion").text
        self._ask(program_version() in shown, f"Windows shows {shown}")
        extra = list(self._menu.glob("*上一版*.lnk"))
        self._ask(len(extra) == 1, "no second entry in the menu for the version before")
        self._unlock("wine-09-unlock-after-upgrade", "wine-10-today-after-upgrade")
        self._wine.until(lambda: not (self._program / "previous").exists(), what="the end of the old version")
        self._wine.until(lambda: not extra[0].exists(), what="the end of its entry in the menu")
        self._close()
        return f"silent in {took:.1f} s; nothing stale, records untouched; opened, and the old version went"

    def fall_back(self) -> str:
        """A new version that does not open leaves people with the one before it."""
        self._is_status(self._install("new", "/S"), 0)
        main = self._program / "app/desktop/__main__.py"
        for compiled in main.parent.glob("__pycache__/__main__.*"):
            compiled.unlink()
        main.write_text("raise RuntimeError('broken')\n", encoding="utf-8")
        self._open()
        self._wine.picture("wine-11-version-before")
        self._ask((self._program / "previous/tries").exists(), "the version that opened is not the one before")
        self._is_status(self._install("new", "/S"), 4)
        # As the program updates itself: the installer waits for its end, and opens it again.
        self._wine.begin(self._path("new"), "/S", "/WAIT", "/START")
        self._wine.keys("alt+F4")
        whole = 100  # bytes, more than the broken one has
        self._wine.until(
            lambda: main.exists() and main.stat().st_size > whole, what="the installation after the program's end"
        )
        self._wine.window("敲门", patience_s=120)
        self._unlock("wine-12-unlock-after-update", "wine-13-today-after-update", is_open=True)
        self._wine.until(lambda: not (self._program / "previous").exists(), what="the end of the old version")
        self._close()
        return "the version before it opened instead; an update that waits for its end opens the new one by itself"

    def not_back(self) -> str:
        """An old installer does not put an old version over a new one."""
        before = self._files()
        self._is_status(self._install("old", "/S"), 6)
        self._ask(self._files() == before, "files were changed")
        self._wine.begin(self._path("old"), "/S", "/START")  # not waited for: what it starts holds its pipe
        self._wine.window("敲门", patience_s=120)
        self._close()
        return "an older installer is refused with status 6; the program comes back where it was to be started"

    def neighbours(self) -> str:
        """A second community on the same PC has its own program and its own records."""
        self._is_status(self._install("neighbour", "/S"), 0)
        other = self._program.with_name("Qiaomen-yangguang")
        self._ask(other.is_dir() and self._program.is_dir(), "they share a folder")
        self._wine.run(f"{other / 'uninstall.exe'}".replace(str(self._wine.drive), "C:"), "/S")
        self._wine.until(lambda: not other.exists(), what="the end of the neighbour's program")
        self._ask((self._program / "runtime/pythonw.exe").exists(), "the neighbour's uninstaller took this one along")
        return "two communities side by side, one uninstalled without the other"

    def chinese_path(self) -> str:
        """A folder with Chinese and a blank in its name."""
        place = self._wine.drive / "敲门 程序" / "幸福里 社区"
        named = self._windows_path(place)
        (self._work / "as_typed.py").write_text(_AS_TYPED, encoding="utf-8")
        self._python("Z:\\work\\as_typed.py", f"{self._path('neighbour')} /S /D={named}")
        self._ask((place / "runtime" / "pythonw.exe").exists(), "it was not installed there")
        done = self._wine.run(*self._command(named), "--smoke")
        self._ask(done.status == 0 and not done.text, done.text)
        self._wine.run(f"{named}\\uninstall.exe", "/S")
        self._wine.until(lambda: not place.exists(), what="the end of the program there")
        return f"installed, opened and uninstalled in {named}"

    def foreign_folder(self) -> str:
        """Where somebody's own folders are called as the program's are, nothing is moved, let alone removed."""
        place = self._wine.drive / "work"
        for name in ("app/thesis.doc", "previous/draft.doc", "RELEASE.toml"):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text("mine\n", encoding="utf-8")
        before = _digest(place)
        self._is_status(self._install("neighbour", "/S", "/D=C:\\work"), 5)
        self._ask(_digest(place) == before, "somebody's own files were touched")
        return "status 5, nothing touched"

    def uninstall(self) -> str:
        """The uninstaller leaves the records and says where they are."""
        records = _digest(self._records)
        self._wine.begin(self._windows_path(self._program / "uninstall.exe"))
        self._wine.window("卸载")
        self._wine.picture("wine-14-uninstall")
        self._wine.keys("Return")
        self._wine.until(lambda: not (self._program / "uninstall.exe").exists(), what="the end of the program")
        self._wine.window("卸载")
        self._wine.picture("wine-15-uninstalled")
        self._wine.keys("Return")
        self._wine.until(lambda: not self._program.exists(), what="the end of its folder")
        self._ask(_digest(self._records) == records, "the records were touched")
        self._ask(not list(self._menu.glob("*敲门*.lnk")), "an entry in the menu was left")
        self._ask(self._wine.registry("query", _KEY).status != 0, "Windows still lists it")
        return f"nothing left but {len(list(self._records.rglob('*')))} files and folders of records"

    # ----------------------------------------------------------------------------------------------- inside

    def _open(self) -> None:
        self._wine.begin("start", "/unix", str(self._in_wine(self._wine.home / "Desktop" / f"{TITLE}.lnk")))
        self._wine.window("敲门", patience_s=120)

    def _close(self) -> None:
        self._wine.keys("alt+F4")
        self._wine.until(
            lambda: not self._wine.shell('xdotool search --onlyvisible --name "敲门"').text,
            what="the end of the program",
        )
        self._wine.until(lambda: not self._is_running(), what="the end of the program's process")

    def _is_running(self) -> bool:
        return "pythonw.exe" in self._wine.run("tasklist").text

    def _unlock(self, before: str, after: str, *, is_open: bool = False) -> None:
        if not is_open:
            self._open()
        self._wine.picture(before)
        self._wine.keys(*self._pin, "Return")
        self._wine.until(lambda: list(self._records.glob("*-wal")), what="the opened file of records")
        time.sleep(4)  # the page is painted
        self._wine.picture(after)

    def _install(self, which: str, *switches: str) -> int:
        return self._wine.run(self._path(which), *switches).status

    def _uninstall(self, *switches: str) -> int:
        place = self._windows_path(self._program)
        return self._wine.run(f"{place}\\uninstall.exe", *switches, f"_?={place}").status

    def _python(self, *arguments: str) -> str:
        place = self._windows_path(self._program)
        below = [f"{place}\\{one}" if one.startswith("app") else one for one in arguments]
        return self._wine.run(*self._command(place)[:-1], *below).text

    def _command(self, place: str) -> list[str]:
        return [f"{place}\\runtime\\python.exe", *_SWITCHES, f"{place}\\app\\boot.py"]

    def _path(self, which: str) -> str:
        return f"Z:\\work\\{self._installers[which].name}"

    def _in_wine(self, path: Path) -> Path:
        return Path(self._wine.prefix) / "drive_c" / path.relative_to(self._wine.drive)

    def _windows_path(self, path: Path) -> str:
        return "C:\\" + str(path.relative_to(self._wine.drive)).replace("/", "\\")

    def _files(self) -> str:
        return _digest(self._program)

    def _is_status(self, found: int, wanted: int) -> None:
        self._ask(found == wanted, f"status {found} instead of {wanted}")

    def _ask(self, is_so: bool, otherwise: str) -> None:
        if not is_so:
            raise TrialError(otherwise)


def _digest(folder: Path) -> str:
    """One digest over the names and bytes of all files, but for the mark of who has the folder open and the logs."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "in-use.lock" and "Logs" not in path.parts:
            whole.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return whole.hexdigest()


def build(work: Path, *, runtime: Path | None, is_release: bool) -> tuple[dict[str, Path], str]:
    """The installers to try: an old version with a module that is gone later, the new one, and a neighbour's."""
    key = SecretKey.generate()
    (work / "keys").mkdir()
    (work / "keys" / "working.pub").write_text(key.public.text, encoding="utf-8")
    if runtime is None:
        runtime = work / "runtime.zip"
        fetch_runtime_windows.fetch(out=runtime)
    maker = Maker(key=key, numbers=Numbers())
    presets = {one.id: work / "presets" / one.id for one in (COMMUNITY, NEIGHBOUR)}
    for one in (COMMUNITY, NEIGHBOUR):
        maker.make(Packaged(one, BuildingList()), presets[one.id])
    ready = os.environ.get("QIAOMEN_RUNTIME", "")
    new = lay_out(
        "windows-amd64",
        out=work / "tree",
        pieces=Pieces(runtime=runtime),
        keys=work / "keys",
        compiler=host_compiler(Path(ready) if ready else None),
        sequence=2,
    )
    size = sum(path.stat().st_size for path in new.rglob("*") if path.is_file()) / 1e6
    if size > _LIMITS_MB[0]:
        raise TrialError(f"installed it takes {size:.1f} MB, more than {_LIMITS_MB[0]}")
    told = f"{size:.1f} MB installed"
    made = {"new": wrap_exe(new, presets["xingfuli"], work, fast=True)}
    made["neighbour"] = wrap_exe(new, presets["yangguang"], work, fast=True)
    if is_release:
        packed = wrap_exe(new, presets["xingfuli"], work / "release").stat().st_size / 1e6
        if packed > _LIMITS_MB[1]:
            raise TrialError(f"the installer has {packed:.1f} MB, more than {_LIMITS_MB[1]}")
        told += f", {packed:.1f} MB to download"
    release = (new / "RELEASE.toml").read_text(encoding="utf-8")
    release = release.replace(program_version(), OLD).replace("sequence = 2", "sequence = 1")
    (new / "RELEASE.toml").write_text(release, encoding="utf-8")
    (new / "app/desktop/stale_module.py").write_text('"""Gone in the next version."""\n', encoding="utf-8")
    made["old"] = wrap_exe(new, presets["xingfuli"], work, fast=True)
    return made, told


def main(arguments: list[str] | None = None) -> int:
    """Run every step; exit status 1 at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kept = os.environ.get("QIAOMEN_WINE_ROOT", "")
    parser.add_argument("--root", type=Path, default=Path(kept) if kept else ROOT / "build" / "wine-trixie")
    parser.add_argument("--pictures", type=Path, default=ROOT / "build" / "package-test" / "windows")
    parser.add_argument("--runtime", type=Path, help="a checked runtime-windows-amd64.zip; else the registry's copy")
    parser.add_argument("--release", action="store_true", help="also pack with LZMA and ask for the size")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="qiaomen-windows-trial-") as scratch:
        work = Path(scratch)
        try:
            _tell("another Debian with wine", lambda: prepared(chosen.root))
            made: dict[str, Path] = {}

            def built() -> str:
                installers, told = build(work, runtime=chosen.runtime, is_release=chosen.release)
                made.update(installers)
                return told

            _tell("installers", built)
            with Wine(chosen.root.resolve(), work, pictures=chosen.pictures) as wine:
                trial = Trial(wine, work, made)
                for name, step in {
                    "Windows too old": trial.too_old,
                    "installer's pages": trial.pages,
                    "first start": trial.first_start,
                    "whole program": trial.whole_program,
                    "records": trial.records,
                    "refused while open": trial.refused_while_open,
                    "upgrade": trial.upgrade,
                    "a broken version": trial.fall_back,
                    "no way back": trial.not_back,
                    "two communities": trial.neighbours,
                    "Chinese path": trial.chinese_path,
                    "somebody's own folder": trial.foreign_folder,
                    "uninstall": trial.uninstall,
                }.items():
                    try:
                        _tell(name, step)
                    except TrialError:
                        wine.picture("wine-failed")
                        raise
        except RuntimeError as error:  # what a step, the layout or the wrapping says
            print(f"FAILED {error}", file=sys.stderr)
            return 1
    print(f"pictures: {chosen.pictures}")
    return 0


def prepared(root: Path) -> str:
    """Make the other Debian unless it is there."""
    prepare(root)
    return f"in {root}"


def _tell(name: str, step: Callable[[], str]) -> None:
    started = time.monotonic()
    print(f"{name:24} ", end="", flush=True)
    print(f"ok  {step()} ({time.monotonic() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
