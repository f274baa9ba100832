"""A desktop to try Linux packages on: Debian 11 in a folder, with a plain user, a screen, keys and a camera."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import fetching

SUITE: Final = "bullseye"
USER: Final = "zhang"
# What an office desktop has besides; the libraries that the program needs come by the dependencies of its package.
PACKAGES: Final = (
    *("xvfb", "openbox", "xdotool", "xclip", "imagemagick", "dbus-x11", "procps", "locales"),
    *("fonts-noto-cjk", "desktop-file-utils", "xdg-user-dirs", "xz-utils"),
    *(
        "fcitx",
        "fcitx-bin",
        "fcitx-pinyin",
        "fcitx-module-dbus",
        "fcitx-module-x11",
        "fcitx-ui-classic",
        "fcitx5",
        "fcitx5-chinese-addons",
    ),
)
_TOOLS: Final = ("Xvfb", "openbox", "xdotool", "xclip", "import", "fcitx", "fcitx5", "xz", "desktop-file-validate")
_PATIENCE_S: Final = 120
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
    """What a command left: its exit status and all that it wrote."""

    status: int
    text: str


def prepare(root: Path) -> None:
    """Make the Debian folder (1 GB, some minutes) unless it is there; needs root and debootstrap. TrialError."""
    if os.geteuid() != 0:
        raise TrialError("only root can enter another Debian: run it with sudo")
    if shutil.which("debootstrap") is None:
        raise TrialError("debootstrap is missing (Debian: debootstrap)")
    if not (root / "usr/bin/apt-get").exists():
        _ask(["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(root), fetching.mirror()])
    is_ready = all(os.path.lexists(root / "usr/bin" / name) for name in _TOOLS)
    if not is_ready or not (root / "usr/lib/locale/zh_CN.utf8").exists():
        shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
        install = "apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends"
        script = f"{install} -o Dpkg::Options::=--force-unsafe-io {' '.join(PACKAGES)}"
        script += " && localedef --no-archive -i zh_CN -f UTF-8 zh_CN.UTF-8"
        _ask(_entering(root, root / "tmp", "bash", "-c", script))
    if not (root / "home" / USER).exists():
        _ask(["chroot", str(root), "useradd", "-m", "-s", "/bin/bash", USER])


def _entering(root: Path, work: Path, *command: str) -> list[str]:
    return ["unshare", "-m", "bash", "-c", _ENTER, "enter", str(root), str(work), *command]


def _ask(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TrialError(f"{command[0]}: {(done.stdout + done.stderr)[-2000:]}")


class Desktop:
    """A screen in that Debian with a plain user before it. Use it in a ``with``; ``work`` is seen as /work inside."""

    def __init__(self, root: Path, work: Path, *, pictures: Path) -> None:
        self.root = root
        self.home = root / "home" / USER
        self._work = work
        self._pictures = pictures
        self._display = ""
        self._holder = 0
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self._pictures.mkdir(parents=True, exist_ok=True)
        for path in self.home.iterdir():  # a new person each time
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        # One place for all commands: what runs is seen by what asks for it.
        holder = subprocess.Popen(
            _entering(self.root, self._work, "sh", "-c", "echo ready; exec sleep infinity"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert holder.stdout is not None
        holder.stdout.readline()
        self._running.append(holder)
        self._holder = holder.pid
        screen = self._start(
            "Xvfb", "-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp", as_user=False
        )
        assert screen.stdout is not None
        self._display = f":{screen.stdout.readline().decode().strip()}"
        self._start("openbox")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for process in reversed(self._running):
            self.end(process)

    def run(self, *command: str, as_user: bool = True, patience_s: int = _PATIENCE_S) -> Done:
        """Run a command to its end, as the plain user unless told otherwise."""
        done = subprocess.run(
            self._command(command, as_user=as_user),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=patience_s,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode("utf-8", "replace"))

    def ask(self, *command: str, as_user: bool = True) -> str:
        """The same for a command that must succeed."""
        done = self.run(*command, as_user=as_user)
        if done.status:
            raise TrialError(f"{' '.join(command)[:200]}: {done.text[-1500:]}")
        return done.text

    def open(self, *command: str, session: str = "") -> subprocess.Popen[bytes]:
        """Start a program with a window, in a session of its own; ``session`` are shell lines before it."""
        script = f'{session}\nexec "$@"'
        return self._start("dbus-run-session", "--", "bash", "-c", script, "session", *command)

    def window(self, title: str) -> str:
        """Wait for a window whose title holds this; its number."""
        found: list[str] = []

        def seen() -> bool:
            found[:] = self.run("xdotool", "search", "--onlyvisible", "--name", title).text.split()
            return bool(found)

        self.until(seen, f"a window “{title}”")
        self.run("xdotool", "windowactivate", "--sync", found[-1])
        return found[-1]

    def keys(self, *keys: str) -> None:
        """Press keys one after the other, as a person does."""
        self.ask("xdotool", "key", "--delay", "60", *keys)

    def type(self, text: str) -> None:
        """Type ASCII letters."""
        self.ask("xdotool", "type", "--delay", "80", text)

    def copied(self) -> str:
        """What is in the clipboard."""
        return self.run("xclip", "-o", "-selection", "clipboard").text

    def picture(self, name: str) -> Path:
        """Take a picture of the whole screen."""
        path = self._pictures / f"{name}.png"
        self.ask("import", "-window", "root", f"/tmp/{name}.png")
        shutil.copyfile(self.root / "tmp" / f"{name}.png", path)
        return path

    def until(self, is_so: Callable[[], object], what: str, *, patience_s: float = 60) -> None:
        """Wait for something; TrialError when it never comes about."""
        end = time.monotonic() + patience_s
        while not is_so():
            if time.monotonic() > end:
                self.picture("never")
                raise TrialError(f"never: {what}")
            time.sleep(0.3)

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """End what was opened, with all it started."""
        if process.poll() is None:
            subprocess.run(["pkill", "-TERM", "-s", str(process.pid)], check=False)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=False)
                process.wait()
        if process in self._running:
            self._running.remove(process)

    def _start(self, *command: str, as_user: bool = True) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self._command(command, as_user=as_user),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._running.append(process)
        return process

    def _command(self, command: Sequence[str], *, as_user: bool) -> list[str]:
        surroundings = ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG=zh_CN.UTF-8"]
        surroundings += [f"HOME=/home/{USER}" if as_user else "HOME=/root", f"DISPLAY={self._display}"]
        surroundings += ["DEBIAN_FRONTEND=noninteractive"]
        person = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups"] if as_user else []
        return [
            "nsenter",
            f"--target={self._holder}",
            "--mount",
            "chroot",
            str(self.root),
            *surroundings,
            *person,
            *command,
        ]
