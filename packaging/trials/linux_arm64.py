"""The tree for arm64 on a PC of another kind: started by qemu with Debian 11's libraries, without and with a screen.

    sudo QIAOMEN_RUNTIME=DIR .venv/bin/python packaging/trials/linux_arm64.py [--root DIR] [--pictures DIR]

Needs qemu-user-static, debootstrap, Xvfb, xdotool, ImageMagick, and the runtime for arm64; minutes.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parent)]

import check_tree
import fetching
from layout import Pieces, host_compiler, lay_out
from pins import platform
from trials.debian import SUITE, TrialError

ROOT: Final = _HERE.parents[1]
NAME: Final = "linux-arm64"
QEMU: Final = "qemu-aarch64-static"
LIBRARIES: Final = (
    *("libgl1", "libegl1", "libfontconfig1", "libfreetype6", "libglib2.0-0", "libdbus-1-3", "libx11-xcb1"),
    *("libxcb-glx0", "libxcb-randr0", "libxcb-render0", "libxcb-shape0", "libxcb-shm0", "libxcb-sync1"),
    *("libxcb-xfixes0", "libzstd1", "libsm6", "libice6", "libbrotli1", "libgssapi-krb5-2", "fonts-noto-cjk"),
)
_SWITCHES: Final = ("-I", "-B", "-X", "utf8")
_PATIENCE_S: Final = 600


def prepare(root: Path) -> None:
    """Lay out Debian's arm64 libraries (nothing of them is run by themselves) unless they are there. TrialError."""
    if (root / "usr/share/fonts/opentype/noto").exists():
        return
    for tool in (QEMU, "debootstrap", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise TrialError(f"{tool} is missing (Debian: qemu-user-static, debootstrap)")
    command = ["debootstrap", "--foreign", "--arch=arm64", "--variant=minbase", f"--include={','.join(LIBRARIES)}"]
    _ask(*command, SUITE, str(root), fetching.mirror())
    for deb in sorted((root / "var/cache/apt/archives").glob("*.deb")):
        _ask("dpkg-deb", "-x", str(deb), str(root))


def _ask(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TrialError(f"{command[0]}: {(done.stdout + done.stderr)[-1500:]}")
    return done.stdout


def _command(root: Path, tree: Path, *arguments: str) -> list[str]:
    start = [QEMU, "-L", str(root), str(tree / "runtime/bin/python3.13"), *_SWITCHES]
    return [*start, str(tree / "app/boot.py"), *arguments]


def _surroundings(home: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"} | more


def smoke(root: Path, tree: Path, home: Path) -> str:
    """Every page, without a screen."""
    command = _command(root, tree, "--smoke")
    done = subprocess.run(
        command, env=_surroundings(home), cwd=home, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
    )
    if done.returncode or done.stdout or done.stderr:
        raise TrialError(f"--smoke: {done.returncode} {done.stdout}{done.stderr}"[-1500:])
    return "every page opened and a visit recorded, without a word"


def window(root: Path, tree: Path, home: Path, pictures: Path) -> str:
    """A real window of the X plugin, with the helper libraries of the tree."""
    for tool in ("Xvfb", "xdotool", "import"):
        if shutil.which(tool) is None:
            return f"not run: {tool} is missing (Debian: xvfb, xdotool, imagemagick)"
    camera = shutil.which("import-im6.q16") or "import"
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert screen.stdout is not None
    display = f":{screen.stdout.readline().decode().strip()}"
    program = subprocess.Popen(
        _command(root, tree),
        env=_surroundings(home, DISPLAY=display, QT_QPA_PLATFORM="xcb", DBUS_SESSION_BUS_ADDRESS="disabled:"),
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    begun = time.monotonic()
    try:
        asking = ["xdotool", "search", "--onlyvisible", "--name", "敲门"]
        while not subprocess.run(
            asking, env={**os.environ, "DISPLAY": display}, capture_output=True, check=False
        ).stdout:
            if program.poll() is not None or time.monotonic() - begun > _PATIENCE_S:
                assert program.stderr is not None
                raise TrialError(f"no window: {program.stderr.read().decode()[-1500:] if program.poll() else ''}")
            time.sleep(0.5)
        took = time.monotonic() - begun
        time.sleep(15)  # the page is painted, at an eighth of the speed
        pictures.mkdir(parents=True, exist_ok=True)
        _ask("env", f"DISPLAY={display}", camera, "-window", "root", str(pictures / "arm64-first-start.png"))
    finally:
        program.kill()
        program.wait()
        screen.kill()
        screen.wait()
    return f"window after {took:.0f} s under emulation"


def main(arguments: list[str] | None = None) -> int:
    """Run every step; exit status 1 at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kept = os.environ.get("QIAOMEN_ARM64_ROOT", "")
    parser.add_argument("--root", type=Path, default=Path(kept) if kept else ROOT / "build" / "debian-arm64")
    parser.add_argument("--pictures", type=Path, default=ROOT / "build" / "package-test" / "linux")
    parser.add_argument("--runtime", type=Path, default=os.environ.get("QIAOMEN_RUNTIME"))
    chosen = parser.parse_args(arguments)
    if not chosen.runtime:
        print("not run: QIAOMEN_RUNTIME names no folder with a runtime (packaging/build_runtime_linux.sh makes it)")
        return 0
    place = Path(chosen.runtime)
    with tempfile.TemporaryDirectory(prefix="qiaomen-arm64-trial-") as scratch:
        home = Path(scratch)
        try:
            prepare(chosen.root)
            tree = lay_out(
                NAME,
                out=home / "tree",
                pieces=Pieces.found_in(place, platform(NAME)),
                compiler=host_compiler(place),
            )
            if wrong := check_tree.faults(tree):
                raise TrialError("; ".join(map(str, wrong)))
            print("tree                     ok  nothing asks for more than glibc 2.28", flush=True)
            print(f"whole program            ok  {smoke(chosen.root, tree, home)}", flush=True)
            print(f"window                   ok  {window(chosen.root, tree, home, chosen.pictures)}", flush=True)
        except (TrialError, subprocess.TimeoutExpired) as error:
            print(f"FAILED {error}", file=sys.stderr)
            return 1
    print(f"pictures: {chosen.pictures}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
