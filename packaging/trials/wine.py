"""A Windows to try things in: wine 10 in a Debian 13 folder of its own, with a screen, a keyboard and a camera."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import fetching

SUITE: Final = "trixie"
PACKAGES: Final = ("wine", "wine64", "fonts-noto-cjk", "imagemagick", "xdotool", "xvfb", "openbox", "locales")
_PATIENCE_S: Final = 240
_FONTS: Final = (
    "Tahoma",
    "MS Shell Dlg",
    "MS Shell Dlg 2",
    "Microsoft YaHei",
    "Microsoft YaHei UI",
    "SimSun",
    "Segoe UI",
)
_CHINESE: Final = "Noto Sans CJK SC"
# In a mount namespace of its own, so that nothing stays mounted whatever happens.
_ENTER: Final = """set -e
root=$1 work=$2; shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p "$root/work"
mount --bind "$work" "$root/work"
exec chroot "$root" "$@"
"""


class TrialError(RuntimeError):
    """Something the trial needs is missing or did not come about."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a program left: its exit status and all that it wrote."""

    status: int
    text: str


def prepare(root: Path) -> None:
    """Make the Debian folder (2 GB, some minutes) unless it is there; needs root and debootstrap. TrialError."""
    if os.geteuid() != 0:
        raise TrialError("only root can enter another Debian: run it with sudo")
    wanted = root / "usr" / "bin"
    if (
        all(os.path.lexists(wanted / name) for name in ("wine", "Xvfb", "openbox", "xdotool", "import"))
        and (root / "usr/lib/locale/zh_CN.utf8").exists()
    ):
        return
    if shutil.which("debootstrap") is None:
        raise TrialError("debootstrap is missing (Debian: debootstrap)")
    if not (root / "usr" / "bin" / "apt-get").exists():
        _ask(["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(root), fetching.mirror()])
    shutil.copyfile("/etc/resolv.conf", root / "etc" / "resolv.conf")
    quick = "apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends"
    script = f"{quick} -o Dpkg::Options::=--force-unsafe-io {' '.join(PACKAGES)}"
    # Windows speaks Chinese then, and its old code page is 936.
    script += " && localedef --no-archive -i zh_CN -f UTF-8 zh_CN.UTF-8"
    _ask(["unshare", "-m", "bash", "-c", _ENTER, "enter", str(root), str(root / "tmp"), "bash", "-c", script])


def _ask(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TrialError(f"{command[0]}: {(done.stdout + done.stderr)[-2000:]}")


class Wine:
    """One fresh Windows for 64 bits; its C: is the folder ``drive``. Use it in a ``with``."""

    def __init__(self, root: Path, work: Path, *, pictures: Path) -> None:
        self._root = root
        self._work = work
        self._pictures = pictures
        self._display = ""
        self._running: list[subprocess.Popen[bytes]] = []
        self.prefix = "/var/tmp/qiaomen-wine"
        self.drive = root / self.prefix.lstrip("/") / "drive_c"
        self.home = self.drive / "users" / "root"

    def __enter__(self) -> Self:
        shutil.rmtree(self.drive.parent, ignore_errors=True)
        self._work.mkdir(parents=True, exist_ok=True)
        self._pictures.mkdir(parents=True, exist_ok=True)
        screen = self._start(["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
        assert screen.stdout is not None
        self._display = f":{screen.stdout.readline().decode().strip()}"
        self._start(["openbox"])
        self.shell("wineserver -p && echo | wineboot -i 2>&1 | cat")  # stays between programs: they start at once
        (self.drive / "windows" / "Fonts").mkdir(parents=True, exist_ok=True)
        font = self._root / "usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
        shutil.copy(font, self.drive / "windows" / "Fonts")
        for name in _FONTS:
            self.registry("add", r"HKCU\Software\Wine\Fonts\Replacements", "/v", name, "/d", _CHINESE, "/f")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.shell("wineserver -k")
        for process in reversed(self._running):
            process.terminate()
            process.wait()
        shutil.rmtree(self.drive.parent, ignore_errors=True)

    def registry(self, *arguments: str) -> Done:
        """``reg`` with these arguments."""
        return self.run("reg", *arguments)

    def run(self, *command: str, patience_s: int = _PATIENCE_S) -> Done:
        """Run a Windows program to its end; CPython needs pipes for what it reads and writes."""
        script = 'echo | timeout "$@" 2>&1 | cat; exit ${PIPESTATUS[1]}'
        return self.shell(script, str(patience_s), "wine", *command)

    def begin(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a Windows program and go on."""
        return self._start(["bash", "-c", 'echo | wine "$@" 2>&1 | cat', "begin", *command])

    def shell(self, script: str, *arguments: str) -> Done:
        """Run a script of bash in there."""
        done = subprocess.run(
            self._entering(["bash", "-c", script, "shell", *arguments]),
            env=self._surroundings(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        return Done(done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace").strip())

    # ------------------------------------------------------------------------------------------ the person

    def window(self, title: str, *, patience_s: float = 60) -> str:
        """Wait for a window whose title has these words, in front and ready for keys; its id. TrialError."""
        found = self.until(
            lambda: self.shell('xdotool search --onlyvisible --name "$1" | tail -1', title).text,
            what=f"the window “{title}”",
            patience_s=patience_s,
        )
        self.shell('xdotool windowactivate --sync "$1"', found)
        return found

    def keys(self, *names: str) -> None:
        """Press keys, one after the other."""
        self.shell('xdotool key --delay 120 "$@"', *names)

    def picture(self, name: str, *, at_once: bool = False) -> Path:
        """Photograph the screen, once it stands still, without the empty desk around the windows."""
        before = b""
        for _ in range(40):
            self.shell("import -window root /work/picture.png && convert /work/picture.png /work/picture.rgb")
            now = (self._work / "picture.rgb").read_bytes()
            if at_once or now == before:
                break
            before = now
            time.sleep(0.4)
        self.shell("convert /work/picture.png -bordercolor black -border 1 -trim +repage /work/cut.png")
        return Path(shutil.copy(self._work / "cut.png", self._pictures / f"{name}.png"))

    def until(self, seen: Callable[[], object], *, what: str, patience_s: float = _PATIENCE_S) -> str:
        """Wait until something is so and return it as text. TrialError after the patience."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            if found := seen():
                return str(found)
            time.sleep(0.3)
        raise TrialError(f"never came: {what}")

    # ---------------------------------------------------------------------------------------------- inside

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self._entering(command),
            env=self._surroundings(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._running.append(process)
        return process

    def _entering(self, command: list[str]) -> list[str]:
        return ["unshare", "-m", "bash", "-c", _ENTER, "enter", str(self._root), str(self._work), *command]

    def _surroundings(self) -> Mapping[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "zh_CN.UTF-8",
            "DISPLAY": self._display,
            "WINEARCH": "win64",
            "WINEPREFIX": self.prefix,
            "WINEDEBUG": "-all",
            "QT_QPA_PLATFORM": "windows:fontengine=gdi",  # wine's DirectWrite has no Chinese
        }
